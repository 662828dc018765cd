//! Finds the notation in which the numbers of a column are written.

use super::{MINUS, NO_DECIMALS, NumberForm, PLAIN_SEPARATORS, SIGNS, UNDERSCORE, without_dash};
use crate::data::cell::parse_number;

/// Known facts about the numbers of a file, from the user or from other columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::data) struct Convention {
    /// Whether decimals follow a comma, if known.
    pub(in crate::data) decimal_comma: Option<bool>,
    /// The thousands separator, if specified.
    pub(in crate::data) thousands: Option<char>,
}

impl Convention {
    /// A notation with the known facts in place of its own.
    pub(in crate::data) fn adjusted(self, form: NumberForm) -> NumberForm {
        let decimal_comma = self.decimal_comma.unwrap_or(form.decimal_comma);
        let form = NumberForm { decimal_comma, thousands: self.thousands.or(form.thousands), ..form };
        NumberForm { thousands: form.thousands.filter(|c| *c != form.point()), ..form }
    }

    fn allows(self, form: NumberForm) -> bool {
        let keys = form.thousands == Some(UNDERSCORE) && self.thousands != form.thousands;
        !keys
            && self.decimal_comma.is_none_or(|comma| form.decimal_comma == comma)
            && self.thousands.is_none_or(|c| form.thousands.is_none() || form.parts_thousands(c))
    }
}

/// Result of parsing a column's texts as numbers.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::data) enum Numbers {
    /// The best notation, and the number of rows that it parses. The other rows are not numbers.
    Form(NumberForm, usize),
    /// Two notations parse the same number of rows but differ; one of them, that number, and a cell for which they differ.
    Ambiguous(NumberForm, usize, String),
    /// Most cells are not numbers.
    None,
}

/// Detects the notation of a column. `levels` are its levels with their numbers of rows.
///
/// Of notations that parse the same number of rows, the simplest is chosen. `1,234` alone may mean 1234 or 1.234: that
/// is ambiguous unless `convention` decides.
pub(in crate::data) fn infer(levels: &[(&str, usize)], convention: Convention) -> Numbers {
    let sign = levels.iter().take(64).find_map(|(level, _)| level.chars().find(|c| SIGNS.contains(*c)));
    let read = |form: NumberForm| -> usize {
        levels.iter().filter(|(level, _)| form.parse(level).is_some()).map(|(_, rows)| rows).sum()
    };
    let candidates = forms(sign).filter(|form| convention.allows(*form)).map(|form| (form, read(form)));
    let mut best = (NumberForm::default(), 0);
    let mut all: Vec<(NumberForm, usize)> = Vec::new();
    for (form, rows) in candidates {
        if rows > best.1 {
            best = (form, rows);
        }
        all.push((form, rows));
    }
    let (form, rows) = best;
    if rows == 0 {
        return Numbers::None;
    }
    let other = |(candidate, read): &&(NumberForm, usize)| {
        *read == rows && candidate.decimal_comma != form.decimal_comma && !form.is_plain()
    };
    let differs = |other: NumberForm| {
        let differs = |(level, _): &&(&str, usize)| match (form.parse(level), other.parse(level)) {
            (Some(a), Some(b)) => a != b,
            _ => false,
        };
        levels.iter().find(differs).map(|(level, _)| (*level).to_owned())
    };
    let known = convention.decimal_comma == Some(true);
    if (form.decimal_comma && !known && collapses(levels, form))
        || all_are_marked(levels, form)
        || all_are_addresses(levels)
    {
        return Numbers::None;
    }
    match all.iter().filter(other).find_map(|(candidate, _)| differs(*candidate)) {
        Some(cell) => Numbers::Ambiguous(form, rows, cell),
        None => Numbers::Form(form, rows),
    }
}

/// Whether every number has brackets around it, or a dash behind it. They are then no minus: `(1995)` is a year, and `18-` an
/// open range.
fn all_are_marked(levels: &[(&str, usize)], form: NumberForm) -> bool {
    let is_marked = |level: &str| {
        let level = level.trim();
        level.contains('(') || (level.ends_with(MINUS) && without_dash(level, form.point()).is_none())
    };
    let mut numbers = levels.iter().filter(|(level, _)| form.parse(level).is_some());
    levels.len() > 1 && !form.is_plain() && numbers.all(|(level, _)| is_marked(level))
}

/// Whether texts are numbers, though in no one notation: `1,230.5` beside `1.230,5`.
pub(in crate::data) fn in_several_forms(levels: &[String]) -> bool {
    let pairs: Vec<(&str, usize)> = levels.iter().map(|level| (level.as_str(), 1)).collect();
    let is_marked = |level: &&String| level.contains('(') || level.trim().ends_with(MINUS);
    let numbers = levels.iter().filter(|level| is_number(level)).count();
    let of_one_form = |form: NumberForm| levels.iter().filter(|level| form.parse(level).is_some()).count();
    let sign = levels.iter().take(64).find_map(|level| level.chars().find(|c| SIGNS.contains(*c)));
    levels.len() > 2
        && forms(sign).map(of_one_form).max() < Some(numbers)
        && 10 * numbers >= 9 * levels.len()
        && 2 * levels.iter().filter(is_marked).count() < levels.len()
        && !all_are_addresses(&pairs)
}

/// Whether all texts are addresses of computers, such as `192.168.100.101`.
fn all_are_addresses(levels: &[(&str, usize)]) -> bool {
    levels.iter().all(|(level, _)| {
        let parts = || level.trim().split('.');
        parts().count() == 4 && parts().all(|part| part.parse::<u8>().is_ok())
    })
}

/// Whether a text is a number in any notation.
pub(in crate::data) fn is_number(text: &str) -> bool {
    let sign = text.chars().find(|c| SIGNS.contains(*c));
    parse_number(text).is_some()
        || (text.contains(|c: char| c.is_ascii_digit()) && forms(sign).any(|form| form.parse(text).is_some()))
}

/// Whether texts that differ only in trailing zeros would become one number. `9,1` and `9,10` are then pairs of
/// numbers, not decimals.
pub(super) fn collapses(levels: &[(&str, usize)], form: NumberForm) -> bool {
    let is_dashed = |level: &str| NO_DECIMALS.iter().any(|dash| level.contains(&format!(",{dash}")));
    let decimals = levels.iter().filter(|(level, _)| !is_dashed(level));
    let mut values: Vec<f64> = decimals.filter_map(|(level, _)| form.parse(level)).collect();
    values.sort_unstable_by(f64::total_cmp);
    let same = values.windows(2).filter(|pair| pair[0] == pair[1]).count();
    10 * same > values.len()
}

/// All notations, the simplest first.
pub(super) fn forms(sign: Option<char>) -> impl Iterator<Item = NumberForm> {
    // A cell with brackets and without separators is parsed first with a decimal point.
    let bare = [(false, None), (false, Some(',')), (true, None), (true, Some('.'))];
    let separated = PLAIN_SEPARATORS.into_iter().flat_map(|c| [(false, Some(c)), (true, Some(c))]);
    let written = bare.into_iter().chain(separated);
    let of = move |sign| {
        let form = move |(decimal_comma, thousands)| NumberForm { decimal_comma, thousands, sign };
        written.clone().map(form)
    };
    let signed = sign.map(|sign| of(Some(sign))).into_iter().flatten();
    of(None).chain(signed)
}

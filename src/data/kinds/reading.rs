//! How the texts of one column are read.

use crate::data::cell::parse_number;
use crate::data::date::{self, DateForm, DateUnit, Dates};
use crate::data::number::{Convention, NumberForm, Numbers, infer};
use crate::data::table::MISSING;

/// A column with at least this share of numbers is a number column. Its other cells become missing, with a warning.
const MOSTLY: f64 = 0.8;

/// How the texts of a column are read.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reading {
    Number {
        form: NumberForm,
        rows: usize,
        of: usize,
    },
    Date {
        form: DateForm,
        rows: usize,
        of: usize,
    },
    Text,
    /// A number whose comma may be a decimal comma or a thousands separator: an example.
    EitherNumber(String),
    /// Date patterns that fit equally well, and an example.
    EitherDate(Vec<String>, String),
    /// A date pattern that most cells fit, and another one for a cell that has day and month the other way around.
    BothDates(String, String, String),
}

impl Reading {
    /// Whether the commas of a column are decimal commas, which no thousands separators confirm.
    pub(super) fn has_lone_decimal_comma(&self) -> bool {
        matches!(self, Reading::Number { form, .. } if form.decimal_comma && form.thousands.is_none())
    }

    pub(super) fn is_whole(&self) -> bool {
        matches!(self, Reading::Number { rows, of, .. } if rows == of)
    }
}

/// The reading of a column by its levels with their numbers of rows. A label never loses a cell.
pub(super) fn reading(levels: &[(&str, usize)], convention: Convention, label: bool) -> Reading {
    let of = levels.iter().map(|(_, rows)| rows).sum::<usize>();
    let is_most = |form: NumberForm, rows: usize| {
        let distinct = levels.len();
        let mostly = rows as f64 >= MOSTLY * of as f64
            || (2 * rows > of && 2 * distinct > of && !are_numbers_of_another_form(levels, form));
        mostly && rows >= 3
    };
    // A label must not lose a cell or become a date.
    match infer(levels, convention) {
        Numbers::Form(form, rows) if rows == of || !label && is_most(form, rows) => {
            return Reading::Number { form, rows, of };
        }
        Numbers::Ambiguous(form, rows, cell) if rows == of || !label && is_most(form, rows) => {
            return Reading::EitherNumber(cell);
        }
        _ if label => return Reading::Text,
        _ => {}
    }
    match date::infer(&levels.iter().map(|(level, _)| *level).collect::<Vec<_>>()) {
        Dates::Form(form) => return Reading::Date { form, rows: of, of },
        Dates::Ambiguous(patterns, cell) => return Reading::EitherDate(patterns, cell),
        Dates::None => {}
    }
    match date::mostly(levels, MOSTLY) {
        Some((Dates::Form(form), rows)) => match form.other_way(levels) {
            Some((other, cell)) => Reading::BothDates(form.pattern, other, cell),
            // Durations of a day and more are not missing.
            None if form.unit == DateUnit::Clock && levels.iter().any(|(level, _)| is_long(level)) => Reading::Text,
            None => Reading::Date { form, rows, of },
        },
        Some((Dates::Ambiguous(patterns, cell), _)) => Reading::EitherDate(patterns, cell),
        _ => Reading::Text,
    }
}

/// Whether most of the levels that are no numbers of this form have digits, as `<0.5` and `1.5k`: they are values, and not
/// missing. One or two of them may be slips.
fn are_numbers_of_another_form(levels: &[(&str, usize)], form: NumberForm) -> bool {
    let others = levels.iter().filter(|(level, _)| form.parse(level).is_none());
    let with_digits = others.clone().filter(|(level, _)| level.contains(|c: char| c.is_ascii_digit())).count();
    with_digits >= 3 && 2 * with_digits > others.count()
}

/// Whether a text is a duration beyond 24:00, such as `26:10` and `100:05:30`. 24:00 itself is the end of a day.
fn is_long(level: &str) -> bool {
    let mut parts = level.trim().split(':');
    let hours = parts.next().and_then(|hours| hours.parse::<u32>().ok());
    let is_sixtieth = |part: &str| part.len() == 2 && part.parse::<u32>().is_ok_and(|n| n < 60);
    let is_end_of_day = ["24:00", "24:00:00"].contains(&level.trim());
    hours.is_some_and(|hours| hours >= 24) && level.contains(':') && parts.all(is_sixtieth) && !is_end_of_day
}

/// Whether all levels are numbers with decimal points.
pub(super) fn are_plain(levels: &[String]) -> bool {
    !levels.is_empty() && levels.iter().all(|level| parse_number(level).is_some())
}

/// Each level with its number of rows.
pub(super) fn counted_levels<'a>(codes: &[u32], levels: &'a [String]) -> Vec<(&'a str, usize)> {
    let mut counted: Vec<(&str, usize)> = levels.iter().map(|level| (level.as_str(), 0)).collect();
    codes.iter().filter(|code| **code != MISSING).for_each(|code| counted[*code as usize].1 += 1);
    counted
}

//! Numbers in various notations: decimal commas, thousands separators, currency and percent signs.

mod infer;

use serde::{Deserialize, Serialize};

use super::cell::parse_number;
pub(super) use infer::{Convention, Numbers, in_several_forms, infer, is_number};
use infer::{collapses, forms};

/// The notation of a column's numbers. The default is a decimal point and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct NumberForm {
    /// Whether decimals follow a comma.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub decimal_comma: bool,
    /// Thousands separator, as in `1,234`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thousands: Option<char>,
    /// A currency or percent sign before or after the digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sign: Option<char>,
}

/// Number of levels among which equal numbers are looked for.
const MOST_PAIRS: usize = 1000;
/// Signs that may be attached to a number.
const SIGNS: &str = "%‰$€£¥₹₩₽₺₫฿₴₦₱₪";
/// May part thousands or the two halves of a key, so it does the former only where the user says so.
const UNDERSCORE: char = '_';
/// Thousands separators that hardly have another meaning: spaces, apostrophes, and the underscore of the user.
const PLAIN_SEPARATORS: [char; 7] = [' ', '\u{a0}', '\u{202f}', '\u{2009}', '\'', '’', UNDERSCORE];
/// Thousands separators that look alike, and stand for each other.
const ALIKE: [&[char]; 2] = [&[' ', '\u{a0}', '\u{202f}', '\u{2009}'], &['\'', '’']];
/// Dashes for decimals that are zero, after the decimal sign: `12,-` and `12.–`.
pub(crate) const NO_DECIMALS: [&str; 4] = ["--", "-", "–", "—"];
/// Minus signs: that of the keyboard, the typographic one, and dashes that stand for it.
const MINUS: [char; 4] = ['-', '−', '–', '‒'];

impl NumberForm {
    /// Whether numbers have a decimal point and nothing else.
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// Whether numbers have a percent or per mille sign.
    pub(super) fn is_share(self) -> bool {
        matches!(self.sign, Some('%' | '‰'))
    }

    /// The thousands separators: the one of this notation, and those that look like it.
    pub fn separators(&self) -> Vec<char> {
        let alike = |c| ALIKE.iter().find(|alike| alike.contains(&c)).map_or(vec![c], |alike| alike.to_vec());
        self.thousands.map(alike).unwrap_or_default()
    }

    fn parts_thousands(self, c: char) -> bool {
        let alike = |own| own == c || ALIKE.iter().any(|alike| alike.contains(&own) && alike.contains(&c));
        self.thousands.is_some_and(alike)
    }

    fn point(self) -> char {
        if self.decimal_comma { ',' } else { '.' }
    }

    /// The value of a cell; `None` if it is not a number in this notation. Percentages are not converted: `5%` is 5.
    pub fn parse(self, cell: &str) -> Option<f64> {
        if self.is_plain() { parse_number(cell) } else { self.parse_decorated(cell) }
    }

    fn parse_decorated(self, cell: &str) -> Option<f64> {
        let (negative, digits) = self.bare(cell)?;
        let mut plain = String::with_capacity(digits.len() + 1);
        if negative {
            plain.push('-');
        }
        let point = self.point();
        let (whole, rest) = digits.split_at(digits.find([point, 'e', 'E']).unwrap_or(digits.len()));
        self.push_whole(whole, &mut plain)?;
        let rest = match rest.strip_prefix(point) {
            Some(decimals) => {
                plain.push('.');
                decimals
            }
            None => rest,
        };
        // Nobody parts thousands of a number with an exponent: `1,370e+03` has a decimal comma.
        let parted = whole.contains(|c| self.parts_thousands(c));
        let known = |c: char| c.is_ascii_digit() || (!parted && matches!(c, 'e' | 'E' | '-' | '+'));
        if !rest.chars().all(known) || !digits.contains(|c: char| c.is_ascii_digit()) {
            return None;
        }
        plain.push_str(rest);
        plain.parse().ok()
    }

    /// Whether the number is negative, and its digits without sign, currency and brackets.
    fn bare(self, cell: &str) -> Option<(bool, &str)> {
        let mut text = cell.trim();
        let (mut bracketed, mut minus, mut behind) = (false, false, false);
        let mut signed = self.sign.is_none();
        loop {
            let before = text;
            if let Some(inner) = text.strip_prefix('(').and_then(|inner| inner.strip_suffix(')'))
                && !bracketed
            {
                bracketed = true;
                text = inner.trim();
            }
            if let Some(rest) = text.strip_prefix(MINUS).or_else(|| text.strip_prefix('+')) {
                if minus {
                    return None;
                }
                minus = !text.starts_with('+');
                text = rest.trim_start();
            }
            if let Some(rest) = without_dash(text, self.point()) {
                text = rest;
            } else if let Some(rest) = text.strip_suffix(MINUS)
                && !(minus || behind || bracketed)
            {
                behind = true;
                text = rest.trim_end();
            }
            if let Some(sign) = self.sign.filter(|_| !signed)
                && let Some(rest) = text.strip_prefix(sign).or_else(|| text.strip_suffix(sign))
            {
                signed = true;
                text = rest.trim();
            }
            if text == before {
                break;
            }
        }
        if bracketed && (minus || behind) {
            return None;
        }
        // Without a percent sign, 0.05 may mean 5 %. A currency sign may be omitted.
        let zero = || text.chars().all(|c| matches!(c, '0' | '.' | ',')) && !text.is_empty();
        let may_lack = !self.is_share() || zero();
        (signed || may_lack).then_some((minus || behind || bracketed, text))
    }

    /// Appends the digits before the decimals. Groups must have three digits, or two as in India: `12,34,567`.
    fn push_whole(self, whole: &str, plain: &mut String) -> Option<()> {
        if !whole.contains(|c| self.parts_thousands(c)) {
            plain.push_str(whole);
            return whole.bytes().all(|b| b.is_ascii_digit()).then_some(());
        }
        let groups: Vec<&str> = whole.split(|c| self.parts_thousands(c)).collect();
        let (first, last) = (groups[0], groups[groups.len() - 1]);
        let inner = &groups[1..groups.len() - 1];
        let fits = (1..=3).contains(&first.len())
            && !first.starts_with('0')
            && last.len() == 3
            && (inner.iter().all(|g| g.len() == 3) || (first.len() <= 2 && inner.iter().all(|g| g.len() == 2)))
            && groups.iter().all(|g| g.bytes().all(|b| b.is_ascii_digit()));
        groups.iter().for_each(|group| plain.push_str(group));
        fits.then_some(())
    }

    /// The notation of some cells in words: `decimal comma`, `thousands separator ","`.
    pub fn described(&self, cells: &[String]) -> String {
        let thousands = self.thousands.filter(|_| cells.iter().any(|cell| cell.contains(|c| self.parts_thousands(c))));
        let thousands = thousands.map(|c| format!("thousands separator \"{c}\""));
        let sign = self.sign.map(|c| format!("sign \"{c}\""));
        let comma = self.decimal_comma.then(|| "decimal comma".to_owned());
        let mut parts: Vec<String> = comma.into_iter().chain(thousands).chain(sign).collect();
        if !parts.is_empty() && cells.iter().any(|cell| cell.contains('(')) {
            parts.push("brackets for a minus".to_owned());
        }
        if parts.is_empty() {
            // Brackets for negative numbers, or a typographic minus sign.
            let unusual = cells.iter().find(|cell| parse_number(cell).is_none()).map_or("", String::as_str);
            return format!("signs as in \"{unusual}\"");
        }
        parts.join(", ")
    }
}

/// The text before a decimal sign and a dash that stands for decimals of zero.
fn without_dash(text: &str, point: char) -> Option<&str> {
    let number = NO_DECIMALS.iter().find_map(|dash| text.strip_suffix(dash))?.strip_suffix(point)?;
    // In `1.200.-` the first point parts thousands.
    (number.ends_with(|c: char| c.is_ascii_digit()) && !number.contains(point)).then_some(number)
}

/// A text with a decimal comma, if all texts are numbers with a decimal comma or a decimal point.
pub(super) fn with_a_comma(levels: &[String]) -> Option<&str> {
    let comma = NumberForm { decimal_comma: true, ..NumberForm::default() };
    let is_number = |level: &String| parse_number(level).is_some() || comma.parse(level).is_some();
    let pairs: Vec<(&str, usize)> = levels.iter().map(|level| (level.as_str(), 1)).collect();
    let all = levels.len() > 2 && levels.iter().all(is_number) && !collapses(&pairs, comma);
    levels.iter().find(|level| all && parse_number(level).is_none() && level.contains(',')).map(String::as_str)
}

/// Two texts that would become one number if their commas were decimal commas, where nothing says that they are.
pub(super) fn pairs_or_decimals(levels: &[String]) -> Option<[&str; 2]> {
    if !levels.iter().any(|level| level.contains(',')) {
        return None;
    }
    let read = |form: NumberForm| levels.iter().map(|level| form.parse(level)).collect::<Option<Vec<f64>>>();
    let values = forms(None).filter(|form| form.decimal_comma).find_map(read)?;
    let same = |at: usize| values[..at].iter().position(|value| *value == values[at]);
    (0..levels.len().min(MOST_PAIRS)).find_map(|at| Some([levels[same(at)?].as_str(), levels[at].as_str()]))
}

/// A whole number of one or two digits with a minus behind it, such as `65-`: it may be an open range or a grade.
pub(super) fn small_with_minus_behind(cell: &str) -> bool {
    let digits = cell.trim().strip_suffix(MINUS).unwrap_or_default().trim_end();
    (1..=2).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit())
}

/// The units of texts such as `4.5 kg` and `USD 3`: numbers with a few letters or a sign before or after them. There
/// may be at most three units, and at least nine of ten texts must be numbers or have a unit. Codes such as `A12` are
/// excluded: some number must have decimals, a space or a currency sign.
pub(super) fn units(levels: &[String]) -> Option<Vec<&str>> {
    let mut units: Vec<&str> = Vec::new();
    let (mut fitting, mut sure) = (0, false);
    for level in levels {
        if parse_number(level).is_some() {
            fitting += 1;
            continue;
        }
        let Some((unit, number)) = unit_of(level.trim()) else { continue };
        if !units.contains(&unit) {
            units.push(unit);
        }
        fitting += 1;
        sure |= number.contains(['.', ','])
            || level.trim().contains(' ')
            || unit.contains(|c: char| SIGNS.contains(c) || c == '¢');
    }
    (sure && fitting > 2 && 10 * fitting >= 9 * levels.len() && units.len() <= 3).then_some(units)
}

/// Splits a text into a unit and a number, if it consists of these alone.
fn unit_of(text: &str) -> Option<(&str, &str)> {
    let is_part = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',');
    let begin = text.find(|c: char| c.is_ascii_digit())?;
    // The point of `.5`, but not that of `Fr. 5`.
    let begin = if text[..begin].strip_suffix('.').is_some_and(|before| !before.ends_with(char::is_alphabetic)) {
        begin - 1
    } else {
        begin
    };
    let end = text.rfind(is_part)? + 1;
    if end < begin {
        return None;
    }
    let (before, number, behind) = (text[..begin].trim(), &text[begin..end], text[end..].trim());
    let before = before.strip_suffix(['-', '+']).unwrap_or(before).trim();
    let unit = match (before, behind) {
        ("", unit) | (unit, "") => unit,
        _ => return None,
    };
    // Words before numbers are names, such as `Store 1`, but for short ones: `USD 3`.
    let most = if behind.is_empty() { 3 } else { 5 };
    let is_unit = !unit.is_empty() && unit.chars().count() <= most && !unit.contains(|c: char| c.is_ascii_digit());
    let plain = number.chars().all(is_part) && number.matches('.').count() <= 1;
    (is_unit && (plain || is_number(number))).then_some((unit, number))
}

/// The digits of a number with its separators, without signs around them.
pub(super) fn bare(cell: &str) -> &str {
    cell.trim_matches(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | ','))
}

/// Whether a sign between digits may part thousands: `1.234` and `12.345.678`, not `0.234` or `12.34`.
pub(super) fn may_part_thousands(digits: &str, sign: char) -> bool {
    let Some((first, rest)) = digits.split_once(sign) else { return false };
    let are_digits = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    (1..=3).contains(&first.len())
        && are_digits(first)
        && !first.starts_with('0')
        && rest.split(sign).all(|group| group.len() == 3 && are_digits(group))
}

/// Whether the point of a number may be a thousands separator: `1.234`, but not `0.5`.
pub(super) fn may_be_grouped(value: &f64) -> bool {
    is_in_thousandths(value) && (value.abs() >= 1.0 || value.fract() == 0.0 || value.is_nan())
}

/// Whether a number has at most three decimals.
pub(super) fn is_in_thousandths(value: &f64) -> bool {
    value.is_nan() || ((value * 1000.0).round() - value * 1000.0).abs() < 1e-6
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(cells: &[&str]) -> Numbers {
        with(cells, Convention::default())
    }

    fn with(cells: &[&str], convention: Convention) -> Numbers {
        infer(&cells.iter().map(|cell| (*cell, 1)).collect::<Vec<_>>(), convention)
    }

    fn form(cells: &[&str]) -> NumberForm {
        match of(cells) {
            Numbers::Form(form, rows) if rows == cells.len() => form,
            other => panic!("{cells:?}: {other:?}"),
        }
    }

    #[test]
    fn forms_are_found_and_read() {
        for (cells, values) in [
            (&["1,5", "2", "-0,25"][..], &[1.5, 2.0, -0.25][..]),
            (&["1,000", "12,345,678", "1.5"], &[1000.0, 12_345_678.0, 1.5]),
            (&["1.234,5", "7"], &[1234.5, 7.0]),
            (&["1 234,5", "12 000"], &[1234.5, 12000.0]),
            (&["1\u{202f}234", "0,5"], &[1234.0, 0.5]),
            (&["1'234.50", "2"], &[1234.5, 2.0]),
            (&["$1,200.50", "-$3", "($4.25)", "5"], &[1200.5, -3.0, -4.25, 5.0]),
            (&["5 €", "1,50 €"], &[5.0, 1.5]),
            (&["5%", "12.5 %", "0"], &[5.0, 12.5, 0.0]),
            (&["12,34,567.5", "1,000"], &[1_234_567.5, 1000.0]),
            (&["−1,5", "+2,5e3"], &[-1.5, 2500.0]),
        ] {
            let found = form(cells);
            let read: Vec<f64> = cells.iter().map(|cell| found.parse(cell).unwrap()).collect();
            assert_eq!(read, values, "{cells:?} as {found:?}");
        }
    }

    #[test]
    fn units_are_told_from_codes() {
        let of = |cells: &[&str]| {
            let levels: Vec<String> = cells.iter().map(|cell| (*cell).to_owned()).collect();
            units(&levels).map(|units| units.join(" "))
        };
        for (cells, found) in [
            (&["4.5 kg", "3 kg", "12 kg"][..], Some("kg")),
            (&["USD 4", "USD 5", "EUR 6"], Some("USD EUR")),
            (&["$4", "€5", "€6"], Some("$ €")),
            (&["4.8k", "1.2k", "3M"], Some("k M")),
            (&["4.5-", "3.25-", "1.5-"], Some("-")),
            (&["A1", "A2", "B7"], None),
            (&["v1.2.3", "v1.2.4", "v2.0.0"], None),
            (&["10-19", "20-29", "30-39"], None),
            (&["Q1 2024", "Q2 2024", "Q3 2024"], None),
            (&["4.5-", "3.25", "1.5"], Some("-")),
            (&["red", "4 kg", "blue"], None),
        ] {
            assert_eq!(of(cells).as_deref(), found, "{cells:?}");
        }
    }

    #[test]
    fn a_comma_before_three_digits_is_ambiguous_until_something_decides() {
        assert!(matches!(of(&["1,234", "56"]), Numbers::Ambiguous(_, 2, cell) if cell == "1,234"));
        let known = |comma| Convention { decimal_comma: Some(comma), thousands: None };
        let value = |comma| match with(&["1,234", "56"], known(comma)) {
            Numbers::Form(form, 2) => form.parse("1,234"),
            other => panic!("{other:?}"),
        };
        assert_eq!((value(true), value(false)), (Some(1.234), Some(1234.0)));
        assert_eq!(form(&["1,234", "0,5"]).parse("1,234"), Some(1.234), "another cell decides");
        assert_eq!(form(&["1,234", "1,234,567"]).parse("1,234"), Some(1234.0));
    }

    #[test]
    fn a_minus_has_many_forms() {
        for (cells, values) in [
            (&["$(1,234.50)", "$1,234.50", "$(7)"][..], &[-1234.5, 1234.5, -7.0][..]),
            (&["98.95-", "3.5", "1-"], &[-98.95, 3.5, -1.0]),
            (&["1.234,50-", "3,5"], &[-1234.5, 3.5]),
            (&["–98.95", "‒3", "12"], &[-98.95, -3.0, 12.0]),
            (&["5 €-", "7 €"], &[-5.0, 7.0]),
            (&["12,- €", "9,50 €", "1.200,– €"], &[12.0, 9.5, 1200.0]),
            (&["12.-", "-9.50", "1'200.--", "7.—"], &[12.0, -9.5, 1200.0, 7.0]),
            (&["$12.-", "($3)"], &[12.0, -3.0]),
            (&["5,- €", "5,00 €", "19,99 €"], &[5.0, 5.0, 19.99]),
        ] {
            let found = form(cells);
            let read: Vec<f64> = cells.iter().map(|cell| found.parse(cell).unwrap()).collect();
            assert_eq!(read, values, "{cells:?} as {found:?}");
        }
        for cells in [&["1.200.-", "950.-"][..], &["1,200,-", "12,000,-"]] {
            assert!(!matches!(of(cells), Numbers::Form(_, rows) if rows == cells.len()), "{cells:?}");
        }
        for cells in [&["(1995)", "(1979)", "(1982)"][..], &["18-", "25-", "65-"], &["(1,234)", "(987)"]] {
            assert_eq!(of(cells), Numbers::None, "{cells:?}");
        }
        let form = NumberForm { thousands: Some(','), ..NumberForm::default() };
        for cell in ["-5-", "(5-)", "((5))", "--5", "5--", "(-5)", "-(5)", "(5)-", "5,-", ".-"] {
            assert_eq!(form.parse(cell), None, "{cell}");
        }
    }

    #[test]
    fn blanks_and_apostrophes_of_any_kind_part_thousands() {
        let cells = ["1\u{a0}500", "1 700", "2\u{202f}000 000", "3\u{2009}000"];
        let found = form(&cells);
        assert_eq!(cells.map(|cell| found.parse(cell).unwrap()), [1500.0, 1700.0, 2_000_000.0, 3000.0]);
        assert_eq!(form(&["1'000", "1’500.5"]).parse("1’500.5"), Some(1500.5));
        assert_eq!(form(&["1'000", "2'000"]).parse("1 000"), None);
    }

    #[test]
    fn one_number_in_two_spellings_is_named() {
        let named = |cells: &[&str]| {
            let levels: Vec<String> = cells.iter().map(|cell| (*cell).to_owned()).collect();
            pairs_or_decimals(&levels).is_some()
        };
        assert!(named(&["1,5", "1,50", "2"]) && named(&["1.234,5", "1.234,50", "12,25"]));
        assert!(named(&["1 234,5", "1234,50"]) && !named(&["1,5", "2,5"]) && !named(&["01", "1"]));
    }

    #[test]
    fn a_known_decimal_comma_needs_no_distinct_numbers() {
        let cells = ["1", "1,0", "1,5", "1,50"];
        assert_eq!(of(&cells), Numbers::None, "pairs of numbers, perhaps");
        let comma = Convention { decimal_comma: Some(true), thousands: None };
        assert!(matches!(with(&cells, comma), Numbers::Form(_, 4)));
    }

    #[test]
    fn a_number_with_an_exponent_has_no_thousands() {
        assert_eq!(form(&["1,370e+03", "2,125e-02"]).parse("1,370e+03"), Some(1370.0));
        assert_eq!(form(&["1.370,5", "2,5e1"]).parse("1.370e1"), None);
    }

    #[test]
    fn a_point_is_a_point_unless_the_file_has_decimal_commas() {
        assert_eq!(form(&["1.234", "5"]), NumberForm::default());
        let comma = Convention { decimal_comma: Some(true), thousands: None };
        let Numbers::Form(found, 2) = with(&["1.234", "12.500"], comma) else { panic!() };
        assert_eq!(found.parse("1.234"), Some(1234.0));
    }

    #[test]
    fn what_is_no_number_is_not_read() {
        for cells in [&["a", "b"][..], &["1-2", "3-4"], &["1,2,3", "4,5,6"], &["0x1F", "0xFF"], &["12:30", "1:00"]] {
            assert_eq!(of(cells), Numbers::None, "{cells:?}");
        }
        assert_eq!(of(&["$5", "€6"]), Numbers::Form(NumberForm { sign: Some('$'), ..Default::default() }, 1));
        for cell in ["", "-", "1,23,4", "1,,000", ",000", "1.2.3", "--5", "e5", "5e", "%"] {
            let form = NumberForm { decimal_comma: false, thousands: Some(','), sign: Some('%') };
            assert_eq!(form.parse(cell), None, "{cell}");
        }
    }
}

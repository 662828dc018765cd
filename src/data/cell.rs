//! What a cell can be, and how its value is written.

use std::borrow::Cow;

/// A number as a class or level is named: integers without a fraction, others by their shortest decimal, and by powers of ten
/// where it would have more than 21 digits before the point or six zeros after it.
pub fn format_number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        1e-6..1e21 => format!("{value}"),
        _ => format!("{value:e}"),
    }
}

/// A number, if `cell` is one: what Rust's `f64` parses, except words for "not a number". The minus sign of typography is one.
#[inline]
pub fn parse_number(cell: &str) -> Option<f64> {
    match cell.parse::<f64>() {
        Ok(value) => Some(value).filter(|value| !value.is_nan()),
        Err(_) => parse_negative(cell),
    }
}

fn parse_negative(cell: &str) -> Option<f64> {
    let size = cell.strip_prefix('−').filter(|size| size.starts_with(|c: char| c.is_ascii_digit() || c == '.'))?;
    size.parse::<f64>().ok().map(|value| -value)
}

/// The name of a level in a column whose levels are numbers: `1.0` and `1` are the same level.
pub fn canonical_level(level: &str, numeric: bool) -> Cow<'_, str> {
    match parse_number(level) {
        Some(value) if numeric => Cow::Owned(format_number(value)),
        _ => Cow::Borrowed(level),
    }
}

/// A text as messages quote it, on one line: its first characters, and that there are more.
pub(crate) fn brief(text: &str) -> Cow<'_, str> {
    const SHOWN: usize = 60;
    if text.contains(char::is_control) {
        let shown = |c: char| if c == '\n' { '⏎' } else { '\u{fffd}' };
        let line: String = text.chars().map(|c| if c.is_control() { shown(c) } else { c }).collect();
        return Cow::Owned(brief(&line).into_owned());
    }
    match text.char_indices().nth(SHOWN) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
    }
}

/// A number with six significant digits, for messages.
pub(super) fn rounded(value: f64) -> String {
    let short: f64 = format!("{value:.5e}").parse().unwrap_or(value);
    // A whole number is shown whole.
    format_number(if value.fract() == 0.0 && value.abs() < 1e15 { value } else { short })
}

/// The name that looks most like `wanted`, if any does.
pub(super) fn nearest<'a>(wanted: &str, names: &'a [String]) -> Option<&'a str> {
    let likeness = |name: &String| strsim::jaro_winkler(&wanted.to_lowercase(), &name.to_lowercase());
    let best = names.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    (likeness(best) > 0.75).then_some(best)
}

/// The first names of a list, and how many more there are.
pub(super) fn shortened(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let mut text = names.iter().take(SHOWN).map(|name| brief(name)).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text.push_str(&format!(", … ({} more)", names.len() - SHOWN));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_named_shortly_and_read_back() {
        for (value, name) in [
            (-0.0, "0"),
            (7.0, "7"),
            (0.1, "0.1"),
            (-2.5e-6, "-0.0000025"),
            (1e-9, "1e-9"),
            (1e20, "100000000000000000000"),
            (-1e300, "-1e300"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(format_number(value), name);
            assert_eq!(parse_number(name), Some(value), "{name}");
        }
    }
}

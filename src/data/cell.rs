//! Values of cells, and how they are written.

use std::borrow::Cow;

/// A number as the name of a class or level: integers without a fraction, other numbers by their shortest decimal form.
/// Numbers of 10²¹ and more, or below 10⁻⁶, are written with an exponent.
pub fn format_number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        1e-6..1e21 => format!("{value}"),
        _ => format!("{value:e}"),
    }
}

/// The number in `cell`, if it is one: what Rust's `f64` parses, except NaN. The typographic minus sign is accepted
/// too.
#[inline]
pub fn parse_number(cell: &str) -> Option<f64> {
    if let Some((value, length)) = decimal(cell.as_bytes())
        && length == cell.len()
    {
        return Some(value);
    }
    match cell.parse::<f64>() {
        Ok(value) => Some(value).filter(|value| !value.is_nan()),
        Err(_) => parse_negative(cell),
    }
}

/// 2⁵³: a double holds all integers up to this one exactly.
const EXACT: u64 = 1 << 53;
/// Powers of ten that a double holds exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// The short decimal number at the start of `bytes`, such as `-12.5`, and its length. `None` if there is none, or if it
/// has so many digits that dividing by a power of ten would round twice. The caller must check what follows it: `1e5`
/// starts with 1.
///
/// Integers up to 2⁵³ and powers of ten up to 10²² are exact, so their quotient is the nearest double (Clinger 1990).
#[inline]
pub(super) fn decimal(bytes: &[u8]) -> Option<(f64, usize)> {
    let start = usize::from(bytes.first() == Some(&b'-'));
    let (mut digits, mut at) = (0u64, start);
    while let Some(digit) = bytes.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
        digits = digits.wrapping_mul(10).wrapping_add(u64::from(digit));
        at += 1;
    }
    let (mut count, mut decimals) = (at - start, 0);
    if bytes.get(at) == Some(&b'.') {
        at += 1;
        let point = at;
        while let Some(digit) = bytes.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
            digits = digits.wrapping_mul(10).wrapping_add(u64::from(digit));
            at += 1;
        }
        decimals = at - point;
        count += decimals;
    }
    // Nineteen digits do not overflow 64 bits.
    if count == 0 || count > 19 || digits > EXACT {
        return None;
    }
    let value = digits as f64 / POWERS[decimals];
    Some((if start == 1 { -value } else { value }, at))
}

fn parse_negative(cell: &str) -> Option<f64> {
    let size = cell.strip_prefix('−').filter(|size| size.starts_with(|c: char| c.is_ascii_digit() || c == '.'))?;
    size.parse::<f64>().ok().map(|value| -value)
}

/// The name of a level. If levels are numbers, `1.0` and `1` are the same level.
pub fn canonical_level(level: &str, numeric: bool) -> Cow<'_, str> {
    match parse_number(level) {
        Some(value) if numeric => Cow::Owned(format_number(value)),
        _ => Cow::Borrowed(level),
    }
}

/// A text for quoting in a message: on one line, and shortened to its first characters.
pub fn brief(text: &str) -> Cow<'_, str> {
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

/// A number rounded to six significant digits, for messages.
pub(super) fn rounded(value: f64) -> String {
    let short: f64 = format!("{value:.5e}").parse().unwrap_or(value);
    // Integers are shown with all digits.
    format_number(if value.fract() == 0.0 && value.abs() < 1e15 { value } else { short })
}

/// The name most similar to `wanted`, if any is similar enough.
pub(super) fn nearest<'a>(wanted: &str, names: &'a [String]) -> Option<&'a str> {
    let likeness = |name: &String| strsim::jaro_winkler(&wanted.to_lowercase(), &name.to_lowercase());
    let best = names.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    (likeness(best) > 0.75).then_some(best)
}

/// The first names of a list, and the number of further ones.
pub(super) fn shortened(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let mut text = names.iter().take(SHOWN).map(|name| brief(name)).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text.push_str(&format!(", … ({} more)", names.len() - SHOWN));
    }
    text
}

/// Words for truth values, false first.
pub(super) const BOOLEANS: [[&str; 2]; 4] = [["false", "true"], ["no", "yes"], ["f", "t"], ["n", "y"]];

/// Whether two cells are the same truth value `true` or `false`, possibly in different cases: pandas writes `True` to
/// CSV, but a boolean to Parquet. Other words are text in all formats.
pub(super) fn same_truth_value(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other) && BOOLEANS[0].iter().any(|word| word.eq_ignore_ascii_case(one))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_decimals_are_what_the_standard_library_reads() {
        let mut state = 1u64;
        let mut next = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        for _ in 0..200_000 {
            let mut text = String::new();
            let sign = ["", "-", ""][next(3) as usize];
            let (whole, decimals) = (next(20), next(21));
            (0..whole).for_each(|_| text.push((b'0' + next(10) as u8) as char));
            if next(4) > 0 {
                text.push('.');
                (0..decimals).for_each(|_| text.push((b'0' + next(10) as u8) as char));
            }
            let text = format!("{sign}{text}{}", ["", ",7", "e3", "\n"][next(4) as usize]);
            if let Some((value, length)) = decimal(text.as_bytes()) {
                assert_eq!(text[..length].parse::<f64>().map(f64::to_bits), Ok(value.to_bits()), "{text}");
            }
            let plain = text.split([',', '\n']).next().unwrap_or_default();
            assert_eq!(parse_number(plain), plain.parse().ok(), "{plain}");
        }
        assert_eq!(decimal(b"9007199254740992,"), Some((9_007_199_254_740_992.0, 16)));
        assert_eq!(decimal(b"9007199254740993"), None);
        assert_eq!([&b""[..], b"-", b".", b"-.", b"x", b"+1"].map(decimal), [None; 6]);
    }

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

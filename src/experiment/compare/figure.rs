//! Formatting of numbers in sentences and tables.

/// A number with four significant digits, without trailing zeros. Below 10⁶ its integer part is shown in full. From 10⁶ on
/// and below 10⁻³ it is in scientific notation. `∞` for `None` and for infinite values.
pub fn figure(value: Option<f64>) -> String {
    let Some(value) = value.filter(|v| v.is_finite()) else { return "∞".to_owned() };
    let size = value.abs();
    if size != 0.0 && !(1e-3..1e6).contains(&size) {
        let text = format!("{value:.3e}");
        let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
        return format!("{}e{power}", digits.trim_end_matches('0').trim_end_matches('.'));
    }
    let whole = if size >= 1.0 { libm::floor(libm::log10(size)) as i32 + 1 } else { 0 };
    let leading = if size > 0.0 && size < 1.0 { -libm::floor(libm::log10(size)) as i32 - 1 } else { 0 };
    let text = format!("{value:.*}", (4 - whole + leading).max(0) as usize);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A p-value: `1` from 0.995, two decimals from 0.1, three from 0.001, otherwise in scientific notation with two digits.
pub fn p_value(p: f64) -> String {
    match p {
        p if p >= 0.995 => "1".to_owned(),
        p if p >= 0.1 => format!("{p:.2}"),
        p if p >= 0.001 => format!("{p:.3}"),
        p => format!("{p:.1e}"),
    }
}

/// `1 seed`, `3 seeds`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_few_digits() {
        let shown = [0.0, 1.0, 0.25, 12.3456, 123456.7, 0.012345, 0.00099, 2.5e-7, 1234567.0, -0.5];
        let expected = ["0", "1", "0.25", "12.35", "123457", "0.01235", "9.9e-4", "2.5e-7", "1.235e6", "-0.5"];
        assert_eq!(shown.map(|v| figure(Some(v))), expected);
        assert_eq!([None, Some(f64::INFINITY)].map(figure), ["∞", "∞"]);
        assert_eq!([1.0, 0.5, 0.0421, 0.0006].map(p_value), ["1", "0.50", "0.042", "6.0e-4"]);
        assert_eq!([0, 1, 2].map(|n| count(n, "seed")), ["0 seeds", "1 seed", "2 seeds"]);
    }
}

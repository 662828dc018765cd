//! Whether two means differ, where the two spread differently.

use super::student::two_sided;

/// Two-sided p of the difference of two means, of normal values with variances of their own:
/// `t = (x̄ − ȳ) / √(s²ₓ/n + s²ᵧ/m)` with the degrees of freedom of Satterthwaite. 1 where all values are equal; 0 where the
/// means differ and neither side spreads. Welch 1947, <https://doi.org/10.1093/biomet/34.1-2.28>.
///
/// # Panics
/// If a side has fewer than two values.
pub fn welch_test(x: &[f64], y: &[f64]) -> f64 {
    let [(mean_x, error_x), (mean_y, error_y)] = [x, y].map(mean_and_squared_error);
    let (difference, error) = ((mean_x - mean_y).abs(), error_x + error_y);
    if error == 0.0 {
        return if difference == 0.0 { 1.0 } else { 0.0 };
    }
    let part = |error: f64, count: usize| error * error / (count - 1) as f64;
    let freedom = error * error / (part(error_x, x.len()) + part(error_y, y.len()));
    two_sided(difference / error.sqrt(), freedom)
}

/// Mean, and the square of its standard error.
fn mean_and_squared_error(values: &[f64]) -> (f64, f64) {
    assert!(values.len() > 1, "a variance needs two values");
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
    (mean, squares / (count - 1.0) / count)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values: SciPy 1.17, `ttest_ind(x, y, equal_var=False)`.
    #[test]
    fn it_is_scipys() {
        let p = welch_test(&[0.31, 0.42, 0.38, 0.35], &[0.40, 0.61, 0.52, 0.47, 0.9]);
        assert!((p / WELCH[0] - 1.0).abs() < 1e-10, "{p}");
        let p = welch_test(&[1.0, 1.001, 0.999, 1.0], &[2.0, 5.0, -3.0, 9.0]);
        assert!((p / WELCH[1] - 1.0).abs() < 1e-10, "{p}");
    }

    #[test]
    fn values_that_do_not_spread_have_an_answer() {
        assert_eq!(welch_test(&[1.0, 1.0], &[1.0, 1.0]), 1.0);
        assert_eq!(welch_test(&[1.0, 1.0], &[2.0, 2.0]), 0.0);
    }

    const WELCH: [f64; 2] = [0.067_495_928_168_579_12, 0.439_177_382_856_864_15];
}

//! Yuen's test: whether two trimmed means differ, for groups with unequal variances and outliers.

use super::student::two_sided;

/// Share of the values that is trimmed at each end.
const TRIMMED: f64 = 0.2;

/// Two-sided p for the difference of two trimmed means with unequal variances: `t = (x̄ − ȳ) / √(eₓ + eᵧ)` with
/// Satterthwaite's degrees of freedom, `(eₓ + eᵧ)² / (eₓ² / (hₓ − 1) + eᵧ² / (hᵧ − 1))`.
///
/// The mean is that of the `h = n − 2g` middle values, with `g = ⌊0.2 n⌋`. Its squared error is
/// `e = (n − 1) s² / (h (h − 1))`, where `s²` is the winsorised variance: the `g` values at each end are replaced by the
/// nearest middle value. With fewer than five values `g` is 0, and this is Welch's test. p is 1 if the means are equal, and
/// 0 if they differ and both errors are 0. Yuen 1974, <https://doi.org/10.1093/biomet/61.1.165>.
///
/// # Panics
/// If a side has fewer than two values.
pub fn yuen_test(x: &[f64], y: &[f64]) -> f64 {
    let [x, y] = [x, y].map(Middle::of);
    let (difference, error) = ((x.mean - y.mean).abs(), x.squared_error + y.squared_error);
    if difference == 0.0 || error == 0.0 {
        return if difference == 0.0 { 1.0 } else { 0.0 };
    }
    let part = |of: Middle| of.squared_error * of.squared_error / (of.count - 1) as f64;
    two_sided(difference / error.sqrt(), error * error / (part(x) + part(y)))
}

/// The mean of the middle values and its error.
#[derive(Debug, Clone, Copy)]
struct Middle {
    mean: f64,
    /// Square of the mean's standard error.
    squared_error: f64,
    count: usize,
}

impl Middle {
    fn of(values: &[f64]) -> Middle {
        assert!(values.len() > 1, "a variance needs two values");
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let trimmed = (TRIMMED * values.len() as f64) as usize;
        let kept = trimmed..values.len() - trimmed;
        let count = kept.len();
        let mean = sorted[kept.clone()].iter().sum::<f64>() / count as f64;
        let [low, high] = [sorted[kept.start], sorted[kept.end - 1]];
        sorted.iter_mut().for_each(|value| *value = value.clamp(low, high));
        let centre = sorted.iter().sum::<f64>() / values.len() as f64;
        let squares: f64 = sorted.iter().map(|v| (v - centre) * (v - centre)).sum();
        Middle { mean, squared_error: squares / (count * (count - 1)) as f64, count }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values: SciPy 1.17, `ttest_ind(x, y, equal_var=False, trim=0.2)`.
    #[test]
    fn p_agrees_with_scipy() {
        for (x, y, expected) in [
            (&[0.31, 0.42, 0.38, 0.35][..], &[0.40, 0.61, 0.52, 0.47, 0.9][..], YUEN[0]),
            (&[1.0, 1.001, 0.999, 1.0], &[2.0, 5.0, -3.0, 9.0], YUEN[1]),
            (&[3.1, 2.9, 3.4, 3.0, 3.3, 2.7, 3.2, 40.0], &[2.5, 2.4, 2.8, 2.2, 2.6, 2.3, 2.7, 2.1], YUEN[2]),
        ] {
            let p = yuen_test(x, y);
            assert!((p / expected - 1.0).abs() < 1e-10, "{p} and {expected}");
        }
    }

    #[test]
    fn an_outlier_does_not_hide_a_difference() {
        let good = [2.5, 2.4, 2.8, 2.2, 2.6, 2.3, 2.7, 2.1];
        let p = |worst: f64| yuen_test(&good, &[3.1, 2.9, 3.4, 3.0, 3.3, 2.95, 3.2, worst]);
        assert_eq!(p(3.5), p(1e6));
    }

    #[test]
    fn values_without_variance_have_p_0_or_1() {
        assert_eq!(yuen_test(&[1.0, 1.0], &[1.0, 1.0]), 1.0);
        assert_eq!(yuen_test(&[1.0, 1.0], &[2.0, 2.0]), 0.0);
    }

    const YUEN: [f64; 3] = [0.083_544_490_977_184, 0.439_177_382_856_864_2, 0.000_578_749_773_507_565];
}

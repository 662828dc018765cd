//! Quantiles, and averages that are robust to outliers.

/// Quantile `q` of sorted numbers, interpolated linearly: type 7 of Hyndman & Fan 1996, like NumPy's default.
///
/// # Panics
/// If there are none.
pub fn quantile_of_sorted(sorted: &[f64], q: f64) -> f64 {
    let at = q * (sorted.len() - 1) as f64;
    let (low, high) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    if low == high { low } else { low + (high - low) * at.fract() }
}

/// Quantile `q` of numbers in any order; see [`quantile_of_sorted`]. `None` without numbers. Infinite if a neighbour with a
/// weight above 0 is infinite.
pub fn quantile(values: &[f64], q: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    if sorted.is_empty() { None } else { Some(quantile_of_sorted(&sorted, q)) }
}

/// The median; `None` without numbers.
pub fn median(values: &[f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// Mean of the values without the `⌊n / 4⌋` smallest and the `⌊n / 4⌋` largest. It is more efficient than the median, and
/// tolerates up to a quarter of outliers on each side. Recommended by Agarwal et al. 2021, "Deep Reinforcement Learning at
/// the Edge of the Statistical Precipice", <https://arxiv.org/abs/2108.13264>. Reorders the values; `None` without values.
pub fn interquartile_mean(values: &mut [f64]) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let cut = values.len() / 4;
    let middle = &values[cut..values.len() - cut];
    if middle.is_empty() { None } else { Some(middle.iter().sum::<f64>() / middle.len() as f64) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_close(found: f64, expected: f64) {
        assert!((found - expected).abs() <= 1e-12 * expected.abs(), "{found} is not {expected}");
    }

    /// Expected values: NumPy's `quantile`.
    #[test]
    fn quantiles_are_numpys() {
        let values = [1.2, 3.4, 2.2, 9.1, 0.4, 5.5, 7.0];
        for (q, expected) in [(0.1, 0.88), (0.25, 1.7), (0.5, 3.4), (0.9, 7.84)] {
            assert_close(quantile(&values, q).unwrap(), expected);
        }
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!(quantile(&[7.0], 0.75), Some(7.0));
    }

    #[test]
    fn a_median_is_finite_if_more_than_half_of_the_values_are() {
        let inf = f64::INFINITY;
        assert_eq!(median(&[inf, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[inf, 1.0, 2.0, inf]), Some(inf));
        assert_eq!(median(&[inf, inf]), Some(inf));
    }

    /// Expected values: SciPy's `trim_mean(x, 0.25)`.
    #[test]
    fn interquartile_means_are_scipys_trimmed_means() {
        assert_close(interquartile_mean(&mut [1.2, 3.4, 2.2, 9.1, 0.4, 5.5, 7.0]).unwrap(), 3.86);
        let mut squares: Vec<f64> = (1..13).rev().map(|x| f64::from(x * x)).collect();
        assert_close(interquartile_mean(&mut squares).unwrap(), 45.166666666666664);
        assert_eq!(interquartile_mean(&mut [f64::INFINITY, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(interquartile_mean(&mut []), None);
    }
}

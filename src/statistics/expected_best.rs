//! The expected best of a number of trials.

/// The expected minimum of `k` of the `n` values, drawn without replacement, for `k` from 1 to `n`:
/// `E_k = Σᵢ v₍ᵢ₎ · C(n − i, k − 1) / C(n, k)` over the values in ascending order. This is the average result of a search
/// with `k` trials. Dodge et al. 2019, "Show Your Work", <https://arxiv.org/abs/1909.03004>, in the unbiased form without
/// replacement: Tang et al. 2020, <https://arxiv.org/abs/2004.13705>.
pub fn expected_best(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len();
    let mean_of_best = |k: usize| {
        let (mut mean, mut weight) = (0.0, k as f64 / n as f64);
        for (i, value) in sorted.iter().enumerate().take(n - k + 1) {
            mean += weight * value;
            weight *= (n - i - k) as f64 / (n - i - 1).max(1) as f64;
        }
        mean
    };
    (1..=n).map(mean_of_best).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values: the mean over all subsets, enumerated by Python's `itertools.combinations`.
    #[test]
    fn the_expected_best_is_the_mean_over_all_subsets() {
        let found = expected_best(&[3.0, 1.0, 4.0, 1.5, 9.0]);
        for (found, expected) in found.iter().zip([3.7, 1.85, 1.35, 1.1, 1.0]) {
            assert!((found - expected).abs() < 1e-14, "{found} is not {expected}");
        }
        assert_eq!(found.len(), 5);
        assert!(expected_best(&[]).is_empty());
    }
}

//! Correction for multiple tests.

/// The level at which [`holm`] tests each p-value: `α / (m − i + 1)` for the i-th smallest p if it is rejected, otherwise
/// `α / m`. A confidence interval at this level excludes the null value if the test rejects.
pub fn holm_levels(p_values: &[f64], alpha: f64) -> Vec<f64> {
    let adjusted = holm(p_values);
    let smaller = |p: f64| p_values.iter().filter(|other| **other < p).count();
    let level = |(p, adjusted): (&f64, f64)| {
        let before = if adjusted <= alpha { smaller(*p) } else { 0 };
        alpha / (p_values.len() - before) as f64
    };
    p_values.iter().zip(adjusted).map(level).collect()
}

/// Adjusts the p-values of several tests, so that the probability of any false rejection at level `α` is at most `α`. The
/// i-th smallest of m becomes `max over j ≤ i of (m − j + 1) · p₍ⱼ₎`, at most 1. Holm 1979, "A Simple Sequentially Rejective
/// Multiple Test Procedure", <https://www.jstor.org/stable/4615733>.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let mut adjusted = vec![1.0; p_values.len()];
    let mut largest = 0.0_f64;
    for (rank, at) in order.into_iter().enumerate() {
        largest = largest.max((p_values.len() - rank) as f64 * p_values[at]).min(1.0);
        adjusted[at] = largest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: 4 × 0.005; 3 × 0.01; 2 × 0.03; 1 × 0.04, which is less than the value before it.
    #[test]
    fn the_smallest_p_has_the_strictest_level() {
        let adjusted = holm(&[0.01, 0.04, 0.03, 0.005]);
        for (found, expected) in adjusted.iter().zip([0.03, 0.06, 0.06, 0.02]) {
            assert!((found - expected).abs() < 1e-15, "{adjusted:?}");
        }
        assert_eq!(holm_levels(&[0.01, 0.04, 0.03, 0.005], 0.05), [0.05 / 3.0, 0.05 / 4.0, 0.05 / 4.0, 0.05 / 4.0]);
        assert_eq!(holm(&[0.6, 1.0]), [1.0, 1.0]);
        assert!(holm(&[]).is_empty());
    }
}

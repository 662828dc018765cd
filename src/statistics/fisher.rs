//! Combination of p-values.

/// Combines `k` independent p-values into one: `P(χ²₂ₖ ≥ −2 Σ ln pᵢ)`, for the null hypothesis that all single ones are
/// true. If single p-values are conservative, so is the combined one. 1 without p-values. Fisher, *Statistical Methods for
/// Research Workers*, 4th edition, 1932, section 21.1.
pub fn fisher_combined(p_values: &[f64]) -> f64 {
    // For an even number of degrees of freedom: e^(−h) Σ hⁱ / i! over i < k, with h half of the statistic.
    let half: f64 = p_values.iter().map(|p| -libm::log(p.max(f64::MIN_POSITIVE))).sum();
    let (mut term, mut sum) = (libm::exp(-half), 0.0);
    for i in 0..p_values.len() {
        sum += term;
        term *= half / (i + 1) as f64;
    }
    if p_values.is_empty() { 1.0 } else { sum.min(1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values: SciPy 1.17, `combine_pvalues(p, method="fisher")`.
    #[test]
    fn the_combined_p_is_scipys() {
        for (p, expected) in [
            (&[0.05, 0.2, 0.7][..], FISHER[0]),
            (&[1e-4, 0.9, 0.5, 0.3], FISHER[1]),
            (&[1.0, 1.0], 1.0),
            (&[0.03], 0.03),
        ] {
            assert!((fisher_combined(p) / expected - 1.0).abs() < 1e-12, "{p:?}: {}", fisher_combined(p));
        }
        assert_eq!(fisher_combined(&[]), 1.0);
    }

    const FISHER: [f64; 2] = [0.127_902_590_736_312_63, 0.004_185_488_827_888_269];
}

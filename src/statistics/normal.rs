//! The normal distribution.

/// `Φ(z)`, the probability that a standard normal variable is at most `z`: `erfc(−z / √2) / 2`.
pub fn normal_cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2)
}

/// `Φ⁻¹(p)`, by bisection of [`normal_cdf`], accurate to the last few bits; infinite at 0 and 1.
pub fn normal_quantile(p: f64) -> f64 {
    if p <= 0.0 {
        return f64::NEG_INFINITY;
    }
    if p >= 1.0 {
        return f64::INFINITY;
    }
    let (mut low, mut high) = (-40.0, 40.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if normal_cdf(middle) < p { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values: SciPy's `norm.cdf` and `norm.ppf`, to eight decimals.
    #[test]
    fn values_are_scipys() {
        for (z, expected) in [(-3.0, 0.0013499), (-1.0, 0.15865525), (0.5, 0.69146246), (2.0, 0.97724987)] {
            assert!((normal_cdf(z) - expected).abs() < 5e-9, "{z}");
        }
        for (p, expected) in [(0.001, -3.09023231), (0.025, -1.95996398), (0.5, 0.0), (0.9, 1.28155157)] {
            assert!((normal_quantile(p) - expected).abs() < 5e-9, "{p}");
        }
        assert_eq!([0.0, 1.0].map(normal_quantile), [f64::NEG_INFINITY, f64::INFINITY]);
    }
}

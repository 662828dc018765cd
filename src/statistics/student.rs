//! Student's t distribution.

use libm::{exp, lgamma, log};

/// Upper limit of the terms of the continued fraction, which converges in far fewer.
const MOST_TERMS: usize = 300;
/// The continued fraction has converged when a factor differs from 1 by less than this.
const NEGLIGIBLE: f64 = 1e-15;

/// The quantile `t` with `P(T < t) = p` for `freedom` degrees of freedom, `p` in (0.5, 1); accurate to about 10⁻¹².
pub(crate) fn quantile(p: f64, freedom: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    while probability_below(high, freedom) < p && high < 1e15 {
        (low, high) = (high, 2.0 * high);
    }
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if probability_below(middle, freedom) < p { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// `P(|T| ≥ t)` for `t ≥ 0`: `I_x(ν/2, ½)` with `x = ν / (ν + t²)`.
pub(super) fn two_sided(t: f64, freedom: f64) -> f64 {
    incomplete_beta(freedom / (freedom + t * t), 0.5 * freedom, 0.5)
}

/// `P(T < t) = 1 − ½ I_x(ν/2, ½)` with `x = ν / (ν + t²)`, for `t ≥ 0`.
fn probability_below(t: f64, freedom: f64) -> f64 {
    1.0 - 0.5 * two_sided(t, freedom)
}

/// The regularised incomplete beta function `I_x(a, b)`, by its continued fraction (DLMF 8.17.22,
/// <https://dlmf.nist.gov/8.17#v>), evaluated by Lentz's method.
fn incomplete_beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return x.clamp(0.0, 1.0);
    }
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - incomplete_beta(1.0 - x, b, a);
    }
    let front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(1.0 - x)) / a;
    let coefficient = |n: usize| {
        let m = (n / 2) as f64;
        if n.is_multiple_of(2) {
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
        } else {
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0))
        }
    };
    let (mut fraction, mut c, mut d) = (1.0, 1.0, 0.0);
    for n in 1..MOST_TERMS {
        let term = coefficient(n);
        d = 1.0 / (1.0 + term * d);
        c = 1.0 + term / c;
        fraction *= c * d;
        if (c * d - 1.0).abs() < NEGLIGIBLE {
            break;
        }
    }
    front / fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_tables() {
        // R: qt(c(0.975, 0.975, 0.975, 0.95, 0.995), c(1, 4, 14, 9, 30))
        for (p, freedom, t) in [
            (0.975, 1.0, 12.706_204_736_174_7),
            (0.975, 4.0, 2.776_445_105_197_79),
            (0.975, 14.0, 2.144_786_687_917_8),
            (0.95, 9.0, 1.833_112_932_656_24),
            (0.995, 30.0, 2.749_995_653_567_23),
        ] {
            assert!((quantile(p, freedom) - t).abs() < 1e-9, "{p} {freedom}: {}", quantile(p, freedom));
        }
    }
}

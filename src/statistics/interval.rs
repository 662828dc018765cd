//! Confidence intervals.

use super::rank_test::binomial;

/// A confidence interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Confidence interval of the median of the distribution of independent values, without assumptions on the distribution. It
/// reaches from the k-th smallest to the k-th largest value, for the largest `k` whose coverage `1 − 2 P(B < k)` is at least
/// `level`; `B` is binomial with `n` draws and probability ½. `None` if even the range of all values has a lower coverage:
/// for 95 %, fewer than six values. Thompson 1936, <https://doi.org/10.1214/aoms/1177732502>.
pub fn median_interval(values: &[f64], level: f64) -> Option<Interval> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len();
    let all = 2.0_f64.powi(n as i32);
    let (mut outside, mut k) = (0.0, 0);
    while k < n.div_ceil(2) && 2.0 * (outside + binomial(n, k) / all) <= 1.0 - level {
        outside += binomial(n, k) / all;
        k += 1;
    }
    let low = k.checked_sub(1)?;
    Some(Interval { low: sorted[low], high: sorted[n - 1 - low] })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected ranks: tables of the sign test at 95 %: the 1st of 6 to 8, the 2nd of 9 to 11, the 3rd of 12, the 6th of 20.
    #[test]
    fn the_ends_are_those_of_the_sign_test() {
        for (count, rank) in [(6, 1), (8, 1), (9, 2), (11, 2), (12, 3), (20, 6)] {
            let values: Vec<f64> = (1..=count).rev().map(f64::from).collect();
            let expected = Interval { low: f64::from(rank), high: f64::from(count + 1 - rank) };
            assert_eq!(median_interval(&values, 0.95), Some(expected), "{count}");
        }
    }

    #[test]
    fn few_values_have_no_interval() {
        assert_eq!(median_interval(&[], 0.95), None);
        assert_eq!(median_interval(&[1.0, 2.0, 3.0, 4.0, 5.0], 0.95), None);
        let inf = f64::INFINITY;
        let diverged = median_interval(&[1.0, inf, 2.0, 3.0, 4.0, 5.0], 0.95);
        assert_eq!(diverged, Some(Interval { low: 1.0, high: inf }));
    }
}

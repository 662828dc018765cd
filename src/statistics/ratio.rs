//! The rank-sum test, and the ratio of two groups with its interval.

use super::interval::Interval;
use super::rank_test::binomial;

/// An estimated ratio and its confidence interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ratio {
    /// The estimate.
    pub value: f64,
    /// Its interval; `None` if there are too few values for this level.
    pub interval: Option<Interval>,
}

/// The ratio of the values of `a` to those of `b`: the median of all `aᵢ / bⱼ` (Hodges & Lehmann 1963, for the logarithms),
/// with the interval that corresponds to the rank-sum test. The interval leaves out the `k` smallest and the `k` largest
/// quotients. `k` is the largest number for which the coverage is at least `level`, if `a` is distributed as the ratio times
/// `b`. Two infinite values have the quotient 1. `None` if a group is empty. Bauer 1972,
/// <https://doi.org/10.1080/01621459.1972.10481279>.
pub fn ratio_interval(a: &[f64], b: &[f64], level: f64) -> Option<Ratio> {
    let quotient = |a: f64, b: f64| if a == b { 1.0 } else { a / b };
    let mut quotients: Vec<f64> = a.iter().flat_map(|a| b.iter().map(move |b| quotient(*a, *b))).collect();
    if quotients.is_empty() {
        return None;
    }
    quotients.sort_by(f64::total_cmp);
    let interval = left_out((a.len(), b.len()), 1.0 - level)
        .map(|k| Interval { low: quotients[k], high: quotients[quotients.len() - 1 - k] });
    Some(Ratio { value: super::quantile_of_sorted(&quotients, 0.5), interval })
}

/// Two-sided p of the rank-sum test: `min(1, 2 P(U ≤ u))` under the null hypothesis, where `u` is the number of pairs that
/// lie in the less frequent order. Ties count as such pairs, so with ties p is conservative. If p is at most `1 − level`,
/// the interval of [`ratio_interval`] excludes 1. Exact for any number of values. Mann & Whitney 1947,
/// <https://doi.org/10.1214/aoms/1177730491>.
pub fn rank_sum_p(a: &[f64], b: &[f64]) -> f64 {
    let count =
        |is: fn(f64, f64) -> bool| a.iter().flat_map(|a| b.iter().map(move |b| is(*a, *b))).filter(|is| *is).count();
    let u = count(|a, b| a >= b).min(count(|a, b| a <= b));
    let below: f64 = ways_of_rank_sums(a.len(), b.len()).iter().take(u + 1).sum();
    (2.0 * below / binomial(a.len() + b.len(), a.len())).min(1.0)
}

/// The number of quotients left out at each end of the interval: the largest `k` with `2 P(U ≤ k) ≤ alpha` for the
/// Mann-Whitney statistic `U` under the null hypothesis. `None` if there is none.
fn left_out((n, m): (usize, usize), alpha: f64) -> Option<usize> {
    let ways = ways_of_rank_sums(n, m);
    let all = binomial(n + m, n);
    let mut below = 0.0;
    for (k, ways) in ways.iter().enumerate() {
        below += ways;
        if 2.0 * below / all > alpha {
            return k.checked_sub(1);
        }
    }
    None
}

/// The number of orders of `n` and `m` values with the statistic `U` equal to 0, 1, …, `n·m`.
fn ways_of_rank_sums(n: usize, m: usize) -> Vec<f64> {
    // The coefficients of the Gaussian binomial: ∏ (1 − q^(m+i)) / (1 − qⁱ) over i = 1..n.
    let mut ways = vec![0.0; n * m + 1];
    ways[0] = 1.0;
    for i in 1..=n {
        for u in (m + i..ways.len()).rev() {
            ways[u] -= ways[u - m - i];
        }
        for u in i..ways.len() {
            ways[u] += ways[u - i];
        }
    }
    ways
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distribution_of_rank_sums_is_counted() {
        assert_eq!(ways_of_rank_sums(2, 2), [1.0, 1.0, 2.0, 1.0, 1.0]);
        assert_eq!(ways_of_rank_sums(8, 8).iter().sum::<f64>(), 12_870.0);
    }

    /// Expected values: tables of the Mann-Whitney statistic, whose two-sided critical values at 5 % are 1 for four and five values
    /// and 13 for eight and eight.
    #[test]
    fn intervals_correspond_to_the_rank_sum_test() {
        assert_eq!(left_out((4, 5), 0.05), Some(1));
        assert_eq!(left_out((8, 8), 0.05), Some(13));
        assert_eq!(left_out((8, 8), 0.015 / 72.0), Some(0));
        assert_eq!(left_out((8, 8), 1e-4), None);
        assert_eq!(left_out((2, 2), 0.05), None);
        let a = [2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];
        let b = a.map(|value| value / 2.0);
        let ratio = ratio_interval(&a, &b, 0.999_8).unwrap();
        assert_eq!((ratio.value, ratio.interval), (2.0, Some(Interval { low: 2.0 / 128.0, high: 256.0 })));
        assert!(ratio_interval(&a, &b, 0.95).unwrap().interval.unwrap().low > 2.0 / 128.0);
        assert_eq!(ratio_interval(&a, &b, 0.999_9).unwrap().interval, None);
    }

    /// Expected values: SciPy 1.17, `mannwhitneyu(method="exact")`.
    #[test]
    fn p_is_that_of_the_rank_sum_test() {
        let (a, b) = ([0.31, 0.42, 0.38, 0.35], [0.40, 0.61, 0.52, 0.47, 0.39]);
        assert!((rank_sum_p(&a, &b) - 0.063_492_063_492_063_49).abs() < 1e-15, "{}", rank_sum_p(&a, &b));
        let low: Vec<f64> = (0..12).map(f64::from).collect();
        let high: Vec<f64> = (0..12).map(|n| f64::from(n) + 6.5).collect();
        assert!((rank_sum_p(&low, &high) / RANK_SUM - 1.0).abs() < 1e-12, "{}", rank_sum_p(&low, &high));
        assert_eq!(rank_sum_p(&low, &low), 1.0);
    }

    const RANK_SUM: f64 = 0.000_495_533_541_703_955;

    /// If p is at most the level, the interval excludes 1, also with ties.
    #[test]
    fn an_interval_agrees_with_the_test() {
        let inf = f64::INFINITY;
        let diverged = ([1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, inf], [inf; 8]);
        assert!(rank_sum_p(&diverged.0, &diverged.1) > 0.01);
        let mut rng = crate::rng::stream(5, crate::rng::Purpose::Synthetic, 0, 0);
        let mut draw = |shift: usize, count: usize| -> Vec<f64> {
            (0..count).map(|_| (shift + rand::RngExt::random_range(&mut rng, 1..8_usize)) as f64).collect()
        };
        for count in 5..14 {
            for shift in 0..8 {
                let (a, b) = (draw(0, count), draw(shift, count));
                let p = rank_sum_p(&a, &b);
                let Some(interval) = ratio_interval(&a, &b, 1.0 - p * (1.0 + 1e-9)).unwrap().interval else { continue };
                let leaves_out = interval.high < 1.0 || interval.low > 1.0;
                assert!(leaves_out || p == 1.0, "{a:?} {b:?}: p {p}, {interval:?}");
            }
        }
    }

    #[test]
    fn infinite_values_are_allowed() {
        let inf = f64::INFINITY;
        let ratio = ratio_interval(&[1.0, 1.0, inf], &[inf, inf, inf], 0.8).unwrap();
        assert_eq!((ratio.value, ratio.interval), (0.0, Some(Interval { low: 0.0, high: 1.0 })));
        assert_eq!(ratio_interval(&[], &[1.0], 0.95), None);
    }
}

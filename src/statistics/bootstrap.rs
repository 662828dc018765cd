//! Bootstrap intervals.

use rand::RngExt;

use super::interval::Interval;
use super::quantile::quantile_of_sorted;
use crate::rng::{Purpose, stream};

/// Number of resamples for an interval.
const RESAMPLES: usize = 4_000;

/// Percentile interval of a statistic of pooled values at confidence `level`. Values are resampled within each stratum: the
/// stratified bootstrap of Agarwal et al. 2021, <https://arxiv.org/abs/2108.13264>. `None` without strata, or if a stratum
/// has fewer than two values. The seed is fixed, so equal values give equal intervals.
pub fn stratified_interval(strata: &[Vec<f64>], statistic: impl Fn(&mut [f64]) -> f64, level: f64) -> Option<Interval> {
    if strata.is_empty() || strata.iter().any(|values| values.len() < 2) {
        return None;
    }
    let mut rng = stream(0, Purpose::Resampling, 2, 0);
    let mut pooled = Vec::new();
    let mut resampled: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            pooled.clear();
            for values in strata {
                pooled.extend((0..values.len()).map(|_| values[rng.random_range(0..values.len())]));
            }
            statistic(&mut pooled)
        })
        .collect();
    resampled.sort_unstable_by(f64::total_cmp);
    let end = |part: f64| quantile_of_sorted(&resampled, part);
    Some(Interval { low: end(0.5 - 0.5 * level), high: end(0.5 + 0.5 * level) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::interquartile_mean;

    fn mean(values: &mut [f64]) -> f64 {
        values.iter().sum::<f64>() / values.len() as f64
    }

    #[test]
    fn strata_keep_their_weight() {
        let strata = [vec![0.0, 0.0, 0.0, 0.0], vec![1.0, 1.0, 1.0, 1.0]];
        let half = stratified_interval(&strata, |values| interquartile_mean(values).unwrap(), 0.95);
        assert_eq!(half, Some(Interval { low: 0.5, high: 0.5 }));
        assert_eq!(stratified_interval(&[vec![1.0]], mean, 0.95), None);
    }
}

//! The threshold of a binary decision, chosen by a metric.

use super::report::figure_of_matrix;
use super::{ConfusionMatrix, MetricName};

/// Metrics that a threshold can be chosen by. Recall or precision alone would be best if everything, or almost nothing, were
/// class 1.
pub const THRESHOLD_METRICS: [MetricName; 6] = [
    MetricName::Accuracy,
    MetricName::BalancedAccuracy,
    MetricName::F1,
    MetricName::F1Macro,
    MetricName::F1Weighted,
    MetricName::Mcc,
];

/// A row: the probability of class 1, whether it is of class 1, and its weight.
pub type ScoredRow = (f64, bool, f64);

/// The threshold above which a probability means class 1 that maximises `metric`, and that maximum. It is the middle between
/// two neighbouring probabilities, or 0.5; of equally good ones, the nearest to 0.5. `None` if the metric is undefined at all
/// of them.
pub fn best_threshold(mut rows: Vec<ScoredRow>, metric: MetricName) -> Option<(f64, f64)> {
    rows.retain(|(p, _, weight)| p.is_finite() && *weight > 0.0);
    if rows.is_empty() {
        return None;
    }
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut best: Option<(f64, f64)> = None;
    let mut consider = |threshold: f64, counts: [[f64; 2]; 2]| {
        let Some(value) = value_of(counts, metric).filter(|_| threshold > 0.0 && threshold < 1.0) else { return };
        let nearer = |than: f64| (threshold - 0.5).abs() < (than - 0.5).abs();
        if best.is_none_or(|(at, of)| value > of || (value == of && nearer(at))) {
            best = Some((threshold, value));
        }
    };
    // Counts by truth and by prediction; below the lowest probability, all rows are predicted as class 1.
    let mut counts = [[0.0; 2]; 2];
    rows.iter().for_each(|(_, truth, weight)| counts[usize::from(*truth)][1] += weight);
    let mut below = 0.0;
    for same in rows.chunk_by(|a, b| a.0 == b.0) {
        let p = same[0].0;
        consider(0.5 * (below + p), counts);
        if below < 0.5 && 0.5 < p {
            consider(0.5, counts);
        }
        for (_, truth, weight) in same {
            counts[usize::from(*truth)][1] -= weight;
            counts[usize::from(*truth)][0] += weight;
        }
        if p == 0.5 {
            consider(0.5, counts);
        }
        below = p;
    }
    consider(0.5 * (below + 1.0), counts);
    if below < 0.5 {
        consider(0.5, counts);
    }
    best
}

fn value_of(counts: [[f64; 2]; 2], metric: MetricName) -> Option<f64> {
    let mut matrix = ConfusionMatrix::new(2);
    for (truth, said) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        // The remainder of a sum of weights must not become negative by rounding.
        matrix.add(truth, said, counts[truth][said].max(0.0));
    }
    figure_of_matrix(&matrix, metric).filter(|value| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: [ScoredRow; 6] =
        [(0.1, false, 1.0), (0.2, true, 1.0), (0.3, false, 1.0), (0.4, true, 1.0), (0.45, true, 1.0), (0.9, true, 1.0)];

    #[test]
    fn the_threshold_is_the_best_of_all() {
        for metric in THRESHOLD_METRICS {
            let (threshold, value) = best_threshold(ROWS.to_vec(), metric).unwrap();
            let at = |threshold: f64| {
                let mut counts = [[0.0; 2]; 2];
                ROWS.iter().for_each(|(p, t, w)| counts[usize::from(*t)][usize::from(*p > threshold)] += w);
                value_of(counts, metric)
            };
            assert_eq!(at(threshold), Some(value), "{metric}");
            let all = (1..1000).filter_map(|t| at(f64::from(t) / 1000.0));
            assert_eq!(all.fold(0.0, f64::max), value, "{metric}");
        }
        assert_eq!(best_threshold(ROWS.to_vec(), MetricName::Mcc).unwrap().0, 0.35);
    }

    #[test]
    fn of_equally_good_thresholds_the_nearest_to_a_half_is_taken() {
        let apart = [(0.2, false, 1.0), (0.9, true, 1.0)];
        assert_eq!(best_threshold(apart.to_vec(), MetricName::F1), Some((0.5, 1.0)));
        let high = [(0.7, false, 1.0), (0.9, true, 1.0)];
        let (threshold, value) = best_threshold(high.to_vec(), MetricName::F1).unwrap();
        assert_eq!(value, 1.0);
        assert!((threshold - 0.8).abs() < 1e-15);
        let half = [(0.5, false, 1.0), (0.9, true, 1.0)];
        assert_eq!(best_threshold(half.to_vec(), MetricName::F1), Some((0.5, 1.0)), "class 1 is above it");
    }

    #[test]
    fn weights_count_as_rows_do() {
        let twice: Vec<ScoredRow> = ROWS.iter().chain(&ROWS[3..]).copied().collect();
        let heavy: Vec<ScoredRow> =
            ROWS.iter().enumerate().map(|(at, r)| (r.0, r.1, if at > 2 { 2.0 } else { 1.0 })).collect();
        assert_eq!(best_threshold(twice, MetricName::F1), best_threshold(heavy, MetricName::F1));
        assert_eq!(best_threshold(Vec::new(), MetricName::F1), None);
    }
}

//! How well scores rank rows: ROC, precision and recall at every threshold.

use super::{mean, weight_of, weighted_mean};

/// The weights of positive and negative rows at or above each distinct score, from the highest score down.
///
/// One sort gives both curves and both areas. Rows of weight 0 are left out.
#[derive(Debug, Clone)]
pub struct ThresholdSweep {
    thresholds: Vec<f64>,
    true_positives: Vec<f64>,
    false_positives: Vec<f64>,
}

/// The points `(x, y)` of a curve, and the threshold at or above which a row counts as positive at each point.
#[derive(Debug, Clone, PartialEq)]
pub struct RankingCurve {
    /// False positive rates of a ROC curve; recalls of a precision-recall curve.
    pub x: Vec<f64>,
    /// True positive rates of a ROC curve; precisions of a precision-recall curve.
    pub y: Vec<f64>,
    /// Thresholds of the points.
    pub thresholds: Vec<f64>,
}

impl ThresholdSweep {
    /// Sorts rows `(score, whether it is positive, weight)` in `O(n log n)`. A NaN score makes all areas NaN.
    pub fn new(rows: impl Iterator<Item = (f64, bool, f64)>) -> Self {
        let mut rows: Vec<(f64, bool, f64)> = rows.filter(|&(_, _, weight)| weight != 0.0).collect();
        rows.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        let (mut thresholds, mut true_positives, mut false_positives) = (Vec::new(), Vec::new(), Vec::new());
        let (mut tp, mut fp) = (0.0, 0.0);
        for (i, &(score, positive, weight)) in rows.iter().enumerate() {
            // NaN is sorted to an end and propagates from there into every later sum.
            let weight = if score.is_nan() { f64::NAN } else { weight };
            if positive {
                tp += weight
            } else {
                fp += weight
            }
            if rows.get(i + 1).is_none_or(|next| next.0 != score) {
                thresholds.push(score);
                true_positives.push(tp);
                false_positives.push(fp);
            }
        }
        ThresholdSweep { thresholds, true_positives, false_positives }
    }

    /// The sweep of rows given as slices; without `weights` each row counts 1.
    pub fn of_scores(truth: &[bool], scores: &[f64], weights: Option<&[f64]>) -> Self {
        Self::new(truth.iter().zip(scores).enumerate().map(|(row, (&t, &s))| (s, t, weight_of(weights, row))))
    }

    /// The weight of all positive rows.
    pub fn positives(&self) -> f64 {
        self.true_positives.last().copied().unwrap_or(0.0)
    }

    /// The weight of all negative rows.
    pub fn negatives(&self) -> f64 {
        self.false_positives.last().copied().unwrap_or(0.0)
    }

    /// Area under the ROC curve: the probability that a positive row scores above a negative one, ties counting one
    /// half (Hanley & McNeil 1982, <https://doi.org/10.1148/radiology.143.1.7063747>); NaN if either kind is missing.
    pub fn roc_auc(&self) -> f64 {
        let (mut area, mut below) = (0.0, (0.0, 0.0));
        for (&tp, &fp) in self.true_positives.iter().zip(&self.false_positives) {
            area += (fp - below.1) * (tp + below.0) / 2.0;
            below = (tp, fp);
        }
        area / (self.positives() * self.negatives())
    }

    /// Average precision `Σ_k (R_k − R_{k−1}) P_k` over the thresholds, without interpolation; 0 without positive rows.
    pub fn average_precision(&self) -> f64 {
        let (mut area, mut below) = (0.0, 0.0);
        for (&tp, &fp) in self.true_positives.iter().zip(&self.false_positives) {
            area += (tp - below) * (tp / (tp + fp));
            below = tp;
        }
        if self.positives() == 0.0 { 0.0 } else { area / self.positives() }
    }

    /// False and true positive rates at every threshold, from the highest down, after a first point (0, 0) at infinity.
    pub fn roc_curve(&self) -> RankingCurve {
        let rates = |counts: &[f64], all: f64| std::iter::once(0.0).chain(counts.iter().map(|c| c / all)).collect();
        RankingCurve {
            x: rates(&self.false_positives, self.negatives()),
            y: rates(&self.true_positives, self.positives()),
            thresholds: std::iter::once(f64::INFINITY).chain(self.thresholds.iter().copied()).collect(),
        }
    }

    /// Recall and precision at every threshold, from the lowest up, and a last point (0, 1) without a threshold.
    pub fn precision_recall_curve(&self) -> RankingCurve {
        let counts = self.true_positives.iter().zip(&self.false_positives).rev();
        RankingCurve {
            x: self.true_positives.iter().rev().map(|tp| tp / self.positives()).chain([0.0]).collect(),
            y: counts.map(|(tp, fp)| tp / (tp + fp)).chain([1.0]).collect(),
            thresholds: self.thresholds.iter().rev().copied().collect(),
        }
    }
}

/// Scores of several classes: `scores` is `[rows, classes]`, `truth` the classes `[rows]`.
#[derive(Debug, Clone, Copy)]
pub struct ClassScores<'a> {
    /// The number of classes.
    pub classes: usize,
    /// The true class of each row.
    pub truth: &'a [u32],
    /// The score of each row and class.
    pub scores: &'a [f64],
    /// The weight of each row; 1 if `None`.
    pub weights: Option<&'a [f64]>,
}

impl ClassScores<'_> {
    fn rows(&self) -> impl Iterator<Item = (usize, &[f64], f64)> + Clone {
        let rows = self.truth.iter().zip(self.scores.chunks_exact(self.classes)).enumerate();
        rows.map(|(row, (&t, scores))| (t as usize, scores, weight_of(self.weights, row)))
    }

    /// Each class against the rest.
    pub fn one_vs_rest(&self) -> Vec<ThresholdSweep> {
        let sweep = |c| ThresholdSweep::new(self.rows().map(move |(t, scores, weight)| (scores[c], t == c, weight)));
        (0..self.classes).map(sweep).collect()
    }

    /// All pairs of a row and a class as one problem with two classes: the micro average.
    pub fn pooled(&self) -> ThresholdSweep {
        ThresholdSweep::new(
            self.rows().flat_map(|(t, scores, weight)| {
                scores.iter().enumerate().map(move |(c, &score)| (score, c == t, weight))
            }),
        )
    }

    /// Area under the ROC curve over all pairs of classes, Hand & Till 2001, <https://doi.org/10.1023/A:1010920819831>. For
    /// each pair it is the mean of the two areas on the rows of these classes alone. Over pairs it is the plain mean, or
    /// weighted by the pair's share of the rows. Row weights are ignored, as in scikit-learn.
    pub fn roc_auc_one_vs_one(&self, weighted: bool) -> f64 {
        let area = |of: usize, against: usize| {
            let rows = self.rows().filter(|&(t, ..)| t == of || t == against);
            ThresholdSweep::new(rows.map(|(t, scores, _)| (scores[of], t == of, 1.0))).roc_auc()
        };
        let pairs = (0..self.classes).flat_map(|a| (a + 1..self.classes).map(move |b| (a, b)));
        weighted_mean(pairs.map(|(a, b)| {
            let rows = self.rows().filter(|&(t, ..)| t == a || t == b).count();
            (mean(&[area(a, b), area(b, a)]), if weighted { rows as f64 } else { 1.0 })
        }))
    }

    /// Share of the rows whose true class is among the `k` highest scores. Of equal scores the higher class ranks first, as in
    /// scikit-learn.
    pub fn top_k_accuracy(&self, k: usize) -> f64 {
        weighted_mean(self.rows().map(|(t, scores, weight)| {
            let ahead = |(c, &score): (usize, &f64)| score > scores[t] || (score == scores[t] && c > t);
            let rank = scores.iter().enumerate().filter(|&cs| ahead(cs)).count();
            (f64::from(rank < k), weight)
        }))
    }
}

/// Mean of one figure of each class against the rest, weighted by the weight of the class's rows.
pub fn weighted_by_positives(sweeps: &[ThresholdSweep], figure: impl Fn(&ThresholdSweep) -> f64) -> f64 {
    weighted_mean(sweeps.iter().map(|sweep| (figure(sweep), sweep.positives())))
}

//! The result of a cross-validation.

use serde::Serialize;
use serde_json::Value;

use crate::fit::event_of;
use crate::metrics::{MetricName, MetricSet};
use crate::score::HeldOut;
use crate::statistics::student;

/// The figures of all folds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CrossValidation {
    /// Each fold.
    pub folds: Vec<Fold>,
    /// Mean of each figure over the folds; undefined if it is undefined in any fold.
    pub mean: MetricSet,
    /// Sample standard deviation of each figure over the folds, with division by their number less one.
    pub std: MetricSet,
    /// Half the width of the 95 % interval of each mean: `t s √(1/K + n_test / n_train)`, with Student's `t` of `K − 1` degrees
    /// of freedom. The second term accounts for the overlap between the training rows of the folds: Nadeau & Bengio 2003,
    /// <https://doi.org/10.1023/A:1024068626366>.
    pub interval: MetricSet,
    /// The outputs of the folds' networks for the rows that they did not learn from, each row once.
    #[serde(skip)]
    pub held_out: Option<HeldOut>,
}

/// Which fold a network belongs to, and its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoldOf {
    /// Its number, from 1.
    pub fold: usize,
    /// The repetition of the split into folds that it belongs to, from 1.
    pub repeat: usize,
    /// Rows that the network learned from.
    pub train_rows: usize,
    /// Rows of the fold.
    pub val_rows: usize,
}

/// One fold: a network that learned from the rows of the other folds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fold {
    /// Its number, from 1.
    pub fold: usize,
    /// The repetition of the split into folds that it belongs to, from 1.
    pub repeat: usize,
    /// Rows that it learned from.
    pub train_rows: usize,
    /// Rows of the fold.
    pub val_rows: usize,
    /// Why training stopped.
    pub stopped: &'static str,
    /// Epochs that were started.
    pub epochs: usize,
    /// Optimizer steps.
    pub steps: u64,
    /// The best epoch by the fold's own rows, which serve as its validation part.
    pub best_epoch: usize,
    /// The epoch that the figures belong to: the median of the other folds' best epochs, or the last epoch of this fold.
    pub judged_epoch: usize,
    /// Figures on the fold after that epoch. The fold's own rows have not chosen it, so the figures are not optimistic.
    pub val: MetricSet,
    /// Seconds of training.
    pub seconds: f64,
    /// Hash of the weights of the best epoch.
    pub weights_sha256: String,
    /// Figures on the fold after each recorded epoch, in ascending order of epochs.
    #[serde(skip)]
    pub curve: Vec<(usize, MetricSet)>,
}

impl Fold {
    /// As a line of `events.jsonl`.
    pub fn event(&self) -> Value {
        event_of("fold", self)
    }
}

impl CrossValidation {
    /// Combines the folds. Each is judged after the median of the best epochs of the other folds of its repetition. Its own
    /// best epoch would make it look better than it is on new rows.
    pub fn new(mut folds: Vec<Fold>) -> CrossValidation {
        let judged: Vec<Option<usize>> = (0..folds.len())
            .map(|own| {
                // Folds of another repetition share rows with this one.
                let beside = |(at, fold): &(usize, &Fold)| *at != own && fold.repeat == folds[own].repeat;
                median_epoch(folds.iter().enumerate().filter(beside).map(|(_, fold)| fold))
            })
            .collect();
        for (fold, epoch) in folds.iter_mut().zip(judged) {
            let until = epoch.map_or(0, |epoch| fold.curve.partition_point(|(e, _)| *e <= epoch));
            if let Some((epoch, figures)) = fold.curve[..until].last() {
                (fold.judged_epoch, fold.val) = (*epoch, figures.clone());
            }
        }
        let over_folds = |of: fn(&[f64]) -> f64| {
            let names = folds.first().into_iter().flat_map(|fold| fold.val.iter().map(|(name, _)| name));
            names.map(|name| (name, values(&folds, name).map_or(f64::NAN, |v| of(&v)))).collect()
        };
        let std: MetricSet = over_folds(sample_deviation);
        let factor = interval_factor(&folds);
        let interval = std.iter().map(|(name, std)| (name, std.map_or(f64::NAN, |std| factor * std))).collect();
        CrossValidation { mean: over_folds(mean), std, interval, folds, held_out: None }
    }

    /// The median of the folds' best epochs, the later of two: the number of epochs for a network on all rows. `None` if no
    /// fold completed an epoch.
    pub fn usual_epoch(&self) -> Option<usize> {
        median_epoch(self.folds.iter())
    }
}

/// `t √(1/K + n_test / n_train)`.
fn interval_factor(folds: &[Fold]) -> f64 {
    if folds.len() < 2 {
        return f64::NAN;
    }
    let count = folds.len() as f64;
    let rows = |of: fn(&Fold) -> usize| folds.iter().map(of).sum::<usize>() as f64;
    let ratio = rows(|fold| fold.val_rows) / rows(|fold| fold.train_rows);
    student::quantile(0.975, count - 1.0) * (1.0 / count + ratio).sqrt()
}

fn median_epoch<'a>(folds: impl Iterator<Item = &'a Fold>) -> Option<usize> {
    let mut epochs: Vec<usize> = folds.map(|fold| fold.best_epoch).filter(|epoch| *epoch > 0).collect();
    epochs.sort_unstable();
    epochs.get(epochs.len() / 2).copied()
}

/// A figure of each fold; `None` if any fold lacks it.
fn values(folds: &[Fold], name: MetricName) -> Option<Vec<f64>> {
    folds.iter().map(|fold| fold.val.get(name)).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn sample_deviation(values: &[f64]) -> f64 {
    let center = mean(values);
    (values.iter().map(|v| (v - center) * (v - center)).sum::<f64>() / (values.len() as f64 - 1.0)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fold(best_epoch: usize, loss: f64, auroc: f64) -> Fold {
        Fold {
            fold: 1,
            repeat: 1,
            train_rows: 8,
            val_rows: 2,
            stopped: "epochs",
            epochs: 9,
            steps: 9,
            best_epoch,
            judged_epoch: best_epoch,
            val: [(MetricName::Loss, loss), (MetricName::Auroc, auroc)].into_iter().collect(),
            seconds: 0.0,
            weights_sha256: String::new(),
            curve: Vec::new(),
        }
    }

    #[test]
    fn a_fold_is_judged_after_the_epoch_that_the_others_choose() {
        let with_curve = |best_epoch: usize, epochs: usize| {
            let mut fold = fold(best_epoch, -1.0, 0.5);
            (1..=epochs).for_each(|e| fold.curve.push((e, [(MetricName::Loss, e as f64)].into_iter().collect())));
            fold
        };
        let cv = CrossValidation::new(vec![with_curve(2, 9), with_curve(4, 5), with_curve(8, 9), with_curve(6, 3)]);
        let judged: Vec<usize> = cv.folds.iter().map(|fold| fold.judged_epoch).collect();
        assert_eq!(judged, [6, 5, 4, 3], "the medians of the others are 6, 6, 4, 4; two folds ended before");
        assert_eq!(cv.mean.get(MetricName::Loss), Some(4.5));
        assert_eq!(cv.usual_epoch(), Some(6));
    }

    #[test]
    fn figures_are_means_over_the_folds() {
        let folds = vec![fold(3, 1.0, 0.5), fold(9, 2.0, f64::NAN), fold(0, 6.0, 1.0), fold(5, 3.0, 1.0)];
        let cv = CrossValidation::new(folds);
        assert_eq!(cv.mean.get(MetricName::Loss), Some(3.0));
        // Deviations −2, −1, 3, 0: squares 4 + 1 + 9 + 0 = 14, divided by 3.
        assert_eq!(cv.std.get(MetricName::Loss), Some((14.0f64 / 3.0).sqrt()));
        // Student's t of three degrees of freedom is 3.1824463; there are 8 rows to learn from and 2 to judge on.
        let half = 3.182_446_305_284_26 * (14.0f64 / 3.0).sqrt() * (0.25f64 + 0.25).sqrt();
        assert!((cv.interval.get(MetricName::Loss).unwrap() - half).abs() < 1e-9);
        assert_eq!(cv.mean.get(MetricName::Auroc), None, "it is undefined in a fold");
        assert!(cv.mean.contains(MetricName::Auroc));
        assert_eq!(cv.usual_epoch(), Some(5), "the median of 3, 5 and 9; a fold without an epoch does not count");
        assert_eq!(CrossValidation::new(vec![fold(0, 1.0, 1.0), fold(0, 1.0, 1.0)]).usual_epoch(), None);
    }
}

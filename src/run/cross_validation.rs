//! What a cross-validation came to.

use serde::Serialize;
use serde_json::{Value, json};

use crate::metrics::{MetricName, MetricSet};

/// The figures of all folds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CrossValidation {
    /// Each fold.
    pub folds: Vec<Fold>,
    /// Mean of each figure over the folds; undefined where it is undefined in a fold.
    pub mean: MetricSet,
    /// Standard deviation of each figure over the folds, of a sample: divided by their number less one.
    pub std: MetricSet,
}

/// One fold: a network that learnt from the rows of the others.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fold {
    /// Its number, from 1.
    pub fold: usize,
    /// Rows that were learnt from.
    pub train_rows: usize,
    /// Rows of the fold.
    pub val_rows: usize,
    /// Why training stopped.
    pub stopped: &'static str,
    /// Epochs begun.
    pub epochs: usize,
    /// Optimizer steps.
    pub steps: u64,
    /// The epoch whose weights the figures are of: the best by the fold's own rows, as a validation part decides it.
    pub best_epoch: usize,
    /// Figures on the fold.
    pub val: MetricSet,
    /// Seconds of training.
    pub seconds: f64,
    /// Hash of the kept weights.
    pub weights_sha256: String,
}

impl Fold {
    /// As one object of `events.jsonl`.
    pub fn event(&self) -> Value {
        let mut event = json!(self);
        if let Some(event) = event.as_object_mut() {
            event.shift_insert(0, "event".to_owned(), "fold".into());
        }
        event
    }
}

impl CrossValidation {
    /// Gathers the folds.
    pub fn new(folds: Vec<Fold>) -> CrossValidation {
        let over_folds = |of: fn(&[f64]) -> f64| {
            let names = folds.first().into_iter().flat_map(|fold| fold.val.iter().map(|(name, _)| name));
            names.map(|name| (name, values(&folds, name).map_or(f64::NAN, |v| of(&v)))).collect()
        };
        CrossValidation { mean: over_folds(mean), std: over_folds(sample_deviation), folds }
    }

    /// The median of the folds' best epochs, the later of two: how long a network for all rows is trained. None where no fold
    /// came to the end of an epoch.
    pub fn usual_epoch(&self) -> Option<usize> {
        let mut epochs: Vec<usize> = self.folds.iter().map(|fold| fold.best_epoch).filter(|epoch| *epoch > 0).collect();
        epochs.sort_unstable();
        epochs.get(epochs.len() / 2).copied()
    }
}

/// A figure of each fold; none where one of them has it not.
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
            train_rows: 8,
            val_rows: 2,
            stopped: "epochs",
            epochs: 9,
            steps: 9,
            best_epoch,
            val: [(MetricName::Loss, loss), (MetricName::Auroc, auroc)].into_iter().collect(),
            seconds: 0.0,
            weights_sha256: String::new(),
        }
    }

    #[test]
    fn figures_are_means_over_the_folds() {
        let folds = vec![fold(3, 1.0, 0.5), fold(9, 2.0, f64::NAN), fold(0, 6.0, 1.0), fold(5, 3.0, 1.0)];
        let cv = CrossValidation::new(folds);
        assert_eq!(cv.mean.get(MetricName::Loss), Some(3.0));
        // Deviations −2, −1, 3, 0: squares 4 + 1 + 9 + 0 = 14, divided by 3.
        assert_eq!(cv.std.get(MetricName::Loss), Some((14.0f64 / 3.0).sqrt()));
        assert_eq!(cv.mean.get(MetricName::Auroc), None, "it is undefined in a fold");
        assert!(cv.mean.contains(MetricName::Auroc));
        assert_eq!(cv.usual_epoch(), Some(5), "the median of 3, 5 and 9; a fold without an epoch does not count");
        assert_eq!(CrossValidation::new(vec![fold(0, 1.0, 1.0), fold(0, 1.0, 1.0)]).usual_epoch(), None);
    }
}

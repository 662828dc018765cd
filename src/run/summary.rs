//! What a run came to.

use serde::Serialize;
use serde_json::{Value, json};

use super::cross_validation::{CrossValidation, Fold};
use crate::metrics::MetricSet;

/// The figures of `summary.json`.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// Why training stopped.
    pub stopped: &'static str,
    /// Epochs begun.
    pub epochs: usize,
    /// Optimizer steps.
    pub steps: u64,
    /// The epoch whose weights are kept.
    pub best_epoch: usize,
    /// Parameters of the network.
    pub parameters: usize,
    /// Figures of the kept weights on the training part.
    pub train: MetricSet,
    /// On the validation part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub val: Option<MetricSet>,
    /// On the test part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<MetricSet>,
    /// Class names, in the order of the confusion matrix.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<String>,
    /// How classes of the test part, else of the validation part, were taken for each other: rows true, columns predicted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confusion: Option<Vec<Vec<f64>>>,
    /// Seconds of training, validation included.
    pub seconds: f64,
    /// Rows trained on a second.
    pub samples_per_s: f64,
    /// Threads used.
    pub threads: usize,
    /// Threads that were allowed.
    pub threads_asked: usize,
    /// Kernels.
    pub isa: &'static str,
    /// Seed.
    pub seed: u64,
    /// The cross-validation that came before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cv: Option<CrossValidation>,
    /// Hash of the kept weights.
    pub weights_sha256: String,
}

impl Summary {
    /// What of it is kept of a fold, for the run of fold `fold`, counted from 1.
    pub fn of_fold(self, fold: usize, (train_rows, val_rows): (usize, usize)) -> Fold {
        Fold {
            fold,
            train_rows,
            val_rows,
            stopped: self.stopped,
            epochs: self.epochs,
            steps: self.steps,
            best_epoch: self.best_epoch,
            val: self.val.unwrap_or_default(),
            seconds: self.seconds,
            weights_sha256: self.weights_sha256,
        }
    }

    /// The last event of the run: the same figures.
    pub fn end_event(&self) -> Value {
        let mut end = json!(self);
        if let Some(end) = end.as_object_mut() {
            end.shift_insert(0, "event".to_owned(), "end".into());
        }
        end
    }
}

//! The result of a run.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::autopsy::Autopsy;
use super::baseline::Baseline;
use super::configuration::Configuration;
use super::cross_validation::{CrossValidation, Fold, FoldOf};
use super::member::EnsembleMember;
use crate::Warning;
use crate::data::Task;
use crate::fit::event_of;
use crate::metrics::MetricSet;
use crate::model::Decision;
use crate::score::Judged;

/// The figures of `summary.json`.
#[derive(Debug, Clone, Serialize)]
pub struct RunSummary {
    /// The run's directory, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_dir: Option<String>,
    /// The label column; a list if there are several.
    #[serde(serialize_with = "one_or_several")]
    pub label: Vec<String>,
    /// What is predicted.
    pub task: Task,
    /// Why training stopped.
    pub stopped: &'static str,
    /// Epochs that were started.
    pub epochs: usize,
    /// Optimizer steps.
    pub steps: u64,
    /// The epoch whose weights are kept.
    pub best_epoch: usize,
    /// Parameters of the network.
    pub parameters: usize,
    /// Figures of the kept weights on the training part; not for one of several networks that has a validation part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train: Option<MetricSet>,
    /// On the validation part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub val: Option<MetricSet>,
    /// On the test part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<MetricSet>,
    /// What the validation rows chose, so that their figures are optimistic.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub val_chose: Vec<&'static str>,
    /// Temperature, threshold and residuals.
    #[serde(skip_serializing_if = "Decision::is_plain", serialize_with = "decision_json")]
    pub decision: Decision,
    /// The full figures of the kept weights on one part: test rows, else validation rows, else training rows.
    #[serde(flatten)]
    pub judged: JudgedPart,
    /// The baselines on that part; only for runs with a directory.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "baseline_json")]
    pub baseline: Option<Baseline>,
    /// Warnings: first those about the data, then those found after training.
    pub warnings: Vec<Warning>,
    /// Seconds of training, validation included.
    pub seconds: f64,
    /// Rows trained on in a second.
    pub samples_per_s: f64,
    /// Threads used.
    pub threads: usize,
    /// Threads that were allowed.
    pub threads_asked: usize,
    /// Instruction set of the kernels.
    pub isa: &'static str,
    /// Seed.
    pub seed: u64,
    /// The cross-validation that came before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cv: Option<CrossValidation>,
    /// The networks of an ensemble. `epochs` is then the largest of theirs, `steps` the sum, `best_epoch` that of the first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<EnsembleMember>,
    /// The configurations of a portfolio, in the order in which they were trained, then those that were left out. The figures of the
    /// validation part are then those of out-of-fold predictions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub configurations: Vec<Configuration>,
    /// Why it diverged, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub divergence: Option<Autopsy>,
    /// Hash of the kept weights.
    pub weights_sha256: String,
}

/// The figures of a model on a part of the data, with the part's name: `test`, `val`, `train`, or `out_of_fold` for the
/// predictions of networks for training rows that they did not learn from.
#[derive(Debug, Clone)]
pub struct JudgedPart {
    /// The part.
    pub part: &'static str,
    /// The figures.
    pub judged: Judged,
}

impl JudgedPart {
    /// The name of the rows in a sentence.
    pub fn in_words(&self) -> &'static str {
        match self.part {
            "test" => "the test part",
            "val" => "the validation part",
            "out_of_fold" => "the training part, out of fold",
            _ => "the training part",
        }
    }
}

impl Serialize for JudgedPart {
    /// `judged_part`, the number of rows of unknown classes, the names and counts of the confusion matrix, the figures of each class, label or target.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("judged_part", self.part)?;
        if self.judged.unknown_rows > 0 {
            map.serialize_entry("unknown_class_rows", &self.judged.unknown_rows)?;
        }
        if let Some(matrix) = &self.judged.confusion {
            map.serialize_entry("classes", &self.judged.names)?;
            map.serialize_entry(if matrix.is_dense() { "confusion" } else { "confusion_pairs" }, matrix)?;
        }
        map.serialize_entry(self.judged.each_key(), &self.judged.each_json())?;
        map.end()
    }
}

fn one_or_several<S: Serializer>(names: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    match names {
        [one] => serializer.serialize_str(one),
        several => serializer.collect_seq(several),
    }
}

/// Without the single residuals.
fn decision_json<S: Serializer>(decision: &Decision, serializer: S) -> Result<S::Ok, S::Error> {
    decision.to_json().serialize(serializer)
}

fn baseline_json<S: Serializer>(baseline: &Option<Baseline>, serializer: S) -> Result<S::Ok, S::Error> {
    baseline.as_ref().map(Baseline::to_json).serialize(serializer)
}

impl RunSummary {
    /// The record of a fold, with its figures after each epoch.
    pub fn of_fold(
        self,
        FoldOf { fold, repeat, train_rows, val_rows }: FoldOf,
        curve: Vec<(usize, MetricSet)>,
    ) -> Fold {
        Fold {
            fold,
            repeat,
            train_rows,
            val_rows,
            stopped: self.stopped,
            epochs: self.epochs,
            steps: self.steps,
            best_epoch: self.best_epoch,
            judged_epoch: self.best_epoch,
            val: self.val.unwrap_or_default(),
            seconds: self.seconds,
            weights_sha256: self.weights_sha256,
            curve,
        }
    }

    /// The last event of the run, with the same figures.
    pub fn end_event(&self) -> Value {
        event_of("end", self)
    }
}

//! The figures of a model on rows with known truth, with the user's names.

use serde_json::{Map, Value, json};

use crate::data::{Strangers, Target, Task};
use crate::metrics::{ConfusionMatrix, Each, MetricName, MetricSet, Report};

/// The figures of a model on rows with known truth.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// What was predicted.
    pub task: Task,
    /// The figures of all rows together, weighted by the rows' weights.
    pub figures: MetricSet,
    /// Confusion matrix, unknown classes last; `None` for regressions and several labels.
    pub confusion: Option<ConfusionMatrix>,
    /// Names of the classes (those unknown to the model last), labels or targets.
    pub names: Vec<String>,
    /// The figures of each class, label or target.
    pub each: Vec<Each>,
    /// The number of rows, including those of unknown classes.
    pub rows: usize,
    /// The number of rows of classes that training did not have.
    pub unknown_rows: usize,
    /// How far probabilities are from observed shares: [`crate::metrics::calibration::calibration_error`].
    pub calibration_error: Option<f64>,
}

impl Judged {
    /// Adds names to a report.
    pub fn new(target: &Target, (report, rows): (Report, usize), loss: f64, strangers: Option<&Strangers>) -> Judged {
        let known = if target.classes.is_empty() { &target.columns } else { &target.classes };
        let unknown = strangers.iter().flat_map(|strangers| &strangers.classes);
        let unknown_rows = strangers.map_or(0, |strangers| strangers.labels.len());
        let mut figures = report.figures;
        figures.set(MetricName::Loss, loss);
        Judged {
            task: target.task,
            figures,
            confusion: report.confusion,
            names: known.iter().chain(unknown).cloned().collect(),
            each: report.each,
            rows: rows + unknown_rows,
            unknown_rows,
            calibration_error: None,
        }
    }

    /// All figures except the loss, which depends on the model's own objective.
    pub fn figures_without_loss(&self) -> MetricSet {
        let others = self.figures.iter().filter(|(name, _)| *name != MetricName::Loss);
        others.map(|(name, value)| (name, value.unwrap_or(f64::NAN))).collect()
    }

    /// The key of [`Judged::each_json`]: `per_class`, `per_label` or `per_target`.
    pub fn each_key(&self) -> &'static str {
        match self.task {
            Task::Binary | Task::Multiclass => "per_class",
            Task::Multilabel => "per_label",
            Task::Regression => "per_target",
        }
    }

    /// The figures of each class, label or target by its name.
    pub fn each_json(&self) -> Value {
        let each = self.names.iter().zip(&self.each).map(|(name, each)| {
            let mut figures = Map::new();
            let counts = [("support", each.support), ("predicted", each.predicted)];
            for (key, count) in counts.into_iter().filter_map(|(key, count)| Some((key, count?))) {
                figures.insert(key.to_owned(), count.into());
            }
            figures.extend(each.figures.iter().map(|(name, value)| (name.to_string(), json!(value))));
            (name.clone(), Value::Object(figures))
        });
        Value::Object(each.collect())
    }

    /// The confusion matrix with the names of its classes: `counts` with a row for each true class and a column for each
    /// predicted one, or for more than 1,024 classes the `pairs` of true class, predicted class and count that occur.
    pub fn confusion_json(&self) -> Option<Value> {
        let matrix = self.confusion.as_ref()?;
        let key = if matrix.is_dense() { "counts" } else { "pairs" };
        Some(json!({"classes": self.names, key: matrix}))
    }
}

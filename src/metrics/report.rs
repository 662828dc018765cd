//! All figures for a kind of prediction, computed from a network's outputs.

mod classes;
pub(super) mod pieces;

pub(super) use classes::figure_of_matrix;

use super::regression::Outputs;
use super::scores::{RowScale, Scores, TwoWays};
use super::{ConfusionMatrix, MetricName, MetricSet, mean};
use crate::data::Task;

/// Predictions and truth, row-major.
#[derive(Debug, Clone, Copy)]
pub enum Predictions<'a> {
    /// Two classes.
    Binary {
        /// One output for each row, `[rows]`.
        scores: Scores<'a>,
        /// True classes, 0 or 1, `[rows]`.
        truth: &'a [u32],
    },
    /// Several classes.
    Multiclass {
        /// The number of classes.
        classes: usize,
        /// One output for each class, `[rows, classes]`.
        scores: Scores<'a>,
        /// True classes, `[rows]`.
        truth: &'a [u32],
    },
    /// Several labels at once.
    Multilabel {
        /// The number of labels.
        labels: usize,
        /// One output for each label, `[rows, labels]`.
        scores: Scores<'a>,
        /// 1 if the label is present, else 0, `[rows, labels]`.
        truth: &'a [f32],
    },
    /// Numbers, in the targets' own units.
    Regression {
        /// The number of outputs.
        outputs: usize,
        /// Predicted numbers, `[rows, outputs]`.
        values: &'a [f64],
        /// True numbers, `[rows, outputs]`.
        truth: &'a [f64],
    },
}

/// Which figures to compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Those that take one pass over the rows.
    Running,
    /// All, including those that sort the rows, `auroc` and `auprc`.
    Full,
}

/// Rows of classes that the model does not know, so that every prediction for them is wrong.
#[derive(Debug, Clone, Copy)]
pub struct UnknownRows<'a> {
    /// The network's outputs for them, row-major.
    pub outputs: &'a [f32],
    /// The unknown class of each row, from 0.
    pub truth: &'a [u32],
    /// The number of unknown classes.
    pub classes: usize,
    /// The weight of each row; 1 if `None`.
    pub weights: Option<&'a [f32]>,
}

/// The figures of one class, label or target.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Each {
    /// Weight of the rows of the class, or with the label; `None` for targets.
    pub support: Option<f64>,
    /// Weight of the rows that were predicted as the class.
    pub predicted: Option<f64>,
    /// Its figures.
    pub figures: MetricSet,
}

/// All figures of an evaluation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Report {
    /// The figures of all rows together, without `loss`, which only training knows.
    pub figures: MetricSet,
    /// Confusion matrix, unknown classes last; `None` for labels and numbers.
    pub confusion: Option<ConfusionMatrix>,
    /// The figures of each class (unknown ones last), label or target; empty in brief reports.
    pub each: Vec<Each>,
}

impl<'a> Predictions<'a> {
    /// The task of these predictions.
    pub fn task(&self) -> Task {
        match self {
            Predictions::Binary { .. } => Task::Binary,
            Predictions::Multiclass { .. } => Task::Multiclass,
            Predictions::Multilabel { .. } => Task::Multilabel,
            Predictions::Regression { .. } => Task::Regression,
        }
    }

    /// The number of rows.
    ///
    /// # Panics
    /// If the lengths of predictions and truth disagree.
    pub fn rows(&self) -> usize {
        let (predictions, truth, width) = match *self {
            Predictions::Binary { scores, truth } => (scores.outputs.len(), truth.len(), 1),
            Predictions::Multiclass { classes, scores, truth } => {
                (scores.outputs.len(), truth.len() * classes, classes)
            }
            Predictions::Multilabel { labels, scores, truth } => (scores.outputs.len(), truth.len(), labels),
            Predictions::Regression { outputs, values, truth } => (values.len(), truth.len(), outputs),
        };
        assert_eq!(predictions, truth, "predictions and truth are of the same rows");
        predictions.checked_div(width).unwrap_or(0)
    }
}

/// The figures of [`report`] only, if all classes are known.
///
/// # Panics
/// As [`report`].
pub fn evaluate(predictions: &Predictions<'_>, weights: Option<&[f32]>, detail: Detail) -> MetricSet {
    report(predictions, weights, None, detail).figures
}

/// All figures of [`Task`] except `loss`, which only training knows. `weights`, one for each row, are 1 if missing.
///
/// The predicted class is the most probable one, the first of equally probable ones; for two classes, or for a label, it is
/// class 1 above 0.5. Precision, recall and F1 of a class that is never predicted, or never true, are 0 as in scikit-learn; of one
/// that is neither they are undefined. Averages over several classes cover those that are true or predicted in some row. For
/// several labels each figure is the mean over the labels for which it is defined; `*_weighted` is weighted by their frequency. For several outputs each figure is the mean over the outputs.
/// `auroc` needs both kinds of rows for each class, `auprc` a positive row, and `mape` targets that are not 0; otherwise they
/// are undefined.
///
/// `log_loss` is computed from logits if the outputs are logits, so a wrong row costs its full logit.
///
/// Rows of unknown classes count as errors in all figures that count classes; `log_loss`, `brier` and the areas cover only the
/// other rows.
///
/// # Panics
/// If the lengths disagree, or a class is out of range.
pub fn report(
    predictions: &Predictions<'_>,
    weights: Option<&[f32]>,
    strangers: Option<&UnknownRows<'_>>,
    detail: Detail,
) -> Report {
    let rows = predictions.rows();
    assert!(weights.is_none_or(|w| w.len() == rows), "one weight for each of {rows} rows");
    match *predictions {
        Predictions::Binary { scores, truth } => classes::two_classes(scores, truth, weights, strangers, detail),
        Predictions::Multiclass { classes, scores, truth } => {
            classes::several_classes(classes, scores, truth, weights, strangers, detail)
        }
        Predictions::Multilabel { labels, scores, truth } => {
            classes::several_labels(labels, scores, truth, weights, detail)
        }
        Predictions::Regression { outputs, values, truth } => {
            let weights: Option<Vec<f64>> = weights.map(|w| w.iter().map(|w| f64::from(*w)).collect());
            numbers(Outputs { outputs, truth, predicted: values, weights: weights.as_deref() })
        }
    }
}

/// The figures of a regression. Relative errors are undefined if a target is 0.
fn numbers(outputs: Outputs<'_>) -> Report {
    let zero = |output: usize| outputs.has_zero_target(output);
    let mape = outputs.mape().into_iter().enumerate().map(|(i, v)| if zero(i) { f64::NAN } else { v }).collect();
    let figures = [
        (MetricName::Rmse, outputs.rmse()),
        (MetricName::Mae, outputs.mae()),
        (MetricName::R2, outputs.r2()),
        (MetricName::Mape, mape),
    ];
    let each = |output: usize| Each {
        figures: figures.iter().map(|(name, values): &(MetricName, Vec<f64>)| (*name, values[output])).collect(),
        ..Each::default()
    };
    Report {
        figures: figures.iter().map(|(name, values)| (*name, mean(values))).collect(),
        confusion: None,
        each: (0..outputs.outputs).map(each).collect(),
    }
}

#[cfg(test)]
mod tests;

//! All figures that suit a kind of prediction, from what a network puts out.

mod classes;
pub(super) mod pieces;

pub(super) use classes::figure_of_matrix;

use super::regression::Outputs;
use super::scores::{RowScale, Scores, TwoWays};
use super::{ConfusionMatrix, MetricName, MetricSet, mean};
use crate::data::Task;

/// Predictions beside what was true, row-major.
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
        /// 1 where the label is there, else 0, `[rows, labels]`.
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

/// How many figures to compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Those that take one pass over the rows.
    Running,
    /// All: also those that sort the rows, `auroc` and `auprc`.
    Full,
}

/// Rows of classes that the model does not know: wrong, whatever is said of them.
#[derive(Debug, Clone, Copy)]
pub struct UnknownRows<'a> {
    /// The network's outputs for them, row-major.
    pub outputs: &'a [f32],
    /// Which of the unknown classes each row is of, from 0.
    pub truth: &'a [u32],
    /// How many unknown classes there are.
    pub classes: usize,
    /// The weight of each row; 1 where missing.
    pub weights: Option<&'a [f32]>,
}

/// The figures of one class, label or target.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Each {
    /// Weight of the rows of the class, or with the label; none for targets.
    pub support: Option<f64>,
    /// Weight of the rows that were said to be.
    pub predicted: Option<f64>,
    /// Its figures.
    pub figures: MetricSet,
}

/// Everything that one evaluation says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Report {
    /// The figures of all rows together, without `loss`, which only training knows.
    pub figures: MetricSet,
    /// How classes were taken for each other, unknown ones last; none for labels and numbers.
    pub confusion: Option<ConfusionMatrix>,
    /// The figures of each class (unknown ones last), label or target; empty in brief reports.
    pub each: Vec<Each>,
}

impl<'a> Predictions<'a> {
    /// What kind of thing is predicted.
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

/// The figures of [`report`] alone, where all classes are known.
///
/// # Panics
/// As [`report`].
pub fn evaluate(predictions: &Predictions<'_>, weights: Option<&[f32]>, detail: Detail) -> MetricSet {
    report(predictions, weights, None, detail).figures
}

/// All figures of [`Task`] except `loss`, which only training knows; `weights`, one for each row, are 1 where missing.
///
/// The class said to be is the most probable one, of equally probable ones the first; so of two classes, or of a label,
/// class 1 from above 0.5 on. Precision, recall and F1 of a class that is never predicted, or never true, are 0 as in
/// scikit-learn; averages over several classes cover those that are true or predicted somewhere. Of several labels each
/// figure is the mean over the labels, `*_weighted` weighted by how often they occur. Of several outputs each figure is
/// the mean over the outputs. `auroc` needs both kinds of rows for each class, `auprc` a positive one, `mape` targets that
/// are not 0: undefined else.
///
/// `log_loss` is computed from logits where the outputs are such, so a wrong row costs what its logit says.
///
/// Rows of unknown classes count as errors wherever classes are counted; `log_loss`, `brier` and the areas are over the
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

/// The figures of a regression. A relative error has no meaning beside a target of 0.
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

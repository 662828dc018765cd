//! All figures that suit a kind of prediction, from what a network puts out.

use super::fscore::{Average, Score, ZeroDivision};
use super::probabilistic::{squared_distance, surprise};
use super::ranking::{ClassScores, Sweep};
use super::regression::Outputs;
use super::{ConfusionMatrix, MetricName, MetricSet, mean, weight_of, weighted_mean};
use crate::data::Task;

/// Predictions beside what was true, row-major.
#[derive(Debug, Clone, Copy)]
pub enum Predictions<'a> {
    /// Two classes.
    Binary {
        /// Probability of class 1, `[rows]`.
        probabilities: &'a [f32],
        /// True classes, 0 or 1, `[rows]`.
        truth: &'a [u32],
    },
    /// Several classes.
    Multiclass {
        /// The number of classes.
        classes: usize,
        /// Probabilities, `[rows, classes]`.
        probabilities: &'a [f32],
        /// True classes, `[rows]`.
        truth: &'a [u32],
    },
    /// Several labels at once.
    Multilabel {
        /// The number of labels.
        labels: usize,
        /// Probability of each label, `[rows, labels]`.
        probabilities: &'a [f32],
        /// 1 where the label is there, else 0, `[rows, labels]`.
        truth: &'a [f32],
    },
    /// Numbers, in the targets' own units.
    Regression {
        /// The number of outputs.
        outputs: usize,
        /// Predicted numbers, `[rows, outputs]`.
        values: &'a [f32],
        /// True numbers, `[rows, outputs]`.
        truth: &'a [f32],
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

impl Predictions<'_> {
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
            Predictions::Binary { probabilities, truth } => (probabilities.len(), truth.len(), 1),
            Predictions::Multiclass { classes, probabilities, truth } => {
                (probabilities.len(), truth.len() * classes, classes)
            }
            Predictions::Multilabel { labels, probabilities, truth } => (probabilities.len(), truth.len(), labels),
            Predictions::Regression { outputs, values, truth } => (values.len(), truth.len(), outputs),
        };
        assert_eq!(predictions, truth, "predictions and truth are of the same rows");
        predictions.checked_div(width).unwrap_or(0)
    }
}

/// All figures of [`Task`] except `loss`, which only training knows; `weights`, one for each row, are 1 where missing.
///
/// The class said to be is the most probable one, of equally probable ones the first; so of two classes, or of a label,
/// class 1 from above 0.5 on. Precision, recall and F1 of a class that is never predicted, or never true, are 0 as in
/// scikit-learn; averages over several classes cover those that are true or predicted somewhere. Of several labels each
/// figure is the mean over the labels, `*_weighted` weighted by how often they occur. Of several outputs each figure is
/// the mean over the outputs. `auroc` needs both kinds of rows for each class, `auprc` a positive one: undefined else.
///
/// # Panics
/// If the lengths disagree, or a class is out of range.
pub fn evaluate(predictions: &Predictions<'_>, weights: Option<&[f32]>, detail: Detail) -> MetricSet {
    let rows = predictions.rows();
    let weights: Option<Vec<f64>> = weights.map(wide);
    let weights = weights.as_deref();
    assert!(weights.is_none_or(|w| w.len() == rows), "one weight for each of {rows} rows");
    match *predictions {
        Predictions::Binary { probabilities, truth } => {
            let rows = probabilities.iter().zip(truth).enumerate();
            let rows = rows.map(|(row, (&p, &t))| (p, t as usize, weight_of(weights, row)));
            let two = TwoClasses::new(rows, detail);
            two.figures().chain(averages(&two.matrix.of_present_classes())).collect()
        }
        Predictions::Multiclass { classes, probabilities, truth } => {
            several_classes(classes, probabilities, truth, weights, detail)
        }
        Predictions::Multilabel { labels, probabilities, truth } => {
            several_labels(labels, probabilities, truth, weights, detail)
        }
        Predictions::Regression { outputs, values, truth } => {
            let (values, truth) = (wide(values), wide(truth));
            let outputs = Outputs { outputs, truth: &truth, predicted: &values, weights };
            let figures = [
                (MetricName::Rmse, outputs.rmse()),
                (MetricName::Mae, outputs.mae()),
                (MetricName::R2, outputs.r2()),
                (MetricName::Mape, outputs.mape()),
            ];
            figures.into_iter().map(|(name, each)| (name, mean(&each))).collect()
        }
    }
}

/// The confusion matrix of one of two or several classes; `None` for labels and numbers.
///
/// # Panics
/// As [`evaluate`].
pub fn confusion_matrix(predictions: &Predictions<'_>, weights: Option<&[f32]>) -> Option<ConfusionMatrix> {
    predictions.rows();
    let weight = |row: usize| weights.map_or(1.0, |w| f64::from(w[row]));
    match *predictions {
        Predictions::Binary { probabilities, truth } => {
            let mut matrix = ConfusionMatrix::new(2);
            for (row, (&p, &t)) in probabilities.iter().zip(truth).enumerate() {
                matrix.add(t as usize, decide(p), weight(row));
            }
            Some(matrix)
        }
        Predictions::Multiclass { classes, probabilities, truth } => {
            let mut matrix = ConfusionMatrix::new(classes);
            for (row, (p, &t)) in probabilities.chunks_exact(classes).zip(truth).enumerate() {
                matrix.add(t as usize, most_probable(p), weight(row));
            }
            Some(matrix)
        }
        Predictions::Multilabel { .. } | Predictions::Regression { .. } => None,
    }
}

/// The most probable class, of equally probable ones the first.
pub fn most_probable(probabilities: &[f32]) -> usize {
    (1..probabilities.len()).fold(0, |best, c| if probabilities[c] > probabilities[best] { c } else { best })
}

/// The class of a row by its probability of class 1.
fn decide(p: f32) -> usize {
    usize::from(p > 0.5)
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&v| f64::from(v)).collect()
}

/// The names of a score: plain, macro and weighted.
const SCORES: [(Score, [MetricName; 3]); 3] = [
    (Score::F(1.0), [MetricName::F1, MetricName::F1Macro, MetricName::F1Weighted]),
    (Score::Precision, [MetricName::Precision, MetricName::PrecisionMacro, MetricName::PrecisionWeighted]),
    (Score::Recall, [MetricName::Recall, MetricName::RecallMacro, MetricName::RecallWeighted]),
];

/// Macro and weighted averages over the classes of `present`; NaN where there are none.
fn averages(present: &ConfusionMatrix) -> impl Iterator<Item = (MetricName, f64)> {
    SCORES.into_iter().flat_map(|(score, [_, macro_name, weighted_name])| {
        let average = |average| present.score(score, average, ZeroDivision::Zero);
        [(macro_name, average(Average::Macro)), (weighted_name, average(Average::Weighted))]
    })
}

/// The areas under both curves, NaN where undefined.
fn areas(sweep: &Sweep) -> [f64; 2] {
    [sweep.roc_auc(), if sweep.positives() > 0.0 { sweep.average_precision() } else { f64::NAN }]
}

/// What one pass over the rows of two classes gives.
struct TwoClasses {
    matrix: ConfusionMatrix,
    log_loss: f64,
    brier: f64,
    areas: Option<[f64; 2]>,
}

impl TwoClasses {
    /// `rows`: probability of class 1, true class, weight.
    fn new(rows: impl Iterator<Item = (f32, usize, f64)> + Clone, detail: Detail) -> Self {
        let mut matrix = ConfusionMatrix::new(2);
        let (mut log_loss, mut brier) = (0.0, 0.0);
        for (p, truth, weight) in rows.clone() {
            matrix.add(truth, decide(p), weight);
            let p = f64::from(p);
            log_loss += weight * surprise(if truth == 1 { p } else { 1.0 - p });
            brier += weight * (p - truth as f64) * (p - truth as f64);
        }
        let total = matrix.total();
        let sweep = || Sweep::new(rows.map(|(p, truth, weight)| (f64::from(p), truth == 1, weight)));
        let areas = (detail == Detail::Full).then(|| areas(&sweep()));
        TwoClasses { matrix, log_loss: log_loss / total, brier: brier / total, areas }
    }

    /// All but the averages over the classes; NaN where there are no rows.
    fn figures(&self) -> impl Iterator<Item = (MetricName, f64)> + use<> {
        let matrix = &self.matrix;
        let defined = |value: f64| if matrix.total() > 0.0 { value } else { f64::NAN };
        let mut figures = vec![
            (MetricName::Accuracy, matrix.accuracy()),
            (MetricName::BalancedAccuracy, matrix.balanced_accuracy()),
            (MetricName::LogLoss, self.log_loss),
            (MetricName::Brier, self.brier),
            (MetricName::Mcc, defined(matrix.mcc())),
        ];
        let positive = |score| defined(matrix.score(score, Average::Class(1), ZeroDivision::Zero));
        figures.extend(SCORES.map(|(score, [plain, ..])| (plain, positive(score))));
        if let Some([auroc, auprc]) = self.areas {
            figures.extend([(MetricName::Auroc, auroc), (MetricName::Auprc, auprc)]);
        }
        figures.into_iter()
    }
}

fn several_classes(
    classes: usize,
    probabilities: &[f32],
    truth: &[u32],
    weights: Option<&[f64]>,
    detail: Detail,
) -> MetricSet {
    let mut matrix = ConfusionMatrix::new(classes);
    let (mut log_loss, mut brier) = (0.0, 0.0);
    for (row, (p, &t)) in probabilities.chunks_exact(classes).zip(truth).enumerate() {
        let (t, weight) = (t as usize, weight_of(weights, row));
        matrix.add(t, most_probable(p), weight);
        log_loss += weight * surprise(f64::from(p[t]));
        brier += weight * squared_distance(p.iter().map(|&p| f64::from(p)), t);
    }
    let total = matrix.total();
    let present = matrix.of_present_classes();
    let mut set: MetricSet = averages(&present).collect();
    for (score, [plain, ..]) in SCORES {
        set.set(plain, present.score(score, Average::Macro, ZeroDivision::Zero));
    }
    set.set(MetricName::Accuracy, matrix.accuracy());
    set.set(MetricName::BalancedAccuracy, matrix.balanced_accuracy());
    set.set(MetricName::LogLoss, log_loss / total);
    set.set(MetricName::Brier, brier / total);
    set.set(MetricName::Mcc, if total > 0.0 { matrix.mcc() } else { f64::NAN });
    if detail == Detail::Full {
        let scores = wide(probabilities);
        let sweeps = ClassScores { classes, truth, scores: &scores, weights }.one_vs_rest();
        let [auroc, auprc] = [0, 1].map(|i| mean(&sweeps.iter().map(|s| areas(s)[i]).collect::<Vec<_>>()));
        set.set(MetricName::Auroc, auroc);
        set.set(MetricName::Auprc, auprc);
    }
    set
}

fn several_labels(
    labels: usize,
    probabilities: &[f32],
    truth: &[f32],
    weights: Option<&[f64]>,
    detail: Detail,
) -> MetricSet {
    let label = |label: usize| {
        let column = move |values| <[f32]>::iter(values).skip(label).step_by(labels);
        let rows = column(probabilities).zip(column(truth)).enumerate();
        let rows = rows.map(|(row, (&p, &t))| (p, usize::from(t > 0.5), weight_of(weights, row)));
        TwoClasses::new(rows, detail)
    };
    let labels: Vec<TwoClasses> = (0..labels).map(label).collect();
    let figures: Vec<Vec<(MetricName, f64)>> = labels.iter().map(|l| l.figures().collect()).collect();
    let Some(names) = figures.first() else { return MetricSet::default() };
    let mut set = MetricSet::default();
    for (i, &(name, _)) in names.iter().enumerate() {
        let over_labels = mean(&figures.iter().map(|f| f[i].1).collect::<Vec<_>>());
        set.set(name, over_labels);
        if let Some((_, [_, macro_name, weighted_name])) = SCORES.iter().find(|(_, [plain, ..])| *plain == name) {
            let weighted = weighted_mean(figures.iter().zip(&labels).map(|(f, l)| (f[i].1, l.matrix.support(1))));
            set.set(*macro_name, over_labels);
            set.set(*weighted_name, weighted);
        }
    }
    set
}

#[cfg(test)]
mod tests;

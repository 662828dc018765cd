//! Figures of classes and labels.

use super::super::areas::Areas;
use super::super::fscore::{Score, ZeroDivision};
use super::super::{ConfusionMatrix, MetricName, MetricSet, mean, weighted_mean};
use super::pieces::{by_columns, by_pieces};
use super::{Detail, Each, Report, RowScale, Scores, TwoWays, UnknownRows};
use crate::nn::Link;

/// The names of a score: plain, macro and weighted.
const SCORES: [(Score, [MetricName; 3]); 3] = [
    (Score::F(1.0), [MetricName::F1, MetricName::F1Macro, MetricName::F1Weighted]),
    (Score::Precision, [MetricName::Precision, MetricName::PrecisionMacro, MetricName::PrecisionWeighted]),
    (Score::Recall, [MetricName::Recall, MetricName::RecallMacro, MetricName::RecallWeighted]),
];

fn weight_of(weights: Option<&[f32]>, row: usize) -> f64 {
    weights.map_or(1.0, |w| f64::from(w[row]))
}

/// Figures of two classes from one output.
pub fn two_classes(
    scores: Scores<'_>,
    truth: &[u32],
    weights: Option<&[f32]>,
    strangers: Option<&UnknownRows<'_>>,
    detail: Detail,
) -> Report {
    let row = |row: usize| (scores.outputs[row], truth[row] as usize, weight_of(weights, row));
    let two = TwoClasses::new((scores, truth.len()), row, detail);
    let matrix = with_strangers(&two.matrix, scores, 1, strangers);
    let mut figures = two.figures(&matrix);
    averages(&matrix).into_iter().for_each(|(name, value)| figures.set(name, value));
    let each = if detail == Detail::Full { class_figures(&matrix) } else { Vec::new() };
    Report { figures, confusion: Some(matrix), each }
}

/// Figures of several classes, with an output for each.
pub fn several_classes(
    classes: usize,
    scores: Scores<'_>,
    truth: &[u32],
    weights: Option<&[f32]>,
    strangers: Option<&UnknownRows<'_>>,
    detail: Detail,
) -> Report {
    let passed = ClassPass::new(classes, scores, truth, weights);
    let matrix = with_strangers(&passed.matrix, scores, classes, strangers);
    let total = passed.matrix.total();
    let mut figures: MetricSet = averages(&matrix).into_iter().collect();
    for (_, [plain, macro_name, _]) in SCORES {
        figures.set(plain, figures.get(macro_name).unwrap_or(f64::NAN));
    }
    figures.set(MetricName::Accuracy, matrix.accuracy());
    figures.set(MetricName::BalancedAccuracy, matrix.balanced_accuracy());
    figures.set(MetricName::LogLoss, passed.log_loss / total);
    figures.set(MetricName::Brier, passed.brier / total);
    figures.set(MetricName::Mcc, if matrix.total() > 0.0 { matrix.mcc() } else { f64::NAN });
    let mut each = Vec::new();
    if detail == Detail::Full {
        let areas = class_areas(classes, scores, &passed.scales, truth, weights);
        each = class_figures(&matrix);
        for (i, name) in [MetricName::Auroc, MetricName::Auprc].into_iter().enumerate() {
            figures.set(name, mean(&areas.iter().map(|a| a[i]).collect::<Vec<_>>()));
            each.iter_mut().zip(&areas).for_each(|(each, areas)| each.figures.set(name, areas[i]));
        }
    }
    Report { figures, confusion: Some(matrix), each }
}

/// Figures of several labels, with an output for each.
pub fn several_labels(
    labels: usize,
    scores: Scores<'_>,
    truth: &[f32],
    weights: Option<&[f32]>,
    detail: Detail,
) -> Report {
    let rows = truth.len() / labels.max(1);
    let label = |label: usize| {
        let at = |row: usize| row * labels + label;
        let row = |row: usize| (scores.outputs[at(row)], usize::from(truth[at(row)] > 0.5), weight_of(weights, row));
        let two = TwoClasses::new((scores, rows), row, detail);
        let figures = two.figures(&two.matrix);
        Each { support: Some(two.matrix.support(1)), predicted: Some(two.matrix.predicted(1)), figures }
    };
    let each: Vec<Each> = (0..labels).map(label).collect();
    let Some(first) = each.first() else { return Report::default() };
    let mut figures = MetricSet::default();
    for (name, _) in first.figures.iter() {
        let values: Vec<f64> = each.iter().map(|e| e.figures.get(name).unwrap_or(f64::NAN)).collect();
        let Some((_, [_, macro_name, weighted_name])) = SCORES.iter().find(|(_, [plain, ..])| *plain == name) else {
            figures.set(name, mean(&values));
            continue;
        };
        // Over the labels that are true or predicted in some row.
        let support = each.iter().map(|e| e.support.unwrap_or(0.0));
        let defined: Vec<(f64, f64)> = values.into_iter().zip(support).filter(|(value, _)| !value.is_nan()).collect();
        let plain = weighted_mean(defined.iter().map(|(value, _)| (*value, 1.0)));
        [name, *macro_name].into_iter().for_each(|name| figures.set(name, plain));
        figures.set(*weighted_name, weighted_mean(defined.into_iter()));
    }
    Report { figures, confusion: None, each }
}

/// The matrix with rows of unknown classes added, each a class that is never predicted.
fn with_strangers(
    matrix: &ConfusionMatrix,
    scores: Scores<'_>,
    width: usize,
    strangers: Option<&UnknownRows<'_>>,
) -> ConfusionMatrix {
    let Some(strangers) = strangers else { return matrix.clone() };
    let known = matrix.classes();
    let mut wider = matrix.extended(strangers.classes);
    for (row, (outputs, &truth)) in strangers.outputs.chunks_exact(width).zip(strangers.truth).enumerate() {
        wider.add(known + truth as usize, scores.class_of(outputs), weight_of(strangers.weights, row));
    }
    wider
}

/// Macro and weighted averages over the classes that are true or predicted; NaN if there are none.
fn averages(matrix: &ConfusionMatrix) -> Vec<(MetricName, f64)> {
    let present = matrix.present_classes();
    let average = |score, weighted| matrix.score_over(&present, score, weighted, ZeroDivision::Zero);
    let both = |(score, [_, macro_name, weighted_name]): (Score, [MetricName; 3])| {
        [(macro_name, average(score, false)), (weighted_name, average(score, true))]
    };
    SCORES.into_iter().flat_map(both).collect()
}

/// A figure of two classes that depends on their confusion matrix only, as in [`two_classes`]; `None` for other figures.
pub fn figure_of_matrix(matrix: &ConfusionMatrix, name: MetricName) -> Option<f64> {
    let of_class_1 = |(score, [plain, ..]): (Score, [MetricName; 3])| {
        (plain == name).then(|| matrix.per_class(score, ZeroDivision::Zero)[1])
    };
    match name {
        MetricName::Accuracy => Some(matrix.accuracy()),
        MetricName::BalancedAccuracy => Some(matrix.balanced_accuracy()),
        MetricName::Mcc => Some(matrix.mcc()),
        _ => {
            let average = || averages(matrix).into_iter().find(|(other, _)| *other == name).map(|(_, value)| value);
            SCORES.into_iter().find_map(of_class_1).or_else(average)
        }
    }
}

/// Precision, recall and F1 of each class; undefined for a class that is neither true nor predicted.
fn class_figures(matrix: &ConfusionMatrix) -> Vec<Each> {
    let values = SCORES.map(|(score, _)| matrix.per_class(score, ZeroDivision::Zero));
    let each = |class: usize| {
        let (support, predicted) = (matrix.support(class), matrix.predicted(class));
        let figure = |value: f64| if support + predicted > 0.0 { value } else { f64::NAN };
        let named = SCORES.iter().zip(&values).map(|((_, [plain, ..]), values)| (*plain, figure(values[class])));
        Each { support: Some(support), predicted: Some(predicted), figures: named.collect() }
    };
    (0..matrix.classes()).map(each).collect()
}

/// The result of one pass over the rows of several classes.
struct ClassPass {
    matrix: ConfusionMatrix,
    /// Sums over the rows, weighted.
    log_loss: f64,
    brier: f64,
    /// For each row, what turns its outputs into probabilities.
    scales: Vec<RowScale>,
}

impl ClassPass {
    fn new(classes: usize, scores: Scores<'_>, truth: &[u32], weights: Option<&[f32]>) -> ClassPass {
        let pieces = by_pieces(truth.len(), classes, |rows| {
            let mut p = vec![0.0; classes];
            let (mut log_loss, mut brier) = (0.0, 0.0);
            let mut scales = Vec::with_capacity(rows.len());
            for row in rows {
                let outputs = &scores.outputs[row * classes..][..classes];
                let (scale, class) = (RowScale::new(scores.link, outputs, &mut p), truth[row] as usize);
                let weight = weight_of(weights, row);
                log_loss += counted(weight, || scale.surprise(scores.link, outputs[class]));
                let error = |(c, p): (usize, &f64)| p - f64::from(c == class);
                brier += counted(weight, || p.iter().enumerate().map(error).map(|e| e * e).sum());
                scales.push(scale);
            }
            (log_loss, brier, scales)
        });
        let mut pass = ClassPass {
            matrix: ConfusionMatrix::new(classes),
            log_loss: pieces.iter().map(|piece| piece.0).sum(),
            brier: pieces.iter().map(|piece| piece.1).sum(),
            scales: pieces.into_iter().flat_map(|piece| piece.2).collect(),
        };
        for (row, (scale, &class)) in pass.scales.iter().zip(truth).enumerate() {
            pass.matrix.add(class as usize, scale.best as usize, weight_of(weights, row));
        }
        pass
    }
}

/// `weight · value`; a row of weight 0 counts as absent, even if its value is NaN.
fn counted(weight: f64, value: impl FnOnce() -> f64) -> f64 {
    if weight == 0.0 { 0.0 } else { weight * value() }
}

/// Both areas of each class against the rest. A thread computes one class at a time, with memory for one class's rows.
fn class_areas(
    classes: usize,
    scores: Scores<'_>,
    scales: &[RowScale],
    truth: &[u32],
    weights: Option<&[f32]>,
) -> Vec<[f64; 2]> {
    by_columns((truth.len(), classes), Areas::default, |areas, class| {
        let score = |row: usize| scales[row].rank(scores.link, scores.outputs[row * classes + class]);
        areas.of((0..truth.len()).map(|row| (score(row), truth[row] as usize == class, weight_of(weights, row))))
    })
}

/// The result of one pass over the rows of two classes.
struct TwoClasses {
    matrix: ConfusionMatrix,
    log_loss: f64,
    brier: f64,
    areas: Option<[f64; 2]>,
}

impl TwoClasses {
    /// `row` returns output, true class and weight of a row.
    fn new(
        (scores, rows): (Scores<'_>, usize),
        row: impl Fn(usize) -> (f32, usize, f64) + Sync,
        detail: Detail,
    ) -> TwoClasses {
        let link = scores.link;
        let pieces = by_pieces(rows, 1, |rows| {
            let (mut matrix, mut log_loss, mut brier) = (ConfusionMatrix::new(2), 0.0, 0.0);
            for (output, truth, weight) in rows.map(&row) {
                let ways = TwoWays::new(link, output);
                matrix.add(truth, ways.class(scores.threshold), weight);
                let error = if truth == 1 { ways.negative } else { ways.positive };
                log_loss += counted(weight, || ways.surprise[truth]);
                brier += counted(weight, || error * error);
            }
            (matrix, log_loss, brier)
        });
        let mut matrix = ConfusionMatrix::new(2);
        for (t, p, weight) in pieces.iter().flat_map(|piece| piece.0.pairs()) {
            matrix.add(t, p, weight);
        }
        let total = matrix.total();
        let [log_loss, brier] = [1, 2].map(|i| pieces.iter().map(|p| if i == 1 { p.1 } else { p.2 }).sum::<f64>());
        // A logit gives the same ranking as its probability, without saturation.
        let score = |z: f32| if link == Link::Sigmoid { f64::from(z) } else { TwoWays::new(link, z).positive };
        let ranked = (0..rows).map(&row).map(|(output, truth, weight)| (score(output), truth == 1, weight));
        let areas = (detail == Detail::Full).then(|| Areas::default().of(ranked));
        TwoClasses { matrix, log_loss: log_loss / total, brier: brier / total, areas }
    }

    /// All figures except the averages over the classes, which `matrix` gives; NaN if there are no rows.
    fn figures(&self, matrix: &ConfusionMatrix) -> MetricSet {
        let defined = |value: f64| if matrix.total() > 0.0 { value } else { f64::NAN };
        let mut figures = MetricSet::default();
        figures.set(MetricName::Accuracy, matrix.accuracy());
        figures.set(MetricName::BalancedAccuracy, matrix.balanced_accuracy());
        figures.set(MetricName::LogLoss, self.log_loss);
        figures.set(MetricName::Brier, self.brier);
        figures.set(MetricName::Mcc, defined(matrix.mcc()));
        // Where class 1 is neither true nor predicted, these say nothing.
        let occurs = matrix.support(1) + matrix.predicted(1) > 0.0;
        for (score, [plain, ..]) in SCORES {
            let value = matrix.per_class(score, ZeroDivision::Zero)[1];
            figures.set(plain, if occurs { value } else { f64::NAN });
        }
        if let Some([auroc, auprc]) = self.areas {
            figures.set(MetricName::Auroc, auroc);
            figures.set(MetricName::Auprc, auprc);
        }
        figures
    }
}

//! From a network's outputs to predictions and figures in the user's units.

use super::judged::Judged;
use super::readout::Readout;
use crate::data::{Dataset, Strangers, Target, Targets, Task};
use crate::metrics::calibration::{Labelled, Truth as TrueOf, calibration_error};
use crate::metrics::scores::{HALF, RowScale, TwoWays};
use crate::metrics::{self, Detail, MetricName, MetricSet, Predictions, Report, Scores};
use crate::nn::{Link, Loss};

/// The result of a forward pass over a data set.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Mean loss, weighted by the rows' weights.
    pub loss: f64,
    /// The network's outputs, row-major `[rows, outputs]`.
    pub outputs: Vec<f32>,
}

/// Turns a network's outputs into predictions and figures.
#[derive(Debug, Clone, PartialEq)]
pub struct Scorer {
    target: Target,
    link: Link,
    threshold: f64,
}

impl Scorer {
    /// A scorer for the outputs of a network trained with `loss` for `target`.
    pub fn new(target: &Target, loss: Loss) -> Scorer {
        Scorer { target: target.clone(), link: loss.link(target.task == Task::Multiclass), threshold: HALF }
    }

    /// The same with another threshold of a binary decision.
    #[must_use]
    pub fn with_threshold(self, threshold: f64) -> Scorer {
        Scorer { threshold, ..self }
    }

    /// Outputs with their link and threshold.
    fn scores<'a>(&self, outputs: &'a [f32]) -> Scores<'a> {
        Scores { outputs, link: self.link, threshold: self.threshold }
    }

    /// The task.
    pub fn task(&self) -> Task {
        self.target.task
    }

    /// The link from outputs to predictions.
    pub fn link(&self) -> Link {
        self.link
    }

    /// The change of outputs before they are evaluated, with a factor for logits.
    pub fn readout(&self, factor: f32) -> Readout {
        Readout::new(&self.target, self.link, factor)
    }

    /// The class predicted from the outputs of one row; `None` for tasks without classes.
    pub fn class_of(&self, outputs: &[f32]) -> Option<String> {
        if self.target.classes.is_empty() {
            return None;
        }
        let scores = self.scores(outputs);
        Some(self.target.classes[scores.class_of(outputs)].clone())
    }

    /// Whether predictions are classes.
    pub fn has_classes(&self) -> bool {
        !self.target.classes.is_empty()
    }

    /// Whether predictions have probabilities.
    pub fn has_classes_or_labels(&self) -> bool {
        self.target.task != Task::Regression
    }

    /// Number of outputs of the network for each row.
    pub fn outputs(&self) -> usize {
        self.target.outputs()
    }

    /// Number of predictions of [`Scorer::predictions`] for each row.
    pub fn width(&self) -> usize {
        if self.target.task == Task::Binary { 2 } else { self.target.outputs() }
    }

    /// The predictions, `width` numbers for each row: probabilities of the classes or labels, or numbers in the targets' units.
    /// Outputs are `f32`; everything after them is computed in `f64`.
    pub fn predictions(&self, outputs: &[f32]) -> Vec<f64> {
        match self.target.task {
            Task::Binary => {
                let ways = outputs.iter().map(|z| TwoWays::new(self.link, *z));
                ways.flat_map(|ways| [ways.negative, ways.positive]).collect()
            }
            Task::Multilabel => outputs.iter().map(|z| TwoWays::new(self.link, *z).positive).collect(),
            Task::Multiclass => {
                let width = self.target.outputs().max(1);
                let mut predicted = vec![0.0; outputs.len()];
                for (z, p) in outputs.chunks_exact(width).zip(predicted.chunks_exact_mut(width)) {
                    RowScale::new(self.link, z, p);
                }
                predicted
            }
            Task::Regression => self.in_units(outputs),
        }
    }

    /// A difference between two numbers of a target, in its standard deviations.
    pub(super) fn in_deviations(&self, output: usize, difference: f64) -> f64 {
        difference / self.target.sd.get(output).copied().unwrap_or(1.0)
    }

    /// Outputs of a regression as numbers in the targets' units.
    pub(super) fn in_units(&self, outputs: &[f32]) -> Vec<f64> {
        let width = self.target.outputs().max(1);
        let number = |z: f32| if self.link == Link::Exp { libm::exp(f64::from(z)) } else { f64::from(z) };
        let units = |(at, z): (usize, &f32)| {
            let output = at % width;
            self.target.within_range(output, self.target.to_units(output, number(*z)))
        };
        outputs.iter().enumerate().map(units).collect()
    }

    /// The figures of outputs for `rows` of a data set, in that order; [`Detail::Running`] omits those that need a ranking.
    pub fn figures(
        &self,
        outputs: &[f32],
        data: &Dataset,
        rows: ScoredRows<'_>,
        loss: f64,
        detail: Detail,
    ) -> MetricSet {
        let mut figures = self.report(outputs, data, rows, None, detail).figures;
        figures.set(MetricName::Loss, loss);
        figures
    }

    /// All figures for the rows of a data set, and for rows of unknown classes with the outputs for them.
    pub fn judge(&self, evaluation: &Evaluation, data: &Dataset, strangers: Option<(&Strangers, &[f32])>) -> Judged {
        let report = self.report(&evaluation.outputs, data, ScoredRows::All, strangers, Detail::Full);
        let judged = Judged::new(&self.target, (report, data.rows()), evaluation.loss, strangers.map(|(rows, _)| rows));
        let truth = RowTruth::of(self, data, ScoredRows::All);
        let labelled = self.labelled(&evaluation.outputs, &truth);
        Judged { calibration_error: labelled.and_then(|labelled| calibration_error(&labelled)), ..judged }
    }

    /// Outputs with classes or labels; `None` for regressions.
    pub(super) fn labelled<'a>(&self, outputs: &'a [f32], truth: &'a RowTruth) -> Option<Labelled<'a>> {
        let of = match self.target.task {
            Task::Binary | Task::Multiclass => TrueOf::Classes(&truth.labels),
            Task::Multilabel => TrueOf::Labels(&truth.there),
            Task::Regression => return None,
        };
        let weights = truth.weights.as_deref();
        Some(Labelled { scores: self.scores(outputs), width: self.target.outputs(), truth: of, weights })
    }

    /// Figures, confusion matrix, and figures of each class, label or target, without the loss. `strangers` are rows of classes
    /// that the model does not know, with the outputs for them.
    pub fn report(
        &self,
        outputs: &[f32],
        data: &Dataset,
        rows: ScoredRows<'_>,
        strangers: Option<(&Strangers, &[f32])>,
        detail: Detail,
    ) -> Report {
        let truth = RowTruth::of(self, data, rows);
        let scores = self.scores(outputs);
        let (width, weights) = (self.target.outputs(), truth.weights.as_deref());
        let numbers: Vec<f64>;
        let predictions = match self.target.task {
            Task::Binary => Predictions::Binary { scores, truth: &truth.labels },
            Task::Multiclass => Predictions::Multiclass { classes: width, scores, truth: &truth.labels },
            Task::Multilabel => Predictions::Multilabel { labels: width, scores, truth: &truth.there },
            Task::Regression => {
                numbers = self.in_units(outputs);
                Predictions::Regression { outputs: width, values: &numbers, truth: &truth.numbers }
            }
        };
        let unknown = strangers.map(|(rows, outputs)| metrics::UnknownRows {
            outputs,
            truth: &rows.labels,
            classes: rows.classes.len(),
            weights: rows.weights.as_deref(),
        });
        metrics::report(&predictions, weights, unknown.as_ref(), detail)
    }
}

/// The rows of a data set that outputs belong to.
#[derive(Debug, Clone, Copy)]
pub enum ScoredRows<'a> {
    /// All, in order.
    All,
    /// These.
    Of(&'a [u32]),
}

/// The truth about some rows, and their weights.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct RowTruth {
    /// Their classes.
    pub(super) labels: Vec<u32>,
    /// Whether each label is present.
    pub(super) there: Vec<f32>,
    /// Their numbers, in the user's units.
    pub(super) numbers: Vec<f64>,
    pub(super) weights: Option<Vec<f32>>,
}

impl RowTruth {
    pub(super) fn of(scorer: &Scorer, data: &Dataset, rows: ScoredRows<'_>) -> RowTruth {
        let all: Vec<u32>;
        let rows = match rows {
            ScoredRows::Of(rows) => rows,
            ScoredRows::All => {
                all = (0..data.rows() as u32).collect();
                &all
            }
        };
        let mut truth = RowTruth {
            weights: data.weights.as_ref().map(|w| rows.iter().map(|r| w[*r as usize]).collect()),
            ..RowTruth::default()
        };
        match &data.targets {
            Targets::Classes { labels: all, .. } => truth.labels = rows.iter().map(|r| all[*r as usize]).collect(),
            Targets::Values { values, cols, .. } if scorer.target.task == Task::Multilabel => {
                truth.there = rows.iter().flat_map(|r| &values[*r as usize * cols..][..*cols]).copied().collect();
            }
            Targets::Values { units: Some(units), cols, .. } => {
                truth.numbers = rows.iter().flat_map(|r| &units[*r as usize * cols..][..*cols]).copied().collect();
            }
            Targets::Values { values, cols, .. } => {
                let row = |r: &u32| &values[*r as usize * cols..][..*cols];
                let units = |(i, v): (usize, &f32)| scorer.target.to_units(i, f64::from(*v));
                truth.numbers = rows.iter().flat_map(|r| row(r).iter().enumerate().map(units)).collect();
            }
        }
        truth
    }
}

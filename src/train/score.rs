//! From the network's outputs to figures in the user's terms.

use rayon::prelude::*;

use crate::data::{Dataset, Target, Targets, Task};
use crate::metrics::{self, ConfusionMatrix, Detail, MetricName, MetricSet, Predictions};
use crate::nn::{Link, Loss};

/// Knows what outputs mean.
#[derive(Debug, Clone)]
pub struct Scorer {
    target: Target,
    link: Link,
}

/// Rows of one piece of order-free work.
const PIECE: usize = 4096;

impl Scorer {
    /// For the outputs of a network trained with `loss` for `target`.
    pub fn new(target: &Target, loss: Loss) -> Scorer {
        Scorer { target: target.clone(), link: loss.link(target.task == Task::Multiclass) }
    }

    /// What is predicted: probabilities of the classes or labels (of the positive class alone for two), or numbers in the
    /// targets' units; row-major like `outputs`.
    pub fn predictions(&self, outputs: &[f32]) -> Vec<f32> {
        let width = self.target.outputs().max(1);
        let mut predicted = vec![0.0; outputs.len()];
        let piece = PIECE * width;
        if outputs.len() <= piece {
            // Small networks that train side by side would wait for each other in the pool.
            self.predict(outputs, &mut predicted);
        } else {
            let pieces = outputs.par_chunks(piece).zip(predicted.par_chunks_mut(piece));
            pieces.for_each(|(from, to)| self.predict(from, to));
        }
        predicted
    }

    fn predict(&self, from: &[f32], to: &mut [f32]) {
        let width = self.target.outputs().max(1);
        for (z, p) in from.chunks_exact(width).zip(to.chunks_exact_mut(width)) {
            self.link.apply(z, p);
            if self.target.task == Task::Regression {
                p.iter_mut().enumerate().for_each(|(i, p)| *p = self.target.to_units(i, *p) as f32);
            }
        }
    }

    /// The figures of outputs for `rows` of a data set, in that order; ranking figures are left out of brief ones.
    pub fn figures(&self, outputs: &[f32], data: &Dataset, rows: Rows<'_>, loss: f64, detail: Detail) -> MetricSet {
        let predicted = self.predictions(outputs);
        let truth = Truth::of(self, data, rows);
        let mut figures =
            metrics::evaluate(&truth.predictions(&predicted, &self.target), truth.weights.as_deref(), detail);
        figures.set(MetricName::Loss, loss);
        figures
    }

    /// How classes were taken for each other; none for regressions and several labels.
    pub fn confusion(&self, outputs: &[f32], data: &Dataset) -> Option<ConfusionMatrix> {
        let predicted = self.predictions(outputs);
        let truth = Truth::of(self, data, Rows::All);
        metrics::confusion_matrix(&truth.predictions(&predicted, &self.target), truth.weights.as_deref())
    }
}

/// Which rows of a data set outputs belong to.
#[derive(Debug, Clone, Copy)]
pub enum Rows<'a> {
    /// All, in order.
    All,
    /// These.
    Of(&'a [u32]),
}

/// Targets and weights of some rows, in the user's units.
struct Truth {
    labels: Vec<u32>,
    values: Vec<f32>,
    weights: Option<Vec<f32>>,
}

impl Truth {
    fn of(scorer: &Scorer, data: &Dataset, rows: Rows<'_>) -> Truth {
        let all: Vec<u32>;
        let rows = match rows {
            Rows::Of(rows) => rows,
            Rows::All => {
                all = (0..data.rows() as u32).collect();
                &all
            }
        };
        let weights = data.weights.as_ref().map(|w| rows.iter().map(|r| w[*r as usize]).collect());
        let (mut labels, mut values) = (Vec::new(), Vec::new());
        match &data.targets {
            Targets::Classes { labels: all, .. } => labels = rows.iter().map(|r| all[*r as usize]).collect(),
            Targets::Values { values: all, cols } => {
                let row = |r: &u32| &all[*r as usize * cols..][..*cols];
                let units = |(i, v): (usize, &f32)| scorer.target.to_units(i, *v) as f32;
                values = rows.iter().flat_map(|r| row(r).iter().enumerate().map(units)).collect();
            }
        }
        Truth { labels, values, weights }
    }
}

impl Truth {
    /// The predicted beside the true.
    fn predictions<'a>(&'a self, predicted: &'a [f32], target: &Target) -> Predictions<'a> {
        let width = target.outputs();
        match target.task {
            Task::Binary => Predictions::Binary { probabilities: predicted, truth: &self.labels },
            Task::Multiclass => {
                Predictions::Multiclass { classes: width, probabilities: predicted, truth: &self.labels }
            }
            Task::Multilabel => {
                Predictions::Multilabel { labels: width, probabilities: predicted, truth: &self.values }
            }
            Task::Regression => Predictions::Regression { outputs: width, values: predicted, truth: &self.values },
        }
    }
}

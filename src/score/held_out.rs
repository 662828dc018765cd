//! Outputs for rows that a network did not learn from, with the truth about these rows.

use super::scorer::{RowTruth, ScoredRows, Scorer};
use crate::data::{Dataset, Task};
use crate::metrics::MetricName;
use crate::metrics::calibration::inverse_temperature;
use crate::metrics::scores::TwoWays;
use crate::metrics::threshold::best_threshold;
use crate::model::{Calibration, Residuals, RowsOf, Threshold};

/// Outputs of networks for rows that they did not learn from, with the truth about these rows.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldOut {
    scorer: Scorer,
    outputs: Vec<f32>,
    truth: RowTruth,
    /// Absolute residuals of each target of a regression.
    residuals: Vec<Vec<f64>>,
}

/// The fewest rows for calibrating logits, for several classes and for two.
const ROWS_OF_SEVERAL: usize = 500;
const ROWS_OF_TWO: usize = 3000;
/// The same if labels were smoothed. Such a network is less certain than it should be, so few rows help already.
const ROWS_OF_SMOOTHED: usize = 15;

impl HeldOut {
    /// Outputs for the rows of a data set, with their truth.
    pub fn new(scorer: &Scorer, outputs: Vec<f32>, data: &Dataset) -> HeldOut {
        let truth = RowTruth::of(scorer, data, ScoredRows::All);
        let mut residuals = Vec::new();
        if scorer.task() == Task::Regression {
            let width = scorer.width();
            residuals = vec![Vec::with_capacity(truth.numbers.len() / width.max(1)); width];
            for (at, (said, number)) in scorer.in_units(&outputs).iter().zip(&truth.numbers).enumerate() {
                residuals[at % width].push((said - number).abs());
            }
        }
        HeldOut { scorer: scorer.clone(), outputs, truth, residuals }
    }

    /// Adds the rows of another network of the same task.
    pub fn join(&mut self, other: HeldOut) {
        let (own, others) = (self.rows(), other.rows());
        if self.truth.weights.is_some() || other.truth.weights.is_some() {
            let weights = self.truth.weights.get_or_insert_with(|| vec![1.0; own]);
            weights.extend(other.truth.weights.unwrap_or_else(|| vec![1.0; others]));
        }
        self.outputs.extend(other.outputs);
        self.truth.labels.extend(other.truth.labels);
        self.truth.there.extend(other.truth.there);
        self.truth.numbers.extend(other.truth.numbers);
        self.residuals.iter_mut().zip(other.residuals).for_each(|(own, other)| own.extend(other));
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.outputs.len() / self.outputs_of_a_row()
    }

    fn outputs_of_a_row(&self) -> usize {
        match self.scorer.task() {
            Task::Binary => 1,
            _ => self.scorer.width().max(1),
        }
    }

    /// The temperature of the logits, or `None` if there are too few rows for it to help: fewer than 500 for several classes,
    /// 3,000 for two classes and for labels, 15 for any of them if labels were `smoothed`.
    pub fn calibration(&self, smoothed: bool) -> Option<Calibration> {
        let least = match self.scorer.task() {
            _ if smoothed => ROWS_OF_SMOOTHED,
            Task::Multiclass => ROWS_OF_SEVERAL,
            _ => ROWS_OF_TWO,
        };
        let labelled = self.scorer.labelled(&self.outputs, &self.truth).filter(|_| self.rows() >= least)?;
        let factor = inverse_temperature(&labelled)?;
        Some(Calibration {
            temperature: 1.0 / factor,
            factor: factor as f32,
            rows: self.rows(),
            log_loss_before: labelled.log_loss(1.0),
            log_loss: labelled.log_loss(factor),
        })
    }

    /// The threshold of a binary decision with the best value of a metric, for outputs times `factor`.
    pub fn threshold(&self, metric: MetricName, factor: f32) -> Option<Threshold> {
        let row = |row: usize| {
            let ways = TwoWays::new(self.scorer.link(), self.outputs[row] * factor);
            let weight = self.truth.weights.as_ref().map_or(1.0, |weights| f64::from(weights[row]));
            (ways.positive, self.truth.labels[row] == 1, weight)
        };
        let (value, _) = best_threshold((0..self.rows()).map(row).collect(), metric)?;
        Some(Threshold { value, metric: Some(metric), rows: Some(self.rows()) })
    }

    /// The numbers by which networks are selected for averaging, one for each row and for each label or target: the probability
    /// of the truth, or the error in standard deviations of the target. For the mean of several networks they are the mean of
    /// the networks' numbers.
    pub fn parts(&self) -> Vec<f64> {
        let said = self.scorer.predictions(&self.outputs);
        let (width, truth) = (self.scorer.width().max(1), &self.truth);
        match self.scorer.task() {
            Task::Binary | Task::Multiclass => {
                truth.labels.iter().enumerate().map(|(row, label)| said[row * width + *label as usize]).collect()
            }
            Task::Multilabel => {
                said.iter().zip(&truth.there).map(|(p, there)| if *there > 0.5 { *p } else { 1.0 - p }).collect()
            }
            Task::Regression => {
                let error =
                    |(at, (said, number)): (usize, (&f64, &f64))| self.scorer.in_deviations(at % width, said - number);
                said.iter().zip(&truth.numbers).enumerate().map(error).collect()
            }
        }
    }

    /// The weight of each of [`HeldOut::parts`]; `None` if all are equal.
    pub fn weights_of_parts(&self) -> Option<Vec<f64>> {
        let weights = self.truth.weights.as_ref()?;
        let width = self.parts().len() / self.rows().max(1);
        Some(weights.iter().flat_map(|weight| std::iter::repeat_n(f64::from(*weight), width)).collect())
    }

    /// The cost of one of [`HeldOut::parts`]: log-loss of a probability, square of an error.
    pub fn cost_of_parts(&self) -> fn(f64) -> f64 {
        match self.scorer.task() {
            Task::Regression => |error| error * error,
            _ => |p| -libm::log(p.max(f64::MIN_POSITIVE)),
        }
    }

    /// The residuals of a regression; `None` for other tasks, without rows, or if a residual is not finite.
    pub fn residuals(&self, of: (RowsOf, bool)) -> Option<Residuals> {
        let finite = |residuals: &Vec<f64>| !residuals.is_empty() && residuals.iter().all(|r| r.is_finite());
        let good = !self.residuals.is_empty() && self.residuals.iter().all(finite);
        good.then(|| Residuals::new(of, self.residuals.clone()))
    }
}

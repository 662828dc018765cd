//! What turns a network's outputs into decisions, beside its weights: a temperature, a threshold, the widths of intervals.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::metrics::MetricName;
use crate::metrics::scores::HALF;

/// What was decided after training, on rows that the network did not learn from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The temperature of the logits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
    /// The threshold of a binary decision, if it is not a half.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<Threshold>,
    /// The residuals of a regression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub residuals: Option<Residuals>,
}

/// Temperature scaling: logits are divided by `temperature` before they are used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Above 1 if the network was overconfident.
    pub temperature: f64,
    /// The factor of logits, `1 / temperature` in single precision.
    pub factor: f32,
    /// Rows that it was fitted to.
    pub rows: usize,
    /// Their log-loss before.
    pub log_loss_before: f64,
    /// Their log-loss after.
    pub log_loss: f64,
}

/// The second class is predicted if its probability is above `value`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// Between 0 and 1.
    pub value: f64,
    /// The metric that chose it; `None` if the user gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<MetricName>,
    /// Rows that it was chosen on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<usize>,
}

/// The rows that residuals come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowsOf {
    /// The test part, which decided nothing.
    Test,
    /// The folds; the residuals of each come from the network that did not learn from it.
    Folds,
    /// The validation part.
    Validation,
}

/// Absolute residuals `|prediction − truth|` of rows that the network did not learn from, in the target's units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Residuals {
    /// The rows that they come from.
    pub of: RowsOf,
    /// Whether these rows chose the best epoch, so that their residuals may be smaller than those of new rows.
    pub chose: bool,
    /// The number of rows.
    pub rows: usize,
    /// Of each target the residuals in ascending order; of many rows every thousandth part of them, the largest too.
    pub sorted: Vec<Vec<f64>>,
}

/// The most residuals that are kept for a target.
const MOST: usize = 1000;

/// The ranks, from 1, of the residuals that are kept: all if there are few, otherwise every thousandth part.
fn kept_ranks(rows: usize) -> impl Iterator<Item = usize> {
    let kept = rows.min(MOST);
    (1..=kept).map(move |at| (at * rows).div_ceil(kept))
}

impl Residuals {
    /// Residuals of each target.
    pub fn new((of, chose): (RowsOf, bool), residuals: Vec<Vec<f64>>) -> Residuals {
        let rows = residuals.first().map_or(0, Vec::len);
        let sorted = residuals.into_iter().map(|mut all| {
            all.sort_by(f64::total_cmp);
            kept_ranks(rows).map(|rank| all[rank - 1]).collect()
        });
        Residuals { of, chose, rows, sorted: sorted.collect() }
    }

    /// Half the width of each target's interval that contains the truth with a probability of at least `level`, for new rows
    /// like those of the residuals: the residual of rank `⌈(n + 1) · level⌉`, or the next larger one that is kept. Split
    /// conformal prediction: Lei et al. 2018, <https://arxiv.org/abs/1604.04173>, Algorithm 2. `None` if there are too few rows
    /// for the level.
    pub fn half_widths(&self, level: f64) -> Option<Vec<f64>> {
        // A level such as 0.9 is not exact in binary; that must not raise the rank by one.
        let rank = ((self.rows as f64 + 1.0) * level - 1e-9).ceil().max(1.0) as usize;
        let place = kept_ranks(self.rows).position(|kept| kept >= rank)?;
        self.sorted.iter().map(|sorted| sorted.get(place).copied()).collect()
    }

    /// The number of rows that intervals of this level need.
    pub fn rows_for(level: f64) -> usize {
        (level / (1.0 - level) - 1e-9).ceil() as usize
    }
}

impl Decision {
    /// Whether it leaves the meaning of outputs unchanged.
    pub fn is_plain(&self) -> bool {
        *self == Decision::default()
    }

    /// As a JSON object, without the single residuals.
    pub fn to_json(&self) -> Value {
        let mut all = json!(self);
        if let Some(residuals) = all.get_mut("residuals").and_then(Value::as_object_mut) {
            residuals.remove("sorted");
        }
        all
    }

    /// Whether a program that ignores it would predict something else.
    pub(super) fn changes_predictions(&self) -> bool {
        self.calibration.is_some() || self.threshold.is_some()
    }

    /// The factor of logits.
    pub fn factor(&self) -> f32 {
        self.calibration.as_ref().map_or(1.0, |calibration| calibration.factor)
    }

    /// The probability above which the second of two classes is predicted.
    pub fn threshold(&self) -> f64 {
        self.threshold.as_ref().map_or(HALF, |threshold| threshold.value)
    }

    /// What is wrong with a decision that was read from a file, for a network with this many outputs.
    pub(super) fn contradiction(&self, outputs: usize) -> Option<&'static str> {
        let positive = |x: f32| x.is_finite() && x > 0.0;
        if !positive(self.factor()) {
            return Some("the temperature is not above 0");
        }
        if !(self.threshold() > 0.0 && self.threshold() < 1.0) {
            return Some("the threshold is not between 0 and 1");
        }
        let wrong = |residuals: &Residuals| {
            let kept = residuals.rows.min(MOST);
            let whole = |sorted: &Vec<f64>| sorted.len() == kept && sorted.iter().all(|r| r.is_finite() && *r >= 0.0);
            residuals.sorted.len() != outputs || !residuals.sorted.iter().all(whole)
        };
        self.residuals.as_ref().is_some_and(wrong).then_some("the residuals do not fit the targets")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn residuals(rows: usize) -> Residuals {
        Residuals::new((RowsOf::Test, false), vec![(0..rows).rev().map(|r| (r + 1) as f64).collect()])
    }

    #[test]
    fn the_rank_is_that_of_split_conformal_prediction() {
        assert_eq!(residuals(9).half_widths(0.9), Some(vec![9.0]), "(9 + 1) · 0.9 = 9");
        assert_eq!(residuals(10).half_widths(0.9), Some(vec![10.0]), "9.9 is rounded up");
        assert_eq!(residuals(19).half_widths(0.95), Some(vec![19.0]));
        assert_eq!(residuals(8).half_widths(0.9), None, "8 rows are too few");
        assert_eq!((Residuals::rows_for(0.9), Residuals::rows_for(0.95), Residuals::rows_for(0.5)), (9, 19, 1));
        assert_eq!(residuals(99).half_widths(0.5), Some(vec![50.0]));
    }

    #[test]
    fn of_many_rows_the_next_larger_residual_that_is_kept_is_taken() {
        let many = residuals(123_456);
        assert_eq!(many.sorted[0].len(), MOST);
        for level in [0.001, 0.5, 0.9, 0.95, 0.999, 0.99999] {
            let exact = (123_457.0f64 * level).ceil();
            let found = many.half_widths(level).unwrap()[0];
            assert!(found >= exact && found < exact + 124.0, "{level}: {found} for {exact}");
        }
    }
}

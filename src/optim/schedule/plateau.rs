//! A rate that falls when a metric stops improving.

use serde::{Deserialize, Serialize};

use super::RateCurve;
use crate::optim::field::{Field, Range, Word};

/// `plateau:factor=0.1,patience=10`: PyTorch's `ReduceLROnPlateau`. The monitored metric decides whether lower or higher
/// is better; it is reported to a [`Plateau`] once an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PlateauRule {
    /// Factor of a reduction.
    pub factor: f64,
    /// Reports without improvement that are tolerated.
    pub patience: u64,
    /// By how much a value must be better than the best to count as an improvement.
    pub threshold: f64,
    /// The unit of the threshold.
    pub threshold_mode: ThresholdMode,
    /// Reports after a reduction that are not counted.
    pub cooldown: u64,
    /// The lowest rate.
    pub min: f64,
    /// A reduction of at most this size is not made.
    pub eps: f64,
}

/// The unit of the threshold of an improvement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ThresholdMode {
    /// `rel`: a fraction of the best value.
    Rel,
    /// `abs`: the unit of the metric.
    Abs,
}

impl Word for ThresholdMode {
    fn words(&self) -> &'static [&'static str] {
        &["rel", "abs"]
    }

    fn index(&self) -> usize {
        *self as usize
    }

    fn set(&mut self, index: usize) {
        *self = [ThresholdMode::Rel, ThresholdMode::Abs][index];
    }
}

impl Default for PlateauRule {
    fn default() -> Self {
        PlateauRule {
            factor: 0.1,
            patience: 10,
            threshold: 1e-4,
            threshold_mode: ThresholdMode::Rel,
            cooldown: 0,
            min: 0.0,
            eps: 1e-8,
        }
    }
}

impl RateCurve for PlateauRule {
    /// The given rate: a [`Plateau`] keeps it.
    fn rate(&self, base: f64, _t: u64, _total: u64) -> f64 {
        base
    }

    fn lowest(&self) -> Option<f64> {
        Some(self.min)
    }

    fn fields(&mut self) -> Vec<Field<'_>> {
        vec![
            Field::new("factor", &mut self.factor, Range::INNER),
            Field::new("patience", &mut self.patience, Range::WHOLE),
            Field::new("threshold", &mut self.threshold, Range::NOT_NEGATIVE),
            Field::word("threshold_mode", &mut self.threshold_mode),
            Field::new("cooldown", &mut self.cooldown, Range::WHOLE),
            Field::new("min", &mut self.min, Range::NOT_NEGATIVE),
            Field::new("eps", &mut self.eps, Range::NOT_NEGATIVE),
        ]
    }

    fn conflict(&self) -> Option<String> {
        let nothing_is_better = self.threshold_mode == ThresholdMode::Rel && self.threshold >= 1.0;
        nothing_is_better.then(|| format!("a relative threshold must be below 1, found {}", self.threshold))
    }
}

/// The state of a [`PlateauRule`] during a run, saved with a checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plateau {
    rule: PlateauRule,
    higher_is_better: bool,
    lr: f64,
    best: Option<f64>,
    bad_reports: u64,
    cooldown_left: u64,
}

impl Plateau {
    /// The state before the first report; `higher_is_better` is the direction of the metric.
    pub fn new(rule: PlateauRule, base_lr: f64, higher_is_better: bool) -> Self {
        Plateau { rule, higher_is_better, lr: base_lr, best: None, bad_reports: 0, cooldown_left: 0 }
    }

    /// The current rate, the `base_lr` of [`super::Schedule::rate`].
    pub fn lr(&self) -> f64 {
        self.lr
    }

    /// Takes the next value of the metric and returns the rate from now on; NaN is not an improvement.
    pub fn report(&mut self, metric: f64) -> f64 {
        if self.is_better(metric) {
            self.best = Some(metric);
            self.bad_reports = 0;
        } else {
            self.bad_reports += 1;
        }
        if self.cooldown_left > 0 {
            self.cooldown_left -= 1;
            self.bad_reports = 0;
        }
        if self.bad_reports > self.rule.patience {
            self.reduce();
            self.cooldown_left = self.rule.cooldown;
            self.bad_reports = 0;
        }
        self.lr
    }

    fn is_better(&self, metric: f64) -> bool {
        let PlateauRule { threshold, threshold_mode, .. } = self.rule;
        let worst = if self.higher_is_better { f64::NEG_INFINITY } else { f64::INFINITY };
        let best = self.best.unwrap_or(worst);
        match (self.higher_is_better, threshold_mode) {
            (false, ThresholdMode::Rel) => metric < best * (1.0 - threshold),
            (false, ThresholdMode::Abs) => metric < best - threshold,
            (true, ThresholdMode::Rel) => metric > best * (1.0 + threshold),
            (true, ThresholdMode::Abs) => metric > best + threshold,
        }
    }

    fn reduce(&mut self) {
        let reduced = (self.lr * self.rule.factor).max(self.rule.min);
        if self.lr - reduced > self.rule.eps {
            self.lr = reduced;
        }
    }
}

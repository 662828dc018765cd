//! Decisions after training, on rows that the network did not learn from: temperature, threshold, residuals.

use super::plan::Plan;
use crate::config::{OptimizerOptions, ThresholdChoice};
use crate::data::Task;
use crate::fit::{DataPart, default_monitor};
use crate::metrics::MetricName;
use crate::metrics::scores::HALF;
use crate::metrics::threshold::THRESHOLD_METRICS;
use crate::model::{Decision, RowsOf, Threshold};
use crate::option_text::option;
use crate::score::HeldOut;
use crate::{Error, Result, Warning, WarningKind};

/// Outputs for rows that the network did not learn from.
pub(super) struct HeldOutParts<'a> {
    /// Of the rows that decide: the validation part, or the folds of a cross-validation.
    pub(super) choosing: Option<&'a HeldOut>,
    /// Of the test part, which decides nothing.
    pub(super) test: Option<&'a HeldOut>,
}

/// Whether labels were smoothed, so that networks are less certain than they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Smoothing {
    /// Labels were smoothed.
    Smoothed,
    /// Labels were not smoothed, or a temperature corrects for it already.
    None,
}

impl Smoothing {
    /// The smoothing of networks trained with these options.
    pub(super) fn of(options: &OptimizerOptions) -> Smoothing {
        if options.label_smoothing > 0.0 { Smoothing::Smoothed } else { Smoothing::None }
    }
}

impl Plan {
    /// Refuses a threshold if the task has no binary decision, or if there are no rows to choose it on.
    pub(super) fn check_threshold(&self) -> Result<()> {
        let threshold = self.config.decision.threshold;
        if threshold == ThresholdChoice::Value(HALF) {
            return Ok(());
        }
        let task = self.prepared.preprocessing.task();
        if task != Task::Binary {
            let message = format!("it needs a binary task, and this one is {task}");
            return Err(Error::Mismatch(message).of_value("threshold", threshold));
        }
        let chosen = !matches!(threshold, ThresholdChoice::Value(_));
        if chosen && self.prepared.val.is_none() && self.config.cv.is_none() {
            let message = format!("it needs rows to choose on: see {}, or give a number", option("valid"));
            return Err(Error::Mismatch(message).of_value("threshold", threshold));
        }
        Ok(())
    }

    /// The metric that chooses the threshold.
    fn threshold_metric(&self) -> Option<MetricName> {
        match self.config.decision.threshold {
            ThresholdChoice::Value(_) => None,
            ThresholdChoice::Metric(metric) => Some(metric),
            ThresholdChoice::Auto => {
                let asked = self.config.stopping.monitor.map(|monitor| monitor.metric);
                Some(asked.filter(|metric| THRESHOLD_METRICS.contains(metric)).unwrap_or(MetricName::F1Macro))
            }
        }
    }

    /// Decides the temperature first, if `calibrate` allows one, then the threshold of the calibrated probabilities. Residuals
    /// come from rows that decided nothing, if there are any.
    pub(super) fn decision(
        &self,
        held_out: &HeldOutParts<'_>,
        calibrate: Option<Smoothing>,
    ) -> (Decision, Option<Warning>) {
        let options = &self.config.decision;
        let HeldOutParts { choosing, test } = held_out;
        let mut decision = Decision::default();
        if let Some(smoothing) = calibrate.filter(|_| options.calibrate) {
            decision.calibration = choosing.and_then(|rows| rows.calibration(smoothing == Smoothing::Smoothed));
        }
        let mut warning = None;
        match (options.threshold, self.threshold_metric()) {
            (ThresholdChoice::Value(value), _) if value != HALF => {
                decision.threshold = Some(Threshold { value, metric: None, rows: None });
            }
            (_, Some(metric)) => {
                let factor = decision.factor();
                decision.threshold = choosing.and_then(|rows| rows.threshold(metric, factor));
                let message = format!("{metric} is undefined on the rows that choose: the threshold stays 0.5");
                warning = decision.threshold.is_none().then(|| Warning::new(WarningKind::UndefinedMonitor, message));
            }
            _ => {}
        }
        let choosers = if self.config.cv.is_some() { RowsOf::Folds } else { RowsOf::Validation };
        let chose = self.portfolio.is_some() || self.is_epoch_chosen_by_validation();
        let residuals = test.and_then(|rows| rows.residuals((RowsOf::Test, false)));
        decision.residuals = residuals.or_else(|| choosing.and_then(|rows| rows.residuals((choosers, chose))));
        (decision, warning)
    }

    /// Whether rows of the validation part, or of a fold, choose the epoch whose weights are kept.
    fn is_epoch_chosen_by_validation(&self) -> bool {
        let stopping = &self.config.stopping;
        let watched = stopping.monitor.unwrap_or_else(|| default_monitor(self.prepared.val.as_ref()));
        let by_folds = self.config.cv.is_some() && stopping.monitor.is_none();
        let target = stopping.target.is_some_and(|goal| goal.watched.part == DataPart::Val);
        watched.part == DataPart::Val || by_folds || target
    }

    /// What the validation rows chose, in words; empty without such rows.
    pub(super) fn chosen_by_validation(&self, decision: &Decision) -> Vec<&'static str> {
        if self.prepared.val.is_none() {
            return Vec::new();
        }
        let threshold = decision.threshold.as_ref().is_some_and(|threshold| threshold.metric.is_some());
        let epoch = self.is_epoch_chosen_by_validation();
        let all = [("epoch", epoch), ("temperature", decision.calibration.is_some()), ("threshold", threshold)];
        all.into_iter().filter(|(_, chosen)| *chosen).map(|(name, _)| name).collect()
    }
}

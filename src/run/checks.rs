//! Options that do not fit the data, the network or each other, found once the data are prepared.

use super::plan::Plan;
use crate::fit::DataPart;
use crate::layer::MemberRows;
use crate::nn::{Loss, Objective};
use crate::option_text::option;
use crate::train::Schedules;
use crate::{Error, Result};

/// Number of steps at which schedules of factors are checked.
const CHECKED: u64 = 1000;

impl Plan {
    /// Checks that need the data.
    pub(super) fn check(&self) -> Result<()> {
        let smoothing = self.config.optimizer.label_smoothing;
        Objective::new(self.loss, smoothing).map_err(|e| e.of_value("label_smoothing", smoothing))?;
        self.check_member_rows()?;
        let stopping = &self.config.stopping;
        let task = self.prepared.preprocessing.task();
        let goals = [("target", stopping.target), ("fail_under", stopping.fail_under)];
        let watched = goals.into_iter().filter_map(|(option, goal)| Some((option, goal?.watched)));
        for (option, watched) in watched.chain(stopping.monitor.map(|m| ("monitor", m))) {
            if !watched.metric.applies_to(task) {
                let message = format!("a {task} task has no {}", watched.metric);
                return Err(Error::Mismatch(message).of_value(option, watched));
            }
            let missing = match watched.part {
                DataPart::Train => None,
                DataPart::Val => (self.prepared.val.is_none() && self.config.cv.is_none()).then_some("valid"),
                DataPart::Test => self.prepared.test.is_none().then_some("test"),
            };
            if let Some(part) = missing {
                let message = format!("there is no such part of the data; see {}", self::option(part));
                return Err(Error::Mismatch(message).of_value(option, watched));
            }
        }
        Ok(())
    }

    /// Refuses rows of their own for members that are not there, or that would all take the order of the file.
    fn check_member_rows(&self) -> Result<()> {
        let message = match () {
            () if self.config.optimizer.member_rows == MemberRows::Shared => return Ok(()),
            () if self.architecture.network().members() == 1 => {
                format!("it needs a network of two members or more: see {}, or leave it out", option("members"))
            }
            () if !self.config.shuffle => {
                format!(
                    "with {} all members would take the order of the file: leave one of them out",
                    option("no_shuffle")
                )
            }
            () => return Ok(()),
        };
        Err(Error::Usage(message).of_value("member_rows", "own"))
    }

    /// Refuses schedules that leave the valid range of their value, and factors of a rate that the optimizer does not have.
    pub(super) fn check_factors(&self) -> Result<()> {
        let Schedules { total, dropout, decay } = self.schedules();
        let (highest, lowest) = (self.architecture.network().highest_dropout(), 0.0);
        for (option, schedule, most) in
            [("dropout_schedule", &dropout, 1.0 / highest), ("decay_schedule", &decay, f64::INFINITY)]
        {
            let Some(schedule) = schedule else { continue };
            let wrong = |factor: &f64| !(lowest..most).contains(factor);
            let steps = (0..=CHECKED).map(|n| n * total.saturating_sub(1) / CHECKED);
            if let Some(factor) = steps.map(|step| schedule.rate(1.0, step, total)).find(wrong) {
                let until = if most.is_finite() { format!(" and below {most:.3}") } else { String::new() };
                let message = format!("expected factors of at least 0{until}, found {factor}");
                return Err(Error::Usage(message).of_value(option, schedule));
            }
        }
        let algorithm = self.config.optimizer.spec.algorithm;
        let factors = self.parameters.layout.tensors.iter().flat_map(|tensor| tensor.groups);
        if !algorithm.follows_schedule() && factors.into_iter().any(|group| group.rate != 1.0) {
            let name = algorithm.name();
            let message = format!("lr in learn: {name} finds its own step sizes: leave it out");
            return Err(Error::Usage(message).of("network"));
        }
        Ok(())
    }

    /// Refuses augmentation that the data, the loss or the optimizer do not support.
    pub(super) fn check_augment(&self) -> Result<()> {
        let augment = &self.config.augment;
        if augment.is_none() {
            return Ok(());
        }
        augment.check(self.row_form().shape.as_deref())?;
        let algorithm = self.config.optimizer.spec.algorithm;
        if augment.mixup.is_some() && matches!(self.loss, Loss::Focal { .. }) {
            let message = "the focal loss wants classes, and mixup mixes them".to_owned();
            return Err(Error::Mismatch(message).of_value("augment", augment));
        }
        if algorithm.needs_full_batch() {
            let name = algorithm.name();
            let message = format!("{name} needs the same rows in every step");
            return Err(Error::Mismatch(message).of_value("augment", augment));
        }
        Ok(())
    }
}

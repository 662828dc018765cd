//! When a fit ends.

use std::sync::atomic::Ordering;

use super::{EpochRecord, FitLoop, Halt, Stopped};
use crate::fit::{DataPart, Goal};

impl FitLoop<'_> {
    /// Why to stop after the epoch that has just ended.
    pub(super) fn reason(&self, halt: Option<Halt>) -> Option<Stopped> {
        let (steps, progress) = (self.trainer.steps(), &self.state.progress);
        match halt {
            Some(Halt::Diverged(stats)) => return Some(Stopped::Diverged { step: steps + 1, loss: stats.loss }),
            _ if self.broken.is_some() => {
                return self.broken.map(|loss| Stopped::Diverged { step: steps, loss });
            }
            Some(Halt::Converged) => return Some(Stopped::Converged),
            Some(Halt::Asked) | None => {}
        }
        let signal = self.signal.load(Ordering::Relaxed);
        let last = progress.history.last();
        if signal != 0 {
            Some(Stopped::Signal(signal))
        } else if last.is_some_and(|record| self.options.target.is_some_and(|goal| reached(&goal, record))) {
            Some(Stopped::Target)
        } else if self.options.steps.is_some_and(|most| steps >= most) {
            Some(Stopped::Steps)
        } else if self.options.time_is_up(steps) {
            Some(Stopped::Time)
        } else if self.loss_has_settled() {
            Some(Stopped::Converged)
        } else if self.options.patience.is_over(progress.history.epochs(), &progress.best) {
            Some(Stopped::Patience)
        } else {
            None
        }
    }

    fn loss_has_settled(&self) -> bool {
        let Some(tol) = self.options.tol_loss else { return false };
        matches!(self.state.progress.losses, [Some(a), Some(b)] if (a - b).abs() < tol)
    }
}

/// Whether an epoch's figures meet a goal.
fn reached(goal: &Goal, record: &EpochRecord) -> bool {
    match goal.watched.part {
        DataPart::Train => goal.is_met(&record.train),
        DataPart::Val => record.val.as_ref().is_some_and(|figures| goal.is_met(figures)),
        DataPart::Test => false, // refused by the configuration
    }
}

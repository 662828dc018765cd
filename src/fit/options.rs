//! How long to train and on what terms, and why training ends.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::best::BestEpoch;
use super::goal::{Goal, Watched};
use crate::data::{Augment, RowForm};
use crate::optim::schedule::Schedule;

/// How long to train, and on what terms.
#[derive(Debug, Clone)]
pub struct FitOptions {
    /// Passes over the training part.
    pub epochs: usize,
    /// The epoch after which training ends all the same, to keep the last weights rather than the best; the schedule runs
    /// over `epochs`.
    pub last_epoch: Option<usize>,
    /// The step after which training ends as if the time were up; schedules run over all steps.
    pub last_step: Option<u64>,
    /// Optimizer steps at most.
    pub steps: Option<u64>,
    /// When training ends at the latest.
    pub deadline: Option<Instant>,
    /// Rows of a step.
    pub batch: usize,
    /// Whether rows are shuffled anew for every epoch.
    pub shuffle: bool,
    /// How rows are changed in each epoch, and what they look like.
    pub augment: Option<(Augment, RowForm)>,
    /// Seed of the order of rows, and of their changes.
    pub seed: u64,
    /// Learning rate before the schedule.
    pub lr: f64,
    /// How the learning rate changes.
    pub schedule: Schedule,
    /// Training stops when this is reached.
    pub target: Option<Goal>,
    /// What decides the best weights and patience.
    pub monitor: Watched,
    /// When training stops for want of a better value.
    pub patience: Patience,
    /// How much better counts as better.
    pub min_delta: f64,
    /// Training has converged when its loss changes by less from epoch to epoch.
    pub tol_loss: Option<f64>,
    /// Training has converged when the gradient norm falls to this.
    pub tol_grad: Option<f64>,
    /// Every so many steps are recorded.
    pub log_steps: Option<u64>,
    /// How often the state is saved, if it is.
    pub save_every: Option<Every>,
}

impl FitOptions {
    /// Whether the time is up after so many steps.
    pub(super) fn time_is_up(&self, made: u64) -> bool {
        self.last_step.is_some_and(|last| made >= last) || self.deadline.is_some_and(|end| Instant::now() >= end)
    }

    /// Whether no further step is to be made after so many.
    pub(super) fn must_stop(&self, signal: &AtomicUsize, made: u64) -> bool {
        let steps_are_made = self.steps.is_some_and(|most| made >= most);
        steps_are_made || signal.load(Ordering::Relaxed) != 0 || self.time_is_up(made)
    }
}

/// How often something is done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Every {
    /// After so many optimizer steps.
    Steps(u64),
    /// At the first step after so many seconds.
    Seconds(f64),
}

/// When training stops for want of a better value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Never.
    Never,
    /// After so many epochs without one.
    After(usize),
    /// After twice as many epochs as the best one took, and [`Patience::AT_LEAST`] more: an early best epoch is not waited
    /// for long, and a late one gets time for the schedule to lower the rate. Measured by `tests/stopping.py`.
    Early,
}

impl Patience {
    /// Epochs that [`Patience::Early`] waits for at least.
    pub const AT_LEAST: usize = 20;

    pub(super) fn is_over(self, epoch: usize, best: &BestEpoch) -> bool {
        match self {
            Patience::Never => false,
            Patience::After(most) => best.waited >= most,
            Patience::Early => best.defined && epoch >= 2 * best.epoch + Patience::AT_LEAST,
        }
    }
}

/// Why training stopped.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Stopped {
    /// All epochs were made.
    Epochs,
    /// All steps were made.
    Steps,
    /// The time was up.
    Time,
    /// The target was reached.
    Target,
    /// No better value for too many epochs.
    Patience,
    /// Loss or gradient hardly changed any more.
    Converged,
    /// Weights, loss or gradient stopped being finite.
    Diverged {
        /// The step that showed it.
        step: u64,
        /// The loss; finite where it is the gradient that broke.
        loss: f64,
    },
    /// A signal of this number came.
    Signal(usize),
}

impl Stopped {
    /// The word of the summary.
    pub fn name(self) -> &'static str {
        match self {
            Stopped::Epochs => "epochs",
            Stopped::Steps => "steps",
            Stopped::Time => "time",
            Stopped::Target => "target",
            Stopped::Patience => "patience",
            Stopped::Converged => "converged",
            Stopped::Diverged { .. } => "diverged",
            Stopped::Signal(_) => "signal",
        }
    }

    /// Whether training was ended before it had come to its end, and may go on.
    pub fn leaves_off(self) -> bool {
        matches!(self, Stopped::Time | Stopped::Signal(_))
    }
}

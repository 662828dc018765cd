//! How long to train and under which conditions, and why training ends.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::best::BestEpoch;
use super::goal::{Goal, Watched};
use crate::data::{Augment, RowForm};
use crate::optim::schedule::Schedule;

/// How long to train, and under which conditions.
#[derive(Debug, Clone)]
pub struct FitOptions {
    /// Passes over the training part.
    pub epochs: usize,
    /// The epoch after which training ends in any case, to keep its last weights rather than the best; the schedule covers
    /// `epochs`.
    pub last_epoch: Option<usize>,
    /// The step after which training ends as if the time were up; schedules cover all steps.
    pub last_step: Option<u64>,
    /// The most optimizer steps.
    pub steps: Option<u64>,
    /// The time at which training ends at the latest.
    pub deadline: Option<Instant>,
    /// When even the first step is not begun any more.
    pub limit: Option<Instant>,
    /// Rows of a step.
    pub batch: usize,
    /// Whether rows are shuffled in every epoch.
    pub shuffle: bool,
    /// How rows are augmented in each epoch, and their form.
    pub augment: Option<(Augment, RowForm)>,
    /// Seed of the order of rows and of augmentation.
    pub seed: u64,
    /// Learning rate before the schedule.
    pub lr: f64,
    /// The schedule of the learning rate.
    pub schedule: Schedule,
    /// Training stops when this goal is reached.
    pub target: Option<Goal>,
    /// What decides the best weights and patience.
    pub monitor: Watched,
    /// How long training continues without a better value.
    pub patience: Patience,
    /// A value is better only if it improves by more than this.
    pub min_delta: f64,
    /// Training has converged when its loss changes by less than this from one epoch to the next.
    pub tol_loss: Option<f64>,
    /// Training has converged when the gradient norm falls to this.
    pub tol_grad: Option<f64>,
    /// Steps between two records.
    pub log_steps: Option<u64>,
    /// How often the state is saved; `None` for never.
    pub save_every: Option<Every>,
}

impl FitOptions {
    /// Whether the time is up after `made` steps.
    pub(super) fn time_is_up(&self, made: u64) -> bool {
        let end = if made == 0 { self.limit } else { self.deadline };
        self.last_step.is_some_and(|last| made >= last) || end.is_some_and(|end| Instant::now() >= end)
    }

    /// Whether training must stop after `made` steps.
    pub(super) fn must_stop(&self, signal: &AtomicUsize, made: u64) -> bool {
        let steps_are_made = self.steps.is_some_and(|most| made >= most);
        steps_are_made || signal.load(Ordering::Relaxed) != 0 || self.time_is_up(made)
    }
}

/// An interval between repeated actions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Every {
    /// After this number of optimizer steps.
    Steps(u64),
    /// At the first step after this number of seconds.
    Seconds(f64),
}

/// How long training continues without a better value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// For ever.
    Never,
    /// For this many epochs.
    After(usize),
    /// Until twice the number of the best epoch, and [`Patience::AT_LEAST`] epochs more. After an early best epoch training
    /// ends soon; after a late one the schedule has time to lower the rate. Measured by `tests/stopping.py`.
    Early,
}

impl Patience {
    /// The fewest epochs that [`Patience::Early`] waits.
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
    /// The largest number of steps was made.
    Steps,
    /// The time was up.
    Time,
    /// The target was reached.
    Target,
    /// There was no better value for too many epochs.
    Patience,
    /// Loss or gradient hardly changed.
    Converged,
    /// Weights, loss or gradient stopped being finite.
    Diverged {
        /// The step that diverged.
        step: u64,
        /// The loss; finite if only the gradient diverged.
        loss: f64,
    },
    /// A signal with this number arrived.
    Signal(usize),
}

impl Stopped {
    /// The word for it in the summary.
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

    /// Whether training was interrupted and may continue.
    pub fn leaves_off(self) -> bool {
        matches!(self, Stopped::Time | Stopped::Signal(_))
    }
}

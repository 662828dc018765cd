//! What a fit knows between two steps, beside the state of the trainer.

use serde::{Deserialize, Serialize};

use super::best::BestEpoch;
use super::history::History;
use super::kept::Kept;
use super::options::Stopped;
use crate::optim::schedule::Plateau;
use crate::train::TrainState;

/// What a fit knows between two steps, beside the state of the trainer. The default is the state before the first step.
#[derive(Debug, Clone, Default)]
pub struct FitState {
    /// What the fit has found out so far.
    pub(super) progress: FitProgress,
    /// The kept weights, once a fit has begun.
    pub(super) kept: Option<Kept>,
}

impl FitState {
    /// Lets training continue after it ended.
    pub fn prolong(&mut self) {
        self.progress.stopped = None;
    }
}

/// All that a run remembers between two steps. With the same data and configuration, training continues from it to the same
/// bits.
#[derive(Debug)]
pub struct RunState<'a> {
    /// Weights, optimizer and the current epoch.
    pub train: &'a mut TrainState,
    /// Best epoch, kept weights and history.
    pub fit: &'a mut FitState,
}

/// What a fit has found out so far.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct FitProgress {
    pub(super) best: BestEpoch,
    /// The learning rate of a schedule that follows the metric.
    pub(super) plateau: Option<Plateau>,
    pub(super) history: History,
    /// Running loss of the last epoch and of the one before.
    pub(super) losses: [Option<f64>; 2],
    /// Rows trained on.
    pub(super) rows: u64,
    /// Seconds since training began, without interruptions.
    pub(super) seconds: f64,
    /// Seconds of the steps alone.
    pub(super) step_seconds: f64,
    /// Why training ended, if the reason is permanent: neither time nor a signal.
    pub(super) stopped: Option<Stopped>,
}

//! All that a run remembers between two steps.

use serde::{Deserialize, Serialize};

use super::best::Best;
use super::history::History;
use super::kept::Kept;
use super::terms::Stopped;
use crate::kernel::{Line, zeroed};
use crate::model::Parameters;
use crate::optim::schedule::Plateau;
use crate::optim::{OptimizerSpec, OptimizerState};

/// All that a run remembers between two steps: whoever has it, the data and the configuration goes on to the same bits.
#[derive(Debug, Clone)]
pub struct TrainState {
    /// The weights as the last step left them.
    pub(super) parameters: Parameters,
    /// What the optimizer remembers, the number of steps included.
    pub(super) optimizer: OptimizerState,
    /// What is evaluated instead of the parameters: their moving average, or the one of Schedule-Free.
    pub(super) average: Option<Vec<Line>>,
    /// The epoch under way.
    pub(super) epoch: RunningEpoch,
    /// What the network said of each position of the epoch, `width` numbers each; of the positions that were seen.
    pub(super) outputs: Vec<f32>,
    /// Outputs of the network.
    pub(super) width: usize,
    /// What was found out so far.
    pub(super) progress: Progress,
    /// The weights that are kept, once a fit has begun.
    pub(super) kept: Option<Kept>,
}

/// An epoch under way; between two epochs, the next one before its first step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct RunningEpoch {
    /// Number of the epoch, from 0.
    pub(super) number: usize,
    /// Rows seen: the next batch begins here.
    pub(super) rows: usize,
    /// Sum of the losses, each times its weight.
    pub(super) loss: f64,
    /// Sum of the weights.
    pub(super) weight: f64,
    /// Seconds spent on it.
    pub(super) seconds: f64,
}

/// What a fit has found out so far.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Progress {
    pub(super) best: Best,
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
    /// Why training ended, where it did for a reason that stays: neither for time nor for a signal.
    pub(super) stopped: Option<Stopped>,
}

impl TrainState {
    /// Before the first step of epochs of up to `rows` rows with `width` outputs each; `averages` says whether something else
    /// than the parameters is evaluated.
    pub(super) fn new(
        parameters: Parameters,
        optimizer: &OptimizerSpec,
        averages: bool,
        (rows, width): (usize, usize),
    ) -> TrainState {
        let lines = parameters.lines.len();
        TrainState {
            optimizer: OptimizerState::new(optimizer, lines),
            average: averages.then(|| zeroed(lines)),
            epoch: RunningEpoch::default(),
            outputs: vec![0.0; rows * width],
            width,
            progress: Progress::default(),
            kept: None,
            parameters,
        }
    }

    /// Optimizer steps so far.
    pub fn steps(&self) -> u64 {
        self.optimizer.steps
    }

    /// Lets training go on after it came to its end.
    pub fn prolong(&mut self) {
        self.progress.stopped = None;
    }

    /// Epochs that are over.
    pub fn epochs(&self) -> usize {
        self.epoch.number
    }
}

impl RunningEpoch {
    /// Goes on to the next epoch.
    pub(super) fn finish(&mut self) {
        *self = RunningEpoch { number: self.number + 1, ..RunningEpoch::default() };
    }
}

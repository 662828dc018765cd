//! All that a trainer remembers between two steps.

use serde::{Deserialize, Serialize};

use crate::kernel::{Line, zeroed};
use crate::model::Parameters;
use crate::optim::{OptimizerSpec, OptimizerState};

/// All that a trainer remembers between two steps. With the same data and settings, further steps give the same bits.
#[derive(Debug, Clone)]
pub struct TrainState {
    /// The weights as the last step left them.
    pub(crate) parameters: Parameters,
    /// The state of the optimizer, including the number of steps.
    pub(crate) optimizer: OptimizerState,
    /// What is evaluated instead of the parameters: their moving average, or that of Schedule-Free.
    pub(crate) average: Option<Vec<Line>>,
    /// The current epoch.
    pub(crate) epoch: RunningEpoch,
    /// The network's outputs at each position of the epoch seen so far, `width` numbers each.
    pub(crate) outputs: Vec<f32>,
    /// Outputs of the network, times the number of its members that have rows of their own.
    pub(crate) width: usize,
}

/// The current epoch; between two epochs, the next one before its first step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct RunningEpoch {
    /// Number of the epoch, from 0.
    pub(crate) number: usize,
    /// Rows seen: the next batch begins here.
    pub(crate) rows: usize,
    /// Sum of the losses, each times its weight.
    pub(crate) loss: f64,
    /// Sum of the weights.
    pub(crate) weight: f64,
    /// Seconds spent on the epoch.
    pub(crate) seconds: f64,
}

impl TrainState {
    /// The state before the first step, for epochs of up to `rows` rows with `width` outputs each. `averages` says whether an
    /// average is evaluated instead of the parameters.
    pub(crate) fn new(
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
            parameters,
        }
    }

    /// Optimizer steps so far.
    pub fn steps(&self) -> u64 {
        self.optimizer.steps
    }

    /// Completed epochs.
    pub fn epochs(&self) -> usize {
        self.epoch.number
    }
}

impl RunningEpoch {
    /// Moves to the next epoch.
    pub(crate) fn finish(&mut self) {
        *self = RunningEpoch { number: self.number + 1, ..RunningEpoch::default() };
    }
}

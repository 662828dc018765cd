//! The engine of training: the synchronised step, its threads, what lasts from step to step, and evaluation.

mod backward;
mod batch;
mod clock;
mod data_pass;
mod epoch;
mod evaluate;
mod forward;
mod full_batch;
mod gather;
mod loss;
mod mean;
mod orthogonal;
mod pieces;
mod preparation;
mod prepare;
mod record;
mod rows;
mod settings;
mod shared;
mod state;
mod step;
mod sums;
pub mod team;
mod trainer;
mod windows;
mod worker;
mod workspace;

pub use crate::score::Evaluation;
pub(crate) use batch::{BLOCK_ROWS, block_rows};
pub use clock::{Phase, PhaseTimes};
pub use data_pass::DataPass;
pub use epoch::{EpochOutcome, EpochPlan, Halt};
pub use evaluate::Evaluator;
pub(crate) use evaluate::block_rows as evaluated_rows;
pub(crate) use forward::splits_first_layer;
pub(crate) use record::Recent;
pub use record::StepRecord;
pub use settings::{Largest, Schedules, StepSettings};
pub(crate) use state::RunningEpoch;
pub use state::TrainState;
pub use sums::{LayerNorms, StepStats};
pub use trainer::Trainer;

#[cfg(test)]
mod tests;

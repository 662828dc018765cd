//! Training: epochs, the synchronised step, its threads, stopping rules and events.

mod backward;
pub mod best;
mod clock;
mod data_pass;
pub mod divergence;
pub mod evaluate;
pub mod events;
pub mod fit;
mod forward;
mod full_batch;
mod gather;
pub mod goal;
pub mod history;
mod kept;
mod loss;
mod mean;
mod orthogonal;
mod pieces;
mod preparation;
mod prepare;
mod saved;
mod settings;
mod shared;
mod state;
mod step;
mod sums;
pub mod team;
mod terms;
mod trainer;
mod windows;
mod workspace;

pub use crate::score::Evaluation;
pub use clock::{Phase, PhaseTimes};
pub use data_pass::DataPass;
pub use evaluate::Evaluator;
pub(crate) use evaluate::block_rows as evaluated_rows;
pub(crate) use forward::splits_first_layer;
pub use saved::SavedState;
pub use settings::{Schedules, StepSettings};
pub use state::TrainState;
pub(crate) use step::{BLOCK_ROWS, block_rows};
pub use sums::{LayerNorms, StepStats};
pub use trainer::{EpochOutcome, EpochPlan, Halt, Trainer};

#[cfg(test)]
mod tests;

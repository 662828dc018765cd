//! Training: epochs, the synchronised step, its threads, stopping rules and events.

mod backward;
pub mod best;
mod clock;
pub mod constant;
mod data_pass;
pub mod divergence;
pub mod evaluate;
pub mod events;
pub mod fit;
mod forward;
mod full_batch;
mod gather;
pub mod goal;
pub mod held_out;
pub mod history;
pub mod judged;
mod kept;
mod loss;
mod mean;
mod orthogonal;
mod pieces;
mod preparation;
mod prepare;
pub mod readout;
mod saved;
pub mod score;
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

pub use clock::{Phase, PhaseTimes};
pub use data_pass::DataPass;
pub(crate) use evaluate::block_rows as evaluated_rows;
pub use evaluate::{Evaluation, Evaluator};
pub(crate) use forward::splits_first_layer;
pub use saved::SavedState;
pub use settings::{Schedules, StepSettings};
pub use state::TrainState;
pub(crate) use step::{BLOCK_ROWS, block_rows};
pub use sums::{LayerNorms, StepStats};
pub use trainer::{EpochOutcome, EpochPlan, Halt, Trainer};

#[cfg(test)]
mod tests;

//! Training: epochs, the synchronised step, its threads, stopping rules and events.

mod backward;
pub mod evaluate;
mod forward;
mod gather;
mod loss;
mod settings;
mod shared;
mod step;
mod sums;
pub mod team;
mod trainer;
mod workspace;

pub use evaluate::{Evaluation, Evaluator};
pub use settings::StepSettings;
pub use sums::StepStats;
pub use trainer::{EpochOutcome, EpochPlan, Halt, StepRecord, Trainer};

#[cfg(test)]
mod tests;

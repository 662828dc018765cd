//! Training: epochs, the synchronised step, its threads, stopping rules and events.

mod backward;
mod forward;
mod gather;
mod loss;
mod settings;
mod shared;
mod step;
mod sums;
pub mod team;
mod workspace;

pub use settings::StepSettings;
pub use sums::StepStats;

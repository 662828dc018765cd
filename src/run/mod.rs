//! One training run, from a checked configuration to a run directory.

mod baseline;
mod cross_validation;
mod directory;
mod execution;
mod overfit;
mod plan;
mod summary;
mod trace;

pub use baseline::{Baseline, Constant, doubts};
pub use cross_validation::{CrossValidation, Fold};
pub use directory::{RunDirectory, default_path, is_run, path_among_runs, read_summary};
pub use execution::Finished;
pub use overfit::{OverfitReport, overfit_batch};
pub use plan::Plan;
pub use summary::{JudgedPart, Summary};
pub use trace::trace;

//! One training run, from a checked configuration to a run directory.

mod auto;
mod baseline;
mod checkpoint;
mod cross_validation;
mod decide;
mod directory;
mod ensemble;
mod execution;
mod fingerprint;
mod form;
mod inputs;
mod interrupt;
mod keeper;
mod linear;
mod member;
mod memory;
mod overfit;
mod plan;
mod room;
mod summary;
mod trace;

pub use baseline::{Baseline, Constant, doubts};
pub use checkpoint::Checkpoint;
pub use cross_validation::{CrossValidation, Curve, Fold};
pub use directory::{CONFIG_FILE, RUNS, RunDirectory, is_run, new_directory, new_file, read_summary};
pub use execution::Finished;
pub use fingerprint::fingerprint;
pub use interrupt::Interrupt;
pub use member::Member;
pub use overfit::{OverfitReport, overfit_batch};
pub use plan::Plan;
pub use summary::{JudgedPart, Summary};
pub use trace::trace;

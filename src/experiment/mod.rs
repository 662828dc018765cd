//! Questions that take many runs of a model.

mod bench;
pub mod compare;
mod cross_validation;
mod ensemble;
mod importance;
mod lr_find;
mod machine;
mod memory;
mod profile;
pub mod quasi_random;
mod scaling;
mod side_by_side;
mod steal;
mod training;
pub mod tune;
mod waiting;
mod workloads;

pub use bench::{BenchRun, bench, threads_at_work};
pub use cross_validation::with_cross_validation;
pub use ensemble::{ensemble_of_folds, train_ensemble};
pub use importance::{ColumnImportance, Importance, permutation_importance};
pub use lr_find::{Band, LrFind, Sweep, check_sweeps, lr_find};
pub use machine::{Footprint, Peaks, Together};
pub use profile::{Limit, PhaseShare, Profile};
pub use scaling::{CORES, Prediction, ScalingModel};
pub use side_by_side::{Sharing, share_threads, side_by_side};
pub use training::{TrainNetwork, Training};
pub use workloads::{BenchTask, Widths, Workload};

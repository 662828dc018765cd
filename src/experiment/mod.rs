//! Questions that take many runs of a model.

mod bench;
pub mod compare;
mod importance;
mod machine;
mod memory;
mod profile;
pub mod quasi_random;
mod scaling;
mod side_by_side;
pub mod statistics;
mod workloads;

pub use bench::{BenchRun, bench};
pub use importance::{ColumnImportance, Importance, permutation_importance};
pub use machine::{Footprint, Peaks, Together};
pub use profile::{Limit, PhaseShare, Profile};
pub use scaling::{CORES, Prediction, ScalingModel};
pub use side_by_side::side_by_side;
pub use workloads::{BenchTask, Widths, Workload};

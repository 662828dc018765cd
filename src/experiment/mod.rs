//! Questions that take many runs of a model.

mod bench;
mod importance;
mod machine;
mod memory;
mod profile;
mod scaling;
mod workloads;

pub use bench::{BenchRun, bench};
pub use importance::{ColumnImportance, Importance, permutation_importance};
pub use machine::{Footprint, Peaks, Together};
pub use profile::{Limit, PhaseShare, Profile};
pub use scaling::{CORES, Prediction, ScalingModel};
pub use workloads::{BenchTask, Widths, Workload};

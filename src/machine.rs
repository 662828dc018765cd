//! The speed of this machine, and how close training steps come to it.

mod bench;
mod memory;
mod peaks;
mod profile;
mod scaling;
mod steal;
mod waiting;
mod workloads;

pub use bench::{BenchRun, bench, threads_at_work};
pub(crate) use peaks::processor;
pub use peaks::{Footprint, Peaks, Together};
pub use profile::{Limit, PhaseShare, Profile};
pub use scaling::{CORES, Prediction, ScalingModel};
pub use workloads::{BenchTask, Widths, Workload};

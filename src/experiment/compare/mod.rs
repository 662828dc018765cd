//! Optimizers side by side on the same problems, by one protocol.

mod analysis;
mod figure;
pub mod records;
#[cfg(test)]
pub(crate) mod simulated;
pub mod summary;
mod summary_rows;

pub use analysis::{Grouped, analyse, target};
pub use figure::{figure, p_value};
pub use summary::Summary;
pub use summary_rows::{SummaryTable, summary_tables};

/// Chance that a comparison of tied optimizers claims any difference.
pub const ALPHA: f64 = 0.05;
/// Performance profiles are scored up to this many times the least steps, as AlgoPerf's.
pub const TAU_MAX: f64 = 4.0;
/// Confidence of intervals.
pub const LEVEL: f64 = 0.95;

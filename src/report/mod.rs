//! Finished results for a person to look at: charts and pages. Knows the data of `experiment/`, and nothing of how they
//! were made.

mod axis;
mod chart;
mod ink;

pub use axis::Scale;
pub use chart::{Chart, ChartAxis, Series};

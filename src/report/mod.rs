//! Finished results for a person to look at: charts and pages. Knows the data of `experiment/`, and nothing of how they
//! were made.

mod axis;
mod chart;
mod compare;
mod ink;
mod page;

pub use axis::Scale;
pub use chart::{Chart, ChartAxis, Series};
pub use compare::report_html;

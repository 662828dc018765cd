//! Presentation of finished results: charts and pages. It knows the data of `experiment/`, but not how they were computed.

mod axis;
mod chart;
mod compare;
mod ink;
mod page;

pub use axis::AxisScale;
pub use chart::{Chart, ChartAxis, Series};
pub use compare::report_html;

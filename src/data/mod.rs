//! From files to matrices: reading, typing, preparing, splitting and ordering rows.

mod dataset;

pub use dataset::{Dataset, Features, Targets};

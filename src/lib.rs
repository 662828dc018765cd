//! gradlane trains feed-forward networks on multicore CPUs.

pub mod atomic;
pub mod config;
pub mod data;
pub mod error;
pub mod experiment;
pub mod export;
pub mod kernel;
pub mod layer;
pub mod metrics;
pub mod model;
pub mod nn;
pub mod optim;
pub mod path_text;
pub mod predict;
pub mod report;
pub mod rng;
pub mod run;
pub mod spec;
pub mod statistics;
pub mod train;
pub mod warning;

pub use error::{Error, Result, Unit};
pub use warning::{Warning, WarningKind};

//! Several configurations that a plan trains on the same folds.

use crate::config::TrainConfig;
use crate::data::{Prepared, Way};

/// Several configurations that are ready to be trained on the same folds.
pub struct PlannedPortfolio {
    /// The configurations, in the order in which they are trained.
    pub entries: Vec<PlannedEntry>,
    /// The data with the inputs of all configurations.
    pub joint: Prepared,
}

/// One of these configurations.
pub struct PlannedEntry {
    /// Its preset.
    pub name: &'static str,
    /// All its options.
    pub config: TrainConfig,
    /// How its inputs are prepared.
    pub way: Way,
}

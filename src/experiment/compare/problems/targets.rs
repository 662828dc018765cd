//! The target losses of the built-in problems: a table that was computed once.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Made by `examples/compare_targets.rs`, which states the rule.
const TABLE: &str = include_str!("targets.toml");

/// The target of a problem.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ProblemTarget {
    /// Validation loss to reach.
    pub val_loss: f64,
    /// The setting that reached it.
    pub optimizer: String,
    /// Its schedule.
    pub schedule: String,
}

impl ProblemTarget {
    /// The origin of the target, as text.
    pub fn source(&self) -> String {
        format!(
            "median over 20 runs of {} ({}), the best of 80 settings, after half the steps; see examples/compare_targets.rs",
            self.optimizer, self.schedule
        )
    }
}

/// The target of the problem of this name.
///
/// If the compiled-in table is invalid.
pub fn of(problem: &str) -> Option<ProblemTarget> {
    let mut table: BTreeMap<String, ProblemTarget> = toml::from_str(TABLE).expect("targets.toml is a table of targets");
    table.remove(problem)
}

//! The losses to reach on built-in problems: a table that was made once and is kept.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Made by the program of the same name among the examples, which says how.
const TABLE: &str = include_str!("targets.toml");

/// The target of a problem.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Target {
    /// Validation loss.
    pub val_loss: f64,
    /// The setting that reached it.
    pub optimizer: String,
    /// Its schedule.
    pub schedule: String,
}

impl Target {
    /// Where it is from.
    pub fn source(&self) -> String {
        format!(
            "median over 20 runs of {} ({}), the best of 80 settings, after half the steps; see examples/compare_targets.rs",
            self.optimizer, self.schedule
        )
    }
}

/// The target of the problem of this name.
///
/// # Panics
/// If the table is damaged: it is part of the program.
pub fn of(problem: &str) -> Option<Target> {
    let mut table: BTreeMap<String, Target> = toml::from_str(TABLE).expect("targets.toml is a table of targets");
    table.remove(problem)
}

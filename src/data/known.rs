//! Statistics of a column in the training rows, with which new rows are compared.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::cell::canonical_level;
use super::statistics::NumberSummary;

/// Number of rare levels that are stored by name.
const MOST_RARE: usize = 1000;
/// Quantiles between which 98 % of the values are.
const BULK: (f64, f64) = (0.01, 0.99);

/// Statistics of a column in the training rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Known {
    /// Of numbers, and of dates as numbers.
    Numbers {
        /// Smallest.
        min: f64,
        /// The 1 % quantile.
        low: f64,
        /// The 99 % quantile.
        high: f64,
        /// Largest.
        max: f64,
        /// Share of the rows without a value.
        missing: f64,
        /// Whether all are whole. Older models do not say.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        whole: bool,
    },
    /// Of categories.
    Levels {
        /// Levels without an input or number of their own.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        rare: Vec<String>,
        /// Whether there were more rare levels than are stored.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        more: bool,
        /// Share of the rows without a value.
        missing: f64,
    },
}

impl Known {
    /// Statistics of a number column. `rows` is the number of training rows, including those with a missing value.
    pub(super) fn of_numbers(summary: &NumberSummary, rows: usize) -> Self {
        let present = summary.sorted().len();
        Known::Numbers {
            min: summary.min(),
            low: summary.quantile(BULK.0),
            high: summary.quantile(BULK.1),
            max: summary.max(),
            missing: 1.0 - present as f64 / rows.max(1) as f64,
            whole: summary.sorted().iter().all(|value| value.fract() == 0.0),
        }
    }

    /// Statistics of a text column. `seen` are the levels in the training rows, `inputs` those with an input or number.
    pub(super) fn of_levels(seen: &[&String], inputs: &[String], missing: f64) -> Self {
        let own: std::collections::HashSet<&String> = inputs.iter().collect();
        let mut rare: Vec<String> = seen.iter().filter(|level| !own.contains(*level)).map(|l| (*l).clone()).collect();
        rare.sort_unstable();
        let more = rare.len() > MOST_RARE;
        rare.truncate(MOST_RARE);
        Known::Levels { rare, more, missing }
    }

    /// The position of each level by its normal form, without forms that several levels share.
    pub(super) fn spellings(&self, levels: &[String]) -> HashMap<String, usize> {
        let Known::Levels { rare, .. } = self else { return HashMap::new() };
        let mut places: HashMap<String, Option<usize>> = HashMap::new();
        let all = levels.iter().enumerate().map(|(place, level)| (level, Some(place)));
        for (level, place) in all.chain(rare.iter().map(|level| (level, None))) {
            places.entry(normal_form(level)).and_modify(|found| *found = None).or_insert(place);
        }
        places.into_iter().filter_map(|(form, place)| Some((form, place?))).collect()
    }

    /// Share of the rows without a value.
    pub(super) fn missing(&self) -> f64 {
        match self {
            Known::Numbers { missing, .. } | Known::Levels { missing, .. } => *missing,
        }
    }
}

/// A level without differences that are common between programs: case, blanks, `1.0` for `1`.
pub(super) fn normal_form(level: &str) -> String {
    let level = canonical_level(level, true);
    level.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

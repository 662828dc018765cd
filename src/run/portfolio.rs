//! The plan of a run of several configurations on the same folds.

use std::sync::Arc;
use std::time::Duration;

use super::form::affordable_epochs;
use super::plan::Plan;
use super::planned::{PlannedEntry, PlannedPortfolio};
use crate::config::{Portfolio, StoppingOptions, TrainConfig};
use crate::data::{FoldCount, Folds, Joint, Loaded, PartFrom, Sketch};
use crate::fit::Patience;
use crate::option_text::{option, setting};
use crate::{Error, Result};

/// Numbers of rows at which the number of folds changes.
const FEW_ROWS: usize = 100;
const MANY_ROWS: usize = 100_000;

/// The number of folds for this number of rows.
fn folds_for(rows: usize) -> FoldCount {
    let folds = match rows {
        0..FEW_ROWS => 5,
        FEW_ROWS..MANY_ROWS => 8,
        _ => 4,
    };
    FoldCount { folds, repeats: 1 }
}

/// The default time limit: a constant, an addition for each row, and a maximum.
const LIMIT: f64 = 60.0;
const LIMIT_OF_ROW: f64 = 0.04;
const MOST: f64 = 3600.0;

/// The default time limit for this number of rows.
fn limit_for(rows: usize) -> Duration {
    Duration::from_secs((LIMIT + LIMIT_OF_ROW * rows as f64).min(MOST).round() as u64)
}

/// Decides what the options of a portfolio leave open, and returns notes about it.
fn decided(portfolio: &mut Portfolio, asked: &StoppingOptions, data: &Sketch) -> Vec<String> {
    let limit = limit_for(data.rows);
    let (count, of) = (portfolio.entries[0].config.cv.unwrap_or_else(|| folds_for(data.rows)), portfolio.entries.len());
    let (epochs_open, began, is_open) = (!portfolio.gives("epochs"), portfolio.began, portfolio.is_open);
    for config in portfolio.entries.iter_mut().map(|entry| &mut entry.config) {
        config.cv = Some(count);
        config.data.valid = PartFrom::None;
        let stopping = &mut config.stopping;
        (stopping.time_limit, stopping.deadline) = (asked.time_limit, asked.deadline);
        if is_open && stopping.time_limit.is_none() {
            (stopping.time_limit, stopping.deadline) = (Some(limit), began.checked_add(limit));
        }
        if epochs_open && stopping.patience == Some(Patience::Never) {
            let affordable = affordable_epochs(config, data);
            config.stopping.epochs = config.stopping.epochs.map(|epochs| epochs.min(affordable));
        }
    }
    let limit = portfolio.entries[0].config.stopping.time_limit;
    let time = limit.map_or("however long they take".to_owned(), |limit| {
        format!("as many as {} s allow ({} changes it)", limit.as_secs_f64(), option("time_limit"))
    });
    vec![format!("preset: best, networks of {} folds for each of {of} configurations, {time}", count.folds)]
}

impl Plan {
    /// The plan of the first configuration of a portfolio, with all of them, and the folds.
    ///
    /// # Errors
    /// Errors in preparing the data, and options that do not fit them.
    pub(super) fn of_portfolio(config: TrainConfig, loaded: Loaded) -> Result<(Plan, Folds)> {
        let sketch = loaded.sketch();
        let mut config = config.for_task(sketch.task);
        let mut portfolio = *config.portfolio.take().expect("the caller has seen it");
        let notes = decided(&mut portfolio, &config.stopping, &sketch);
        let count = portfolio.entries[0].config.cv.expect("it was decided");
        let options: Vec<_> = portfolio.entries.iter().map(|entry| &entry.config.data).collect();
        let Joint { prepared: joint, ways, folds } = loaded.prepare_jointly(&options, config.seed, count)?;
        let in_folds: usize = (0..folds.len()).map(|number| folds.places(number).len()).sum();
        if in_folds != joint.split.train.len() {
            let by_time = setting("split", "time:COLUMN");
            let message = format!("it needs every row in one fold, and {by_time} leaves the first ones in none");
            return Err(Error::Mismatch(message).of_value("preset", "best"));
        }
        let entries = portfolio.entries.iter().zip(ways);
        let entries: Vec<PlannedEntry> =
            entries.map(|(entry, way)| PlannedEntry { name: entry.name, config: entry.config.clone(), way }).collect();
        let first = TrainConfig { portfolio: Some(Box::new(portfolio)), ..entries[0].config.clone() };
        let mut plan = Plan::over(first, Arc::new(joint.of_way(&entries[0].way)))?;
        plan.notes = notes;
        plan.portfolio = Some(PlannedPortfolio { entries, joint });
        Ok((plan, folds))
    }

    /// The configuration as a file that repeats the run of these configurations; without a time limit if `limited` is false.
    pub fn portfolio_toml(&self, names: &[&str], limited: bool) -> String {
        let mut config = self.config.clone();
        if let Some(portfolio) = &mut config.portfolio {
            portfolio.entries.retain(|entry| names.contains(&entry.name));
        }
        if !limited {
            config.stopping.time_limit = None;
        }
        self.toml_of(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_and_time_follow_the_rows() {
        assert_eq!([60, 100, 5_000, 100_000].map(|rows| folds_for(rows).folds), [5, 8, 8, 4]);
        assert_eq!([150, 1_000, 50_000, 10_000_000].map(|rows| limit_for(rows).as_secs()), [66, 100, 2_060, 3_600]);
    }
}

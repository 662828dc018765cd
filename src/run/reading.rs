//! Reads the data of a configuration, and plans its run.

use std::sync::Arc;

use super::form::chosen;
use super::plan::Plan;
use crate::config::TrainConfig;
use crate::data::{Folds, Loaded};
use crate::fit::Patience;
use crate::option_text::setting;
use crate::{Error, Result};

impl Plan {
    /// Reads and prepares the data and decides what the configuration leaves open.
    ///
    /// # Errors
    /// Errors in reading and preparing the data, and options that do not fit the data.
    pub fn new(config: TrainConfig) -> Result<Plan> {
        Ok(Plan::with_folds(config)?.0)
    }

    /// The same, with the folds of a cross-validation if one is configured; the plan is then for all rows.
    ///
    /// # Errors
    /// As [`Plan::new`], and [`crate::Error::Mismatch`] if there are fewer rows than folds.
    pub fn with_folds(config: TrainConfig) -> Result<(Plan, Option<Folds>)> {
        let loaded = Loaded::read(&config.data)?;
        if config.portfolio.is_some() {
            let (plan, folds) = Plan::of_portfolio(config, loaded)?;
            return Ok((plan, Some(folds)));
        }
        let (config, note) = chosen(config, &loaded.sketch());
        let (prepared, folds) = match config.cv {
            None => (loaded.prepare(&config.data, config.seed)?, None),
            Some(count) => {
                let (whole, folds) = loaded.prepare_folds(&config.data, config.seed, count)?;
                (whole, Some(folds))
            }
        };
        let mut plan = Plan::over(config, Arc::new(prepared))?;
        plan.refuse_idle_min_delta()?;
        plan.notes.splice(0..0, note);
        Ok((plan, folds))
    }

    fn refuse_idle_min_delta(&self) -> Result<()> {
        let min_delta = self.config.stopping.min_delta;
        if min_delta == 0.0 || self.patience() != Patience::Never {
            return Ok(());
        }
        let message =
            format!("it decides what resets the patience, and there is none: add {}", setting("patience", "N"));
        Err(Error::Usage(message).of_value("min_delta", min_delta))
    }
}

//! A search that is ready to begin: the data, the space, and the configuration of each trial.

use std::sync::Arc;

use super::journal::Trial;
use super::protocol::{Budget, TuneProtocol};
use super::space::Space;
use crate::config::{Settings, TrainConfig};
use crate::data::{Dataset, Folds, Loaded, Prepared};
use crate::experiment::quasi_random::point;
use crate::fit::{DataPart, Watched, default_monitor};
use crate::option_text::setting;
use crate::run::{Plan, fingerprint};
use crate::{Error, Result};

/// Upper limit of the trials whose configurations are checked before the search begins.
const MOST_CHECKED: usize = 100;

/// A search that is ready to begin. The data are read and prepared once.
pub struct Tuner {
    settings: Settings,
    space: Space,
    /// The data of every trial: one data set with a validation part, or the folds.
    pub(super) data: Vec<Arc<Prepared>>,
    /// The data for training with the best settings: the same data set, or all rows if there are folds.
    pub(super) whole: Arc<Prepared>,
    pub(super) folds: Option<Folds>,
    /// The plan of the settings without a search.
    pub(super) base: Plan,
    pub(super) metric: Watched,
}

impl Tuner {
    /// Reads and prepares the data, and checks that settings and space fit each other.
    ///
    /// # Errors
    /// As training with these settings; [`Error::Option`] for a metric that is not measured on the validation part;
    /// [`Error::Mismatch`] if there is no validation part.
    pub fn new(settings: Settings, space: Space, metric: Option<Watched>) -> Result<Tuner> {
        space.check_free(&settings)?;
        let config = TrainConfig::new(settings.clone())?;
        config.refuse_portfolio()?;
        let metric = metric.or(config.stopping.monitor);
        if let Some(metric) = metric.filter(|metric| metric.part != DataPart::Val) {
            let message = format!("trials are compared by val_{}", metric.metric);
            return Err(Error::Usage(message).of_value("monitor", metric));
        }
        let loaded = Loaded::read(&config.data)?;
        let config = config.for_task(loaded.sketch().task);
        let (whole, folds) = match config.cv {
            None => (loaded.prepare(&config.data, config.seed)?, None),
            Some(count) => {
                let (whole, folds) = loaded.prepare_folds(&config.data, config.seed, count)?;
                (whole, Some(folds))
            }
        };
        if folds.is_none() && whole.val.is_none() {
            let (none, folds) = (setting("valid", "none"), setting("cv", 5));
            let message = format!("there is no validation part to compare trials on: leave out {none}, or use {folds}");
            return Err(Error::Mismatch(message));
        }
        let whole = Arc::new(whole);
        let data = match &folds {
            None => vec![Arc::clone(&whole)],
            Some(folds) => (0..folds.len()).map(|n| folds.prepare(n).map(Arc::new)).collect::<Result<_>>()?,
        };
        let base = Plan::over(config, Arc::clone(&whole))?;
        let metric = metric.unwrap_or_else(|| default_monitor(data[0].val.as_ref()));
        if !metric.metric.applies_to(whole.preprocessing.task()) {
            let message = format!("a {} task has no {}", whole.preprocessing.task(), metric.metric);
            return Err(Error::Mismatch(message).of_value("monitor", metric));
        }
        Ok(Tuner { settings, space, data, whole, folds, base, metric })
    }

    /// The plan with the settings given, without a search. Its epochs are those of a full run.
    pub fn base(&self) -> &Plan {
        &self.base
    }

    /// The metric by which trials are compared.
    pub fn metric(&self) -> Watched {
        self.metric
    }

    /// The search space.
    pub fn space(&self) -> &Space {
        &self.space
    }

    /// Folds of each trial; 1 if there is a validation part instead.
    pub fn folds(&self) -> usize {
        self.data.len()
    }

    /// Rows of the validation part; `None` if there are folds.
    pub fn validation_rows(&self) -> Option<usize> {
        let val = self.whole.val.as_ref().filter(|_| self.folds.is_none());
        val.map(Dataset::rows)
    }

    /// Everything that must stay the same for a search to be resumed.
    pub fn protocol(&self) -> TuneProtocol {
        TuneProtocol::new(&self.settings, &self.space, self.metric, self.base.epochs)
            .with_network(self.base.config.model.network.as_ref())
            .with_kernels(self.base.config.threads.isa)
            .over(fingerprint(&self.whole))
    }

    /// Options of a trial, counted from 1. The first has none: it is the configuration without a search.
    pub(super) fn options(&self, trial: usize) -> Result<toml::Table> {
        match self.point(trial) {
            None => Ok(toml::Table::new()),
            Some(point) => self.space.options_at(&point, &self.settings),
        }
    }

    /// The point of a trial in the space; `None` for the first.
    fn point(&self, trial: usize) -> Option<Vec<f64>> {
        let number = trial.checked_sub(2)?;
        Some(point(self.space.parameters.len(), number, self.base.config.seed))
    }

    /// Checks the configurations of the first trials, so that a space with invalid values is found before a directory is
    /// created.
    ///
    /// # Errors
    /// [`Error::Usage`] if the space has values that training does not accept.
    pub fn check(&self, budget: Budget) -> Result<()> {
        let trials = match budget {
            Budget::Trials(trials) => trials.min(MOST_CHECKED),
            Budget::Time(_) => MOST_CHECKED,
        };
        (1..=trials).try_for_each(|trial| self.config(&self.options(trial)?, 1).map(drop))
    }

    /// The configuration of a trial.
    ///
    /// # Errors
    /// [`Error::Usage`] if the space has values that training does not accept.
    pub(super) fn config(&self, options: &toml::Table, epochs: usize) -> Result<TrainConfig> {
        let mut config = TrainConfig::new(self.space.with_options(&self.settings, options))?;
        config.stopping.epochs = Some(epochs);
        config.stopping.monitor = Some(self.metric);
        Ok(config)
    }

    /// A message for each parameter whose best value is near an edge of its range.
    pub fn edges(&self, best: &Trial) -> Vec<String> {
        self.point(best.trial).map_or(Vec::new(), |point| self.space.edges(&point))
    }
}

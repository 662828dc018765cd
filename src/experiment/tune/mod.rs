//! Hyperparameter search: quasi-random trials and successive halving, with every run recorded.

mod directory;
mod halving;
mod journal;
mod protocol;
mod range;
mod runs;
mod space;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

pub use directory::TuneDirectory;
pub use halving::{Rung, rungs};
pub use journal::{Trial, TrialJournal};
pub use protocol::{Budget, TuneProtocol};
pub use range::SearchRange;
pub use space::{Parameter, STANDARD, Space};

use super::cross_validation::with_cross_validation;
use super::quasi_random::point;
use super::training::Training;
use crate::config::{Settings, TrainConfig};
use crate::data::{Dataset, Folds, Loaded, Prepared};
use crate::fit::{DataPart, Event, Watched, default_monitor};
use crate::option_text::setting;
use crate::run::{Finished, Interrupt, Plan, RunDirectory, fingerprint};
use crate::train::team::available_threads;
use crate::{Error, Result};
use runs::Workers;

/// Settings of a bracket if the budget is a time: brackets of this size follow each other until the time is up.
const BRACKET: usize = 9;

/// Share of a time limit for the search. The rest is for training with the best settings.
const SEARCH_SHARE: f64 = 0.75;

/// Upper limit of the trials whose configurations are checked before the search begins.
const MOST_CHECKED: usize = 100;

/// A search that is ready to begin. The data are read and prepared once.
pub struct Tuner {
    settings: Settings,
    space: Space,
    /// The data of every trial: one data set with a validation part, or the folds.
    data: Vec<Arc<Prepared>>,
    /// The data for training with the best settings: the same data set, or all rows if there are folds.
    whole: Arc<Prepared>,
    folds: Option<Folds>,
    /// The plan of the settings without a search.
    base: Plan,
    metric: Watched,
}

/// The state of a search when it ended.
#[derive(Debug, Clone)]
pub struct Found {
    /// The reason why it ended: `budget`, `time` or `signal`.
    pub stopped: &'static str,
    /// All trials, best first.
    pub trials: Vec<Trial>,
    /// Number of settings tried.
    pub tried: usize,
    /// Number of trials made by this call, without those recorded before an interruption.
    pub made: usize,
    /// Seconds of the search.
    pub seconds: f64,
}

/// The progress of a search.
#[derive(Debug, Clone, Copy)]
pub struct TuneProgress<'a> {
    /// The trial that has just ended.
    pub trial: &'a Trial,
    /// The best trial so far.
    pub best: &'a Trial,
    /// Number of trials that have ended, including those recorded before an interruption.
    pub done: usize,
    /// Total number of trials; `None` if the budget is a time.
    pub of: Option<usize>,
    /// Epochs that have ended, over all trials and folds, and their total number.
    pub epochs: (usize, Option<usize>),
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
    fn options(&self, trial: usize) -> Result<toml::Table> {
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
    fn config(&self, options: &toml::Table, epochs: usize) -> Result<TrainConfig> {
        let mut config = TrainConfig::new(self.space.with_options(&self.settings, options))?;
        config.stopping.epochs = Some(epochs);
        config.stopping.monitor = Some(self.metric);
        Ok(config)
    }

    /// Runs the search and records every trial in `directory`; `observe` is called after each trial.
    ///
    /// With a budget in trials, the result does not depend on the number of threads or on interruptions. After a signal, or
    /// when the budget's time is up, running trials are finished and no others are begun. Three quarters of a time limit are
    /// for the search; trials that have not ended by then are not recorded.
    ///
    /// # Errors
    /// [`Error::Usage`] if the space has values that training does not accept, [`Error::Io`] if a trial cannot be recorded.
    pub fn search(
        &self,
        directory: &TuneDirectory,
        budget: Budget,
        signal: &AtomicUsize,
        observe: &(dyn Fn(TuneProgress<'_>) + Sync),
    ) -> Result<Found> {
        let began = Instant::now();
        let budgeted = match budget {
            Budget::Trials(_) => None,
            Budget::Time(time) => began.checked_add(time),
        };
        // A time limit covers the search and the run after it.
        let limit = self.base.config.stopping.deadline.map(|end| began + (end - began).mul_f64(SEARCH_SHARE));
        let deadline = budgeted.into_iter().chain(limit).min();
        let time_is_up = || deadline.is_some_and(|deadline| Instant::now() >= deadline);
        let journal = TrialJournal::open(&directory.trials())?;
        let failed = AtomicBool::new(false);
        let workers = Workers {
            tuner: self,
            journal: &journal,
            threads: self.base.threads_asked.min(available_threads()),
            stop: &|| failed.load(Ordering::Relaxed) || signal.load(Ordering::Relaxed) != 0 || time_is_up(),
            deadline: limit,
            failed: &failed,
            of: self.runs_of(budget),
            made: AtomicUsize::new(0),
            ended: Mutex::new((0, 0)),
            observe,
        };
        let mut tried = 0;
        loop {
            let size = if let Budget::Trials(trials) = budget { trials } else { BRACKET };
            self.bracket(&workers, tried + 1, size)?;
            tried += size;
            if matches!(budget, Budget::Trials(_)) || (workers.stop)() {
                break;
            }
        }
        let trials = journal.ranked(self.metric.metric);
        let stopped = match () {
            () if signal.load(Ordering::Relaxed) != 0 => "signal",
            () if matches!(budget, Budget::Time(_)) || time_is_up() => "time",
            () => "budget",
        };
        let tried = trials.iter().map(|t| t.trial).collect::<std::collections::BTreeSet<_>>().len();
        let made = workers.made.into_inner();
        Ok(Found { stopped, trials, tried, made, seconds: began.elapsed().as_secs_f64() })
    }

    /// Total trials and epochs of a budget, if they are known.
    fn runs_of(&self, budget: Budget) -> Option<(usize, usize)> {
        let Budget::Trials(trials) = budget else { return None };
        let rungs = rungs(trials, self.base.epochs);
        let epochs: usize = rungs.iter().map(|rung| rung.trials * rung.epochs).sum();
        Some((rungs.iter().map(|rung| rung.trials).sum(), epochs * self.folds()))
    }

    /// Runs one successive halving over `size` settings, beginning with number `first`.
    fn bracket(&self, workers: &Workers<'_>, first: usize, size: usize) -> Result<()> {
        let mut chosen: Vec<usize> = (first..first + size).collect();
        for rung in rungs(size, self.base.epochs) {
            chosen.truncate(rung.trials);
            let mut trials = workers.run(&chosen, rung.epochs)?;
            if trials.len() < chosen.len() {
                break; // stopped
            }
            trials.sort_by(|a, b| a.compare(b, self.metric.metric));
            chosen = trials.iter().map(|trial| trial.trial).collect();
        }
        Ok(())
    }

    /// A message for each parameter whose best value is near an edge of its range.
    pub fn edges(&self, best: &Trial) -> Vec<String> {
        self.point(best.trial).map_or(Vec::new(), |point| self.space.edges(&point))
    }

    /// The plan of a run with the settings of the best trial. It has the epochs of that trial, or those of a full run if no
    /// full run was tried.
    ///
    /// # Errors
    /// As [`Plan::over`].
    pub fn plan(&self, found: &Found, best: &Trial) -> Result<Plan> {
        let full = self.base.epochs;
        let epochs = if found.trials.iter().any(|trial| trial.epochs == full) { best.epochs } else { full };
        Plan::over(self.config(&best.settings, epochs)?, Arc::clone(&self.whole))
    }

    /// Trains with the settings of a trial, like `train -c best.toml`, into the run directory `best`. `None` if a signal was
    /// received or the time was up before it began.
    ///
    /// # Errors
    /// As [`Plan::run`].
    pub fn retrain(
        &self,
        plan: Plan,
        directory: &TuneDirectory,
        interrupt: &Interrupt,
        observe: &mut dyn FnMut(&Event<'_>),
    ) -> Result<Option<Finished>> {
        let signal = interrupt.number();
        let plan = match &self.folds {
            None => plan,
            Some(folds) => {
                let train = |_, plan: &mut Plan| plan.train(signal, &mut |_| {}).map(Some);
                with_cross_validation(plan, folds, &Training { signal, train: &train, over: &|_| {} })?
            }
        };
        let time_is_up = plan.config.stopping.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        if signal.load(Ordering::Relaxed) != 0 || time_is_up {
            return Ok(None);
        }
        let run = RunDirectory::create(&directory.retrained(), true)?;
        plan.run(run, interrupt, observe).map(Some)
    }
}

/// A time as the command line writes it.
fn written(time: Duration) -> String {
    format!("{}s", time.as_secs_f64())
}

//! The search for good settings: quasi-random trials, successive halving, everything recorded.

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
use crate::run::{Finished, Interrupt, Plan, RunDirectory, fingerprint};
use crate::train::team::available_threads;
use crate::{Error, Result};
use runs::Workers;

/// Settings of a bracket where the budget is a time: halving begins anew with as many until the time is up.
const BRACKET: usize = 9;

/// Share of a time limit that the search may take; the rest is for training with the best settings.
const SEARCH_SHARE: f64 = 0.75;

/// Trials whose configurations are tried before the search begins.
const MOST_CHECKED: usize = 100;

/// A search that is ready to begin: data read and prepared once.
pub struct Tuner {
    settings: Settings,
    space: Space,
    /// What every trial is trained on: one data set with a validation part, or the folds.
    data: Vec<Arc<Prepared>>,
    /// All rows, with the folds where there are such.
    whole: Arc<Prepared>,
    folds: Option<Folds>,
    /// The plan of the settings without a search.
    base: Plan,
    metric: Watched,
}

/// What has come of a search so far.
#[derive(Debug, Clone)]
pub struct Found {
    /// Why it ended: `budget`, `time` or `signal`.
    pub stopped: &'static str,
    /// Trials, the best first.
    pub trials: Vec<Trial>,
    /// Settings tried.
    pub tried: usize,
    /// Runs made now, not before an interruption.
    pub made: usize,
    /// Seconds of the search.
    pub seconds: f64,
}

/// How far a search is.
#[derive(Debug, Clone, Copy)]
pub struct TuneProgress<'a> {
    /// What has just ended.
    pub trial: &'a Trial,
    /// The best so far.
    pub best: &'a Trial,
    /// Trials ended, those of before an interruption among them.
    pub done: usize,
    /// Trials in all; unknown where the budget is a time.
    pub of: Option<usize>,
    /// Epochs ended, over all trials and folds, and epochs in all.
    pub epochs: (usize, Option<usize>),
}

impl Tuner {
    /// Reads and prepares the data, and checks settings and space together.
    ///
    /// # Errors
    /// As training with these settings, and [`Error::Usage`] for a metric of another part than the validation part.
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
            let message = "there is no validation part to compare trials on: leave out --valid none, or use --cv 5";
            return Err(Error::Mismatch(message.to_owned()));
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

    /// The plan of the settings without a search, whose epochs are those of a full run.
    pub fn base(&self) -> &Plan {
        &self.base
    }

    /// The figure that decides.
    pub fn metric(&self) -> Watched {
        self.metric
    }

    /// What is searched.
    pub fn space(&self) -> &Space {
        &self.space
    }

    /// Folds of each trial; 1 where there is a validation part instead.
    pub fn folds(&self) -> usize {
        self.data.len()
    }

    /// Rows of the validation part; none where there are folds.
    pub fn validation_rows(&self) -> Option<usize> {
        let val = self.whole.val.as_ref().filter(|_| self.folds.is_none());
        val.map(Dataset::rows)
    }

    /// What must stay the same for a search to go on.
    pub fn protocol(&self) -> TuneProtocol {
        TuneProtocol::new(&self.settings, &self.space, self.metric, self.base.epochs)
            .with_network(self.base.config.model.network.as_ref())
            .over(fingerprint(&self.whole))
    }

    /// Options of a trial, counted from 1: the first is what is trained without a search.
    fn options(&self, trial: usize) -> Result<toml::Table> {
        match self.point(trial) {
            None => Ok(toml::Table::new()),
            Some(point) => self.space.options_at(&point, &self.settings),
        }
    }

    /// The point of a trial in the space; the first has none.
    fn point(&self, trial: usize) -> Option<Vec<f64>> {
        let number = trial.checked_sub(2)?;
        Some(point(self.space.parameters.len(), number, self.base.config.seed))
    }

    /// Tries the configurations of the first trials, so that a space with values that training refuses is found before a
    /// directory is made.
    ///
    /// # Errors
    /// [`Error::Usage`] if the space has such values.
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
    /// [`Error::Usage`] if the space has values that training refuses.
    fn config(&self, options: &toml::Table, epochs: usize) -> Result<TrainConfig> {
        let mut config = TrainConfig::new(self.space.with_options(&self.settings, options))?;
        config.stopping.epochs = Some(epochs);
        config.stopping.monitor = Some(self.metric);
        Ok(config)
    }

    /// Searches, recording every trial in `directory`; `observe` is told of each that ends.
    ///
    /// For a budget in trials, what is found is the same for any number of threads, and after any interruption. When a
    /// signal comes or the budget's time is up, trials that have begun are finished, and no others begun. Three quarters of a
    /// time limit are for the search; trials that have not ended by then are not recorded.
    ///
    /// # Errors
    /// [`Error::Usage`] if the space has values that training refuses, [`Error::Io`] if a trial cannot be recorded.
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
        // A time limit is for the search and the run after it.
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

    /// Trials and epochs of a budget, where they are known.
    fn runs_of(&self, budget: Budget) -> Option<(usize, usize)> {
        let Budget::Trials(trials) = budget else { return None };
        let rungs = rungs(trials, self.base.epochs);
        let epochs: usize = rungs.iter().map(|rung| rung.trials * rung.epochs).sum();
        Some((rungs.iter().map(|rung| rung.trials).sum(), epochs * self.folds()))
    }

    /// One successive halving over `size` settings from number `first` on.
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

    /// Parameters whose best value is near an edge of its range, in words.
    pub fn edges(&self, best: &Trial) -> Vec<String> {
        self.point(best.trial).map_or(Vec::new(), |point| self.space.edges(&point))
    }

    /// The plan of a run with the settings of the best trial: as long as the trial, where it was better than full runs; a full
    /// one where the search ended before any of them.
    ///
    /// # Errors
    /// As planning any run.
    pub fn plan(&self, found: &Found, best: &Trial) -> Result<Plan> {
        let full = self.base.epochs;
        let epochs = if found.trials.iter().any(|trial| trial.epochs == full) { best.epochs } else { full };
        Plan::over(self.config(&best.settings, epochs)?, Arc::clone(&self.whole))
    }

    /// Trains the settings of a trial as `train -c best.toml` does, into the directory's run.
    ///
    /// # Errors
    /// As any run.
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

/// A time in words of the command line.
fn written(time: Duration) -> String {
    format!("{}s", time.as_secs_f64())
}

//! The search: brackets of trials until the budget is spent, then the run with the best settings.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::directory::TuneDirectory;
use super::halving::rungs;
use super::journal::Trial;
use super::protocol::Budget;
use super::runs::{TuneProgress, Workers};
use super::tuner::Tuner;
use crate::Result;
use crate::experiment::cross_validation::with_cross_validation;
use crate::experiment::training::{NetworkTraining, Training};
use crate::fit::Event;
use crate::run::{Finished, Interrupt, Plan, RunDirectory};
use crate::train::team::available_threads;

/// Settings of a bracket if the budget is a time: brackets of this size follow each other until the time is up.
const BRACKET: usize = 9;

/// Share of a time limit for the search. The rest is for training with the best settings.
const SEARCH_SHARE: f64 = 0.75;

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

impl Tuner {
    /// Runs the search and records every trial in `directory`; `observe` is called after each trial.
    ///
    /// With a budget in trials, the result does not depend on the number of threads or on interruptions. After a signal, or
    /// when the budget's time is up, running trials are finished and no others are begun. Three quarters of a time limit are
    /// for the search; trials that have not ended by then are not recorded.
    ///
    /// # Errors
    /// [`crate::Error::Usage`] if the space has values that training does not accept, [`crate::Error::Io`] if a trial cannot be recorded.
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
        let journal = directory.trials();
        let failed = AtomicBool::new(false);
        let workers = Workers {
            tuner: self,
            journal,
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
                with_cross_validation(
                    plan,
                    folds,
                    &Training { each: NetworkTraining { signal, train: &train, begun: &|_| false }, over: &|_| {} },
                )?
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

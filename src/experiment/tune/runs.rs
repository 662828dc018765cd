//! The runs of a rung: small ones in parallel, large ones one after the other on all threads.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use super::journal::{Trial, TrialJournal};
use super::tuner::Tuner;
use crate::Result;
use crate::config::{BatchSize, TrainConfig};
use crate::experiment::side_by_side::{Sharing, share_threads, side_by_side};
use crate::fit::Stopped;
use crate::run::{CrossValidation, Fold, Plan};

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

/// State shared by all runs of a search.
pub(super) struct Workers<'a> {
    pub(super) tuner: &'a Tuner,
    pub(super) journal: &'a TrialJournal,
    pub(super) threads: usize,
    /// Whether no further trial should be begun.
    pub(super) stop: &'a (dyn Fn() -> bool + Sync),
    /// The time at which running trials end too.
    pub(super) deadline: Option<Instant>,
    /// Set if a run or its recording failed.
    pub(super) failed: &'a AtomicBool,
    /// Total trials and epochs, if known.
    pub(super) of: Option<(usize, usize)>,
    /// Number of trials made by this search.
    pub(super) made: AtomicUsize,
    /// Ended trials, and epochs over all trials and folds. The lock is held while a trial is recorded and reported, so both
    /// happen in the same order.
    pub(super) ended: Mutex<(usize, usize)>,
    pub(super) observe: &'a (dyn Fn(TuneProgress<'_>) + Sync),
}

/// A setting to be trained.
struct TrialJob {
    trial: usize,
    options: toml::Table,
    config: TrainConfig,
    flops_per_step: f64,
    /// Floating-point operations of all steps; the longest jobs are started first.
    flops: f64,
    parameters: usize,
}

/// The finished folds of each trial that has begun.
type Begun = Mutex<BTreeMap<usize, Vec<Fold>>>;

impl Workers<'_> {
    /// Trains settings for `epochs` epochs, except those that are recorded already. Returns the trials; fewer if `stop`
    /// ended it early.
    pub(super) fn run(&self, trials: &[usize], epochs: usize) -> Result<Vec<Trial>> {
        let mut found = Vec::new();
        let mut jobs = Vec::new();
        for &trial in trials {
            if (self.stop)() {
                break; // planning many trials takes time
            }
            match self.journal.find(trial, epochs) {
                Some(known) => {
                    drop(self.ended(epochs));
                    found.push(known);
                }
                None => jobs.push(self.job(trial, epochs)?),
            }
        }
        jobs.sort_by(|a, b| b.flops.total_cmp(&a.flops).then(a.trial.cmp(&b.trial)));
        let folds = self.tuner.folds();
        let all = if self.tuner.base.config.threads.exact { 1 } else { self.threads };
        let sharing = |job: &TrialJob| share_threads(job.flops_per_step, jobs.len() * folds, all);
        let (small, large): (Vec<&TrialJob>, Vec<&TrialJob>) = jobs.iter().partition(|job| sharing(job).at_once > 1);
        for group in [large, small] {
            let Some(sharing) = group.first().map(|job| share_threads(job.flops_per_step, group.len() * folds, all))
            else {
                continue;
            };
            found.extend(self.side_by_side(&group, sharing)?);
        }
        Ok(found)
    }

    /// Counts a trial of `epochs` epochs and returns the locked counters.
    fn ended(&self, epochs: usize) -> MutexGuard<'_, (usize, usize)> {
        let mut ended = self.ended.lock().unwrap_or_else(|e| e.into_inner());
        ended.0 += 1;
        ended.1 += epochs * self.tuner.folds();
        ended
    }

    fn job(&self, trial: usize, epochs: usize) -> Result<TrialJob> {
        let options = self.tuner.options(trial)?;
        let mut config = self.tuner.config(&options, epochs)?;
        config.cv = None;
        config.stopping.fail_under = None;
        config.stopping.deadline = self.deadline;
        if config.optimizer.batch.follows_rows() {
            config.optimizer.batch = BatchSize::Rows(self.tuner.base.batch);
        }
        let plan = Plan::over(config.clone(), Arc::clone(&self.tuner.data[0]))?;
        let flops_per_step = plan.flops_per_step();
        let flops = flops_per_step * (plan.steps_per_epoch() * epochs as u64) as f64;
        let parameters = plan.parameters.layout.parameters();
        Ok(TrialJob { trial, options, config, flops_per_step, flops, parameters })
    }

    fn side_by_side(&self, jobs: &[&TrialJob], sharing: Sharing) -> Result<Vec<Trial>> {
        let folds = self.tuner.folds();
        let items: Vec<(&TrialJob, usize)> = jobs.iter().flat_map(|job| (0..folds).map(|fold| (*job, fold))).collect();
        let begun: Begun = Mutex::new(BTreeMap::new());
        let trials = side_by_side(sharing.at_once, &items, |(job, fold)| {
            let trial = self.run_fold(job, *fold, sharing.threads, &begun);
            if trial.is_err() {
                self.failed.store(true, Ordering::Relaxed);
            }
            trial
        });
        Ok(trials.into_iter().collect::<Result<Vec<Option<Trial>>>>()?.into_iter().flatten().collect())
    }

    /// Makes one run. Returns the trial if this was the last of its folds. A trial that has begun continues until the
    /// deadline, even if `stop` says otherwise.
    fn run_fold(&self, job: &TrialJob, fold: usize, threads: usize, begun: &Begun) -> Result<Option<Trial>> {
        let lock = || begun.lock().unwrap_or_else(|e| e.into_inner());
        let failed = self.failed.load(Ordering::Relaxed);
        {
            let mut begun = lock();
            if failed || (!begun.contains_key(&job.trial) && (self.stop)()) {
                return Ok(None);
            }
            begun.entry(job.trial).or_default();
        }
        let mut plan = Plan::over(job.config.clone(), Arc::clone(&self.tuner.data[fold]))?;
        if !plan.config.threads.exact {
            plan.threads = threads;
        }
        let repeat = self.tuner.base.config.cv.map_or(0, |count| fold / count.folds);
        let of = plan.fold_of(fold, repeat);
        // A trial that has begun is finished, so it gets no signal.
        let finished = plan.train(&AtomicUsize::new(0), &mut |_| {})?;
        if finished.stopped == Stopped::Time {
            return Ok(None);
        }
        let folds = {
            let mut begun = lock();
            let folds = begun.entry(job.trial).or_default();
            folds.push(finished.summary.of_fold(of, finished.curve));
            if folds.len() < self.tuner.folds() {
                return Ok(None);
            }
            std::mem::take(folds)
        };
        self.record(job, plan.epochs, folds).map(Some)
    }

    fn record(&self, job: &TrialJob, epochs: usize, mut folds: Vec<Fold>) -> Result<Trial> {
        folds.sort_by_key(|fold| fold.fold);
        let diverged = folds.iter().any(|fold| fold.stopped == "diverged");
        let stopped = if diverged { "diverged" } else { folds[0].stopped };
        let cv = CrossValidation::new(folds);
        let trial = Trial {
            trial: job.trial,
            epochs,
            settings: job.options.clone(),
            value: cv.mean.get(self.tuner.metric.metric).filter(|_| !diverged),
            val: cv.mean,
            std: (cv.folds.len() > 1).then_some(cv.std),
            stopped: stopped.to_owned(),
            best_epochs: cv.folds.iter().map(|fold| fold.best_epoch).collect(),
            parameters: job.parameters,
            seconds: cv.folds.iter().map(|fold| fold.seconds).sum(),
            weights_sha256: cv.folds.into_iter().map(|fold| fold.weights_sha256).collect(),
        };
        let ended = self.ended(epochs);
        self.journal.add(trial.clone())?;
        self.made.fetch_add(1, Ordering::Relaxed);
        let ranked = self.journal.ranked(self.tuner.metric.metric);
        (self.observe)(TuneProgress {
            trial: &trial,
            best: &ranked[0],
            done: ended.0,
            of: self.of.map(|(trials, _)| trials),
            epochs: (ended.1, self.of.map(|(_, epochs)| epochs)),
        });
        Ok(trial)
    }
}

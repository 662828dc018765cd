//! Training as a whole: epochs, validation, the best weights, and when to stop.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::best::Best;
use super::events::{EpochRecord, Event};
use super::goal::{DataPart, Goal, Watched};
use super::score::{Rows, Scorer};
use super::sums::StepStats;
use super::trainer::{EpochOutcome, EpochPlan, Halt, Trainer};
use crate::data::{Dataset, epoch_order};
use crate::kernel::Line;
use crate::metrics::{Detail, MetricName};
use crate::optim::schedule::{Plateau, Schedule};

/// How long to train, and on what terms.
#[derive(Debug, Clone)]
pub struct FitOptions {
    /// Passes over the training part.
    pub epochs: usize,
    /// The epoch after which training ends all the same, to keep the last weights rather than the best; the schedule runs
    /// over `epochs`.
    pub last_epoch: Option<usize>,
    /// Optimizer steps at most.
    pub steps: Option<u64>,
    /// Time at most.
    pub time_limit: Option<Duration>,
    /// Rows of a step.
    pub batch: usize,
    /// Whether rows are shuffled anew for every epoch.
    pub shuffle: bool,
    /// Seed of the order of rows.
    pub seed: u64,
    /// Learning rate before the schedule.
    pub lr: f64,
    /// How the learning rate changes.
    pub schedule: Schedule,
    /// Training stops when this is reached.
    pub target: Option<Goal>,
    /// What decides the best weights and patience.
    pub monitor: Watched,
    /// Epochs without a better value after which training stops.
    pub patience: Option<usize>,
    /// How much better counts as better.
    pub min_delta: f64,
    /// Training has converged when its loss changes by less from epoch to epoch.
    pub tol_loss: Option<f64>,
    /// Training has converged when the gradient norm falls to this.
    pub tol_grad: Option<f64>,
    /// Every so many steps are recorded.
    pub log_steps: Option<u64>,
}

/// Why training stopped.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stopped {
    /// All epochs were made.
    Epochs,
    /// All steps were made.
    Steps,
    /// The time was up.
    Time,
    /// The target was reached.
    Target,
    /// No better value for too many epochs.
    Patience,
    /// Loss or gradient hardly changed any more.
    Converged,
    /// Loss or gradient stopped being finite.
    Diverged(StepStats),
    /// A signal of this number came.
    Signal(usize),
}

impl Stopped {
    /// The word of the summary.
    pub fn name(self) -> &'static str {
        match self {
            Stopped::Epochs => "epochs",
            Stopped::Steps => "steps",
            Stopped::Time => "time",
            Stopped::Target => "target",
            Stopped::Patience => "patience",
            Stopped::Converged => "converged",
            Stopped::Diverged(_) => "diverged",
            Stopped::Signal(_) => "signal",
        }
    }
}

/// What came of training.
#[derive(Debug, Clone)]
pub struct FitOutcome {
    /// Why it stopped.
    pub stopped: Stopped,
    /// The epoch whose weights are kept, from 1; 0 where no epoch came to its end.
    pub best_epoch: usize,
    /// The weights of that epoch.
    pub parameters: Vec<Line>,
    /// All epochs.
    pub history: Vec<EpochRecord>,
    /// Seconds of training, validation included.
    pub seconds: f64,
    /// Seconds of the steps alone.
    pub step_seconds: f64,
    /// Rows trained on.
    pub rows: u64,
}

/// The data of a fit and what its outputs mean.
#[derive(Clone, Copy)]
pub struct FitData<'a> {
    /// What is learnt from.
    pub train: &'a Dataset,
    /// What decides the best weights.
    pub val: Option<&'a Dataset>,
    /// What outputs mean.
    pub scorer: &'a Scorer,
}

/// Trains until something of `options` says stop, or `signal` holds a signal's number; tells `observe` what happens.
///
/// Every step checks the limits of steps and time and the signal. A step whose loss or gradient is not finite changes
/// nothing, so the weights before it are good.
pub fn fit(
    trainer: &mut Trainer,
    data: FitData<'_>,
    options: &FitOptions,
    signal: &AtomicUsize,
    observe: &mut dyn FnMut(&Event<'_>),
) -> FitOutcome {
    let mut fit = Fit::new(data, options, signal);
    fit.kept.extend_from_slice(trainer.evaluated_parameters());
    let mut order = Vec::new();
    for epoch in 1..=options.last_epoch.map_or(options.epochs, |last| last.min(options.epochs)) {
        epoch_order(data.train.rows(), options.seed, epoch as u64 - 1, options.shuffle, &mut order);
        let began = Instant::now();
        let outcome = fit.epoch(trainer, epoch, &order);
        fit.count(&outcome, began.elapsed());
        for record in &outcome.records {
            observe(&Event::Step { epoch, record });
        }
        if outcome.rows > 0 {
            let record = fit.judge(trainer, epoch, &order[..outcome.rows], &outcome, began);
            observe(&Event::Epoch(&record));
            fit.history.push(record);
        }
        fit.stopped = fit.reason(trainer.steps(), outcome.halt);
        if fit.stopped.is_some() {
            break;
        }
    }
    fit.finish()
}

struct Fit<'a> {
    data: FitData<'a>,
    options: &'a FitOptions,
    signal: &'a AtomicUsize,
    began: Instant,
    total_steps: u64,
    plateau: Option<Plateau>,
    best: Best,
    /// The best weights, the initial ones before there are any.
    kept: Vec<Line>,
    history: Vec<EpochRecord>,
    stopped: Option<Stopped>,
    step_seconds: f64,
    rows: u64,
}

impl<'a> Fit<'a> {
    fn new(data: FitData<'a>, options: &'a FitOptions, signal: &'a AtomicUsize) -> Fit<'a> {
        let steps_per_epoch = data.train.rows().div_ceil(options.batch) as u64;
        let all = steps_per_epoch.saturating_mul(options.epochs as u64);
        Fit {
            data,
            options,
            signal,
            began: Instant::now(),
            total_steps: options.steps.map_or(all, |steps| steps.min(all)),
            plateau: options
                .schedule
                .plateau()
                .map(|rule| Plateau::new(rule, options.lr, options.monitor.metric.higher_is_better())),
            best: Best::new(options.monitor, options.min_delta),
            kept: Vec::new(),
            history: Vec::new(),
            stopped: None,
            step_seconds: 0.0,
            rows: 0,
        }
    }

    /// Learning rate of step `t`, counted from 1.
    fn rate(&self, t: u64) -> f64 {
        let base = self.plateau.as_ref().map_or(self.options.lr, Plateau::lr);
        self.options.schedule.rate(base, t - 1, self.total_steps)
    }

    fn time_is_up(&self) -> bool {
        self.options.time_limit.is_some_and(|limit| self.began.elapsed() >= limit)
    }

    fn epoch(&self, trainer: &mut Trainer, epoch: usize, order: &[u32]) -> EpochOutcome {
        let steps_are_made = |made: u64| self.options.steps.is_some_and(|most| made >= most);
        let plan = EpochPlan {
            data: self.data.train,
            order,
            epoch: epoch as u64 - 1,
            batch: self.options.batch,
            lr: &|t| self.rate(t),
            momentum: &|t| self.options.schedule.momentum(t - 1, self.total_steps),
            stop: &|made| steps_are_made(made) || self.signal.load(Ordering::Relaxed) != 0 || self.time_is_up(),
            tol_grad: self.options.tol_grad,
            log_steps: self.options.log_steps,
        };
        trainer.epoch(&plan)
    }

    fn count(&mut self, outcome: &EpochOutcome, took: Duration) {
        self.step_seconds += took.as_secs_f64();
        self.rows += outcome.rows as u64;
    }

    /// Validates, and keeps the weights if they are the best so far.
    fn judge(
        &mut self,
        trainer: &mut Trainer,
        epoch: usize,
        seen: &[u32],
        outcome: &EpochOutcome,
        began: Instant,
    ) -> EpochRecord {
        let samples_per_s = seen.len() as f64 / began.elapsed().as_secs_f64().max(1e-9);
        let FitData { train, val, scorer } = self.data;
        let outputs = trainer.running_outputs(seen.len());
        let running = scorer.figures(outputs, train, Rows::Of(seen), outcome.loss, Detail::Running);
        let evaluated = val.map(|val| (val, trainer.evaluate(val)));
        let report = |(val, e): &(&Dataset, super::Evaluation)| {
            let mut report = scorer.report(&e.outputs, val, Rows::All, None, Detail::Full);
            report.figures.set(MetricName::Loss, e.loss);
            (report.figures, report.confusion)
        };
        let (val_figures, confusion) = evaluated.as_ref().map(report).unzip();
        let watched = if self.options.monitor.part == DataPart::Train { Some(&running) } else { val_figures.as_ref() };
        // The step before the one that diverged may have broken the weights already.
        let diverged = matches!(outcome.halt, Some(Halt::Diverged(_)));
        let best = !diverged
            && match self.options.last_epoch {
                Some(_) => self.best.take(epoch),
                None => watched.is_some_and(|figures| self.best.observe(epoch, figures)),
            };
        if best {
            self.kept.clear();
            self.kept.extend_from_slice(trainer.evaluated_parameters());
        }
        let lr = self.rate(trainer.steps());
        if let (Some(plateau), Some(figures)) = (&mut self.plateau, watched) {
            plateau.report(figures.get(self.options.monitor.metric).unwrap_or(f64::NAN));
        }
        EpochRecord {
            epoch,
            step: trainer.steps(),
            train: running,
            confusion: confusion.flatten(),
            val: val_figures,
            lr,
            best,
            seconds: self.began.elapsed().as_secs_f64(),
            samples_per_s,
        }
    }

    /// Why to stop after the epoch that has just been made.
    fn reason(&self, steps: u64, halt: Option<Halt>) -> Option<Stopped> {
        match halt {
            Some(Halt::Diverged(stats)) => return Some(Stopped::Diverged(stats)),
            Some(Halt::Converged) => return Some(Stopped::Converged),
            Some(Halt::Asked) | None => {}
        }
        let signal = self.signal.load(Ordering::Relaxed);
        let last = self.history.last();
        if signal != 0 {
            Some(Stopped::Signal(signal))
        } else if last.is_some_and(|record| self.options.target.is_some_and(|goal| reached(&goal, record))) {
            Some(Stopped::Target)
        } else if self.options.steps.is_some_and(|most| steps >= most) {
            Some(Stopped::Steps)
        } else if self.time_is_up() {
            Some(Stopped::Time)
        } else if self.loss_has_settled() {
            Some(Stopped::Converged)
        } else if self.options.patience.is_some_and(|most| self.best.waited >= most) {
            Some(Stopped::Patience)
        } else {
            None
        }
    }

    fn loss_has_settled(&self) -> bool {
        let loss = |record: &EpochRecord| record.train.get(MetricName::Loss);
        let (Some(tol), [.., before, last]) = (self.options.tol_loss, self.history.as_slice()) else { return false };
        matches!((loss(before), loss(last)), (Some(a), Some(b)) if (a - b).abs() < tol)
    }

    fn finish(self) -> FitOutcome {
        FitOutcome {
            stopped: self.stopped.unwrap_or(Stopped::Epochs),
            best_epoch: self.best.epoch,
            parameters: self.kept,
            history: self.history,
            seconds: self.began.elapsed().as_secs_f64(),
            step_seconds: self.step_seconds,
            rows: self.rows,
        }
    }
}

fn reached(goal: &Goal, record: &EpochRecord) -> bool {
    match goal.watched.part {
        DataPart::Train => goal.is_met(&record.train),
        DataPart::Val => record.val.as_ref().is_some_and(|figures| goal.is_met(figures)),
        DataPart::Test => false, // refused by the configuration
    }
}

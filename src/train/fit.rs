//! Training as a whole: epochs, validation, the best weights, and when to stop.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::best::Best;
use super::events::{EpochRecord, Event};
use super::goal::{DataPart, Goal, Watched};
use super::history::History;
use super::kept::Kept;
use super::score::{Rows, Scorer};
use super::trainer::{EpochOutcome, EpochPlan, Halt, Trainer};
use crate::data::{Dataset, epoch_order};
use crate::kernel::Line;
use crate::metrics::{Detail, MetricName, MetricSet};
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
    /// When training ends at the latest.
    pub deadline: Option<Instant>,
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
    /// When training stops for want of a better value.
    pub patience: Patience,
    /// How much better counts as better.
    pub min_delta: f64,
    /// Training has converged when its loss changes by less from epoch to epoch.
    pub tol_loss: Option<f64>,
    /// Training has converged when the gradient norm falls to this.
    pub tol_grad: Option<f64>,
    /// Every so many steps are recorded.
    pub log_steps: Option<u64>,
}

/// When training stops for want of a better value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Never.
    Never,
    /// After so many epochs without one.
    After(usize),
    /// After twice as many epochs as the best one took, and [`Patience::AT_LEAST`] more: an early best epoch is not waited
    /// for long, and a late one gets time for the schedule to lower the rate. Measured by `tests/stopping.py`.
    Early,
}

impl Patience {
    /// Epochs that [`Patience::Early`] waits for at least.
    pub const AT_LEAST: usize = 20;

    fn is_over(self, epoch: usize, best: &Best) -> bool {
        match self {
            Patience::Never => false,
            Patience::After(most) => best.waited >= most,
            Patience::Early => best.defined && epoch >= 2 * best.epoch + Patience::AT_LEAST,
        }
    }
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
    /// Weights, loss or gradient stopped being finite.
    Diverged {
        /// The step that showed it.
        step: u64,
        /// The loss; finite where it is the gradient that broke.
        loss: f64,
    },
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
            Stopped::Diverged { .. } => "diverged",
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
    /// The epochs.
    pub history: History,
    /// Whether what is watched was undefined in every epoch.
    pub monitor_undefined: bool,
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
/// nothing. Weights are kept only if they are finite, and so is the loss that they have after their last step: the best by
/// `options.monitor`, or without a validation part the last.
pub fn fit(
    trainer: &mut Trainer,
    data: FitData<'_>,
    options: &FitOptions,
    signal: &AtomicUsize,
    observe: &mut dyn FnMut(&Event<'_>),
) -> FitOutcome {
    let mut fit = Fit::new(data, options, signal, trainer.evaluated_parameters());
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
    fit.finish(trainer)
}

struct Fit<'a> {
    data: FitData<'a>,
    options: &'a FitOptions,
    signal: &'a AtomicUsize,
    began: Instant,
    total_steps: u64,
    plateau: Option<Plateau>,
    best: Best,
    kept: Kept,
    history: History,
    /// Running loss of the last epoch and of the one before.
    losses: [Option<f64>; 2],
    /// The loss of weights that are not to be kept, once there are such.
    broken: Option<f64>,
    stopped: Option<Stopped>,
    step_seconds: f64,
    rows: u64,
}

impl<'a> Fit<'a> {
    fn new(data: FitData<'a>, options: &'a FitOptions, signal: &'a AtomicUsize, initial: &[Line]) -> Fit<'a> {
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
            kept: Kept::new(initial),
            history: History::new(),
            losses: [None; 2],
            broken: None,
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
        self.options.deadline.is_some_and(|deadline| Instant::now() >= deadline)
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

    /// Validates, and keeps the weights if they are sound and the best so far.
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
        self.broken = self.broken_loss(trainer, evaluated.as_ref().map(|(_, e)| e.loss));
        // The step before the one that diverged may have broken the weights already.
        let sound = self.broken.is_none() && !matches!(outcome.halt, Some(Halt::Diverged(_)));
        if outcome.loss.is_finite() {
            self.kept.prove();
        }
        let best = sound && self.keep(trainer, epoch, watched);
        self.losses = [running.get(MetricName::Loss), self.losses[0]];
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

    /// Keeps the weights of an epoch, if they are the best; without a validation part the last ones are.
    fn keep(&mut self, trainer: &Trainer, epoch: usize, watched: Option<&MetricSet>) -> bool {
        let best = watched.is_some_and(|figures| self.best.observe(epoch, figures));
        let weights = trainer.evaluated_parameters();
        if self.data.val.is_none() {
            self.kept.propose(epoch, weights);
            return true;
        }
        if best {
            self.kept.take(epoch, weights);
        }
        best
    }

    /// The loss of weights that have diverged: some are not finite, or their loss is not. An outlier in the validation part
    /// may have an infinite loss by itself, so then the training part decides.
    fn broken_loss(&self, trainer: &mut Trainer, val_loss: Option<f64>) -> Option<f64> {
        if !trainer.is_finite() {
            return Some(f64::NAN);
        }
        let suspect = val_loss.is_some_and(|loss| !loss.is_finite());
        let loss = suspect.then(|| trainer.evaluate(self.data.train).loss);
        loss.filter(|loss| !loss.is_finite())
    }

    /// Why to stop after the epoch that has just been made.
    fn reason(&self, steps: u64, halt: Option<Halt>) -> Option<Stopped> {
        match halt {
            Some(Halt::Diverged(stats)) => return Some(Stopped::Diverged { step: steps + 1, loss: stats.loss }),
            _ if self.broken.is_some() => {
                return self.broken.map(|loss| Stopped::Diverged { step: steps, loss });
            }
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
        } else if self.options.patience.is_over(self.history.epochs(), &self.best) {
            Some(Stopped::Patience)
        } else {
            None
        }
    }

    fn loss_has_settled(&self) -> bool {
        let Some(tol) = self.options.tol_loss else { return false };
        matches!(self.losses, [Some(a), Some(b)] if (a - b).abs() < tol)
    }

    fn finish(mut self, trainer: &mut Trainer) -> FitOutcome {
        let seconds = self.began.elapsed().as_secs_f64();
        let mut stopped = self.stopped.unwrap_or(Stopped::Epochs);
        if let Some(weights) = self.kept.unproven() {
            let loss = trainer.evaluate_with(weights, self.data.train).loss;
            if loss.is_finite() {
                self.kept.prove();
            } else if !matches!(stopped, Stopped::Diverged { .. }) {
                stopped = Stopped::Diverged { step: trainer.steps(), loss };
            }
        }
        let (parameters, best_epoch) = self.kept.into_parts();
        FitOutcome {
            stopped,
            best_epoch,
            parameters,
            monitor_undefined: best_epoch > 0 && !self.best.defined,
            history: self.history,
            seconds,
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

//! Training as a whole: epochs, validation, the best weights, and when to stop.

mod ending;

use std::sync::atomic::AtomicUsize;
use std::time::Instant;

use super::divergence::Divergence;
use super::events::{EpochRecord, Event};
use super::goal::DataPart;
use super::history::History;
use super::kept::Kept;
use super::options::{Every, FitOptions, Stopped};
use super::state::{FitProgress, FitState, RunState};
use crate::data::{Dataset, Orders};
use crate::kernel::Line;
use crate::metrics::{Detail, MetricName, MetricSet};
use crate::optim::schedule::Plateau;
use crate::score::{Evaluation, ScoredRows, Scorer};
use crate::train::{EpochOutcome, EpochPlan, Halt, Recent, TrainState, Trainer};

/// The result of training.
#[derive(Debug, Clone)]
pub struct FitOutcome {
    /// Why it stopped.
    pub stopped: Stopped,
    /// The epoch whose weights are kept, from 1; 0 if the initial weights are kept.
    pub best_epoch: usize,
    /// The weights of that epoch.
    pub parameters: Vec<Line>,
    /// Records of the epochs.
    pub history: History,
    /// Whether the watched metric was undefined in every epoch.
    pub monitor_undefined: bool,
    /// Seconds of training, validation included.
    pub seconds: f64,
    /// Seconds of the steps alone.
    pub step_seconds: f64,
    /// Rows trained on.
    pub rows: u64,
    /// Where it diverged, if it did.
    pub divergence: Option<Divergence>,
}

/// The data of a fit, and the meaning of the outputs.
#[derive(Clone, Copy)]
pub struct FitData<'a> {
    /// The rows to learn from.
    pub train: &'a Dataset,
    /// The rows of validation. They decide the best weights, unless the monitor is a figure of the training part.
    pub val: Option<&'a Dataset>,
    /// The meaning of the outputs.
    pub scorer: &'a Scorer,
}

/// What a fit calls while it runs, and the signal that ends it.
pub struct Attendance<'a> {
    /// A signal's number once training is to end; 0 until then.
    pub signal: &'a AtomicUsize,
    /// Called with every event.
    pub observe: &'a mut dyn FnMut(&Event<'_>),
    /// Saves the state, as often as [`FitOptions::save_every`] says and at the end, unless training diverged. Never called if
    /// `save_every` is `None`.
    pub save: &'a mut dyn FnMut(&mut RunState<'_>),
}

/// Trains until `options` or a signal says stop. It starts from the states of trainer and fit: at the beginning, or where
/// another fit with the same options stopped.
///
/// Every step checks the limits of steps and time and the signal. A step whose loss or gradient is not finite changes nothing.
/// Weights are kept only if they are finite and their loss is finite: the best by `options.monitor`, or without a validation
/// part the last.
///
/// If a limit of steps or time, or a signal, ends an epoch early, the saved state is from before that epoch is judged. A fit
/// that continues from it makes the rest of the epoch and ends with the same bits as one that was never stopped.
pub fn fit(
    trainer: &mut Trainer,
    state: FitState,
    (data, options): (FitData<'_>, &FitOptions),
    mut attendance: Attendance<'_>,
) -> FitOutcome {
    let mut fit = FitLoop::new(trainer, state, (data, options), attendance.signal);
    let last = options.last_epoch.map_or(options.epochs, |last| last.min(options.epochs));
    while fit.stopped.is_none() && fit.trained().epochs() < last {
        let epoch = fit.trained().epochs() + 1;
        let orders = data.train.orders((options.seed, epoch as u64 - 1), options.shuffle, fit.trainer.owners());
        fit.augment(epoch);
        let (outcome, seconds) = fit.epoch(&orders, &mut attendance);
        if outcome.rows > 0 {
            let record = fit.judge(epoch, &orders, &outcome, seconds);
            (attendance.observe)(&Event::Epoch(&record));
            fit.progress().history.push(record);
        }
        fit.stopped = fit.reason(outcome.halt);
        fit.note_divergence(epoch, &orders, &outcome);
        fit.save_whole_epoch(outcome.halt, &mut attendance);
    }
    if fit.stopped.is_none() {
        fit.save(&mut attendance);
    }
    fit.finish()
}

struct FitLoop<'a> {
    trainer: &'a mut Trainer,
    state: FitState,
    data: FitData<'a>,
    /// The rows of the epoch, if augmentation changes them.
    augmented: Option<Dataset>,
    options: &'a FitOptions,
    signal: &'a AtomicUsize,
    began: Instant,
    /// Seconds of the fits that this one continues.
    before: f64,
    total_steps: u64,
    /// The number of steps when the state was last saved, and the time of that.
    saved: (u64, Instant),
    /// The loss of the weights, if they have diverged.
    broken: Option<f64>,
    /// The last steps.
    recent: Recent,
    divergence: Option<Divergence>,
    stopped: Option<Stopped>,
}

impl<'a> FitLoop<'a> {
    fn new(
        trainer: &'a mut Trainer,
        mut state: FitState,
        (data, options): (FitData<'a>, &'a FitOptions),
        signal: &'a AtomicUsize,
    ) -> FitLoop<'a> {
        let steps_per_epoch = data.train.rows().div_ceil(options.batch) as u64;
        let all = steps_per_epoch.saturating_mul(options.epochs as u64);
        if state.kept.is_none() {
            state.kept = Some(Kept::new(trainer.evaluated_parameters()));
            let higher_is_better = options.monitor.metric.higher_is_better();
            let plateau = options.schedule.plateau();
            state.progress.plateau = plateau.map(|rule| Plateau::new(rule, options.lr, higher_is_better));
        }
        let began = Instant::now();
        let mut fit = FitLoop {
            data,
            augmented: None,
            options,
            signal,
            began,
            before: state.progress.seconds,
            total_steps: options.steps.map_or(all, |steps| steps.min(all)),
            saved: (trainer.steps(), began),
            broken: None,
            recent: Recent::default(),
            divergence: None,
            stopped: state.progress.stopped,
            trainer,
            state,
        };
        // If a signal came just after an epoch, another reason may have ended training there.
        let between_epochs = fit.trained().epoch.rows == 0 && fit.state.progress.history.epochs() > 0;
        if fit.stopped.is_none() && between_epochs {
            fit.stopped = fit.reason(None);
        }
        fit
    }

    fn trained(&self) -> &TrainState {
        &self.trainer.state
    }

    fn progress(&mut self) -> &mut FitProgress {
        &mut self.state.progress
    }

    fn kept(&mut self) -> &mut Kept {
        self.state.kept.as_mut().expect("kept since the beginning")
    }

    /// Seconds since training began, without interruptions.
    fn seconds(&self) -> f64 {
        self.before + self.began.elapsed().as_secs_f64()
    }

    /// Learning rate of step `t`, counted from 1.
    fn rate(&self, t: u64) -> f64 {
        self.options.schedule.rate(self.base_rate(), t - 1, self.total_steps)
    }

    fn base_rate(&self) -> f64 {
        self.state.progress.plateau.as_ref().map_or(self.options.lr, Plateau::lr)
    }

    /// Runs the rest of the epoch and saves the state whenever that is due. Returns the outcome and the seconds of the whole
    /// epoch.
    fn epoch(&mut self, orders: &Orders, attendance: &mut Attendance<'_>) -> (EpochOutcome, f64) {
        let epoch = self.trained().epochs() + 1;
        let mut seconds = self.trained().epoch.seconds;
        loop {
            let began = Instant::now();
            let outcome = self.steps(orders);
            let took = began.elapsed().as_secs_f64();
            seconds += took;
            self.progress().step_seconds += took;
            self.recent.extend(&outcome.recent);
            for record in &outcome.records {
                (attendance.observe)(&Event::Step { epoch, record });
            }
            if outcome.halt != Some(Halt::Asked) {
                return (outcome, seconds);
            }
            self.trainer.state.epoch.seconds = seconds;
            let ends = self.must_stop();
            self.save(attendance);
            if ends {
                return (outcome, seconds);
            }
        }
    }

    /// Augments the rows for an epoch. The result depends on seed, epoch and row only, so an interrupted epoch can be
    /// continued.
    fn augment(&mut self, epoch: usize) {
        if let Some((augment, form)) = &self.options.augment {
            augment.epoch(self.data.train, form, (self.options.seed, epoch as u64), &mut self.augmented);
        }
    }

    /// Makes steps until the epoch ends, the state is to be saved, or training must stop.
    fn steps(&mut self, orders: &Orders) -> EpochOutcome {
        let FitLoop { options, signal, total_steps, saved, .. } = *self;
        let (base, epoch) = (self.base_rate(), self.trained().epochs() as u64);
        let plan = EpochPlan {
            data: self.augmented.as_ref().unwrap_or(self.data.train),
            order: &orders.shared,
            own_orders: &orders.own,
            epoch,
            batch: options.batch,
            lr: &|t| options.schedule.rate(base, t - 1, total_steps),
            momentum: &|t| options.schedule.momentum(t - 1, total_steps),
            stop: &|made| options.must_stop(signal, made) || is_due(options.save_every, saved, made),
            tol_grad: options.tol_grad,
            log_steps: options.log_steps,
        };
        self.trainer.epoch(&plan)
    }

    fn must_stop(&self) -> bool {
        self.options.must_stop(self.signal, self.trainer.steps())
    }

    fn save(&mut self, attendance: &mut Attendance<'_>) {
        if self.options.save_every.is_none() {
            return;
        }
        self.progress().seconds = self.seconds();
        (attendance.save)(&mut RunState { train: &mut self.trainer.state, fit: &mut self.state });
        self.saved = (self.trainer.steps(), Instant::now());
    }

    /// Saves the state between two epochs if that is due, and at the end; never one that diverged.
    fn save_whole_epoch(&mut self, halt: Option<Halt>, attendance: &mut Attendance<'_>) {
        let whole = halt != Some(Halt::Asked);
        match self.stopped {
            Some(Stopped::Diverged { .. }) => {}
            Some(Stopped::Signal(_) | Stopped::Time) if whole => self.save(attendance),
            Some(_) if whole => {
                self.progress().stopped = self.stopped;
                self.save(attendance);
            }
            None if is_due(self.options.save_every, self.saved, self.trainer.steps()) => self.save(attendance),
            _ => {}
        }
    }

    /// Validates, and keeps the weights if they have not diverged and are the best so far.
    fn judge(&mut self, epoch: usize, orders: &Orders, outcome: &EpochOutcome, seconds: f64) -> EpochRecord {
        let samples_per_s = outcome.rows as f64 / seconds.max(1e-9);
        let FitData { train, val, scorer } = self.data;
        let outputs = self.trainer.running_outputs(outcome.rows);
        let seen = orders.of_outputs(outcome.rows);
        let running = scorer.figures(outputs, train, ScoredRows::Of(&seen), outcome.loss, Detail::Running);
        let evaluated = val.map(|val| (val, self.trainer.evaluate(val)));
        let report = |(val, e): &(&Dataset, Evaluation)| {
            let mut report = scorer.report(&e.outputs, val, ScoredRows::All, None, Detail::Full);
            report.figures.set(MetricName::Loss, e.loss);
            (report.figures, report.confusion)
        };
        let (val_figures, confusion) = evaluated.as_ref().map(report).unzip();
        let watched = if self.options.monitor.part == DataPart::Train { Some(&running) } else { val_figures.as_ref() };
        self.broken = self.broken_loss(evaluated.as_ref().map(|(_, e)| e.loss));
        // The step before the diverged one may have broken the weights already.
        let sound = self.broken.is_none() && !matches!(outcome.halt, Some(Halt::Diverged(_)));
        if outcome.loss.is_finite() {
            self.kept().prove();
        }
        let best = sound && self.keep(epoch, watched);
        let lr = self.rate(self.trainer.steps());
        let metric = self.options.monitor.metric;
        let progress = self.progress();
        progress.losses = [running.get(MetricName::Loss), progress.losses[0]];
        progress.rows += outcome.rows as u64;
        if let (Some(plateau), Some(figures)) = (&mut progress.plateau, watched) {
            plateau.report(figures.get(metric).unwrap_or(f64::NAN));
        }
        EpochRecord {
            epoch,
            step: self.trainer.steps(),
            train: running,
            confusion: confusion.flatten(),
            val: val_figures,
            lr,
            best,
            seconds: self.seconds(),
            samples_per_s,
        }
    }

    /// Keeps the weights of an epoch if they are the best; without a validation part always.
    fn keep(&mut self, epoch: usize, watched: Option<&MetricSet>) -> bool {
        let terms = (self.options.monitor, self.options.min_delta);
        let best = watched.is_some_and(|figures| self.progress().best.observe(terms, epoch, figures));
        let mut kept = self.state.kept.take().expect("kept since the beginning");
        let weights = self.trainer.evaluated_parameters();
        if self.data.val.is_none() {
            kept.propose(epoch, weights);
        } else if best {
            kept.take(epoch, weights);
        }
        self.state.kept = Some(kept);
        best || self.data.val.is_none()
    }

    /// The loss of the weights if they have diverged, which means that some are not finite or that the loss is not. An outlier
    /// in the validation part alone can make its loss infinite, so in that case the training part decides.
    fn broken_loss(&mut self, val_loss: Option<f64>) -> Option<f64> {
        if !self.trainer.is_finite() {
            return Some(f64::NAN);
        }
        let suspect = val_loss.is_some_and(|loss| !loss.is_finite());
        let loss = suspect.then(|| self.trainer.evaluate(self.data.train).loss);
        loss.filter(|loss| !loss.is_finite())
    }

    /// Records the batch in which training diverged, if it did.
    fn note_divergence(&mut self, epoch: usize, orders: &Orders, outcome: &EpochOutcome) {
        let Some(Stopped::Diverged { step, .. }) = self.stopped else { return };
        let batch = self.options.batch;
        let (first, stats) = match outcome.halt {
            Some(Halt::Diverged(stats)) => (outcome.rows, Some(stats)),
            // The last step broke the weights.
            _ => (outcome.rows.saturating_sub(1) / batch * batch, None),
        };
        let rows = orders.of_step(first, batch);
        self.divergence = Some(Divergence { epoch, step, stats, rows, recent: self.recent.in_order().collect() });
    }

    fn finish(mut self) -> FitOutcome {
        let seconds = self.seconds();
        let mut stopped = self.stopped.unwrap_or(Stopped::Epochs);
        let mut kept = self.state.kept.take().expect("kept since the beginning");
        if let Some(weights) = kept.unproven() {
            let loss = self.trainer.evaluate_with(weights, self.data.train).loss;
            if loss.is_finite() {
                kept.prove();
            } else if !matches!(stopped, Stopped::Diverged { .. }) {
                stopped = Stopped::Diverged { step: self.trainer.steps(), loss };
            }
        }
        let (parameters, best_epoch) = kept.into_parts();
        let epoch = self.trained().epochs();
        let progress = self.state.progress;
        let divergence = self.divergence.or(match stopped {
            // Only the final weights showed the divergence.
            Stopped::Diverged { step, .. } => {
                let recent = self.recent.in_order().collect();
                Some(Divergence { epoch, step, stats: None, rows: Vec::new(), recent })
            }
            _ => None,
        });
        FitOutcome {
            stopped,
            best_epoch,
            parameters,
            monitor_undefined: best_epoch > 0 && !progress.best.defined,
            history: progress.history,
            seconds,
            step_seconds: progress.step_seconds,
            rows: progress.rows,
            divergence,
        }
    }
}

/// Whether the state is to be saved after `made` steps; not twice at the same step.
fn is_due(every: Option<Every>, (steps, when): (u64, Instant), made: u64) -> bool {
    made > steps
        && match every {
            None => false,
            Some(Every::Steps(every)) => made - steps >= every,
            Some(Every::Seconds(every)) => when.elapsed().as_secs_f64() >= every,
        }
}

//! The execution of a run: from a plan to the kept weights and their figures.

use std::cell::RefCell;
use std::sync::atomic::AtomicUsize;

use super::autopsy::Autopsy;
use super::baseline::doubts;
use super::checkpoint::Checkpoint;
use super::decide::{HeldOutParts, Smoothing};
use super::directory::RunDirectory;
use super::files::SPLIT_FILE;
use super::fingerprint::fingerprint;
use super::interrupt::Interrupt;
use super::keeper::Keeper;
use super::plan::Plan;
use super::prolonged;
use super::reserve::Figures;
use super::summary::{JudgedPart, RunSummary};
use crate::data::{Dataset, Strangers};
use crate::fit::{
    Attendance, Event, Every, FitData, FitOptions, FitOutcome, FitState, Patience, RunState, Stopped, fit,
};
use crate::metrics::MetricSet;
use crate::model::{Model, Parameters};
use crate::option_text::option;
use crate::path_text::to_text;
use crate::score::{HeldOut, Judged, Scorer};
use crate::train::Trainer;
use crate::{Error, Result, Warning, WarningKind};

/// A finished run.
#[derive(Clone)]
pub struct Finished {
    /// Its figures.
    pub summary: RunSummary,
    /// The kept weights with all that prediction needs.
    pub model: Model,
    /// Why it stopped.
    pub stopped: Stopped,
    /// Figures on the validation part after each recorded epoch.
    pub curve: Vec<(usize, MetricSet)>,
    /// Whether its model is in the run directory; false if it diverged and would have replaced an older run.
    pub saved: bool,
}

/// The result of training: the model, and what its evaluation needs.
struct Trained {
    trainer: Trainer,
    scorer: Scorer,
    model: Model,
    outcome: FitOutcome,
    autopsy: Option<Autopsy>,
}

impl Plan {
    /// Trains, saves the model, evaluates it, writes the run directory, and returns the result; `observe` is called with every
    /// event.
    ///
    /// A run that diverges, or that a signal ends, still keeps the last good model and its summary, except that a diverged run
    /// does not replace an older run.
    ///
    /// # Errors
    /// [`Error::Io`] if the directory cannot be written; [`Error::NoStep`] if a limit came before the first step, and
    /// [`Error::Interrupted`] if a signal did.
    pub fn run(
        &self,
        mut directory: RunDirectory,
        interrupt: &Interrupt,
        observe: &mut dyn FnMut(&Event<'_>),
    ) -> Result<Finished> {
        let data = self.begin(&mut directory)?;
        self.tell_of_folds(&mut directory)?;
        // Without checkpoints of its folds, a cross-validation is repeated from the start.
        let every = self.config.output.checkpoint_every.filter(|_| self.cv.is_none());
        self.carry_out(directory, (None, data, every), interrupt, observe)
    }

    /// Writes what is known of a run before its first step. Returns the hash of its data.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn begin(&self, directory: &mut RunDirectory) -> Result<String> {
        directory.write("config.toml", &self.to_toml())?;
        directory.write_json(SPLIT_FILE, &self.prepared.split)?;
        let data = fingerprint(&self.prepared);
        directory.event(&self.start_event_with(&data))?;
        Ok(data)
    }

    pub(super) fn tell_of_folds(&self, directory: &mut RunDirectory) -> Result<()> {
        self.cv.iter().flat_map(|cv| &cv.folds).try_for_each(|fold| directory.event(&fold.event()))
    }

    /// Continues a run from its checkpoint, as [`Plan::run`] would have; `events.jsonl` is first cut back to the checkpoint.
    ///
    /// # Errors
    /// As [`Plan::run`]; [`Error::Mismatch`] if the data or the kind of kernels differ, [`Error::Data`] if the checkpoint is of
    /// another network or optimizer.
    pub fn go_on(
        &self,
        mut directory: RunDirectory,
        checkpoint: &Checkpoint,
        interrupt: &Interrupt,
        observe: &mut dyn FnMut(&Event<'_>),
    ) -> Result<Finished> {
        let data = fingerprint(&self.prepared);
        checkpoint.check(self, &data)?;
        directory.cut_events(checkpoint.events())?;
        if checkpoint.prolongs() {
            let path = directory.config();
            let older = std::fs::read_to_string(&path).map_err(|e| Error::io(&path, e))?;
            directory.write("config.toml", &prolonged::config(&older, self.to_toml()))?;
            directory.remove_summary()?;
        }
        let every = self.config.output.checkpoint_every;
        self.carry_out(directory, (Some(checkpoint), data, every), interrupt, observe)
    }

    pub(super) fn carry_out(
        &self,
        mut directory: RunDirectory,
        (from, data, every): (Option<&Checkpoint>, String, Option<Every>),
        interrupt: &Interrupt,
        observe: &mut dyn FnMut(&Event<'_>),
    ) -> Result<Finished> {
        interrupt.note_saved(None);
        let keeper = RefCell::new(Keeper::new(self, &mut directory, data));
        let mut observe = |event: &Event<'_>| {
            keeper.borrow_mut().event(event);
            observe(event);
        };
        let mut save = |state: &mut RunState<'_>| keeper.borrow_mut().save(state);
        let attendance = Attendance { signal: interrupt.number(), observe: &mut observe, save: &mut save };
        let mut trained = self.fit(from, every, (attendance, Figures::OfModel(1)))?;
        let failure = keeper.into_inner().into_failure();
        if let Some(error) = trained.without_a_step() {
            // The folds of a cross-validation can be continued.
            let of_folds = self.cv.iter().flat_map(|cv| &cv.folds).any(|fold| fold.steps > 0);
            let end = if every.is_some() && of_folds { RunDirectory::leave } else { RunDirectory::withdraw };
            end(directory);
            return Err(error);
        }
        let diverged = matches!(trained.outcome.stopped, Stopped::Diverged { .. });
        trained.autopsy = self.autopsy_of(&trained, interrupt.number())?;
        if diverged && directory.replaces() {
            return Ok(self.evaluated(trained, Figures::OfModel(1)));
        }
        if interrupt.came() {
            // What the held-out parts decide may take long.
            directory.keep(&trained.model, interrupt)?;
        }
        let undecided = self.make_decision(&mut trained);
        let removed = directory.keep(&trained.model, interrupt)?;
        let mut finished = Finished { saved: true, ..self.evaluated(trained, Figures::OfModel(1)) };
        finished.summary.warnings.extend(undecided);
        self.compare_with_baseline(&mut finished.summary, interrupt.number())?;
        finished.summary.run_dir = Some(to_text(directory.path()));
        directory.write_json("summary.json", &finished.summary)?;
        directory.event(&finished.summary.end_event())?;
        interrupt.note_saved(None);
        if self.cv.is_some() && !finished.stopped.leaves_off() {
            directory.remove_networks()?;
        }
        directory.point_latest();
        removed.or(failure).map_or(Ok(finished), Err)
    }

    /// Does what [`Plan::run`] does with a network, without files or baseline, for the repetition of a run.
    ///
    /// # Errors
    /// Options that contradict each other.
    pub fn repeat(&self, signal: &AtomicUsize, observe: &mut dyn FnMut(&Event<'_>)) -> Result<Finished> {
        let attendance = Attendance { signal, observe, save: &mut |_| {} };
        let mut trained = self.fit(None, None, (attendance, Figures::OfModel(1)))?;
        self.make_decision(&mut trained);
        Ok(self.evaluated(trained, Figures::OfModel(1)))
    }

    /// Trains one of several networks, and evaluates the kept weights on the validation part, without files.
    ///
    /// # Errors
    /// Options that contradict each other.
    pub fn train(&self, signal: &AtomicUsize, observe: &mut dyn FnMut(&Event<'_>)) -> Result<Finished> {
        self.train_from(None, None, Attendance { signal, observe, save: &mut |_| {} })
    }

    /// The same from a checkpoint; `attendance` saves the state.
    pub(super) fn train_from(
        &self,
        from: Option<&Checkpoint>,
        every: Option<Every>,
        attendance: Attendance<'_>,
    ) -> Result<Finished> {
        Ok(self.evaluated(self.fit(from, every, (attendance, Figures::OfOneOfSeveral))?, Figures::OfOneOfSeveral))
    }

    fn fit(
        &self,
        from: Option<&Checkpoint>,
        every: Option<Every>,
        (attendance, figures): (Attendance<'_>, Figures),
    ) -> Result<Trained> {
        let mut trainer = self.trainer(self.rows_per_step())?;
        let mut state = FitState::default();
        if let Some(checkpoint) = from {
            checkpoint.restore(&mut trainer, &mut state)?;
        }
        let scorer = self.scorer();
        let data = FitData { train: &self.prepared.train, val: self.prepared.val.as_ref(), scorer: &scorer };
        let mut options = self.fit_options(every);
        options.deadline = options.deadline.map(|end| self.end_of_training(&mut trainer, figures, end));
        let mut outcome = fit(&mut trainer, state, (data, &options), attendance);
        let history = outcome.history.records().into_iter().map(|record| Event::Epoch(record).to_json()).collect();
        let objective = (self.loss, self.config.optimizer.label_smoothing);
        let parameters =
            Parameters { layout: self.parameters.layout.clone(), lines: std::mem::take(&mut outcome.parameters) };
        let preprocessing = self.prepared.preprocessing.clone();
        let model = Model::new(self.architecture.clone(), objective, preprocessing, history, parameters);
        Ok(Trained { trainer, scorer, model, outcome, autopsy: None })
    }

    /// Why training diverged, if it did.
    fn autopsy_of(&self, trained: &Trained, signal: &AtomicUsize) -> Result<Option<Autopsy>> {
        let Trained { trainer, model, outcome, .. } = trained;
        let Some(divergence) = &outcome.divergence else { return Ok(None) };
        let kept = (model.parameters.lines.as_slice(), outcome.best_epoch);
        self.autopsy(trainer, (kept, divergence), signal).map(Some)
    }

    /// Makes the decisions for the outputs of the kept weights, on rows that they did not learn from.
    fn make_decision(&self, trained: &mut Trained) -> Option<Warning> {
        let Trained { trainer, scorer, model, .. } = trained;
        let kept = &mut model.parameters.lines;
        let mut held_out = |part: &Option<Dataset>| {
            let data = part.as_ref()?;
            Some(HeldOut::new(scorer, trainer.outputs_with(kept, &data.features, scorer.link()), data))
        };
        let (val, test) = (held_out(&self.prepared.val), held_out(&self.prepared.test));
        let of_folds = self.cv.as_ref().and_then(|cv| cv.held_out.as_ref());
        let parts = HeldOutParts { choosing: val.as_ref().or(of_folds), test: test.as_ref() };
        let (decision, warning) = self.decision(&parts, Some(Smoothing::of(&self.config.optimizer)));
        trainer.read_out(scorer.readout(decision.factor()));
        *scorer = scorer.clone().with_threshold(decision.threshold());
        model.card.decision = decision;
        warning
    }

    /// Evaluates the kept weights once on each part for these figures.
    fn evaluated(&self, trained: Trained, figures: Figures) -> Finished {
        let Trained { mut trainer, scorer, mut model, outcome, autopsy: trained_autopsy } = trained;
        let (prepared, kept) = (&self.prepared, &mut model.parameters.lines);
        let mut part =
            |data: &Dataset, strangers: Option<&Strangers>| self.judge(&mut trainer, &scorer, kept, (data, strangers));
        let is_model = matches!(figures, Figures::OfModel(_));
        let (train, val) = match &prepared.val {
            Some(val) if !is_model => (None, Some(part(val, prepared.val_strangers.as_ref()))),
            _ => self.judged_parts(prepared, &mut part),
        };
        let test = prepared.test.as_ref().filter(|_| is_model).map(|test| part(test, prepared.test_strangers.as_ref()));
        let [train_figures, val_figures, test_figures] =
            [&train, &val, &test].map(|judged| judged.as_ref().map(|judged| judged.figures.clone()));
        let of_part = |part, judged: Option<Judged>| judged.map(|judged| JudgedPart { part, judged });
        let judged =
            of_part("test", test).or(of_part("val", val)).or(of_part("train", train)).expect("one is evaluated");
        let undefined =
            outcome.monitor_undefined.then(|| self.undefined_monitor()).or_else(|| self.undefined_in_folds());
        let summary = RunSummary {
            run_dir: None,
            label: prepared.preprocessing.target().columns.clone(),
            task: prepared.preprocessing.task(),
            stopped: outcome.stopped.name(),
            epochs: outcome.history.epochs(),
            steps: trainer.steps(),
            best_epoch: outcome.best_epoch,
            parameters: model.parameters.layout.parameters(),
            train: train_figures,
            val: val_figures,
            test: test_figures,
            val_chose: self.chosen_by_validation(&model.card.decision),
            decision: model.card.decision.clone(),
            judged,
            baseline: None,
            warnings: prepared.warnings.iter().cloned().chain(undefined).chain(self.folds_cut_short()).collect(),
            seconds: outcome.seconds,
            samples_per_s: outcome.rows as f64 / outcome.step_seconds.max(1e-9),
            threads: trainer.threads(),
            threads_asked: self.threads_asked,
            isa: self.config.threads.isa.name(),
            seed: self.config.seed,
            cv: self.cv.clone(),
            members: Vec::new(),
            configurations: Vec::new(),
            divergence: trained_autopsy,
            weights_sha256: model.sha256(),
        };
        let records = outcome.history.records().into_iter();
        let curve = records.filter_map(|record| Some((record.epoch, record.val.clone()?))).collect();
        Finished { summary, model, stopped: outcome.stopped, curve, saved: false }
    }

    /// The warning that the watched metric was never defined.
    fn undefined_monitor(&self) -> Warning {
        let monitor = self.monitor();
        let what =
            if self.prepared.val.is_some() { "the lowest loss chose the weights" } else { "the last weights are kept" };
        let option = option("monitor");
        let message =
            format!("{monitor} is undefined in every epoch, so {what}: choose another {option}, or other parts");
        Warning::new(WarningKind::UndefinedMonitor, message)
    }

    /// The warning that time ended some folds.
    pub(super) fn folds_cut_short(&self) -> Option<Warning> {
        let folds = &self.cv.as_ref()?.folds;
        let short = folds.iter().filter(|fold| fold.stopped == Stopped::Time.name()).count();
        (short > 0).then(|| {
            let of = self.config.cv.map_or(folds.len(), |cv| cv.folds * cv.repeats);
            let (short, epochs) = (short + of - folds.len(), self.epochs);
            let message = format!(
                "the time was up in {short} of {of} folds before their {epochs} epochs: the figures and the number of epochs are those of \
                 networks that were not trained to their end; allow more {}",
                option("time_limit")
            );
            Warning::new(WarningKind::Other, message).count(short)
        })
    }

    /// The warning that the watched metric was undefined in some folds.
    fn undefined_in_folds(&self) -> Option<Warning> {
        let (cv, monitor) = (self.cv.as_ref()?, self.config.stopping.monitor?);
        let undefined = cv.folds.iter().filter(|fold| fold.val.get(monitor.metric).is_none()).count();
        (undefined > 0).then(|| {
            let of = cv.folds.len();
            let message = format!(
                "{monitor} is undefined in {undefined} of {of} folds, where the lowest loss chose the epoch: choose another \
                 {}, or fewer folds",
                option("monitor")
            );
            Warning::new(WarningKind::UndefinedMonitor, message).count(undefined)
        })
    }

    /// Adds the baselines and the warnings that follow from them.
    pub(super) fn compare_with_baseline(&self, summary: &mut RunSummary, signal: &AtomicUsize) -> Result<()> {
        let mut baseline = self.baseline(summary, signal)?;
        self.without_rows_of_its_own(&mut baseline);
        let part = summary.judged.in_words();
        summary.warnings.extend(doubts(&summary.judged.judged, &baseline.constant, part));
        summary.baseline = Some(baseline);
        Ok(())
    }

    fn fit_options(&self, save_every: Option<Every>) -> FitOptions {
        let stopping = &self.config.stopping;
        FitOptions {
            epochs: self.epochs,
            steps: stopping.steps,
            deadline: stopping.deadline,
            limit: stopping.deadline,
            batch: self.rows_per_step(),
            // A step on all rows does not depend on their order, except for rounding, which must be the same every time.
            shuffle: self.config.shuffle && !self.config.optimizer.spec.algorithm.needs_full_batch(),
            augment: (!self.config.augment.is_none()).then(|| (self.config.augment, self.row_form())),
            seed: self.config.seed,
            lr: self.config.optimizer.spec.lr,
            schedule: self.config.optimizer.schedule.clone(),
            last_epoch: self.last_epoch,
            last_step: self.last_step,
            target: stopping.target.filter(|goal| self.can_watch(goal.watched)),
            monitor: self.monitor(),
            patience: if self.last_epoch.is_none() { self.patience() } else { Patience::Never },
            min_delta: stopping.min_delta,
            tol_loss: stopping.tol_loss,
            tol_grad: stopping.tol_grad,
            log_steps: self.config.output.log_steps,
            save_every,
        }
    }
}

/// The error for a time limit that left no time for a step.
pub(super) fn too_late() -> Error {
    Error::NoStep("the time was up before the first optimizer step: allow more".to_owned())
}

impl Trained {
    /// The error for training in which no step was made, so that nothing can be kept.
    fn without_a_step(&self) -> Option<Error> {
        match self.outcome.stopped {
            _ if self.trainer.steps() > 0 => None,
            Stopped::Signal(number) => Some(Error::Interrupted(number)),
            Stopped::Time | Stopped::Steps => Some(too_late()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{SettingOrigin, Settings, TrainConfig};

    #[test]
    fn a_signal_before_the_first_step_leaves_what_was_there() {
        let mut settings = Settings::new();
        settings.set("data", concat!(env!("CARGO_MANIFEST_DIR"), "/datasets/iris.csv").into(), SettingOrigin::Flag);
        settings.set("hidden", "4".into(), SettingOrigin::Flag);
        settings.set("epochs", "2".into(), SettingOrigin::Flag);
        let plan = Plan::new(TrainConfig::new(settings).unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run");
        let run = |interrupt: &Interrupt| {
            let directory = RunDirectory::create(&path, true).unwrap();
            plan.run(directory, interrupt, &mut |_| {})
        };
        let interrupted = Interrupt::default();
        interrupted.number().store(15, std::sync::atomic::Ordering::Relaxed);
        assert!(matches!(run(&interrupted), Err(Error::Interrupted(15))));
        assert!(!path.exists(), "nothing is written");
        let finished = run(&Interrupt::default()).unwrap();
        assert!(matches!(run(&interrupted), Err(Error::Interrupted(15))));
        let kept = Model::load(&path).unwrap();
        assert_eq!(kept.sha256(), finished.summary.weights_sha256, "the older run stays");
        assert!(path.join("summary.json").is_file() && !path.join(".new").exists());
    }
}

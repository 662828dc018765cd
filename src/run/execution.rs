//! A run as it happens: from a plan to the best weights and their figures.

use std::sync::atomic::AtomicUsize;

use super::baseline::doubts;
use super::directory::RunDirectory;
use super::plan::Plan;
use super::summary::{JudgedPart, Summary};
use crate::data::Dataset;
use crate::model::{Model, Parameters};
use crate::train::Trainer;
use crate::train::events::Event;
use crate::train::fit::{FitData, FitOptions, FitOutcome, Stopped, fit};
use crate::train::judged::Judged;
use crate::train::score::Scorer;
use crate::{Error, Result};

/// A run that is over.
pub struct Finished {
    /// Its figures.
    pub summary: Summary,
    /// The best weights with all that prediction needs.
    pub model: Model,
    /// Why it stopped.
    pub stopped: Stopped,
}

impl Plan {
    /// Trains, writes the run directory, and reports; `observe` is told what happens.
    ///
    /// A run that diverges, or that a signal ends, keeps the last good model and its summary all the same.
    ///
    /// # Errors
    /// [`Error::Io`] if the directory cannot be written, [`Error::NoStep`] if a limit came before the first step.
    pub fn run(
        &self,
        directory: &mut RunDirectory,
        signal: &AtomicUsize,
        observe: &mut dyn FnMut(&Event<'_>),
    ) -> Result<Finished> {
        directory.write("config.toml", &self.to_toml())?;
        directory.write_json("split.json", &self.prepared.split)?;
        directory.event(&self.start_event())?;
        for fold in self.cv.iter().flat_map(|cv| &cv.folds) {
            directory.event(&fold.event())?;
        }
        let mut failure = None;
        let mut finished = self.train(signal, &mut |event| {
            if failure.is_none() {
                failure = directory.event(&event.to_json()).err();
            }
            observe(event);
        })?;
        if finished.summary.steps == 0 && matches!(finished.stopped, Stopped::Time | Stopped::Steps) {
            directory.withdraw();
            return Err(Error::NoStep("the time was up before the first optimizer step: allow more".to_owned()));
        }
        finished.model.save(&directory.model())?;
        self.compare_with_baseline(&mut finished.summary, signal)?;
        finished.summary.run_dir = Some(directory.path().display().to_string());
        directory.write_json("summary.json", &finished.summary)?;
        directory.event(&finished.summary.end_event())?;
        failure.map_or(Ok(finished), Err)
    }

    /// Trains and evaluates the kept weights, and leaves no file behind.
    ///
    /// # Errors
    /// Options that do not fit each other.
    pub fn train(&self, signal: &AtomicUsize, observe: &mut dyn FnMut(&Event<'_>)) -> Result<Finished> {
        let mut trainer = self.trainer(self.rows_per_step())?;
        let scorer = Scorer::new(self.prepared.preprocessing.target(), self.loss);
        let data = FitData { train: &self.prepared.train, val: self.prepared.val.as_ref(), scorer: &scorer };
        let outcome = fit(&mut trainer, data, &self.fit_options(), signal, observe);
        self.finish(&mut trainer, &scorer, outcome)
    }

    /// Evaluates the kept weights once on each part.
    fn finish(&self, trainer: &mut Trainer, scorer: &Scorer, outcome: FitOutcome) -> Result<Finished> {
        let mut kept = outcome.parameters;
        let prepared = &self.prepared;
        let mut part = |data: &Dataset, strangers| self.judge(trainer, scorer, &mut kept, (data, strangers));
        let train = part(prepared.judged_train(), None);
        let val = prepared.val.as_ref().map(|val| part(val, prepared.val_strangers.as_ref()));
        let test = prepared.test.as_ref().map(|test| part(test, prepared.test_strangers.as_ref()));
        let figures = |judged: &Judged| judged.figures.clone();
        let (train_figures, val_figures, test_figures) =
            (figures(&train), val.as_ref().map(figures), test.as_ref().map(figures));
        let of_part = |part, judged| JudgedPart { part, judged };
        let judged = test.map(|test| of_part("test", test)).or(val.map(|val| of_part("val", val)));
        let parameters = Parameters { layout: self.parameters.layout.clone(), lines: kept };
        let summary = Summary {
            run_dir: None,
            label: prepared.preprocessing.target().columns.clone(),
            task: prepared.preprocessing.task(),
            stopped: outcome.stopped.name(),
            epochs: outcome.history.len(),
            steps: trainer.steps(),
            best_epoch: outcome.best_epoch,
            parameters: parameters.layout.parameters(),
            train: train_figures,
            val: val_figures,
            test: test_figures,
            judged: judged.unwrap_or_else(|| of_part("train", train)),
            baseline: None,
            warnings: prepared.warnings.clone(),
            seconds: outcome.seconds,
            samples_per_s: outcome.rows as f64 / outcome.step_seconds.max(1e-9),
            threads: self.threads,
            threads_asked: self.threads_asked,
            isa: self.config.threads.isa.name(),
            seed: self.config.seed,
            cv: self.cv.clone(),
            weights_sha256: parameters.sha256(),
        };
        let history = outcome.history.iter().map(|record| Event::Epoch(record).to_json()).collect();
        let objective = (self.loss, self.config.optimizer.label_smoothing);
        let preprocessing = self.prepared.preprocessing.clone();
        let model = Model::new(self.architecture.clone(), objective, preprocessing, history, parameters);
        Ok(Finished { summary, model, stopped: outcome.stopped })
    }

    /// Adds the baselines, and the warnings that follow from them.
    fn compare_with_baseline(&self, summary: &mut Summary, signal: &AtomicUsize) -> Result<()> {
        let baseline = self.baseline(summary, signal)?;
        let part = summary.judged.in_words();
        summary.warnings.extend(doubts(&summary.judged.judged, &baseline.constant, part));
        summary.baseline = Some(baseline);
        Ok(())
    }

    fn fit_options(&self) -> FitOptions {
        let stopping = &self.config.stopping;
        FitOptions {
            epochs: self.epochs,
            steps: stopping.steps,
            time_limit: stopping.time_limit,
            batch: self.rows_per_step(),
            // A step on all rows sees the same in any order, but rounds alike only in the same.
            shuffle: self.config.shuffle && !self.config.optimizer.spec.algorithm.needs_full_batch(),
            seed: self.config.seed,
            lr: self.config.optimizer.spec.lr,
            schedule: self.config.optimizer.schedule.clone(),
            last_epoch: self.last_epoch,
            target: stopping.target.filter(|goal| self.can_watch(goal.watched)),
            monitor: self.monitor(),
            patience: stopping.patience.filter(|_| self.last_epoch.is_none()),
            min_delta: stopping.min_delta,
            tol_loss: stopping.tol_loss,
            tol_grad: stopping.tol_grad,
            log_steps: self.config.output.log_steps,
        }
    }
}

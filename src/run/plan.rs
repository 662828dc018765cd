//! A run that is ready to start: data read and prepared, network and schedule decided.

use std::sync::Arc;

use super::cross_validation::{CrossValidation, FoldOf};
use super::planned::PlannedPortfolio;
use crate::config::TrainConfig;
use crate::data::{Dataset, Prepared, Preprocessing, RowForm};
use crate::fit::{DataPart, Patience, Watched, default_monitor};
use crate::model::{Architecture, Parameters};
use crate::nn::{Loss, Objective};
use crate::optim::Dialect;
use crate::score::Scorer;
use crate::train::team::threads_within;
use crate::train::{Largest, Schedules, StepSettings, Trainer};
use crate::{Error, Result};

/// Everything that is known before the first step.
pub struct Plan {
    /// The configuration.
    pub config: TrainConfig,
    /// The data; several plans may share them.
    pub prepared: Arc<Prepared>,
    /// The network.
    pub architecture: Architecture,
    /// The loss.
    pub loss: Loss,
    /// The initial weights.
    pub parameters: Parameters,
    /// Rows of a mini-batch.
    pub batch: usize,
    /// Epochs.
    pub epochs: usize,
    /// Threads that may be used.
    pub threads_asked: usize,
    /// Threads that will be used.
    pub threads: usize,
    /// The epoch after which training ends and keeps its last weights rather than the best, while the schedule covers `epochs`;
    /// for the final network of a cross-validation.
    pub last_epoch: Option<usize>,
    /// The step after which training ends as if the time were up, while schedules cover all steps; for the repetition of a run
    /// that was ended there.
    pub last_step: Option<u64>,
    /// The cross-validation that came before.
    pub cv: Option<CrossValidation>,
    /// The configurations that are trained on the same folds; this plan is for the first of them.
    pub portfolio: Option<PlannedPortfolio>,
    /// Notes on what was decided, with the flag that changes it.
    pub notes: Vec<String>,
}

impl Plan {
    /// Rows of one optimizer step.
    pub fn rows_per_step(&self) -> usize {
        let rows = self.prepared.train.rows();
        self.batch.saturating_mul(self.config.optimizer.accumulate).min(rows)
    }

    /// Optimizer steps of an epoch.
    pub fn steps_per_epoch(&self) -> u64 {
        self.prepared.train.rows().div_ceil(self.rows_per_step()) as u64
    }

    /// The place of the plan of a fold in a cross-validation, and its rows; `fold` and `repeat` are counted from 0.
    pub fn fold_of(&self, fold: usize, repeat: usize) -> FoldOf {
        let (train, val) = (&self.prepared.train, &self.prepared.val);
        let val_rows = val.as_ref().map_or(0, Dataset::rows);
        FoldOf { fold: fold + 1, repeat: repeat + 1, train_rows: train.rows(), val_rows }
    }

    /// Floating-point operations of one optimizer step.
    pub fn flops_per_step(&self) -> f64 {
        self.architecture.flops_per_sample(self.config.optimizer.member_rows) * self.rows_per_step() as f64
    }

    /// As many threads as the work of a step keeps busy, within the limit.
    pub(super) fn threads_for_work(&self) -> usize {
        threads_within(self.threads_asked, self.config.threads.exact, self.flops_per_step())
    }

    /// The settings of a step.
    ///
    /// # Errors
    /// [`Error::Usage`] for label smoothing with a loss that does not support it.
    pub fn settings(&self) -> Result<StepSettings> {
        let o = &self.config.optimizer;
        // In Keras, accumulated mini-batches count equally, whatever their number of rows.
        let keras = o.spec.dialect == Some(Dialect::Keras);
        Ok(StepSettings {
            mean_of_means: (keras && o.accumulate > 1).then_some(self.batch),
            objective: Objective::new(self.loss, o.label_smoothing)?,
            optimizer: o.spec,
            l1: o.l1,
            l2: o.l2,
            weight_decay: o.weight_decay,
            decay_bias: o.decay_bias,
            clip_norm: o.clip_norm,
            clip_value: o.clip_value,
            clip_layer: o.clip_layer,
            ema: o.ema,
            member_rows: o.member_rows,
            schedules: self.schedules(),
            seed: self.config.seed,
        })
    }

    /// The schedules of dropout and decay over the steps of the run.
    pub(super) fn schedules(&self) -> Schedules {
        let all = self.steps_per_epoch().saturating_mul(self.epochs as u64);
        let o = &self.config.optimizer;
        Schedules {
            total: self.config.stopping.steps.map_or(all, |steps| steps.min(all)),
            dropout: o.dropout_schedule.clone(),
            decay: o.decay_schedule.clone(),
        }
    }

    /// Whether this part of the data exists. The final network of a cross-validation has no validation part: validation-based
    /// stopping was already applied in the folds.
    pub(super) fn can_watch(&self, watched: Watched) -> bool {
        watched.part != DataPart::Val || self.prepared.val.is_some()
    }

    /// How long training continues without a better value. By default it stops early if the number of epochs was chosen by the
    /// program and there is a validation part.
    pub fn patience(&self) -> Patience {
        let stopping = &self.config.stopping;
        let chosen = stopping.epochs.is_none() && stopping.steps.is_none();
        let validated = self.prepared.val.is_some() || self.config.cv.is_some();
        stopping.patience.unwrap_or(if chosen && validated { Patience::Early } else { Patience::Never })
    }

    /// The metric that decides the best weights.
    pub fn monitor(&self) -> Watched {
        let asked = self.config.stopping.monitor.filter(|monitor| self.can_watch(*monitor));
        asked.unwrap_or_else(|| default_monitor(self.prepared.val.as_ref()))
    }

    /// The form of rows, for augmentation.
    pub fn row_form(&self) -> RowForm {
        let (shape, level_inputs) = match &self.prepared.preprocessing {
            Preprocessing::Images(images) => (Some(images.shape.clone()), Vec::new()),
            Preprocessing::Table(table) => (None, table.level_inputs()),
        };
        RowForm { shape, level_inputs, outputs: self.architecture.outputs }
    }

    /// The scorer, with the given threshold.
    pub fn scorer(&self) -> Scorer {
        let threshold = self.config.decision.given_threshold();
        Scorer::new(self.prepared.preprocessing.target(), self.loss).with_threshold(threshold)
    }

    /// The scorer without the threshold.
    pub(super) fn plain_scorer(&self) -> Scorer {
        Scorer::new(self.prepared.preprocessing.target(), self.loss)
    }

    /// A trainer with the initial weights; steps have up to `batch` rows.
    ///
    /// # Errors
    /// Options that contradict each other.
    pub fn trainer(&self, batch: usize) -> Result<Trainer> {
        let rows = self.prepared.train.rows();
        let engine = (self.config.threads.isa, self.threads);
        let parameters = self.parameters.clone();
        let mut trainer =
            Trainer::new(&self.architecture, parameters, self.settings()?, engine, Largest { batch, epoch: rows });
        let (granted, asked) = (trainer.threads(), self.threads);
        if self.config.threads.exact && granted < asked {
            let message = format!("the system grants {granted} of {asked} threads: ask for fewer");
            return Err(Error::Memory(message).of("exact_threads"));
        }
        trainer.read_out(self.scorer().readout(1.0));
        Ok(trainer)
    }

    /// The configuration as a file that repeats the run.
    pub fn to_toml(&self) -> String {
        self.toml_of(self.config.clone())
    }

    /// The same for a configuration that differs from the plan's.
    pub(super) fn toml_of(&self, config: TrainConfig) -> String {
        let data = self.prepared.decided.fill(&config.data);
        TrainConfig { data, ..config }.to_toml(self.batch, self.epochs)
    }
}

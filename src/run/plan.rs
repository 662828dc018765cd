//! A run that is ready to start: data read and prepared, network and schedule decided.

use std::path::Path;
use std::sync::Arc;

use super::auto::{auto_epochs, batch_of};
use super::cross_validation::CrossValidation;
use super::form::chosen;
use super::inputs::{architecture, refuse_giant};
use super::memory::MemoryNeeds;
use super::portfolio::PlannedPortfolio;
use crate::config::TrainConfig;
use crate::data::{Folds, Loaded, Prepared, Preprocessing, RowForm, Task};
use crate::fit::{DataPart, Patience, Watched, default_monitor};
use crate::layer::MemberRows;
use crate::layer::text::Sizes;
use crate::model::file::read_tensors;
use crate::model::{Architecture, Parameters};
use crate::nn::{Loss, Objective};
use crate::optim::Dialect;
use crate::option_text::{option, setting};
use crate::score::Scorer;
use crate::train::team::{available_threads, threads_within};
use crate::train::{DataPass, Largest, Schedules, StepSettings, Trainer};
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

/// Number of steps at which schedules of factors are checked.
const CHECKED: u64 = 1000;

impl Plan {
    /// Reads and prepares the data and decides what the configuration leaves open.
    ///
    /// # Errors
    /// Errors in reading and preparing the data, and options that do not fit the data.
    pub fn new(config: TrainConfig) -> Result<Plan> {
        Ok(Plan::with_folds(config)?.0)
    }

    /// The same, with the folds of a cross-validation if one is configured; the plan is then for all rows.
    ///
    /// # Errors
    /// As [`Plan::new`], and [`Error::Mismatch`] if there are fewer rows than folds.
    pub fn with_folds(config: TrainConfig) -> Result<(Plan, Option<Folds>)> {
        let loaded = Loaded::read(&config.data)?;
        if config.portfolio.is_some() {
            let (plan, folds) = Plan::of_portfolio(config, loaded)?;
            return Ok((plan, Some(folds)));
        }
        let (config, note) = chosen(config, &loaded.sketch());
        let (prepared, folds) = match config.cv {
            None => (loaded.prepare(&config.data, config.seed)?, None),
            Some(count) => {
                let (whole, folds) = loaded.prepare_folds(&config.data, config.seed, count)?;
                (whole, Some(folds))
            }
        };
        let mut plan = Plan::over(config, Arc::new(prepared))?;
        plan.notes.splice(0..0, note);
        Ok((plan, folds))
    }

    /// Decides what the configuration leaves open, for data that are read and prepared already. Its options of data have no
    /// effect.
    ///
    /// # Errors
    /// Options that do not fit the data.
    pub fn over(config: TrainConfig, prepared: Arc<Prepared>) -> Result<Plan> {
        Plan::on(config, prepared, None)
    }

    /// The same for a network with the form of another plan, including what its layers learned from that plan's rows, such as
    /// the edges of bins. The networks of one model must share this, whatever rows each learns from.
    ///
    /// # Errors
    /// As [`Plan::over`].
    ///
    /// # Panics
    /// If the data have other inputs or outputs.
    pub fn over_as(form: &Architecture, config: TrainConfig, prepared: Arc<Prepared>) -> Result<Plan> {
        let sizes = (prepared.preprocessing.inputs(), prepared.preprocessing.outputs());
        assert_eq!((form.inputs, form.outputs), sizes, "one preprocessing");
        Plan::on(config, prepared, Some(form))
    }

    fn on(config: TrainConfig, prepared: Arc<Prepared>, form: Option<&Architecture>) -> Result<Plan> {
        let preprocessing = &prepared.preprocessing;
        let task = preprocessing.task();
        let config = config.for_task(task);
        let loss = config.loss(task)?;
        let sizes = Sizes { inputs: preprocessing.inputs(), outputs: preprocessing.outputs() };
        let fitted = || architecture(&config, sizes, &prepared);
        let architecture = form.map_or_else(fitted, |form| Ok(form.clone()))?;
        refuse_giant(&architecture)?;
        MemoryNeeds::of(&architecture, &config, &prepared).check(config.preset.filter(|name| *name != "plain"))?;
        let regression = task == Task::Regression;
        let mut parameters = Parameters::initial(&architecture, config.model.init, regression, config.seed);
        let pass = DataPass { init: config.model.init, biases: config.model.bias_init, seed: config.seed };
        pass.apply(&architecture, config.threads.isa, &prepared.train.features, &mut parameters);
        if let Some(path) = &config.model.init_from {
            parameters = weights_of(path, &architecture)?;
        }
        let network = architecture.network();
        parameters.layout.freeze(&config.model.freeze, &network).map_err(|e| e.of("freeze"))?;
        let mut plan = Plan {
            prepared,
            architecture,
            loss,
            parameters,
            batch: 0,
            epochs: 0,
            threads_asked: config.threads.threads.unwrap_or_else(available_threads),
            threads: 0,
            last_epoch: None,
            last_step: None,
            cv: None,
            portfolio: None,
            notes: Vec::new(),
            config,
        };
        plan.check()?;
        plan.check_threshold()?;
        plan.check_augment()?;
        plan.decide();
        plan.check_factors()?;
        Ok(plan)
    }

    /// Checks that need the data.
    fn check(&self) -> Result<()> {
        let smoothing = self.config.optimizer.label_smoothing;
        Objective::new(self.loss, smoothing).map_err(|e| e.of_value("label_smoothing", smoothing))?;
        self.check_member_rows()?;
        let stopping = &self.config.stopping;
        let task = self.prepared.preprocessing.task();
        let goals = [("target", stopping.target), ("fail_under", stopping.fail_under)];
        let watched = goals.into_iter().filter_map(|(option, goal)| Some((option, goal?.watched)));
        for (option, watched) in watched.chain(stopping.monitor.map(|m| ("monitor", m))) {
            if !watched.metric.applies_to(task) {
                let message = format!("a {task} task has no {}", watched.metric);
                return Err(Error::Mismatch(message).of_value(option, watched));
            }
            let missing = match watched.part {
                DataPart::Train => None,
                DataPart::Val => (self.prepared.val.is_none() && self.config.cv.is_none()).then_some("valid"),
                DataPart::Test => self.prepared.test.is_none().then_some("test"),
            };
            if let Some(part) = missing {
                let message = format!("there is no such part of the data; see {}", self::option(part));
                return Err(Error::Mismatch(message).of_value(option, watched));
            }
        }
        Ok(())
    }

    /// Refuses rows of their own for members that are not there, or that would all take the order of the file.
    fn check_member_rows(&self) -> Result<()> {
        let message = match () {
            () if self.config.optimizer.member_rows == MemberRows::Shared => return Ok(()),
            () if self.architecture.network().members() == 1 => {
                format!("it needs a network of two members or more: see {}, or leave it out", option("members"))
            }
            () if !self.config.shuffle => {
                format!(
                    "with {} all members would take the order of the file: leave one of them out",
                    option("no_shuffle")
                )
            }
            () => return Ok(()),
        };
        Err(Error::Usage(message).of_value("member_rows", "own"))
    }

    /// Refuses schedules that leave the valid range of their value, and factors of a rate that the optimizer does not have.
    fn check_factors(&self) -> Result<()> {
        let Schedules { total, dropout, decay } = self.schedules();
        let (highest, lowest) = (self.architecture.network().highest_dropout(), 0.0);
        for (option, schedule, most) in
            [("dropout_schedule", &dropout, 1.0 / highest), ("decay_schedule", &decay, f64::INFINITY)]
        {
            let Some(schedule) = schedule else { continue };
            let wrong = |factor: &f64| !(lowest..most).contains(factor);
            let steps = (0..=CHECKED).map(|n| n * total.saturating_sub(1) / CHECKED);
            if let Some(factor) = steps.map(|step| schedule.rate(1.0, step, total)).find(wrong) {
                let until = if most.is_finite() { format!(" and below {most:.3}") } else { String::new() };
                let message = format!("expected factors of at least 0{until}, found {factor}");
                return Err(Error::Usage(message).of_value(option, schedule));
            }
        }
        let algorithm = self.config.optimizer.spec.algorithm;
        let factors = self.parameters.layout.tensors.iter().flat_map(|tensor| tensor.groups);
        if !algorithm.follows_schedule() && factors.into_iter().any(|group| group.rate != 1.0) {
            let name = algorithm.name();
            let message = format!("lr in learn: {name} finds its own step sizes: leave it out");
            return Err(Error::Usage(message).of("network"));
        }
        Ok(())
    }

    fn decide(&mut self) {
        let rows = self.prepared.train.rows();
        let options = &self.config.optimizer;
        self.batch = batch_of(options.batch, rows);
        let (spec, algorithm) = (options.spec, options.spec.algorithm);
        if options.batch.follows_rows() {
            self.notes.push(format!("batch: {} ({} changes it)", self.batch, option("batch")));
        } else if algorithm.needs_full_batch() {
            self.notes.push(format!("batch: full, {rows} rows ({} needs them all in each step)", algorithm.name()));
        }
        let steps_per_epoch = self.steps_per_epoch();
        let stopping = &self.config.stopping;
        self.epochs = match (stopping.epochs, stopping.steps) {
            (Some(epochs), _) => epochs,
            (None, Some(steps)) => steps.div_ceil(steps_per_epoch).max(1) as usize,
            (None, None) => auto_epochs(steps_per_epoch),
        };
        if stopping.epochs.is_none() && stopping.steps.is_none() {
            let steps = self.epochs as u64 * steps_per_epoch;
            let early = match self.patience() {
                Patience::Early if self.epochs > Patience::AT_LEAST + 2 => {
                    format!(
                        "; stops early after 2 × the best epoch + {}, {} changes it",
                        Patience::AT_LEAST,
                        setting("patience", "none")
                    )
                }
                _ => String::new(),
            };
            let (epochs, remedy) = (self.epochs, option("epochs"));
            self.notes.push(format!("epochs: {epochs}, {steps} steps in all ({remedy} changes it){early}"));
        }
        if let Some(dialect) = spec.dialect {
            let init = self.config.model.init.map_or(String::new(), |init| format!(", initial weights {init}"));
            let library = dialect.library();
            let l2 = setting("l2", format!("{:?}", options.l2));
            self.notes.push(format!("dialect: equations and defaults of {library}{init}, {l2}"));
        }
        let whose = spec.dialect.map_or(String::new(), |dialect| format!(" of {}", dialect.library()));
        self.notes.push(format!("lr: {:?} ({}{whose}; {} changes it)", spec.lr, algorithm.name(), option("lr")));
        if algorithm.prefers_constant_rate() {
            let (name, remedy) = (algorithm.name(), option("schedule"));
            self.notes.push(format!("schedule: {} ({name}; {remedy} changes it)", options.schedule));
        }
        self.threads = self.threads_for_work();
    }

    /// Rows of one optimizer step.
    pub fn rows_per_step(&self) -> usize {
        let rows = self.prepared.train.rows();
        self.batch.saturating_mul(self.config.optimizer.accumulate).min(rows)
    }

    /// Optimizer steps of an epoch.
    pub fn steps_per_epoch(&self) -> u64 {
        self.prepared.train.rows().div_ceil(self.rows_per_step()) as u64
    }

    /// Floating-point operations of one optimizer step.
    pub fn flops_per_step(&self) -> f64 {
        self.architecture.flops_per_sample(self.config.optimizer.member_rows) * self.rows_per_step() as f64
    }

    /// As many threads as the work of a step keeps busy, within the limit.
    fn threads_for_work(&self) -> usize {
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
    fn schedules(&self) -> Schedules {
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
    pub(super) fn row_form(&self) -> RowForm {
        let (shape, level_inputs) = match &self.prepared.preprocessing {
            Preprocessing::Images(images) => (Some(images.shape.clone()), Vec::new()),
            Preprocessing::Table(table) => (None, table.level_inputs()),
        };
        RowForm { shape, level_inputs, outputs: self.architecture.outputs }
    }

    /// Refuses augmentation that the data, the loss or the optimizer do not support.
    fn check_augment(&self) -> Result<()> {
        let augment = &self.config.augment;
        if augment.is_none() {
            return Ok(());
        }
        augment.check(self.row_form().shape.as_deref())?;
        let algorithm = self.config.optimizer.spec.algorithm;
        if augment.mixup.is_some() && matches!(self.loss, Loss::Focal { .. }) {
            let message = "the focal loss wants classes, and mixup mixes them".to_owned();
            return Err(Error::Mismatch(message).of_value("augment", augment));
        }
        if algorithm.needs_full_batch() {
            let name = algorithm.name();
            let message = format!("{name} needs the same rows in every step");
            return Err(Error::Mismatch(message).of_value("augment", augment));
        }
        Ok(())
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

/// The weights of a file for a network.
fn weights_of(path: &Path, architecture: &Architecture) -> Result<Parameters> {
    let tensors = read_tensors(path)?;
    let listed = tensors.iter().any(|tensor| tensor.name.starts_with("network."));
    let hint = if listed && architecture.chain.is_none() {
        let same = setting("preset", "realmlp");
        format!(": its layers come from a preset or a list: give the same, such as {same}")
    } else {
        String::new()
    };
    Parameters::from_named(architecture, &tensors)
        .map_err(|e| Error::Mismatch(format!("{e}{hint}")).of_value("init_from", path.display()))
}

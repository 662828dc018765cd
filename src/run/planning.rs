//! Decides what a configuration leaves open: from data that are prepared to a plan.

use std::sync::Arc;

use super::auto::{auto_epochs, batch_of};
use super::initial::{note_of_places, weights_of};
use super::inputs::{architecture, refuse_giant, refuse_scaled_codes};
use super::memory::MemoryNeeds;
use super::plan::Plan;
use crate::Result;
use crate::config::TrainConfig;
use crate::data::{Prepared, Task};
use crate::fit::Patience;
use crate::layer::Sizes;
use crate::model::{Architecture, Parameters};
use crate::option_text::{option, setting};
use crate::train::DataPass;
use crate::train::team::available_threads;

impl Plan {
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
        refuse_scaled_codes(&config)?;
        let sizes = Sizes { inputs: preprocessing.inputs(), outputs: preprocessing.outputs() };
        let fitted = || architecture(&config, sizes, &prepared);
        let architecture = form.map_or_else(fitted, |form| Ok(form.clone()))?;
        refuse_giant(&architecture)?;
        MemoryNeeds::of(&architecture, &config, &prepared).check(config.preset.filter(|name| *name != "plain"))?;
        let regression = task == Task::Regression;
        let mut parameters = Parameters::initial(&architecture, config.model.init, regression, config.seed);
        let pass = DataPass { init: config.model.init, biases: config.model.bias_init, seed: config.seed };
        pass.apply(&architecture, config.threads.isa, &prepared.train.features, &mut parameters);
        let mut notes = Vec::new();
        if let Some(path) = &config.model.init_from {
            parameters = weights_of(path, &architecture)?;
            notes.extend(note_of_places(path, preprocessing)?);
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
            notes,
            config,
        };
        plan.check()?;
        plan.check_threshold()?;
        plan.check_augment()?;
        plan.decide();
        plan.check_factors()?;
        Ok(plan)
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
}

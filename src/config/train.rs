//! The complete configuration of a training run.

use std::path::PathBuf;
use std::time::Instant;

use toml::Table;

use super::decision::DecisionOptions;
use super::model::ModelOptions;
use super::optimizer::OptimizerOptions;
use super::stopping::StoppingOptions;
use super::threads::ThreadOptions;
use crate::data::{Augment, DataOptions, FoldCount, Task};
use crate::fit::Every;
use crate::nn::Loss;
use crate::optim::Dialect;
use crate::{Error, Result};

/// The complete configuration of a training run.
#[derive(Debug, Clone)]
pub struct TrainConfig {
    /// What is read, and how it is prepared.
    pub data: DataOptions,
    /// Folds of a cross-validation; it excludes a separate validation part.
    pub cv: Option<FoldCount>,
    /// Number of networks that are trained and averaged.
    pub members: usize,
    /// Augmentation of training rows in each epoch.
    pub augment: Augment,
    /// Whether rows are shuffled for every epoch.
    pub shuffle: bool,
    /// The network.
    pub model: ModelOptions,
    /// The optimizer and its gradient.
    pub optimizer: OptimizerOptions,
    /// When training ends.
    pub stopping: StoppingOptions,
    /// Decisions after training.
    pub decision: DecisionOptions,
    /// Threads and instructions.
    pub threads: ThreadOptions,
    /// Seed of everything random.
    pub seed: u64,
    /// Files.
    pub output: OutputOptions,
    /// The preset, if one was asked for.
    pub preset: Option<&'static str>,
    /// The configuration for a regression, if the preset has other options for it.
    pub of_numbers: Option<Box<TrainConfig>>,
    /// What replaces it for a table if the user did not choose the network.
    pub of_tables: Option<Box<OfTables>>,
    /// The configurations that are trained on the same folds; this is the first of them.
    pub portfolio: Option<Box<Portfolio>>,
}

/// What replaces a configuration for a table.
#[derive(Debug, Clone)]
pub struct OfTables {
    /// The configuration.
    pub config: TrainConfig,
    /// Whether there may be fewer epochs if there are many rows.
    pub epochs_open: bool,
    /// Whether several networks may be trained if time allows.
    pub networks_open: bool,
}

/// Several configurations for the same folds.
#[derive(Debug, Clone)]
pub struct Portfolio {
    /// The configurations, in the order in which they are trained.
    pub entries: Vec<PortfolioEntry>,
    /// Whether a time limit is chosen from the data if none is given; that is so if the user did not list the entries.
    pub is_open: bool,
    /// The start of the command.
    pub began: Instant,
    /// The options that were given.
    pub(super) given: Table,
}

/// One configuration of a portfolio.
#[derive(Debug, Clone)]
pub struct PortfolioEntry {
    /// Its preset.
    pub name: &'static str,
    /// All its options.
    pub config: TrainConfig,
}

/// Files of a run.
#[derive(Debug, Clone)]
pub struct OutputOptions {
    /// The run directory; `None` to name it by date and time.
    pub out: Option<PathBuf>,
    /// Whether an earlier run there is replaced.
    pub overwrite: bool,
    /// Steps between two records.
    pub log_steps: Option<u64>,
    /// How often the state is saved; `None` for never.
    pub checkpoint_every: Option<Every>,
    /// Whether a run that diverges is repeated with a change that helps.
    pub retry: bool,
}

impl TrainConfig {
    /// The configuration for a task.
    pub fn for_task(mut self, task: Task) -> TrainConfig {
        let portfolio = self.portfolio.take().map(|portfolio| Box::new(portfolio.for_task(task)));
        match self.of_numbers.take() {
            Some(of_numbers) if task == Task::Regression => {
                TrainConfig { preset: self.preset, portfolio, ..*of_numbers }
            }
            _ => TrainConfig { portfolio, ..self },
        }
    }

    /// The loss for a task.
    ///
    /// # Errors
    /// [`Error::Option`] if the chosen loss does not fit the task.
    pub fn loss(&self, task: Task) -> Result<Loss> {
        let default = match task {
            Task::Regression if self.optimizer.spec.dialect == Some(Dialect::Sklearn) => Loss::HalfSquaredErrorSum,
            Task::Regression => Loss::Mse,
            Task::Binary | Task::Multilabel => Loss::Bce,
            Task::Multiclass => Loss::CrossEntropy,
        };
        let loss = self.model.loss.unwrap_or(default);
        let fits = match loss {
            Loss::CrossEntropy => task == Task::Multiclass,
            Loss::Bce | Loss::Focal { .. } => task != Task::Regression,
            Loss::Mse | Loss::HalfSquaredErrorSum | Loss::Huber { .. } | Loss::Mae | Loss::LogCosh => true,
            Loss::Poisson => task == Task::Regression,
        };
        if fits {
            Ok(loss)
        } else {
            let message = format!("it does not fit a {task} task: leave it out for {default}");
            Err(Error::Mismatch(message).of_value("loss", loss))
        }
    }
}

impl Portfolio {
    /// The portfolio for a task.
    fn for_task(mut self, task: Task) -> Portfolio {
        self.entries.iter_mut().for_each(|entry| entry.config = entry.config.clone().for_task(task));
        self
    }
}

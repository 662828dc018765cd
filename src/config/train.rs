//! The options of a training run, parsed and checked.

use std::path::PathBuf;

use super::decision::DecisionOptions;
use super::folds::{folds, members, retry};
use super::keys::{DATA, names_for};
use super::lengths::every;
use super::loss::{asked_loss, number_loss};
use super::model::ModelOptions;
use super::network::STACK_KEYS;
use super::optimizer::OptimizerOptions;
use super::portfolio::Portfolio;
use super::reader::Reader;
use super::settings::Settings;
use super::stopping::StoppingOptions;
use super::threads::ThreadOptions;
use crate::data::{Augment, DataOptions, FoldCount, PartFrom, Task};
use crate::fit::Every;
use crate::nn::Loss;
use crate::optim::Dialect;
use crate::{Error, Result, path_text};

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

/// The default interval between saved states.
const CHECKPOINT_EVERY: Every = Every::Seconds(30.0);

impl TrainConfig {
    /// Parses settings, including those of a preset.
    pub(super) fn typed(mut settings: Settings) -> Result<TrainConfig> {
        settings.stronger_of("network", &STACK_KEYS);
        let reader = Reader::new(settings);
        let (data, cv) = (data_options(&reader)?, folds(&reader)?);
        let model = ModelOptions::read(&reader)?;
        let data = DataOptions { level_numbers: model.extras.categories.map(|categories| categories.levels), ..data };
        let config = TrainConfig {
            data: if cv.is_some() { DataOptions { valid: PartFrom::None, ..data } } else { data },
            members: members(&reader, cv)?,
            augment: reader.parse("augment")?.unwrap_or_default(),
            cv,
            shuffle: !reader.switch("no_shuffle")?,
            optimizer: OptimizerOptions::read(&reader, model.drops().as_deref())?,
            model,
            stopping: StoppingOptions::read(&reader)?,
            decision: DecisionOptions::read(&reader)?,
            threads: ThreadOptions::read(&reader)?,
            seed: reader.count("seed", 0, &[])?.unwrap_or(0),
            output: OutputOptions {
                out: reader.with("out", run_directory)?,
                overwrite: reader.switch("overwrite")?,
                log_steps: reader.count("log_steps", 1, &[])?,
                checkpoint_every: reader.with("checkpoint_every", every)?.unwrap_or(Some(CHECKPOINT_EVERY)),
                retry: retry(&reader, cv.is_some())?,
            },
            preset: None,
            of_numbers: None,
            of_tables: None,
            portfolio: None,
        };
        config.data.check()?;
        config.check_blocks()?;
        Ok(config)
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

fn data_options(reader: &Reader) -> Result<DataOptions> {
    if reader.text("data").is_none_or(|data| data.is_empty()) {
        let message = "expected DATA: a file (CSV, JSON Lines, Parquet, NPY, NPZ, pack, libsvm, IDX), a folder of Parquet files or of MNIST's layout, or - for standard input";
        return Err(Error::Usage(message.to_owned()));
    }
    let names = [names_for(DATA), vec!["data"]].concat();
    let mut options: DataOptions =
        reader.table(&names).try_into().map_err(|e: toml::de::Error| reader.rename(&names, &e.to_string()))?;
    let loss = asked_loss(reader)?;
    options.scale_target = !reader.switch("no_scale_target")? && loss != Some(Loss::Poisson);
    options.number_loss = loss.and_then(number_loss);
    Ok(options)
}

/// A path. An empty one is refused: it would put the run's files into the current directory.
fn run_directory(text: &str) -> std::result::Result<PathBuf, String> {
    if text.is_empty() { Err("expected a directory, found nothing".to_owned()) } else { Ok(path_text::to_path(text)) }
}

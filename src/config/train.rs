//! The options of a training run, parsed and checked.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::decision::DecisionOptions;
use super::folds::{folds, members, retry};
use super::keys::{DATA, names_for};
use super::lengths::{duration, every};
use super::loss::number_loss;
use super::network::{STACK_KEYS, description};
use super::optimizer::{OptimizerOptions, dialect, optimizer_options};
use super::portfolio::Portfolio;
use super::reader::{Reader, not_negative, positive};
use super::settings::Settings;
use super::tabular::{biases, extras, residual};
use crate::data::{Augment, DataOptions, FoldCount, PartFrom, Task};
use crate::fit::{DataPart, Every, Goal, Patience, Watched};
use crate::kernel::Isa;
use crate::layer::description::Description;
use crate::model::recipe::{Biases, Extras};
use crate::nn::init::{Init, Scheme};
use crate::nn::{Activation, Loss, NormKind};
use crate::optim::Dialect;
use crate::option_text::{option, setting};
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

/// The network, before the data determine its inputs and outputs.
#[derive(Debug, Clone)]
pub struct ModelOptions {
    /// The layers from a file; then the fields up to `residual` are empty.
    pub network: Option<Description>,
    /// Widths of the hidden layers.
    pub hidden: Vec<usize>,
    /// Activation of each hidden layer.
    pub activations: Vec<Activation>,
    /// Activation of the outputs.
    pub output_activation: Activation,
    /// Fraction of hidden units dropped.
    pub dropout: f64,
    /// Normalisation.
    pub norm: Option<NormKind>,
    /// Whether hidden layers add their input.
    pub residual: bool,
    /// What a tabular network adds to a stack.
    pub extras: Extras,
    /// The initialisation of biases.
    pub bias_init: Biases,
    /// Initial weights; `None` for the default of each activation.
    pub init: Option<Init>,
    /// Loss; `None` for that of the task.
    pub loss: Option<Loss>,
    /// Weights to start from.
    pub init_from: Option<PathBuf>,
    /// Layers and tensors that do not learn.
    pub freeze: Vec<String>,
}

impl ModelOptions {
    /// The option that asks for dropout, if there is one.
    fn drops(&self) -> Option<String> {
        match self.network.as_ref().is_some_and(Description::is_random) {
            true => Some(format!("dropout in {}", option("network"))),
            false => (self.dropout > 0.0).then(|| option("dropout").to_string()),
        }
    }
}

/// When training ends.
#[derive(Debug, Clone)]
pub struct StoppingOptions {
    /// Epochs; `None` to choose them by the steps of an epoch.
    pub epochs: Option<usize>,
    /// The most steps.
    pub steps: Option<u64>,
    /// Time limit of the whole command.
    pub time_limit: Option<Duration>,
    /// The end of the time limit.
    pub deadline: Option<Instant>,
    /// The goal that ends training.
    pub target: Option<Goal>,
    /// The metric that decides the best weights; `None` for that of the task.
    pub monitor: Option<Watched>,
    /// How long training continues without a better value; `None` to decide by whether the number of epochs is chosen.
    pub patience: Option<Patience>,
    /// A value is better only if it improves by more than this.
    pub min_delta: f64,
    /// Tolerance of the loss.
    pub tol_loss: Option<f64>,
    /// Tolerance of the gradient norm.
    pub tol_grad: Option<f64>,
    /// The goal that must be met at the end.
    pub fail_under: Option<Goal>,
}

impl StoppingOptions {
    /// Subtracts the time before an interruption from the time limit.
    ///
    /// # Errors
    /// [`Error::Option`] if no time is left.
    pub fn spend(&mut self, spent: Duration) -> Result<()> {
        let (Some(limit), Some(deadline)) = (self.time_limit, self.deadline) else { return Ok(()) };
        self.deadline = deadline.checked_sub(spent).filter(|_| limit > spent);
        if self.deadline.is_none_or(|deadline| deadline <= Instant::now()) {
            let (limit, spent) = (limit.as_secs_f64(), spent.as_secs_f64());
            let message = format!("the run has taken {spent:.1} s already: allow more");
            return Err(Error::NoStep(message).of_value("time_limit", format_args!("{limit}s")));
        }
        Ok(())
    }
}

/// Threads and instructions.
#[derive(Debug, Clone)]
pub struct ThreadOptions {
    /// The most threads; `None` for the available CPUs.
    pub threads: Option<usize>,
    /// Whether exactly this number is used.
    pub exact: bool,
    /// The instruction set of the kernels.
    pub isa: Isa,
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
        let model = model_options(&reader)?;
        let data = DataOptions { level_numbers: model.extras.categories.map(|categories| categories.levels), ..data };
        let config = TrainConfig {
            data: if cv.is_some() { DataOptions { valid: PartFrom::None, ..data } } else { data },
            members: members(&reader, cv)?,
            augment: reader.parse("augment")?.unwrap_or_default(),
            cv,
            shuffle: !reader.switch("no_shuffle")?,
            optimizer: optimizer_options(&reader, model.drops().as_deref())?,
            model,
            stopping: stopping_options(&reader)?,
            decision: DecisionOptions::read(&reader)?,
            threads: thread_options(&reader)?,
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

fn asked_loss(reader: &Reader) -> Result<Option<Loss>> {
    match reader.text("loss").as_deref() {
        None | Some("auto") => Ok(None),
        Some(_) => reader.parse::<Loss>("loss"),
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

fn model_options(reader: &Reader) -> Result<ModelOptions> {
    let (network, extras) = (description(reader)?, extras(reader)?);
    let usual = || if network.is_some() { Vec::new() } else { vec![256, 128] };
    let hidden = reader.with("hidden", widths)?.unwrap_or_else(usual);
    let given: Vec<Activation> = reader.list("activation")?.unwrap_or_else(|| vec![Activation::Relu]);
    let activations = match given.as_slice() {
        [one] => vec![*one; hidden.len()],
        several if several.len() == hidden.len() => several.to_vec(),
        several => {
            let (found, expected) = (several.len(), hidden.len());
            let message = format!("expected 1 or {expected}, one for each hidden layer, found {found}");
            return Err(reader.wrong("activation", &message));
        }
    };
    let norm = match reader.text("norm").as_deref() {
        None | Some("none") => None,
        Some(_) => reader.parse::<NormKind>("norm")?,
    };
    Ok(ModelOptions {
        network,
        hidden,
        activations,
        output_activation: reader.parse("output_activation")?.unwrap_or(Activation::Identity),
        dropout: reader
            .number("dropout", "a share of at least 0 and below 1", |x| (0.0..1.0).contains(&x))?
            .unwrap_or(0.0),
        norm,
        residual: residual(reader, &extras)?,
        extras,
        bias_init: biases(reader)?,
        init: reader.parse("init")?.or(dialect(reader)?.map(initial_weights)),
        loss: asked_loss(reader)?,
        init_from: reader.text("init_from").map(|text| path_text::to_path(&text)),
        freeze: frozen(reader)?,
    })
}

/// The names of `--freeze`, which requires weights to start from.
fn frozen(reader: &Reader) -> Result<Vec<String>> {
    let given = reader.value("freeze").filter(|value| value.as_array().is_none_or(|names| !names.is_empty()));
    let (Some(_), Some(text)) = (given, reader.text("freeze")) else { return Ok(Vec::new()) };
    let names: Vec<String> =
        text.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
    if names.is_empty() {
        let found = format!("expected names of layers such as layers.0, found \"{text}\"");
        return Err(reader.wrong("freeze", &found));
    }
    if reader.text("init_from").is_none() {
        let message = format!("these layers would keep random weights: give {}", setting("init_from", "FILE"));
        return Err(reader.wrong("freeze", &message));
    }
    Ok(names)
}

/// The initial weights of a dialect's library.
fn initial_weights(dialect: Dialect) -> Init {
    Init::new(match dialect {
        Dialect::Torch => Scheme::TorchDefault,
        Dialect::Keras => Scheme::GlorotUniform,
        Dialect::Sklearn => Scheme::Sklearn,
    })
}

/// Widths of the hidden layers, `none` for no hidden layer.
fn widths(text: &str) -> std::result::Result<Vec<usize>, String> {
    if text == "none" {
        return Ok(Vec::new());
    }
    let width = |part: &str| part.trim().parse::<usize>().ok().filter(|w| (1..=1 << 20).contains(w));
    let widths: Option<Vec<usize>> = text.split(',').map(width).collect();
    widths.ok_or_else(|| format!("expected widths of 1 to 1,048,576 such as 256,128, or none, found \"{text}\""))
}

/// The time when `--time-limit` ends a command, if settings have one.
///
/// # Errors
/// [`Error::Option`], or [`Error::Usage`] that names a variable or a file, if it is not a duration.
pub fn deadline(settings: &Settings) -> Result<Option<Instant>> {
    let reader = Reader::new(settings.clone());
    Ok(reader.with("time_limit", duration)?.and_then(|limit| reader.began().checked_add(limit)))
}

fn stopping_options(reader: &Reader) -> Result<StoppingOptions> {
    let time_limit = reader.with("time_limit", duration)?;
    let options = StoppingOptions {
        epochs: reader.count("epochs", 1, &["auto"])?.map(|n| n as usize),
        steps: reader.count("steps", 1, &[])?,
        time_limit,
        deadline: time_limit.and_then(|limit| reader.began().checked_add(limit)),
        target: reader.parse("target")?,
        monitor: reader.parse("monitor")?,
        patience: patience(reader)?,
        min_delta: reader.number("min_delta", "a number of at least 0", not_negative)?.unwrap_or(0.0),
        tol_loss: reader.number("tol_loss", "a number above 0", positive)?,
        tol_grad: reader.number("tol_grad", "a number above 0", positive)?,
        fail_under: reader.parse("fail_under")?,
    };
    let watched = [("target", options.target.map(|g| g.watched)), ("monitor", options.monitor)];
    for (name, watched) in watched {
        if let Some(watched) = watched.filter(|w| w.part == DataPart::Test) {
            let message = format!("the test part is looked at only after training; use val_{}", watched.metric);
            return Err(Error::Usage(message).of_value(name, watched));
        }
        if let Some(watched) = watched.filter(|w| w.part == DataPart::Train && w.metric.needs_ranking()) {
            let message = format!("it is not followed on the training part; use val_{}", watched.metric);
            return Err(Error::Usage(message).of_value(name, watched));
        }
    }
    Ok(options)
}

/// `none`, a number of epochs, or `auto`, which is the default.
fn patience(reader: &Reader) -> Result<Option<Patience>> {
    if reader.text("patience").as_deref() == Some("none") {
        return Ok(Some(Patience::Never));
    }
    Ok(reader.count("patience", 1, &["auto", "none"])?.map(|epochs| Patience::After(epochs as usize)))
}

/// A path. An empty one is refused: it would put the run's files into the current directory.
fn run_directory(text: &str) -> std::result::Result<PathBuf, String> {
    if text.is_empty() { Err("expected a directory, found nothing".to_owned()) } else { Ok(path_text::to_path(text)) }
}

/// The most threads.
pub(super) const MOST_THREADS: u64 = 1024;

/// The instruction set of `--isa`.
pub(super) fn isa(reader: &Reader) -> Result<Isa> {
    let isa = reader.with("isa", |text| {
        let available = Isa::available();
        let named = available.iter().find(|isa| isa.name() == text).copied();
        let isa = if text == "auto" { Some(Isa::detect()) } else { named };
        isa.ok_or_else(|| {
            let names: Vec<&str> = available.iter().map(|isa| isa.name()).collect();
            format!("expected auto or one that this CPU runs ({}), found \"{text}\"", names.join(", "))
        })
    })?;
    Ok(isa.unwrap_or_else(Isa::detect))
}

pub(super) fn thread_options(reader: &Reader) -> Result<ThreadOptions> {
    let threads = reader.count("threads", 1, &["auto"])?;
    if threads.is_some_and(|n| n > MOST_THREADS) {
        return Err(reader.wrong("threads", &format!("expected at most {MOST_THREADS}")));
    }
    Ok(ThreadOptions {
        threads: threads.map(|n| n as usize),
        exact: reader.switch("exact_threads")?,
        isa: isa(reader)?,
    })
}

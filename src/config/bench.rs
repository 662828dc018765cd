//! The options that `bench` shares with other verbs.

use super::optimizer::{norm_bound, optimizer};
use super::reader::Reader;
use super::settings::Settings;
use super::threads::{MOST_THREADS, isa};
use crate::kernel::Isa;
use crate::optim::clip::NormType;
use crate::optim::{Algorithm, OptimizerSpec};
use crate::train::team::available_threads;
use crate::{Error, Result};

/// How a workload is trained and timed.
#[derive(Debug, Clone)]
pub struct BenchOptions {
    /// The optimizer; its learning rate is constant.
    pub optimizer: OptimizerSpec,
    /// Bound of the gradient's norm.
    pub clip_norm: Option<(f64, NormType)>,
    /// Epochs to time after one warm-up; by default 5, and more until 0.3 s have passed.
    pub epochs: Option<usize>,
    /// The instruction set of the kernels.
    pub isa: Isa,
    /// Whether the number of threads is exact rather than a limit.
    pub exact_threads: bool,
    /// Whether to measure the time of each phase of a step.
    pub explain: bool,
}

/// How workloads are timed, and on how many threads each.
#[derive(Debug, Clone)]
pub struct BenchConfig {
    /// Numbers of threads, one run for each.
    pub threads: Vec<usize>,
    /// All other options; `explain` is off unless the caller sets it.
    pub options: BenchOptions,
}

/// The default bound of the gradient's norm.
const CLIP_NORM: (f64, NormType) = (1.0, NormType::L2);

impl BenchConfig {
    /// Parses and checks settings.
    ///
    /// # Errors
    /// [`Error::Option`], or [`Error::Usage`] that names a variable.
    pub fn new(settings: Settings) -> Result<BenchConfig> {
        let reader = Reader::new(settings);
        let clip_norm = reader.with("clip_norm", |text| match text {
            "none" => Ok(None),
            text => norm_bound(text).map(Some),
        })?;
        let optimizer = optimizer(&reader)?;
        if matches!(optimizer.algorithm, Algorithm::WholeNetwork(_)) {
            let message = "steps on mini-batches are timed, and lbfgs needs all rows in each step".to_owned();
            return Err(Error::Usage(message).of_value("optimizer", "lbfgs"));
        }
        let options = BenchOptions {
            optimizer,
            clip_norm: clip_norm.unwrap_or(Some(CLIP_NORM)),
            epochs: reader.count("epochs", 1, &["auto"])?.map(|n| n as usize),
            isa: isa(&reader)?,
            exact_threads: reader.switch("exact_threads")?,
            explain: false,
        };
        Ok(BenchConfig { threads: threads(&reader)?, options })
    }
}

/// `1,2,4`, each once; by default one thread, then all CPUs.
fn threads(reader: &Reader) -> Result<Vec<usize>> {
    let all = || vec![1, available_threads()];
    let given = reader.with("threads", |text| match text {
        "auto" => Ok(all()),
        text => text.split(',').map(count).collect(),
    })?;
    let mut threads: Vec<usize> = Vec::new();
    for number in given.unwrap_or_else(all) {
        if !threads.contains(&number) {
            threads.push(number);
        }
    }
    Ok(threads)
}

fn count(text: &str) -> std::result::Result<usize, String> {
    match text.trim().parse() {
        Ok(number) if (1..=MOST_THREADS as usize).contains(&number) => Ok(number),
        _ => Err(format!("expected whole numbers of 1 to {MOST_THREADS} such as 1,2,4, found \"{text}\"")),
    }
}

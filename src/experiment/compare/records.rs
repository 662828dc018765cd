//! What a comparison writes to `runs.jsonl`: everything that its report is made from, a record a line.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One line of `runs.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Record {
    /// The first line: what was asked for.
    Protocol(Protocol),
    /// One training run.
    Run(Run),
    /// The cost of one step, measured alone.
    StepCost(StepCost),
}

/// What was asked for, and on what terms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Protocol {
    /// The program's version.
    pub version: String,
    /// The command that repeats the comparison.
    pub command: String,
    /// Whether it is the quick form.
    pub quick: bool,
    /// Tuning runs for each optimizer and problem.
    pub trials: usize,
    /// Final runs for each optimizer and problem, of the tuned and of the untuned setting each.
    pub seeds: usize,
    /// The machine: processor, threads used, instruction set.
    pub machine: String,
    /// What is trained.
    pub problems: Vec<ProblemRecord>,
    /// What is compared.
    pub optimizers: Vec<OptimizerRecord>,
}

/// A data set with its network and budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProblemRecord {
    /// Short name, unique.
    pub name: String,
    /// One sentence.
    pub description: String,
    /// Rows of the training, validation and test part.
    pub rows: [usize; 3],
    /// Widths from inputs to outputs.
    pub layers: Vec<usize>,
    /// Rows of a step.
    pub batch: usize,
    /// Steps of every run.
    pub steps: u64,
    /// The validation loss to reach; `None` on user data without `--target`: the median final validation loss of the
    /// tuned momentum baseline then.
    pub target: Option<f64>,
    /// Where the target is from, in words.
    pub target_source: String,
    /// The figure reported on the test part beside the loss: `accuracy`, `rmse`, …
    pub score: String,
}

/// An optimizer as it is compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OptimizerRecord {
    /// The name in tables, unique.
    pub name: String,
    /// What `--optimizer` was given, its own defaults included.
    pub spec: String,
    /// What was searched, in order; the schedule is searched beside it.
    pub space: Vec<Dimension>,
    /// Schedules in the space.
    pub schedules: Vec<String>,
}

/// A hyperparameter that is searched evenly in its logarithm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dimension {
    /// `lr`, `one_minus_beta1`, …
    pub name: String,
    /// Least value, above 0.
    pub low: f64,
    /// Greatest value.
    pub high: f64,
}

/// Why a run was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// A trial of the search.
    Tuning,
    /// The best trial's setting, with a fresh seed.
    Tuned,
    /// The optimizer's own defaults, with a fresh seed.
    Untuned,
}

/// One training run. Losses are means over a whole part, without penalties; `None` where they are not finite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// [`ProblemRecord::name`].
    pub problem: String,
    /// [`OptimizerRecord::name`].
    pub optimizer: String,
    /// Why it was made.
    pub purpose: Purpose,
    /// Number of the trial, or of the final seed, from 0. Runs of one problem and number share initial weights and order
    /// of rows, and in final runs the seed.
    pub number: usize,
    /// Seed of initial weights and order of rows.
    pub seed: u64,
    /// The optimizer with all values set, as `--optimizer` reads it.
    pub spec: String,
    /// The schedule, as `--schedule` reads it.
    pub schedule: String,
    /// Values of [`OptimizerRecord::space`] by name.
    pub values: BTreeMap<String, f64>,
    /// Whether loss or gradient stopped being finite.
    pub diverged: bool,
    /// Losses at fixed steps, the last at the end; shorter for a run that diverged.
    pub curve: Vec<Point>,
    /// Validation loss at the end.
    pub val_loss: Option<f64>,
    /// Test loss at the end.
    pub test_loss: Option<f64>,
    /// [`ProblemRecord::score`] on the test part at the end.
    pub test_score: Option<f64>,
    /// Seconds of the run, others beside it: for the progress display, never for a verdict.
    pub seconds: f64,
}

impl Run {
    /// Validation loss at the end, infinite where the run diverged.
    pub fn final_val_loss(&self) -> f64 {
        self.unless_diverged(self.val_loss)
    }

    /// Test loss at the end, infinite where the run diverged.
    pub fn final_test_loss(&self) -> f64 {
        self.unless_diverged(self.test_loss)
    }

    fn unless_diverged(&self, loss: Option<f64>) -> f64 {
        loss.filter(|_| !self.diverged).unwrap_or(f64::INFINITY)
    }
}

/// A point of a run's curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Steps made.
    pub step: u64,
    /// Mean loss of the batches since the last point, each before its update.
    pub train_loss: Option<f64>,
    /// Loss on the validation part.
    pub val_loss: Option<f64>,
}

/// Microseconds of one step on one thread, the optimizers in turn, nothing else at work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepCost {
    /// [`ProblemRecord::name`].
    pub problem: String,
    /// [`OptimizerRecord::name`].
    pub optimizer: String,
    /// Median of the rounds.
    pub median: f64,
    /// First and third quartile.
    pub quartiles: [f64; 2],
}

/// Names under which a learning rate is searched: the effective one of optimizers with momentum, or the rate itself.
pub const RATES: [&str; 2] = ["effective_lr", "lr"];

/// The learning rate among searched values.
pub fn searched_rate(values: &BTreeMap<String, f64>) -> Option<f64> {
    RATES.iter().find_map(|name| values.get(*name)).copied()
}

//! The records in `runs.jsonl`, one on each line: everything that the report is made from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One line of `runs.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Record {
    /// The first line: the request.
    Protocol(Protocol),
    /// One training run.
    Run(Run),
    /// The cost of one step, measured separately.
    StepCost(StepCost),
}

/// The request of a comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Protocol {
    /// Version of the program.
    pub version: String,
    /// The command that repeats the comparison.
    pub command: String,
    /// Whether this is the quick form.
    pub quick: bool,
    /// The number of runs of each kind.
    #[serde(flatten)]
    pub terms: Terms,
    /// The machine: processor, threads used, instruction set.
    pub machine: String,
    /// The problems.
    pub problems: Vec<ProblemRecord>,
    /// The optimizers.
    pub optimizers: Vec<OptimizerRecord>,
}

/// The size of a comparison. A *study* is one complete search for one optimizer on one problem, independent of every other
/// study. It tries settings, repeats the best of them, chooses one, and trains that one with fresh seeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Number of studies of each optimizer on each problem.
    pub studies: usize,
    /// Number of settings that a study tries, with one run each. The first are the optimizer's defaults.
    pub trials: usize,
    /// Number of best trials, which are repeated.
    pub finalists: usize,
    /// Number of further seeds for each finalist.
    pub repeats: usize,
    /// Number of fresh seeds for the chosen setting.
    pub seeds: usize,
    /// Seed from which all random numbers derive.
    pub seed: u64,
}

/// A data set with its network and budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProblemRecord {
    /// Short name, unique.
    pub name: String,
    /// One sentence.
    pub description: String,
    /// The kind of difficulty.
    pub family: Family,
    /// Rows of the training, validation and test part.
    pub rows: [usize; 3],
    /// Widths from inputs to outputs.
    pub layers: Vec<usize>,
    /// Batch size.
    pub batch: usize,
    /// Number of steps of every run.
    pub steps: u64,
    /// Target validation loss. `None` on user data without `--target`; the target is then derived from the runs.
    pub target: Option<f64>,
    /// Origin of the target, as text.
    pub target_source: String,
    /// The metric reported on the test part beside the loss: `accuracy`, `rmse`, …
    pub score: String,
    /// Hash of the data; only for user data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
}

/// An optimizer in a comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OptimizerRecord {
    /// Name in tables, unique.
    pub name: String,
    /// The specification given to `--optimizer`, with defaults filled in.
    pub spec: String,
    /// The search space, in order. The schedule is searched in addition.
    pub space: Vec<Dimension>,
    /// The searched schedules.
    pub schedules: Vec<String>,
}

/// A hyperparameter that is searched log-uniformly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dimension {
    /// Its name, such as `lr` or `one_minus_beta1`.
    pub name: String,
    /// Smallest value, above 0.
    pub low: f64,
    /// Largest value.
    pub high: f64,
}

/// The main difficulty of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// Optimization: how far the training loss falls within the budget.
    Optimization,
    /// Noise in labels and gradients.
    Noise,
    /// Few rows: overfitting.
    SmallData,
    /// Unknown: the user's data.
    Yours,
}

impl Family {
    /// All families, in the order of reports.
    pub const ALL: [Family; 4] = [Family::Optimization, Family::Noise, Family::SmallData, Family::Yours];

    /// Name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Family::Optimization => "optimization-bound",
            Family::Noise => "noise-bound",
            Family::SmallData => "small data",
            Family::Yours => "your data",
        }
    }
}

/// The stage of a study to which a run belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// One run of each setting.
    Trial,
    /// A further run of a finalist.
    Repeat,
    /// A run of the chosen setting with a fresh seed. These runs are reported.
    Final,
}

/// One training run. Losses are means over a whole part, without penalties; `None` if they are not finite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// [`ProblemRecord::name`].
    pub problem: String,
    /// [`OptimizerRecord::name`].
    pub optimizer: String,
    /// Number of the study, from 0.
    pub study: usize,
    /// Stage within the study.
    pub stage: Stage,
    /// Number of the setting among the trials of the study, from 0. Number 0 has the optimizer's defaults.
    pub trial: usize,
    /// Number of the seed within the stage, from 0.
    pub repeat: usize,
    /// Seed of the initial weights and of the order of rows.
    pub seed: u64,
    /// The optimizer with all values, as `--optimizer` reads it.
    pub spec: String,
    /// The schedule, as `--schedule` reads it.
    pub schedule: String,
    /// Values of [`OptimizerRecord::space`] by name; empty for the defaults.
    pub values: BTreeMap<String, f64>,
    /// Whether loss or gradient stopped being finite.
    pub diverged: bool,
    /// Losses at fixed steps, the last at the end of the run; shorter if the run diverged.
    pub curve: Vec<Point>,
    /// The step of the curve with the lowest validation loss; the first of equal ones.
    pub best_step: Option<u64>,
    /// Validation loss at that step.
    pub val_loss: Option<f64>,
    /// Test loss at that step.
    pub test_loss: Option<f64>,
    /// [`ProblemRecord::score`] on the test part at that step.
    pub test_score: Option<f64>,
    /// Test loss at the last step.
    pub last_test_loss: Option<f64>,
    /// Seconds of the run, while other runs may be active. For the progress display only; verdicts do not use it.
    pub seconds: f64,
}

impl Run {
    /// Validation loss at the best step; infinite if the run diverged.
    pub fn best_val_loss(&self) -> f64 {
        self.unless_diverged(self.val_loss)
    }

    /// Test loss at the best step; infinite if the run diverged.
    pub fn best_test_loss(&self) -> f64 {
        self.unless_diverged(self.test_loss)
    }

    fn unless_diverged(&self, loss: Option<f64>) -> f64 {
        loss.filter(|_| !self.diverged).unwrap_or(f64::INFINITY)
    }
}

/// A point of a run's curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Number of steps made.
    pub step: u64,
    /// Mean loss of the batches since the previous point, each before its update.
    pub train_loss: Option<f64>,
    /// Loss on the validation part.
    pub val_loss: Option<f64>,
}

/// Microseconds of one step on one thread, measured for the optimizers in turn with no other runs active.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepCost {
    /// [`ProblemRecord::name`].
    pub problem: String,
    /// [`OptimizerRecord::name`].
    pub optimizer: String,
    /// Median of the rounds.
    pub median: f64,
    /// First and third quartile of the rounds.
    pub quartiles: [f64; 2],
}

/// Names under which a learning rate is searched: the effective rate of optimizers with momentum, or the plain rate.
pub const RATES: [&str; 2] = ["effective_lr", "lr"];

/// The learning rate among searched values.
pub fn searched_rate(values: &BTreeMap<String, f64>) -> Option<f64> {
    RATES.iter().find_map(|name| values.get(*name)).copied()
}

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
    /// How many runs there are, and of which kind.
    #[serde(flatten)]
    pub terms: Terms,
    /// The machine: processor, threads used, instruction set.
    pub machine: String,
    /// What is trained.
    pub problems: Vec<ProblemRecord>,
    /// What is compared.
    pub optimizers: Vec<OptimizerRecord>,
}

/// How much is run. A *study* is one whole search for one optimizer on one problem, independent of every other study:
/// it tries settings, repeats the best of them, chooses one, and trains that one on fresh seeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Studies of each optimizer on each problem.
    pub studies: usize,
    /// Settings that a study tries, one run each; the optimizer's defaults are the first.
    pub trials: usize,
    /// The best trials, which are repeated.
    pub finalists: usize,
    /// Further seeds of each finalist.
    pub repeats: usize,
    /// Fresh seeds of the chosen setting.
    pub seeds: usize,
    /// Where all random numbers begin.
    pub seed: u64,
}

/// A data set with its network and budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProblemRecord {
    /// Short name, unique.
    pub name: String,
    /// One sentence.
    pub description: String,
    /// What decides on it.
    pub family: Family,
    /// Rows of the training, validation and test part.
    pub rows: [usize; 3],
    /// Widths from inputs to outputs.
    pub layers: Vec<usize>,
    /// Rows of a step.
    pub batch: usize,
    /// Steps of every run.
    pub steps: u64,
    /// The validation loss to reach; `None` on user data without `--target`: it is then found from the runs.
    pub target: Option<f64>,
    /// Where the target is from, in words.
    pub target_source: String,
    /// The figure reported on the test part beside the loss: `accuracy`, `rmse`, …
    pub score: String,
    /// Hash of the data, where they are the user's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
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

/// What decides how good a network becomes on a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// How far the training loss falls within the budget.
    Optimization,
    /// Noise of labels and gradients.
    Noise,
    /// Few rows: what is learnt by heart.
    SmallData,
    /// Unknown: data of the user.
    Yours,
}

impl Family {
    /// All of them, in the order of reports.
    pub const ALL: [Family; 4] = [Family::Optimization, Family::Noise, Family::SmallData, Family::Yours];

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Family::Optimization => "optimization-bound",
            Family::Noise => "noise-bound",
            Family::SmallData => "small data",
            Family::Yours => "your data",
        }
    }
}

/// The part of a study to which a run belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// A setting is tried.
    Trial,
    /// A finalist is tried on a further seed.
    Repeat,
    /// The chosen setting is trained on a fresh seed: what is reported.
    Final,
}

/// One training run. Losses are means over a whole part, without penalties; `None` where they are not finite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// [`ProblemRecord::name`].
    pub problem: String,
    /// [`OptimizerRecord::name`].
    pub optimizer: String,
    /// Number of the study, from 0.
    pub study: usize,
    /// Its part of the study.
    pub stage: Stage,
    /// Number of the setting among the trials of the study, from 0; 0 are the optimizer's own defaults.
    pub trial: usize,
    /// Number of the seed within the stage, from 0.
    pub repeat: usize,
    /// Seed of initial weights and order of rows.
    pub seed: u64,
    /// The optimizer with all values set, as `--optimizer` reads it.
    pub spec: String,
    /// The schedule, as `--schedule` reads it.
    pub schedule: String,
    /// Values of [`OptimizerRecord::space`] by name; none for the defaults.
    pub values: BTreeMap<String, f64>,
    /// Whether loss or gradient stopped being finite.
    pub diverged: bool,
    /// Losses at fixed steps, the last at the end; shorter for a run that diverged.
    pub curve: Vec<Point>,
    /// The step of the curve with the least validation loss, the first of equal ones.
    pub best_step: Option<u64>,
    /// Validation loss at that step.
    pub val_loss: Option<f64>,
    /// Test loss at that step.
    pub test_loss: Option<f64>,
    /// [`ProblemRecord::score`] on the test part at that step.
    pub test_score: Option<f64>,
    /// Test loss at the last step.
    pub last_test_loss: Option<f64>,
    /// Seconds of the run, others beside it: for the progress display, never for a verdict.
    pub seconds: f64,
}

impl Run {
    /// Validation loss at the best step, infinite where the run diverged.
    pub fn best_val_loss(&self) -> f64 {
        self.unless_diverged(self.val_loss)
    }

    /// Test loss at the step with the best validation loss, infinite where the run diverged.
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

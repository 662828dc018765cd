//! What a comparison found: the form of `summary.json`.
//!
//! A figure is `null` where it is infinite: a median over seeds of which half or more diverged or missed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Chance that a comparison of tied optimizers claims any difference.
pub const ALPHA: f64 = 0.05;
/// Performance profiles are scored up to this many times the least steps, as AlgoPerf's.
pub const TAU_MAX: f64 = 4.0;
/// Confidence of intervals.
pub const LEVEL: f64 = 0.95;

/// Everything the report says, but for the curves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The finding, in words.
    pub verdict: String,
    /// Whether any pair of optimizers differs.
    pub any_difference: bool,
    /// What this comparison cannot show.
    pub caveats: Vec<String>,
    /// What may be wrong with it: bests on edges of spaces, optimizers below their own special cases.
    pub warnings: Vec<String>,
    /// A verdict for each pair.
    pub pairs: Vec<Pair>,
    /// What these numbers of problems and seeds can find.
    pub power: Power,
    /// The optimizers over all problems, in the order they were named.
    pub optimizers: Vec<OptimizerSummary>,
    /// The problems, in their order.
    pub problems: Vec<ProblemSummary>,
}

/// Which of two optimizers is better, as tuned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// The first.
    pub a: String,
    /// The second.
    pub b: String,
    /// Mean over the problems of `P(a < b) − P(a > b)` of the final test losses of two runs: 1 if `a` always has the lower.
    pub effect: f64,
    /// Permutation test over paired seeds, stratified by problem.
    pub p: f64,
    /// The same after Holm's correction over all pairs.
    pub p_holm: f64,
    /// What follows.
    pub verdict: PairVerdict,
}

/// What a test of a pair allows to say at a family-wise error rate of [`super::ALPHA`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PairVerdict {
    /// The first is better.
    ABetter,
    /// The second is better.
    BBetter,
    /// Neither has been shown to be better; that is not to say that they are equal.
    NoDifferenceShown,
}

/// What a comparison of this size can find.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Power {
    /// Pairs of runs behind each verdict: problems × seeds.
    pub paired_runs: usize,
    /// The least p, after Holm's correction, that so many can show.
    pub smallest_p: f64,
    /// The difference, in standard deviations over seeds and the same on every problem, that is found four times in five:
    /// `(Φ⁻¹(1 − α / 2m) + Φ⁻¹(0.8)) · √(2 / N) · √(π / 3)` for m verdicts from N pairs of independent normal losses; √(π / 3)
    /// is what ranks lose against means. Infinite, so `None`, where the smallest p is above α.
    pub detectable_sd: Option<f64>,
}

/// An optimizer over all problems.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OptimizerSummary {
    /// Its name.
    pub name: String,
    /// Interquartile mean of the normalised final test losses of its tuned runs on all problems:
    /// `min(10, (x − least) / (median − least))` over all tuned runs on a problem, so 0 is the best run of any optimizer
    /// and 1 the one in the middle. Diverged runs count 10.
    pub normalised_loss: Estimate,
    /// Area of its performance profile for the steps to target, from 1 to [`TAU_MAX`] times the least.
    pub profile_score: f64,
    /// Steps to target over the least of any optimizer, problem by problem; infinite, so `None`, where it missed.
    pub ratios: Vec<Option<f64>>,
    /// Expected normalised validation loss of the best of `k` trials, from `k` = 1, the mean over the problems;
    /// normalised as above among the trials, diverged ones counted 10.
    pub expected_best: Vec<f64>,
    /// Better than so many of the others.
    pub wins: usize,
    /// Worse than so many.
    pub losses: usize,
}

/// A median over seeds with its bias-corrected and accelerated bootstrap interval of 95 %; exploratory.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Estimate {
    /// The figure.
    pub value: Option<f64>,
    /// Lower end.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
}

/// A problem.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProblemSummary {
    /// Its name.
    pub name: String,
    /// The validation loss to reach; `None` where there is none.
    pub target: Option<f64>,
    /// Where the target is from.
    pub target_source: String,
    /// The optimizers on it.
    pub results: Vec<ProblemResult>,
}

/// An optimizer on a problem.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProblemResult {
    /// The optimizer.
    pub optimizer: String,
    /// The chosen trial; `None` where there were none.
    pub best: Option<BestTrial>,
    /// Trials that were made.
    pub trials: usize,
    /// Those that diverged.
    pub diverged_trials: usize,
    /// Learning rate against final validation loss, by learning rate.
    pub sensitivity: Vec<SensitivityPoint>,
    /// Expected final validation loss of the best of `k` trials, from `k` = 1. A diverged trial counts as the greatest
    /// finite loss of any optimizer's trials on the problem; `None` where none is finite.
    pub expected_best: Vec<Option<f64>>,
    /// Runs of the chosen setting with fresh seeds.
    pub tuned: FinalRuns,
    /// Runs of the optimizer's own defaults with the same seeds.
    pub untuned: FinalRuns,
    /// How soon the tuned runs reach the target.
    pub to_target: ToTarget,
}

/// The trial with the lowest final validation loss.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BestTrial {
    /// Its number, from 0.
    pub number: usize,
    /// The optimizer with all values set.
    pub spec: String,
    /// Its schedule.
    pub schedule: String,
    /// Its searched values.
    pub values: BTreeMap<String, f64>,
    /// Its final validation loss; `None` where every trial diverged.
    pub val_loss: Option<f64>,
    /// Searched values that lie on an edge of the space: in the outer 5 % of its logarithm, or, of the learning rate, the
    /// least or greatest that was tried.
    pub edges: Vec<String>,
}

/// A trial's learning rate and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SensitivityPoint {
    /// Learning rate; with momentum the effective one.
    pub lr: f64,
    /// Its schedule.
    pub schedule: String,
    /// Final validation loss; `None`: diverged.
    pub val_loss: Option<f64>,
}

/// Final figures of runs that differ by their seed alone.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct FinalRuns {
    /// How many.
    pub runs: usize,
    /// Those that diverged; they count as infinite losses and as missing scores.
    pub diverged: usize,
    /// Validation loss.
    pub val_loss: Estimate,
    /// Test loss.
    pub test_loss: Estimate,
    /// The problem's score on the test part, over the runs that have one.
    pub test_score: Estimate,
}

/// How soon runs reach a target. Steps are those of the first evaluation at or below it; a miss is infinite.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct ToTarget {
    /// Runs that reach it.
    pub hits: usize,
    /// Runs.
    pub of: usize,
    /// Median steps.
    pub steps: Option<f64>,
    /// First and third quartile of the steps.
    pub quartiles: [Option<f64>; 2],
    /// Rows seen in the median steps.
    pub samples: Option<f64>,
    /// Microseconds of one step on one thread, measured alone.
    pub step_us: Option<f64>,
    /// Seconds of the median steps: steps × the median cost of one.
    pub seconds: Option<f64>,
    /// The same with the first and the third quartile of the cost of a step.
    pub seconds_quartiles: [Option<f64>; 2],
}

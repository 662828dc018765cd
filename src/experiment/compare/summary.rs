//! The results of a comparison, in the form of `summary.json`.
//!
//! An infinite figure is `null`, such as a median over runs of which half or more diverged or missed the target.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::records::Family;

/// Probability that a report on optimizers that do not differ makes any claim, in all its tables together. It is divided
/// between the tables.
pub const ALPHA: f64 =
    Level::Overall.alpha() + Level::Problem.alpha() + Level::ByProblem.alpha() + Level::Untuned.alpha();
/// Performance profiles are scored up to this multiple of the lowest number of steps, as in AlgoPerf.
pub const TAU_MAX: f64 = 4.0;
/// Confidence of intervals that are not corrected for their number.
pub const LEVEL: f64 = 0.95;
/// With fewer studies, figures have no interval: the range of five values contains their median only with probability 94 %.
pub const FEWEST_FOR_INTERVAL: usize = 6;
/// With fewer studies, there are no verdicts on single problems.
pub const FEWEST_STUDIES: usize = 8;

/// The questions that a report answers. Each has a share of [`ALPHA`], which bounds all verdicts together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Which tuned optimizer is better over all problems.
    Overall,
    /// Which tuned optimizer is better on one problem.
    Problem,
    /// Whether two tuned optimizers differ on any problem.
    ByProblem,
    /// Which optimizer is better over all problems with its defaults.
    Untuned,
}

impl Level {
    /// Probability that any verdict on this question is a false claim.
    pub const fn alpha(self) -> f64 {
        match self {
            Level::Overall => 0.02,
            Level::Problem => 0.015,
            Level::ByProblem => 0.005,
            Level::Untuned => 0.01,
        }
    }
}

/// The contents of the report, except for the curves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The verdict in words, with one sentence on each line, the most important first.
    pub verdict: String,
    /// Whether any pair of tuned optimizers differs over all problems.
    pub any_difference: bool,
    /// Limits of this comparison.
    pub caveats: Vec<String>,
    /// Possible faults: best values on edges of spaces, optimizers worse than their own special cases, missing runs.
    pub warnings: Vec<String>,
    /// Results for each pair of tuned optimizers.
    pub pairs: Vec<Pair>,
    /// A verdict for each pair of optimizers with their defaults.
    pub untuned: Vec<Verdict>,
    /// The power of these numbers of problems and studies.
    pub power: Power,
    /// The optimizers over all problems, in the order given.
    pub optimizers: Vec<OptimizerSummary>,
    /// The problems, in order.
    pub problems: Vec<ProblemSummary>,
}

/// The verdict on two optimizers over all problems.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The first.
    pub a: String,
    /// The second.
    pub b: String,
    /// Mean over the problems of `P(a < b) − P(a > b)` for the scores of two studies; 1 if `a` always has the lower loss.
    pub effect: f64,
    /// p of the permutation test over studies, stratified by problem; with one problem, p as in [`ProblemPair`].
    pub p: f64,
    /// p after Holm's correction for all pairs. There is a verdict if it is at most [`Level::alpha`] of the question.
    pub p_holm: f64,
    /// What follows.
    pub verdict: PairVerdict,
}

/// Two tuned optimizers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// Over all problems.
    #[serde(flatten)]
    pub overall: Verdict,
    /// Whether they differ on any problem; `None` for a single problem, for too few studies, or for an unfinished
    /// comparison.
    pub by_problem: Option<ByProblem>,
    /// On each problem, in order.
    pub problems: Vec<ProblemPair>,
    /// Mean effect over the problems of each family; descriptive only.
    pub families: Vec<FamilyEffect>,
}

/// Whether two optimizers differ on any problem.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ByProblem {
    /// Fisher's combination of the p-values of all problems.
    pub p: f64,
    /// p after Holm's correction for all pairs.
    pub p_holm: f64,
    /// Whether they differ, by this p or by a verdict on a single problem.
    pub differs: bool,
}

/// Two tuned optimizers on one problem.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProblemPair {
    /// The problem.
    pub problem: String,
    /// `P(a < b) − P(a > b)` for the scores of two studies.
    pub effect: f64,
    /// The test loss of `a` divided by that of `b`: the median over all pairs of studies; `None` if it is infinite.
    pub ratio: Option<f64>,
    /// Lower end of its interval, at the level at which the pair was tested. If there is a verdict, the interval excludes 1.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// The larger p of the rank-sum test and of Yuen's test of the logarithms.
    pub p: f64,
    /// p after Holm's correction for all pairs and problems.
    pub p_holm: f64,
    /// What follows.
    pub verdict: PairVerdict,
}

/// An effect over the problems of one family.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FamilyEffect {
    /// The family.
    pub family: Family,
    /// Mean of the effects on its problems.
    pub effect: f64,
}

/// The conclusion from the test of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PairVerdict {
    /// The first is better.
    ABetter,
    /// The second is better.
    BBetter,
    /// Neither was shown to be better. This does not mean that they are equal.
    NoDifferenceShown,
    /// There are too few runs, or none with a result, so no difference could be shown.
    CannotDecide,
}

/// The power of a comparison of this size over all problems.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Power {
    /// The lowest number of studies of any optimizer on any problem.
    pub studies: usize,
    /// The smallest corrected p that this number of studies can give.
    pub smallest_p: f64,
    /// The effect on every problem that is found in four of five reports, from a simulation with normal logarithms of equal
    /// variance. `None` if there is none.
    pub detectable_effect: Option<f64>,
}

/// An optimizer over all problems.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OptimizerSummary {
    /// Its name.
    pub name: String,
    /// Interquartile mean of the normalised scores of its studies on all problems. A score `x` is normalised to
    /// `min(10, (x − least) / (median − least))` over all studies on its problem, so 0 is the best study of any optimizer
    /// and 1 the median one. Diverged studies count 10.
    pub normalised_loss: Estimate,
    /// Area under its performance profile of the steps to target, from 1 to [`TAU_MAX`] times the lowest, with a bootstrap
    /// interval over studies.
    pub profile_score: Estimate,
    /// Steps to target divided by the lowest of any optimizer, for each problem; `None` if the target was missed.
    pub ratios: Vec<Option<f64>>,
    /// The gain from tuning: the expected normalised validation loss of the better one of the defaults and of the best of
    /// `k` other trials, for `k` from 0, averaged over the problems. 0 is the best trial of any optimizer on a problem, 1
    /// the median one; the maximum is 10.
    pub gains: Vec<f64>,
    /// Number of optimizers that it is better than over all problems.
    pub wins: usize,
    /// Number of optimizers that it is worse than.
    pub losses: usize,
}

/// A figure with its 95 % interval, from [`FEWEST_FOR_INTERVAL`] studies on. The interval is not corrected for the number of
/// intervals.
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
    /// Target validation loss; `None` if there is none.
    pub target: Option<f64>,
    /// Origin of the target, as text.
    pub target_source: String,
    /// The results of the optimizers.
    pub results: Vec<ProblemResult>,
}

/// The results of an optimizer on a problem.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProblemResult {
    /// The optimizer.
    pub optimizer: String,
    /// The setting that each study chose.
    pub chosen: Vec<Chosen>,
    /// Number of trials in all studies.
    pub trials: usize,
    /// Number of trials that diverged.
    pub diverged_trials: usize,
    /// Learning rates of the trials and their validation losses, sorted by learning rate.
    pub sensitivity: Vec<SensitivityPoint>,
    /// Final runs of the chosen settings.
    pub tuned: FinalRuns,
    /// Trials of the optimizer's defaults, one for each study.
    pub untuned: FinalRuns,
    /// How soon the tuned runs reach the target.
    pub to_target: ToTarget,
}

/// The setting that a study chose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chosen {
    /// The study.
    pub study: usize,
    /// Number of the trial, from 0; trial 0 has the defaults.
    pub trial: usize,
    /// The optimizer with all values set.
    pub spec: String,
    /// Its schedule.
    pub schedule: String,
    /// Its searched values.
    pub values: BTreeMap<String, f64>,
    /// Mean validation loss of its trial and repeats; `None` if one diverged.
    pub val_loss: Option<f64>,
    /// Names of searched values in the outer 5 % of their logarithmic range, at either end.
    pub edges: Vec<String>,
}

/// The learning rate and the validation loss of a trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SensitivityPoint {
    /// Learning rate; for optimizers with momentum the effective one.
    pub lr: f64,
    /// Its schedule.
    pub schedule: String,
    /// Lowest validation loss; `None` if it diverged.
    pub val_loss: Option<f64>,
}

/// Statistics of the final runs of studies, or of their defaults: medians over studies, where the value of a study is the
/// mean of its runs.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct FinalRuns {
    /// Number of runs.
    pub runs: usize,
    /// Number of runs that diverged. They count as infinite losses and missing scores.
    pub diverged: usize,
    /// Validation loss at the best step.
    pub val_loss: Estimate,
    /// Test loss at the best step: the score of a study.
    pub test_loss: Estimate,
    /// The problem's score on the test part at the best step, over the studies that have one.
    pub test_score: Estimate,
    /// Test loss at the last step.
    pub last_test_loss: Estimate,
    /// Training loss between the last two points of the curve, of each batch before its update.
    pub train_loss: Estimate,
}

/// How soon runs reach a target. The steps of a run are those of its first evaluation at or below the target; infinite if it
/// misses the target.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct ToTarget {
    /// Number of runs that reach the target.
    pub hits: usize,
    /// Runs.
    pub of: usize,
    /// Median steps.
    pub steps: Option<f64>,
    /// First and third quartile of the steps.
    pub quartiles: [Option<f64>; 2],
    /// Rows processed in the median steps.
    pub samples: Option<f64>,
    /// Microseconds of one step on one thread, measured separately.
    pub step_us: Option<f64>,
    /// Seconds for the median steps: steps times the median cost of a step.
    pub seconds: Option<f64>,
    /// First quartile of the steps times that of the cost, and the same for the third.
    pub seconds_quartiles: [Option<f64>; 2],
}

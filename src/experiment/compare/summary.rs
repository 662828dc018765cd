//! What a comparison found: the form of `summary.json`.
//!
//! A figure is `null` where it is infinite: a median over seeds of which half or more diverged or missed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::records::Family;

/// Chance that a report on optimizers that do not differ claims anything, all its tables together. It is shared out to them.
pub const ALPHA: f64 =
    Level::Overall.alpha() + Level::Problem.alpha() + Level::ByProblem.alpha() + Level::Untuned.alpha();
/// Performance profiles are scored up to this many times the least steps, as AlgoPerf's.
pub const TAU_MAX: f64 = 4.0;
/// Confidence of intervals that are not corrected for their number.
pub const LEVEL: f64 = 0.95;
/// Studies below which figures have no interval: the range of five values holds their median in 94 % of cases.
pub const FEWEST_FOR_INTERVAL: usize = 6;
/// Studies below which verdicts for single problems are not given.
pub const FEWEST_STUDIES: usize = 8;

/// The questions that a report answers, each with a share of [`ALPHA`], which all its verdicts together keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Which optimizer is better over all problems, as tuned.
    Overall,
    /// Which is better on one problem, as tuned.
    Problem,
    /// Whether two differ on any problem, as tuned.
    ByProblem,
    /// Which is better over all problems with its defaults.
    Untuned,
}

impl Level {
    /// Chance that any verdict on this question is wrong.
    pub const fn alpha(self) -> f64 {
        match self {
            Level::Overall => 0.02,
            Level::Problem => 0.015,
            Level::ByProblem => 0.005,
            Level::Untuned => 0.01,
        }
    }
}

/// Everything the report says, but for the curves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The finding in words, a sentence on a line, the most important one first.
    pub verdict: String,
    /// Whether any pair of optimizers differs over all problems, as tuned.
    pub any_difference: bool,
    /// What this comparison cannot show.
    pub caveats: Vec<String>,
    /// What may be wrong with it: bests on edges of spaces, optimizers below their own special cases.
    pub warnings: Vec<String>,
    /// A verdict for each pair, as tuned.
    pub pairs: Vec<Pair>,
    /// A verdict for each pair, with the optimizers' own defaults.
    pub untuned: Vec<Verdict>,
    /// What these numbers of problems and studies can find.
    pub power: Power,
    /// The optimizers over all problems, in the order they were named.
    pub optimizers: Vec<OptimizerSummary>,
    /// The problems, in their order.
    pub problems: Vec<ProblemSummary>,
}

/// Which of two optimizers is better over all problems.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The first.
    pub a: String,
    /// The second.
    pub b: String,
    /// Mean over the problems of `P(a < b) − P(a > b)` for the scores of two studies: 1 if `a` always has the lower loss.
    pub effect: f64,
    /// Permutation test over studies, stratified by problem.
    pub p: f64,
    /// The same after Holm's correction over all pairs; a verdict is given up to the [`Level`] of the question.
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
    /// Whether they differ on any problem; `None` for one problem, or where studies are too few for verdicts on single problems.
    pub by_problem: Option<ByProblem>,
    /// On each problem, in order.
    pub problems: Vec<ProblemPair>,
    /// Mean effect over the problems of each family; descriptive.
    pub families: Vec<FamilyEffect>,
}

/// Whether two optimizers differ on any problem.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ByProblem {
    /// Fisher's combination of the p-values of all problems.
    pub p: f64,
    /// The same after Holm's correction over all pairs.
    pub p_holm: f64,
    /// Whether they do: by this p, or by a verdict on a single problem.
    pub differs: bool,
}

/// Two tuned optimizers on one problem.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProblemPair {
    /// The problem.
    pub problem: String,
    /// `P(a < b) − P(a > b)` for the scores of two studies.
    pub effect: f64,
    /// The test loss of `a` over that of `b`: the median of the quotients of all their studies; `None` where it is infinite.
    pub ratio: Option<f64>,
    /// Lower end of its interval, at the level at which the pair was tested: where there is a verdict, the interval leaves out 1.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// The greater p of the rank-sum test and of Yuen's test of the logarithms.
    pub p: f64,
    /// The same after Holm's correction over all pairs and problems.
    pub p_holm: f64,
    /// What follows.
    pub verdict: PairVerdict,
}

/// An effect over the problems of one family.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FamilyEffect {
    /// The family.
    pub family: Family,
    /// The mean of the effects on its problems.
    pub effect: f64,
}

/// What a test of a pair allows to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PairVerdict {
    /// The first is better.
    ABetter,
    /// The second is better.
    BBetter,
    /// Neither has been shown to be better; that is not to say that they are equal.
    NoDifferenceShown,
    /// There are too few runs, or none that has a result: no difference could have been shown.
    CannotDecide,
}

/// What a comparison of this size can find over all problems.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Power {
    /// Studies of each optimizer on each problem, the fewest of any.
    pub studies: usize,
    /// The least p, after Holm's correction, that so many can show.
    pub smallest_p: f64,
    /// The effect on every problem that is found four times in five, by simulation of normal logarithms that spread alike. `None`
    /// where none is.
    pub detectable_effect: Option<f64>,
}

/// An optimizer over all problems.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OptimizerSummary {
    /// Its name.
    pub name: String,
    /// Interquartile mean of the normalised scores of its studies on all problems: `min(10, (x − least) / (median − least))`
    /// over all studies on a problem, so 0 is the best study of any optimizer and 1 the one in the middle. Diverged ones
    /// count 10.
    pub normalised_loss: Estimate,
    /// Area of its performance profile for the steps to target, from 1 to [`TAU_MAX`] times the least, with an interval from
    /// resampled studies.
    pub profile_score: Estimate,
    /// Steps to target over the least of any optimizer, problem by problem; infinite, so `None`, where it missed.
    pub ratios: Vec<Option<f64>>,
    /// What tuning gains: expected normalised validation loss of the better of the defaults and the best of `k` other trials, from
    /// `k` = 0, the mean over the problems; 0 the best trial of any optimizer on a problem, 1 the one in the middle, at
    /// most 10.
    pub gains: Vec<f64>,
    /// Better than so many of the others over all problems.
    pub wins: usize,
    /// Worse than so many.
    pub losses: usize,
}

/// A figure with its interval of 95 %, from [`FEWEST_FOR_INTERVAL`] studies on; not corrected for the number of intervals.
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
    /// The setting that each study chose.
    pub chosen: Vec<Chosen>,
    /// Trials of all studies.
    pub trials: usize,
    /// Those that diverged.
    pub diverged_trials: usize,
    /// Learning rate against final validation loss, by learning rate.
    pub sensitivity: Vec<SensitivityPoint>,
    /// Final runs of the chosen settings.
    pub tuned: FinalRuns,
    /// The trials of the optimizer's own defaults, one in each study.
    pub untuned: FinalRuns,
    /// How soon the tuned runs reach the target.
    pub to_target: ToTarget,
}

/// The setting that a study chose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chosen {
    /// The study.
    pub study: usize,
    /// Number of the trial, from 0; 0 are the defaults.
    pub trial: usize,
    /// The optimizer with all values set.
    pub spec: String,
    /// Its schedule.
    pub schedule: String,
    /// Its searched values.
    pub values: BTreeMap<String, f64>,
    /// Mean validation loss of its trial and repeats; `None` where one diverged.
    pub val_loss: Option<f64>,
    /// Searched values in the outer 5 % of the logarithm of their space.
    pub edges: Vec<String>,
}

/// A trial's learning rate and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SensitivityPoint {
    /// Learning rate; with momentum the effective one.
    pub lr: f64,
    /// Its schedule.
    pub schedule: String,
    /// Its least validation loss; `None`: diverged.
    pub val_loss: Option<f64>,
}

/// Figures of the final runs of studies, or of their defaults: medians over studies, each the mean of its runs.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct FinalRuns {
    /// How many runs.
    pub runs: usize,
    /// Those that diverged; they count as infinite losses and as missing scores.
    pub diverged: usize,
    /// Validation loss at the best step.
    pub val_loss: Estimate,
    /// Test loss there: the score of a study.
    pub test_loss: Estimate,
    /// The problem's score on the test part there, over the studies that have one.
    pub test_score: Estimate,
    /// Test loss at the last step.
    pub last_test_loss: Estimate,
    /// Training loss of the last stretch of the curve, each batch before its update.
    pub train_loss: Estimate,
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
    /// The first quartile of the steps × that of the cost, and the third of both.
    pub seconds_quartiles: [Option<f64>; 2],
}

//! Speed over all problems: how soon each optimizer reaches the targets.

use rand::RngExt;

use super::grouped::Grouped;
use super::target::steps_to;
use crate::experiment::compare::summary::{
    Estimate, FEWEST_FOR_INTERVAL, LEVEL, ProblemResult, ProblemSummary, TAU_MAX,
};
use crate::rng::{Purpose, stream};
use crate::statistics::{median, performance_ratios, profile_score, quantile};

/// Number of resamples for an interval.
const RESAMPLES: usize = 1_000;

/// Median steps to target divided by the lowest of any optimizer: `[problem][optimizer]`; infinite if the target was missed.
pub(super) fn ratios(problems: &[ProblemSummary]) -> Vec<Vec<f64>> {
    let steps = |result: &ProblemResult| result.to_target.steps.unwrap_or(f64::INFINITY);
    let all: Vec<Vec<f64>> = problems.iter().map(|problem| problem.results.iter().map(steps).collect()).collect();
    performance_ratios(&all)
}

/// The score of each optimizer's performance profile with its bootstrap percentile interval. Studies are resampled with
/// replacement, separately for each problem and optimizer, each with all its final runs.
pub(super) fn scores(grouped: &Grouped<'_>, problems: &[ProblemSummary]) -> Vec<Estimate> {
    // Steps to target of the final runs: `[problem][optimizer][study][run]`.
    let steps: Vec<Vec<Vec<Vec<f64>>>> = problems
        .iter()
        .enumerate()
        .map(|(problem, summary)| {
            let target = summary.target.unwrap_or(f64::NEG_INFINITY);
            let of = |optimizer: usize| {
                let studies = grouped.studies(problem, optimizer).iter().filter(|study| !study.finals.is_empty());
                studies.map(|study| study.finals.iter().map(|run| steps_to(run, target)).collect()).collect()
            };
            grouped.optimizers().map(|(optimizer, _)| of(optimizer)).collect()
        })
        .collect();
    let count = grouped.protocol.optimizers.len();
    let seen = scores_of(&steps, count, <[Vec<f64>]>::concat);
    let mut rng = stream(0, Purpose::Resampling, 5, steps.len() as u64);
    let mut resampled = vec![Vec::with_capacity(RESAMPLES); count];
    let enough = steps.iter().flatten().all(|studies| studies.len() >= FEWEST_FOR_INTERVAL);
    for _ in 0..if enough { RESAMPLES } else { 0 } {
        let drawn = scores_of(&steps, count, |studies| {
            studies.iter().flat_map(|_| &studies[rng.random_range(0..studies.len())]).copied().collect()
        });
        resampled.iter_mut().zip(drawn).for_each(|(all, score)| all.push(score));
    }
    let estimate = |(value, all): (f64, Vec<f64>)| Estimate {
        value: Some(value),
        low: quantile(&all, 0.5 - 0.5 * LEVEL),
        high: quantile(&all, 0.5 + 0.5 * LEVEL),
    };
    seen.into_iter().zip(resampled).map(estimate).collect()
}

/// Scores of profiles. `take` selects the steps from an optimizer's studies on a problem.
fn scores_of(
    steps: &[Vec<Vec<Vec<f64>>>],
    optimizers: usize,
    mut take: impl FnMut(&[Vec<f64>]) -> Vec<f64>,
) -> Vec<f64> {
    let mut middle = |studies: &Vec<Vec<f64>>| median(&take(studies)).unwrap_or(f64::INFINITY);
    let medians: Vec<Vec<f64>> = steps.iter().map(|of| of.iter().map(&mut middle).collect()).collect();
    let ratios = performance_ratios(&medians);
    let score = |optimizer: usize| profile_score(&ratios.iter().map(|of| of[optimizer]).collect::<Vec<f64>>(), TAU_MAX);
    (0..optimizers).map(score).collect()
}

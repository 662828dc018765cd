//! From the records of a comparison to what it found.

mod grouped;
mod pairs;
mod pooled;
#[cfg(test)]
mod simulation;
mod target;
#[cfg(test)]
mod tests;
mod tuning;
mod words;

pub use grouped::Grouped;
pub use target::target;

use super::records::{Purpose, Record, Run};
use super::summary::{
    Estimate, FinalRuns, LEVEL, OptimizerSummary, Pair, PairVerdict, ProblemResult, ProblemSummary, Summary, TAU_MAX,
};
use crate::Result;
use crate::experiment::statistics::{bca_interval, median, performance_ratios, profile_score, quantile_of_sorted};

/// What a comparison found. The same records give the same summary, whatever their order after the first.
///
/// # Errors
/// [`crate::Error::Mismatch`] where the records do not belong together.
pub fn analyse(records: &[Record]) -> Result<Summary> {
    let grouped = Grouped::new(records)?;
    let problems: Vec<ProblemSummary> =
        grouped.problems().map(|(problem, _)| problem_summary(&grouped, problem)).collect();
    let pairs = pairs::pairs(&grouped);
    let optimizers = optimizer_summaries(&grouped, &problems, &pairs);
    let power = pairs::power(&grouped);
    Ok(Summary {
        verdict: words::verdict(&grouped, &pairs, &optimizers),
        any_difference: pairs.iter().any(|pair| pair.verdict != PairVerdict::NoDifferenceShown),
        caveats: words::caveats(&grouped, &power),
        warnings: words::warnings(&grouped, &problems, &pairs),
        pairs,
        power,
        optimizers,
        problems,
    })
}

fn problem_summary(grouped: &Grouped<'_>, problem: usize) -> ProblemSummary {
    let (target, target_source) = target::target(grouped, problem);
    let trials = |optimizer| grouped.runs(problem, optimizer, Purpose::Tuning);
    let losses = grouped.optimizers().flat_map(|(optimizer, _)| trials(optimizer)).map(|run| run.final_val_loss());
    let worst = losses
        .filter(|loss| loss.is_finite())
        .fold(None, |worst: Option<f64>, loss| Some(worst.map_or(loss, |worst| worst.max(loss))));
    let result = |optimizer: usize, name: &str| ProblemResult {
        optimizer: name.to_owned(),
        best: tuning::best_trial(grouped, problem, optimizer),
        trials: trials(optimizer).len(),
        diverged_trials: trials(optimizer).iter().filter(|run| run.diverged).count(),
        sensitivity: tuning::sensitivity(trials(optimizer)),
        expected_best: tuning::expected_best_loss(trials(optimizer), worst),
        tuned: final_runs(grouped.runs(problem, optimizer, Purpose::Tuned)),
        untuned: final_runs(grouped.runs(problem, optimizer, Purpose::Untuned)),
        to_target: target::to_target(grouped, problem, optimizer, target),
    };
    ProblemSummary {
        name: grouped.protocol.problems[problem].name.clone(),
        target,
        target_source,
        results: grouped.optimizers().map(|(number, optimizer)| result(number, &optimizer.name)).collect(),
    }
}

fn final_runs(runs: &[&Run]) -> FinalRuns {
    let scores: Vec<f64> = runs.iter().filter(|run| !run.diverged).filter_map(|run| run.test_score).collect();
    FinalRuns {
        runs: runs.len(),
        diverged: runs.iter().filter(|run| run.diverged).count(),
        val_loss: median_with_interval(&runs.iter().map(|run| run.final_val_loss()).collect::<Vec<_>>()),
        test_loss: median_with_interval(&runs.iter().map(|run| run.final_test_loss()).collect::<Vec<_>>()),
        test_score: median_with_interval(&scores),
    }
}

fn median_with_interval(values: &[f64]) -> Estimate {
    let middle = |sample: &mut [f64]| {
        sample.sort_unstable_by(f64::total_cmp);
        quantile_of_sorted(sample, 0.5)
    };
    pooled::estimate(median(values), bca_interval(values, middle, LEVEL))
}

fn optimizer_summaries(grouped: &Grouped<'_>, problems: &[ProblemSummary], pairs: &[Pair]) -> Vec<OptimizerSummary> {
    let steps = |result: &ProblemResult| result.to_target.steps.unwrap_or(f64::INFINITY);
    let costs: Vec<Vec<f64>> = problems.iter().map(|problem| problem.results.iter().map(steps).collect()).collect();
    let by_problem = performance_ratios(&costs);
    let is = |name: &str, pair: &Pair, as_a: PairVerdict, as_b: PairVerdict| {
        (pair.a == name && pair.verdict == as_a) || (pair.b == name && pair.verdict == as_b)
    };
    let (a, b) = (PairVerdict::ABetter, PairVerdict::BBetter);
    let summary = |number: usize, name: &str| {
        let ratios: Vec<f64> = by_problem.iter().map(|ratios| ratios[number]).collect();
        OptimizerSummary {
            name: name.to_owned(),
            normalised_loss: pooled::normalised_loss(grouped, number),
            profile_score: profile_score(&ratios, TAU_MAX),
            ratios: ratios.into_iter().map(|ratio| Some(ratio).filter(|ratio| ratio.is_finite())).collect(),
            expected_best: pooled::normalised_expected_best(grouped, number),
            wins: pairs.iter().filter(|pair| is(name, pair, a, b)).count(),
            losses: pairs.iter().filter(|pair| is(name, pair, b, a)).count(),
        }
    };
    grouped.optimizers().map(|(number, optimizer)| summary(number, &optimizer.name)).collect()
}

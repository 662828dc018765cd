//! Analysis of a comparison: from its records to its results.

#[cfg(test)]
mod bank;
mod grouped;
mod inclusion;
mod pairs;
mod pooled;
mod power;
#[cfg(test)]
mod simulation;
mod speed;
mod target;
#[cfg(test)]
mod tests;
mod tuning;
mod words;

pub use grouped::{Grouped, StudyRuns};
pub use pairs::studies_for;
pub use target::target;

use super::records::{Family, Record, Run};
use super::summary::{
    Estimate, FinalRuns, LEVEL, Level, OptimizerSummary, Pair, PairVerdict, ProblemResult, ProblemSummary, Summary,
    Verdict,
};
use crate::Result;
use crate::statistics::{median, median_interval};

/// The results of a comparison. They do not depend on the order of the records.
///
/// # Errors
/// [`crate::Error::Mismatch`] if the records do not belong to one comparison.
pub fn analyse(records: &[Record]) -> Result<Summary> {
    let grouped = Grouped::new(records)?;
    let problems: Vec<ProblemSummary> =
        grouped.problems().map(|(problem, _)| problem_summary(&grouped, problem)).collect();
    let names: Vec<&str> = grouped.optimizers().map(|(_, optimizer)| optimizer.name.as_str()).collect();
    let scores = pairs::tuned_scores(&grouped);
    let of: Vec<(&str, Family)> = grouped.problems().map(|(_, record)| (record.name.as_str(), record.family)).collect();
    let mut pairs = pairs::pairs(&names, &of, &scores);
    let mut untuned = pairs::overall(&names, &pairs::untuned_scores(&grouped), Level::Untuned);
    if grouped.missing_runs() > 0 {
        pairs::undecided(&mut pairs, &mut untuned);
    }
    let optimizers = optimizer_summaries(&grouped, &problems, &pairs);
    let power = power::power(&scores, names.len());
    let decided = |verdict: &Verdict| matches!(verdict.verdict, PairVerdict::ABetter | PairVerdict::BBetter);
    Ok(Summary {
        verdict: words::verdict(&grouped, &pairs, &untuned, &optimizers),
        any_difference: pairs.iter().any(|pair| decided(&pair.overall)),
        caveats: words::caveats(&grouped, &power, &problems),
        warnings: words::warnings(&grouped, &problems, &pairs),
        pairs,
        untuned,
        power,
        optimizers,
        problems,
    })
}

fn problem_summary(grouped: &Grouped<'_>, problem: usize) -> ProblemSummary {
    let (target, target_source) = target::target(grouped, problem);
    let result = |optimizer: usize, name: &str| ProblemResult {
        optimizer: name.to_owned(),
        chosen: tuning::chosen(grouped, problem, optimizer),
        trials: grouped.trials(problem, optimizer).count(),
        diverged_trials: grouped.trials(problem, optimizer).filter(|run| run.diverged).count(),
        sensitivity: tuning::sensitivity(grouped.trials(problem, optimizer)),
        tuned: final_runs(grouped, (problem, optimizer), |study| study.finals.clone()),
        untuned: final_runs(grouped, (problem, optimizer), |study| study.defaults().into_iter().collect()),
        to_target: target::to_target(grouped, problem, optimizer, target),
    };
    ProblemSummary {
        name: grouped.protocol.problems[problem].name.clone(),
        target,
        target_source,
        results: grouped.optimizers().map(|(number, optimizer)| result(number, &optimizer.name)).collect(),
    }
}

/// Statistics of the runs that `take` selects from each study.
fn final_runs<'a>(
    grouped: &Grouped<'a>,
    (problem, optimizer): (usize, usize),
    take: impl Fn(&StudyRuns<'a>) -> Vec<&'a Run>,
) -> FinalRuns {
    let studies: Vec<Vec<&Run>> = grouped.studies(problem, optimizer).iter().map(take).collect();
    let of = |figure: fn(&Run) -> f64| -> Vec<f64> {
        let mean = |runs: &Vec<&Run>| runs.iter().map(|run| figure(run)).sum::<f64>() / runs.len() as f64;
        studies.iter().filter(|runs| !runs.is_empty()).map(mean).collect()
    };
    let figures = |figure: fn(&Run) -> f64| median_with_interval(&of(figure));
    let runs = || studies.iter().flatten();
    // If one run of a study diverged, the study has no score; the score of the other run is not used.
    let scores: Vec<f64> =
        of(|run| run.test_score.unwrap_or(f64::INFINITY)).into_iter().filter(|score| score.is_finite()).collect();
    FinalRuns {
        runs: runs().count(),
        diverged: runs().filter(|run| run.diverged).count(),
        val_loss: figures(Run::best_val_loss),
        test_loss: figures(Run::best_test_loss),
        test_score: median_with_interval(&scores),
        last_test_loss: figures(|run| run.last_test_loss.unwrap_or(f64::INFINITY)),
        train_loss: figures(|run| run.curve.last().and_then(|point| point.train_loss).unwrap_or(f64::INFINITY)),
    }
}

fn median_with_interval(values: &[f64]) -> Estimate {
    pooled::estimate(median(values), median_interval(values, LEVEL))
}

fn optimizer_summaries(grouped: &Grouped<'_>, problems: &[ProblemSummary], pairs: &[Pair]) -> Vec<OptimizerSummary> {
    let ratios = speed::ratios(problems);
    let scores = speed::scores(grouped, problems);
    let is = |name: &str, pair: &Pair, as_a: PairVerdict, as_b: PairVerdict| {
        let pair = &pair.overall;
        (pair.a == name && pair.verdict == as_a) || (pair.b == name && pair.verdict == as_b)
    };
    let (a, b) = (PairVerdict::ABetter, PairVerdict::BBetter);
    let summary = |number: usize, name: &str| OptimizerSummary {
        name: name.to_owned(),
        normalised_loss: pooled::normalised_loss(grouped, number),
        profile_score: scores[number],
        ratios: ratios.iter().map(|of| Some(of[number]).filter(|ratio| ratio.is_finite())).collect(),
        gains: pooled::gains(grouped, number),
        wins: pairs.iter().filter(|pair| is(name, pair, a, b)).count(),
        losses: pairs.iter().filter(|pair| is(name, pair, b, a)).count(),
    };
    grouped.optimizers().map(|(number, optimizer)| summary(number, &optimizer.name)).collect()
}

//! The results in sentences.

use super::grouped::Grouped;
use super::inclusion::broken_inclusions;
use super::pairs::studies_for;
use crate::experiment::compare::figure::{count, figure, p_value};
use crate::experiment::compare::summary::{
    ALPHA, Level, OptimizerSummary, Pair, PairVerdict, Power, ProblemSummary, Verdict,
};
use crate::statistics::binomial;

/// Above this effect, scores hardly overlap.
const NO_OVERLAP: f64 = 0.99;

/// The verdict, with one sentence on each line.
pub(super) fn verdict(
    grouped: &Grouped<'_>,
    pairs: &[Pair],
    untuned: &[Verdict],
    optimizers: &[OptimizerSummary],
) -> String {
    let protocol = grouped.protocol;
    let (problems, studies) = (count(protocol.problems.len(), "problem"), studies_text(protocol.terms.studies));
    if pairs.is_empty() {
        return format!("One optimizer on {problems} with {studies}: there is nothing to compare it with.");
    }
    let names: Vec<&str> = optimizers.iter().map(|optimizer| optimizer.name.as_str()).collect();
    let overall: Vec<&Verdict> = pairs.iter().map(|pair| &pair.overall).collect();
    let mut sentences = ranking("As tuned: ", &names, &overall);
    sentences.extend(by_problem(pairs));
    sentences.extend(ranking("With their defaults: ", &names, &untuned.iter().collect::<Vec<_>>()));
    sentences.push(format!(
        "This is about test losses on {problems}, with {studies} of each optimizer on each; the chance that a report on \
         optimizers whose scores are distributed alike claims anything is at most {:.0} %.",
        100.0 * ALPHA
    ));
    sentences.push(fastest(optimizers));
    sentences.join("\n")
}

/// `8 studies`, `1 study`.
fn studies_text(studies: usize) -> String {
    if studies == 1 { "1 study".to_owned() } else { format!("{studies} studies") }
}

/// Which optimizers are better than which over all problems.
fn ranking(start: &str, names: &[&str], pairs: &[&Verdict]) -> Vec<String> {
    let is_better = |good: &str, bad: &str| {
        pairs.iter().any(|pair| match pair.verdict {
            PairVerdict::ABetter => (pair.a.as_str(), pair.b.as_str()) == (good, bad),
            PairVerdict::BBetter => (pair.b.as_str(), pair.a.as_str()) == (good, bad),
            PairVerdict::NoDifferenceShown | PairVerdict::CannotDecide => false,
        })
    };
    // Optimizers that are better than the same others are named together.
    let mut groups: Vec<(Vec<&str>, Vec<&str>)> = Vec::new();
    for name in names {
        let beaten: Vec<&str> = names.iter().copied().filter(|other| is_better(name, other)).collect();
        match groups.iter_mut().find(|(_, others)| *others == beaten) {
            Some((winners, _)) => winners.push(name),
            None if beaten.is_empty() => {}
            None => groups.push((vec![name], beaten)),
        }
    }
    groups.sort_by_key(|(_, beaten)| std::cmp::Reverse(beaten.len()));
    let claim = |(winners, beaten): &(Vec<&str>, Vec<&str>)| {
        let verb = if winners.len() == 1 { "is better than" } else { "are each better than" };
        format!("{} {verb} {}", list(winners), list(beaten))
    };
    let mut parts: Vec<String> = groups.iter().map(claim).collect();
    let open = |wanted: PairVerdict| -> Vec<String> {
        let of = pairs.iter().filter(|pair| pair.verdict == wanted);
        of.map(|pair| format!("{} and {}", pair.a, pair.b)).collect()
    };
    parts.extend(undecided(
        "no difference is shown between",
        &open(PairVerdict::NoDifferenceShown),
        pairs.len(),
        names,
    ));
    parts.extend(undecided(
        "too few runs with a result to decide between",
        &open(PairVerdict::CannotDecide),
        pairs.len(),
        names,
    ));
    vec![format!("{start}{}.", parts.join("; "))]
}

/// Upper limit of the pairs that a sentence names one by one.
const MOST_NAMED: usize = 10;

/// A clause for the pairs without a winner: it names all optimizers together, or each pair, or the number of pairs.
fn undecided(what: &str, open: &[String], all: usize, names: &[&str]) -> Option<String> {
    match open {
        [] => None,
        _ if open.len() == all => Some(format!("{what} {}", list(names))),
        _ if open.len() > MOST_NAMED => Some(format!("{what} {} pairs", open.len())),
        _ => Some(format!("{what} {}", open.join(", or "))),
    }
}

/// Pairs that differ on single problems.
fn by_problem(pairs: &[Pair]) -> Vec<String> {
    let differs = |pair: &&Pair| pair.by_problem.is_some_and(|by_problem| by_problem.differs);
    let sentence = |pair: &Pair| {
        let on = |wanted: PairVerdict| -> Vec<&str> {
            let of = pair.problems.iter().filter(|on| on.verdict == wanted);
            of.map(|on| on.problem.as_str()).collect()
        };
        let (first, second) = (on(PairVerdict::ABetter), on(PairVerdict::BBetter));
        let Verdict { a, b, .. } = &pair.overall;
        let better = |name: &str, on: &[&str]| format!("{name} is better on {}", list(on));
        let details = match (first.is_empty(), second.is_empty()) {
            (true, true) => "on which of them cannot be said".to_owned(),
            (false, true) => better(a, &first),
            (true, false) => better(b, &second),
            (false, false) => format!("{}, {}", better(a, &first), better(b, &second)),
        };
        format!("{a} and {b} differ by problem: {details}.")
    };
    // If one is better over all problems this is already stated, so it is repeated only if the other is better on some
    // problem.
    let news = |pair: &&Pair| match pair.overall.verdict {
        PairVerdict::ABetter => pair.problems.iter().any(|on| on.verdict == PairVerdict::BBetter),
        PairVerdict::BBetter => pair.problems.iter().any(|on| on.verdict == PairVerdict::ABetter),
        PairVerdict::NoDifferenceShown | PairVerdict::CannotDecide => true,
    };
    pairs.iter().filter(differs).filter(news).map(sentence).collect()
}

fn fastest(optimizers: &[OptimizerSummary]) -> String {
    if optimizers.iter().all(|optimizer| optimizer.ratios.iter().all(Option::is_none)) {
        return "No target was reached in more than half of the runs of any optimizer, so speeds are not compared."
            .to_owned();
    }
    let mut order: Vec<&OptimizerSummary> = optimizers.iter().collect();
    let score = |optimizer: &OptimizerSummary| optimizer.profile_score.value.unwrap_or(0.0);
    order.sort_by(|a, b| score(b).total_cmp(&score(a)));
    let scores: Vec<String> =
        order.iter().map(|optimizer| format!("{} {:.2}", optimizer.name, score(optimizer))).collect();
    format!("Speed, for description, as the score of steps to target (1: always the fewest): {}.", scores.join(", "))
}

/// Limits of the comparison.
pub(super) fn caveats(grouped: &Grouped<'_>, power: &Power, problems: &[ProblemSummary]) -> Vec<String> {
    let protocol = grouped.protocol;
    let mut caveats = Vec::new();
    let (on, studies) = (count(protocol.problems.len(), "problem"), studies_text(protocol.terms.studies));
    if protocol.quick {
        caveats.push(format!(
            "This is the quick form: {on} and {studies} of {} give a first impression; the full form has more of each.",
            count(protocol.terms.runs_of_study(), "run")
        ));
    }
    if protocol.optimizers.len() > 1 {
        let several = power.studies != 1;
        let each = format!("{} of each optimizer on each problem", studies_text(power.studies));
        caveats.push(match power.detectable_effect {
            None if power.smallest_p > Level::Overall.alpha() => format!(
                "With {each} {} cannot show a difference over all problems: the smallest p, corrected, is {}.",
                if several { "they" } else { "it" },
                p_value(power.smallest_p)
            ),
            None => format!("With {each} not even differences without any overlap are found four times in five."),
            Some(effect) if effect > NO_OVERLAP => {
                format!("With {each} only differences with hardly any overlap are found in three of four reports.")
            }
            Some(effect) => format!(
                "With {each}, an effect of {} on every problem (the better one has the lower loss in {:.0} of 100 pairs of studies) \
                 is found in about three of four reports, smaller ones less often.",
                figure(Some((effect * 100.0).round() / 100.0)),
                50.0 + 50.0 * effect
            ),
        });
        caveats.extend(undecided_problems(grouped, power));
    }
    if protocol.terms.trials > 1 {
        caveats.extend(lost_by_tuning(problems));
    }
    caveats.push(
        "Verdicts hold for these problems, networks, step budgets and spaces, and for this deal of the rows into parts: on a small \
         table another deal may turn them. What goes beyond them, as the means by family, is description. The luck of a search is within the test: every study is a search of its own."
            .to_owned(),
    );
    caveats
}

/// A sentence if there are too few studies for verdicts on single problems, with the number needed.
fn undecided_problems(grouped: &Grouped<'_>, power: &Power) -> Option<String> {
    let (optimizers, problems) = (grouped.protocol.optimizers.len(), grouped.protocol.problems.len());
    let needed = studies_for(optimizers, problems);
    (problems > 1 && power.studies < needed).then(|| {
        format!(
            "Verdicts for single problems take {needed} studies of each optimizer; here they are \"cannot decide\"."
        )
    })
}

/// A sentence if tuning made results worse.
fn lost_by_tuning(problems: &[ProblemSummary]) -> Option<String> {
    let lost: Vec<String> = problems
        .iter()
        .flat_map(|problem| problem.results.iter().map(move |result| (problem, result)))
        .filter(|(_, result)| {
            let loss = |runs: &super::FinalRuns| runs.test_loss.value.unwrap_or(f64::INFINITY);
            result.tuned.runs > 0 && loss(&result.tuned) > loss(&result.untuned)
        })
        .map(|(problem, result)| format!("{} on {}", result.optimizer, problem.name))
        .collect();
    let lost: Vec<&str> = lost.iter().map(String::as_str).collect();
    (!lost.is_empty()).then(|| {
        format!(
            "The median test loss as tuned is above that of the defaults for {}. Whether that is more than chance was not \
             tested.",
            list(&lost)
        )
    })
}

/// Possible faults of the comparison.
pub(super) fn warnings(grouped: &Grouped<'_>, problems: &[ProblemSummary], pairs: &[Pair]) -> Vec<String> {
    let verdicts: Vec<&Verdict> = pairs.iter().map(|pair| &pair.overall).collect();
    let mut warnings = broken_inclusions(grouped, verdicts.into_iter());
    warnings.extend(missing_runs(grouped));
    let dimensions: usize = grouped.optimizers().map(|(_, optimizer)| optimizer.space.len()).sum();
    let looked_at = (dimensions * problems.len()) as f64;
    for (number, optimizer) in grouped.optimizers() {
        let results = || problems.iter().map(|problem| (problem.name.as_str(), &problem.results[number]));
        let diverged = results().filter(|(_, result)| result.trials > 0 && result.diverged_trials == result.trials);
        let diverged: Vec<&str> = diverged.map(|(problem, _)| problem).collect();
        if !diverged.is_empty() {
            warnings.push(format!("Every trial of {} diverged on {}.", optimizer.name, list(&diverged)));
        }
        for dimension in &optimizer.space {
            let often = |result: &super::ProblemResult| {
                let on_edge = result.chosen.iter().filter(|chosen| chosen.edges.contains(&dimension.name)).count();
                2 * on_edge > result.chosen.len() && chance_of_edges(on_edge, result.chosen.len()) * looked_at <= EDGES
            };
            let on_edge: Vec<&str> = results().filter(|(_, result)| often(result)).map(|(name, _)| name).collect();
            if !on_edge.is_empty() {
                let (low, high) = (figure(Some(dimension.low)), figure(Some(dimension.high)));
                warnings.push(format!(
                    "The best {} of {} lies on an edge of its space, {low} to {high}, in more than half of the studies on {}: a \
                     better one may lie beyond.",
                    dimension.name,
                    optimizer.name,
                    list(&on_edge)
                ));
            }
        }
    }
    warnings
}

/// Probability of a warning about an edge, if all best values lie on edges only by chance.
const EDGES: f64 = 0.1;
/// Share of a dimension that is its two edges.
const EDGE: f64 = 0.1;

/// The probability that `on_edge` or more of `studies` choices lie on an edge, if choices are evenly distributed.
fn chance_of_edges(on_edge: usize, studies: usize) -> f64 {
    let exactly = |k: usize| binomial(studies, k) * EDGE.powi(k as i32) * (1.0 - EDGE).powi((studies - k) as i32);
    (on_edge..=studies).map(exactly).sum()
}

/// A sentence if the comparison was ended early.
fn missing_runs(grouped: &Grouped<'_>) -> Option<String> {
    let missing = grouped.missing_runs();
    let message = || {
        format!(
            "{} missing: the comparison was not finished.",
            if missing == 1 { "One run is".to_owned() } else { format!("{missing} runs are") }
        )
    };
    (missing > 0).then(message)
}

/// `a`, `a and b`, `a, b and c`.
fn list(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

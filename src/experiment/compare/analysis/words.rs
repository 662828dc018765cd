//! What was found, in words.

use super::grouped::Grouped;
use super::pairs::broken_inclusions;
use crate::experiment::compare::figure::{count, figure, p_value};
use crate::experiment::compare::records::Purpose;
use crate::experiment::compare::summary::{ALPHA, OptimizerSummary, Pair, PairVerdict, Power, ProblemSummary};

/// Seeds below which an interval of a median says little.
const FEW_SEEDS: usize = 6;

/// The finding as a short paragraph.
pub(super) fn verdict(grouped: &Grouped<'_>, pairs: &[Pair], optimizers: &[OptimizerSummary]) -> String {
    let protocol = grouped.protocol;
    let (problems, seeds) = (count(protocol.problems.len(), "problem"), count(protocol.seeds, "seed"));
    if pairs.is_empty() {
        return format!("One optimizer on {problems} with {seeds}: there is nothing to compare it with.");
    }
    let mut sentences = ranking(pairs, optimizers);
    let trials = count(protocol.trials, "trial");
    let tests = if pairs.len() == 1 { "one test".to_owned() } else { format!("{} tests", pairs.len()) };
    sentences.push(format!(
        "This is about final test losses after tuning with {trials} each, on {problems} with {seeds} each; the chance that \
         {tests} together claim a difference where there is none is at most {} %.",
        100.0 * ALPHA
    ));
    sentences.push(fastest(optimizers));
    sentences.join(" ")
}

fn ranking(pairs: &[Pair], optimizers: &[OptimizerSummary]) -> Vec<String> {
    let names: Vec<&str> = optimizers.iter().map(|optimizer| optimizer.name.as_str()).collect();
    let is_better = |good: &str, bad: &str| {
        pairs.iter().any(|pair| match pair.verdict {
            PairVerdict::ABetter => (pair.a.as_str(), pair.b.as_str()) == (good, bad),
            PairVerdict::BBetter => (pair.b.as_str(), pair.a.as_str()) == (good, bad),
            PairVerdict::NoDifferenceShown => false,
        })
    };
    // Optimizers that are better than the same others share a sentence.
    let mut groups: Vec<(Vec<&str>, Vec<&str>)> = Vec::new();
    for name in &names {
        let beaten: Vec<&str> = names.iter().copied().filter(|other| is_better(name, other)).collect();
        match groups.iter_mut().find(|(_, others)| *others == beaten) {
            Some((winners, _)) => winners.push(name),
            None => groups.push((vec![name], beaten)),
        }
    }
    groups.retain(|(_, beaten)| !beaten.is_empty());
    groups.sort_by_key(|(_, beaten)| std::cmp::Reverse(beaten.len()));
    let sentence = |(winners, beaten): &(Vec<&str>, Vec<&str>)| {
        let are = if winners.len() == 1 { "is" } else { "are each" };
        let all = if beaten.len() > 1 && beaten.len() + 1 == names.len() { "all others: " } else { "" };
        format!("{} {are} better than {all}{}.", list(winners), list(beaten))
    };
    groups.iter().map(sentence).chain(undecided(pairs, &names)).collect()
}

/// The pairs without a difference; as one list where it holds between all in it.
fn undecided(pairs: &[Pair], names: &[&str]) -> Option<String> {
    let open: Vec<&Pair> = pairs.iter().filter(|pair| pair.verdict == PairVerdict::NoDifferenceShown).collect();
    let concerned: Vec<&str> =
        names.iter().copied().filter(|name| open.iter().any(|pair| pair.a == *name || pair.b == *name)).collect();
    if open.is_empty() {
        return None;
    }
    let all = concerned.len() * (concerned.len() - 1) / 2 == open.len();
    let each =
        || open.iter().map(|pair| format!("{} and {}", pair.a, pair.b)).collect::<Vec<_>>().join(", nor between ");
    Some(format!("No difference is shown between {}.", if all { list(&concerned) } else { each() }))
}

fn fastest(optimizers: &[OptimizerSummary]) -> String {
    if optimizers.iter().all(|optimizer| optimizer.profile_score == 0.0) {
        return "No optimizer reached a target with more than half of its runs, so speeds are not compared.".to_owned();
    }
    let mut order: Vec<&OptimizerSummary> = optimizers.iter().collect();
    order.sort_by(|a, b| b.profile_score.total_cmp(&a.profile_score));
    let scores: Vec<String> = order.iter().map(|o| format!("{} {:.2}", o.name, o.profile_score)).collect();
    format!("Speed, as the score of steps to target (1: always the fewest): {}.", scores.join(", "))
}

/// What the comparison cannot show.
pub(super) fn caveats(grouped: &Grouped<'_>, power: &Power) -> Vec<String> {
    let protocol = grouped.protocol;
    let mut caveats = Vec::new();
    let (problems, seeds) = (count(protocol.problems.len(), "problem"), count(protocol.seeds, "seed"));
    if protocol.quick {
        caveats.push(format!(
            "This is the quick form: {problems}, {} and {seeds} give a first impression; the full form has more of each.",
            count(protocol.trials, "trial")
        ));
    }
    if protocol.optimizers.len() > 1 {
        caveats.push(match power.detectable_sd {
            None => format!(
                "With {} for each verdict no difference can be shown at all: the smallest p they can give, corrected, is {}.",
                count(power.paired_runs, "paired run"),
                p_value(power.smallest_p)
            ),
            Some(sd) => format!(
                "With {} for each verdict, a difference of {} standard deviations over seeds on every problem is found \
                 about four times in five, smaller ones less often. The smallest p they can give, corrected, is {}.",
                count(power.paired_runs, "paired run"),
                figure(Some((sd * 100.0).round() / 100.0)),
                p_value(power.smallest_p)
            ),
        });
    }
    if protocol.seeds < FEW_SEEDS {
        caveats.push(format!("Intervals from {seeds} are too narrow more often than their 5 %."));
    }
    caveats.push(
        "The verdict holds for these problems, networks, step budgets and the settings that this tuning found: the luck of \
         the search is not in the test. Intervals for single problems are exploratory and not corrected."
            .to_owned(),
    );
    caveats
}

/// What may be wrong with the comparison.
pub(super) fn warnings(grouped: &Grouped<'_>, problems: &[ProblemSummary], pairs: &[Pair]) -> Vec<String> {
    let mut warnings: Vec<String> = broken_inclusions(grouped, pairs)
        .into_iter()
        .map(|(general, special)| {
            format!(
                "{general} is worse than {special}, though {special} is a special case or a limit of it within its space: \
                 the tuning of {general} was too short."
            )
        })
        .collect();
    warnings.extend(missing_runs(grouped));
    for (number, optimizer) in grouped.optimizers() {
        let results = || problems.iter().map(|problem| (problem.name.as_str(), &problem.results[number]));
        let diverged = results().filter(|(_, result)| result.trials > 0 && result.diverged_trials == result.trials);
        let diverged: Vec<&str> = diverged.map(|(problem, _)| problem).collect();
        if !diverged.is_empty() {
            warnings.push(format!("Every trial of {} diverged on {}.", optimizer.name, list(&diverged)));
        }
        for dimension in &optimizer.space {
            let on_edge = results().filter_map(|(problem, result)| {
                let best = result.best.as_ref()?;
                let value = best.values.get(&dimension.name)?;
                let text = || format!("{problem} ({})", figure(Some(*value)));
                best.edges.contains(&dimension.name).then(text)
            });
            let on_edge: Vec<String> = on_edge.collect();
            if !on_edge.is_empty() {
                let (low, high) = (figure(Some(dimension.low)), figure(Some(dimension.high)));
                warnings.push(format!(
                    "The best {} of {} lies on an edge of its space, {low} to {high}, on {}: a better one may lie beyond.",
                    dimension.name,
                    optimizer.name,
                    list(&on_edge.iter().map(String::as_str).collect::<Vec<_>>())
                ));
            }
        }
    }
    warnings
}

/// A comparison that was ended early.
fn missing_runs(grouped: &Grouped<'_>) -> Option<String> {
    let protocol = grouped.protocol;
    let purposes =
        [(Purpose::Tuning, protocol.trials), (Purpose::Tuned, protocol.seeds), (Purpose::Untuned, protocol.seeds)];
    let missing = |problem: usize, optimizer: usize| -> usize {
        let of =
            |(purpose, runs): &(Purpose, usize)| runs.saturating_sub(grouped.runs(problem, optimizer, *purpose).len());
        purposes.iter().map(of).sum()
    };
    let all = grouped.problems().flat_map(|(problem, _)| grouped.optimizers().map(move |(o, _)| missing(problem, o)));
    let missing: usize = all.sum();
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

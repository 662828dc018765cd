//! A verdict for each pair of optimizers.

use super::grouped::Grouped;
use crate::experiment::compare::records::Family;
use crate::experiment::compare::summary::{
    ByProblem, FEWEST_STUDIES, FamilyEffect, Level, Pair, PairVerdict, ProblemPair, Verdict,
};
use crate::statistics::{
    Stratum, fisher_combined, holm, holm_levels, rank_sum_p, ratio_interval, smallest_p, stratified_rank_test,
    yuen_test,
};

/// Scores of the studies of each optimizer on each problem: `scores[problem][optimizer]`.
pub(super) type ScoreTable = Vec<Vec<Vec<f64>>>;

/// The scores of the tuned optimizers.
pub(super) fn tuned_scores(grouped: &Grouped<'_>) -> ScoreTable {
    let on = |problem| grouped.optimizers().map(|(optimizer, _)| grouped.scores(problem, optimizer)).collect();
    grouped.problems().map(|(problem, _)| on(problem)).collect()
}

/// The scores of the optimizers' defaults.
pub(super) fn untuned_scores(grouped: &Grouped<'_>) -> ScoreTable {
    let on = |problem| grouped.optimizers().map(|(optimizer, _)| grouped.untuned_scores(problem, optimizer)).collect();
    grouped.problems().map(|(problem, _)| on(problem)).collect()
}

/// All pairs of `count` optimizers, as numbers.
pub(super) fn numbers(count: usize) -> Vec<(usize, usize)> {
    (0..count).flat_map(|a| (a + 1..count).map(move |b| (a, b))).collect()
}

/// The verdicts over all problems.
pub(super) fn overall(names: &[&str], scores: &ScoreTable, level: Level) -> Vec<Verdict> {
    let pairs = numbers(names.len());
    let tests: Vec<OverallTest> = pairs.iter().map(|pair| overall_test(scores, *pair, (level, pairs.len()))).collect();
    let adjusted = holm(&tests.iter().map(|test| test.p).collect::<Vec<f64>>());
    let mut verdicts = Vec::new();
    for (((a, b), test), p_holm) in pairs.iter().zip(&tests).zip(adjusted) {
        verdicts.push(Verdict {
            a: names[*a].to_owned(),
            b: names[*b].to_owned(),
            effect: test.effect,
            p: test.p,
            p_holm,
            verdict: verdict(test.effect, p_holm <= level.alpha(), test.possible),
        });
    }
    verdicts
}

/// The result of the test of two optimizers over all problems.
struct OverallTest {
    effect: f64,
    p: f64,
    /// Whether this number of studies could show a difference at all.
    possible: bool,
}

fn verdict(effect: f64, significant: bool, possible: bool) -> PairVerdict {
    match significant {
        _ if !possible => PairVerdict::CannotDecide,
        true if effect > 0.0 => PairVerdict::ABetter,
        true if effect < 0.0 => PairVerdict::BBetter,
        _ => PairVerdict::NoDifferenceShown,
    }
}

fn overall_test(scores: &ScoreTable, (a, b): (usize, usize), (level, tests): (Level, usize)) -> OverallTest {
    let both: Vec<(&[f64], &[f64])> = scores.iter().map(|of| (of[a].as_slice(), of[b].as_slice())).collect();
    // Where all scores are equal, for example because all runs diverged, no difference can be shown.
    let differ = |a: &[f64], b: &[f64]| a.iter().chain(b).any(|score| *score != a[0]);
    let with_studies = both.iter().filter(|(a, b)| a.len() > 1 && b.len() > 1 && differ(a, b));
    let sizes: Vec<(usize, usize)> = with_studies.map(|(a, b)| (a.len(), b.len())).collect();
    let all_diverged = both.iter().all(|(a, b)| a.iter().chain(*b).all(|score| score.is_infinite()));
    let possible = !all_diverged && smallest_p(&sizes) * tests as f64 <= level.alpha();
    if let [(a, b)] = both[..] {
        // On a single problem the stratified test would report two optimizers as different only because one spreads more, in
        // about one report of a hundred. So the test of single problems is used.
        let Some((effect, p)) = problem_test(a, b) else {
            return OverallTest { effect: 0.0, p: 1.0, possible: false };
        };
        return OverallTest { effect, p, possible };
    }
    let strata: Vec<Stratum> = both.iter().filter_map(|(a, b)| Stratum::new(a, b)).collect();
    let test = stratified_rank_test(&strata);
    OverallTest { effect: test.effect, p: test.p, possible }
}

/// Effect and p on one problem. p is the larger one of the rank-sum test and of Yuen's test of the logarithms. The ranks
/// alone are not enough: if one optimizer hardly spreads, all eight studies of the other lie on the same side of it by
/// chance once in 128 reports. Yuen's test uses the distances, but it is accurate only for nearly normal values. `None` for
/// fewer than two scores of an optimizer.
pub(super) fn problem_test(a: &[f64], b: &[f64]) -> Option<(f64, f64)> {
    let stratum = Stratum::new(a, b)?;
    let p = rank_sum_p(a, b);
    let [a, b] = logarithms(a, b);
    Some((stratum.effect(), p.max(yuen_test(&a, &b))))
}

/// Logarithms of losses. An infinite loss is replaced by one above the largest finite loss of both groups: by their range,
/// and by at least a factor of 10.
fn logarithms(a: &[f64], b: &[f64]) -> [Vec<f64>; 2] {
    let log = |loss: f64| libm::log(loss.max(f64::MIN_POSITIVE));
    let finite = || a.iter().chain(b).filter(|loss| loss.is_finite()).map(|loss| log(*loss));
    let (least, most) = finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, m), log| (l.min(log), m.max(log)));
    let beyond = if least.is_finite() { most + (most - least).max(std::f64::consts::LN_10) } else { 0.0 };
    [a, b].map(|losses| losses.iter().map(|loss| if loss.is_finite() { log(*loss) } else { beyond }).collect())
}

/// All results of each pair, as tuned. `problems` are the names and families of the problems.
pub(super) fn pairs(names: &[&str], problems: &[(&str, Family)], scores: &ScoreTable) -> Vec<Pair> {
    let numbers = numbers(names.len());
    let mut by_pair = by_problem(&numbers, problems, scores);
    let few = scores.iter().flatten().any(|scores| scores.len() < FEWEST_STUDIES);
    let combined: Vec<f64> =
        by_pair.iter().map(|on| fisher_combined(&on.iter().map(|pair| pair.p).collect::<Vec<f64>>())).collect();
    let combined_holm = holm(&combined);
    let overall = overall(names, scores, Level::Overall);
    let mut pairs = Vec::new();
    for (number, overall) in overall.into_iter().enumerate() {
        let on = std::mem::take(&mut by_pair[number]);
        let (p, p_holm) = (combined[number], combined_holm[number]);
        // A verdict on a single problem also shows that they differ.
        let single = on.iter().any(|on| matches!(on.verdict, PairVerdict::ABetter | PairVerdict::BBetter));
        let by_problem = ByProblem { p, p_holm, differs: single || p_holm <= Level::ByProblem.alpha() };
        let by_problem = Some(by_problem).filter(|_| !few && problems.len() > 1);
        pairs.push(Pair { overall, by_problem, families: families(problems, &on), problems: on });
    }
    pairs
}

/// The pairs on each problem: `[pair][problem]`. p-values are corrected for all pairs and problems.
fn by_problem(numbers: &[(usize, usize)], problems: &[(&str, Family)], scores: &ScoreTable) -> Vec<Vec<ProblemPair>> {
    // With only one problem, this is the same question as that over all problems.
    let alone = problems.len() == 1;
    let (level, fewest) = if alone { (Level::Overall, 2) } else { (Level::Problem, FEWEST_STUDIES) };
    let asked: Vec<(&str, &[f64], &[f64])> = numbers
        .iter()
        .flat_map(|(a, b)| problems.iter().zip(scores).map(move |((name, _), of)| (*name, &of[*a][..], &of[*b][..])))
        .collect();
    let tests: Vec<(f64, f64)> = asked.iter().map(|(_, a, b)| problem_test(a, b).unwrap_or((0.0, 1.0))).collect();
    let p_values: Vec<f64> = tests.iter().map(|(_, p)| *p).collect();
    let shares = holm_levels(&p_values, level.alpha());
    let mut pairs = Vec::new();
    for ((((problem, a, b), (effect, p)), p_holm), share) in asked.iter().zip(&tests).zip(holm(&p_values)).zip(shares) {
        let smallest = smallest_p(&[(a.len(), b.len())]) * asked.len() as f64;
        let some_finite = a.iter().chain(*b).any(|score| score.is_finite());
        let possible = some_finite && a.len().min(b.len()) >= fewest && smallest <= level.alpha();
        let ratio = ratio_interval(a, b, 1.0 - share);
        let interval = ratio.and_then(|ratio| ratio.interval);
        let finite = |end: Option<f64>| end.filter(|value| value.is_finite());
        pairs.push(ProblemPair {
            problem: (*problem).to_owned(),
            effect: *effect,
            ratio: finite(ratio.map(|ratio| ratio.value)),
            low: finite(interval.map(|interval| interval.low)),
            high: finite(interval.map(|interval| interval.high)),
            p: *p,
            p_holm,
            verdict: verdict(*effect, p_holm <= level.alpha(), possible),
        });
    }
    pairs.chunks(problems.len().max(1)).map(<[_]>::to_vec).collect()
}

fn families(problems: &[(&str, Family)], on: &[ProblemPair]) -> Vec<FamilyEffect> {
    let of = |family: Family| {
        let effects: Vec<f64> =
            problems.iter().zip(on).filter(|((_, other), _)| *other == family).map(|(_, pair)| pair.effect).collect();
        let effect = effects.iter().sum::<f64>() / effects.len() as f64;
        (!effects.is_empty()).then_some(FamilyEffect { family, effect })
    };
    Family::ALL.into_iter().filter_map(of).collect()
}

/// Replaces all verdicts by `CannotDecide`, for a comparison that is not finished.
pub(super) fn undecided(pairs: &mut [Pair], untuned: &mut [Verdict]) {
    for pair in pairs {
        pair.overall.verdict = PairVerdict::CannotDecide;
        pair.by_problem = None;
        pair.problems.iter_mut().for_each(|on| on.verdict = PairVerdict::CannotDecide);
    }
    untuned.iter_mut().for_each(|pair| pair.verdict = PairVerdict::CannotDecide);
}

/// The number of studies of each optimizer that is needed for verdicts on single problems. If even twice [`FEWEST_STUDIES`]
/// are too few, it is [`FEWEST_STUDIES`].
pub fn studies_for(optimizers: usize, problems: usize) -> usize {
    let tests = (numbers(optimizers).len() * problems) as f64;
    let enough = |studies: &usize| smallest_p(&[(*studies, *studies)]) * tests <= Level::Problem.alpha();
    (FEWEST_STUDIES..=2 * FEWEST_STUDIES).find(enough).unwrap_or(FEWEST_STUDIES)
}

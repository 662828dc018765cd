//! A verdict for each pair of optimizers.

use super::grouped::Grouped;
use crate::experiment::compare::records::Family;
use crate::experiment::compare::summary::{
    ByProblem, FEWEST_STUDIES, FamilyEffect, Level, Pair, PairVerdict, Power, ProblemPair, Verdict,
};
use crate::statistics::{
    Stratum, fisher_combined, holm, normal_quantile, ratio_interval, smallest_p, stratified_rank_test, welch_test,
};

/// Scores of the studies of each optimizer on each problem: `scores[problem][optimizer]`.
pub(super) type Scores = Vec<Vec<Vec<f64>>>;

/// Scores as tuned.
pub(super) fn tuned_scores(grouped: &Grouped<'_>) -> Scores {
    let on = |problem| grouped.optimizers().map(|(optimizer, _)| grouped.scores(problem, optimizer)).collect();
    grouped.problems().map(|(problem, _)| on(problem)).collect()
}

/// Scores of the defaults.
pub(super) fn untuned_scores(grouped: &Grouped<'_>) -> Scores {
    let on = |problem| grouped.optimizers().map(|(optimizer, _)| grouped.untuned_scores(problem, optimizer)).collect();
    grouped.problems().map(|(problem, _)| on(problem)).collect()
}

/// The pairs of `count` optimizers, by their numbers.
fn numbers(count: usize) -> Vec<(usize, usize)> {
    (0..count).flat_map(|a| (a + 1..count).map(move |b| (a, b))).collect()
}

/// The verdicts over all problems.
pub(super) fn overall(names: &[&str], scores: &Scores, level: Level) -> Vec<Verdict> {
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

/// What the studies of two optimizers say over all problems.
struct OverallTest {
    effect: f64,
    p: f64,
    /// Whether so many studies could have shown a difference.
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

fn overall_test(scores: &Scores, (a, b): (usize, usize), (level, tests): (Level, usize)) -> OverallTest {
    let both: Vec<(&[f64], &[f64])> = scores.iter().map(|of| (of[a].as_slice(), of[b].as_slice())).collect();
    let with_studies = both.iter().filter(|(a, b)| a.len() > 1 && b.len() > 1);
    let sizes: Vec<(usize, usize)> = with_studies.map(|(a, b)| (a.len(), b.len())).collect();
    let all_diverged = both.iter().all(|(a, b)| a.iter().chain(*b).all(|score| score.is_infinite()));
    let possible = !all_diverged && smallest_p(&sizes) * tests as f64 <= level.alpha();
    if let [(a, b)] = both[..] {
        // On one problem alone two would be told apart because one spreads more, as chance has it in one report of a hundred.
        let Some((effect, p)) = problem_test(a, b) else {
            return OverallTest { effect: 0.0, p: 1.0, possible: false };
        };
        return OverallTest { effect, p, possible };
    }
    let strata: Vec<Stratum> = both.iter().filter_map(|(a, b)| Stratum::new(a, b)).collect();
    let test = stratified_rank_test(&strata);
    OverallTest { effect: test.effect, p: test.p, possible }
}

/// Effect and p on one problem: the greater of the p of ranks and of Welch's test of the logarithms. Ranks alone take eight studies
/// on one side of eight others for certain, though it happens by chance once in 128 where one side hardly spreads;
/// Welch's test knows how far they are apart, but is right for normal values only.
fn problem_test(a: &[f64], b: &[f64]) -> Option<(f64, f64)> {
    let stratum = Stratum::new(a, b)?;
    let [a, b] = logarithms(a, b);
    Some((stratum.effect(), stratum.p().max(welch_test(&a, &b))))
}

/// Logarithms of losses. In the place of an infinite one stands one beyond the worst finite one of both: by their range, and at
/// least tenfold.
fn logarithms(a: &[f64], b: &[f64]) -> [Vec<f64>; 2] {
    let log = |loss: f64| libm::log(loss.max(f64::MIN_POSITIVE));
    let finite = || a.iter().chain(b).filter(|loss| loss.is_finite()).map(|loss| log(*loss));
    let (least, most) = finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, m), log| (l.min(log), m.max(log)));
    let beyond = if least.is_finite() { most + (most - least).max(std::f64::consts::LN_10) } else { 0.0 };
    [a, b].map(|losses| losses.iter().map(|loss| if loss.is_finite() { log(*loss) } else { beyond }).collect())
}

/// Everything of each pair, as tuned. `families` are those of the problems, whose names are `problems`.
pub(super) fn pairs(names: &[&str], problems: &[(&str, Family)], scores: &Scores) -> Vec<Pair> {
    let numbers = numbers(names.len());
    let by_pair: Vec<Vec<ProblemPair>> =
        numbers.iter().map(|pair| problem_pairs(problems, scores, *pair, numbers.len() * problems.len())).collect();
    let mut by_pair = corrected(by_pair);
    let few = scores.iter().flatten().any(|scores| scores.len() < FEWEST_STUDIES);
    let combined: Vec<f64> =
        by_pair.iter().map(|on| fisher_combined(&on.iter().map(|pair| pair.p).collect::<Vec<f64>>())).collect();
    let combined_holm = holm(&combined);
    let overall = overall(names, scores, Level::Overall);
    let mut pairs = Vec::new();
    for (number, overall) in overall.into_iter().enumerate() {
        let mut on = std::mem::take(&mut by_pair[number]);
        if let [only] = &mut on[..] {
            // One problem is one question.
            (only.p_holm, only.verdict) = (overall.p_holm, overall.verdict);
        }
        let (p, p_holm) = (combined[number], combined_holm[number]);
        let by_problem = ByProblem { p, p_holm, differs: p_holm <= Level::ByProblem.alpha() };
        let by_problem = Some(by_problem).filter(|_| !few && problems.len() > 1);
        pairs.push(Pair { overall, by_problem, families: families(problems, &on), problems: on });
    }
    pairs
}

/// One pair on each problem, its p-values not yet corrected; `tests` are made in all.
fn problem_pairs(
    problems: &[(&str, Family)],
    scores: &Scores,
    (a, b): (usize, usize),
    tests: usize,
) -> Vec<ProblemPair> {
    let on = |((name, _), scores): (&(&str, Family), &Vec<Vec<f64>>)| {
        let (a, b) = (&scores[a], &scores[b]);
        let (effect, p) = problem_test(a, b).unwrap_or((0.0, 1.0));
        let smallest = smallest_p(&[(a.len(), b.len())]) * tests as f64;
        let finite = a.iter().chain(b).any(|score| score.is_finite());
        let possible = finite && a.len().min(b.len()) >= FEWEST_STUDIES && smallest <= Level::Problem.alpha();
        let ratio = ratio_interval(a, b, 1.0 - Level::Problem.alpha() / tests as f64);
        let interval = ratio.and_then(|ratio| ratio.interval);
        let finite = |end: Option<f64>| end.filter(|value| value.is_finite());
        ProblemPair {
            problem: (*name).to_owned(),
            effect,
            ratio: finite(ratio.map(|ratio| ratio.value)),
            low: finite(interval.map(|interval| interval.low)),
            high: finite(interval.map(|interval| interval.high)),
            p,
            p_holm: p,
            verdict: if possible { PairVerdict::NoDifferenceShown } else { PairVerdict::CannotDecide },
        }
    };
    problems.iter().zip(scores).map(on).collect()
}

/// Corrects the p-values over all pairs and problems, and gives the verdicts that can be given.
fn corrected(mut by_pair: Vec<Vec<ProblemPair>>) -> Vec<Vec<ProblemPair>> {
    let adjusted = holm(&by_pair.iter().flatten().map(|pair| pair.p).collect::<Vec<f64>>());
    for (pair, p_holm) in by_pair.iter_mut().flatten().zip(adjusted) {
        let possible = pair.verdict != PairVerdict::CannotDecide;
        (pair.p_holm, pair.verdict) = (p_holm, verdict(pair.effect, p_holm <= Level::Problem.alpha(), possible));
    }
    by_pair
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

/// The same without any verdict: of a comparison that was not finished.
pub(super) fn undecided(pairs: &mut [Pair], untuned: &mut [Verdict]) {
    for pair in pairs {
        pair.overall.verdict = PairVerdict::CannotDecide;
        pair.by_problem = None;
        pair.problems.iter_mut().for_each(|on| on.verdict = PairVerdict::CannotDecide);
    }
    untuned.iter_mut().for_each(|pair| pair.verdict = PairVerdict::CannotDecide);
}

/// Studies of each optimizer with which verdicts on single problems can be given, where there are so many of them.
pub fn studies_for(optimizers: usize, problems: usize) -> usize {
    let tests = (numbers(optimizers).len() * problems) as f64;
    let enough = |studies: &usize| smallest_p(&[(*studies, *studies)]) * tests <= Level::Problem.alpha();
    (FEWEST_STUDIES..=2 * FEWEST_STUDIES).find(enough).unwrap_or(FEWEST_STUDIES)
}

/// What verdicts over all problems can find with so many studies.
pub(super) fn power(scores: &Scores, optimizers: usize) -> Power {
    let studies = scores.iter().flatten().map(Vec::len).min().unwrap_or(0);
    power_of(numbers(optimizers).len(), scores.len(), studies)
}

/// The same for `pairs` verdicts on `problems` problems.
pub(super) fn power_of(pairs: usize, problems: usize, studies: usize) -> Power {
    let sizes = if studies > 1 { vec![(studies, studies); problems] } else { Vec::new() };
    let smallest_p = (pairs.max(1) as f64 * smallest_p(&sizes)).min(1.0);
    let alpha = Level::Overall.alpha();
    let quantiles = normal_quantile(1.0 - alpha / (2 * pairs.max(1)) as f64) + normal_quantile(0.8);
    let (n, strata) = (studies as f64, problems as f64);
    let detectable = quantiles * ((2.0 * n + 1.0) / (3.0 * n * n * strata)).sqrt();
    let detectable_effect = Some(detectable).filter(|effect| smallest_p <= alpha && *effect <= 1.0);
    Power { studies, smallest_p, detectable_effect }
}

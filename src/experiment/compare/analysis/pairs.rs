//! A verdict for each pair of optimizers.

use super::grouped::Grouped;
use crate::experiment::compare::records::{OptimizerRecord, Purpose};
use crate::experiment::compare::summary::{ALPHA, Pair, PairVerdict, Power};
use crate::experiment::statistics::{holm, normal_quantile, paired_permutation_test, smallest_p};

/// Final test losses of two optimizers on one problem, seed by seed.
type Stratum = (Vec<f64>, Vec<f64>);

/// Tests every pair over the seeds that both have.
pub(super) fn pairs(grouped: &Grouped<'_>) -> Vec<Pair> {
    let names: Vec<&str> = grouped.optimizers().map(|(_, optimizer)| optimizer.name.as_str()).collect();
    verdicts(&names, |a, b| grouped.problems().map(|(problem, _)| stratum(grouped, problem, a, b)).collect())
}

fn stratum(grouped: &Grouped<'_>, problem: usize, a: usize, b: usize) -> Stratum {
    let others = grouped.runs(problem, b, Purpose::Tuned);
    let both = grouped.runs(problem, a, Purpose::Tuned).iter().filter_map(|run| {
        let other = others.iter().find(|other| other.number == run.number)?;
        Some((run.final_test_loss(), other.final_test_loss()))
    });
    both.unzip()
}

/// The verdicts over all pairs of `names`, with the strata that `losses_of` gives for two numbers.
pub(super) fn verdicts(names: &[&str], losses_of: impl Fn(usize, usize) -> Vec<Stratum>) -> Vec<Pair> {
    let numbers: Vec<(usize, usize)> =
        (0..names.len()).flat_map(|a| (a + 1..names.len()).map(move |b| (a, b))).collect();
    let tests: Vec<_> = numbers.iter().map(|(a, b)| paired_permutation_test(&losses_of(*a, *b))).collect();
    let adjusted = holm(&tests.iter().map(|test| test.p).collect::<Vec<f64>>());
    let pair = |(((a, b), test), p_holm): ((&(usize, usize), _), f64)| {
        let test: &crate::experiment::statistics::PairedTest = test;
        let verdict = match p_holm <= ALPHA {
            true if test.effect > 0.0 => PairVerdict::ABetter,
            true if test.effect < 0.0 => PairVerdict::BBetter,
            _ => PairVerdict::NoDifferenceShown,
        };
        Pair { a: names[*a].to_owned(), b: names[*b].to_owned(), effect: test.effect, p: test.p, p_holm, verdict }
    };
    numbers.iter().zip(&tests).zip(adjusted).map(pair).collect()
}

/// What verdicts from so many paired runs can find.
pub(super) fn power(grouped: &Grouped<'_>) -> Power {
    let count = grouped.protocol.optimizers.len();
    let shared = |a: usize, b: usize| -> usize {
        grouped.problems().map(|(problem, _)| stratum(grouped, problem, a, b).0.len()).sum()
    };
    let pairs = (0..count).flat_map(|a| (a + 1..count).map(move |b| (a, b)));
    let paired_runs = pairs.map(|(a, b)| shared(a, b)).min().unwrap_or(0);
    power_of(count * count.saturating_sub(1) / 2, paired_runs)
}

/// The same for `verdicts` verdicts from `paired_runs` pairs each.
pub(super) fn power_of(verdicts: usize, paired_runs: usize) -> Power {
    let smallest_p = (verdicts as f64 * smallest_p(paired_runs)).min(1.0);
    let level = 1.0 - ALPHA / (2 * verdicts.max(1)) as f64;
    let quantiles = normal_quantile(level) + normal_quantile(0.8);
    let detectable = quantiles * (2.0 / paired_runs.max(1) as f64 * std::f64::consts::PI / 3.0).sqrt();
    Power { paired_runs, smallest_p, detectable_sd: Some(detectable).filter(|_| smallest_p <= ALPHA) }
}

/// What an optimizer can be made into by its settings.
#[derive(PartialEq)]
enum Family {
    Sgd,
    Momentum,
    RmsProp,
    Adam,
    Other,
}

fn family(optimizer: &OptimizerRecord) -> Family {
    let (algorithm, options) = optimizer.spec.split_once(':').unwrap_or((&optimizer.spec, ""));
    match algorithm {
        "sgd" if options.contains("nesterov") => Family::Other,
        "sgd" if options.contains("momentum") => Family::Momentum,
        "momentum" => Family::Momentum,
        "sgd" => Family::Sgd,
        "rmsprop" => Family::RmsProp,
        "adam" => Family::Adam,
        _ => Family::Other,
    }
}

/// Whether the first is a special case, or a limit, of the second within the space that was searched: momentum 0 is sgd;
/// Adam with a large `eps` tends to momentum, with β₁ = 0 to RMSprop. Choi et al. 2019, "On Empirical Comparisons of
/// Optimizers for Deep Learning", <https://arxiv.org/abs/1910.05446>.
fn is_included(special: &OptimizerRecord, general: &OptimizerRecord) -> bool {
    let searches = |name: &str| general.space.iter().any(|dimension| dimension.name == name);
    match (family(special), family(general)) {
        (Family::Sgd, Family::Momentum) => searches("one_minus_momentum"),
        (Family::Momentum, Family::Adam) => searches("eps") && searches("one_minus_beta1"),
        (Family::RmsProp, Family::Adam) => searches("one_minus_beta1"),
        _ => false,
    }
}

/// Pairs in which an optimizer is worse, beyond noise, than one that it could have been tuned to: `(general, special)`.
pub(super) fn broken_inclusions<'a>(grouped: &Grouped<'a>, pairs: &[Pair]) -> Vec<(&'a str, &'a str)> {
    let better = |good: &str, bad: &str| {
        pairs.iter().any(|pair| match pair.verdict {
            PairVerdict::ABetter => (pair.a.as_str(), pair.b.as_str()) == (good, bad),
            PairVerdict::BBetter => (pair.b.as_str(), pair.a.as_str()) == (good, bad),
            PairVerdict::NoDifferenceShown => false,
        })
    };
    let optimizers = &grouped.protocol.optimizers;
    let all = optimizers.iter().flat_map(|general| optimizers.iter().map(move |special| (general, special)));
    all.filter(|(general, special)| is_included(special, general) && better(&special.name, &general.name))
        .map(|(general, special)| (general.name.as_str(), special.name.as_str()))
        .collect()
}

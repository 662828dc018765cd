//! Stratified rank test: whether one of two groups of independent results is better.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use rand::{Rng, RngExt};

use super::student::two_sided;
use crate::rng::{Purpose, stream};

/// Up to this many ways to divide the values into two groups are all listed. If there are more, this many random ones are
/// listed instead.
const MOST_ORDERS: usize = 20_000;
/// Upper limit of the random draws of one test.
const DRAWS: u32 = 99_999;
/// Number of draws at least as extreme as the observation after which p is accurate enough.
const ENOUGH: u32 = 200;

/// The result of a test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RankTest {
    /// Mean over the strata of `P(a < b) − P(a > b)`: 1 if the first is always lower, −1 if it is always higher.
    pub effect: f64,
    /// Probability of a standardised effect at least this far from 0 if the mean effect is 0.
    pub p: f64,
}

/// The results of two groups on one problem, and their permutation distribution.
#[derive(Debug, Clone)]
pub struct Stratum {
    seen: Ranked,
    /// The permutations: ways to divide the values into groups of these sizes.
    orders: Arc<Vec<Ranked>>,
    /// A hash of the order of the values, which determines the random numbers of a test.
    key: u64,
}

/// The effect of an order of the values of two groups, and its variance. The variance is a sum of two parts, from the spread
/// of each group.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Ranked {
    effect: f64,
    variance: f64,
    /// The sum of the squares of these parts, each divided by its degrees of freedom.
    squares: f64,
}

/// Cached permutations without ties, by the sizes of the groups.
static WITHOUT_TIES: LazyLock<Mutex<Tables>> = LazyLock::new(Mutex::default);

/// Permutations by the sizes of the groups.
type Tables = HashMap<(usize, usize), Arc<Vec<Ranked>>>;

/// The permutations of groups of these sizes if no two values are equal.
fn without_ties(sizes: (usize, usize)) -> Arc<Vec<Ranked>> {
    let mut tables = WITHOUT_TIES.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let table = || Arc::new(orders(&vec![1; sizes.0 + sizes.1], sizes));
    tables.entry(sizes).or_insert_with(table).clone()
}

impl Stratum {
    /// Ranks the values of both groups. Lower is better, infinity is worst, and infinite values are tied. `None` if a group
    /// has fewer than two values.
    ///
    /// The effect is Cliff's `d = P(a < b) − P(a > b)`. Its variance is that of Brunner and Munzel, which does not assume
    /// equal spreads: `4 (s²ₐ / n m² + s²ᵦ / m n²)`, where `s²ₐ` is the variance over `a` of the number of values of `b`
    /// below it, with ties counted half. The permutation distribution has all ways to divide the values into the two groups,
    /// or 20,000 random ones if there are more.
    pub fn new(a: &[f64], b: &[f64]) -> Option<Stratum> {
        if a.len() < 2 || b.len() < 2 {
            return None;
        }
        let mut values: Vec<(f64, bool)> = a.iter().map(|v| (*v, true)).chain(b.iter().map(|v| (*v, false))).collect();
        values.sort_by(|x, y| x.0.total_cmp(&y.0));
        let ties: Vec<usize> = values.chunk_by(|x, y| x.0 == y.0).map(<[_]>::len).collect();
        let is_first: Vec<bool> = values.iter().map(|(_, first)| *first).collect();
        let sizes = (a.len(), b.len());
        let orders = match ties.len() == values.len() {
            true => without_ties(sizes),
            false => Arc::new(orders(&ties, sizes)),
        };
        // The key does not change if the groups are exchanged, or if the values are multiplied by a factor.
        let mark = |key: u64, number: u64| (key ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let key = is_first.iter().fold(0, |key, first| mark(key, u64::from(*first == is_first[0])));
        let key = ties.iter().fold(key, |key, length| mark(key, *length as u64));
        let seen = rank(&is_first, &ties, sizes, least_spread(sizes));
        Some(Stratum { seen, orders, key })
    }

    /// Cliff's `d`.
    pub fn effect(&self) -> f64 {
        self.seen.effect
    }
}

/// Tests whether the mean effect over independent strata is 0; lower values are better.
///
/// The statistic is `t = |Σ d| / √(Σ variance)` ([`Stratum::new`]). Under the null hypothesis, the values of each stratum
/// could as well be divided in any other way into the two groups. p is the share of permutations of all strata whose
/// statistic is at least as large. It is estimated by random draws from the permutations of each stratum. Draws continue
/// until 200 are as extreme (then p = 200 / drawn) or 99,999 are drawn (then p = (1 + extreme) / 100,000): Besag & Clifford
/// 1991, <https://doi.org/10.1093/biomet/78.2.301>. Since the statistic is standardised, p is also valid if the two groups
/// spread differently, or differ on some strata in opposite directions that cancel: Neubert & Brunner 2007,
/// <https://doi.org/10.1016/j.csda.2006.05.024>; Pauly, Brunner & Konietschke 2015, <https://doi.org/10.1111/rssb.12073>.
/// With few values in few strata this holds only approximately, so p is at least that of [`student_p`]. The draws depend
/// only on the values. Without strata the effect is 0 and p is 1.
pub fn stratified_rank_test(strata: &[Stratum]) -> RankTest {
    let [effect, variance] = sums(strata);
    let bound = standardised(effect, variance) * (1.0 - 1e-9);
    let p = match strata {
        [] => 1.0,
        some => p_of_draws(some, bound).max(student_p(some)),
    };
    RankTest { effect: effect / strata.len().max(1) as f64, p }
}

/// The statistic of [`stratified_rank_test`].
pub fn statistic_of(strata: &[Stratum]) -> f64 {
    let [effect, variance] = sums(strata);
    standardised(effect, variance)
}

/// The sums of effects and of variances.
fn sums(strata: &[Stratum]) -> [f64; 2] {
    strata.iter().fold([0.0; 2], |[e, v], s| [e + s.seen.effect, v + s.seen.variance])
}

/// p of the statistic of [`stratified_rank_test`] by Student's t distribution. As in Brunner and Munzel, the degrees of
/// freedom follow from the spread of each group on each stratum: `(Σ v)² / Σ (v² / (n − 1))` over the parts `v` of the
/// variances. Brunner & Munzel 2000, <https://doi.org/10.1002/(SICI)1521-4036(200001)42:1%3C17::AID-BIMJ17%3E3.0.CO;2-U>.
pub fn student_p(strata: &[Stratum]) -> f64 {
    let [effect, variance] = sums(strata);
    let squares: f64 = strata.iter().map(|stratum| stratum.seen.squares).sum();
    two_sided(standardised(effect, variance), variance * variance / squares)
}

/// The critical value of the statistic of [`stratified_rank_test`] at level `alpha`, for strata of these sizes without ties,
/// from 99,999 random permutations.
pub fn critical_statistic(sizes: &[(usize, usize)], alpha: f64) -> f64 {
    let orders: Vec<Arc<Vec<Ranked>>> = sizes.iter().map(|sizes| without_ties(*sizes)).collect();
    let mut rng = stream(0, Purpose::Resampling, 6, 0);
    let mut statistics: Vec<f64> =
        (0..DRAWS).map(|_| drawn_statistic(&mut rng, orders.iter().map(|orders| orders.as_slice()))).collect();
    statistics.sort_unstable_by(|a, b| b.total_cmp(a));
    statistics[((alpha * f64::from(DRAWS)) as usize).min(statistics.len() - 1)]
}

fn p_of_draws(strata: &[Stratum], bound: f64) -> f64 {
    let key = strata.iter().fold(0, |key: u64, stratum| (key ^ stratum.key).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let mut rng = stream(0, Purpose::Resampling, 3, key);
    let mut count = 0;
    for drawn in 1..=DRAWS {
        let statistic = drawn_statistic(&mut rng, strata.iter().map(|stratum| stratum.orders.as_slice()));
        count += u32::from(statistic >= bound);
        if count == ENOUGH {
            return f64::from(count) / f64::from(drawn);
        }
    }
    f64::from(count + 1) / f64::from(DRAWS + 1)
}

/// The statistic of one random permutation of each stratum.
fn drawn_statistic<'a>(rng: &mut impl Rng, strata: impl Iterator<Item = &'a [Ranked]>) -> f64 {
    let (mut effect, mut variance) = (0.0, 0.0);
    for orders in strata {
        // The high bits of the product are uniform up to a relative error of 10⁻⁵.
        let at = (u64::from(rng.next_u32()) * orders.len() as u64) >> 32;
        let order = orders[at as usize];
        effect += order.effect;
        variance += order.variance;
    }
    standardised(effect, variance)
}

/// The smallest p for strata of these sizes: that of [`super::rank_sum_p`] for one stratum, of [`stratified_rank_test`] for
/// several.
pub fn smallest_p(sizes: &[(usize, usize)]) -> f64 {
    let ways: f64 = sizes.iter().map(|(n, m)| binomial(n + m, *n)).product();
    match sizes {
        [] => 1.0,
        [_] => (2.0 / ways).min(1.0),
        several => {
            let apart = |&(n, m): &(usize, usize)| {
                let [low, high] = [0..n, n..n + m].map(|values| values.map(|value| value as f64).collect::<Vec<f64>>());
                Stratum::new(&low, &high)
            };
            let strata: Vec<Stratum> = several.iter().filter_map(apart).collect();
            (2.0 / ways).max(1.0 / f64::from(DRAWS + 1)).max(student_p(&strata))
        }
    }
}

fn standardised(effect: f64, variance: f64) -> f64 {
    effect.abs() / variance.sqrt()
}

/// The binomial coefficient `n` over `k`.
pub fn binomial(n: usize, k: usize) -> f64 {
    (1..=k).map(|i| (n - k + i) as f64 / i as f64).product::<f64>().round()
}

/// Whether all permutations of groups of these sizes are listed.
fn has_few_orders((n, m): (usize, usize)) -> bool {
    binomial(n + m, n) <= MOST_ORDERS as f64
}

/// A lower limit of the variance. For groups that do not overlap the variance would be 0, so it is that of groups of which
/// one neighbouring pair is exchanged.
fn least_spread((n, m): (usize, usize)) -> Ranked {
    let swapped: Vec<bool> = (0..n + m).map(|at| (at < n - 1) || at == n).collect();
    let none = Ranked { effect: 0.0, variance: 0.0, squares: 0.0 };
    rank(&swapped, &vec![1; n + m], (n, m), none)
}

/// The effect and variance of an order. `is_first` says for each value, in ascending order, whether it belongs to the first
/// group; `ties` are the lengths of runs of equal values. The variance is at least that of `least`.
fn rank(is_first: &[bool], ties: &[usize], (n, m): (usize, usize), least: Ranked) -> Ranked {
    let (mut at, mut below) = (0, [0usize; 2]);
    // For each group, the sum over its values of the number of values of the other group below, and of its square, in
    // halves.
    let (mut sums, mut squares) = ([0usize; 2], [0usize; 2]);
    for length in ties {
        let first = is_first[at..at + length].iter().filter(|first| **first).count();
        let counts = [first, length - first];
        for group in 0..2 {
            let halves = 2 * below[1 - group] + counts[1 - group];
            sums[group] += counts[group] * halves;
            squares[group] += counts[group] * halves * halves;
        }
        below = [below[0] + counts[0], below[1] + counts[1]];
        at += length;
    }
    let sizes = [n as f64, m as f64];
    let spread = |group: usize| {
        let (size, sum) = (sizes[group], sums[group] as f64);
        (squares[group] as f64 - sum * sum / size) / (size - 1.0) / 4.0
    };
    let [n, m] = sizes;
    let parts = [4.0 * spread(0) / (n * m * m), 4.0 * spread(1) / (m * n * n)];
    let effect = (sums[1] as f64 - sums[0] as f64) / (2.0 * n * m);
    let variance = parts[0] + parts[1];
    if variance <= least.variance {
        return Ranked { effect, ..least };
    }
    Ranked { effect, variance, squares: parts[0] * parts[0] / (n - 1.0) + parts[1] * parts[1] / (m - 1.0) }
}

/// All permutations of two groups of these sizes, or random ones if there are too many.
fn orders(ties: &[usize], (n, m): (usize, usize)) -> Vec<Ranked> {
    let least = least_spread((n, m));
    let mut order: Vec<bool> = (0..n + m).map(|at| at < n).collect();
    if !has_few_orders((n, m)) {
        let mut rng = stream(0, Purpose::Resampling, 4, (n * 10_000 + m) as u64);
        let mut draw = |_| {
            // The first `n` steps of a Fisher-Yates shuffle.
            for at in 0..n {
                let other = rng.random_range(at..n + m);
                order.swap(at, other);
            }
            rank(&order, ties, (n, m), least)
        };
        return (0..MOST_ORDERS).map(&mut draw).collect();
    }
    let mut all = Vec::new();
    loop {
        all.push(rank(&order, ties, (n, m), least));
        if !next_order(&mut order) {
            return all;
        }
    }
}

/// Advances to the next arrangement of the set places; `false` after the last one, which has them all at the end.
fn next_order(order: &mut [bool]) -> bool {
    // As `next_permutation` in descending order: the last set place that is followed by a free one moves up by one, and the
    // set places behind it move next to it.
    let Some(at) = (0..order.len() - 1).rev().find(|at| order[*at] && !order[at + 1]) else { return false };
    order.swap(at, at + 1);
    let behind = &mut order[at + 2..];
    let set = behind.iter().filter(|set| **set).count();
    behind.iter_mut().enumerate().for_each(|(place, is_set)| *is_set = place < set);
    true
}

#[cfg(test)]
mod tests;

//! Whether one of two ways to train is better, from independent results of each.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use rand::{Rng, RngExt};

use super::student::two_sided;
use crate::rng::{Purpose, stream};

/// Orders of two groups that are all tried; of more, so many are drawn at random.
const MOST_ORDERS: usize = 20_000;
/// Random choices at most, where there are several strata.
const DRAWS: u32 = 99_999;
/// Random choices as extreme as what was seen, after which the answer is known well enough.
const ENOUGH: u32 = 200;

/// What a test found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RankTest {
    /// Mean over the strata of `P(a < b) − P(a > b)`: 1 if the first is always lower, −1 if it is always higher.
    pub effect: f64,
    /// Chance of a standardised effect at least as far from 0 if that mean were 0.
    pub p: f64,
}

/// Results of two groups on one problem, with what they would be if the two had been dealt otherwise.
#[derive(Debug, Clone)]
pub struct Stratum {
    seen: Ranked,
    /// The ways to deal the values.
    orders: Arc<Vec<Ranked>>,
    /// What makes the random numbers of a test those of this order.
    key: u64,
}

/// Effect of an order of two groups, and its variance: the sum of two parts, by the spread of either group.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Ranked {
    effect: f64,
    variance: f64,
    /// The sum of the squares of these parts, each over its degrees of freedom.
    squares: f64,
}

/// Tables of orders without ties, by the sizes of the groups.
static WITHOUT_TIES: LazyLock<Mutex<Tables>> = LazyLock::new(Mutex::default);

/// Orders by the sizes of the groups.
type Tables = HashMap<(usize, usize), Arc<Vec<Ranked>>>;

/// The ways to deal groups of these sizes in which no values are equal.
fn without_ties(sizes: (usize, usize)) -> Arc<Vec<Ranked>> {
    let mut tables = WITHOUT_TIES.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let table = || Arc::new(orders(&vec![1; sizes.0 + sizes.1], sizes));
    tables.entry(sizes).or_insert_with(table).clone()
}

impl Stratum {
    /// Ranks the values of both groups; lower is better, infinity is worst, and infinite values are tied. `None` for fewer than two
    /// values in a group.
    ///
    /// The effect is Cliff's `d = P(a < b) − P(a > b)`. Its variance is that of Brunner and Munzel, who do not assume that the two
    /// spread alike: `4 (s²ₐ / n m² + s²ᵦ / m n²)`, where `s²ₐ` is the variance over `a` of the number of values of `b` below
    /// it, ties counted half. The groups are dealt anew in all ways, or in 20,000 random ones where there are more.
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
        // The same for both orders of the groups, and in all units of the values.
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
/// The statistic is `t = |Σ d| / √(Σ variance)` ([`Stratum::new`]). If the two groups did not differ, each stratum could as well
/// have been dealt otherwise: p is the part of the ways to deal all strata anew whose statistic is at least as great. All ways are
/// tried where there are few; otherwise random ones are drawn until 200 are as extreme (then p = 200 / drawn) or 99,999 are drawn
/// (then p = (1 + extreme) / 100,000): Besag & Clifford 1991, <https://doi.org/10.1093/biomet/78.2.301>. Because the
/// statistic is standardised, p also holds where the two spread differently, or differ on some strata in opposite
/// directions that cancel: Neubert & Brunner 2007, <https://doi.org/10.1016/j.csda.2006.05.024>; Pauly, Brunner &
/// Konietschke 2015, <https://doi.org/10.1111/rssb.12073>. With few values in few strata it does so only nearly. So p
/// is at least that of [`student_p`]. The draws depend on the values alone. Without strata the effect is 0 and p is 1.
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

/// Sums of effects and variances.
fn sums(strata: &[Stratum]) -> [f64; 2] {
    strata.iter().fold([0.0; 2], |[e, v], s| [e + s.seen.effect, v + s.seen.variance])
}

/// The p of the statistic of [`stratified_rank_test`] by Student's t, with degrees of freedom by the spread of each group on each
/// stratum, as Brunner and Munzel have them: `(Σ v)² / Σ (v² / (n − 1))` over the parts `v` of the variances. Brunner & Munzel 2000,
/// <https://doi.org/10.1002/(SICI)1521-4036(200001)42:1%3C17::AID-BIMJ17%3E3.0.CO;2-U>.
pub fn student_p(strata: &[Stratum]) -> f64 {
    let [effect, variance] = sums(strata);
    let squares: f64 = strata.iter().map(|stratum| stratum.seen.squares).sum();
    two_sided(standardised(effect, variance), variance * variance / squares)
}

/// The statistic of [`stratified_rank_test`] that strata of these sizes, without ties, reach by chance alone in a part `alpha` of
/// cases: by 99,999 random ways to deal them.
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

/// The statistic of a random way to deal the strata.
fn drawn_statistic<'a>(rng: &mut impl Rng, strata: impl Iterator<Item = &'a [Ranked]>) -> f64 {
    let (mut effect, mut variance) = (0.0, 0.0);
    for orders in strata {
        // The high bits of a product: uniform but for one part in 10⁵.
        let at = (u64::from(rng.next_u32()) * orders.len() as u64) >> 32;
        let order = orders[at as usize];
        effect += order.effect;
        variance += order.variance;
    }
    standardised(effect, variance)
}

/// The least p that strata of these sizes can show: by [`super::rank_sum_p`] of one, by [`stratified_rank_test`] of several.
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

/// `n` over `k`.
pub fn binomial(n: usize, k: usize) -> f64 {
    (1..=k).map(|i| (n - k + i) as f64 / i as f64).product::<f64>().round()
}

/// Whether all ways to deal groups of these sizes are tried.
fn has_few_orders((n, m): (usize, usize)) -> bool {
    binomial(n + m, n) <= MOST_ORDERS as f64
}

/// What stands for the spread of groups that do not overlap, which is 0: that of one neighbouring pair in the wrong order.
fn least_spread((n, m): (usize, usize)) -> Ranked {
    let swapped: Vec<bool> = (0..n + m).map(|at| (at < n - 1) || at == n).collect();
    let none = Ranked { effect: 0.0, variance: 0.0, squares: 0.0 };
    rank(&swapped, &vec![1; n + m], (n, m), none)
}

/// Effect and variance of an order. `is_first` tells for each value, from the least, whether it is of the first group; `ties`
/// are the lengths of runs of equal values.
fn rank(is_first: &[bool], ties: &[usize], (n, m): (usize, usize), least: Ranked) -> Ranked {
    let (mut at, mut below) = (0, [0usize; 2]);
    // Sums over each group of the number of values of the other below, and of its square, in halves.
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

/// All ways to deal two groups of these sizes, or random ones where there are too many.
fn orders(ties: &[usize], (n, m): (usize, usize)) -> Vec<Ranked> {
    let least = least_spread((n, m));
    let mut order: Vec<bool> = (0..n + m).map(|at| at < n).collect();
    if !has_few_orders((n, m)) {
        let mut rng = stream(0, Purpose::Resampling, 4, (n * 10_000 + m) as u64);
        let mut draw = |_| {
            // The first n places of a shuffle.
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

/// The next order in which as many are set; `false` after the last, which has all of them at the end.
fn next_order(order: &mut [bool]) -> bool {
    // As `next_permutation` of a falling sequence: the last set place with a free one behind it moves up by one, and those
    // behind it follow.
    let Some(at) = (0..order.len() - 1).rev().find(|at| order[*at] && !order[at + 1]) else { return false };
    order.swap(at, at + 1);
    let behind = &mut order[at + 2..];
    let set = behind.iter().filter(|set| **set).count();
    behind.iter_mut().enumerate().for_each(|(place, is_set)| *is_set = place < set);
    true
}

#[cfg(test)]
mod tests;

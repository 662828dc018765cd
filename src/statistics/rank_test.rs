//! Whether one of two ways to train is better, from independent results of each.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use rand::{Rng, RngExt};

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
    orders: Arc<Orders>,
    /// Whether these are all ways to deal the values, and not random ones.
    all_orders: bool,
    /// What makes the random numbers of a test those of these values.
    key: u64,
}

/// Effect of an order of two groups, and its variance.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Ranked {
    effect: f64,
    variance: f64,
}

/// The ways to deal two groups.
#[derive(Debug)]
struct Orders {
    all: Vec<Ranked>,
    /// Their statistics `|effect| / √variance`, the least first.
    statistics: Vec<f64>,
}

/// Tables of orders without ties, by the sizes of the groups.
static WITHOUT_TIES: LazyLock<Mutex<Tables>> = LazyLock::new(Mutex::default);

/// Orders by the sizes of the groups.
type Tables = HashMap<(usize, usize), Arc<Orders>>;

impl Orders {
    fn new(ties: &[usize], sizes: (usize, usize)) -> Orders {
        let all = orders(ties, sizes);
        let mut statistics: Vec<f64> = all.iter().map(|order| standardised(order.effect, order.variance)).collect();
        statistics.sort_by(f64::total_cmp);
        Orders { all, statistics }
    }
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
            true => {
                let mut tables = WITHOUT_TIES.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                tables.entry(sizes).or_insert_with(|| Arc::new(Orders::new(&ties, sizes))).clone()
            }
            false => Arc::new(Orders::new(&ties, sizes)),
        };
        // The same for both orders of the groups.
        let bits = |key: u64, (value, first): &(f64, bool)| {
            (key ^ value.to_bits() ^ u64::from(*first == is_first[0])).wrapping_mul(0x9E37_79B9_7F4A_7C15)
        };
        let seen = rank(&is_first, &ties, sizes, least_variance(sizes));
        Some(Stratum { seen, orders, all_orders: has_few_orders(sizes), key: values.iter().fold(0, bits) })
    }

    /// Cliff's `d`.
    pub fn effect(&self) -> f64 {
        self.seen.effect
    }

    /// Two-sided p of this stratum alone: the part of the orders whose `|d| / √variance` is at least as great.
    pub fn p(&self) -> f64 {
        let bound = standardised(self.seen.effect, self.seen.variance) * (1.0 - 1e-9);
        let statistics = &self.orders.statistics;
        let extreme = statistics.len() - statistics.partition_point(|statistic| *statistic < bound);
        // Among all orders is the one that was seen; among random ones it counts as one more.
        let seen = usize::from(!self.all_orders);
        (extreme + seen) as f64 / (statistics.len() + seen) as f64
    }
}

/// Tests whether the mean effect over independent strata is 0; lower values are better.
///
/// The statistic is `|Σ d| / √(Σ variance)` ([`Stratum::new`]). If the two groups did not differ, each stratum could as well
/// have been dealt otherwise: p is the part of the ways to deal all strata anew whose statistic is at least as great. All ways are
/// tried where there are few; otherwise random ones are drawn until 200 are as extreme (then p = 200 / drawn) or 99,999 are drawn
/// (then p = (1 + extreme) / 100,000): Besag & Clifford 1991, <https://doi.org/10.1093/biomet/78.2.301>. Because the
/// statistic is standardised, p also holds where the two spread differently, or differ on some strata in opposite
/// directions that cancel, as far as so few values allow: Neubert & Brunner 2007,
/// <https://doi.org/10.1016/j.csda.2006.05.024>; Pauly, Brunner & Konietschke 2015, <https://doi.org/10.1111/rssb.12073>. The
/// draws depend on the values alone. Without strata the effect is 0 and p is 1.
pub fn stratified_rank_test(strata: &[Stratum]) -> RankTest {
    let [effect, variance] = strata.iter().fold([0.0; 2], |[e, v], s| [e + s.seen.effect, v + s.seen.variance]);
    let bound = standardised(effect, variance) * (1.0 - 1e-9);
    let p = match strata {
        [] => 1.0,
        [one] => one.p(),
        several => p_of_draws(several, bound),
    };
    RankTest { effect: effect / strata.len().max(1) as f64, p }
}

fn p_of_draws(strata: &[Stratum], bound: f64) -> f64 {
    let key = strata.iter().fold(0, |key: u64, stratum| (key ^ stratum.key).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let mut rng = stream(0, Purpose::Resampling, 3, key);
    let mut count = 0;
    for drawn in 1..=DRAWS {
        let (mut effect, mut variance) = (0.0, 0.0);
        for stratum in strata {
            // The high bits of a product: uniform but for one part in 10⁵.
            let at = (u64::from(rng.next_u32()) * stratum.orders.all.len() as u64) >> 32;
            let order = stratum.orders.all[at as usize];
            effect += order.effect;
            variance += order.variance;
        }
        count += u32::from(standardised(effect, variance) >= bound);
        if count == ENOUGH {
            return f64::from(count) / f64::from(drawn);
        }
    }
    f64::from(count + 1) / f64::from(DRAWS + 1)
}

/// The least p that strata of these sizes can show, by [`stratified_rank_test`].
pub fn smallest_p(sizes: &[(usize, usize)]) -> f64 {
    let ways: f64 = sizes.iter().map(|(n, m)| binomial(n + m, *n)).product();
    match sizes {
        [] => 1.0,
        [one] if has_few_orders(*one) => (2.0 / ways).min(1.0),
        [_] => 1.0 / (MOST_ORDERS + 1) as f64,
        _ => (2.0 / ways).max(1.0 / f64::from(DRAWS + 1)),
    }
}

fn standardised(effect: f64, variance: f64) -> f64 {
    effect.abs() / variance.sqrt()
}

/// `n` over `k`.
pub(super) fn binomial(n: usize, k: usize) -> f64 {
    (1..=k).map(|i| (n - k + i) as f64 / i as f64).product::<f64>().round()
}

/// Whether all ways to deal groups of these sizes are tried.
fn has_few_orders((n, m): (usize, usize)) -> bool {
    binomial(n + m, n) <= MOST_ORDERS as f64
}

/// The variance that stands for 0, of groups that do not overlap: that of one neighbouring pair in the wrong order.
fn least_variance((n, m): (usize, usize)) -> f64 {
    let swapped: Vec<bool> = (0..n + m).map(|at| (at < n - 1) || at == n).collect();
    rank(&swapped, &vec![1; n + m], (n, m), 0.0).variance
}

/// Effect and variance of an order. `is_first` tells for each value, from the least, whether it is of the first group; `ties`
/// are the lengths of runs of equal values.
fn rank(is_first: &[bool], ties: &[usize], (n, m): (usize, usize), floor: f64) -> Ranked {
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
    let variance = 4.0 * (spread(0) / (n * m * m) + spread(1) / (m * n * n));
    Ranked { effect: (sums[1] as f64 - sums[0] as f64) / (2.0 * n * m), variance: variance.max(floor) }
}

/// All ways to deal two groups of these sizes, or random ones where there are too many.
fn orders(ties: &[usize], (n, m): (usize, usize)) -> Vec<Ranked> {
    let floor = least_variance((n, m));
    let mut order: Vec<bool> = (0..n + m).map(|at| at < n).collect();
    if !has_few_orders((n, m)) {
        let mut rng = stream(0, Purpose::Resampling, 4, (n * 10_000 + m) as u64);
        let mut draw = |_| {
            // The first n places of a shuffle.
            for at in 0..n {
                let other = rng.random_range(at..n + m);
                order.swap(at, other);
            }
            rank(&order, ties, (n, m), floor)
        };
        return (0..MOST_ORDERS).map(&mut draw).collect();
    }
    let mut all = Vec::new();
    loop {
        all.push(rank(&order, ties, (n, m), floor));
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

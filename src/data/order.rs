//! The order of rows in an epoch.

use std::borrow::Cow;

use indexmap::IndexSet;
use rand::Rng;

use crate::rng::{Purpose, stream};

/// The orders of the rows in an epoch.
#[derive(Debug, Clone, Default)]
pub struct Orders {
    /// The order shared by all members of the network; if members have their own orders, that of the first.
    pub shared: Vec<u32>,
    /// The order of each member, if members have their own orders; otherwise empty.
    pub own: Vec<Vec<u32>>,
}

impl Orders {
    /// The rows of the [`crate::train::Trainer::running_outputs`] for the first `positions` positions.
    pub fn of_outputs(&self, positions: usize) -> Cow<'_, [u32]> {
        if self.own.is_empty() {
            return Cow::Borrowed(&self.shared[..positions]);
        }
        Cow::Owned((0..positions).flat_map(|position| self.own.iter().map(move |order| order[position])).collect())
    }

    /// The rows of the step of `batch` rows that starts at position `first`, without duplicates.
    pub fn of_step(&self, first: usize, batch: usize) -> Vec<u32> {
        let of_order =
            |order: &'_ Vec<u32>| -> Vec<u32> { order[first.min(order.len())..].iter().copied().take(batch).collect() };
        if self.own.is_empty() {
            return of_order(&self.shared);
        }
        let rows: IndexSet<u32> = self.own.iter().flat_map(of_order).collect();
        rows.into_iter().collect()
    }
}

/// A uniform random integer below `bound`: Lemire 2019, "Fast Random Integer Generation in an Interval",
/// <https://arxiv.org/abs/1805.10941>. It is implemented here so that no new version of a crate can change the numbers.
///
/// # Panics
/// If `bound` is 0.
pub(crate) fn below(rng: &mut impl Rng, bound: u32) -> u32 {
    assert!(bound > 0, "no number is below 0");
    let mut product = u64::from(rng.next_u32()) * u64::from(bound);
    if (product as u32) < bound {
        let rejected_below = bound.wrapping_neg() % bound; // 2³² mod bound
        while (product as u32) < rejected_below {
            product = u64::from(rng.next_u32()) * u64::from(bound);
        }
    }
    (product >> 32) as u32
}

/// Shuffles `items` into a uniformly random order: Fisher & Yates in Durstenfeld's form, from the end.
pub(crate) fn shuffle<T>(items: &mut [T], rng: &mut impl Rng) {
    for last in (1..items.len()).rev() {
        items.swap(last, below(rng, last as u32 + 1) as usize);
    }
}

/// Writes the order of an epoch's rows to `out`: a permutation of `0..rows` that depends on seed and epoch alone, or
/// the original order if `shuffle_rows` is false.
///
/// # Panics
/// If `rows` does not fit 32 bits; data sets are checked for that when they are read.
pub fn epoch_order(rows: usize, seed: u64, epoch: u64, shuffle_rows: bool, out: &mut Vec<u32>) {
    member_order(rows, (seed, epoch, 0), shuffle_rows, out);
}

/// As [`epoch_order`], for a member with its own order. Member 0 has the order of [`epoch_order`].
///
/// # Panics
/// As [`epoch_order`].
pub(super) fn member_order(
    rows: usize,
    (seed, epoch, member): (u64, u64, u64),
    shuffle_rows: bool,
    out: &mut Vec<u32>,
) {
    out.clear();
    out.extend(0..u32::try_from(rows).expect("rows fit 32 bits"));
    if shuffle_rows {
        shuffle(out, &mut stream(seed, Purpose::Order, epoch, member));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(rows: usize, seed: u64, epoch: u64) -> Vec<u32> {
        let mut out = vec![99];
        epoch_order(rows, seed, epoch, true, &mut out);
        out
    }

    #[test]
    fn orders_are_permutations_of_seed_and_epoch() {
        for rows in [0, 1, 2, 3, 100] {
            let mut sorted = order(rows, 3, 1);
            sorted.sort_unstable();
            assert_eq!(sorted, (0..rows as u32).collect::<Vec<_>>());
        }
        assert_eq!(order(50, 3, 1), order(50, 3, 1));
        assert_ne!(order(50, 3, 1), order(50, 3, 2));
        assert_ne!(order(50, 3, 1), order(50, 4, 1));
        let mut out = Vec::new();
        epoch_order(3, 0, 1, false, &mut out);
        assert_eq!(out, [0, 1, 2]);
    }

    #[test]
    fn the_first_order_never_changes() {
        // Computed by an independent ChaCha8 in Python.
        assert_eq!(order(8, 0, 1), [3, 5, 4, 2, 7, 1, 6, 0]);
    }

    #[test]
    fn bounded_draws_are_even() {
        let mut rng = stream(1, Purpose::Order, 0, 0);
        let mut counts = [0u32; 6];
        (0..60_000).for_each(|_| counts[below(&mut rng, 6) as usize] += 1);
        // Five standard deviations of a binomial count: √(60000 · 1/6 · 5/6) = 91.
        assert!(counts.iter().all(|&count| count.abs_diff(10_000) < 456), "{counts:?}");
    }
}

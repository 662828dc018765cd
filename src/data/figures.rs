//! Statistics of a number column without sorting it, for `inspect`.

use std::collections::HashSet;
use std::ops::Range;

use foldhash::fast::FixedState;

use super::statistics::{error_of_mean, extremes, standard_deviation};

/// Number of partial sums, as many as a vector register has lanes.
const LANES: usize = 8;
/// Size of the sample that locates the median.
const SAMPLE: usize = 4096;
/// Distance, in ranks of the sample, between its middle and the values that bound the median: six standard errors for a
/// random sample of this size.
const MARGIN: usize = 192;
/// Number of values that are filtered into a block before they are appended.
const BLOCK: usize = 1024;
/// Largest number of distinct values that are counted in one set, which then fits into the cache.
const FEW: usize = 4096;
/// Number of parts into which values are divided if there are more distinct ones.
const PARTS: usize = 256;

/// Memory that is reused for each column.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    bits: Vec<u64>,
    seen: HashSet<u64, FixedState>,
}

/// Statistics of the values of a column that are not missing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ColumnFigures {
    pub min: f64,
    pub max: f64,
    pub mean: f64,
    /// Standard deviation of the population.
    pub sd: f64,
    /// Median; for an even number of values, the mean of the two middle ones.
    pub median: f64,
    /// Number of distinct values; 0 and −0 are equal.
    pub distinct: usize,
}

impl ColumnFigures {
    /// Statistics of finite numbers in any order; NaN is a missing value. At least one value must be present.
    pub(super) fn of(values: &[f64], scratch: &mut Scratch) -> Self {
        let (min, max) = extremes(values);
        let count = values.iter().filter(|value| !value.is_nan()).count();
        let median = median(values, count);
        if min == max {
            return Self { min, max, mean: min, sd: 0.0, median, distinct: 1 };
        }
        let mean = mean(values, count as f64).clamp(min, max);
        let variance = sum(values, |value| (value - mean) * (value - mean)) / count as f64;
        let deviations = || values.iter().filter(|value| !value.is_nan()).map(|value| value - mean);
        let sd = if variance.is_normal() { variance.sqrt() } else { standard_deviation(deviations, count as f64) };
        Self { min, max, mean, sd, median, distinct: distinct(values, scratch) }
    }
}

/// The mean of `count` values, corrected by its rounding error. If the sum overflows, values are divided before they are added.
fn mean(values: &[f64], count: f64) -> f64 {
    let first = Some(sum(values, |value| value) / count).filter(|mean| mean.is_finite());
    let first = first.unwrap_or_else(|| sum(values, |value| value / count));
    first + error_of_mean(sum(values, |value| value - first), count)
}

/// The sum of a term over the values that are not missing.
fn sum(values: &[f64], term: impl Fn(f64) -> f64) -> f64 {
    let present = |value: f64| if value.is_nan() { 0.0 } else { term(value) };
    let mut lanes = [0.0; LANES];
    let chunks = values.chunks_exact(LANES);
    let rest: f64 = chunks.remainder().iter().map(|value| present(*value)).sum();
    for chunk in chunks {
        lanes.iter_mut().zip(chunk).for_each(|(lane, value)| *lane += present(*value));
    }
    lanes.iter().sum::<f64>() + rest
}

/// The median of the `count` values that are not missing. If there are many, a sample gives bounds for the middle
/// ranks, and only the values within the bounds are partially sorted.
fn median(values: &[f64], count: usize) -> f64 {
    let ranks = (count - 1) / 2..count / 2 + 1;
    let present = || values.iter().copied().filter(|value| !value.is_nan());
    if count > SAMPLE * LANES {
        let mut sample: Vec<f64> = present().step_by(count.div_ceil(SAMPLE)).collect();
        sample.sort_unstable_by(f64::total_cmp);
        let middle = sample.len() / 2;
        let (low, high) = (sample[middle.saturating_sub(MARGIN)], sample[(middle + MARGIN).min(sample.len() - 1)]);
        let below = values.iter().filter(|value| **value < low).count();
        let within = between(values, low, high);
        if below <= ranks.start && ranks.end <= below + within.len() {
            return middle_of(within, ranks.start - below..ranks.end - below);
        }
    }
    middle_of(present().collect(), ranks)
}

/// The values within `low..=high`, in their order. There is no branch for each value, which would often be
/// mispredicted.
fn between(values: &[f64], low: f64, high: f64) -> Vec<f64> {
    let (mut within, mut block) = (Vec::new(), [0.0; BLOCK]);
    for values in values.chunks(BLOCK) {
        let mut taken = 0;
        for value in values {
            block[taken] = *value;
            taken += usize::from((low <= *value) & (*value <= high));
        }
        within.extend(&block[..taken]);
    }
    within
}

/// The mean of the values of one or two ranks.
fn middle_of(mut values: Vec<f64>, ranks: Range<usize>) -> f64 {
    let (_, &mut low, above) = values.select_nth_unstable_by(ranks.start, f64::total_cmp);
    if ranks.len() == 1 {
        return low;
    }
    let high = above.iter().copied().fold(f64::INFINITY, f64::min);
    if low == high {
        return low;
    }
    // Halved before the addition, so that the mean of two huge numbers does not overflow.
    low * 0.5 + high * 0.5
}

/// The number of distinct values that are not missing.
fn distinct(values: &[f64], Scratch { bits, seen }: &mut Scratch) -> usize {
    // Adding 0 turns −0 into 0.
    let keys = || values.iter().filter(|value| !value.is_nan()).map(|value| (value + 0.0).to_bits());
    seen.clear();
    let few = keys().all(|key| {
        seen.insert(key);
        seen.len() <= FEW
    });
    if few {
        return seen.len();
    }
    // Equal values fall into the same part, and the set of a part fits into the cache.
    let part = |key: u64| (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as usize;
    let mut ends = [0; PARTS];
    keys().for_each(|key| ends[part(key)] += 1);
    let mut total = 0;
    for end in &mut ends {
        (total, *end) = (total + *end, total);
    }
    bits.resize(total.max(bits.len()), 0);
    for key in keys() {
        let place = &mut ends[part(key)];
        bits[*place] = key;
        *place += 1;
    }
    let starts = std::iter::once(0).chain(ends);
    let of_part = |(start, end): (usize, usize)| {
        seen.clear();
        seen.extend(&bits[start..end]);
        seen.len()
    };
    starts.zip(ends).map(of_part).sum()
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::super::statistics::NumberSummary;
    use super::*;

    /// Compares the statistics with those of the sorted values. Sums may differ by rounding.
    fn check(values: &[f64], of: &str, scratch: &mut Scratch) {
        let (found, summary) = (ColumnFigures::of(values, scratch), NumberSummary::of(values.to_vec()));
        let distinct = summary.sorted().chunk_by(|a, b| a == b).count();
        assert_eq!((found.min, found.max, found.median), (summary.min(), summary.max(), summary.quantile(0.5)), "{of}");
        assert_eq!(found.distinct, distinct, "{of}");
        let close = |a: f64, b: f64| a == b || (a - b).abs() <= 1e-10 * summary.sd.max(summary.mean.abs());
        assert!(close(found.mean, summary.mean) && close(found.sd, summary.sd), "{of}: {found:?}");
    }

    #[test]
    fn figures_are_those_of_the_sorted_values() {
        let mut scratch = Scratch::default();
        for seed in 0..40 {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let rows = if seed % 4 == 0 { 200_001 } else { rng.random_range(2..60_000) };
            let levels = [2.0, 1000.0, 1e5, 1e15][(seed % 4) as usize];
            let mut values: Vec<f64> =
                (0..rows).map(|_| (rng.random::<f64>() * levels).round() - levels / 2.0).collect();
            values.extend([0.0, -0.0]);
            check(&values, &format!("seed {seed}"), &mut scratch);
            for (row, value) in values.iter_mut().enumerate() {
                *value = if row % 3 == 1 { f64::NAN } else { *value * 1e-7 };
            }
            check(&values, &format!("seed {seed} with missing values"), &mut scratch);
            values.sort_unstable_by(f64::total_cmp);
            check(&values, &format!("seed {seed}, sorted"), &mut scratch);
        }
    }

    #[test]
    fn the_median_is_right_for_an_unrepresentative_sample() {
        // Every 25th value, all of which the sample takes, is far from the others.
        let values: Vec<f64> = (0..100_000).map(|row| if row % 25 == 0 { 1e6 } else { f64::from(row) }).collect();
        check(&values, "a sample of outliers", &mut Scratch::default());
        check(&[5.0], "one value", &mut Scratch::default());
        check(&[-1e308, 1e308, f64::NAN], "huge values", &mut Scratch::default());
        check(&[1e-200, 3e-200], "tiny values", &mut Scratch::default());
        assert_eq!(ColumnFigures::of(&[5e-324, 5e-324, 1e-323], &mut Scratch::default()).median, 5e-324);
    }

    #[test]
    fn sums_neither_overflow_nor_lose_what_tells_values_apart() {
        let of = |values: &[f64]| ColumnFigures::of(values, &mut Scratch::default());
        let huge: Vec<f64> = (0..16).map(|row| if row % 2 == 0 { 1.7e308 } else { -1.7e308 }).collect();
        assert_eq!((of(&huge).mean, of(&huge).sd), (0.0, 1.7e308));
        let large = of(&[1.7e308, 1.7e308, 1e308]);
        assert!((large.mean / 1e308 - 4.4 / 3.0).abs() < 1e-12 && (large.sd / 1e307 - 3.299_831_645_5).abs() < 1e-6);
        let close: Vec<f64> = (0..200_000).map(|row| 1e12 + f64::from(row % 2)).collect();
        assert_eq!((of(&close).mean, of(&close).sd), (1e12 + 0.5, 0.5));
    }
}

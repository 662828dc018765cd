//! Whether two ways to train differ, from runs that share their seeds.

use rand::Rng;

use crate::rng::{Purpose, stream};

/// Differences that are all tried with both signs; more are tried at random.
const EXACT: usize = 16;
/// Random sign flips at most.
const FLIPS: u32 = 9_999;
/// Random flips as extreme as what was seen, after which the answer is known well enough.
const ENOUGH: u32 = 200;

/// What a paired test found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairedTest {
    /// Mean over the strata of `P(a < b) − P(a > b)`: 1 if the first is always lower, −1 if it is always higher.
    pub effect: f64,
    /// Chance of an effect at least as far from 0 if the two were exchangeable.
    pub p: f64,
}

/// Tests whether pairs of values are exchangeable, stratum by stratum; lower is better, infinity is worst.
///
/// In each stratum (a problem) the `2n` values are ranked together, ties in the middle, so that no problem counts more than
/// another and no wild value more than a bad one. The effect is the mean over the strata of
/// `Σ (rank bᵢ − rank aᵢ) / n²`, which is Cliff's `P(a < b) − P(a > b)`. If the two were exchangeable, each pair of a
/// seed could as well be the other way round: the signs of the rank differences are flipped pair by pair, and p is the
/// part of the flips with an effect at least as far from 0. With at most 16 pairs that differ all flips are made; otherwise
/// random ones are drawn until 200 are as extreme (then p = 200 / drawn) or 9,999 are drawn (then
/// p = (1 + extreme) / 10,000): Besag & Clifford 1991, "Sequential Monte Carlo p-values",
/// <https://doi.org/10.1093/biomet/78.2.301>. The flips depend on the values alone, so the same values give the same p.
///
/// # Panics
/// If the two sides of a stratum differ in length.
pub fn paired_permutation_test(strata: &[(Vec<f64>, Vec<f64>)]) -> PairedTest {
    let parts = strata.iter().filter(|(a, _)| !a.is_empty()).count() as f64;
    let mut differences = Vec::new();
    for (a, b) in strata.iter().filter(|(a, _)| !a.is_empty()) {
        assert_eq!(a.len(), b.len(), "values are paired");
        let weight = 1.0 / (parts * (a.len() * a.len()) as f64);
        let doubled = doubled_ranks(a, b);
        let (of_a, of_b) = doubled.split_at(a.len());
        differences.extend(of_a.iter().zip(of_b).map(|(a, b)| 0.5 * (b - a) * weight));
    }
    let effect = differences.iter().sum();
    differences.retain(|difference| *difference != 0.0);
    PairedTest { effect, p: sign_flip_p(&differences) }
}

/// The least p that `pairs` pairs can show, by [`paired_permutation_test`]: all of them to one side, `2 / 2ⁿ`, or the
/// least of the random flips.
pub fn smallest_p(pairs: usize) -> f64 {
    if pairs <= EXACT { (2.0 / (1_u64 << pairs) as f64).min(1.0) } else { 1.0 / f64::from(FLIPS + 1) }
}

/// Twice the mid-ranks of `a` followed by `b`, from 2 up; whole numbers.
fn doubled_ranks(a: &[f64], b: &[f64]) -> Vec<f64> {
    let values: Vec<f64> = a.iter().chain(b).copied().collect();
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|i, j| values[*i].total_cmp(&values[*j]));
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    for tied in order.chunk_by(|i, j| values[*i] == values[*j]) {
        let doubled = (2 * first + tied.len() + 1) as f64;
        tied.iter().for_each(|at| ranks[*at] = doubled);
        first += tied.len();
    }
    ranks
}

/// Two-sided p of the sum of the differences under flips of their signs.
fn sign_flip_p(differences: &[f64]) -> f64 {
    let seen: f64 = differences.iter().sum();
    // Sums that are equal in exact arithmetic may differ in their last bits.
    let bound = seen.abs() - 1e-12 * differences.iter().map(|d| d.abs()).sum::<f64>();
    let tables: Vec<[f64; 256]> = differences.chunks(8).map(sums_of_signs).collect();
    let extreme = |bits: &mut dyn FnMut() -> u64| {
        let mut sum = 0.0;
        for eight in tables.chunks(8) {
            let signs = bits();
            sum += eight.iter().enumerate().map(|(i, table)| table[(signs >> (8 * i) & 255) as usize]).sum::<f64>();
        }
        sum.abs() >= bound
    };
    if differences.len() <= EXACT {
        let all = 1_u64 << differences.len();
        let count = (0..all).filter(|signs| extreme(&mut || *signs)).count();
        return count as f64 / all as f64;
    }
    // Other values, other flips: with the same flips in all tests their luck would be the same too, and would not average
    // out over many comparisons.
    let address =
        differences.iter().fold(0, |key: u64, d| (key ^ d.abs().to_bits()).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let mut rng = stream(0, Purpose::Resampling, 0, address);
    let mut count = 0;
    for drawn in 1..=FLIPS {
        count += u32::from(extreme(&mut || rng.next_u64()));
        if count == ENOUGH {
            return f64::from(count) / f64::from(drawn);
        }
    }
    f64::from(count + 1) / f64::from(FLIPS + 1)
}

/// The sums of up to 8 numbers under all choices of signs: the ones of the index are minus.
fn sums_of_signs(numbers: &[f64]) -> [f64; 256] {
    let mut sums = [numbers.iter().sum(); 256];
    for signs in 1..256_usize {
        let number = numbers.get(signs.trailing_zeros() as usize).unwrap_or(&0.0);
        sums[signs] = sums[signs & (signs - 1)] - 2.0 * number;
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    const INF: f64 = f64::INFINITY;

    /// Expected value: SciPy 1.17, `permutation_test((d,), sum, permutation_type="samples", n_resamples=inf)`.
    #[test]
    fn sign_flips_are_scipys() {
        assert_eq!(sign_flip_p(&[0.3, -0.1, 0.7, 0.2, -0.4, 0.9, 0.25, 0.6]), 24.0 / 256.0);
    }

    /// Expected values: SciPy 1.17, `rankdata` of each stratum and `permutation_test` of the weighted differences.
    #[test]
    fn strata_count_alike() {
        let first = (vec![0.31, 0.42, 0.38, 0.35], vec![0.40, 0.41, 0.52, 0.47]);
        let second = (vec![1.5, 1.2, INF, 1.1], vec![1.6, 1.3, INF, 1.0]);
        let test = paired_permutation_test(&[first.clone(), second.clone()]);
        assert_eq!(test, PairedTest { effect: (0.75 + 0.0625) / 2.0, p: 0.171875 });
        let swapped = [(first.1, first.0), (second.1, second.0)];
        assert_eq!(paired_permutation_test(&swapped), PairedTest { effect: -test.effect, p: test.p });
    }

    #[test]
    fn equal_values_are_no_difference() {
        let values = vec![0.3, 0.1, INF, 0.2];
        let none = PairedTest { effect: 0.0, p: 1.0 };
        assert_eq!(paired_permutation_test(&[(values.clone(), values)]), none);
        assert_eq!(paired_permutation_test(&[]), none);
    }

    #[test]
    fn all_to_one_side_is_the_smallest_p() {
        for pairs in [1, 3, 9, 16, 17, 80] {
            let low: Vec<f64> = (0..pairs).map(|i| i as f64).collect();
            let high: Vec<f64> = low.iter().map(|v| v + 1000.0).collect();
            let test = paired_permutation_test(&[(low, high)]);
            assert!((test.effect - 1.0).abs() < 1e-12, "{pairs} pairs: {test:?}");
            // Of random flips some may flip all pairs or none.
            let few = if pairs <= EXACT { 0.0 } else { 5e-4 };
            assert!((smallest_p(pairs)..=smallest_p(pairs) + few).contains(&test.p), "{pairs} pairs: {test:?}");
        }
    }

    /// Random flips agree with all flips: 17 differences, one of which is next to nothing, against the other 16.
    #[test]
    fn random_flips_agree_with_all_flips() {
        let mut differences: Vec<f64> = (0..16).map(|i| f64::from(i * 7 % 16) - 5.5).collect();
        let exact = sign_flip_p(&differences);
        differences.push(1e-14);
        let random = sign_flip_p(&differences);
        // 200 extreme flips have a relative standard error of 7 %.
        assert!((random / exact - 1.0).abs() < 0.25, "{random} against {exact}");
    }
}

//! Mutual information of two columns.

use std::collections::HashMap;

/// The entropy `Σ −p·log₂ p` of counts in bits, and the number of counts that are not 0.
fn entropy(counts: impl Iterator<Item = usize>, total: usize) -> (f64, usize) {
    let mut counts: Vec<usize> = counts.filter(|count| *count > 0).collect();
    // Sorted, so that the sum does not depend on the order of the hash map.
    counts.sort_unstable();
    let term = |count: &usize| {
        let share = *count as f64 / total as f64;
        -share * share.log2()
    };
    (counts.iter().map(term).sum(), counts.len())
}

fn counts<K: std::hash::Hash + Eq>(keys: impl Iterator<Item = K>) -> HashMap<K, usize> {
    let mut counts = HashMap::new();
    keys.for_each(|key| *counts.entry(key).or_insert(0) += 1);
    counts
}

/// The information of a column about a label.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Information {
    /// Mutual information in bits, at least 0.
    pub bits: f64,
    /// Entropy of the label in bits.
    pub of: f64,
}

/// The mutual information `I(x; y) = H(x) + H(y) − H(x, y)` of two columns of codes, with the bias correction of Miller and
/// Madow 1955: `(k_x + k_y − k_xy − 1) / (2n·ln 2)` is added, where `k` are the numbers of distinct values and of distinct
/// pairs. The result is limited to `0..=H(y)`.
///
/// # Panics
/// If the columns are not equally long.
pub fn mutual_information(x: &[u32], y: &[u32]) -> Information {
    assert_eq!(x.len(), y.len(), "columns of equal length");
    let total = x.len().max(1);
    let (h_x, k_x) = entropy(counts(x.iter()).into_values(), total);
    let (h_y, k_y) = entropy(counts(y.iter()).into_values(), total);
    let (h_xy, k_xy) = entropy(counts(x.iter().zip(y)).into_values(), total);
    let correction = (k_x as f64 + k_y as f64 - k_xy as f64 - 1.0) / (2.0 * total as f64 * std::f64::consts::LN_2);
    Information { bits: (h_x + h_y - h_xy + correction).clamp(0.0, h_y), of: h_y }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_has_all_information_and_an_independent_column_none() {
        let y: Vec<u32> = (0..4000).map(|n| n % 4).collect();
        let copy: Vec<u32> = y.iter().map(|y| 7 - y).collect();
        let told = mutual_information(&copy, &y);
        assert!((told.of - 2.0).abs() < 1e-12);
        // The correction for a copy is (4 + 4 − 4 − 1) / (2 · 4000 · ln 2) bits; the sum is limited to the entropy.
        assert!((told.bits - 2.0).abs() < 1e-12, "{told:?}");
        let other: Vec<u32> = (0..4000).map(|n| n / 4 % 5).collect();
        let told = mutual_information(&other, &y);
        assert!(told.bits < 1e-12, "{told:?}");
        let half: Vec<u32> = y.iter().map(|y| y / 2).collect();
        assert!((mutual_information(&half, &y).bits - 1.0).abs() < 1e-3);
    }

    #[test]
    fn the_bias_of_few_rows_is_corrected() {
        // 20 random values in 200 rows against a random bit: without correction, the mutual information would be about 19 /
        // (2 · 200 · ln 2) = 0.07 bits.
        let mut state = 1u32;
        let mut draw = |bound: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) % bound
        };
        let (x, y): (Vec<u32>, Vec<u32>) = (0..200).map(|_| (draw(20), draw(2))).unzip();
        assert!(mutual_information(&x, &y).bits < 0.05);
    }
}

//! Edges of the bins of piecewise-linear embeddings: Gorishniy et al. 2022, <https://arxiv.org/abs/2203.05556>, section 3.2.

use rayon::prelude::*;

use super::fit::{Fit, Goals};

/// How edges are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinRule {
    /// At quantiles, so all bins have about the same number of rows.
    Quantiles,
    /// At the thresholds of a decision tree that predicts the target from this input alone.
    Tree,
}

impl BinRule {
    /// The rules by name.
    pub const NAMES: [(&'static str, BinRule); 2] = [("quantiles", BinRule::Quantiles), ("tree", BinRule::Tree)];
}

/// The edges of up to `count` bins for each of `inputs`, in ascending order; empty for an input that is constant.
pub(super) fn fit(rule: BinRule, count: usize, inputs: &[usize], rows: &Fit<'_>) -> Vec<Vec<f32>> {
    let edges = |input: &usize| {
        let values = (rows.column)(*input);
        let mut edges = match rule {
            BinRule::Quantiles => quantiles(values, count),
            BinRule::Tree => tree(&values, count, rows.targets),
        };
        edges.dedup();
        if edges.len() < 2 { Vec::new() } else { edges }
    };
    inputs.par_iter().map(edges).collect()
}

/// `count + 1` quantiles at equally spaced probabilities, linearly interpolated between values.
fn quantiles(mut values: Vec<f32>, count: usize) -> Vec<f32> {
    values.sort_by(f32::total_cmp);
    let Some(last) = values.len().checked_sub(1) else { return Vec::new() };
    let quantile = |n: usize| {
        let at = n as f64 / count as f64 * last as f64;
        let (low, high) = (values[at.floor() as usize], values[at.ceil() as usize]);
        (f64::from(low) + (f64::from(high) - f64::from(low)) * at.fract()) as f32
    };
    (0..=count).map(quantile).collect()
}

/// A leaf: a range of the sorted rows, and its best split.
struct Leaf {
    first: usize,
    end: usize,
    /// Decrease of the impurity, and the first row of the right part.
    best: Option<(f64, usize)>,
}

/// The smallest value, the largest value, and the thresholds of a tree of up to `count` leaves, sorted. The tree is grown
/// best first: it splits the leaf whose impurity decreases most. The impurity is the variance of numbers or the Gini
/// impurity of classes, times the number of rows.
fn tree(values: &[f32], count: usize, goals: Goals<'_>) -> Vec<f32> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]).then(a.cmp(b)));
    let sorted: Vec<f32> = order.iter().map(|row| values[*row]).collect();
    let (Some(first), Some(last)) = (sorted.first(), sorted.last()) else { return Vec::new() };
    let leaf = |first: usize, end: usize| Leaf { first, end, best: best_split(&sorted, &order, (first, end), goals) };
    let mut leaves = vec![leaf(0, sorted.len())];
    let mut edges = vec![*first, *last];
    while leaves.len() < count {
        let gain = |leaf: &Leaf| leaf.best.map_or(0.0, |(gain, _)| gain);
        let Some(number) =
            (0..leaves.len()).max_by(|a, b| gain(&leaves[*a]).total_cmp(&gain(&leaves[*b])).then(b.cmp(a)))
        else {
            break;
        };
        let Some((_, at)) = leaves[number].best else { break };
        edges.push(((f64::from(sorted[at - 1]) + f64::from(sorted[at])) / 2.0) as f32);
        let right = leaf(at, leaves[number].end);
        leaves[number] = leaf(leaves[number].first, at);
        leaves.push(right);
    }
    edges.sort_by(f32::total_cmp);
    edges
}

/// Sums over rows: of each target, or the number of rows of each class.
fn sums(goals: Goals<'_>, rows: &[usize], sums: &mut Vec<f64>) {
    sums.clear();
    sums.resize(
        match goals {
            Goals::Classes { classes, .. } => classes,
            Goals::Values { cols, .. } => cols,
        },
        0.0,
    );
    rows.iter().for_each(|row| take(goals, *row, 1.0, sums));
}

/// Adds `times` times a row to `sums`.
fn take(goals: Goals<'_>, row: usize, times: f64, sums: &mut [f64]) {
    match goals {
        Goals::Classes { labels, .. } => sums[labels[row] as usize] += times,
        Goals::Values { values, cols } => {
            let own = &values[row * cols..(row + 1) * cols];
            sums.iter_mut().zip(own).for_each(|(sum, v)| *sum += times * f64::from(*v));
        }
    }
}

/// The part of the negative impurity, times the number of rows, that a split changes: `Σ s² / n`.
fn purity(sums: &[f64], rows: usize) -> f64 {
    sums.iter().map(|s| s * s).sum::<f64>() / rows as f64
}

/// The best split of a leaf. A split lies between two different values; of equally good ones the first is taken.
fn best_split(sorted: &[f32], order: &[usize], (first, end): (usize, usize), goals: Goals<'_>) -> Option<(f64, usize)> {
    let (mut left, mut right) = (Vec::new(), Vec::new());
    sums(goals, &order[first..end], &mut right);
    sums(goals, &[], &mut left);
    let whole = purity(&right, end - first);
    let mut best: Option<(f64, usize)> = None;
    for at in first + 1..end {
        take(goals, order[at - 1], 1.0, &mut left);
        take(goals, order[at - 1], -1.0, &mut right);
        if sorted[at - 1] < sorted[at] {
            let gain = purity(&left, at - first) + purity(&right, end - at) - whole;
            if gain > 1e-12 * whole.abs().max(f64::MIN_POSITIVE) && best.is_none_or(|(most, _)| gain > most) {
                best = Some((gain, at));
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_interpolated_and_repeated_edges_are_merged() {
        let values: Vec<f32> = [4.0, 1.0, 2.0, 3.0, 5.0].to_vec();
        assert_eq!(quantiles(values, 8), [1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0]);
        let rows = |values: &'static [f32]| {
            let column = move |_: usize| values.to_vec();
            let targets = Goals::Values { values, cols: 1 };
            fit(BinRule::Quantiles, 4, &[0], &Fit { numbers: &[0], column: &column, targets }).remove(0)
        };
        assert_eq!(rows(&[0.0, 0.0, 0.0, 0.0, 1.0]), [0.0, 1.0]);
        assert!(rows(&[2.0, 2.0]).is_empty());
    }

    /// Holds for numeric targets and for classes; a constant target causes no split.
    #[test]
    fn a_tree_splits_where_the_target_changes() {
        let values: Vec<f32> = (0..20).map(|n| n as f32).collect();
        let numbers: Vec<f32> = values
            .iter()
            .map(|x| {
                if *x < 7.0 {
                    0.0
                } else if *x < 15.0 {
                    5.0
                } else {
                    6.0
                }
            })
            .collect();
        let labels: Vec<u32> = numbers.iter().map(|x| *x as u32 / 3).collect();
        let by_numbers = Goals::Values { values: &numbers, cols: 1 };
        assert_eq!(tree(&values, 2, by_numbers), [0.0, 6.5, 19.0]);
        assert_eq!(tree(&values, 9, by_numbers), [0.0, 6.5, 14.5, 19.0]);
        let by_class = Goals::Classes { labels: &labels, classes: 3 };
        assert_eq!(tree(&values, 9, by_class), [0.0, 6.5, 14.5, 19.0]);
        assert_eq!(tree(&values, 9, Goals::Values { values: &[3.0; 20], cols: 1 }), [0.0, 19.0]);
    }
}

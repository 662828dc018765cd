//! Where the pieces of piecewise-linear embeddings meet: Gorishniy et al. 2022, <https://arxiv.org/abs/2203.05556>, section 3.2.

use rayon::prelude::*;

use super::fit::{Fit, Goals};

/// How bins are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinRule {
    /// Each bin has about as many rows.
    Quantiles,
    /// The leaves of a decision tree of the input alone, which says what is to be learnt.
    Tree,
}

impl BinRule {
    /// The rules by name.
    pub const NAMES: [(&'static str, BinRule); 2] = [("quantiles", BinRule::Quantiles), ("tree", BinRule::Tree)];
}

/// The edges of up to `count` bins for each of `inputs`, rising; none for an input that is the same in all rows.
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

/// `count + 1` quantiles at equal distances, interpolated between values.
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

/// Rows of a leaf, and where it is best split.
struct Leaf {
    first: usize,
    end: usize,
    /// Fall of the impurity, and the first row of the right part.
    best: Option<(f64, usize)>,
}

/// The smallest and the largest value, and between them the thresholds of a tree of up to `count` leaves that splits, again and
/// again, where the impurity falls most: the variance of numbers, the Gini impurity of classes, both times the rows.
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

/// Sums over the rows of a leaf: of each target, or of the rows of each class.
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

/// Adds a row to sums, so many times.
fn take(goals: Goals<'_>, row: usize, times: f64, sums: &mut [f64]) {
    match goals {
        Goals::Classes { labels, .. } => sums[labels[row] as usize] += times,
        Goals::Values { values, cols } => {
            let own = &values[row * cols..(row + 1) * cols];
            sums.iter_mut().zip(own).for_each(|(sum, v)| *sum += times * f64::from(*v));
        }
    }
}

/// The part of the impurity, times the rows, that a split changes, with its sign turned: `Σ s² / n`.
fn purity(sums: &[f64], rows: usize) -> f64 {
    sums.iter().map(|s| s * s).sum::<f64>() / rows as f64
}

/// Where a leaf is best split: between two different values, the first of equally good places.
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
    fn quantiles_are_interpolated_and_equal_ones_are_one() {
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

    /// A step of the target is found whether it is a number or a class; a target that never changes splits nothing.
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

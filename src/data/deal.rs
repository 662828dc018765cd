//! Assigns the rows of a file to parts and to folds, as the options require.

use super::options::DataOptions;
use super::split::{Split, SplitKeys, deal_folds, split};
use super::written::{FoldCount, PartFrom, SplitMode};
use crate::option_text::option;
use crate::{Error, Result};

/// Assigns the rows of the training file to the parts.
///
/// # Errors
/// [`Error::Mismatch`] if no row remains for training.
pub(super) fn deal(
    rows: &[u32],
    labels: Option<&[u32]>,
    keys: Option<&SplitKeys>,
    options: &DataOptions,
    seed: u64,
) -> Result<Split> {
    let fraction = |part: &PartFrom| if let PartFrom::Fraction(fraction) = part { *fraction } else { 0.0 };
    let labels = labels.filter(|_| options.split == SplitMode::Stratified);
    let test = options.test.as_ref().map_or(0.0, fraction);
    let val = fraction(&options.valid);
    let split = match keys {
        None => split(rows, labels, val, test, seed),
        Some(keys) => keys.split(rows, val, test, seed),
    };
    if split.train.is_empty() {
        return Err(Error::Mismatch(format!(
            "no row of {} is left for training: make {} and {} smaller",
            rows.len(),
            option("valid"),
            option("test")
        )));
    }
    Ok(split)
}

/// A fold: its training rows and its validation rows, each in ascending order.
pub(super) type FoldRows = (Vec<u32>, Vec<u32>);

/// Assigns the training rows of a split to folds. `classes` are those of `rows`, which are in ascending order.
pub(super) fn folds_of(
    split: &Split,
    (rows, classes, keys): (&[u32], Option<&[u32]>, Option<&SplitKeys>),
    options: &DataOptions,
    seed: u64,
    FoldCount { folds: count, repeats }: FoldCount,
) -> Result<Vec<FoldRows>> {
    if split.train.len() < count {
        let found = split.train.len();
        return Err(Error::Mismatch(format!("expected {count} rows at least, found {found}")).of_value("cv", count));
    }
    let class_of = |classes: &[u32], row: &u32| classes[rows.binary_search(row).expect("a row of the file")];
    let classes: Option<Vec<u32>> = classes
        .filter(|_| options.split == SplitMode::Stratified)
        .map(|classes| split.train.iter().map(|row| class_of(classes, row)).collect());
    if repeats > 1 && matches!(keys, Some(SplitKeys::Times(_))) {
        let message = format!("times can be dealt to folds in one way only: leave out x{repeats}");
        return Err(Error::Mismatch(message).of_value("cv", format_args!("{count}x{repeats}")));
    }
    let deal = |repeat: usize| {
        let seed = seed.wrapping_add((repeat as u64).wrapping_mul(NEXT_SEED));
        match keys {
            Some(keys) => keys.folds(&split.train, rows, count, seed),
            None => Ok(with_others(deal_folds(&split.train, classes.as_deref(), count, seed))),
        }
    };
    Ok((0..repeats).map(deal).collect::<Result<Vec<_>>>()?.concat())
}

/// Difference of the seeds of two repetitions: 2⁶⁴ divided by the golden ratio. It is odd, so no seed repeats.
const NEXT_SEED: u64 = 0x9e37_79b9_7f4a_7c15;

/// Adds to each fold the rows of all other folds, as its training rows.
fn with_others(folds: Vec<Vec<u32>>) -> Vec<FoldRows> {
    let others = |number: usize| {
        let others = folds.iter().enumerate().filter(|(other, _)| *other != number);
        let mut train: Vec<u32> = others.flat_map(|(_, rows)| rows.iter().copied()).collect();
        train.sort_unstable();
        train
    };
    (0..folds.len()).map(|number| (others(number), folds[number].clone())).collect()
}

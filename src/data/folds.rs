//! Data read once and prepared for every fold of a cross-validation.

use super::image::TypedImages;
use super::options::DataOptions;
use super::prepare::Loaded;
use super::prepared::{Prepared, deal};
use super::split::{Split, SplitKeys, deal_folds};
use super::tables::TypedTable;
use super::written::{PartFrom, SplitMode};
use crate::{Error, Result};

/// The rows that are not in the test part, dealt to folds. Nothing is fitted yet: each fold has a preprocessing of its own.
pub struct Folds {
    raw: Raw,
    folds: Vec<Fold>,
    options: DataOptions,
    seed: u64,
}

/// Rows of a fold, ascending: those that are learnt from, and those that are judged on.
pub(super) type Fold = (Vec<u32>, Vec<u32>);

enum Raw {
    Table(Box<TypedTable>),
    Images(Box<TypedImages>),
}

/// Reads data for a `count`-fold cross-validation: all rows prepared as [`super::prepare()`] does it without a validation part,
/// and the folds of what is not in the test part. With classes each fold gets each class in its proportion, to within one
/// row, unless the options deal at random. What goes where depends on `seed` and the rows' classes alone.
///
/// # Errors
/// As [`super::prepare()`], and [`Error::Mismatch`] where there are fewer rows than folds.
///
/// # Panics
/// If `count` is below 2.
pub fn prepare_folds(options: &DataOptions, seed: u64, count: usize) -> Result<(Prepared, Folds)> {
    assert!(count >= 2, "a cross-validation has two folds or more");
    let options = DataOptions { valid: PartFrom::None, ..options.clone() };
    let (whole, raw, folds) = match Loaded::read(&options)? {
        Loaded::Images(images, others) => {
            let split = deal(&images.rows(), Some(&images.labels), None, &options, seed)?;
            let folds = folds_of(&split, (&images.rows(), Some(&images.labels), None), &options, seed, count)?;
            let whole = images.clone().prepare(split, others, &options, seed)?;
            (whole, Raw::Images(images), folds)
        }
        Loaded::Table(table, files) => {
            let split = table.deal(&options, seed)?;
            let folds = table.folds(&split, &options, seed, count)?;
            let whole = table.prepare(split, files, &options, seed)?;
            (whole, Raw::Table(table), folds)
        }
    };
    // The test part belongs to the whole alone.
    let options = DataOptions { test: None, ..options };
    Ok((whole, Folds { raw, folds, options, seed }))
}

/// Deals the training rows of a split to folds; `classes` go with `rows`, which are ascending.
pub(super) fn folds_of(
    split: &Split,
    (rows, classes, keys): (&[u32], Option<&[u32]>, Option<&SplitKeys>),
    options: &DataOptions,
    seed: u64,
    count: usize,
) -> Result<Vec<Fold>> {
    if split.train.len() < count {
        let found = split.train.len();
        return Err(Error::Mismatch(format!("--cv {count} needs {count} rows at least, found {found}")));
    }
    let class_of = |classes: &[u32], row: &u32| classes[rows.binary_search(row).expect("a row of the file")];
    let classes: Option<Vec<u32>> = classes
        .filter(|_| options.split == SplitMode::Stratified)
        .map(|classes| split.train.iter().map(|row| class_of(classes, row)).collect());
    if let Some(keys) = keys {
        return keys.folds(&split.train, rows, count, seed);
    }
    let folds = deal_folds(&split.train, classes.as_deref(), count, seed);
    let others = |number: usize| {
        let others = folds.iter().enumerate().filter(|(other, _)| *other != number);
        let mut train: Vec<u32> = others.flat_map(|(_, rows)| rows.iter().copied()).collect();
        train.sort_unstable();
        train
    };
    Ok((0..count).map(|number| (others(number), folds[number].clone())).collect())
}

impl Folds {
    /// How many there are.
    #[allow(clippy::len_without_is_empty, reason = "there are always two or more")]
    pub fn len(&self) -> usize {
        self.folds.len()
    }

    /// The data of one fold, counted from 0: its rows are the validation part, those of the others are learnt from, and the
    /// preprocessing is fitted to the latter alone. There is no test part.
    ///
    /// # Errors
    /// As fitting a preprocessing.
    ///
    /// # Panics
    /// If there is no such fold.
    pub fn prepare(&self, number: usize) -> Result<Prepared> {
        let (train, val) = self.folds[number].clone();
        let split = Split { train, val, test: Vec::new() };
        match &self.raw {
            Raw::Table(table) => table.prepare(split, (None, None), &self.options, self.seed),
            Raw::Images(images) => (**images).clone().prepare(split, (None, None), &self.options, self.seed),
        }
    }
}

//! Data that are read once and prepared for each fold of a cross-validation.

use super::deal::{FoldRows, deal, folds_of};
use super::image::TypedImages;
use super::options::DataOptions;
use super::prepare::{Loaded, LoadedContents};
use super::prepared::Prepared;
use super::preprocess::Preprocessing;
use super::split::Split;
use super::tables::TypedTable;
use super::written::{FoldCount, PartFrom};
use crate::Result;

/// The rows outside the test part, assigned to folds. Nothing is fitted yet: each fold has its own preprocessing.
pub struct Folds {
    pub(super) raw: FoldSource,
    pub(super) folds: Vec<FoldRows>,
    /// The assigned rows, in ascending order.
    pub(super) rows: Vec<u32>,
    pub(super) count: FoldCount,
    pub(super) options: DataOptions,
    pub(super) seed: u64,
}

pub(super) enum FoldSource {
    Table(Box<TypedTable>),
    Images(Box<TypedImages>),
}

/// Reads data for a cross-validation and prepares them as in [`Loaded::prepare_folds`].
///
/// # Errors
/// As [`super::prepare()`], and [`crate::Error::Option`] if there are fewer rows than folds.
///
/// # Panics
/// If there are fewer than 2 folds.
pub fn prepare_folds(options: &DataOptions, seed: u64, count: FoldCount) -> Result<(Prepared, Folds)> {
    let options = DataOptions { valid: PartFrom::None, ..options.clone() };
    Loaded::read(&options)?.prepare_folds(&options, seed, count)
}

impl Loaded {
    /// Prepares all rows as [`Loaded::prepare`] does without a validation part, and assigns the rows outside the test
    /// part to folds. Unless the options request a random split, folds are stratified: each has its proportion of each
    /// class to within one row. The assignment depends on `seed`, the classes of the rows and the split column alone.
    ///
    /// # Errors
    /// As [`super::prepare()`], and [`crate::Error::Option`] if there are fewer rows than folds.
    ///
    /// # Panics
    /// If there are fewer than 2 folds.
    pub fn prepare_folds(self, options: &DataOptions, seed: u64, count: FoldCount) -> Result<(Prepared, Folds)> {
        assert!(count.folds >= 2, "a cross-validation has two folds or more");
        let options = DataOptions { valid: PartFrom::None, ..options.clone() };
        let (whole, raw, folds) = match self.0 {
            LoadedContents::Images(images, others) => {
                let split = deal(&images.rows(), Some(&images.labels), None, &options, seed)?;
                let folds = folds_of(&split, (&images.rows(), Some(&images.labels), None), &options, seed, count)?;
                let whole = images.clone().prepare(split, others, &options, seed)?;
                (whole, FoldSource::Images(images), folds)
            }
            LoadedContents::Table(table, files) => {
                let split = table.deal(&options, seed)?;
                let folds = table.folds(&split, &options, seed, count)?;
                let whole = table.prepare(split, files, (&options, seed), None)?;
                (whole, FoldSource::Table(table), folds)
            }
        };
        // Only the preparation of all rows has a test part.
        let options = DataOptions { test: None, ..options };
        let rows = whole.split.train.clone();
        Ok((whole, Folds { raw, folds, rows, count, options, seed }))
    }
}

impl Folds {
    /// Number of folds, of all repetitions together.
    #[allow(clippy::len_without_is_empty, reason = "there are always two or more")]
    pub fn len(&self) -> usize {
        self.folds.len()
    }

    /// Number of folds of a repetition, and number of repetitions.
    pub fn count(&self) -> FoldCount {
        self.count
    }

    /// The repetition that a fold belongs to. Both count from 0.
    pub fn repeat_of(&self, number: usize) -> usize {
        number / self.count.folds
    }

    /// The data of one fold, counted from 0. Its rows are the validation part, the rows of the other folds the training
    /// part. The preprocessing is fitted to the training part. There is no test part.
    ///
    /// # Errors
    /// Those of fitting a preprocessing.
    ///
    /// # Panics
    /// If the fold does not exist.
    pub fn prepare(&self, number: usize) -> Result<Prepared> {
        self.prepare_by(number, None)
    }

    /// As [`Folds::prepare`], with a preprocessing that is already fitted, such as the one shared by the networks of an
    /// ensemble.
    ///
    /// # Errors
    /// Those of applying it.
    ///
    /// # Panics
    /// If the fold does not exist.
    pub fn prepare_with(&self, number: usize, preprocessing: &Preprocessing) -> Result<Prepared> {
        self.prepare_by(number, Some(preprocessing))
    }

    fn prepare_by(&self, number: usize, preprocessing: Option<&Preprocessing>) -> Result<Prepared> {
        let (train, val) = self.folds[number].clone();
        self.prepare_split(Split { train, val, test: Vec::new() }, preprocessing)
    }

    pub(super) fn prepare_split(&self, split: Split, preprocessing: Option<&Preprocessing>) -> Result<Prepared> {
        let fitted = match preprocessing {
            Some(Preprocessing::Table(table)) => Some(table),
            _ => None,
        };
        match &self.raw {
            FoldSource::Table(table) => table.prepare(split, (None, None), (&self.options, self.seed), fitted),
            FoldSource::Images(images) => (**images).clone().prepare(split, (None, None), &self.options, self.seed),
        }
    }
}

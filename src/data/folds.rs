//! Data read once and prepared for every fold of a cross-validation.

use super::deal::{Fold, deal, folds_of};
use super::image::TypedImages;
use super::options::DataOptions;
use super::prepare::{Contents, Loaded};
use super::prepared::Prepared;
use super::preprocess::Preprocessing;
use super::split::Split;
use super::tables::TypedTable;
use super::written::{FoldCount, PartFrom};
use crate::Result;

/// The rows that are not in the test part, dealt to folds. Nothing is fitted yet: each fold has a preprocessing of its own.
pub struct Folds {
    pub(super) raw: Raw,
    pub(super) folds: Vec<Fold>,
    /// The rows that were dealt, rising.
    pub(super) rows: Vec<u32>,
    pub(super) count: FoldCount,
    pub(super) options: DataOptions,
    pub(super) seed: u64,
}

pub(super) enum Raw {
    Table(Box<TypedTable>),
    Images(Box<TypedImages>),
}

/// Reads data for a cross-validation, and prepares them as [`Loaded::prepare_folds`] does.
///
/// # Errors
/// As [`super::prepare()`], and [`crate::Error::Mismatch`] where there are fewer rows than folds.
///
/// # Panics
/// If there are fewer than 2 folds.
pub fn prepare_folds(options: &DataOptions, seed: u64, count: FoldCount) -> Result<(Prepared, Folds)> {
    let options = DataOptions { valid: PartFrom::None, ..options.clone() };
    Loaded::read(&options)?.prepare_folds(&options, seed, count)
}

impl Loaded {
    /// All rows prepared as [`Loaded::prepare`] does it without a validation part, and the folds of what is not in the test
    /// part. With classes each fold gets each class in its proportion, to within one row, unless the options deal at random.
    /// What goes where depends on `seed` and the rows' classes alone.
    ///
    /// # Errors
    /// As [`super::prepare()`], and [`crate::Error::Mismatch`] where there are fewer rows than folds.
    ///
    /// # Panics
    /// If there are fewer than 2 folds.
    pub fn prepare_folds(self, options: &DataOptions, seed: u64, count: FoldCount) -> Result<(Prepared, Folds)> {
        assert!(count.folds >= 2, "a cross-validation has two folds or more");
        let options = DataOptions { valid: PartFrom::None, ..options.clone() };
        let (whole, raw, folds) = match self.0 {
            Contents::Images(images, others) => {
                let split = deal(&images.rows(), Some(&images.labels), None, &options, seed)?;
                let folds = folds_of(&split, (&images.rows(), Some(&images.labels), None), &options, seed, count)?;
                let whole = images.clone().prepare(split, others, &options, seed)?;
                (whole, Raw::Images(images), folds)
            }
            Contents::Table(table, files) => {
                let split = table.deal(&options, seed)?;
                let folds = table.folds(&split, &options, seed, count)?;
                let whole = table.prepare(split, files, (&options, seed), None)?;
                (whole, Raw::Table(table), folds)
            }
        };
        // The test part belongs to the whole alone.
        let options = DataOptions { test: None, ..options };
        let rows = whole.split.train.clone();
        Ok((whole, Folds { raw, folds, rows, count, options, seed }))
    }
}

impl Folds {
    /// How many there are.
    #[allow(clippy::len_without_is_empty, reason = "there are always two or more")]
    pub fn len(&self) -> usize {
        self.folds.len()
    }

    /// How often the rows were dealt to how many folds.
    pub fn count(&self) -> FoldCount {
        self.count
    }

    /// The deal that a fold is of, both counted from 0.
    pub fn repeat_of(&self, number: usize) -> usize {
        number / self.count.folds
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
        self.prepare_by(number, None)
    }

    /// The same by a preprocessing that is fitted already, which the networks of an ensemble share.
    ///
    /// # Errors
    /// As applying it.
    ///
    /// # Panics
    /// If there is no such fold.
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
            Raw::Table(table) => table.prepare(split, (None, None), (&self.options, self.seed), fitted),
            Raw::Images(images) => (**images).clone().prepare(split, (None, None), &self.options, self.seed),
        }
    }
}

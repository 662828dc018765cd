//! A table prepared in several ways at once, with the inputs of all of them next to each other.

use std::ops::Range;

use super::dataset::Dataset;
use super::folds::{FoldSource, Folds};
use super::options::DataOptions;
use super::prepare::{Loaded, LoadedContents};
use super::prepared::Prepared;
use super::preprocess::{Preprocessing, TablePreprocessing};
use super::split::Split;
use super::strangers::Strangers;
use super::written::{FoldCount, PartFrom};
use crate::option_text::setting;
use crate::{Error, Result};

/// One of several ways to prepare a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Way {
    /// The preprocessing, fitted to the training rows.
    pub preprocessing: Preprocessing,
    /// The range of its inputs among the inputs of all ways.
    pub inputs: Range<usize>,
}

/// A table prepared in several ways.
pub struct Joint {
    /// The inputs of all ways; equal ones are stored once. A column has one feature for each distinct way.
    pub prepared: Prepared,
    /// The ways, in the order of their options.
    pub ways: Vec<Way>,
    /// The training rows, assigned to folds.
    pub folds: Folds,
}

impl Loaded {
    /// Prepares a table according to each of several options, which may differ in scaling and coding only. All use the
    /// same parts. There is no validation part other than the folds.
    ///
    /// # Errors
    /// As [`Loaded::prepare_folds`], and [`Error::Option`] for images.
    ///
    /// # Panics
    /// If there are no options, or fewer than two folds.
    pub fn prepare_jointly(self, options: &[&DataOptions], seed: u64, count: FoldCount) -> Result<Joint> {
        assert!(count.folds >= 2, "a cross-validation has two folds or more");
        let LoadedContents::Table(table, files) = self.0 else {
            let message = format!("it is for tables: images get {}", setting("preset", "plain"));
            return Err(Error::Mismatch(message).of_value("preset", "best"));
        };
        let first = DataOptions { valid: PartFrom::None, ..options[0].clone() };
        let split = table.deal(&first, seed)?;
        let folds = table.folds(&split, &first, seed, count)?;
        let (mut fitted, mut warnings) = (Vec::new(), Vec::new());
        for (number, options) in options.iter().enumerate() {
            let mut said = Vec::new();
            fitted.push(table.fit(&split.train, (options, seed), &mut said)?);
            if number == 0 {
                warnings = said;
            }
        }
        let (preprocessing, ways) = joined(fitted);
        let mut prepared = table.prepare(split, files, (&first, seed), Some(&preprocessing))?;
        prepared.warnings.extend(warnings);
        let options = DataOptions { test: None, ..first };
        let rows = prepared.split.train.clone();
        Ok(Joint { prepared, ways, folds: Folds { raw: FoldSource::Table(table), folds, rows, count, options, seed } })
    }
}

/// Joins several preprocessings of one table, and returns the range of each one's inputs.
fn joined(fitted: Vec<TablePreprocessing>) -> (TablePreprocessing, Vec<Way>) {
    let mut all = TablePreprocessing { features: Vec::new(), ..fitted[0].clone() };
    let mut ways: Vec<(Way, Vec<_>)> = Vec::new();
    for one in fitted {
        let known = ways.iter().find(|(_, features)| *features == one.features).map(|(way, _)| way.inputs.clone());
        let inputs = known.unwrap_or_else(|| {
            let first = all.inputs();
            all.features.extend(one.features.iter().cloned());
            first..all.inputs()
        });
        let features = one.features.clone();
        ways.push((Way { preprocessing: Preprocessing::Table(one), inputs }, features));
    }
    (all, ways.into_iter().map(|(way, _)| way).collect())
}

impl Prepared {
    /// The same rows with the inputs of one of the joined ways.
    pub fn of_way(&self, way: &Way) -> Prepared {
        self.with(way.preprocessing.clone(), std::slice::from_ref(&way.inputs))
    }

    /// The same rows with the inputs of some of the joined ways, and these ways with their new ranges.
    pub fn of_ways(&self, ways: &[&Way]) -> (Prepared, Vec<Way>) {
        let tables = ways.iter().filter_map(|way| match &way.preprocessing {
            Preprocessing::Table(table) => Some(table.clone()),
            Preprocessing::Images(_) => None,
        });
        let (preprocessing, places) = joined(tables.collect());
        let mut ranges: Vec<Range<usize>> = Vec::new();
        for way in ways {
            if !ranges.contains(&way.inputs) {
                ranges.push(way.inputs.clone());
            }
        }
        (self.with(Preprocessing::Table(preprocessing), &ranges), places)
    }

    fn with(&self, preprocessing: Preprocessing, ranges: &[Range<usize>]) -> Prepared {
        let dataset = |data: &Dataset| Dataset { features: data.features.inputs(ranges), ..data.clone() };
        let strangers = |rows: &Strangers| Strangers { features: rows.features.inputs(ranges), ..rows.clone() };
        Prepared {
            preprocessing,
            train: dataset(&self.train),
            plain_train: self.plain_train.as_ref().map(dataset),
            val: self.val.as_ref().map(dataset),
            test: self.test.as_ref().map(dataset),
            val_strangers: self.val_strangers.as_ref().map(strangers),
            test_strangers: self.test_strangers.as_ref().map(strangers),
            split: self.split.clone(),
            decided: self.decided.clone(),
            notes: self.notes.clone(),
            warnings: self.warnings.clone(),
        }
    }
}

impl Folds {
    /// All rows of the folds as a training part, prepared by a preprocessing that is already fitted.
    ///
    /// # Errors
    /// Those of applying it.
    pub fn prepare_all_with(&self, preprocessing: &Preprocessing) -> Result<Prepared> {
        let split = Split { train: self.rows.clone(), val: Vec::new(), test: Vec::new() };
        self.prepare_split(split, Some(preprocessing))
    }

    /// Positions of a fold's validation rows among the training rows.
    ///
    /// # Panics
    /// If the fold does not exist.
    pub fn places(&self, number: usize) -> Vec<usize> {
        let place = |row: &u32| self.rows.binary_search(row).expect("a fold is of the training rows");
        self.folds[number].1.iter().map(place).collect()
    }
}

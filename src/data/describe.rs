//! Schema and statistics of a data file.

use std::path::Path;

use rayon::prelude::*;
use serde::Serialize;

use super::feature::Summary;
use super::idx::Images;
use super::input::Input;
use super::options::ReadOptions;
use super::read::Contents;
use super::source::Source;
use super::table::{Column, MISSING, Table, format_number};
use crate::Result;

/// What a data file holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Description {
    /// The file.
    pub path: String,
    /// `table` or `images`.
    pub kind: &'static str,
    /// Number of rows or images.
    pub rows: usize,
    /// Shape of one image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shape: Option<Vec<usize>>,
    /// The columns; of images the pixels (as one) and the label.
    pub columns: Vec<ColumnDescription>,
    /// The test set of a folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<Box<Description>>,
}

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColumnDescription {
    /// Its name.
    pub name: String,
    /// Rows without a value.
    pub missing: usize,
    /// Different values, missing ones left out.
    pub distinct: usize,
    /// What the values are like.
    #[serde(flatten)]
    pub statistics: Statistics,
}

/// Statistics of the values that are there.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Statistics {
    /// Of numbers.
    Number {
        /// Smallest.
        min: f64,
        /// Largest.
        max: f64,
        /// Mean.
        mean: f64,
        /// Standard deviation of the population.
        sd: f64,
        /// Median.
        median: f64,
    },
    /// Of text, and of labels.
    Text {
        /// The most frequent levels with their numbers of rows; of equally frequent ones the first by bytes.
        top: Vec<(String, usize)>,
    },
    /// Of a column without a value.
    Empty,
}

/// Levels that are listed.
const TOP_LEVELS: usize = 10;

/// Reads a file and describes it.
///
/// # Errors
/// As reading it for training.
pub fn describe(source: &Source, options: &ReadOptions) -> Result<Description> {
    Ok(match Input::open(source)?.read(options)? {
        (Contents::Table(table), _) => describe_table(&table),
        (Contents::Images(images), test) => {
            let mut described = describe_images(&images);
            described.path = source.name().display().to_string();
            described.test = test.map(|test| Box::new(describe_images(&test)));
            described
        }
    })
}

fn written(path: &Path) -> String {
    path.display().to_string()
}

fn describe_table(table: &Table) -> Description {
    let columns = table.names.par_iter().zip(&table.columns).map(|(name, column)| describe_column(name, column));
    let (path, rows, columns) = (written(&table.path), table.rows(), columns.collect());
    Description { path, kind: "table", rows, shape: None, columns, test: None }
}

fn describe_column(name: &str, column: &Column) -> ColumnDescription {
    let missing = column.missing();
    let (distinct, statistics) = match column {
        _ if missing == column.rows() => (0, Statistics::Empty),
        Column::Numbers(values) => describe_numbers(values.clone()),
        Column::Text { codes, levels } => {
            let mut counts: Vec<(String, usize)> = levels.iter().map(|level| (level.clone(), 0)).collect();
            codes.iter().filter(|&&code| code != MISSING).for_each(|&code| counts[code as usize].1 += 1);
            (levels.len(), top(counts))
        }
    };
    ColumnDescription { name: name.to_owned(), missing, distinct, statistics }
}

fn describe_numbers(values: Vec<f64>) -> (usize, Statistics) {
    let summary = Summary::of(values);
    let sorted = summary.sorted();
    let (min, max) = (sorted[0], sorted[sorted.len() - 1]);
    let median = summary.quantile(0.5);
    let distinct = sorted.chunk_by(|a, b| a == b).count();
    (distinct, Statistics::Number { min, max, mean: summary.mean, sd: summary.sd, median })
}

fn top(mut counts: Vec<(String, usize)>) -> Statistics {
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts.truncate(TOP_LEVELS);
    Statistics::Text { top: counts }
}

fn describe_images(images: &Images) -> Description {
    let mut columns = vec![ColumnDescription {
        name: "pixels".to_owned(),
        missing: 0,
        distinct: histogram(&images.bytes).iter().filter(|&&count| count > 0).count(),
        statistics: pixel_statistics(&images.bytes),
    }];
    if let Some(labels) = &images.labels {
        let counts: Vec<(String, usize)> = histogram(labels)
            .into_iter()
            .enumerate()
            .filter(|(_, count)| *count > 0)
            .map(|(label, count)| (format_number(label as f64), count))
            .collect();
        let distinct = counts.len();
        columns.push(ColumnDescription { name: "label".to_owned(), missing: 0, distinct, statistics: top(counts) });
    }
    let (path, shape) = (written(&images.path), Some(images.shape.clone()));
    Description { path, kind: "images", rows: images.rows(), shape, columns, test: None }
}

fn histogram(bytes: &[u8]) -> [usize; 256] {
    let mut counts = [0; 256];
    bytes.iter().for_each(|&byte| counts[usize::from(byte)] += 1);
    counts
}

/// Statistics of bytes by their histogram: the same as of the numbers, without a copy of them.
fn pixel_statistics(bytes: &[u8]) -> Statistics {
    let counts = histogram(bytes);
    let total = bytes.len() as f64;
    let weighted = |term: &dyn Fn(f64) -> f64| -> f64 {
        counts.iter().enumerate().map(|(value, &count)| term(value as f64) * count as f64).sum::<f64>() / total
    };
    let mean = weighted(&|value| value);
    let sd = weighted(&|value| (value - mean) * (value - mean)).sqrt();
    let nth = |n: usize| {
        let mut seen = 0;
        counts.iter().position(|&count| {
            seen += count;
            seen > n
        })
    };
    let at = |n: usize| nth(n).unwrap_or(0) as f64;
    let median = (at((bytes.len() - 1) / 2) + at(bytes.len() / 2)) / 2.0;
    Statistics::Number { min: at(0), max: at(bytes.len() - 1), mean, sd, median }
}

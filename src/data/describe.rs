//! Schema and statistics of a data file.

use std::path::Path;

use rayon::prelude::*;
use serde::Serialize;

use super::cell::format_number;
use super::date::DateForm;
use super::figures::{ColumnFigures, Scratch};
use super::fit::stray_text;
use super::idx::Images;
use super::input::Input;
use super::kinds::{KeptTexts, Kinded, kinds};
use super::options::ReadOptions;
use super::raw_table::RawTable;
use super::read::RawContents;
use super::source::Source;
use super::spelling::stray_among_numbers;
use super::table::{Column, ColumnKind, MISSING};
use super::value::EXACT;
use crate::{Result, Warning};

/// The description of a data file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FileDescription {
    /// The file.
    pub path: String,
    /// `table` or `images`.
    pub kind: &'static str,
    /// Number of rows or images.
    pub rows: usize,
    /// Shape of one image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shape: Option<Vec<usize>>,
    /// The columns. For images, the pixels (as one column) and the label.
    pub columns: Vec<ColumnDescription>,
    /// Notes on how the file is read, if that is unusual.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Warnings for the user.
    pub warnings: Vec<Warning>,
    /// The test set of a folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<Box<FileDescription>>,
}

/// The description of a column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColumnDescription {
    /// Its name.
    pub name: String,
    /// Number of rows without a value.
    pub missing: usize,
    /// Number of distinct values, without missing ones.
    pub distinct: usize,
    /// Statistics of the values.
    #[serde(flatten)]
    pub statistics: Statistics,
}

/// Statistics of the values that are not missing.
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
    /// Of dates and times, written in ISO 8601.
    Date {
        /// Format of the cells: `iso`, or a pattern of `strptime`.
        format: String,
        /// Earliest.
        min: String,
        /// Latest.
        max: String,
        /// Median.
        median: String,
    },
    /// Of text, and of labels.
    Text {
        /// The most frequent levels with their numbers of rows. Equally frequent ones are in byte order.
        top: Vec<(String, usize)>,
    },
    /// Of a column without values.
    Empty,
}

/// Number of levels that are listed.
const TOP_LEVELS: usize = 10;

/// Reads a file and describes it.
///
/// # Errors
/// Those of reading the file for training.
pub fn describe(source: &Source, options: &ReadOptions) -> Result<FileDescription> {
    Ok(match Input::open(source)?.refuse_misfits(options)?.read(options)? {
        (RawContents::Table(file), _) => describe_file(*file, options)?,
        (RawContents::Images(images), test) => {
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

fn describe_file(mut file: RawTable, options: &ReadOptions) -> Result<FileDescription> {
    let Kinded { table, notes, mut warnings, .. } = kinds(&mut file, options, KeptTexts::default())?;
    warnings.extend(table.names.iter().zip(&table.columns).filter_map(|(name, column)| {
        let Column::Text { levels, .. } = column else { return None };
        Some(stray_among_numbers(name, stray_text(levels)?))
    }));
    let all = table.names.par_iter().zip(&table.columns).zip(&table.kinds);
    let described = all
        .map_init(Scratch::default, |scratch, ((name, column), kind)| describe_column(name, (column, kind), scratch));
    let mut columns: Vec<ColumnDescription> = described.collect();
    // Integers that doubles do not distinguish are counted by their text.
    let is_long =
        |column: &usize| matches!(&table.columns[*column], Column::Numbers(values) if holds_long_number(values));
    let long: Vec<usize> = (0..columns.len()).into_par_iter().filter(is_long).collect();
    for (text, column) in file.texts(&long, &options.missing)?.into_iter().zip(long) {
        if let Column::Text { levels, .. } = text {
            columns[column].distinct = levels.len();
        }
    }
    let (path, rows) = (written(&table.path), table.rows());
    Ok(FileDescription { path, kind: "table", rows, shape: None, columns, notes, warnings, test: None })
}

/// Whether a number is 2⁵³ or more in magnitude, where doubles no longer hold all integers.
fn holds_long_number(values: &[f64]) -> bool {
    values.iter().any(|value| value.abs() >= EXACT)
}

fn describe_column(name: &str, (column, kind): (&Column, &ColumnKind), scratch: &mut Scratch) -> ColumnDescription {
    let missing = column.missing();
    let (distinct, statistics) = match column {
        _ if missing == column.rows() => (0, Statistics::Empty),
        Column::Numbers(values) => {
            let ColumnFigures { min, max, mean, sd, median, distinct } = ColumnFigures::of(values, scratch);
            let statistics = match kind {
                ColumnKind::Date(form) => of_dates(form, [min, max, median]),
                _ => Statistics::Number { min, max, mean, sd, median },
            };
            (distinct, statistics)
        }
        Column::Text { codes, levels } => {
            let mut counts: Vec<(String, usize)> = levels.iter().map(|level| (level.clone(), 0)).collect();
            codes.iter().filter(|&&code| code != MISSING).for_each(|&code| counts[code as usize].1 += 1);
            (levels.len(), top(counts))
        }
    };
    ColumnDescription { name: name.to_owned(), missing, distinct, statistics }
}

fn of_dates(form: &DateForm, figures: [f64; 3]) -> Statistics {
    let [min, max, median] = figures.map(|value| form.written(value));
    Statistics::Date { format: form.pattern.clone(), min, max, median }
}

fn top(mut counts: Vec<(String, usize)>) -> Statistics {
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts.truncate(TOP_LEVELS);
    Statistics::Text { top: counts }
}

fn describe_images(images: &Images) -> FileDescription {
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
    let (notes, warnings) = (Vec::new(), Vec::new());
    FileDescription { path, kind: "images", rows: images.rows(), shape, columns, notes, warnings, test: None }
}

fn histogram(bytes: &[u8]) -> [usize; 256] {
    let mut counts = [0; 256];
    bytes.iter().for_each(|&byte| counts[usize::from(byte)] += 1);
    counts
}

/// Statistics of bytes, computed from their histogram. They equal those of the bytes as numbers.
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

//! A table for writing to a file: columns of numbers, dates and text, as in typed formats.

use std::borrow::Cow;
use std::path::PathBuf;

use super::builder::Origin;
use super::cell::{format_number, parse_number};
use super::date::{DateUnit, iso_text, moment_text};
use super::input::Input;
use super::kinds::{KeptTexts, Kinded, kinds};
use super::options::ReadOptions;
use super::raw_table::RawTable;
use super::read::RawContents;
use super::source::Source;
use super::table::{Column, ColumnKind, MISSING, Table};
use super::value::EXACT;
use crate::{Error, Result, Warning, WarningKind};

/// The cells of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Cells {
    /// Numbers; NaN where a value is missing.
    Numbers(Vec<f64>),
    /// Integers beyond the exact range of doubles.
    Whole(Vec<Option<i64>>),
    /// Dates, times of day, or times without an offset from UTC; NaN where a value is missing.
    Dates(Vec<f64>, DateUnit),
    /// Times in UTC, in seconds since 1970-01-01 00:00; NaN where a value is missing.
    Moments(Vec<f64>),
    /// Texts as indices of `levels`; `u32::MAX` where a value is missing.
    Text {
        /// One code for each row.
        codes: Vec<u32>,
        /// The distinct texts.
        levels: Vec<String>,
    },
}

impl Cells {
    /// Whether the value of a row is missing.
    pub fn is_missing(&self, row: usize) -> bool {
        match self {
            Self::Numbers(values) | Self::Dates(values, _) | Self::Moments(values) => values[row].is_nan(),
            Self::Whole(values) => values[row].is_none(),
            Self::Text { codes, .. } => codes[row] == MISSING,
        }
    }

    /// The cell of a row as text for CSV; `None` if the value is missing.
    pub fn text(&self, row: usize) -> Option<Cow<'_, str>> {
        if self.is_missing(row) {
            return None;
        }
        Some(match self {
            Self::Numbers(values) => Cow::Owned(number_text(values[row])),
            Self::Whole(values) => Cow::Owned(values[row].unwrap_or_default().to_string()),
            Self::Dates(values, unit) => Cow::Owned(iso_text(values[row], *unit)),
            Self::Moments(values) => Cow::Owned(moment_text(values[row])),
            Self::Text { codes, levels } => Cow::Borrowed(&levels[codes[row] as usize]),
        })
    }

    /// Kind of the values in words, for messages.
    pub fn what(&self) -> &'static str {
        match self {
            Self::Numbers(_) => "numbers",
            Self::Whole(_) => "whole numbers beyond 2⁵³, which no double holds",
            Self::Dates(_, DateUnit::Clock) => "times of day",
            Self::Dates(..) | Self::Moments(_) => "dates",
            Self::Text { .. } => "text",
        }
    }

    fn select(&self, rows: &[u32]) -> Self {
        fn of<T: Copy>(values: &[T], rows: &[u32]) -> Vec<T> {
            rows.iter().map(|row| values[*row as usize]).collect()
        }
        match self {
            Self::Numbers(values) => Self::Numbers(of(values, rows)),
            Self::Whole(values) => Self::Whole(of(values, rows)),
            Self::Dates(values, unit) => Self::Dates(of(values, rows), *unit),
            Self::Moments(values) => Self::Moments(of(values, rows)),
            Self::Text { codes, levels } => Self::Text { codes: of(codes, rows), levels: levels.clone() },
        }
    }
}

/// A number as text that parses to the same double. Negative zero keeps its sign.
fn number_text(value: f64) -> String {
    if value == 0.0 && value.is_sign_negative() { "-0".to_owned() } else { format_number(value) }
}

/// Named columns of equal length, for writing.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// File from which the rows were read, for messages.
    pub path: PathBuf,
    /// Number of rows.
    pub rows: usize,
    /// Names of the columns.
    pub names: Vec<String>,
    /// Whether this file names its columns.
    pub named: bool,
    /// Positions of the columns in this file.
    pub places: Vec<usize>,
    /// Cells of the columns.
    pub columns: Vec<Cells>,
    /// Notes on how the file was read.
    pub notes: Vec<String>,
    /// Warnings for the user.
    pub warnings: Vec<Warning>,
}

impl Frame {
    /// Reads a whole table without losing cells: a column with some cells that are not numbers stays text, as do
    /// numbers with leading zeros.
    ///
    /// # Errors
    /// Those of reading it for training, and [`Error::Mismatch`] for images.
    pub fn read(source: &Source, options: &ReadOptions) -> Result<Self> {
        match Input::open(source)?.refuse_misfits(options)?.read(options)?.0 {
            RawContents::Table(file) => Self::of_file(*file, options),
            RawContents::Images(images) => Err(Error::Mismatch(format!(
                "{}: expected a table, found images of bytes, which are trained on as they are",
                images.path.display()
            ))),
        }
    }

    /// Converts a table after detecting the kinds of its columns.
    ///
    /// # Errors
    /// As [`Frame::read`].
    pub(super) fn of_file(mut file: RawTable, options: &ReadOptions) -> Result<Self> {
        let Kinded { table, unreadable, respelled, mut notes, mut warnings } =
            kinds(&mut file, options, KeptTexts::default())?;
        warnings.retain(|warning| warning.kind != WarningKind::UnreadableNumbers);
        let rows = table.rows();
        let Table { path, names, named, columns, kinds, .. } = table;
        let spelled: Vec<usize> = (0..columns.len())
            .filter(|c| {
                let is_kept = unreadable.contains(c) || respelled.contains(c);
                is_kept || is_spelled(&columns[*c], &kinds[*c], &file.origins[*c])
            })
            .collect();
        let mut texts: Vec<Option<Column>> = columns.iter().map(|_| None).collect();
        for (text, column) in file.texts(&spelled, &options.missing)?.into_iter().zip(spelled) {
            texts[column] = Some(text);
        }
        let nameless = |column: &usize| named && file.outline.nameless.contains(column);
        let empty = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut frame =
            Self { path, rows, names: empty.0, named, places: empty.1, columns: empty.2, notes: empty.3, warnings };
        for (place, ((column, kind), text)) in columns.into_iter().zip(kinds).zip(texts).enumerate() {
            if nameless(&place) && column.missing() == column.rows() {
                notes.push(format!("column {place} has neither a name nor a value and is left out"));
                continue;
            }
            // The name by which training knows a column without a name.
            let name = if nameless(&place) { format!("Unnamed: {place}") } else { names[place].clone() };
            frame.columns.push(cells(column, &kind, text, unreadable.contains(&place)));
            frame.names.push(name);
            frame.places.push(place);
        }
        frame.notes = notes;
        Ok(frame)
    }

    /// The given rows, in the given order.
    ///
    /// # Panics
    /// If a row does not exist.
    pub fn select(&self, rows: &[u32]) -> Self {
        let columns = self.columns.iter().map(|cells| cells.select(rows)).collect();
        Self { rows: rows.len(), columns, ..self.clone_but_columns() }
    }

    fn clone_but_columns(&self) -> Self {
        Self {
            path: self.path.clone(),
            rows: 0,
            names: self.names.clone(),
            named: self.named,
            places: self.places.clone(),
            columns: Vec::new(),
            notes: self.notes.clone(),
            warnings: self.warnings.clone(),
        }
    }

    /// The columns with their names.
    pub fn named(&self) -> impl Iterator<Item = (&str, &Cells)> {
        self.names.iter().map(String::as_str).zip(&self.columns)
    }
}

/// Whether the spelling of numbers may carry information: leading zeros, or more digits than a double holds.
fn is_spelled(column: &Column, kind: &ColumnKind, origin: &Origin) -> bool {
    let Column::Numbers(values) = column else { return false };
    let present = || values.iter().filter(|value| !value.is_nan());
    let long = || present().any(|value| value.abs() >= EXACT);
    let codes = || !origin.plain && !origin.native && present().all(|value| value.fract() == 0.0);
    matches!(kind, ColumnKind::Number(_)) && (long() || codes())
}

/// The cells of a column. `text` is the column as written, if that may matter.
fn cells(column: Column, kind: &ColumnKind, text: Option<Column>, unreadable: bool) -> Cells {
    let as_text = |column: Column| match column.into_text() {
        Column::Text { codes, levels } => Cells::Text { codes, levels },
        Column::Numbers(_) => unreachable!("the column is text"),
    };
    match (column, kind, text) {
        (_, _, Some(text)) if unreadable => as_text(text),
        (Column::Text { .. }, _, Some(text)) => as_text(text),
        (Column::Numbers(values), ColumnKind::Date(form), _) if form.offset == Some(true) => Cells::Moments(values),
        (Column::Numbers(values), ColumnKind::Date(form), _) => Cells::Dates(values, form.unit),
        (Column::Numbers(values), _, Some(Column::Text { codes, levels })) => spelled(values, codes, levels),
        (Column::Numbers(values), ..) => Cells::Numbers(values),
        (text, ..) => as_text(text),
    }
}

/// Converts a column of numbers, considering how they are written.
fn spelled(values: Vec<f64>, codes: Vec<u32>, levels: Vec<String>) -> Cells {
    let digits = |level: &str| level.strip_prefix('-').unwrap_or(level).to_owned();
    let is_code = |level: &String| {
        let digits = digits(level);
        digits.len() > 1 && digits.starts_with('0') && digits.as_bytes()[1].is_ascii_digit()
    };
    let is_long = |level: &String| {
        digits(level).bytes().all(|b| b.is_ascii_digit()) && parse_number(level).is_some_and(|v| v.abs() >= EXACT)
    };
    let whole = || levels.iter().map(|level| level.parse::<i64>().ok()).collect::<Option<Vec<i64>>>();
    match () {
        () if levels.iter().any(is_code) => Cells::Text { codes, levels },
        () if !levels.iter().any(is_long) => Cells::Numbers(values),
        () => match whole() {
            Some(whole) => Cells::Whole(codes.iter().map(|code| whole.get(*code as usize).copied()).collect()),
            None => Cells::Text { codes, levels },
        },
    }
}

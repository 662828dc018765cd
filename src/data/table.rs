//! A table in memory, stored by column.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::cell::{format_number, nearest, parse_number, shortened};
use super::date::DateForm;
use super::number::NumberForm;
use crate::{Error, Result, Unit};

/// Default texts for a missing value; the option `na` changes them. The empty text always means a missing value.
pub const DEFAULT_MISSING: &[&str] =
    &["NA", "N/A", "NaN", "nan", "null", "None", "?", "NULL", "n/a", "#N/A", "<NA>", "-nan", "-NaN"];

/// Code of a missing text.
pub const MISSING: u32 = u32::MAX;

/// Texts that mean a missing value. A text that is a number means all its spellings: `-999` includes `-999.0`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<String>", into = "Vec<String>")]
pub struct MissingMarkers {
    texts: Vec<String>,
    numbers: Vec<f64>,
}

impl Default for MissingMarkers {
    fn default() -> Self {
        Self::new(&[])
    }
}

impl From<Vec<String>> for MissingMarkers {
    fn from(texts: Vec<String>) -> Self {
        let numbers = texts.iter().filter_map(|text| parse_number(text)).collect();
        Self { texts, numbers }
    }
}

impl From<MissingMarkers> for Vec<String> {
    fn from(markers: MissingMarkers) -> Self {
        markers.texts
    }
}

impl MissingMarkers {
    /// Markers from the items of the option `na`: plain items replace the defaults, items written `+X` are added to
    /// them.
    pub fn new(items: &[String]) -> Self {
        let (added, plain): (Vec<_>, Vec<_>) = items.iter().partition(|item| item.len() > 1 && item.starts_with('+'));
        let mut markers: Vec<String> = if plain.is_empty() {
            DEFAULT_MISSING.iter().map(|&marker| marker.to_owned()).collect()
        } else {
            plain.into_iter().cloned().collect()
        };
        markers.extend(added.into_iter().map(|item| item[1..].to_owned()));
        Self::from(markers)
    }

    /// The texts, except the empty one.
    pub fn texts(&self) -> &[String] {
        &self.texts
    }

    /// Those texts that are numbers, which mean a missing value in all spellings.
    pub fn numbers(&self) -> &[f64] {
        &self.numbers
    }

    /// No markers: only empty cells are missing.
    pub(super) fn none() -> Self {
        Self::from(Vec::new())
    }

    /// Whether `cell`, without blanks around it, means a missing value.
    #[inline]
    pub fn matches(&self, cell: &str) -> bool {
        cell.is_empty()
            || self.texts.iter().any(|marker| marker == cell)
            || (!self.numbers.is_empty() && parse_number(cell).is_some_and(|value| self.holds(value)))
    }

    /// Whether a number is a marker. An infinite marker includes both signs.
    #[inline]
    fn holds(&self, value: f64) -> bool {
        !self.numbers.is_empty() && self.is_one_of_the_numbers(value)
    }

    fn is_one_of_the_numbers(&self, value: f64) -> bool {
        self.numbers.contains(&value) || (value.is_infinite() && self.numbers.iter().any(|number| number.is_infinite()))
    }

    /// A number that was parsed in another notation; NaN if it is a marker.
    #[inline]
    pub(super) fn or_missing(&self, value: f64) -> f64 {
        if self.holds(value) { f64::NAN } else { value }
    }

    /// The number in a cell: NaN if it is missing, `None` if it is text.
    #[inline]
    pub(super) fn number(&self, cell: &str) -> Option<f64> {
        match parse_number(cell) {
            Some(value) if self.holds(value) => Some(f64::NAN),
            None if self.matches(cell) => Some(f64::NAN),
            value => value,
        }
    }
}

/// How the cells of a column are parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnKind {
    /// As numbers in this notation.
    Number(NumberForm),
    /// As dates of this form, which become numbers.
    Date(DateForm),
    /// As text.
    Text,
}

/// The cells of one column.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// Numbers; NaN where a value is missing.
    Numbers(Vec<f64>),
    /// Texts as indices of `levels`, which are in order of first appearance; `u32::MAX` where a value is missing.
    Text {
        /// One code for each row.
        codes: Vec<u32>,
        /// The distinct texts.
        levels: Vec<String>,
    },
}

impl Column {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        match self {
            Self::Numbers(values) => values.len(),
            Self::Text { codes, .. } => codes.len(),
        }
    }

    /// Marks the cells of some rows as missing, and removes levels that no longer occur.
    pub(super) fn blank(&mut self, rows: &[u32]) {
        if rows.is_empty() {
            return;
        }
        match self {
            Self::Numbers(values) => rows.iter().for_each(|row| values[*row as usize] = f64::NAN),
            Self::Text { codes, levels } => {
                rows.iter().for_each(|row| codes[*row as usize] = MISSING);
                let mut used = vec![false; levels.len()];
                codes.iter().filter(|code| **code != MISSING).for_each(|code| used[*code as usize] = true);
                let mut next = 0;
                let places: Vec<u32> = used
                    .iter()
                    .map(|used| {
                        next += u32::from(*used);
                        next.wrapping_sub(1)
                    })
                    .collect();
                codes.iter_mut().filter(|code| **code != MISSING).for_each(|code| *code = places[*code as usize]);
                let mut kept = used.into_iter();
                levels.retain(|_| kept.next().unwrap_or(false));
            }
        }
    }

    /// The column as text; borrowed if it is text already.
    pub fn as_text(&self) -> Cow<'_, Self> {
        match self {
            Self::Text { .. } => Cow::Borrowed(self),
            Self::Numbers(_) => Cow::Owned(self.clone().into_text()),
        }
    }

    /// Whether the cell of `row` is missing.
    pub fn is_missing(&self, row: usize) -> bool {
        match self {
            Self::Numbers(values) => values[row].is_nan(),
            Self::Text { codes, .. } => codes[row] == MISSING,
        }
    }

    /// Number of missing cells.
    pub fn missing(&self) -> usize {
        (0..self.rows()).filter(|&row| self.is_missing(row)).count()
    }

    /// The cell of `row` as text; `None` if it is missing.
    pub fn cell(&self, row: usize) -> Option<Cow<'_, str>> {
        match self {
            _ if self.is_missing(row) => None,
            Self::Numbers(values) => Some(Cow::Owned(format_number(values[row]))),
            Self::Text { codes, levels } => Some(Cow::Borrowed(&levels[codes[row] as usize])),
        }
    }

    /// The column with its numbers converted to text, as for class names and categories.
    pub fn into_text(self) -> Self {
        let Self::Numbers(values) = self else { return self };
        let mut levels = Vec::new();
        let mut seen: HashMap<u64, u32> = HashMap::new();
        let mut code_of = |value: f64| {
            let value = value + 0.0; // −0 is 0
            *seen.entry(value.to_bits()).or_insert_with(|| {
                levels.push(format_number(value));
                levels.len() as u32 - 1
            })
        };
        let codes = values.iter().map(|&value| if value.is_nan() { MISSING } else { code_of(value) }).collect();
        Self::Text { codes, levels }
    }
}

/// Named columns of equal length.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// File from which the rows were read, for messages.
    pub path: PathBuf,
    /// Names of the columns.
    pub names: Vec<String>,
    /// Whether the file names its columns; generated names are c0, c1, …
    pub named: bool,
    /// The columns.
    pub columns: Vec<Column>,
    /// How the cells of each column were parsed.
    pub kinds: Vec<ColumnKind>,
    /// Line of the file on which each row starts, or number of the row.
    pub lines: Vec<u32>,
    /// Whether [`Table::lines`] are lines or rows.
    pub unit: Unit,
}

impl Table {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.lines.len()
    }

    /// The column called `name`.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.names.iter().position(|n| n == name).map(|index| &self.columns[index])
    }

    /// The same columns without cells.
    pub(super) fn without_rows(&self) -> Self {
        let columns = self.columns.iter().map(|_| Column::Numbers(Vec::new())).collect();
        let (path, names, kinds) = (self.path.clone(), self.names.clone(), self.kinds.clone());
        Self { path, names, named: self.named, columns, kinds, lines: Vec::new(), unit: self.unit }
    }

    /// All columns by name. Of equal names, the first column.
    pub(super) fn by_name(&self) -> HashMap<&str, &Column> {
        self.names.iter().map(String::as_str).zip(&self.columns).rev().collect()
    }

    /// An error for the cell of `row` in column `name`.
    pub fn error_at(&self, row: usize, name: &str, message: impl Into<String>) -> Error {
        Error::data_at(&self.path, Some(self.lines[row].into()), Some(name), message).counted_in(self.unit)
    }
}

/// The names of a file's columns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names<'a> {
    pub(super) path: &'a Path,
    pub(super) names: &'a [String],
}

impl Names<'_> {
    /// The column that an option refers to: by name, or else by an index from 0, or negative from the end.
    ///
    /// # Errors
    /// [`Error::Option`] that suggests the most similar name, or states the number of columns.
    pub(super) fn find(&self, option: &'static str, wanted: &str) -> Result<usize> {
        let count = self.names.len();
        if let Some(index) = self.names.iter().position(|name| name == wanted) {
            return Ok(index);
        }
        if let Ok(index) = wanted.parse::<i64>() {
            let from_start = if index < 0 { index + count as i64 } else { index };
            return usize::try_from(from_start).ok().filter(|&i| i < count).ok_or_else(|| {
                let message = format!("the file has {count} columns, 0 to {}", count - 1);
                Error::data(self.path, message).of_value(option, wanted)
            });
        }
        let hint = match nearest(wanted, self.names) {
            Some(name) => format!("did you mean \"{name}\"?"),
            None => format!("the columns are {}", shortened(self.names)),
        };
        Err(Error::data(self.path, format!("there is no column \"{wanted}\"; {hint}")).of(option))
    }

    /// The columns that an option refers to. Each text is first taken as a single name, then as names separated by
    /// commas.
    ///
    /// # Errors
    /// As [`Names::find`].
    pub(super) fn find_all(&self, option: &'static str, wanted: &[String]) -> Result<Vec<usize>> {
        let mut found = Vec::new();
        for item in wanted {
            match self.find(option, item) {
                Ok(column) => found.push(column),
                Err(_) if item.contains(',') => {
                    for name in item.split(',') {
                        found.push(self.find(option, name.trim())?);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }
}

//! A column as it is read, cell by cell and run by run.

use std::path::Path;

use indexmap::IndexSet;

use crate::data::table::{Column, ColumnKind, MISSING, MissingMarkers, parse_number};
use crate::{Error, Result};

/// The missing markers, and whether one looks like a number (`--na -999`): if none does, no number need be compared.
#[derive(Clone, Copy)]
pub struct Missing<'a> {
    markers: &'a MissingMarkers,
    numbers: bool,
}

impl<'a> Missing<'a> {
    /// Of these markers.
    pub fn new(markers: &'a MissingMarkers) -> Self {
        Self { markers, numbers: markers.any(|marker| parse_number(marker).is_some()) }
    }

    /// The value of a cell, NaN where it is missing, `None` for text.
    fn number(&self, cell: &str) -> Option<f64> {
        match parse_number(cell) {
            Some(_) if self.numbers && self.markers.matches(cell) => Some(f64::NAN),
            None if self.markers.matches(cell) => Some(f64::NAN),
            value => value,
        }
    }
}

fn all_missing(values: &[f64]) -> bool {
    values.iter().all(|value| value.is_nan())
}

/// Codes of so many missing texts, with room for as many as there is for `values`.
fn missing_codes(values: &Vec<f64>) -> Vec<u32> {
    let mut codes = Vec::with_capacity(values.capacity());
    codes.resize(values.len(), MISSING);
    codes
}

/// The distinct texts of a column, in order of first appearance.
type Levels = IndexSet<String, foldhash::fast::RandomState>;

/// One column as it is read.
pub enum Builder {
    /// Numbers so far, and the line of the first infinite one.
    Numbers { values: Vec<f64>, infinite: Option<u32>, strict: bool, wrong: Option<(u32, String)> },
    /// Text.
    Text { codes: Vec<u32>, levels: Levels },
    /// Numbers as well as text: to be read again as text.
    Again,
}

impl Builder {
    /// Numbers until there is text, with room for so many rows.
    pub fn guess(rows: usize) -> Self {
        Self::Numbers { values: Vec::with_capacity(rows), infinite: None, strict: false, wrong: None }
    }

    /// What the schema says.
    pub fn known(kind: ColumnKind) -> Self {
        match kind {
            ColumnKind::Number => Self::Numbers { values: Vec::new(), infinite: None, strict: true, wrong: None },
            ColumnKind::Text => Self::text(),
        }
    }

    /// Text, whatever the cells look like.
    pub fn text() -> Self {
        Self::Text { codes: Vec::new(), levels: Levels::default() }
    }

    /// A builder for a run of rows that follow, which takes up what is known of the column's kind.
    pub fn for_later(&self) -> Self {
        match self {
            Self::Numbers { strict, .. } => {
                Self::Numbers { values: Vec::new(), infinite: None, strict: *strict, wrong: None }
            }
            Self::Text { .. } => Self::text(),
            Self::Again => Self::Again,
        }
    }

    /// Adds a cell, which has no blanks around it.
    pub fn push(&mut self, cell: &str, line: u32, missing: Missing) {
        match self {
            Self::Numbers { values, infinite, strict, wrong } => match missing.number(cell) {
                Some(value) => {
                    if value.is_infinite() {
                        infinite.get_or_insert(line);
                    }
                    values.push(value);
                }
                None if *strict => {
                    wrong.get_or_insert_with(|| (line, cell.to_owned()));
                    values.push(f64::NAN);
                }
                None if all_missing(values) => {
                    *self = Self::Text { codes: missing_codes(values), levels: Levels::default() };
                    self.push(cell, line, missing);
                }
                None => *self = Self::Again,
            },
            Self::Text { codes, levels } => codes.push(match levels.get_index_of(cell) {
                Some(code) => code as u32,
                None if missing.markers.matches(cell) => MISSING,
                None => levels.insert_full(cell.to_owned()).0 as u32,
            }),
            Self::Again => {}
        }
    }

    /// Adds the rows of `later`, which follow those read so far: as if one builder had read all, or to be read again.
    pub fn append(&mut self, later: Self) {
        match (&mut *self, later) {
            (
                Self::Numbers { values, infinite, wrong, .. },
                Self::Numbers { values: more, infinite: i, wrong: w, .. },
            ) => {
                values.extend(more);
                *infinite = infinite.or(i);
                *wrong = wrong.take().or(w);
            }
            (Self::Text { codes, levels }, Self::Text { codes: more, levels: named }) => {
                let renamed: Vec<u32> = named.into_iter().map(|text| levels.insert_full(text).0 as u32).collect();
                codes.extend(more.iter().map(|&code| if code == MISSING { MISSING } else { renamed[code as usize] }));
            }
            (Self::Numbers { values, .. }, Self::Text { codes: more, levels }) if all_missing(values) => {
                let mut codes = missing_codes(values);
                codes.extend(more);
                *self = Self::Text { codes, levels };
            }
            (Self::Text { codes, .. }, Self::Numbers { values, .. }) if all_missing(&values) => {
                codes.resize(codes.len() + values.len(), MISSING);
            }
            _ => *self = Self::Again,
        }
    }

    /// The column, or the fault of its first wrong cell.
    pub fn finish(self, path: &Path, name: &str) -> Result<Column> {
        match self {
            Self::Numbers { wrong: Some((line, cell)), .. } => {
                let message = format!("expected a number, found \"{cell}\": leave the cell empty if there is no value");
                Err(Error::data_at(path, Some(line.into()), Some(name), message))
            }
            Self::Numbers { infinite: Some(line), .. } => {
                let message =
                    "expected a finite number, found an infinite one: leave the cell empty if there is no value";
                Err(Error::data_at(path, Some(line.into()), Some(name), message))
            }
            Self::Numbers { values, .. } => Ok(Column::Numbers(values)),
            Self::Text { codes, levels } => Ok(Column::Text { codes, levels: levels.into_iter().collect() }),
            Self::Again => unreachable!("a column that is to be read again has been"),
        }
    }
}

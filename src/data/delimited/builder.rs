//! A column as it is read, cell by cell and run by run.

use std::path::Path;

use indexmap::IndexSet;

use super::wanted::Wanted;
use crate::data::cell::brief;
use crate::data::table::{Column, ColumnKind, MISSING, MissingMarkers};
use crate::{Error, Result};

/// Longest whole number that a double surely tells from its neighbours.
const EXACT_DIGITS: usize = 15;

fn all_missing(values: &[f64]) -> bool {
    values.iter().all(|value| value.is_nan())
}

/// Codes of so many missing texts, with room for as many as there is for `values`.
fn missing_codes(values: &Vec<f64>) -> Vec<u32> {
    let mut codes = Vec::with_capacity(values.capacity());
    codes.resize(values.len(), MISSING);
    codes
}

/// Whether a number has no decimals. A conversion there and back is faster than `fract`, which calls a function on older CPUs.
#[inline]
fn is_whole(value: f64) -> bool {
    value as i64 as f64 == value || value.abs() >= i64::MAX as f64
}

/// Whether a whole number is written as short as can be: `7`, `-12`, not `07`, `7.0`, `7e0` or with more than 15 digits.
fn is_plain_integer(cell: &str) -> bool {
    let digits = cell.as_bytes().strip_prefix(b"-").unwrap_or(cell.as_bytes());
    digits.len() <= EXACT_DIGITS && digits.iter().all(u8::is_ascii_digit) && (digits[0] != b'0' || digits.len() == 1)
}

/// The distinct texts of a column, in order of first appearance.
type Levels = IndexSet<String, foldhash::fast::RandomState>;

/// A number column as it is read.
pub struct Numbers {
    values: Vec<f64>,
    /// Line of the first infinite one.
    infinite: Option<u32>,
    /// Whether each whole number is written as short as can be.
    plain: bool,
    /// The kind of a known schema: text is a fault then.
    known: Option<ColumnKind>,
    /// Whether it is no fault, and the cell is missing; how many were.
    lenient: Option<usize>,
    /// The first cell that is no number, where the schema says that it should be.
    wrong: Option<(u32, String)>,
}

impl Numbers {
    fn new(known: Option<ColumnKind>, rows: usize) -> Self {
        Self { values: Vec::with_capacity(rows), infinite: None, plain: true, known, lenient: None, wrong: None }
    }

    /// Adds a cell; false if it is text, where the schema does not say that it should be a number.
    #[inline]
    fn push(&mut self, cell: &str, line: u32, missing: &MissingMarkers) -> bool {
        let number = match &self.known {
            None => missing.number(cell),
            Some(kind) => known_number(kind, cell, missing),
        };
        let Some(value) = number else {
            if self.known.is_none() {
                return false;
            }
            match &mut self.lenient {
                Some(count) => *count += 1,
                None => {
                    self.wrong.get_or_insert_with(|| (line, cell.to_owned()));
                }
            }
            self.values.push(f64::NAN);
            return true;
        };
        if value.is_infinite() {
            self.infinite.get_or_insert(line);
        }
        if self.plain && is_whole(value) && !is_plain_integer(cell) {
            self.plain = false;
        }
        self.values.push(value);
        true
    }
}

/// The value of a cell of a known kind, NaN where it is missing, `None` if it is neither. A plain number is one in every form.
fn known_number(kind: &ColumnKind, cell: &str, missing: &MissingMarkers) -> Option<f64> {
    let value = match kind {
        ColumnKind::Number(form) if form.is_plain() => return missing.number(cell),
        ColumnKind::Number(form) => {
            form.parse(cell).map(|value| missing.or_missing(value)).or_else(|| missing.number(cell))
        }
        ColumnKind::Date(form) => form.parse(cell),
        ColumnKind::Text => None,
    };
    if missing.matches(cell) { Some(f64::NAN) } else { value }
}

/// One column as it is read.
pub enum Builder {
    /// Numbers so far.
    Numbers(Numbers),
    /// Text.
    Text { codes: Vec<u32>, levels: Levels },
    /// Numbers as well as text: to be read again as text.
    Again,
}

impl Builder {
    /// Numbers until there is text, with room for so many rows.
    pub fn guess(rows: usize) -> Self {
        Self::Numbers(Numbers::new(None, rows))
    }

    /// What the schema says.
    pub fn known(wanted: &Wanted) -> Self {
        match &wanted.kind {
            ColumnKind::Text => Self::text(),
            kind => {
                let numbers = Numbers::new(Some(kind.clone()), 0);
                Self::Numbers(Numbers { lenient: wanted.lenient.then_some(0), ..numbers })
            }
        }
    }

    /// Cells that are no numbers and count as missing.
    pub fn unreadable(&self) -> usize {
        if let Self::Numbers(numbers) = self { numbers.lenient.unwrap_or(0) } else { 0 }
    }

    /// Text, whatever the cells look like.
    pub fn text() -> Self {
        Self::Text { codes: Vec::new(), levels: Levels::default() }
    }

    /// A builder for a run of rows that follow, which takes up what is known of the column's kind.
    pub fn for_later(&self) -> Self {
        match self {
            Self::Numbers(numbers) => Self::Numbers(Numbers::new(numbers.known.clone(), 0)),
            Self::Text { .. } => Self::text(),
            Self::Again => Self::Again,
        }
    }

    /// Adds a cell, which has no blanks around it.
    #[inline]
    pub fn push(&mut self, cell: &str, line: u32, missing: &MissingMarkers) {
        match self {
            Self::Numbers(numbers) => {
                if !numbers.push(cell, line, missing) {
                    self.push_first_text(cell, line, missing);
                }
            }
            Self::Text { codes, levels } => codes.push(match levels.get_index_of(cell) {
                Some(code) => code as u32,
                None if missing.matches(cell) => MISSING,
                None => levels.insert_full(cell.to_owned()).0 as u32,
            }),
            Self::Again => {}
        }
    }

    fn push_first_text(&mut self, cell: &str, line: u32, missing: &MissingMarkers) {
        match self {
            Self::Numbers(numbers) if all_missing(&numbers.values) => {
                *self = Self::Text { codes: missing_codes(&numbers.values), levels: Levels::default() };
                self.push(cell, line, missing);
            }
            _ => *self = Self::Again,
        }
    }

    /// Adds the rows of `later`, which follow those read so far: as if one builder had read all, or to be read again.
    pub fn append(&mut self, later: Self) {
        match (&mut *self, later) {
            (Self::Numbers(so_far), Self::Numbers(more)) => {
                so_far.values.extend(more.values);
                so_far.infinite = so_far.infinite.or(more.infinite);
                so_far.plain &= more.plain;
                so_far.wrong = so_far.wrong.take().or(more.wrong);
            }
            (Self::Text { codes, levels }, Self::Text { codes: more, levels: named }) => {
                let renamed: Vec<u32> = named.into_iter().map(|text| levels.insert_full(text).0 as u32).collect();
                codes.extend(more.iter().map(|&code| if code == MISSING { MISSING } else { renamed[code as usize] }));
            }
            (Self::Numbers(so_far), Self::Text { codes: more, levels }) if all_missing(&so_far.values) => {
                let mut codes = missing_codes(&so_far.values);
                codes.extend(more);
                *self = Self::Text { codes, levels };
            }
            (Self::Text { codes, .. }, Self::Numbers(more)) if all_missing(&more.values) => {
                codes.resize(codes.len() + more.values.len(), MISSING);
            }
            _ => *self = Self::Again,
        }
    }

    /// Whether each whole number was written as short as can be; true of text.
    pub fn is_plain(&self) -> bool {
        matches!(self, Self::Numbers(numbers) if numbers.plain)
    }

    /// The column, or the fault of its first wrong cell.
    pub fn finish(self, path: &Path, name: &str) -> Result<Column> {
        match self {
            Self::Numbers(Numbers { wrong: Some((line, cell)), known, .. }) => {
                let what = if matches!(known, Some(ColumnKind::Date(_))) { "date" } else { "number" };
                let comma =
                    if cell.contains(',') { "; --decimal , or --thousands , says what its comma is" } else { "" };
                let message = format!(
                    "expected a {what}, found \"{}\": leave the cell empty if there is no value{comma}",
                    brief(&cell)
                );
                Err(Error::data_at(path, Some(line.into()), Some(name), message))
            }
            Self::Numbers(Numbers { infinite: Some(line), .. }) => {
                let message = "expected a finite number, found an infinite one, or one beyond 1.8e308: leave the cell \
                               empty if there is no value, or --na \"+inf\"";
                Err(Error::data_at(path, Some(line.into()), Some(name), message))
            }
            Self::Numbers(Numbers { values, .. }) => Ok(Column::Numbers(values)),
            Self::Text { codes, levels } => Ok(Column::Text { codes, levels: levels.into_iter().collect() }),
            Self::Again => unreachable!("a column that is to be read again has been"),
        }
    }
}

//! Builds a column while its cells are read, cell by cell and section by section.

use std::path::Path;

use indexmap::IndexSet;

use super::cell::parse_number;
use super::date::{DateForm, DateUnit};
use super::number_column::{NumberColumn, all_missing};
use super::table::{Column, ColumnKind, MISSING, MissingMarkers};
use super::value::Value;
use super::wanted::Wanted;
use crate::{Result, Unit};

/// Codes for as many missing texts as there are `values`, with the same capacity.
fn missing_codes(values: &Vec<f64>) -> Vec<u32> {
    let mut codes = Vec::with_capacity(values.capacity());
    codes.resize(values.len(), MISSING);
    codes
}

/// The distinct texts of a column, in order of first appearance.
type DistinctTexts = IndexSet<String, foldhash::fast::RandomState>;

/// How a format represents a column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// A number column whose integers are all written in their shortest form.
    pub plain: bool,
    /// Typed numbers or dates, whose cells have no spelling.
    pub native: bool,
    /// Numbers that the format declares as text.
    pub text: bool,
    /// The form of dates, if the format declares them as dates.
    pub dates: Option<DateForm>,
    /// Line and text of the first time in UTC below local ones, or the other way around.
    pub other_offset: Option<(u32, String)>,
    /// Line of the first date beyond the years 0 to 9999, and how many there are.
    pub beyond: Option<(u32, usize)>,
}

/// A column under construction.
pub enum Builder {
    /// Only numbers so far.
    Numbers(NumberColumn),
    /// Text.
    Text { codes: Vec<u32>, levels: DistinctTexts },
    /// Both numbers and text: it must be read again as text.
    Again,
}

impl Builder {
    /// A column of unknown kind: numbers until text appears. `rows` is the number of rows to reserve memory for.
    pub fn guess(rows: usize) -> Self {
        Self::Numbers(NumberColumn::new(None, rows))
    }

    /// A column of the kind that the schema gives.
    pub fn known(wanted: &Wanted) -> Self {
        match &wanted.kind {
            ColumnKind::Text => Self::text(),
            kind => {
                let mut numbers = NumberColumn::new(Some(kind.clone()), 0);
                numbers.lenient = wanted.lenient.then_some(0);
                Self::Numbers(numbers)
            }
        }
    }

    /// Number of cells that are not numbers and count as missing.
    pub fn unreadable(&self) -> usize {
        if let Self::Numbers(numbers) = self { numbers.lenient.unwrap_or(0) } else { 0 }
    }

    /// Line and text of the first time that names its offset from UTC where the schema has none, or the other way around.
    pub fn other_offset(&self) -> Option<&(u32, String)> {
        if let Self::Numbers(numbers) = self { numbers.other_offset.as_ref() } else { None }
    }

    /// A text column, regardless of what cells look like.
    pub fn text() -> Self {
        Self::Text { codes: Vec::new(), levels: DistinctTexts::default() }
    }

    /// A builder for a later section of rows of the same column. It takes over the known kind of numbers, but not leniency.
    pub fn for_later(&self) -> Self {
        match self {
            Self::Numbers(numbers) => Self::Numbers(NumberColumn::new(numbers.known.clone(), 0)),
            Self::Text { .. } => Self::text(),
            Self::Again => Self::Again,
        }
    }

    /// Adds a cell. Blanks around it must be removed.
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

    /// Adds a plain decimal number. Returns false and adds nothing, unless the column is of numbers of unknown kind.
    #[inline]
    pub fn push_decimal(&mut self, value: f64, cell: &str, line: u32, missing: &MissingMarkers) -> bool {
        let Self::Numbers(numbers) = self else { return false };
        if numbers.known.is_some() || numbers.dates.is_some() {
            return false;
        }
        numbers.push_plain(missing.or_missing(value), cell, line);
        true
    }

    /// Adds a cell of a typed format.
    #[inline]
    pub fn push_value(&mut self, value: Value<'_>, line: u32, missing: &MissingMarkers) {
        let pushed = match (&mut *self, value) {
            (Self::Numbers(numbers), Value::Number(value)) => numbers.push_number(value, line, missing),
            (Self::Numbers(numbers), Value::Whole(whole)) => numbers.push_number(whole as f64, line, missing),
            (Self::Numbers(numbers), Value::Date(value, unit)) => numbers.push_date(value, (unit, false), line),
            (Self::Numbers(numbers), Value::Moment(value)) => numbers.push_date(value, (DateUnit::Seconds, true), line),
            // The number of a typed format has no notation of its own.
            (Self::Numbers(numbers), Value::Digits(digits)) if numbers.has_notation() => {
                parse_number(digits).is_some_and(|value| numbers.push_number(value, line, missing))
            }
            (Self::Numbers(numbers), Value::Text(text)) => {
                numbers.text |= !missing.matches(text);
                false
            }
            (Self::Again, _) => true,
            _ => false,
        };
        if !pushed {
            self.push(value.text().trim(), line, missing);
        }
    }

    fn push_first_text(&mut self, cell: &str, line: u32, missing: &MissingMarkers) {
        match self {
            Self::Numbers(numbers) if all_missing(&numbers.values) => {
                *self = Self::Text { codes: missing_codes(&numbers.values), levels: DistinctTexts::default() };
                self.push(cell, line, missing);
            }
            _ => *self = Self::Again,
        }
    }

    /// Appends later rows. The result is that of one builder for all rows, or [`Builder::Again`].
    pub fn append(&mut self, later: Self) {
        match (&mut *self, later) {
            (Self::Numbers(so_far), Self::Numbers(more)) => {
                so_far.append(more);
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

    /// Reduces a number column to a few values that tell whether one is missing, present, has decimals, has more than
    /// three decimals, or needs more digits than a float or a double holds. Text is unchanged.
    pub(super) fn digest(&mut self) {
        if let Self::Numbers(numbers) = self {
            numbers.digest();
        }
    }

    /// How the format represents the column.
    pub fn origin(&self) -> Origin {
        match self {
            Self::Numbers(NumberColumn { plain, native, text, dates, other_offset, beyond, .. }) => Origin {
                plain: *plain,
                native: *native,
                text: *text,
                dates: dates.clone(),
                other_offset: other_offset.clone(),
                beyond: *beyond,
            },
            Self::Text { .. } | Self::Again => Origin::default(),
        }
    }

    /// Whether the column is text.
    pub fn is_text(&self) -> bool {
        matches!(self, Self::Text { .. })
    }

    /// The column, or an error for its first wrong cell. `unit` tells what row numbers count.
    pub fn finish(self, place: (&Path, Unit), name: &str) -> Result<Column> {
        match self {
            Self::Numbers(numbers) => numbers.finish(place, name),
            Self::Text { codes, levels } => Ok(Column::Text { codes, levels: levels.into_iter().collect() }),
            Self::Again => unreachable!("a column that is to be read again has been"),
        }
    }
}

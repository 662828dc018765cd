//! A column of numbers or dates under construction.

use std::path::Path;

use super::cell::{brief, parse_number, same_truth_value};
use super::date::{DateForm, DateUnit, is_midnight, is_within_calendar, iso_text, moment_text};

use super::number::{NumberForm, bare, is_in_thousandths, may_part_thousands};
use super::table::{Column, ColumnKind, MissingMarkers};
use super::value::EXACT;
use crate::option_text::{quoted, setting};
use crate::{Error, Result, Unit};

/// Number of digits up to which a double distinguishes all integers.
const EXACT_DIGITS: usize = 15;
/// The smallest integer with more than [`EXACT_DIGITS`] digits.
const LONG: f64 = 1e15;

pub(super) fn all_missing(values: &[f64]) -> bool {
    values.iter().all(|value| value.is_nan())
}

/// Whether a number is an integer. The conversion is faster than `fract`, which calls a function on older CPUs.
#[inline]
fn is_whole(value: f64) -> bool {
    value as i64 as f64 == value || value.abs() >= i64::MAX as f64
}

/// Whether an integer is written in its shortest form: `7`, `-12`, not `07`, `7.0`, `7e0` or with more than 15 digits.
fn is_plain_integer(cell: &str) -> bool {
    let digits = cell.as_bytes().strip_prefix(b"-").unwrap_or(cell.as_bytes());
    digits.len() <= EXACT_DIGITS && digits.iter().all(u8::is_ascii_digit) && (digits[0] != b'0' || digits.len() == 1)
}

/// A number column under construction.
pub struct NumberColumn {
    pub(super) values: Vec<f64>,
    /// Line of the first infinite number.
    infinite: Option<u32>,
    /// Whether all integers are written in their shortest form.
    pub(super) plain: bool,
    /// The kind, if the schema is known; text is then an error.
    pub(super) known: Option<ColumnKind>,
    /// If text counts as missing instead: the number of such cells.
    pub(super) lenient: Option<usize>,
    /// Line and text of the first cell that is not a number, if the schema requires numbers.
    wrong: Option<(u32, String)>,
    /// The form of the values, if they are dates from a typed format.
    pub(super) dates: Option<DateForm>,
    /// Line and text of the first time that names its offset from UTC where the schema has none, or the other way around.
    pub(super) other_offset: Option<(u32, String)>,
    /// Line of the first date beyond the years 0 to 9999, and how many there are; they are missing.
    pub(super) beyond: Option<(u32, usize)>,
    /// What the points of the cells were taken for.
    points: Points,
    /// Whether a typed format gave a number or date, which has no spelling.
    pub(super) native: bool,
    /// Whether a typed format gave a cell as text.
    pub(super) text: bool,
}

/// What points in numbers were taken for, in a column whose numbers had decimal commas in training.
#[derive(Debug, Clone, Default)]
struct Points {
    /// Line and text of the first cell with a decimal point: `998.5`.
    decimal: Option<(u32, String)>,
    /// Line and text of the first cell whose points only part thousands: `3.999`.
    thousands: Option<(u32, String)>,
}

impl Points {
    /// Notes the points of a cell.
    fn note(&mut self, form: &NumberForm, cell: &str, line: u32) {
        if !cell.contains('.') || cell.contains(',') {
            return;
        }
        let kind = match form.parse(cell) {
            Some(_) => &mut self.thousands,
            None if parse_number(cell).is_some() => &mut self.decimal,
            None => return,
        };
        kind.get_or_insert_with(|| (line, cell.to_owned()));
    }

    /// The first cell after which there are both kinds.
    fn contradiction(self) -> Option<(u32, String)> {
        let (decimal, thousands) = (self.decimal?, self.thousands?);
        Some(if decimal.0 > thousands.0 { decimal } else { thousands })
    }

    fn append(&mut self, later: Points) {
        self.decimal = self.decimal.take().or(later.decimal);
        self.thousands = self.thousands.take().or(later.thousands);
    }
}

impl NumberColumn {
    pub(super) fn new(known: Option<ColumnKind>, rows: usize) -> Self {
        Self {
            values: Vec::with_capacity(rows),
            infinite: None,
            plain: true,
            known,
            lenient: None,
            wrong: None,
            dates: None,
            other_offset: None,
            beyond: None,
            points: Points::default(),
            native: false,
            text: false,
        }
    }

    /// Whether the schema has numbers in another notation than the plain one.
    pub(super) fn has_notation(&self) -> bool {
        matches!(&self.known, Some(ColumnKind::Number(form)) if !form.is_plain())
    }

    /// The numbers so far; NaN where a value is missing.
    pub(super) fn values(&self) -> &[f64] {
        &self.values
    }

    /// Adds a cell. Returns false for text, unless the schema requires a number.
    #[inline]
    pub(super) fn push(&mut self, cell: &str, line: u32, missing: &MissingMarkers) -> bool {
        let number = match &self.known {
            None if self.dates.is_some() && !missing.matches(cell) => None,
            None => missing.number(cell),
            Some(kind) => known_number(kind, cell, missing),
        };
        let Some(value) = number else { return self.push_other(cell, line) };
        match &self.known {
            _ if value.is_nan() => {}
            Some(ColumnKind::Date(form)) if self.other_offset.is_none() && form.has_other_offset(cell) => {
                self.other_offset = Some((line, cell.to_owned()));
            }
            Some(ColumnKind::Number(form)) if form.decimal_comma => self.points.note(form, cell, line),
            _ => {}
        }
        self.push_plain(value, cell, line);
        true
    }

    /// Adds a number, given with its cell.
    #[inline]
    pub(super) fn push_plain(&mut self, value: f64, cell: &str, line: u32) {
        if self.plain && is_whole(value) && !is_plain_integer(cell) {
            self.plain = false;
        }
        self.push_finite(value, line);
    }

    /// Adds a value and notes the line of the first infinite one.
    #[inline]
    fn push_finite(&mut self, value: f64, line: u32) {
        if value.is_infinite() {
            self.infinite.get_or_insert(line);
        }
        self.values.push(value);
    }

    /// Adds a cell that is not a number. Returns false if the schema does not require a number.
    fn push_other(&mut self, cell: &str, line: u32) -> bool {
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
        true
    }

    /// Adds a number from a typed format. Returns false in a column of dates.
    #[inline]
    pub(super) fn push_number(&mut self, value: f64, line: u32, missing: &MissingMarkers) -> bool {
        let is_date = self.dates.is_some() || matches!(self.known, Some(ColumnKind::Date(_)));
        if is_date && !value.is_nan() {
            return false;
        }
        if value.abs() >= LONG && is_whole(value) {
            self.plain = false;
        }
        self.native |= !value.is_nan();
        self.push_finite(missing.or_missing(value), line);
        true
    }

    /// Adds a date. `offset`: whether times of the column are in UTC. Returns false in a column of numbers, or of dates in another
    /// unit.
    pub(super) fn push_date(&mut self, value: f64, (unit, offset): (DateUnit, bool), line: u32) -> bool {
        let form = || DateForm::of_times(unit, offset);
        let text = || if offset { moment_text(value) } else { iso_text(value, unit) };
        let is_time = unit == DateUnit::Seconds;
        let value = match &self.known {
            _ if !is_within_calendar(value, unit) => {
                self.beyond = Some(self.beyond.map_or((line, 1), |(line, count)| (line, count + 1)));
                Some(f64::NAN)
            }
            Some(ColumnKind::Date(known)) => {
                let is_other_day = known.unit == DateUnit::Days && offset && !is_midnight(value);
                if is_time && (is_other_day || known.offset.is_some_and(|known| known != offset)) {
                    self.other_offset.get_or_insert_with(|| (line, text()));
                }
                known.converted(value, unit)
            }
            Some(_) => None,
            None if self.dates.is_none() && all_missing(&self.values) => {
                self.dates = Some(form());
                Some(value)
            }
            None => {
                if is_time && self.dates.as_ref().is_some_and(|dates| dates.offset == Some(!offset)) {
                    self.other_offset.get_or_insert_with(|| (line, text()));
                }
                self.dates.as_ref().is_some_and(|dates| dates.unit == unit).then_some(value)
            }
        };
        self.native = true;
        self.values.extend(value);
        value.is_some()
    }

    /// Appends the cells of later rows.
    pub(super) fn append(&mut self, more: Self) {
        if self.has_other_times(&more)
            && let Some(at) = more.values.iter().position(|value| !value.is_nan())
        {
            let offset = more.dates.as_ref().is_some_and(|dates| dates.offset == Some(true));
            let time = more.values[at];
            let text = if offset { moment_text(time) } else { iso_text(time, DateUnit::Seconds) };
            self.other_offset.get_or_insert(((self.values.len() + at + 1) as u32, text));
        }
        self.beyond = match (self.beyond, more.beyond) {
            (Some((line, count)), Some((_, more))) => Some((line, count + more)),
            (one, other) => one.or(other),
        };
        self.values.extend(more.values);
        self.infinite = self.infinite.or(more.infinite);
        self.plain &= more.plain;
        self.points.append(more.points);
        self.wrong = self.wrong.take().or(more.wrong);
        self.dates = self.dates.take().or(more.dates);
        self.other_offset = self.other_offset.take().or(more.other_offset);
        self.native |= more.native;
        self.text |= more.text;
    }

    /// Whether the times of one column are in UTC and those of the other are local.
    fn has_other_times(&self, other: &Self) -> bool {
        let offset = |column: &Self| column.dates.as_ref().and_then(|dates| dates.offset);
        matches!((offset(self), offset(other)), (Some(one), Some(other)) if one != other)
    }

    /// Reduces the values to a few of all kinds that matter.
    pub(super) fn digest(&mut self) {
        let first = |is: &dyn Fn(f64) -> bool| self.values.iter().copied().find(|value| is(*value));
        let kinds: [&dyn Fn(f64) -> bool; 6] = [
            &|value| value.is_nan(),
            &|value| !value.is_nan(),
            &|value| value.fract() != 0.0 && !value.is_nan(),
            &|value| !is_in_thousandths(&value),
            &|value| f64::from(value as f32) != value && !value.is_nan(),
            &|value| value.abs() >= EXACT,
        ];
        self.values = kinds.into_iter().filter_map(first).collect();
    }

    /// The column, or an error for its first wrong cell. `unit` tells what row numbers count.
    pub(super) fn finish(self, (path, unit): (&Path, Unit), name: &str) -> Result<Column> {
        let Self { values, infinite, known, wrong, points, .. } = self;
        let failed = |line: u32, message: String| {
            Err(Error::data_at(path, Some(line.into()), Some(name), message).counted_in(unit))
        };
        if let Some((line, cell)) = wrong.or_else(|| points.contradiction()) {
            return failed(line, wrong_cell(known.as_ref(), &cell));
        }
        match infinite {
            None => Ok(Column::Numbers(values)),
            Some(line) => {
                // A model has its own markers.
                let remedy = if known.is_none() { format!(", or {}", quoted("na", "+inf")) } else { String::new() };
                let message = "expected a finite number, found an infinite one, or one beyond 1.8e308: leave the cell empty if there is no value";
                failed(line, format!("{message}{remedy}"))
            }
        }
    }
}

/// The value of a cell of a known kind: NaN if missing, `None` if it is neither. Plain numbers fit any number form but shares.
fn known_number(kind: &ColumnKind, cell: &str, missing: &MissingMarkers) -> Option<f64> {
    let value = match kind {
        ColumnKind::Number(form) if form.is_plain() => return missing.number(cell),
        ColumnKind::Number(form) => {
            // With a decimal comma, 1.234 may mean 1234; among percentages, 0.05 may mean 5 %.
            let is_doubtful = || form.is_share() || (form.decimal_comma && may_part_thousands(bare(cell), '.'));
            let plain = || if is_doubtful() { None } else { missing.number(cell) };
            form.parse(cell).map(|value| missing.or_missing(value)).or_else(plain)
        }
        ColumnKind::Date(form) => form.parse_or_iso(cell),
        ColumnKind::Text => None,
    };
    if missing.matches(cell) { Some(f64::NAN) } else { value }
}

/// What is wrong with a cell that the schema does not allow, and what to try.
fn wrong_cell(known: Option<&ColumnKind>, cell: &str) -> String {
    let what = match known {
        Some(ColumnKind::Date(form)) => format!("date ({})", form.pattern),
        _ => "number".to_owned(),
    };
    let hint = match known {
        _ if same_truth_value(cell, "true") || same_truth_value(cell, "false") => {
            "; true and false as numbers are 1 and 0".to_owned()
        }
        Some(ColumnKind::Number(NumberForm { sign: Some(sign), .. })) if !cell.contains(*sign) => {
            format!("; the training data have {sign} in each cell")
        }
        Some(ColumnKind::Number(_)) if cell.contains(',') => {
            let (decimal, thousands) = (setting("decimal", ','), setting("thousands", ','));
            format!("; {decimal} or {thousands} says what its comma is")
        }
        Some(ColumnKind::Number(form)) if form.decimal_comma && cell.contains('.') => {
            let (thousands, decimal) = (setting("thousands", '.'), setting("decimal", '.'));
            format!("; its point may part thousands or decimals: {thousands} or {decimal} says which")
        }
        _ => String::new(),
    };
    format!("expected a {what}, found \"{}\": leave the cell empty if there is no value{hint}", brief(cell))
}

//! Detects how new rows differ from the training rows.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::cell::{brief, canonical_level, parse_number, rounded, same_truth_value};
use super::date::DateForm;
use super::feature::{Encoding, Feature};
use super::known::{Known, normal_form};
use super::number::{NumberForm, may_be_grouped};
use super::table::{Column, MISSING, Table};
use crate::option_text::setting;
use crate::warning::of as counted;
use crate::{Warning, WarningKind};

/// Least number of rows for the warning that a whole column is shifted.
const FEW_ROWS: u64 = 20;
/// A value is of another unit only if it is outside the range by this factor, as values a little outside are usual.
const CLEARLY: f64 = 20.0;
/// A column that was left out because it was constant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Constant {
    /// Name of the column.
    pub column: String,
    /// Its value as text; a date in ISO 8601.
    pub value: String,
    /// The number format, if it is not the usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<NumberForm>,
    /// The date format, if the column holds dates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dates: Option<DateForm>,
}

/// Accumulates how rows differ from the training rows, in bounded memory.
pub(super) struct Drift<'a> {
    /// One feature for each column.
    features: Vec<&'a Feature>,
    constants: &'a [Constant],
    rows: u64,
    columns: Vec<Counts>,
    moved: Vec<(u64, String)>,
}

/// Findings in one column.
#[derive(Debug, Clone, Default)]
struct Counts {
    missing: u64,
    /// Number of cells far outside the range.
    far: u64,
    /// The value farthest outside.
    farthest: Option<f64>,
    /// Numbers of values below and above the central 98 % of the training rows.
    below: u64,
    above: u64,
    /// Number of cells outside the range that would be within it a thousand times larger or smaller.
    thousandfold: u64,
    /// Number of decimals where training had whole numbers, and of those whose point may part thousands; and the first one.
    decimals: u64,
    grouped: u64,
    decimal: Option<f64>,
    /// Number of cells whose level is new, and the first such level.
    unseen: u64,
    new_level: Option<String>,
    /// Number of cells whose level is known in a different spelling, and the first such pair.
    respelled: u64,
    pair: Option<(String, String)>,
}

impl<'a> Drift<'a> {
    pub(super) fn new(features: &'a [Feature], constants: &'a [Constant]) -> Self {
        let mut known = HashSet::new();
        let features: Vec<&Feature> = features.iter().filter(|feature| known.insert(&feature.column)).collect();
        let columns = vec![Counts::default(); features.len()];
        Self { features, constants, rows: 0, columns, moved: vec![(0, String::new()); constants.len()] }
    }

    /// Adds rows of a table; all rows if `rows` is `None`.
    pub(super) fn observe(&mut self, table: &Table, rows: Option<&[u32]>) {
        let count = rows.map_or(table.rows(), <[u32]>::len);
        let row_at = |at: usize| rows.map_or(at, |rows| rows[at] as usize);
        self.rows += count as u64;
        let columns = table.by_name();
        for (feature, counts) in self.features.iter().zip(&mut self.columns) {
            let (Some(known), Some(column)) = (&feature.known, columns.get(feature.column.as_str())) else { continue };
            counts.observe(feature, known, column, (0..count).map(row_at));
        }
        for (constant, (moved, other)) in self.constants.iter().zip(&mut self.moved) {
            let Some(column) = columns.get(constant.column.as_str()) else { continue };
            for cell in (0..count).filter_map(|at| column.cell(row_at(at))).filter(|cell| !constant.is(cell)) {
                if *moved == 0 {
                    *other = cell.into_owned();
                }
                *moved += 1;
            }
        }
    }

    /// One warning for each column and kind of difference.
    pub(super) fn warnings(&self) -> Vec<Warning> {
        let columns = self.features.iter().zip(&self.columns);
        let mut warnings: Vec<Warning> = columns
            .filter_map(|(f, counts)| Some((f, counts, f.known.as_ref()?)))
            .flat_map(|(feature, counts, known)| counts.warnings(feature, known, self.rows))
            .collect();
        for (constant, (moved, other)) in self.constants.iter().zip(&self.moved).filter(|(_, (moved, _))| *moved > 0) {
            let (column, value, other) = (&constant.column, brief(&constant.value), brief(other));
            let then = match &*value {
                "" => "had no value in training, and has some".to_owned(),
                value => format!("was {value} wherever it had a value in training, and has others"),
            };
            let rows = counted(*moved, "row");
            let message =
                format!("column \"{column}\" {then} in {rows} (\"{other}\"): the model does not look at them");
            warnings.push(Warning::new(WarningKind::ConstantMoved, message).column(column).count(*moved as usize));
        }
        warnings
    }
}

/// Whether far more values are missing than in training, where the share `before` was missing. With at least 20 rows,
/// more than three times that share plus 0.1 counts as such; with at least three rows, all of them if fewer than half
/// were missing in training.
fn is_many(missing: u64, rows: u64, before: f64) -> bool {
    let share = missing as f64 / rows.max(1) as f64;
    (rows >= FEW_ROWS && share > 3.0 * before + 0.1) || (rows >= 3 && missing == rows && before < 0.5)
}

impl Constant {
    /// A constant whose cells have no special format.
    pub(super) fn plain(column: &str, value: String) -> Constant {
        Constant { column: column.to_owned(), value, form: None, dates: None }
    }

    fn is(&self, cell: &str) -> bool {
        let number = match &self.form {
            Some(form) => form.parse(cell).or_else(|| parse_number(cell)),
            None => parse_number(cell),
        };
        let same_number = match (number, parse_number(&self.value)) {
            (Some(a), Some(b)) => (a - b).abs() <= 1e-12 * a.abs().max(b.abs()),
            _ => false,
        };
        let same_date =
            |form: &DateForm| form.parse_or_iso(cell).is_some_and(|value| form.written(value) == self.value);
        cell == self.value || same_number || self.dates.as_ref().is_some_and(same_date)
    }
}

impl Counts {
    fn observe(
        &mut self,
        feature: &Feature,
        known: &Known,
        column: &Column,
        rows: impl Iterator<Item = usize> + Clone,
    ) {
        self.missing += rows.clone().filter(|row| column.is_missing(*row)).count() as u64;
        match (known, column) {
            (Known::Numbers { min, low, high, max, whole, .. }, Column::Numbers(values)) => {
                let (reach, dates) = (max - min, matches!(feature.encoding, Encoding::Date { .. }));
                for value in rows.map(|row| values[row]).filter(|value| !value.is_nan()) {
                    self.below += u64::from(value < *low);
                    self.above += u64::from(value > *high);
                    let outside = (min - value).max(value - max);
                    let within = |value: f64| (*min..=*max).contains(&value);
                    let low = within(value * 1e3) && value.abs() * CLEARLY < min.abs() && outside > 0.0;
                    let high = within(value / 1e3) && value.abs() > CLEARLY * min.abs().max(max.abs());
                    self.thousandfold += u64::from(low || high);
                    if *whole && value.fract() != 0.0 && !dates {
                        self.decimals += 1;
                        self.grouped += u64::from(may_be_grouped(&value) && within(value * 1e3));
                        self.decimal.get_or_insert(value);
                    }
                    // Later dates are expected.
                    if outside > reach && !(dates && value > *max) {
                        self.far += 1;
                        let farther = self.farthest.is_none_or(|f: f64| outside > (min - f).max(f - max));
                        self.farthest = if farther { Some(value) } else { self.farthest };
                    }
                }
            }
            (Known::Levels { .. }, column) => {
                let Encoding::Category { levels, numeric, .. } = &feature.encoding else { return };
                self.observe_levels(known, levels, *numeric, &column.as_text(), rows);
            }
            _ => {}
        }
    }

    fn observe_levels(
        &mut self,
        known: &Known,
        own: &[String],
        numeric: bool,
        column: &Column,
        rows: impl Iterator<Item = usize>,
    ) {
        let Known::Levels { rare, more, .. } = known else { return };
        let Column::Text { codes, levels } = column else { return };
        let (places, names) = (known.spellings(own), own.iter().map(String::as_str).collect::<HashSet<&str>>());
        let is_known = |level: &String| {
            let level = canonical_level(level, numeric);
            names.contains(level.as_ref()) || rare.binary_search_by(|l| l.as_str().cmp(&level)).is_ok()
        };
        let like = |level: &String| places.get(&normal_form(level)).map(|place| own[*place].clone());
        let fate = |level: &String| match like(level) {
            _ if is_known(level) => (true, None),
            Some(own) if same_truth_value(&own, level) => (true, None),
            like => (false, like),
        };
        let fates: Vec<(bool, Option<String>)> = levels.iter().map(fate).collect();
        for code in rows.map(|row| codes[row]).filter(|code| *code != MISSING) {
            let level = &levels[code as usize];
            match &fates[code as usize] {
                (true, _) => {}
                (false, Some(own)) => {
                    self.respelled += 1;
                    self.pair.get_or_insert_with(|| (level.clone(), own.clone()));
                }
                (false, None) if *more => {} // may be one of the rare levels that are not stored
                (false, None) => {
                    self.unseen += 1;
                    self.new_level.get_or_insert_with(|| level.clone());
                }
            }
        }
    }

    fn warnings(&self, feature: &Feature, known: &Known, rows: u64) -> Vec<Warning> {
        let name = &feature.column;
        let of = |kind, count: u64, message: String| Warning::new(kind, message).column(name).count(count as usize);
        let mut warnings: Vec<Warning> = self.place(feature, known, rows).into_iter().collect();
        if self.missing > 0 && known.missing() == 0.0 {
            let message = format!(
                "column \"{name}\": no value in {} of {rows} rows, which never happened in training",
                self.missing
            );
            warnings.push(of(WarningKind::MissingNow, self.missing, message));
        } else if is_many(self.missing, rows, known.missing()) {
            let message = format!(
                "column \"{name}\": no value in {} of {rows} rows, but only in {:.1} % of the training rows",
                self.missing,
                100.0 * known.missing()
            );
            warnings.push(of(WarningKind::MissingNow, self.missing, message));
        }
        if let Some(value) = self.decimal.filter(|_| self.grouped == self.decimals && !feature.form.decimal_comma) {
            let (cells, remedy) = (counted(self.decimals, "value"), setting("thousands", '.'));
            let message = format!(
                "column \"{name}\": {cells} with decimals ({value}), where training had whole numbers: if points part thousands, {remedy} says so"
            );
            warnings.push(of(WarningKind::Other, self.decimals, message));
        }
        if let Some(level) = &self.new_level {
            let cells = counted(self.unseen, "cell");
            let level = brief(level);
            let message = format!("column \"{name}\": {cells} with a level that training did not see (\"{level}\")");
            warnings.push(of(WarningKind::UnseenLevels, self.unseen, message));
        }
        if let Some((found, own)) = &self.pair {
            let cells = counted(self.respelled, "cell");
            let message = format!(
                "column \"{name}\": {cells} taken for a level that differs only in case, blanks or decimals (\"{found}\" for \
                 \"{own}\")"
            );
            warnings.push(of(WarningKind::LevelSpelling, self.respelled, message));
        }
        warnings
    }

    /// The warning about numbers that differ from those of training: in the whole column, or in some rows.
    fn place(&self, feature: &Feature, known: &Known, rows: u64) -> Option<Warning> {
        let Known::Numbers { low, high, min, max, .. } = known else { return None };
        let name = &feature.column;
        let is_date = matches!(feature.encoding, Encoding::Date { .. });
        let written = |value: f64| match &feature.encoding {
            Encoding::Date { form, .. } => form.written(value),
            _ => rounded(value),
        };
        let present = rows - self.missing;
        // Of a few rows all must be outside, as where points part thousands that were commas in training.
        let other_unit = present > 0 && self.thousandfold == present;
        let shifted = other_unit || (present >= FEW_ROWS && 2 * self.below.max(self.above) > present);
        let (kind, count, message) = if shifted && !(is_date && self.above > self.below) {
            let (side, count) = if self.above > self.below { ("above", self.above) } else { ("below", self.below) };
            let (low, high) = (written(*low), written(*high));
            let message = format!(
                "column \"{name}\" is shifted: {count} of {rows} values lie {side} the range {low} to {high} of 98 % of the \
                 training rows: is the unit the same?"
            );
            (WarningKind::ColumnShifted, count, message)
        } else {
            let (min, max, farthest) = (written(*min), written(*max), written(self.farthest?));
            let values = counted(self.far, "value");
            let message = format!(
                "column \"{name}\": {values} far outside the range {min} to {max} of the training rows ({farthest})"
            );
            (WarningKind::OutOfRange, self.far, message)
        };
        Some(Warning::new(kind, message).column(name).count(count as usize))
    }
}

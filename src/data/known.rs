//! What a model knows of its columns, and how new rows differ from that.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::feature::{Encoding, Feature, Summary};
use super::table::{Column, MISSING, Table, canonical_level, format_number, parse_number};
use crate::warning::of as counted;
use crate::{Warning, WarningKind};

/// Rare levels that are stored by name.
const MOST_RARE: usize = 1000;
/// Rows below which a column is not said to be shifted as a whole.
const FEW_ROWS: u64 = 20;
/// The quantiles between which nearly all values lie.
const BULK: (f64, f64) = (0.01, 0.99);

/// What is known of a column in the training rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Known {
    /// Of numbers, and of the numbers of dates.
    Numbers {
        /// Smallest.
        min: f64,
        /// The 1 % quantile.
        low: f64,
        /// The 99 % quantile.
        high: f64,
        /// Largest.
        max: f64,
        /// Share of the rows without a value.
        missing: f64,
    },
    /// Of categories.
    Levels {
        /// Levels without an input of their own.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        rare: Vec<String>,
        /// Whether there were more of them than are stored.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        more: bool,
        /// Share of the rows without a value.
        missing: f64,
    },
}

impl Known {
    /// Of the values of the training rows, NaN where missing.
    pub(super) fn of_numbers(summary: &Summary, rows: usize) -> Self {
        let present = summary.sorted().len();
        Known::Numbers {
            min: summary.min(),
            low: summary.quantile(BULK.0),
            high: summary.quantile(BULK.1),
            max: summary.max(),
            missing: 1.0 - present as f64 / rows.max(1) as f64,
        }
    }

    /// Of the levels that occur in the training rows, beside those that have an input.
    pub(super) fn of_levels(seen: &[&String], inputs: &[String], missing: f64) -> Self {
        let own: std::collections::HashSet<&String> = inputs.iter().collect();
        let mut rare: Vec<String> = seen.iter().filter(|level| !own.contains(*level)).map(|l| (*l).clone()).collect();
        rare.sort_unstable();
        let more = rare.len() > MOST_RARE;
        rare.truncate(MOST_RARE);
        Known::Levels { rare, more, missing }
    }

    /// The place of each level by its normal form, where no other level has the same.
    pub(super) fn spellings(&self, levels: &[String]) -> HashMap<String, usize> {
        let Known::Levels { rare, .. } = self else { return HashMap::new() };
        let mut places: HashMap<String, Option<usize>> = HashMap::new();
        let all = levels.iter().enumerate().map(|(place, level)| (level, Some(place)));
        for (level, place) in all.chain(rare.iter().map(|level| (level, None))) {
            places.entry(normal_form(level)).and_modify(|found| *found = None).or_insert(place);
        }
        places.into_iter().filter_map(|(form, place)| Some((form, place?))).collect()
    }

    fn missing(&self) -> f64 {
        match self {
            Known::Numbers { missing, .. } | Known::Levels { missing, .. } => *missing,
        }
    }
}

/// A level without what often changes between programs: case, blanks, `1.0` for `1`.
pub(super) fn normal_form(level: &str) -> String {
    let level = canonical_level(level, true);
    level.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// A column that was left out because it had one value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Constant {
    /// The column.
    pub column: String,
    /// Its value as text.
    pub value: String,
}

/// Follows how rows differ from those of training, in bounded memory.
pub(super) struct Drift<'a> {
    features: &'a [Feature],
    constants: &'a [Constant],
    rows: u64,
    columns: Vec<Counts>,
    moved: Vec<(u64, String)>,
}

/// What was found in one column.
#[derive(Debug, Clone, Default)]
struct Counts {
    missing: u64,
    /// Cells far outside the range.
    far: u64,
    /// The value farthest outside.
    farthest: Option<f64>,
    /// Values below, and above, the bulk of the training rows.
    below: u64,
    above: u64,
    /// Cells whose level is new, and the first such level.
    unseen: u64,
    new_level: Option<String>,
    /// Cells whose level is known in another spelling, and the first such pair.
    respelled: u64,
    pair: Option<(String, String)>,
}

impl<'a> Drift<'a> {
    pub(super) fn new(features: &'a [Feature], constants: &'a [Constant]) -> Self {
        let columns = vec![Counts::default(); features.len()];
        Self { features, constants, rows: 0, columns, moved: vec![(0, String::new()); constants.len()] }
    }

    /// Takes in rows of a table; of all rows where `rows` is none.
    pub(super) fn observe(&mut self, table: &Table, rows: Option<&[u32]>) {
        let count = rows.map_or(table.rows(), <[u32]>::len);
        let row_at = |at: usize| rows.map_or(at, |rows| rows[at] as usize);
        self.rows += count as u64;
        for (feature, counts) in self.features.iter().zip(&mut self.columns) {
            let (Some(known), Some(column)) = (&feature.known, table.column(&feature.column)) else { continue };
            counts.observe(feature, known, column, (0..count).map(row_at));
        }
        for (constant, (moved, other)) in self.constants.iter().zip(&mut self.moved) {
            let Some(column) = table.column(&constant.column) else { continue };
            for cell in (0..count).filter_map(|at| column.cell(row_at(at))).filter(|cell| !constant.is(cell)) {
                if *moved == 0 {
                    *other = cell.into_owned();
                }
                *moved += 1;
            }
        }
    }

    /// What was found, one warning for each column and kind.
    pub(super) fn warnings(&self) -> Vec<Warning> {
        let columns = self.features.iter().zip(&self.columns);
        let mut warnings: Vec<Warning> = columns
            .filter_map(|(f, counts)| Some((f, counts, f.known.as_ref()?)))
            .flat_map(|(feature, counts, known)| counts.warnings(feature, known, self.rows))
            .collect();
        for (constant, (moved, other)) in self.constants.iter().zip(&self.moved).filter(|(_, (moved, _))| *moved > 0) {
            let Constant { column, value } = constant;
            let message = format!(
                "column \"{column}\" was {value} in all training rows and is left out, but has other values in {} \
                 (\"{other}\"): the model does not know what they mean",
                counted(*moved, "row")
            );
            warnings.push(Warning::new(WarningKind::ConstantMoved, message).column(column).count(*moved as usize));
        }
        warnings
    }
}

impl Constant {
    fn is(&self, cell: &str) -> bool {
        cell == self.value
            || match (parse_number(cell), parse_number(&self.value)) {
                (Some(a), Some(b)) => (a - b).abs() <= 1e-12 * a.abs().max(b.abs()),
                _ => false,
            }
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
            (Known::Numbers { min, low, high, max, .. }, Column::Numbers(values)) => {
                let (reach, dates) = (max - min, matches!(feature.encoding, Encoding::Date { .. }));
                for value in rows.map(|row| values[row]).filter(|value| !value.is_nan()) {
                    self.below += u64::from(value < *low);
                    self.above += u64::from(value > *high);
                    let outside = (min - value).max(value - max);
                    // A later date is to be expected.
                    if outside > reach && !(dates && value > *max) {
                        self.far += 1;
                        let farther = self.farthest.is_none_or(|f: f64| outside > (min - f).max(f - max));
                        self.farthest = if farther { Some(value) } else { self.farthest };
                    }
                }
            }
            (Known::Levels { rare, more, .. }, column) => {
                let Encoding::Category { levels, numeric, .. } = &feature.encoding else { return };
                self.observe_levels(known, (levels, rare), (*numeric, *more), &column.as_text(), rows);
            }
            _ => {}
        }
    }

    fn observe_levels(
        &mut self,
        known: &Known,
        (own, rare): (&[String], &[String]),
        (numeric, more): (bool, bool),
        column: &Column,
        rows: impl Iterator<Item = usize>,
    ) {
        let Column::Text { codes, levels } = column else { return };
        let places = known.spellings(own);
        let is_known = |level: &String| {
            let level = canonical_level(level, numeric);
            own.iter().any(|l| *l == level) || rare.binary_search_by(|l| l.as_str().cmp(&level)).is_ok()
        };
        let like = |level: &String| places.get(&normal_form(level)).map(|place| own[*place].clone());
        let fates: Vec<(bool, Option<String>)> =
            levels.iter().map(|level| if is_known(level) { (true, None) } else { (false, like(level)) }).collect();
        for code in rows.map(|row| codes[row]).filter(|code| *code != MISSING) {
            let level = &levels[code as usize];
            match &fates[code as usize] {
                (true, _) => {}
                (false, Some(own)) => {
                    self.respelled += 1;
                    self.pair.get_or_insert_with(|| (level.clone(), own.clone()));
                }
                (false, None) if more => {} // it may be one of the rare levels that are not stored
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
        let mut warnings = Vec::new();
        let written = |value: f64| match &feature.encoding {
            Encoding::Date { form, .. } => form.written(value),
            _ => format_number(value),
        };
        if let Known::Numbers { low, high, min, max, .. } = known {
            let present = rows - self.missing;
            let shifted = present >= FEW_ROWS && 2 * self.below.max(self.above) > present;
            if shifted && !(matches!(feature.encoding, Encoding::Date { .. }) && self.above > self.below) {
                let (side, count) = if self.above > self.below { ("above", self.above) } else { ("below", self.below) };
                let (low, high) = (written(*low), written(*high));
                let message = format!(
                    "column \"{name}\" is shifted: {count} of {rows} values lie {side} the range {low} to {high} of 98 % of \
                     the training rows: is the unit the same?"
                );
                warnings.push(of(WarningKind::ColumnShifted, count, message));
            } else if self.far > 0 {
                let (min, max) = (written(*min), written(*max));
                let farthest = written(self.farthest.unwrap_or(f64::NAN));
                let message = format!(
                    "column \"{name}\": {} far outside the range {min} to {max} of the training rows ({farthest})",
                    counted(self.far, "value")
                );
                warnings.push(of(WarningKind::OutOfRange, self.far, message));
            }
        }
        if self.missing > 0 && known.missing() == 0.0 {
            let message = format!(
                "column \"{name}\": no value in {} of {rows} rows, which never happened in training",
                self.missing
            );
            warnings.push(of(WarningKind::MissingNow, self.missing, message));
        }
        if let Some(level) = &self.new_level {
            let message = format!(
                "column \"{name}\": {} with a level that training did not see (\"{level}\")",
                counted(self.unseen, "cell")
            );
            warnings.push(of(WarningKind::UnseenLevels, self.unseen, message));
        }
        if let Some((found, own)) = &self.pair {
            let message = format!(
                "column \"{name}\": {} taken for a level that differs only in case, blanks or decimals (\"{found}\" for \"{own}\")",
                counted(self.respelled, "cell")
            );
            warnings.push(of(WarningKind::LevelSpelling, self.respelled, message));
        }
        warnings
    }
}

//! Fits one column to the training rows.

use super::cell::{brief, format_number, parse_number};
use super::date::DateForm;
use super::drift::Constant;
use super::feature::{Encoding, Feature};
use super::known::Known;
use super::levels::{Coding, LevelNumbers, LevelOptions};
use super::number::NumberForm;
use super::options::{Impute, Scaling};
use super::shape::Shape;
use super::spelling::stray_among_numbers;
use super::statistics::NumberSummary;
use super::table::{Column, ColumnKind, MISSING, MissingMarkers, Table};
use super::targets::Targets;
use super::value::EXACT;
use crate::option_text::quoted;
use crate::{Error, Result, Warning, WarningKind};

/// Number of rows from which on a column of distinct integers may be an identifier.
const ROWS_OF_AN_IDENTIFIER: usize = 20;
/// Number of rows from which on an unnamed column 0, 1, 2, … is taken as numbering the rows.
const ROWS_THAT_COUNT: usize = 3;

/// How a preprocessing is fitted.
#[derive(Debug, Clone, PartialEq)]
pub struct PreprocessingOptions {
    /// Scaling of number columns.
    pub scale: Scaling,
    /// Replacement for missing numbers.
    pub impute: Impute,
    /// Whether targets of a regression are standardised.
    pub scale_target: bool,
    /// Texts that stand for a missing value.
    pub missing: MissingMarkers,
    /// Upper limit of the levels of a one-hot category that have an input of their own.
    pub most_levels: usize,
    /// Which categories become numbers of levels.
    pub level_numbers: Option<LevelNumbers>,
    /// Whether a category with two levels becomes one input.
    pub binary_column: bool,
    /// Whether a regression's predictions stay within the range of its training targets.
    pub clamp: bool,
    /// Seed of the noise that separates equal values.
    pub seed: u64,
}

impl PreprocessingOptions {
    /// The options for levels. `numeric`: whether the levels are numbers.
    fn levels<'a>(&self, numeric: bool, targets: Option<&'a Targets>) -> LevelOptions<'a> {
        LevelOptions {
            numeric,
            most: self.most_levels,
            numbers: self.level_numbers,
            targets,
            single: self.binary_column,
            clipped: self.scale == Scaling::RobustClip,
        }
    }
}

/// The result of fitting a column.
#[derive(Debug, Default)]
pub(super) struct Fitted {
    /// The feature; `None` if the column is left out.
    pub(super) feature: Option<Feature>,
    /// The constant value, if the column has only one.
    pub(super) constant: Option<Constant>,
    /// A warning for the user.
    pub(super) warning: Option<Warning>,
}

/// The user's options for a column.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ColumnWishes {
    /// Whether it is categorical.
    pub(super) categorical: bool,
    /// Whether it must not be left out.
    pub(super) keep: bool,
    /// Whether it has no name of its own.
    pub(super) nameless: bool,
    /// Whether it is the only input. Then it is not an identifier.
    pub(super) alone: bool,
    /// Whether cells that are not numbers count as missing.
    pub(super) lenient: bool,
}

/// Fits one column to the training rows `rows`, which are in ascending order. `targets` are the targets of these rows,
/// if levels may become numbers.
pub(super) fn fit_column(
    table: &Table,
    index: usize,
    wishes: ColumnWishes,
    (rows, targets): (&[u32], Option<&Targets>),
    options: &PreprocessingOptions,
) -> Result<Fitted> {
    let (name, column) = (&table.names[index], &table.columns[index]);
    if rows.iter().all(|&row| column.is_missing(row as usize)) {
        let message = format!("column \"{name}\" has no value in any training row: left out");
        let constant = Constant::plain(name, String::new());
        let warning = Warning::new(WarningKind::EmptyColumn, message).column(name);
        return Ok(Fitted { constant: Some(constant), ..left_out(warning) });
    }
    if !wishes.keep
        && !wishes.categorical
        && counts_rows(table, index, rows)
        && (wishes.nameless || name.starts_with("Unnamed:"))
    {
        return Ok(left_out(row_number(name)));
    }
    match (column, &table.kinds[index]) {
        (Column::Numbers(values), ColumnKind::Date(form)) if !wishes.categorical => {
            let mut fitted = fit_date(table, index, values, form, rows, options)?;
            fitted.feature.iter_mut().for_each(|feature| feature.lenient = wishes.lenient);
            Ok(fitted)
        }
        (Column::Numbers(values), kind) if !wishes.categorical => {
            let form = if let ColumnKind::Number(form) = kind { *form } else { NumberForm::default() };
            let mut fitted = fit_number(table, index, values, form, rows, options)?;
            if let Some(feature) = &mut fitted.feature {
                feature.lenient = wishes.lenient;
                fitted.warning =
                    identifier(table, index, wishes.nameless, rows).filter(|_| !wishes.keep && !wishes.alone);
            }
            Ok(fitted)
        }
        _ => {
            let text = column.as_text();
            let Column::Text { codes, levels } = text.as_ref() else { unreachable!("the column is text") };
            Ok(fit_text(
                name,
                codes,
                levels,
                rows,
                wishes,
                options.levels(matches!(column, Column::Numbers(_)), targets),
            ))
        }
    }
}

fn row_number(name: &str) -> Warning {
    let message = format!(
        "column \"{name}\" has no name and counts the rows (a row number, as of a data frame's index): left out; {} keeps it",
        quoted("keep_column", name)
    );
    Warning::new(WarningKind::RowNumber, message).column(name)
}

fn left_out(warning: Warning) -> Fitted {
    Fitted { warning: Some(warning), ..Fitted::default() }
}

/// A constant column. It tells a network nothing, and the network could not interpret other values later.
fn constant(name: &str, value: String, nearly: bool) -> Fitted {
    // A column of zeros is common for counts and pixels and needs no warning.
    let warning = (value != "0" || nearly).then(|| {
        let about = if nearly { "nearly " } else { "" };
        let message = format!("column \"{name}\" is {about}{} in all training rows: left out", brief(&value));
        Warning::new(WarningKind::ConstantColumn, message).column(name)
    });
    Fitted { feature: None, constant: Some(Constant::plain(name, value)), warning }
}

fn feature(name: &str, encoding: Encoding, form: NumberForm, known: Known) -> Feature {
    Feature { column: name.to_owned(), encoding, form, lenient: false, known: Some(known) }
}

fn fit_number(
    table: &Table,
    index: usize,
    values: &[f64],
    form: NumberForm,
    rows: &[u32],
    options: &PreprocessingOptions,
) -> Result<Fitted> {
    let name = &table.names[index];
    let of_rows: Vec<f64> = rows.iter().map(|&row| values[row as usize]).collect();
    let summary = NumberSummary::of(of_rows);
    let known = Known::of_numbers(&summary, rows.len());
    if summary.is_constant() {
        // Beyond 2⁵³, distinct integers may have become equal.
        let nearly = summary.range() != 0.0 || summary.max().abs() >= EXACT;
        let mut fitted = constant(name, format_number(summary.quantile(0.5)), nearly);
        fitted.constant.iter_mut().for_each(|constant| constant.form = Some(form).filter(|form| !form.is_plain()));
        if summary.sorted().len() < rows.len() {
            // Whether a value is missing may still be informative.
            let (levels, coding) = (Vec::new(), Coding::default());
            let missing = Encoding::Category { levels, other: false, missing: true, numeric: true, coding };
            fitted.feature = Some(Feature { known: None, ..feature(name, missing, form, known) });
            fitted.warning = None;
        }
        return Ok(fitted);
    }
    let has_missing = summary.sorted().len() < rows.len();
    let mut encoding = Encoding::fit_numbers(&summary, has_missing, options.scale, options.impute);
    let Encoding::Number { fill, center, scale, shape, .. } = &mut encoding else {
        unreachable!("the column is numbers")
    };
    let mut fitted = vec![*fill, *center, *scale];
    if options.scale == Scaling::Quantile {
        fitted.push(summary.sd);
        *shape = Shape::normal(&summary, options.seed, index);
    }
    if !fitted.iter().all(|value| value.is_finite()) {
        let message = "the numbers are too large: their statistics are not finite";
        return Err(Error::data_at(&table.path, None, Some(name), message));
    }
    Ok(Fitted { feature: Some(feature(name, encoding, form, known)), ..Fitted::default() })
}

fn fit_date(
    table: &Table,
    index: usize,
    values: &[f64],
    form: &DateForm,
    rows: &[u32],
    options: &PreprocessingOptions,
) -> Result<Fitted> {
    let mut fitted = fit_number(table, index, values, NumberForm::default(), rows, options)?;
    if let Some(day) = fitted.constant.take() {
        let written = form.written(day.value.parse().unwrap_or(f64::NAN));
        let Fitted { constant, warning, .. } = constant(&table.names[index], written, false);
        fitted.constant = constant.map(|constant| Constant { dates: Some(form.clone()), ..constant });
        fitted.warning = fitted.warning.and(warning);
    }
    if let Some(feature) = &mut fitted.feature
        && let (Encoding::Number { fill, indicator, center, scale, shape }, Some(Known::Numbers { min, max, .. })) =
            (feature.encoding.clone(), &feature.known)
    {
        let cycles = form.cycles(*min, *max);
        feature.encoding = Encoding::Date { form: form.clone(), cycles, fill, indicator, center, scale, shape };
    }
    Ok(fitted)
}

/// Whether a column increases by one from row to row of the file.
fn counts_up(table: &Table, index: usize, rows: &[u32]) -> bool {
    let Column::Numbers(values) = &table.columns[index] else { return false };
    let offset = |row: u32| values[row as usize] - f64::from(row);
    rows.iter().all(|&row| offset(row) == offset(rows[0]))
}

/// As [`counts_up`], starting at 0 or 1.
fn counts_rows(table: &Table, index: usize, rows: &[u32]) -> bool {
    let Column::Numbers(values) = &table.columns[index] else { return false };
    let first = values[rows[0] as usize] - f64::from(rows[0]);
    rows.len() >= ROWS_THAT_COUNT && (first == 0.0 || first == 1.0) && counts_up(table, index, rows)
}

/// The warning about a number column that looks like an identifier: distinct integers that increase by one, or that
/// have a name such as `id`, or no name.
fn identifier(table: &Table, index: usize, nameless: bool, rows: &[u32]) -> Option<Warning> {
    let Column::Numbers(values) = &table.columns[index] else { return None };
    let name = &table.names[index];
    if rows.len() < ROWS_OF_AN_IDENTIFIER || rows.iter().any(|&row| values[row as usize].fract() != 0.0) {
        return None;
    }
    let different = || {
        let mut sorted: Vec<f64> = rows.iter().map(|&row| values[row as usize]).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        sorted.windows(2).all(|pair| pair[0] != pair[1])
    };
    if let Some(warning) = lost_digits(name, values, rows) {
        return Some(warning);
    }
    let counts = !is_time(name) && counts_up(table, index, rows);
    let unnamed = table.named && (nameless || name.starts_with("Unnamed:"));
    (counts || ((unnamed || is_named_like_one(name)) && different())).then(|| {
        let message = format!(
            "column \"{name}\" looks like an identifier (a different whole number in each row) and is kept: {} leaves \
             it out, {} silences this",
            quoted("ignore", name),
            quoted("keep_column", name)
        );
        Warning::new(WarningKind::Identifier, message).column(name)
    })
}

/// The warning about integers of 16 to 20 digits whose last digits are lost. Such numbers are usually identifiers.
fn lost_digits(name: &str, values: &[f64], rows: &[u32]) -> Option<Warning> {
    let present = || rows.iter().map(|row| values[*row as usize]).filter(|value| !value.is_nan());
    let is_long = |value: f64| (EXACT..1e20).contains(&value.abs());
    // Measurements of this size are round numbers.
    let is_long = present().all(is_long) && present().any(|value| value % 1000.0 != 0.0);
    is_long.then(|| {
        let message = format!(
            "column \"{name}\" has whole numbers beyond 2^53, which a number holds without their last digits, and is kept: {} \
             leaves it out, {} takes it for text, {} silences this",
            quoted("ignore", name),
            quoted("categorical", name),
            quoted("keep_column", name)
        );
        Warning::new(WarningKind::Identifier, message).column(name)
    })
}

/// Whether the name of a column that increases by one means a time.
fn is_time(name: &str) -> bool {
    const WORDS: [&str; 19] = [
        "t",
        "time",
        "timestamp",
        "step",
        "second",
        "minute",
        "hour",
        "day",
        "week",
        "month",
        "year",
        "date",
        "cycle",
        "lap",
        "round",
        "epoch",
        "iteration",
        "frame",
        "period",
    ];
    WORDS.contains(&name.to_lowercase().trim_end_matches('s'))
}

fn is_named_like_one(name: &str) -> bool {
    const WORDS: [&str; 8] = ["id", "uid", "uuid", "guid", "index", "idx", "key", "rownum"];
    let camel = name.ends_with("Id") || (name.ends_with("ID") && name.len() > 2);
    let lower = name.to_lowercase();
    let mut words = lower.split(|c: char| !c.is_alphanumeric());
    camel || words.any(|word| WORDS.contains(&word))
}

fn fit_text(
    name: &str,
    codes: &[u32],
    levels: &[String],
    rows: &[u32],
    wishes: ColumnWishes,
    how: LevelOptions<'_>,
) -> Fitted {
    let mut seen = vec![false; levels.len()];
    let mut present = 0;
    for code in rows.iter().map(|&row| codes[row as usize]).filter(|&code| code != MISSING) {
        seen[code as usize] = true;
        present += 1;
    }
    let seen: Vec<&String> = levels.iter().zip(seen).filter(|(_, seen)| *seen).map(|(level, _)| level).collect();
    let distinct = seen.len();
    if distinct == 1 && present == rows.len() {
        return constant(name, seen[0].clone(), false);
    }
    if !wishes.categorical && !wishes.keep && 2 * distinct > present {
        let message = format!(
            "column \"{name}\" is text with {distinct} different values in {present} training rows: left out; {} keeps it",
            quoted("categorical", name)
        );
        return left_out(Warning::new(WarningKind::ManyLevels, message).column(name).count(distinct));
    }
    let warning = stray_text(levels).filter(|_| !wishes.categorical).map(|stray| stray_among_numbers(name, stray));
    let encoding = Encoding::fit_levels(codes, levels, rows, how);
    let Encoding::Category { levels: inputs, .. } = &encoding else { unreachable!("levels are categories") };
    let known = Known::of_levels(&seen, inputs, 1.0 - present as f64 / rows.len() as f64);
    Fitted { feature: Some(feature(name, encoding, NumberForm::default(), known)), constant: None, warning }
}

/// The first level that is not a number, in a column with mostly numbers: a typing error, or an unknown missing marker.
pub(super) fn stray_text(levels: &[String]) -> Option<&String> {
    let numbers = levels.iter().filter(|level| parse_number(level).is_some()).count();
    (numbers >= 3 && 2 * numbers > levels.len()).then(|| levels.iter().find(|level| parse_number(level).is_none()))?
}

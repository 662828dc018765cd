//! Determines the kinds of the columns of a whole file: numbers in some form, dates, or text.

mod points;
mod reading;
mod said;

use rayon::prelude::*;

use super::builder::Origin;
use super::cell::{parse_number, shortened};
use super::codes::{codes_for_missing, totals_row};
use super::date::{self, DateForm};
use super::first_line::stands_for_a_value;
use super::labels::are_numbers;
use super::number::{Convention, NumberForm};
use super::oddities::{refuse_swallowed_rows, row_warnings};
use super::offsets::mixed_offsets;
use super::options::ReadOptions;
use super::raw_table::RawTable;
use super::spelling::of_text;
use super::table::{Column, ColumnKind, MISSING, Table};
use crate::option_text::{quoted, setting};
use crate::warning::of as counted;
use crate::{Error, Result, Warning, WarningKind};
use points::{by_all_columns, grouped_by_points, read_points_again, warn_of_points};
use reading::{Reading, are_plain, counted_levels, reading};
use said::Said;

/// A table with the kinds of its columns.
pub(super) struct Kinded {
    /// The table.
    pub(super) table: Table,
    /// Columns with cells that were unreadable and became missing.
    pub(super) unreadable: Vec<usize>,
    /// Columns of truth values in which several spellings were merged.
    pub(super) respelled: Vec<usize>,
    /// Notes on decisions, for the user.
    pub(super) notes: Vec<String>,
    /// Warnings for the user.
    pub(super) warnings: Vec<Warning>,
}

/// Columns, by number, whose cells keep their texts.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct KeptTexts<'a> {
    /// Labels: they never become dates, and never lose a cell to a missing value.
    pub(super) labels: &'a [usize],
    /// Columns that stay text.
    pub(super) texts: &'a [usize],
    /// Columns that nothing looks at: texts in them are not read.
    pub(super) unused: &'a [usize],
}

/// Determines the kinds of a file's columns.
///
/// # Errors
/// [`Error::Data`] for a column that is ambiguous, and for rows that a stray quote has merged.
pub(super) fn kinds(file: &mut RawTable, options: &ReadOptions, kept: KeptTexts<'_>) -> Result<Kinded> {
    let names = file.outline.names.clone();
    let asked = asked_dates(file, options)?;
    let stated = options.convention();
    read_as_text(file, options, kept, &asked)?;
    if stated.decimal_comma == Some(true) {
        read_points_again(file, options)?;
    }
    let read = |file: &RawTable, column: usize, convention: Convention| -> Result<Reading> {
        let Column::Text { codes, levels } = &file.columns[column] else { return Ok(Reading::Text) };
        if kept.texts.contains(&column) || kept.unused.contains(&column) {
            return Ok(Reading::Text);
        }
        let counted = counted_levels(codes, levels);
        match asked.iter().find(|(of, _)| *of == column) {
            Some((_, Some(form))) => as_asked(file, column, form),
            Some((_, None)) => Ok(Reading::Text),
            None => match reading(&counted, convention, kept.labels.contains(&column)) {
                // Points that cannot part thousands are decimal points, whatever other columns have.
                reading if !reading.is_whole() && stated.decimal_comma == Some(true) && are_plain(levels) => {
                    Ok(Reading::Number { form: NumberForm::default(), rows: codes.len(), of: codes.len() })
                }
                reading => Ok(reading),
            },
        }
    };
    let all: Vec<usize> = (0..names.len()).collect();
    let mut readings: Vec<Reading> = all.par_iter().map(|c| read(file, *c, stated)).collect::<Result<_>>()?;
    let signs = by_all_columns(file, options, stated, &mut readings, &read)?;
    readings.iter().enumerate().try_for_each(|(column, reading)| refuse_either(file, column, reading))?;
    refuse_units(file, kept.texts)?;
    if stated.decimal_comma.is_none() {
        match signs.decimal_comma {
            Some(true) => {
                grouped_by_points(file, options, &signs, &mut readings)?;
                (0..readings.len()).try_for_each(|column| refuse_either(file, column, &readings[column]))?;
            }
            _ => warn_of_points(file, options, &readings)?,
        }
    }
    apply(file, options, readings, kept)
}

/// Reads number and date columns again as text if they must not be numbers or dates.
fn read_as_text(
    file: &mut RawTable,
    options: &ReadOptions,
    kept: KeptTexts<'_>,
    asked: &[(usize, Option<DateForm>)],
) -> Result<()> {
    let all = 0..file.columns.len();
    let is_asked = |column: usize, form: bool| asked.iter().any(|(of, to)| *of == column && to.is_some() == form);
    let has_dates = |column: &usize| file.origins[*column].dates.is_some();
    let is_number = |column: &usize| matches!(file.columns[*column], Column::Numbers(_)) && !has_dates(column);
    // Date columns of a typed format that are labels, or that the user requested as text.
    let is_kept = |column: &usize| kept.labels.contains(column) || kept.texts.contains(column);
    let is_text = |column: &usize| is_kept(column) || is_asked(*column, false);
    let dates: Vec<usize> = all.clone().filter(has_dates).filter(is_text).collect();
    // Number columns that the option `dates` declares as dates, such as 20240229.
    let numbers: Vec<usize> = all.clone().filter(is_number).filter(|column| is_asked(*column, true)).collect();
    // Categories written as numbers whose spelling may matter: `01` differs from `1`, and long numbers may differ in
    // digits that a double does not hold.
    let is_code = |column: &usize| kept.texts.contains(column) && !file.origins[*column].plain;
    let codes: Vec<usize> = all.filter(is_number).filter(is_code).collect();
    read_again(file, options, dates, |_| true)?;
    read_again(file, options, numbers, |_| true)?;
    read_again(file, options, codes, |levels| !are_numbers(levels))
}

/// Reads columns again as text. The text replaces the column if `kept` is true of its levels.
fn read_again(
    file: &mut RawTable,
    options: &ReadOptions,
    columns: Vec<usize>,
    kept: impl Fn(&[String]) -> bool,
) -> Result<()> {
    for (text, column) in file.texts(&columns, &options.missing)?.into_iter().zip(columns) {
        if matches!(&text, Column::Text { levels, .. } if kept(levels)) {
            (file.columns[column], file.origins[column]) = (text, Origin::default());
        }
    }
    Ok(())
}

/// The columns named in the option `dates`, with their forms; `None` for text. Those whose form is to be found are left out.
///
/// # Errors
/// [`Error::Data`] for a column that the file does not have.
fn asked_dates(file: &RawTable, options: &ReadOptions) -> Result<Vec<(usize, Option<DateForm>)>> {
    let place = |name: &String| {
        let named = file.outline.names.iter().position(|n| n == name);
        named.ok_or_else(|| {
            let names = shortened(&file.outline.names);
            Error::data(&file.path, format!("there is no column \"{name}\"; the columns are {names}")).of("dates")
        })
    };
    let mut found = Vec::new();
    for asked in &options.dates {
        let column = place(&asked.column)?;
        if asked.form != "auto" {
            found.push((column, DateForm::of_pattern(&asked.form)));
        }
    }
    Ok(found)
}

/// The reading of a column whose date form the user specified.
fn as_asked(file: &RawTable, column: usize, form: &DateForm) -> Result<Reading> {
    let Column::Text { codes, levels } = &file.columns[column] else { return Ok(Reading::Text) };
    match levels.iter().position(|level| form.parse(level).is_none()) {
        None => Ok(Reading::Date { form: form.clone(), rows: codes.len(), of: codes.len() }),
        Some(wrong) => {
            let row = codes.iter().position(|code| *code as usize == wrong).unwrap_or(0);
            let message = format!("expected a date of the form {}, found \"{}\"", form.pattern, levels[wrong]);
            Err(file.error_at(row, column, message))
        }
    }
}

fn refuse_either(file: &RawTable, column: usize, reading: &Reading) -> Result<()> {
    let name = &file.outline.names[column];
    let message = match reading {
        Reading::EitherNumber(cell) => {
            let separator = if cell.contains(',') { ',' } else { '.' };
            let value = |decimal_comma: bool, thousands: Option<char>| {
                let bare = cell.trim_matches(|c: char| !c.is_ascii_digit());
                let form = NumberForm { decimal_comma, thousands, sign: None };
                form.parse(bare).map_or(cell.clone(), |value| value.to_string())
            };
            let (decimal, thousands) = (value(separator == ',', None), value(separator == '.', Some(separator)));
            let (as_decimal, as_thousands) = (setting("decimal", separator), setting("thousands", separator));
            format!("\"{cell}\" may be {decimal} or {thousands}: {as_decimal} or {as_thousands} says which")
        }
        Reading::EitherDate(patterns, cell) => date::ambiguous(name, patterns, cell),
        Reading::BothDates(form, other, cell) => format!(
            "most cells are dates of the form {form}, but \"{cell}\" fits {other} alone, so no day and month is sure: mend the cells, or {} \
             keeps the text",
            quoted("dates", format_args!("{name}=text"))
        ),
        _ => return Ok(()),
    };
    Err(Error::data_at(&file.path, None, Some(name), message))
}

/// Notes and warnings about the encoding, the layout and the rows of a file.
fn said_of_rows(file: &RawTable, options: &ReadOptions) -> (Vec<String>, Vec<Warning>) {
    let (mut notes, mut warnings) = (file.notes.clone(), file.warnings.clone());
    notes.extend(file.outline.notes.iter().cloned());
    let Some(text) = &file.text else { return (notes, warnings) };
    let guessed_quotes = options.quote.is_none().then_some(text.dialect.delimiter);
    warnings.extend(row_warnings(&file.path, &text.oddities, guessed_quotes));
    if let Some((count, line)) = text.oddities.comments {
        notes.push(format!(
            "comments: {} left out, begun with # (the first is line {line})",
            counted(count as u64, "line")
        ));
    }
    (notes, warnings)
}

/// Refuses a file whose first row has texts above numbers in several columns, as units below the names. A mark such as `-` is no unit;
/// the columns `texts` stay text.
fn refuse_units(file: &RawTable, texts: &[usize]) -> Result<()> {
    let stray = |(at, column): (usize, &Column)| -> Option<String> {
        if texts.contains(&at) {
            return None;
        }
        let Column::Text { codes, levels } = column else { return None };
        let first = *codes.first().filter(|code| **code != MISSING)?;
        let others = || levels.iter().enumerate().filter(|(at, _)| *at != first as usize).map(|(_, level)| level);
        let alone = codes[1..].iter().all(|code| *code != first) && codes.len() > 2 && levels.len() > 2;
        let cell = &levels[first as usize];
        let above_numbers = alone && parse_number(cell).is_none() && !stands_for_a_value(cell);
        (above_numbers && others().all(|level| parse_number(level).is_some())).then(|| cell.clone())
    };
    let found: Vec<String> = file.columns.iter().enumerate().filter_map(stray).collect();
    if !file.outline.named || found.len() < 2 {
        return Ok(());
    }
    let line = file.lines.first().copied().unwrap_or(0);
    let message = format!(
        "expected numbers as in all rows below, found {}: are they units, or a second line of names? Take the line away",
        shortened(&found)
    );
    Err(Error::data_at(&file.path, Some(line.into()), None, message))
}

/// Converts the columns according to their readings.
fn apply(file: &mut RawTable, options: &ReadOptions, readings: Vec<Reading>, kept: KeptTexts<'_>) -> Result<Kinded> {
    let (notes, warnings) = said_of_rows(file, options);
    let mut said = Said { notes, warnings, unreadable: Vec::new(), respelled: Vec::new() };
    let mut kinds = Vec::with_capacity(readings.len());
    for (column, reading) in readings.into_iter().enumerate() {
        let taken = std::mem::replace(&mut file.columns[column], Column::Numbers(Vec::new()));
        let label = kept.labels.contains(&column);
        let (kind, read) = match (taken, reading) {
            (Column::Numbers(values), _) => (given_kind(file, column, label, &mut said), Column::Numbers(values)),
            (text, Reading::Number { form, rows, of }) => {
                said.of_numbers(file, (column, &text), form, of - rows);
                let value = |cell: &str| form.parse(cell).map(|value| options.missing.or_missing(value));
                let values = numbers_of(&text, value);
                (ColumnKind::Number(form), values)
            }
            (text, Reading::Date { form, rows, of }) if !label => {
                let values = numbers_of(&text, |cell| form.parse(cell));
                said.of_dates(file, (column, &text), (&form, &values), of - rows);
                (ColumnKind::Date(form), values)
            }
            (text, _) if label || kept.unused.contains(&column) => (ColumnKind::Text, text),
            (text, _) => (ColumnKind::Text, said.as_text((column, &file.outline.names[column]), text)),
        };
        kinds.push(kind);
        file.columns[column] = read;
    }
    said.warnings.extend(codes_for_missing(&file.outline.names, &kinds, &file.columns));
    // Dates and numbers in another notation say nothing: their cells are no plain numbers.
    let plain = ColumnKind::Number(NumberForm::default());
    let numeric: Vec<usize> = (0..kinds.len()).filter(|c| kinds[*c] == plain).collect();
    if let Some(text) = file.text.as_ref().filter(|_| options.quote.is_none()) {
        refuse_swallowed_rows(&file.path, &text.oddities, text.dialect.delimiter, &numeric)?;
    }
    let table = Table {
        path: file.path.clone(),
        names: file.outline.names.clone(),
        named: file.outline.named,
        columns: std::mem::take(&mut file.columns),
        kinds,
        lines: std::mem::take(&mut file.lines),
        unit: file.outline.unit,
    };
    said.warnings.extend(totals_row(&table));
    let Said { notes, warnings, unreadable, respelled, .. } = said;
    Ok(Kinded { table, unreadable, respelled, notes, warnings })
}

/// The kind of a column that was already read as numbers.
fn given_kind(file: &RawTable, column: usize, label: bool, said: &mut Said) -> ColumnKind {
    let origin = &file.origins[column];
    said.notes.extend(of_text(&file.outline.names[column], origin).filter(|_| !label));
    let (name, unit) = (&file.outline.names[column], file.outline.unit);
    said.warnings.extend(origin.other_offset.as_ref().map(|found| mixed_offsets(name, (unit, found))));
    said.warnings.extend(origin.beyond.map(|(line, count)| {
        let message = format!(
            "column \"{name}\": {} beyond the years 0 to 9999 ({unit} {line}) and {} as missing",
            counted(count as u64, "date"),
            if count == 1 { "counts" } else { "count" }
        );
        Warning::new(WarningKind::Other, message).column(name).count(count)
    }));
    let dates = origin.dates.clone().map(ColumnKind::Date);
    dates.unwrap_or(ColumnKind::Number(NumberForm::default()))
}

fn numbers_of(column: &Column, parse: impl Fn(&str) -> Option<f64>) -> Column {
    let Column::Text { codes, levels } = column else { return column.clone() };
    let values: Vec<f64> = levels.iter().map(|level| parse(level).unwrap_or(f64::NAN)).collect();
    let value = |code: &u32| if *code == MISSING { f64::NAN } else { values[*code as usize] };
    Column::Numbers(codes.iter().map(value).collect())
}

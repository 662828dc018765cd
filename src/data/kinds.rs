//! What the columns of a whole file are: numbers in some form, dates, or text.

use rayon::prelude::*;

use super::cell::{brief, shortened};
use super::date::{self, DateForm, Dates};
use super::delimited::{WholeFile, refuse_swallowed_rows, row_warnings};
use super::number::{Convention, NumberForm, Numbers, infer, units, with_a_comma};
use super::options::{Decimal, ReadOptions};
use super::table::{Column, ColumnKind, MISSING, Table};
use crate::warning::{are, of as counted};
use crate::{Error, Result, Warning, WarningKind};

/// A column with so large a share of numbers is one of numbers; its other cells have no value, with a warning.
const MOSTLY: f64 = 0.8;
/// Cells that a warning quotes.
const QUOTED: usize = 3;

/// A table whose columns have their kinds.
pub(super) struct Kinded {
    /// The table.
    pub(super) table: Table,
    /// Columns in which some cells are no numbers, and have no value.
    pub(super) unreadable: Vec<usize>,
    /// What was decided and is said aloud.
    pub(super) notes: Vec<String>,
    /// What a user should look at.
    pub(super) warnings: Vec<Warning>,
}

/// How the texts of a column are read.
#[derive(Debug, Clone, PartialEq)]
enum Reading {
    Number {
        form: NumberForm,
        rows: usize,
        of: usize,
    },
    Date {
        form: DateForm,
        rows: usize,
        of: usize,
    },
    Text,
    /// A number that may have decimals or thousands: an example.
    EitherNumber(String),
    /// The patterns that fit, and an example.
    EitherDate(Vec<String>, String),
}

impl Reading {
    fn has_decimal_comma(&self) -> bool {
        matches!(self, Reading::Number { form, .. } if form.decimal_comma)
    }

    fn is_whole(&self) -> bool {
        matches!(self, Reading::Number { rows, of, .. } if rows == of)
    }
}

/// Gives the columns of a file their kinds. Labels are read as they are written: `labels` never become dates, and never lose
/// a cell; `texts` stay text.
///
/// # Errors
/// [`Error::Data`] for a column with two readings that are about equally likely, and for rows that a quote swallowed.
pub(super) fn kinds(file: &mut WholeFile, options: &ReadOptions, labels: &[usize], texts: &[usize]) -> Result<Kinded> {
    let names = file.layout.names.clone();
    let asked = asked_dates(file, options)?;
    let stated = Convention {
        decimal_comma: match (options.decimal, options.thousands.map(|c| c.0)) {
            (Decimal::Auto, Some(',')) => Some(false),
            (Decimal::Auto, Some('.')) => Some(true),
            (Decimal::Auto, _) => None,
            (Decimal::Comma, _) => Some(true),
            (Decimal::Point, _) => Some(false),
        },
        thousands: options.thousands.map(|c| c.0),
    };
    if stated.decimal_comma == Some(true) {
        read_points_again(file, options)?;
    }
    let read = |column: usize, convention: Convention| -> Result<Reading> {
        let Column::Text { codes, levels } = &file.columns[column] else { return Ok(Reading::Text) };
        if texts.contains(&column) {
            return Ok(Reading::Text);
        }
        let counted = counted_levels(codes, levels);
        match asked.iter().find(|(of, _)| *of == column) {
            Some((_, Some(form))) => as_asked(file, column, form),
            Some((_, None)) => Ok(Reading::Text),
            None => Ok(reading(&counted, convention, labels.contains(&column))),
        }
    };
    let all: Vec<usize> = (0..names.len()).collect();
    let mut readings: Vec<Reading> = all.par_iter().map(|c| read(*c, stated)).collect::<Result<_>>()?;
    if stated.decimal_comma.is_none() && file.layout.dialect.delimiter == b',' && holds_points(file) {
        readings.iter_mut().filter(|reading| reading.has_decimal_comma()).for_each(|reading| *reading = Reading::Text);
    }
    let convention = Convention { decimal_comma: stated.decimal_comma.or(found_comma(file, &readings)), ..stated };
    for column in all {
        if matches!(readings[column], Reading::EitherNumber(_)) && convention.decimal_comma.is_some() {
            readings[column] = read(column, convention)?;
        }
        refuse_either(file, column, &readings[column])?;
    }
    if stated.decimal_comma.is_none() && convention.decimal_comma == Some(true) {
        grouped_by_points(file, options, &mut readings)?;
    }
    apply(file, options, readings, labels)
}

/// The dates that `--dates` names: column and form, no form for text.
fn asked_dates(file: &WholeFile, options: &ReadOptions) -> Result<Vec<(usize, Option<DateForm>)>> {
    let place = |name: &String| {
        let named = file.layout.names.iter().position(|n| n == name);
        named.ok_or_else(|| {
            let names = shortened(&file.layout.names);
            Error::data(&file.path, format!("--dates: there is no column \"{name}\"; the columns are {names}"))
        })
    };
    let asked = options.dates.iter().filter(|asked| asked.form != "auto");
    asked.map(|asked| Ok((place(&asked.column)?, DateForm::of_pattern(&asked.form)))).collect()
}

/// Each level with its number of rows.
fn counted_levels<'a>(codes: &[u32], levels: &'a [String]) -> Vec<(&'a str, usize)> {
    let mut counted: Vec<(&str, usize)> = levels.iter().map(|level| (level.as_str(), 0)).collect();
    codes.iter().filter(|code| **code != MISSING).for_each(|code| counted[*code as usize].1 += 1);
    counted
}

fn reading(levels: &[(&str, usize)], convention: Convention, label: bool) -> Reading {
    let of = levels.iter().map(|(_, rows)| rows).sum::<usize>();
    match infer(levels, convention) {
        Numbers::Form(form, rows) if rows == of => return Reading::Number { form, rows, of },
        Numbers::Ambiguous(cell) => return Reading::EitherNumber(cell),
        // A label is not to lose a cell, nor to become a date.
        _ if label => return Reading::Text,
        Numbers::Form(form, rows) => {
            let distinct = levels.len();
            let mostly = rows as f64 >= MOSTLY * of as f64 || (2 * rows > of && 2 * distinct > of);
            if mostly && rows >= 3 {
                return Reading::Number { form, rows, of };
            }
        }
        Numbers::None => {}
    }
    match date::infer(&levels.iter().map(|(level, _)| *level).collect::<Vec<_>>()) {
        Dates::Form(form) => return Reading::Date { form, rows: of, of },
        Dates::Ambiguous(patterns, cell) => return Reading::EitherDate(patterns, cell),
        Dates::None => {}
    }
    match date::mostly_iso(levels) {
        (form, rows) if rows >= 3 && rows as f64 >= MOSTLY * of as f64 => Reading::Date { form, rows, of },
        _ => Reading::Text,
    }
}

/// A column whose date form the user gave.
fn as_asked(file: &WholeFile, column: usize, form: &DateForm) -> Result<Reading> {
    let Column::Text { codes, levels } = &file.columns[column] else { return Ok(Reading::Text) };
    match levels.iter().position(|level| form.parse(level).is_none()) {
        None => Ok(Reading::Date { form: form.clone(), rows: codes.len(), of: codes.len() }),
        Some(wrong) => {
            let row = codes.iter().position(|code| *code as usize == wrong).unwrap_or(0);
            let (line, name) = (file.lines[row], &file.layout.names[column]);
            let message = format!("expected a date of the form {}, found \"{}\"", form.pattern, levels[wrong]);
            Err(Error::data_at(&file.path, Some(line.into()), Some(name), message))
        }
    }
}

/// Whether the decimals of the file follow a comma, as far as columns tell that can be read in one way only; where none
/// tells, a file whose columns are parted by commas has points.
fn found_comma(file: &WholeFile, readings: &[Reading]) -> Option<bool> {
    let comma =
        readings.iter().any(|r| r.is_whole() && matches!(r, Reading::Number { form, .. } if form.decimal_comma));
    let fractions = |column: &Column| matches!(column, Column::Numbers(values) if holds_fraction(values));
    // Where another column has decimal commas, 1.234 may be 1234.
    let sure = |column: &Column| matches!(column, Column::Numbers(values) if !values.iter().all(is_in_thousandths));
    let grouped = readings.iter().any(|r| matches!(r, Reading::Number { form, .. } if form.thousands == Some(',')));
    let point = grouped || if comma { file.columns.iter().any(sure) } else { file.columns.iter().any(fractions) };
    match (comma, point) {
        (true, false) => Some(true),
        (false, true) => Some(false),
        (true, true) => None,
        (false, false) => (file.layout.dialect.delimiter == b',').then_some(false),
    }
}

/// Whether a number column of the file has decimals behind a point.
fn holds_points(file: &WholeFile) -> bool {
    file.columns.iter().any(|column| matches!(column, Column::Numbers(values) if holds_fraction(values)))
}

fn holds_fraction(values: &[f64]) -> bool {
    values.iter().any(|value| value.fract() != 0.0 && !value.is_nan())
}

/// Whether a number has three decimals at most.
fn is_in_thousandths(value: &f64) -> bool {
    value.is_nan() || ((value * 1000.0).round() - value * 1000.0).abs() < 1e-6
}

fn refuse_either(file: &WholeFile, column: usize, reading: &Reading) -> Result<()> {
    let name = &file.layout.names[column];
    let message = match reading {
        Reading::EitherNumber(cell) => {
            let value = |decimal_comma: bool| {
                let thousands = (!decimal_comma).then_some(',');
                let bare = cell.trim_matches(|c: char| !c.is_ascii_digit());
                let form = NumberForm { decimal_comma, thousands, sign: None };
                form.parse(bare).map_or(cell.clone(), |value| value.to_string())
            };
            let (decimal, thousands) = (value(true), value(false));
            format!("\"{cell}\" may be {decimal} or {thousands}: --decimal , or --thousands , says which")
        }
        Reading::EitherDate(patterns, cell) => date::ambiguous(name, patterns, cell),
        _ => return Ok(()),
    };
    Err(Error::data_at(&file.path, None, Some(name), message))
}

/// Reads number columns in which points occur again as text, since points are no decimals here.
fn read_points_again(file: &mut WholeFile, options: &ReadOptions) -> Result<()> {
    let pointed = |column: &usize| !file.plain[*column] && matches!(file.columns[*column], Column::Numbers(_));
    let fractions =
        |column: &usize| matches!(&file.columns[*column], Column::Numbers(values) if holds_fraction(values));
    let columns: Vec<usize> = (0..file.columns.len()).filter(|c| pointed(c) || fractions(c)).collect();
    let texts = file.texts(&columns, &options.missing)?;
    columns.into_iter().zip(texts).for_each(|(column, text)| file.columns[column] = text);
    Ok(())
}

/// In a file with decimal commas `1.234` is 1234 where all points of a column part three digits.
fn grouped_by_points(file: &mut WholeFile, options: &ReadOptions, readings: &mut [Reading]) -> Result<()> {
    let likely = |column: &usize| match &file.columns[*column] {
        Column::Numbers(values) => {
            (!file.plain[*column] || holds_fraction(values)) && values.iter().all(is_in_thousandths)
        }
        Column::Text { .. } => false,
    };
    let columns: Vec<usize> = (0..file.columns.len()).filter(likely).collect();
    let convention = Convention { decimal_comma: Some(true), thousands: Some('.') };
    for (text, column) in file.texts(&columns, &options.missing)?.into_iter().zip(columns) {
        let Column::Text { codes, levels } = &text else { continue };
        let grouped = reading(&counted_levels(codes, levels), convention, true);
        if grouped.is_whole() {
            file.columns[column] = text;
            readings[column] = grouped;
        }
    }
    Ok(())
}

/// Notes and warnings about the bytes, the layout and the rows of a file.
fn said_of_rows(file: &WholeFile, options: &ReadOptions) -> (Vec<String>, Vec<Warning>) {
    let (mut notes, mut warnings) = (file.notes.clone(), file.warnings.clone());
    notes.extend(file.layout.notes.iter().cloned());
    let guessed_quotes = options.quote.is_none().then_some(file.layout.dialect.delimiter);
    warnings.extend(row_warnings(&file.path, &file.oddities, guessed_quotes));
    if let Some((count, line)) = file.oddities.comments {
        notes.push(format!(
            "comments: {} left out, begun with # (the first is line {line})",
            counted(count as u64, "line")
        ));
    }
    (notes, warnings)
}

/// Turns the columns into what they are read as.
fn apply(file: &mut WholeFile, options: &ReadOptions, readings: Vec<Reading>, labels: &[usize]) -> Result<Kinded> {
    let (mut notes, mut warnings) = said_of_rows(file, options);
    let mut unreadable = Vec::new();
    let mut kinds = Vec::with_capacity(readings.len());
    for (column, reading) in readings.into_iter().enumerate() {
        let name = &file.layout.names[column];
        let taken = std::mem::replace(&mut file.columns[column], Column::Numbers(Vec::new()));
        let (kind, read) = match (taken, reading) {
            (Column::Numbers(values), _) => (ColumnKind::Number(NumberForm::default()), Column::Numbers(values)),
            (text, Reading::Number { form, rows, of }) => {
                if rows < of {
                    warnings.push(unread(file, (column, &text), "number", of - rows, &|cell| form.parse(cell)));
                    unreadable.push(column);
                }
                if !form.is_plain() {
                    let cells = if let Column::Text { levels, .. } = &text { levels.as_slice() } else { &[] };
                    notes.push(format!("column \"{name}\": numbers with {}", form.described(cells)));
                }
                (
                    ColumnKind::Number(form),
                    numbers_of(&text, |cell| form.parse(cell).map(|value| options.missing.or_missing(value))),
                )
            }
            (text, Reading::Date { form, rows, of }) if !labels.contains(&column) => {
                if rows < of {
                    warnings.push(unread(file, (column, &text), "date", of - rows, &|cell| form.parse(cell)));
                    unreadable.push(column);
                }
                let values = numbers_of(&text, |cell| form.parse(cell));
                notes.push(format!("column \"{name}\": dates ({}; --dates changes it)", form.pattern));
                (ColumnKind::Date(form), values)
            }
            (text, _) if labels.contains(&column) => (ColumnKind::Text, text),
            (text, _) => {
                warnings.extend(like_numbers(name, &text));
                let (text, joined) = one_spelling_of_booleans(text);
                if joined {
                    notes.push(format!("column \"{name}\": true and false in any case are one value each"));
                }
                (ColumnKind::Text, text)
            }
        };
        kinds.push(kind);
        file.columns[column] = read;
    }
    let numeric: Vec<usize> = (0..kinds.len()).filter(|c| kinds[*c] != ColumnKind::Text).collect();
    if options.quote.is_none() {
        refuse_swallowed_rows(&file.path, &file.oddities, file.layout.dialect.delimiter, &numeric)?;
    }
    let table = Table {
        path: file.path.clone(),
        names: file.layout.names.clone(),
        named: file.layout.header,
        columns: std::mem::take(&mut file.columns),
        kinds,
        lines: std::mem::take(&mut file.lines),
    };
    Ok(Kinded { table, unreadable, notes, warnings })
}

/// What is said of a text column whose cells are numbers but for their form, or are written in a form that is not read.
fn like_numbers(name: &str, column: &Column) -> Option<Warning> {
    let Column::Text { levels, .. } = column else { return None };
    if let Some(cell) = with_a_comma(levels) {
        let message = format!(
            "column \"{name}\" is read as text: its cells look like numbers, some with a decimal comma (\"{cell}\"), but it or another \
             column has decimal points"
        );
        return Some(Warning::new(WarningKind::NumbersWithUnits, message).column(name));
    }
    if let Some(cell) = levels.iter().find(|level| level.contains("\\\"")) {
        let message = format!(
            "column \"{name}\" has backslashes before quotes ({}), which are read as they stand: CSV doubles a quote within quotes",
            brief(cell)
        );
        return Some(Warning::new(WarningKind::Other, message).column(name));
    }
    let units = units(levels)?;
    let example = levels.iter().find(|level| level.contains(units[0])).map_or("", String::as_str);
    let units: Vec<String> = units.iter().map(|unit| format!("\"{unit}\"")).collect();
    let message = format!(
        "column \"{name}\" is read as text: its cells are numbers with {} beside them ({example}); without that they would be \
         numbers",
        units.join(", ")
    );
    Some(Warning::new(WarningKind::NumbersWithUnits, message).column(name))
}

/// Words of a truth value, false first.
const BOOLEANS: [[&str; 2]; 4] = [["false", "true"], ["no", "yes"], ["f", "t"], ["n", "y"]];

/// Truth values in different cases as one spelling each, that of their first cell; whether there were such.
fn one_spelling_of_booleans(column: Column) -> (Column, bool) {
    let Column::Text { codes, levels } = &column else { return (column, false) };
    let lower: Vec<String> = levels.iter().map(|level| level.to_lowercase()).collect();
    let words = BOOLEANS.iter().find(|words| lower.iter().all(|level| words.contains(&level.as_str())));
    if levels.len() <= 2 || words.is_none() {
        return (column, false);
    }
    let first = |level: &String| lower.iter().position(|other| other == level).expect("the level is among them");
    let firsts: Vec<usize> = lower.iter().map(first).collect();
    let mut kept = firsts.clone();
    kept.sort_unstable();
    kept.dedup();
    let code = |old: &u32| match *old {
        MISSING => MISSING,
        old => kept.binary_search(&firsts[old as usize]).expect("a first spelling is kept") as u32,
    };
    let codes = codes.iter().map(code).collect();
    let levels = kept.iter().map(|at| levels[*at].clone()).collect();
    (Column::Text { codes, levels }, true)
}

fn numbers_of(column: &Column, parse: impl Fn(&str) -> Option<f64>) -> Column {
    let Column::Text { codes, levels } = column else { return column.clone() };
    let values: Vec<f64> = levels.iter().map(|level| parse(level).unwrap_or(f64::NAN)).collect();
    let value = |code: &u32| if *code == MISSING { f64::NAN } else { values[*code as usize] };
    Column::Numbers(codes.iter().map(value).collect())
}

/// The warning about cells that are no numbers, or no dates, in a column of which most are.
fn unread(
    file: &WholeFile,
    (at, column): (usize, &Column),
    what: &str,
    count: usize,
    parse: &dyn Fn(&str) -> Option<f64>,
) -> Warning {
    let Column::Text { codes, levels } = column else { unreachable!("only text can be unread") };
    let name = &file.layout.names[at];
    let wrong: Vec<bool> = levels.iter().map(|level| parse(level).is_none()).collect();
    let rows = codes.iter().enumerate().filter(|(_, code)| **code != MISSING && wrong[**code as usize]);
    let found: Vec<(&String, u32)> =
        rows.take(QUOTED).map(|(row, code)| (&levels[*code as usize], file.lines[row])).collect();
    let quoted: Vec<String> = found.iter().map(|(level, line)| format!("\"{}\" (line {line})", brief(level))).collect();
    let first = found.first().map_or("".into(), |(level, _)| brief(level));
    let message = format!(
        "column \"{name}\": {} no {what} and {} as missing: {}; --na \"+{first}\" says so, --categorical \"{name}\" makes all \
         values categories",
        are(count, "cell"),
        if count == 1 { "counts" } else { "count" },
        quoted.join(", ")
    );
    Warning::new(WarningKind::UnreadableNumbers, message).column(name).count(count)
}

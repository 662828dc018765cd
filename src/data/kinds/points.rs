//! Points and commas that may be decimal signs or part thousands, judged by all columns of a file.

use super::reading::{Reading, counted_levels, reading};
use crate::Result;
use crate::data::codes::{doubtful_points, points_by_other_column, with_thousands_points};
use crate::data::number::{Convention, NumberForm, bare, is_in_thousandths, may_be_grouped, may_part_thousands};
use crate::data::options::ReadOptions;
use crate::data::raw_table::RawTable;
use crate::data::table::Column;

/// Least number of cells with one sign that a single cell does not outweigh, and how many there must be for each such cell.
const MANY: usize = 5;
/// A number that exceeds all others by this factor is not one of them.
const FAR: f64 = 20.0;
/// Thousands are parted by points, and decimals follow a comma.
const POINTS_PART: Convention = Convention { decimal_comma: Some(true), thousands: Some('.') };

/// What a file says of commas and points.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Signs {
    /// Whether decimals follow a comma, if that is known.
    pub(super) decimal_comma: Option<bool>,
    /// A column and a cell such as `1.234.567` that alone says so.
    by_points: Option<(usize, String)>,
}

/// Judges points and commas by all columns together, and changes the readings of columns that they decide. `read` reads a column by
/// another convention.
pub(super) fn by_all_columns(
    file: &mut RawTable,
    options: &ReadOptions,
    stated: Convention,
    readings: &mut [Reading],
    read: &dyn Fn(&RawTable, usize, Convention) -> Result<Reading>,
) -> Result<Signs> {
    if stated.decimal_comma.is_none() {
        single_cells(file, options, readings, &|file, column| {
            read(file, column, Convention { decimal_comma: Some(false), ..stated })
        })?;
    }
    let found = match stated.decimal_comma {
        Some(comma) => Signs { decimal_comma: Some(comma), by_points: None },
        None => found_signs(file, options, readings)?,
    };
    // A comma that parts the columns is hardly before decimals too, so another column does not decide that, unless it has both signs.
    let decides =
        |comma: bool| !comma || !commas_part(file) || stated.decimal_comma.is_some() || has_both_signs(file, readings);
    if found.decimal_comma.is_some_and(decides) {
        let convention = Convention { decimal_comma: found.decimal_comma, ..stated };
        for (column, reading) in readings.iter_mut().enumerate() {
            if matches!(reading, Reading::EitherNumber(_)) {
                *reading = read(file, column, convention)?;
            }
        }
    }
    Ok(found)
}

/// Reads columns again in which single cells would turn all signs into others, though the file speaks against it.
fn single_cells(
    file: &mut RawTable,
    options: &ReadOptions,
    readings: &mut [Reading],
    read: &dyn Fn(&RawTable, usize) -> Result<Reading>,
) -> Result<()> {
    let points_elsewhere = holds_points(file) || readings.iter().any(parts_thousands_by_commas);
    for column in 0..readings.len() {
        let reading = &readings[column];
        if commas_part(file) && reading.has_lone_decimal_comma() {
            match comma_slip(levels(file, column)) {
                _ if points_elsewhere => readings[column] = read(file, column)?,
                Some(cell) => {
                    let again = read(file, column)?;
                    let is_number = matches!(again, Reading::Number { .. });
                    readings[column] = if is_number { again } else { Reading::EitherNumber(cell.clone()) };
                }
                None => {}
            }
        } else if let Some(cell) = point_slip(file, column, reading) {
            if is_far(levels(file, column), &cell) || points_are_sure(file, options, readings)? {
                readings[column] = read(file, column)?;
            } else {
                file.warnings.push(doubtful_points(&file.outline.names[column], &cell, true));
            }
        }
    }
    Ok(())
}

/// What columns that can be read in only one way say of decimals. If there are none, a file with commas as delimiters has
/// decimal points.
fn found_signs(file: &mut RawTable, options: &ReadOptions, readings: &[Reading]) -> Result<Signs> {
    let says_comma = |column: &usize| has_decimal_comma(file, *column, &readings[*column]);
    let commas: Vec<usize> = (0..readings.len()).filter(says_comma).collect();
    let by_comma = commas.iter().any(|column| levels(file, *column).iter().any(|level| level.contains(',')));
    // `1.234.567` says that points part thousands. Where commas part the columns, one such cell does not speak for other columns.
    let speaks = |column: &&usize| !commas_part(file) || several_points(file, **column) > 1;
    let by_points = commas.iter().find(speaks).filter(|_| !by_comma);
    let by_points = by_points.and_then(|column| {
        let cell = levels(file, *column).iter().find(|level| level.matches('.').count() > 1);
        Some((*column, cell?.clone()))
    });
    let comma = by_comma || by_points.is_some();
    // If another column has decimal commas, 1.234 may mean 1234.
    let point = readings.iter().any(parts_thousands_by_commas)
        || if comma { points_are_sure(file, options, readings)? } else { holds_points(file) };
    Ok(match (comma, point) {
        (true, false) => Signs { decimal_comma: Some(true), by_points },
        (false, true) => Signs { decimal_comma: Some(false), by_points: None },
        (true, true) => Signs::default(),
        (false, false) => Signs { decimal_comma: commas_part(file).then_some(false), by_points: None },
    })
}

/// Whether decimals of a column follow a comma. Other cells may be missing values, but no numbers in another form.
fn has_decimal_comma(file: &RawTable, column: usize, reading: &Reading) -> bool {
    let Reading::Number { form, .. } = reading else { return false };
    let is_mark = |level: &String| !level.contains(|c: char| c.is_ascii_digit());
    form.decimal_comma && levels(file, column).iter().all(|level| is_mark(level) || form.parse(level).is_some())
}

/// Whether a column has a number such as `1.234,56`, which tells what both signs are.
fn has_both_signs(file: &RawTable, readings: &[Reading]) -> bool {
    let has_both = |column: usize| levels(file, column).iter().any(|level| level.contains('.') && level.contains(','));
    readings.iter().enumerate().any(|(column, reading)| has_decimal_comma(file, column, reading) && has_both(column))
}

fn parts_thousands_by_commas(reading: &Reading) -> bool {
    matches!(reading, Reading::Number { form, .. } if form.thousands == Some(','))
}

/// Whether commas part the columns.
fn commas_part(file: &RawTable) -> bool {
    file.delimiter() == Some(b',')
}

fn levels(file: &RawTable, column: usize) -> &[String] {
    if let Column::Text { levels, .. } = &file.columns[column] { levels } else { &[] }
}

/// The number of a column's texts with several points.
fn several_points(file: &RawTable, column: usize) -> usize {
    levels(file, column).iter().filter(|level| level.matches('.').count() > 1).count()
}

/// A cell such as `1,204`, if many cells of a column have commas that may part thousands, and few others, such as `12,34`, that cannot.
fn comma_slip(levels: &[String]) -> Option<&String> {
    let with_comma = |level: &&String| level.contains(',');
    let is_grouped = |level: &&String| may_part_thousands(bare(level), ',');
    let grouped = levels.iter().filter(with_comma).filter(is_grouped).count();
    let others = levels.iter().filter(with_comma).count() - grouped;
    levels.iter().filter(with_comma).find(is_grouped).filter(|_| grouped >= MANY.max(MANY * others))
}

/// A cell such as `2.361.883` that alone, among cells such as `1.101`, turns points into thousands separators. Where commas do not
/// part the columns, it may well do so.
fn point_slip(file: &RawTable, column: usize, reading: &Reading) -> Option<String> {
    let Reading::Number { form, .. } = reading else { return None };
    let levels = levels(file, column);
    let with_points = |count: usize| levels.iter().filter(|level| level.matches('.').count() == count).count();
    let is_slip = form.thousands == Some('.')
        && commas_part(file)
        && levels.iter().all(|level| !level.contains(','))
        && several_points(file, column) == 1
        && with_points(1) >= MANY;
    levels.iter().find(|level| level.matches('.').count() > 1).filter(|_| is_slip).cloned()
}

/// Whether a number is far above all others, if points part thousands.
fn is_far(levels: &[String], cell: &str) -> bool {
    let form = NumberForm { decimal_comma: true, thousands: Some('.'), sign: None };
    let value = |cell: &str| form.parse(bare(cell)).unwrap_or(0.0);
    let others = levels.iter().filter(|level| *level != cell).map(|level| value(level)).fold(0.0, f64::max);
    value(cell) > FAR * others
}

/// Whether a number column of the file has decimals after a point.
fn holds_points(file: &RawTable) -> bool {
    written_numbers(file).any(|(_, values)| holds_fraction(values))
}

/// Whether a column of the file has a point that cannot part thousands, as in `0.5` and `12.50`.
fn points_are_sure(file: &RawTable, options: &ReadOptions, readings: &[Reading]) -> Result<bool> {
    if written_numbers(file).any(|(_, values)| !values.iter().all(may_be_grouped)) {
        return Ok(true);
    }
    let is_sure = |cell: &&str| cell.contains('.') && !may_part_thousands(bare(cell), '.');
    let of_text =
        |(column, reading): (usize, &Reading)| point_cells(levels(file, column), reading).any(|c| is_sure(&c));
    if readings.iter().enumerate().any(of_text) {
        return Ok(true);
    }
    let pointed: Vec<usize> =
        written_numbers(file).filter(|(_, v)| holds_fraction(v)).map(|(column, _)| column).collect();
    let has_sure = |text: &Column| matches!(text, Column::Text { levels, .. } if levels.iter().any(|cell| is_sure(&cell.as_str())));
    Ok(file.texts(&pointed, &options.missing)?.iter().any(has_sure))
}

/// The cells of a text column that are numbers with decimal points, if it is read so.
fn point_cells<'a>(levels: &'a [String], reading: &Reading) -> impl Iterator<Item = &'a str> + use<'a> {
    let form = match reading {
        Reading::Number { form, .. } if has_decimal_points(form) => Some(*form),
        _ => None,
    };
    levels.iter().map(String::as_str).filter(move |level| form.is_some_and(|form| form.parse(level).is_some()))
}

fn has_decimal_points(form: &NumberForm) -> bool {
    !form.decimal_comma && form.thousands.is_none()
}

/// The number columns whose cells have a spelling, with their positions.
fn written_numbers(file: &RawTable) -> impl Iterator<Item = (usize, &[f64])> {
    let numbers = file.columns.iter().enumerate().filter(|(column, _)| !file.origins[*column].native);
    numbers.filter_map(|(place, column)| match column {
        Column::Numbers(values) => Some((place, values.as_slice())),
        Column::Text { .. } => None,
    })
}

fn holds_fraction(values: &[f64]) -> bool {
    values.iter().any(|value| value.fract() != 0.0 && !value.is_nan())
}

/// Reads number columns with points again as text, if points are not decimal points.
pub(super) fn read_points_again(file: &mut RawTable, options: &ReadOptions) -> Result<()> {
    let pointed = |(column, values): &(usize, &[f64])| !file.origins[*column].plain || holds_fraction(values);
    let columns: Vec<usize> = written_numbers(file).filter(pointed).map(|(column, _)| column).collect();
    let texts = file.texts(&columns, &options.missing)?;
    columns.into_iter().zip(texts).for_each(|(column, text)| file.columns[column] = text);
    Ok(())
}

/// In a file with decimal commas, `1.234` is 1234 if all points of the column separate three digits. Where commas part the columns
/// too, it may be either, unless points part thousands elsewhere, which a warning says.
pub(super) fn grouped_by_points(
    file: &mut RawTable,
    options: &ReadOptions,
    signs: &Signs,
    readings: &mut [Reading],
) -> Result<()> {
    let likely = |(column, values): &(usize, &[f64])| {
        (!file.origins[*column].plain || holds_fraction(values)) && values.iter().all(is_in_thousandths)
    };
    let numbers: Vec<usize> = written_numbers(file).filter(likely).map(|(column, _)| column).collect();
    let texts = file.texts(&numbers, &options.missing)?;
    let has_point = |column: &usize| point_cells(levels(file, *column), &readings[*column]).any(|c| c.contains('.'));
    let mixed: Vec<usize> = (0..readings.len()).filter(has_point).collect();
    let mixed = mixed.into_iter().map(|column| (column, file.columns[column].clone()));
    let all: Vec<(usize, Column)> = numbers.into_iter().zip(texts).chain(mixed).collect();
    let is_unsure = commas_part(file) && !has_both_signs(file, readings);
    for (column, text) in all {
        let Column::Text { codes, levels } = &text else { continue };
        let (counted, point) = (counted_levels(codes, levels), levels.iter().find(|level| level.contains('.')));
        let grouped = reading(&counted, POINTS_PART, false);
        let keeps_all = match (&grouped, &readings[column]) {
            (Reading::Number { rows, .. }, Reading::Number { rows: before, .. }) => rows == before,
            (grouped, _) => grouped.is_whole(),
        };
        if !keeps_all {
            continue;
        }
        readings[column] = match (point, &signs.by_points) {
            (Some(cell), Some((of, example))) if is_unsure => {
                let names = &file.outline.names;
                file.warnings.push(points_by_other_column((&names[column], cell), (&names[*of], example)));
                grouped
            }
            (Some(cell), None) if is_unsure => Reading::EitherNumber(cell.clone()),
            _ => grouped,
        };
        file.columns[column] = text;
    }
    Ok(())
}

/// Warns about columns whose points may be thousands separators.
pub(super) fn warn_of_points(file: &mut RawTable, options: &ReadOptions, readings: &[Reading]) -> Result<()> {
    let has_comma = matches!(file.delimiter(), None | Some(b','));
    // Where semicolons part the columns, and nothing says that points are before decimals, all cells may be thousands.
    let is_unsure = file.delimiter() == Some(b';') && !points_are_sure(file, options, readings)?;
    let mixed = |values: &[f64]| is_unsure || values.iter().any(|value| value.fract() == 0.0);
    let likely =
        |(_, values): &(usize, &[f64])| holds_fraction(values) && mixed(values) && values.iter().all(may_be_grouped);
    let numbers: Vec<usize> = written_numbers(file).filter(likely).map(|(column, _)| column).collect();
    let texts = file.texts(&numbers, &options.missing)?;
    let mut found = Vec::new();
    let mut look = |column: usize, cells: &[&str]| {
        let digits: Vec<&str> = cells.iter().map(|cell| bare(cell)).collect();
        let cell = with_thousands_points(&digits, has_comma, is_unsure).map(|at| cells[at]);
        found.extend(cell.map(|cell| doubtful_points(&file.outline.names[column], cell, false)));
    };
    for (text, column) in texts.iter().zip(numbers) {
        let Column::Text { levels, .. } = text else { continue };
        look(column, &levels.iter().map(String::as_str).collect::<Vec<_>>());
    }
    for (column, reading) in readings.iter().enumerate() {
        look(column, &point_cells(levels(file, column), reading).collect::<Vec<_>>());
    }
    file.warnings.extend(found);
    Ok(())
}

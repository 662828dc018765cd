//! Points that may be decimal points or part thousands, judged by all columns of a file.

use super::reading::{Reading, counted_levels, reading};
use crate::Result;
use crate::data::codes::{doubtful_points, with_thousands_points};
use crate::data::number::{Convention, is_in_thousandths};
use crate::data::options::ReadOptions;
use crate::data::raw_table::RawTable;
use crate::data::table::Column;

/// Least number of cells with one point that a single cell with several does not outweigh.
const MANY: usize = 5;

/// Judges points and commas by all columns together, and changes the readings of columns that they decide. `read` reads a column by
/// another convention. Returns whether decimals follow a comma, if that is known.
pub(super) fn by_all_columns(
    file: &RawTable,
    stated: Convention,
    readings: &mut [Reading],
    read: &dyn Fn(usize, Convention) -> Result<Reading>,
) -> Result<Option<bool>> {
    let commas_part = file.delimiter() == Some(b',');
    if stated.decimal_comma.is_none() {
        let points = Convention { decimal_comma: Some(false), ..stated };
        let points_elsewhere = commas_part && holds_points(file);
        for (column, reading) in readings.iter_mut().enumerate() {
            if (points_elsewhere && reading.has_lone_decimal_comma()) || is_slip(file, column, reading) {
                *reading = read(column, points)?;
            }
        }
    }
    let convention = Convention { decimal_comma: stated.decimal_comma.or(found_comma(file, readings)), ..stated };
    // A comma that parts the columns is hardly before decimals too, so another column does not decide that, unless it has both signs.
    let decides =
        |comma: bool| !comma || !commas_part || stated.decimal_comma.is_some() || has_both_signs(file, readings);
    if convention.decimal_comma.is_some_and(decides) {
        for (column, reading) in readings.iter_mut().enumerate() {
            if matches!(reading, Reading::EitherNumber(_)) {
                *reading = read(column, convention)?;
            }
        }
    }
    Ok(convention.decimal_comma)
}

/// Whether decimals in the file follow a comma, judged by columns that can be read in only one way. If there are none,
/// a file with commas as delimiters has decimal points.
fn found_comma(file: &RawTable, readings: &[Reading]) -> Option<bool> {
    let has_comma = |column: usize| levels(file, column).iter().any(|level| level.contains(','));
    // `1.234.567` says that points part thousands in its column, and only where commas do not part the columns in others too.
    let speaks = |column: usize| !commas_are_likely(file) || has_comma(column);
    let is_comma = |r: &Reading| r.is_whole() && matches!(r, Reading::Number { form, .. } if form.decimal_comma);
    let comma = readings.iter().enumerate().any(|(column, reading)| is_comma(reading) && speaks(column));
    // If another column has decimal commas, 1.234 may mean 1234.
    let sure = |values: &[f64]| !values.iter().all(may_be_grouped);
    let grouped = readings.iter().any(|r| matches!(r, Reading::Number { form, .. } if form.thousands == Some(',')));
    let point =
        grouped || written_numbers(file).any(|(_, values)| if comma { sure(values) } else { holds_fraction(values) });
    match (comma, point) {
        (true, false) => Some(true),
        (false, true) => Some(false),
        (true, true) => None,
        (false, false) => (file.delimiter() == Some(b',')).then_some(false),
    }
}

/// Whether a column has a number such as `1.234,56`, which tells what both signs are.
fn has_both_signs(file: &RawTable, readings: &[Reading]) -> bool {
    let has_both = |column: usize| levels(file, column).iter().any(|level| level.contains('.') && level.contains(','));
    let is_comma = |r: &Reading| r.is_whole() && matches!(r, Reading::Number { form, .. } if form.decimal_comma);
    readings.iter().enumerate().any(|(column, reading)| is_comma(reading) && has_both(column))
}

/// Whether commas, if anything, part the columns or thousands.
fn commas_are_likely(file: &RawTable) -> bool {
    matches!(file.delimiter(), None | Some(b','))
}

fn levels(file: &RawTable, column: usize) -> &[String] {
    if let Column::Text { levels, .. } = &file.columns[column] { levels } else { &[] }
}

/// Whether one cell alone, such as `2.361.883` among cells such as `1.101`, would turn decimal points into thousands separators. Where
/// commas do not part the columns, they may well be that.
fn is_slip(file: &RawTable, column: usize, reading: &Reading) -> bool {
    let Reading::Number { form, .. } = reading else { return false };
    let levels = levels(file, column);
    let with_points = |count: usize| levels.iter().filter(|level| level.matches('.').count() == count).count();
    let several = levels.iter().filter(|level| level.matches('.').count() > 1).count();
    form.thousands == Some('.')
        && commas_are_likely(file)
        && levels.iter().all(|level| !level.contains(','))
        && several == 1
        && with_points(1) >= MANY
}

/// Whether a number column of the file has decimals after a point.
fn holds_points(file: &RawTable) -> bool {
    written_numbers(file).any(|(_, values)| holds_fraction(values))
}

/// The number columns whose cells have a spelling, with their positions.
fn written_numbers(file: &RawTable) -> impl Iterator<Item = (usize, &[f64])> {
    let numbers = file.columns.iter().enumerate().filter(|(column, _)| !file.origins[*column].native);
    numbers.filter_map(|(place, column)| match column {
        Column::Numbers(values) => Some((place, values.as_slice())),
        Column::Text { .. } => None,
    })
}

/// Whether the point of a number may be a thousands separator: `1.234`, but not `0.5`.
fn may_be_grouped(value: &f64) -> bool {
    is_in_thousandths(value) && (value.abs() >= 1.0 || value.fract() == 0.0 || value.is_nan())
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
/// too, it may be either.
pub(super) fn grouped_by_points(file: &mut RawTable, options: &ReadOptions, readings: &mut [Reading]) -> Result<()> {
    let likely = |(column, values): &(usize, &[f64])| {
        (!file.origins[*column].plain || holds_fraction(values)) && values.iter().all(is_in_thousandths)
    };
    let columns: Vec<usize> = written_numbers(file).filter(likely).map(|(column, _)| column).collect();
    let convention = Convention { decimal_comma: Some(true), thousands: Some('.') };
    let commas_part = file.delimiter() == Some(b',') && !has_both_signs(file, readings);
    for (text, column) in file.texts(&columns, &options.missing)?.into_iter().zip(columns) {
        let Column::Text { codes, levels } = &text else { continue };
        let grouped = reading(&counted_levels(codes, levels), convention, true);
        if grouped.is_whole() {
            let example = levels.iter().find(|level| level.contains('.')).filter(|_| commas_part);
            readings[column] = example.map_or(grouped, |cell| Reading::EitherNumber(cell.clone()));
            file.columns[column] = text;
        }
    }
    Ok(())
}

/// Warns about number columns whose points may be thousands separators.
pub(super) fn warn_of_points(file: &mut RawTable, options: &ReadOptions) -> Result<()> {
    let has_comma = commas_are_likely(file);
    // Where semicolons part the columns, and nothing says that points are before decimals, all cells may be thousands.
    let is_unsure =
        file.delimiter() == Some(b';') && written_numbers(file).all(|(_, values)| values.iter().all(may_be_grouped));
    let mixed = |values: &[f64]| is_unsure || values.iter().any(|value| value.fract() == 0.0);
    let likely =
        |(_, values): &(usize, &[f64])| holds_fraction(values) && mixed(values) && values.iter().all(may_be_grouped);
    let columns: Vec<usize> = written_numbers(file).filter(likely).map(|(column, _)| column).collect();
    for (text, column) in file.texts(&columns, &options.missing)?.into_iter().zip(columns) {
        let Column::Text { levels, .. } = &text else { continue };
        let cell = with_thousands_points(levels, has_comma, is_unsure);
        file.warnings.extend(cell.map(|cell| doubtful_points(&file.outline.names[column], cell)));
    }
    Ok(())
}

//! Points that may be decimal points or part thousands, judged by all columns of a file.

use super::reading::{Reading, counted_levels, reading};
use crate::Result;
use crate::data::codes::{doubtful_points, with_thousands_points};
use crate::data::number::{Convention, is_in_thousandths};
use crate::data::options::ReadOptions;
use crate::data::raw_table::RawTable;
use crate::data::table::Column;

/// Whether decimals in the file follow a comma, judged by columns that can be read in only one way. If there are none,
/// a file with commas as delimiters has decimal points.
pub(super) fn found_comma(file: &RawTable, readings: &[Reading]) -> Option<bool> {
    let comma =
        readings.iter().any(|r| r.is_whole() && matches!(r, Reading::Number { form, .. } if form.decimal_comma));
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

/// Whether a number column of the file has decimals after a point.
pub(super) fn holds_points(file: &RawTable) -> bool {
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

/// In a file with decimal commas, `1.234` is 1234 if all points of the column separate three digits.
pub(super) fn grouped_by_points(file: &mut RawTable, options: &ReadOptions, readings: &mut [Reading]) -> Result<()> {
    let likely = |(column, values): &(usize, &[f64])| {
        (!file.origins[*column].plain || holds_fraction(values)) && values.iter().all(is_in_thousandths)
    };
    let columns: Vec<usize> = written_numbers(file).filter(likely).map(|(column, _)| column).collect();
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

/// Warns about number columns whose points may be thousands separators.
pub(super) fn warn_of_points(file: &mut RawTable, options: &ReadOptions) -> Result<()> {
    let has_comma = matches!(file.delimiter(), None | Some(b','));
    let mixed = |values: &[f64]| holds_fraction(values) && values.iter().any(|value| value.fract() == 0.0);
    let likely = |(_, values): &(usize, &[f64])| mixed(values) && values.iter().all(may_be_grouped);
    let columns: Vec<usize> = written_numbers(file).filter(likely).map(|(column, _)| column).collect();
    for (text, column) in file.texts(&columns, &options.missing)?.into_iter().zip(columns) {
        let Column::Text { levels, .. } = &text else { continue };
        let cell = with_thousands_points(levels, has_comma);
        file.warnings.extend(cell.map(|cell| doubtful_points(&file.outline.names[column], cell)));
    }
    Ok(())
}

//! Cells that may have another meaning: codes for missing values, and points that may be thousands separators.

use rayon::prelude::*;

use super::cell::format_number;
use super::date::{DateForm, DateUnit, LAST_DAY};
use super::labels::is_plain_number;
use super::number::may_part_thousands;
use super::statistics::extremes;
use super::table::{Column, ColumnKind, Table};
use crate::option_text::{quoted, setting};
use crate::warning::are;
use crate::{Warning, WarningKind};

/// Numbers that stand for a missing value in many files, of either sign: nines, the largest numbers of some types, and what well
/// logs, weather stations and banks write.
const CODES: [f64; 17] = [
    99.0,
    99.9,
    99.99,
    999.0,
    999.9,
    999.25,
    999.99,
    9999.0,
    9999.9,
    9999.99,
    99_999.0,
    999_999.0,
    32_767.0,
    365_243.0,
    2_147_483_647.0,
    1e20,
    1e30,
];
/// Such numbers that are only negative: what air sensors write, and the smallest numbers of some types.
const NEGATIVE: [f64; 4] = [-200.0, -32_768.0, -2_147_483_648.0, -9_223_372_036_854_775_808.0];
/// Least number of rows whose sum is not a coincidence.
const SUMMED: usize = 4;
/// Least number of distinct values other than the code.
const OTHERS: usize = 5;

/// The warnings about codes for missing values, in the order of the columns.
pub(super) fn codes_for_missing(names: &[String], kinds: &[ColumnKind], columns: &[Column]) -> Vec<Warning> {
    let all = names.par_iter().zip(kinds).zip(columns);
    all.filter_map(|((name, kind), column)| code_for_missing(name, kind, column)).collect()
}

/// The warning about a number or date that probably stands for a missing value. It must be a known code, occur in at
/// least two rows, and be farther from all other values than these are from each other.
fn code_for_missing(name: &str, kind: &ColumnKind, column: &Column) -> Option<Warning> {
    let Column::Numbers(values) = column else { return None };
    let (least, most) = extremes(values);
    let is_code = |value: &f64| match kind {
        ColumnKind::Number(_) => CODES.contains(&value.abs()) || NEGATIVE.contains(value),
        ColumnKind::Date(form) => is_last_day(form, *value),
        ColumnKind::Text => false,
    };
    let code = [least, most].into_iter().find(is_code)?;
    let others: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan() && *value != code).collect();
    // Prices end in .99.
    if code.fract() != 0.0 && others.iter().any(|value| (value.fract() - code.fract()).abs() < 1e-9) {
        return None;
    }
    let (least, most) = extremes(&others);
    let rows = values.iter().filter(|value| **value == code).count();
    let gap = if code < least { least - code } else { code - most };
    if rows < 2 || gap <= most - least || !has_several(others.into_iter()) {
        return None;
    }
    let (shown, marker, of_what) = match kind {
        ColumnKind::Date(form) => (form.written(code), "TEXT".to_owned(), " with the cell's text"),
        _ => (format_number(code), format_number(code), ""),
    };
    let remedy = quoted("na", format!("+{marker}"));
    let message = format!(
        "column \"{name}\": {shown} stands in {rows} rows, far from all other values; {remedy}{of_what} makes it a missing value"
    );
    Some(Warning::new(WarningKind::Other, message).column(name).count(rows))
}

/// Numbers with three decimals and no others that are hardly a coincidence.
const MANY: usize = 20;
/// Names of rows that hold totals, in lower case.
const TOTALS: [&str; 16] = [
    "total",
    "totals",
    "grand total",
    "sum",
    "subtotal",
    "average",
    "avg",
    "mean",
    "summe",
    "gesamt",
    "gesamtsumme",
    "totale",
    "somme",
    "suma",
    "σ",
    "all",
];

/// The warning about a last row that is named like a total, if no other row has that name.
pub(super) fn totals_row(table: &Table) -> Option<Warning> {
    named_totals(table).or_else(|| summed_totals(table)).or_else(|| subtotals(table))
}

/// Names of rows between others that hold sums, in lower case.
const SUBTOTALS: [&str; 8] =
    ["subtotal", "sub-total", "sub total", "zwischensumme", "sous-total", "subtotale", "grand total", "total general"];

/// The warning about rows between others that are called subtotals.
fn subtotals(table: &Table) -> Option<Warning> {
    let found = |(name, column): (&String, &Column)| {
        let Column::Text { codes, levels } = column else { return None };
        let is_subtotal =
            |level: &String| SUBTOTALS.contains(&level.trim().trim_end_matches(':').to_lowercase().as_str());
        let place = levels.iter().position(is_subtotal).filter(|_| levels.len() > 1)?;
        Some((name.clone(), levels[place].clone(), codes.iter().filter(|code| **code as usize == place).count()))
    };
    let (name, cell, rows) = table.names.iter().zip(&table.columns).find_map(found)?;
    let message = format!(
        "{}: {} called \"{cell}\" in column \"{name}\": do they sum others up? They are learnt from like any other row",
        table.path.display(),
        are(rows, "row")
    );
    Some(Warning::new(WarningKind::Other, message).column(&name).count(rows))
}

/// The warning about a last row whose numbers are the sums of those above.
fn summed_totals(table: &Table) -> Option<Warning> {
    let last = table.rows().checked_sub(1)?;
    let is_sum = |(column, kind): (&Column, &ColumnKind)| match (column, kind) {
        (Column::Numbers(values), ColumnKind::Number(_)) if values.get(last).is_some_and(|value| !value.is_nan()) => {
            let above = values[..last].iter().filter(|value| !value.is_nan());
            // Where signs cancel, a small sum is chance.
            if above.clone().any(|value| value.abs() >= values[last].abs()) {
                return Some(false);
            }
            let (size, sum) = above.clone().fold((0.0, 0.0), |(size, sum), value| (size + value.abs(), sum + value));
            let several = above.filter(|value| **value != 0.0).count() >= SUMMED;
            Some(several && (sum - values[last]).abs() <= 1e-9 * size)
        }
        _ => None,
    };
    let sums: Vec<Option<bool>> = table.columns.iter().zip(&table.kinds).map(is_sum).collect();
    let [held, all] = [sums.iter().filter(|s| **s == Some(true)).count(), sums.iter().flatten().count()];
    if 2 * held < all || held == 0 {
        return None;
    }
    let name = &table.names[sums.iter().position(|s| *s == Some(true))?];
    let message = format!(
        "{}: the last row has the sum of all rows above in column \"{name}\": is it a total? It is learnt from like any other row",
        table.path.display()
    );
    Some(Warning::new(WarningKind::Other, message).column(name))
}

fn named_totals(table: &Table) -> Option<Warning> {
    let last = table.rows().checked_sub(1)?;
    let is_total = |column: &&Column| {
        let Column::Text { codes, levels } = column else { return false };
        let Some(&code) = codes.get(last) else { return false };
        let name = levels.get(code as usize).map(|level| level.trim_end_matches(':').to_lowercase());
        name.is_some_and(|name| TOTALS.contains(&name.as_str())) && !codes[..last].contains(&code)
    };
    let column = table.columns.iter().position(|column| is_total(&column))?;
    let (name, cell) = (&table.names[column], table.columns[column].cell(last).unwrap_or_default());
    let message = format!(
        "{}: the last row is called \"{cell}\" in column \"{name}\": does it sum the others up? It is learnt from like any other row",
        table.path.display()
    );
    (last > 1).then(|| Warning::new(WarningKind::Other, message).column(name))
}

fn is_last_day(form: &DateForm, value: f64) -> bool {
    match form.unit {
        DateUnit::Days => value == LAST_DAY,
        DateUnit::Seconds => (value / 86_400.0).floor() == LAST_DAY,
        DateUnit::Clock => false,
    }
}

/// Whether there are at least [`OTHERS`] distinct values.
fn has_several(values: impl Iterator<Item = f64>) -> bool {
    let mut seen: Vec<f64> = Vec::new();
    for value in values {
        if !seen.contains(&value) {
            seen.push(value);
        }
        if seen.len() >= OTHERS {
            return true;
        }
    }
    false
}

/// Whether the points of numbers may be thousands separators: each cell with a point has three digits after it and one
/// to three before it, and the other cells are plain numbers of at most four characters, as in `500` and `1.500`.
/// Cells have no signs around their digits. Returns the position of an example. In a file with commas between columns, points are likely decimal points: there must be many cells with three
/// decimals, or one whose last decimal is 0 although other cells have no decimals. `may_be_all`: five cells with a point need no others.
pub(super) fn with_thousands_points(levels: &[&str], has_comma: bool, may_be_all: bool) -> Option<usize> {
    let is_grouped = |level: &&str| level.matches('.').count() == 1 && may_part_thousands(level, '.');
    let is_small = |level: &&str| !level.contains('.') && is_plain_number(level) && level.len() <= 4;
    let cells = || levels.iter().copied();
    let (grouped, small) = (cells().filter(is_grouped).count(), cells().filter(is_small).count());
    let is_sure = |level: &str| is_grouped(&level) && level.ends_with('0');
    let enough = !has_comma || grouped >= 2 && (grouped >= MANY || cells().any(is_sure));
    let others = small > 0 || may_be_all && grouped >= OTHERS;
    if !enough || !others || grouped + small < levels.len() {
        return None;
    }
    cells().position(|level| is_grouped(&level))
}

/// The warning about points that may be thousands separators, or that were taken for such because of one cell.
pub(super) fn doubtful_points(name: &str, cell: &str, part_thousands: bool) -> Warning {
    let message = if part_thousands {
        format!(
            "column \"{name}\": all points part thousands, because of \"{cell}\" alone: {} says otherwise",
            setting("decimal", '.')
        )
    } else {
        format!(
            "column \"{name}\": the point of \"{cell}\" may part thousands, and is read before decimals: {} says otherwise",
            setting("thousands", '.')
        )
    };
    Warning::new(WarningKind::Other, message).column(name)
}

/// The warning about points that were taken for thousands separators because of another column.
pub(super) fn points_by_other_column((name, cell): (&str, &str), (other, example): (&str, &str)) -> Warning {
    let message = format!(
        "column \"{name}\": the point of \"{cell}\" parts thousands, as those of \"{example}\" in column \"{other}\" do: {} says otherwise",
        setting("decimal", '.')
    );
    Warning::new(WarningKind::Other, message).column(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::number::NumberForm;

    #[test]
    fn codes_far_from_all_values_are_named() {
        let found = |values: &[f64]| {
            let column = Column::Numbers(values.to_vec());
            code_for_missing("x", &ColumnKind::Number(NumberForm::default()), &column).map(|found| found.message)
        };
        let message = found(&[1.0, 2.0, 3.5, -999.0, 4.0, 5.0, -999.0]).unwrap();
        assert!(message.contains("-999 stands in 2 rows") && message.contains("`na = \"+-999\"`"), "{message}");
        assert!(found(&[1.0, 2.0, 3.0, 4.0, 5.0, 99.0, 99.0]).is_some());
        assert!(found(&[1.0, 2.0, 3.0, 4.0, 5.0, 99.0]).is_none(), "one row");
        assert!(found(&[990.0, 2.0, 3.0, 4.0, 5.0, 999.0, 999.0]).is_none(), "among the others");
        assert!(found(&[0.0, 1.0, 99.0, 99.0]).is_none(), "too few values");
        assert!(found(&[1.5, 2.0, 3.7, 4.0, 5.0, 99.99, 99.99]).is_some());
        assert!(found(&[9.99, 19.99, 4.99, 14.99, 24.99, 29.99, 99.99, 99.99]).is_none(), "prices");
    }

    #[test]
    fn points_that_may_part_thousands() {
        let found = |cells: &[&'static str]| with_thousands_points(cells, false, false).map(|at| cells[at]);
        assert_eq!(found(&["500", "1.500", "12.000", "750"]), Some("1.500"));
        assert_eq!(found(&["0.500", "1.500", "12.000", "750"]), None, "no thousands begin with 0");
        assert_eq!(found(&["1.500", "12.000"]), None, "three decimals in every cell");
        assert_eq!(found(&["1.5", "12.000", "750", "1.250"]), None);
    }

    #[test]
    fn points_in_files_with_commas_need_more() {
        let found = |cells: &[&str]| with_thousands_points(cells, true, false).is_some();
        assert!(found(&["850", "1.299", "2.150", "499"]), "a last decimal that is 0, although 850 has no decimals");
        assert!(!found(&["850", "1.299", "2.151", "499"]));
        let many: Vec<String> = (1..=20).map(|n| format!("{n}.{}", 111 + n)).collect();
        assert!(found(&many.iter().map(String::as_str).chain(["5"]).collect::<Vec<_>>()));
    }
}

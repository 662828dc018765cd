//! The description of a data file as tables.

use gradlane::data::{ColumnDescription, FileDescription, Statistics, brief};

use crate::cli::progress::thousands;
use crate::cli::table;

/// The most levels of a text column that are shown.
const LEVELS: usize = 5;
/// The most columns that are shown one by one.
const MOST_COLUMNS: usize = 200;

/// The description of a data file for people.
pub fn readable(description: &FileDescription) -> String {
    let mut text = format!("{}: {}\n", description.path, size(description));
    text += &columns(&description.columns);
    if let Some(test) = &description.test {
        text += &format!("\ntest part {}: {}\n{}", test.path, size(test), columns(&test.columns));
    }
    text
}

fn size(description: &FileDescription) -> String {
    let rows = thousands(description.rows as f64);
    match &description.shape {
        Some(shape) => {
            let shape: Vec<String> = shape.iter().map(usize::to_string).collect();
            format!("{rows} images of {}", shape.join(" × "))
        }
        None => format!("{rows} rows, {} columns", description.columns.len()),
    }
}

fn columns(all: &[ColumnDescription]) -> String {
    let shown = &all[..all.len().min(MOST_COLUMNS)];
    let is_number = |c: &&ColumnDescription| matches!(c.statistics, Statistics::Number { .. });
    let is_date = |c: &&ColumnDescription| matches!(c.statistics, Statistics::Date { .. });
    let (numbers, others): (Vec<_>, Vec<_>) = shown.iter().partition(is_number);
    let (dates, others): (Vec<_>, Vec<_>) = others.into_iter().partition(is_date);
    let mut text = String::new();
    if !numbers.is_empty() {
        let header = ["numbers", "missing", "distinct", "min", "median", "max", "mean", "sd"].map(str::to_owned);
        text += &format!("\n{}", table::plain(&header, &numbers.into_iter().filter_map(number).collect::<Vec<_>>()));
    }
    if !dates.is_empty() {
        let header = ["dates", "missing", "distinct", "first", "median", "last"].map(str::to_owned);
        text += &format!("\n{}", table::plain(&header, &dates.into_iter().filter_map(date).collect::<Vec<_>>()));
    }
    if !others.is_empty() {
        let header = ["text", "missing", "distinct", "most frequent"].map(str::to_owned);
        text += &format!("\n{}", table::with_text(&header, &others.into_iter().map(levels).collect::<Vec<_>>(), &[3]));
    }
    if all.len() > shown.len() {
        text += &format!("… and {} more columns (--json has all)\n", all.len() - shown.len());
    }
    text
}

fn number(column: &ColumnDescription) -> Option<Vec<String>> {
    let Statistics::Number { min, max, mean, sd, median } = column.statistics else { return None };
    let counts = [column.missing, column.distinct].map(|n| n.to_string());
    let figures = [min, median, max, mean, sd].map(table::short);
    Some([column.name.clone()].into_iter().chain(counts).chain(figures).collect())
}

fn date(column: &ColumnDescription) -> Option<Vec<String>> {
    let Statistics::Date { min, max, median, .. } = &column.statistics else { return None };
    let counts = [column.missing, column.distinct].map(|n| n.to_string());
    let dates = [min, median, max].map(Clone::clone);
    Some([column.name.clone()].into_iter().chain(counts).chain(dates).collect())
}

fn levels(column: &ColumnDescription) -> Vec<String> {
    let top = match &column.statistics {
        Statistics::Text { top } => {
            let shown: Vec<String> =
                top.iter().take(LEVELS).map(|(level, count)| format!("{} ({count})", brief(level))).collect();
            let more = if column.distinct > shown.len() { ", …" } else { "" };
            shown.join(", ") + more
        }
        _ => "no value".to_owned(),
    };
    vec![column.name.clone(), column.missing.to_string(), column.distinct.to_string(), top]
}

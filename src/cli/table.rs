//! Tables that a person likes to read.

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use gradlane::metrics::MetricSet;

/// A table without lines: a header, the first column to the left, the others to the right.
pub fn plain(header: &[String], rows: &[Vec<String>]) -> String {
    with_text(header, rows, &[])
}

/// The same, with the columns numbered `text` to the left too.
pub fn with_text(header: &[String], rows: &[Vec<String>], text: &[usize]) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(header.to_vec()).add_rows(rows.to_vec());
    for (number, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        let left = number == 0 || text.contains(&number);
        column.set_cell_alignment(if left { CellAlignment::Left } else { CellAlignment::Right });
    }
    let text = table.to_string();
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// A figure with about four significant digits; `–` where it is undefined.
pub fn figure(value: Option<f64>) -> String {
    match value {
        None => "–".to_owned(),
        Some(v) if v == 0.0 || (1e-3..1e4).contains(&v.abs()) => format!("{v:.4}"),
        Some(v) => format!("{v:.3e}"),
    }
}

/// A number of the user's data with about five significant digits, whole numbers as they are.
pub fn short(value: f64) -> String {
    let size = value.abs();
    if value.fract() == 0.0 && size < 1e9 {
        return format!("{value:.0}");
    }
    match size {
        s if !(1e-4..1e9).contains(&s) => format!("{value:.3e}"),
        s => format!("{value:.*}", (4 - s.log10().floor() as i32).clamp(0, 6) as usize),
    }
}

/// Whether a metric is one more average of another: JSON has it, a table need not.
fn is_average(name: gradlane::metrics::MetricName) -> bool {
    name.name().ends_with("_macro") || name.name().ends_with("_weighted")
}

/// Figures of several parts side by side, a metric in each row; averages over classes are left out.
pub fn figures(parts: &[(&str, &MetricSet)]) -> String {
    let header: Vec<String> =
        std::iter::once("").chain(parts.iter().map(|(name, _)| *name)).map(str::to_owned).collect();
    let Some((_, first)) = parts.first() else { return String::new() };
    let row = |name: gradlane::metrics::MetricName| {
        let cells = parts.iter().map(|(_, set)| figure(set.get(name)));
        std::iter::once(name.to_string()).chain(cells).collect::<Vec<String>>()
    };
    plain(&header, &first.iter().filter(|(name, _)| !is_average(*name)).map(|(name, _)| row(name)).collect::<Vec<_>>())
}

/// Classes that a confusion matrix is shown for at most.
pub const MOST_CLASSES: usize = 12;

/// A confusion matrix: rows true, columns predicted.
pub fn confusion(classes: &[String], cells: &[Vec<f64>]) -> String {
    let header: Vec<String> = std::iter::once("true \\ predicted".to_owned()).chain(classes.iter().cloned()).collect();
    let count = |x: &f64| if x.fract() == 0.0 { format!("{x:.0}") } else { format!("{x:.2}") };
    let row = |(class, cells): (&String, &Vec<f64>)| {
        std::iter::once(class.clone()).chain(cells.iter().map(count)).collect::<Vec<String>>()
    };
    plain(&header, &classes.iter().zip(cells).map(row).collect::<Vec<_>>())
}

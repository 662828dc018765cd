//! Tables for people.

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};

use super::width;

/// A table without rules: a header, the first column left-aligned, the others right-aligned.
pub fn plain(header: &[String], rows: &[Vec<String>]) -> String {
    with_text(header, rows, &[])
}

/// The same, with the columns numbered `text` left-aligned too. Columns that exceed the terminal continue below, with the first
/// column repeated.
pub fn with_text(header: &[String], rows: &[Vec<String>], text: &[usize]) -> String {
    within(width::of_output().unwrap_or(usize::MAX), header, rows, text)
}

fn within(columns: usize, header: &[String], rows: &[Vec<String>], text: &[usize]) -> String {
    let cell = |row: &[String], column: usize| row.get(column).map_or(0, |cell| cell.chars().count());
    let width =
        |column: usize| rows.iter().map(|row| cell(row, column)).chain([cell(header, column)]).max().unwrap_or(0) + GAP;
    let mut parts: Vec<Vec<usize>> = vec![vec![0]];
    let mut used = width(0);
    for column in 1..header.len() {
        // No gap follows the last column.
        if used + width(column) - GAP > columns && parts.last().is_some_and(|part| part.len() > 1) {
            parts.push(vec![0]);
            used = width(0);
        }
        used += width(column);
        parts.last_mut().expect("there is a part").push(column);
    }
    let part = |part: &Vec<usize>| {
        let of = |row: &[String]| part.iter().map(|column| row.get(*column).cloned().unwrap_or_default()).collect();
        let to_left: Vec<bool> = part.iter().map(|column| *column == 0 || text.contains(column)).collect();
        let rows: Vec<Vec<String>> = rows.iter().map(|row| of(row)).collect();
        drawn(of(header), &rows, &to_left)
    };
    parts.iter().map(part).collect::<Vec<_>>().join("\n")
}

/// Blanks between two columns.
const GAP: usize = 2;

fn drawn(header: Vec<String>, rows: &[Vec<String>], to_left: &[bool]) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(header).add_rows(rows.to_vec());
    for (column, left) in table.column_iter_mut().zip(to_left) {
        column.set_padding((0, GAP as u16));
        column.set_cell_alignment(if *left { CellAlignment::Left } else { CellAlignment::Right });
    }
    let text = table.to_string();
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// A figure with about four significant digits, without exponent while that is readable; `–` if it is undefined.
pub fn figure(value: Option<f64>) -> String {
    let Some(v) = value else { return "–".to_owned() };
    let size = v.abs();
    match size {
        0.0 => "0.0000".to_owned(),
        s if !(1e-6..1e15).contains(&s) => format!("{v:.3e}"),
        s if s < 1e-3 => format!("{v:.*}", (3.0 - s.log10().floor()) as usize),
        s if s < 1e3 => format!("{v:.4}"),
        s => grouped(v, if s < 1e4 { 2 } else { 0 }),
    }
}

/// A number with commas between its thousands.
fn grouped(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = text.split_once('.').map_or((&text[..], None), |(whole, rest)| (whole, Some(rest)));
    let mut digits = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            digits.push(',');
        }
        digits.push(digit);
    }
    let sign = if value < 0.0 { "-" } else { "" };
    format!("{sign}{digits}{}", fraction.map_or(String::new(), |fraction| format!(".{fraction}")))
}

/// A number of the user's data with about five significant digits; whole numbers unchanged.
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

/// `1 row`, `3 rows`.
pub fn counted(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Which weights a run keeps: those of its best epoch, or of that of each of several networks.
pub fn kept_weights(networks: usize, best_epoch: u64) -> String {
    match best_epoch {
        _ if networks > 0 => "the best weights of each".to_owned(),
        0 => "initial weights".to_owned(),
        epoch => format!("weights of epoch {epoch}"),
    }
}

/// The same for a summary that was read.
pub fn kept_weights_of(summary: &serde_json::Value) -> String {
    let networks = summary["members"].as_array().map_or(0, Vec::len);
    kept_weights(networks, summary["best_epoch"].as_u64().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_that_is_too_wide_goes_on_below() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let (header, rows) = (words("name one two three"), [words("aa 11 22 33"), words("b 1111111 2 3")]);
        let whole = "name      one  two  three\naa         11   22     33\nb     1111111    2      3\n";
        assert_eq!(within(25, &header, &rows, &[]), whole);
        let cut =
            "name      one  two\naa         11   22\nb     1111111    2\n\nname  three\naa       33\nb         3\n";
        assert_eq!(within(24, &header, &rows, &[]), cut);
        let narrowest = within(1, &header, &rows, &[]);
        assert_eq!(narrowest.matches("name").count(), 3, "{narrowest}");
    }

    #[test]
    fn figures_of_one_column_are_written_alike() {
        let cases = [
            (0.0, "0.0000"),
            (1.0, "1.0000"),
            (-0.25, "-0.2500"),
            (5.146e-4, "0.0005146"),
            (1.234_56e-6, "0.000001235"),
            (1e-9, "1.000e-9"),
            (812.345_678, "812.3457"),
            (7254.931, "7,254.93"),
            (18_350.4, "18,350"),
            (-1_234_567.0, "-1,234,567"),
            (6.5e38, "6.500e38"),
        ];
        for (value, text) in cases {
            assert_eq!(figure(Some(value)), text);
        }
        assert_eq!(figure(None), "–");
    }
}

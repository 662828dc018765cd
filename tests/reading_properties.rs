//! A table is read in the same way, however it is written: with any delimiter, quotes, line ends, byte order mark, order of
//! columns and blanks.

use gradlane::data::{Column, ColumnKind, Contents, ReadOptions, Source, Table, read};
use proptest::prelude::*;

/// One row: a number, a word, a date in days since 1970, and a number that may be missing.
type Row = (f64, String, i32, Option<i32>);

/// The style in which a table is written.
#[derive(Debug, Clone)]
struct Style {
    delimiter: char,
    quote_all: bool,
    line_end: &'static str,
    mark: bool,
    order: Vec<usize>,
    padding: usize,
    last_newline: bool,
}

const NAMES: [&str; 4] = ["number", "word", "day", "maybe"];

fn style() -> impl Strategy<Value = Style> {
    (
        prop::sample::select(vec![',', ';', '\t', '|']),
        any::<bool>(),
        prop::sample::select(vec!["\n", "\r\n", "\r"]),
        any::<bool>(),
        Just((0..NAMES.len()).collect::<Vec<_>>()).prop_shuffle(),
        0usize..3,
        any::<bool>(),
    )
        .prop_map(|(delimiter, quote_all, line_end, mark, order, padding, last_newline)| Style {
            delimiter,
            quote_all,
            line_end,
            mark,
            order,
            padding,
            last_newline,
        })
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let number = (-1_000_000i64..1_000_000).prop_map(|n| n as f64 / 1000.0 + 0.5);
    let word = prop::sample::select(vec!["red", "dark blue", "gr\u{fc}n", "x-1"]).prop_map(str::to_owned);
    prop::collection::vec((number, word, 0i32..20_000, prop::option::of(-99i32..99)), 2..40)
}

fn day(days: i32) -> String {
    let date = jiff::civil::date(1970, 1, 1) + jiff::Span::new().days(i64::from(days));
    date.to_string()
}

fn written(rows: &[Row], style: &Style) -> Vec<u8> {
    let cell = |text: String| {
        let blanks = " ".repeat(style.padding);
        if style.quote_all { format!("\"{text}\"{blanks}") } else { format!("{blanks}{text}{blanks}") }
    };
    let line = |cells: [String; 4]| {
        let cells: Vec<String> = style.order.iter().map(|at| cell(cells[*at].clone())).collect();
        cells.join(&style.delimiter.to_string())
    };
    let mut lines = vec![line(NAMES.map(str::to_owned))];
    lines.extend(rows.iter().map(|(number, word, days, maybe)| {
        line([number.to_string(), word.clone(), day(*days), maybe.map_or(String::new(), |n| n.to_string())])
    }));
    let mut text = lines.join(style.line_end);
    if style.last_newline {
        text.push_str(style.line_end);
    }
    let mark = if style.mark { "\u{feff}" } else { "" };
    format!("{mark}{text}").into_bytes()
}

fn table(bytes: &[u8]) -> Table {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    match read(&Source::new(file.path()), &ReadOptions::default()).unwrap() {
        Contents::Table(table) => table,
        Contents::Images(_) => panic!("text was taken for images"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn reading_does_not_depend_on_how_a_table_is_written(rows in rows(), style in style()) {
        let bytes = written(&rows, &style);
        let table = table(&bytes);
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        prop_assert!(table.named, "{}", shown);
        let mut names = table.names.clone();
        names.sort_unstable();
        prop_assert_eq!(names, ["day", "maybe", "number", "word"].map(str::to_owned));
        let column = |name: &str| table.column(name).unwrap();
        let numbers = |name: &str| match column(name) {
            Column::Numbers(values) => values.iter().map(|v| (!v.is_nan()).then_some(*v)).collect::<Vec<_>>(),
            Column::Text { .. } => panic!("{name} is text: {shown}"),
        };
        prop_assert_eq!(numbers("number"), rows.iter().map(|row| Some(row.0)).collect::<Vec<_>>());
        prop_assert_eq!(numbers("day"), rows.iter().map(|row| Some(f64::from(row.2))).collect::<Vec<_>>());
        prop_assert_eq!(numbers("maybe"), rows.iter().map(|row| row.3.map(f64::from)).collect::<Vec<_>>());
        let day = table.names.iter().position(|name| name == "day").unwrap();
        prop_assert!(matches!(table.kinds[day], ColumnKind::Date(_)));
        for (row, (_, word, ..)) in rows.iter().enumerate() {
            let cell = column("word").cell(row);
            prop_assert_eq!(cell.as_deref(), Some(word.as_str()));
        }
    }

    /// Any cell of the first row may be replaced by an unusual one. A table is read with all rows, or refused for a doubt about the
    /// header.
    #[test]
    fn without_a_header_no_row_is_lost(
        rows in rows(),
        style in style(),
        odd in prop::option::of((0..NAMES.len(), prop::sample::select(vec!["unknown", "-", ".", "<0.5", "*", "n.a.", "5 kg"]))),
    ) {
        let text = String::from_utf8(written(&rows, &style)).unwrap();
        let mut lines: Vec<String> = text.split(style.line_end).skip(1).map(str::to_owned).collect();
        if let Some((column, odd)) = odd {
            let mut cells: Vec<&str> = lines[0].split(style.delimiter).collect();
            cells[column] = odd;
            lines[0] = cells.join(&style.delimiter.to_string());
        }
        let text = lines.join(style.line_end);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &text).unwrap();
        match read(&Source::new(file.path()), &ReadOptions::default()) {
            Ok(Contents::Table(table)) => prop_assert_eq!(table.rows(), rows.len(), "{}", text),
            Ok(Contents::Images(_)) => prop_assert!(false, "text was taken for images: {}", text),
            Err(error) => prop_assert!(error.to_string().contains("header"), "{}: {}", error, text),
        }
    }
}

//! The parser of delimited files: tables are read as they were written, and every fault is named.

use std::io::Cursor;

use gradlane::data::{
    Column, Contents, DataOptions, Header, NumberForm, Opened, ReadOptions, Source, Table, TableReader, read,
};
use gradlane::{Error, Result};
use proptest::prelude::*;

fn file(text: impl AsRef<[u8]>) -> tempfile::NamedTempFile {
    let file = tempfile::Builder::new().suffix(".csv").tempfile().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

fn read_with(text: impl AsRef<[u8]>, options: &ReadOptions) -> Result<Table> {
    let file = file(text);
    match read(&Source::new(file.path()), options)? {
        Contents::Table(table) => Ok(table),
        Contents::Images(_) => panic!("text was taken for images"),
    }
}

fn table(text: impl AsRef<[u8]>) -> Table {
    read_with(text, &ReadOptions::default()).unwrap()
}

/// The error message, without the folder of the temporary file.
fn fault(text: impl AsRef<[u8]>) -> String {
    let error = read_with(text, &ReadOptions::default()).unwrap_err();
    assert!(matches!(error, Error::Data { .. }), "{error:?}");
    let message = error.to_string();
    message[message.find(".csv").expect("the file is named")..].to_owned()
}

fn numbers(table: &Table, name: &str) -> Vec<f64> {
    match table.column(name) {
        Some(Column::Numbers(values)) => values.clone(),
        other => panic!("{name} should be numbers: {other:?}"),
    }
}

fn cells(table: &Table, name: &str) -> Vec<Option<String>> {
    let column = table.column(name).unwrap();
    (0..table.rows()).map(|row| column.cell(row).map(|cell| cell.into_owned())).collect()
}

#[test]
fn line_ends_byte_order_marks_blanks_and_quotes_are_understood() {
    for text in
        ["a,b\n1,x\n2,y\n", "a,b\r\n1,x\r\n2,y\r\n", "\u{feff}a,b\n1,x\n2,y", "\n a , b\n\n1 ,x\r\n\n2, y\n \n\n"]
    {
        let table = table(text);
        assert_eq!(table.names, ["a", "b"], "{text:?}");
        assert_eq!(numbers(&table, "a"), [1.0, 2.0], "{text:?}");
        assert_eq!(cells(&table, "b"), [Some("x".to_owned()), Some("y".to_owned())], "{text:?}");
    }
    let quoted = table("a,b\n\"one, \"\"two\"\"\nthree\",1\nplain,2\n");
    assert_eq!(cells(&quoted, "a")[0].as_deref(), Some("one, \"two\"\nthree"));
    assert_eq!(quoted.lines, [2, 4]);
}

#[test]
fn missing_values_are_recognised_and_late_text_keeps_earlier_cells_as_written() {
    let read = table("n,t,late,none\n1,x,01,\nNA,?,2.50,NA\n nan ,null,x,\n4,,NaN,?\n");
    assert_eq!(read.column("n").unwrap().missing(), 2);
    assert_eq!(cells(&read, "t"), [Some("x".to_owned()), None, None, None]);
    let late: Vec<Option<String>> = cells(&read, "late");
    assert_eq!(
        late,
        [Some("01".to_owned()), Some("2.50".to_owned()), Some("x".to_owned()), None],
        "as written, not as numbers"
    );
    assert_eq!(read.column("none").unwrap().missing(), 4);

    let na = |items: &[&str]| {
        let options =
            DataOptions { na: items.iter().map(|item| (*item).to_owned()).collect(), ..DataOptions::default() };
        read_with("a,b\n-999,NA\n1,x\n", &options.read_options()).unwrap()
    };
    let replaced = na(&["-999"]);
    assert_eq!((replaced.column("a").unwrap().missing(), replaced.column("b").unwrap().missing()), (1, 0));
    let added = na(&["+-999"]);
    assert_eq!((added.column("a").unwrap().missing(), added.column("b").unwrap().missing()), (1, 1));
}

#[test]
fn faults_name_line_and_remedy() {
    assert_eq!(fault("a,b,c\n1,2,3\n4,5\n"), ".csv:3: expected 3 columns, found 2");
    assert_eq!(fault("a,b\r\n1,2\r\n\r\n\r\n3,4,5\r\n"), ".csv:5: expected 2 columns, found 3");
    assert_eq!(fault("a,b\n\"x\ny\",2\n3"), ".csv:4: expected 2 columns, found 1");
    assert!(fault("a,b\n1,2\n\"3,4\n5,6,7\n").starts_with(".csv:3: a quote is opened in this row and never closed"));
    assert!(
        fault("a,b\n1,2\n\"3,4,7\n5,6\"\n")
            .starts_with(".csv:3: expected 2 columns, found 1; the row goes on to line 4")
    );
    assert_eq!(cells(&table("a,b\n1,\"x\n\""), "b"), [Some("x".to_owned())], "a closed quote at the end");
    assert!(fault("").starts_with(".csv: the file is empty"));
    assert_eq!(fault("a,b\n"), ".csv: expected rows of data, found a header only");
    assert!(fault("a,b\n1,2\n\0,3\n").contains("a binary file"));
    assert!(fault("a,b\n1,2\ninf,3\n").starts_with(".csv:3, column \"a\": expected a finite number"));
}

#[test]
fn a_file_of_some_megabytes_is_read_in_order() {
    let row =
        |row: usize| format!("{row},\"level {}\nof many\",{}\n", row % 1000, if row < 50_000 { "07" } else { "x" });
    let text = "n,t,late\n".to_owned() + &(0..100_000).map(row).collect::<String>();
    assert!(text.len() > 2 << 20);
    let read = table(&text);
    assert_eq!(numbers(&read, "n"), (0..100_000).map(f64::from).collect::<Vec<_>>());
    assert_eq!(read.lines, (0..100_000).map(|row| 2 + 2 * row).collect::<Vec<_>>());
    assert_eq!(cells(&read, "t")[99_999].as_deref(), Some("level 999\nof many"));
    assert_eq!([49_999, 50_000].map(|row| cells(&read, "late")[row].clone().unwrap()), ["07", "x"]);
    assert_eq!(fault(text + "1,2\n3\n"), ".csv:200002: expected 3 columns, found 2");
}

#[test]
fn known_columns_are_read_some_rows_at_a_time() {
    let opened = |text: &'static str| Opened::from_reader("x.csv".into(), Box::new(Cursor::new(text))).unwrap();
    let wanted =
        |index, name: &str, kind| gradlane::data::Wanted { index, name: name.to_owned(), kind, lenient: false };
    use gradlane::data::ColumnKind::{Number, Text};
    let mut reader =
        TableReader::new(opened("\u{feff}id,n,t\na,1,7\nb,2,8\n\nc,,x\n"), &ReadOptions::default()).unwrap();
    assert_eq!(reader.outline().names, ["id", "n", "t"]);
    reader.select(vec![wanted(2, "t", Text), wanted(1, "n", Number(NumberForm::default()))], vec![0]);
    let (first, kept) = reader.next_rows(2).unwrap().unwrap();
    assert_eq!((numbers(&first, "n"), kept), (vec![1.0, 2.0], vec![vec!["a".to_owned(), "b".to_owned()]]));
    assert_eq!(cells(&first, "t"), [Some("7".to_owned()), Some("8".to_owned())]);
    let (last, kept) = reader.next_rows(2).unwrap().unwrap();
    assert!(numbers(&last, "n")[0].is_nan() && kept == [["c"]] && last.lines == [5]);
    assert!(reader.next_rows(2).unwrap().is_none());

    let mut reader = TableReader::new(opened("n\n1\nx\n"), &ReadOptions::default()).unwrap();
    reader.select(vec![wanted(0, "n", Number(NumberForm::default()))], Vec::new());
    let error = reader.next_rows(10).unwrap_err().to_string();
    assert!(error.starts_with("x.csv:3, column \"n\": expected a number, found \"x\""), "{error}");

    let latin = Opened::from_reader("x.csv".into(), Box::new(Cursor::new(b"n,t\n1,caf\xe9\n"))).unwrap();
    let mut reader = TableReader::new(latin, &ReadOptions::default()).unwrap();
    reader.select(vec![wanted(0, "n", Number(NumberForm::default()))], Vec::new());
    let (read, _) = reader.next_rows(10).unwrap().expect("only the columns that are read need be UTF-8");
    assert_eq!(numbers(&read, "n"), [1.0]);
}

proptest! {
    #[test]
    fn tables_are_read_as_they_were_written(
        rows in prop::collection::vec(
            (prop::num::f64::NORMAL | prop::num::f64::ZERO, "[a-z ,;|\"\n\t'é]{0,8}", prop::option::of(-1000i32..1000)), 1..40),
        delimiter in prop::sample::select(vec![b',', b'\t', b';', b'|']),
        crlf: bool,
    ) {
        let mut writer = csv::WriterBuilder::new();
        writer.delimiter(delimiter);
        if crlf { writer.terminator(csv::Terminator::CRLF); }
        let mut writer = writer.from_writer(Vec::new());
        writer.write_record(["number", "text", "maybe"]).unwrap();
        for (number, text, maybe) in &rows {
            let maybe = maybe.map_or("NA".to_owned(), |value| value.to_string());
            writer.write_record([&format!("{number:e}"), &format!("<{text}>"), &maybe]).unwrap();
        }
        let options = ReadOptions {
            delimiter: Some((delimiter as char).to_string().parse().unwrap()), header: Header::Yes,
            quote: Some("\"".parse().unwrap()), ..Default::default()
        };
        let read = read_with(writer.into_inner().unwrap(), &options).unwrap();
        prop_assert_eq!(read.rows(), rows.len());
        let expected: Vec<f64> = rows.iter().map(|row| row.0).collect();
        prop_assert_eq!(numbers(&read, "number"), expected);
        let expected: Vec<Option<String>> = rows.iter().map(|row| Some(format!("<{}>", row.1))).collect();
        prop_assert_eq!(cells(&read, "text"), expected);
        let expected: Vec<Option<String>> = rows.iter().map(|row| row.2.map(|value| value.to_string())).collect();
        prop_assert_eq!(cells(&read, "maybe"), expected);
    }

    #[test]
    fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read_with(&bytes, &ReadOptions::default());
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "[01a,;\"\n\r .é-]{0,80}") {
        if let Ok(table) = read_with(&text, &ReadOptions::default()) {
            prop_assert!(table.rows() > 0 && table.columns.iter().all(|column| column.rows() == table.rows()));
        }
    }
}

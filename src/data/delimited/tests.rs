//! Reading in many sections has the same result as reading in one, including all messages.

use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;

use super::sections::{Section, cut};
use super::whole::{read_bytes, read_file};
use super::windows::TextFile;
use crate::Result;
use crate::data::dialect::TextDialect;
use crate::data::kinds::{KeptTexts, kinds};
use crate::data::layout::FileLayout;
use crate::data::options::{Header, ReadOptions};
use crate::data::raw_table::RawTable;
use crate::data::source::{Opened, Source};
use crate::data::table::{Column, MissingMarkers, Table};
use crate::data::text::Text;

/// Lengths of sections that divide even small files often.
const SIZES: [usize; 4] = [1, 3, 10, 40];

/// Lengths of windows, in bytes.
const WINDOWS: [usize; 3] = [64, 100, 1 << 20];

/// A comment sign that no test uses. With a comment sign, all sections are read on the slow path.
const NO_COMMENT: u8 = 1;

fn read(bytes: &[u8], options: &ReadOptions, section_bytes: usize) -> Result<Table> {
    read_by(bytes, options, (section_bytes, false))
}

fn read_by(bytes: &[u8], options: &ReadOptions, (section_bytes, careful): (usize, bool)) -> Result<Table> {
    let opened = Opened::from_reader("x.csv".into(), Box::new(std::io::Cursor::new(bytes.to_vec())))?;
    let (bytes, _) = Text::new(opened, None)?.into_bytes()?;
    let path = Path::new("x.csv");
    let mut layout = FileLayout::of(path, &bytes, true, options)?;
    if careful && layout.outline.names.len() > 1 {
        layout.dialect.comment = Some(NO_COMMENT);
    }
    let mut file = read_bytes(bytes, path.to_path_buf(), layout, &options.missing, section_bytes)?;
    // As labels are read, so no cell is lost.
    let all: Vec<usize> = (0..file.columns.len()).collect();
    Ok(kinds(&mut file, options, KeptTexts { labels: &all, ..KeptTexts::default() })?.table)
}

/// The table or its error as text, so that missing numbers compare equal.
fn shown(result: Result<Table>) -> String {
    result.map_or_else(|error| format!("error: {error}"), |table| format!("{table:?}"))
}

/// Reads from a file with `window` bytes in memory at a time; `None` if such a file is not read by windows.
fn read_windows(bytes: &[u8], options: &ReadOptions, window: usize) -> Option<Result<Table>> {
    let named = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(named.path(), bytes).unwrap();
    let opened = Opened::new(&Source::new(named.path())).unwrap();
    let text = Text::new(opened, None).ok()?;
    let (file, start) = text.plain_file()?;
    let file = TextFile::new(file.to_path_buf(), start, window).unwrap();
    let layout = Arc::new(FileLayout::of(Path::new("x.csv"), text.head().0, true, options).ok()?);
    if layout.outline.names.len() < 2 {
        return None;
    }
    let layout = FileLayout::clone(&layout);
    let table = |mut file: RawTable| {
        let all: Vec<usize> = (0..file.columns.len()).collect();
        Ok(kinds(&mut file, options, KeptTexts { labels: &all, ..KeptTexts::default() })?.table)
    };
    let read = read_file(file, "x.csv".into(), layout, &options.missing, 1);
    read.transpose().map(|read| read.and_then(table))
}

/// Reads in one section, in many sections, and from a file window by window. Checks that the results agree, and returns the
/// result.
fn alike(bytes: &[u8], options: &ReadOptions) -> String {
    let one = shown(read(bytes, options, usize::MAX));
    let careful = shown(read_by(bytes, options, (usize::MAX, true)));
    assert_eq!(one, careful, "the quick way and the careful one, {:?}", String::from_utf8_lossy(bytes));
    for size in SIZES {
        let many = shown(read(bytes, options, size));
        assert_eq!(many, one, "sections of {size} bytes of {:?}", String::from_utf8_lossy(bytes));
    }
    for window in WINDOWS {
        let Some(read) = read_windows(bytes, options, window) else { continue };
        assert_eq!(shown(read), one, "windows of {window} bytes of {:?}", String::from_utf8_lossy(bytes));
    }
    one
}

/// What stands above the rows may be longer than a window.
#[test]
fn a_header_below_the_first_window_is_found() {
    let text = format!("{}i,x,x\n1,2.5,a\n2,3.5,b\n", "\n".repeat(100));
    assert!(read_windows(text.as_bytes(), &ReadOptions::default(), 64).is_none(), "it is read as a whole");
    let rows = read_windows(text.as_bytes(), &ReadOptions::default(), 120).unwrap().unwrap();
    assert_eq!((rows.rows(), rows.names[0].as_str()), (2, "i"));
}

fn error(text: impl AsRef<[u8]>) -> String {
    let found = alike(text.as_ref(), &ReadOptions::default());
    found.strip_prefix("error: ").unwrap_or_else(|| panic!("expected an error, found {found}")).to_owned()
}

/// The table, read in sections of a few bytes, after a check that other sections give the same.
fn table(text: &str) -> Table {
    alike(text.as_bytes(), &ReadOptions::default());
    read(text.as_bytes(), &ReadOptions::default(), 1).unwrap()
}

fn cells(table: &Table, column: usize) -> Vec<String> {
    let text = |row| table.columns[column].cell(row).map_or("-".to_owned(), |cell| cell.into_owned());
    (0..table.rows()).map(text).collect()
}

/// The sections of a text, with the lines on which they start.
fn sections(text: &str, size: usize) -> Vec<(&str, u64)> {
    let written = |section: Section<'_>| {
        (section.bytes.as_ptr() as usize - text.as_ptr() as usize, section.bytes.len(), section.line)
    };
    let sections = cut(text.as_bytes(), 1, &TextDialect::plain(b','), size).into_iter().map(written);
    sections.map(|(start, length, line)| (&text[start..start + length], line)).collect()
}

#[test]
fn runs_end_where_records_do() {
    assert_eq!(sections("a,1\nb,2\nc,3\n", 1), [("a,1", 1), ("\nb,2", 1), ("\nc,3", 2), ("\n", 3)]);
    assert_eq!(sections("a,1\nb,2\nc,3\n", 5), [("a,1\nb,2", 1), ("\nc,3\n", 2)]);
    assert_eq!(
        sections("a,1\r\nb,2", 1),
        [("a,1\r", 1), ("\nb,2", 1)],
        "the CR belongs to the last cell, as in one section"
    );
    assert_eq!(sections("a\rb\rc", 1), [("a\rb\rc", 1)], "a CR alone ends no record");
    assert_eq!(sections("\"a\nb\",1\n\"c\",2", 1), [("\"a\nb\",1", 1), ("\n\"c\",2", 2)], "a newline in quotes");
    assert_eq!(sections("\"a\"\"\nb\",1\nc,2", 1), [("\"a\"\"\nb\",1", 1), ("\nc,2", 2)], "a doubled quote");
    assert_eq!(sections("x,\"\"\ny,2", 1), [("x,\"\"", 1), ("\ny,2", 1)], "an empty cell in quotes");
    assert_eq!(
        sections("x,\"\"\"\n\"\ny,2", 1),
        [("x,\"\"\"\n\"", 1), ("\ny,2", 2)],
        "three quotes are an open one and one of the text"
    );
    assert_eq!(
        sections("5\" pipe,1\nb,2", 1),
        [("5\" pipe,1", 1), ("\nb,2", 1)],
        "a quote within a cell opens nothing"
    );
    assert_eq!(
        sections("\"a\"\"b\" \"\nc,2", 1),
        [("\"a\"\"b\" \"", 1), ("\nc,2", 1)],
        "nor does one behind a closed one"
    );
    assert_eq!(sections("a,1\n\"b,2\nc,3\n", 1), [("a,1", 1), ("\n\"b,2\nc,3\n", 1)], "an open quote goes to the end");
    assert_eq!(sections("", 1), []);
}

#[test]
fn text_in_a_late_run_makes_the_column_text_as_written() {
    let late = table("n,t\n01,a\n2.50,b\nNA,c\n1e3,d\nx,e\n007,f\n");
    assert_eq!(cells(&late, 0), ["01", "2.50", "-", "1e3", "x", "007"]);
    let early = table("n,t\nx,a\n01,b\n?,c\n2.0,d\n");
    assert_eq!(cells(&early, 0), ["x", "01", "-", "2.0"]);
    let after_missing = table("n,t\n,a\nNA,b\nx,c\n,d\ny,e\n?,f\n");
    assert_eq!(cells(&after_missing, 0), ["-", "-", "x", "-", "y", "-"]);
    let markers = ReadOptions { missing: MissingMarkers::new(&["+-999".to_owned()]), ..ReadOptions::default() };
    assert!(alike(b"a,b\n-999,1\n2,-999\n-999,x\n", &markers).contains("Numbers([NaN, 2.0, NaN])"));
}

#[test]
fn levels_are_in_order_of_first_appearance_in_the_file() {
    let read = table("t\nb\na\nb\nc\nNA\na\nd\nb\n");
    let Column::Text { codes, levels } = &read.columns[0] else { panic!("expected text, found {read:?}") };
    assert_eq!(levels, &["b", "a", "c", "d"]);
    assert_eq!(codes, &[0, 1, 0, 2, u32::MAX, 1, 3, 0]);
}

#[test]
fn lines_count_from_the_start_of_the_file() {
    assert_eq!(table("a,b\n1,2\n\n\n3,4\r\n \n5,6").lines, [2, 5, 7]);
    assert_eq!(table("\n\na,b\n1,2\n3,4\n").lines, [4, 5], "blank lines above the header");
    assert_eq!(table("\"a\nb\",c\n1,x\n2,\"y\n\nz\"\n3,w\n").lines, [3, 4, 7], "newlines in the header and in a cell");
    assert_eq!(table("\u{feff}1,2\n3,4\n").lines, [1, 2], "no header");
    alike("\u{feff}\u{feff}\"\n1\"\"\"\t".as_bytes(), &ReadOptions { header: Header::No, ..ReadOptions::default() });
    assert_eq!(cells(&table("t,u\na,1\n\u{feff}b,2\n"), 0), ["a", "\u{feff}b"], "a mark within the file is text");
}

#[test]
fn of_many_faults_the_first_is_named() {
    assert_eq!(error("a,b\n1,2\n3,4\n5\n6,7,8\n"), "x.csv:4: expected 2 columns, found 1");
    assert_eq!(error("a,b\r\n1,2\r\n\r\n3,4,5\r\n6\r\n"), "x.csv:4: expected 2 columns, found 3");
    assert!(error("a,b\n1,2\n3,inf\n-inf,4\n5,inf\n").starts_with("x.csv:4, column \"a\": expected a finite number"));
    assert_eq!(error("a,b\n1,inf\n3\n"), "x.csv:3: expected 2 columns, found 1", "widths before numbers");
    let open = error("a,b\n1,2\n3,\"4\n5,6,7\n7,8\n");
    assert!(open.starts_with("x.csv:3: a quote is opened in this row and never closed"), "{open}");
    assert!(error("a,b\n1,2\n\"3\n4\"\n5,6\n").ends_with("found 1; the row goes on to line 4: is a quote left open?"));
    assert_eq!(error("a,b\n\n\n"), "x.csv: expected rows of data, found a header only");
}

/// A cell of a column whose values are mostly of the kind `style`.
fn cell(style: usize) -> BoxedStrategy<String> {
    let infinite = Just("1e999".to_owned());
    let number = prop_oneof![
        20 => Just("-999".to_owned()), 100 => "-?[0-9]{1,3}", 60 => "[0-9]\\.[0-9]{1,2}", 1 => infinite,
    ];
    let missing = prop::sample::select(vec!["", "NA", "?", " nan ", "null", "\"\"", "\" \""]).prop_map(str::to_owned);
    let text = prop_oneof![
        "[a-c]{1,2}",
        " ?[a-c é] ?",
        "[a-c]\"[a-c]\"",
        "\"[a-c,;\r\n]{0,4}\"",
        "\"(\"\"|[ab\n,]){0,4}\"[a ]?"
    ];
    match style {
        0 => prop_oneof![19 => number, 4 => missing].boxed(),
        1 => prop_oneof![8 => text, 2 => missing, 2 => number].boxed(),
        2 => prop_oneof![40 => number, 4 => missing, 1 => text].boxed(),
        _ => prop_oneof![20 => missing, 1 => text, 1 => number].boxed(),
    }
}

/// A file with rows of equal width, a few blank lines, and sometimes a row that is too short or too long.
fn file() -> impl Strategy<Value = Vec<u8>> {
    let odd = prop_oneof![30 => Just(""), 1 => Just("\n"), 1 => Just(" \t\r\n"), 1 => Just("\" \"\n")];
    let ragged = prop_oneof![150 => Just(0), 1 => Just(1), 1 => Just(2)];
    let rows = prop::collection::vec(0..4usize, 1..4).prop_flat_map(move |styles| {
        let row = styles.into_iter().map(cell).collect::<Vec<_>>();
        prop::collection::vec((odd.clone(), row, ragged.clone(), prop::bool::weighted(0.2)), 1..24)
    });
    (rows, prop::bool::weighted(0.1), any::<bool>(), prop::bool::weighted(0.05)).prop_map(
        |(rows, mark, end, damage)| {
            let mut text = if mark { "\u{feff}".to_owned() } else { String::new() };
            for (odd, mut row, ragged, crlf) in rows {
                match ragged {
                    1 => row.push("1".to_owned()),
                    2 => drop(row.pop()),
                    _ => {}
                }
                text += &format!("{odd}{}{}", row.join(","), if crlf { "\r\n" } else { "\n" });
            }
            let mut bytes = text.into_bytes();
            if end {
                bytes.pop();
            }
            if damage {
                let middle = bytes.len() / 2;
                bytes.insert(middle, 0xff);
            }
            bytes
        },
    )
}

fn options() -> impl Strategy<Value = ReadOptions> {
    let header = prop::sample::select(vec![Header::Auto, Header::Yes, Header::No]);
    (header, any::<bool>()).prop_map(|(header, marker)| {
        let items = if marker { vec!["+-999".to_owned()] } else { Vec::new() };
        ReadOptions { header, missing: MissingMarkers::new(&items), ..ReadOptions::default() }
    })
}

/// Pieces of text that the reader treats differently.
const PIECES: [&[u8]; 13] =
    [b"1", b"a", b",", b"\"", b"\"\"", b"\n", b"\r", b" ", b"\t", b"NA", b"\xef\xbb\xbf", b"\xff", b"\xc3\xa9"];

proptest! {
    #[test]
    fn many_runs_read_like_one(bytes in file(), options in options()) {
        alike(&bytes, &options);
    }

    #[test]
    fn many_runs_of_any_bytes_read_like_one(
        pieces in prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..60),
        options in options(),
    ) {
        alike(&pieces.concat(), &options);
    }
}

//! How a delimited file is laid out: its delimiter, whether its first line names the columns, and their names.

use std::collections::HashMap;
use std::path::Path;

use csv::{ByteRecord, ReaderBuilder, Terminator};

use super::options::{Format, Header, ReadOptions};
use super::table::{MissingMarkers, parse_number};
use crate::{Error, Result};

/// Records that are looked at to tell delimiter and header.
const SAMPLE_RECORDS: usize = 100;
/// Delimiters that are found by themselves; of equally good ones the first wins.
const DELIMITERS: [u8; 4] = [b',', b'\t', b';', b'|'];

/// Layout of a delimited file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Character between columns.
    pub delimiter: u8,
    /// Whether the first line names the columns.
    pub header: bool,
    /// Names of the columns: the header's, or c0, c1, …
    pub names: Vec<String>,
}

impl Layout {
    /// Tells the layout from the first bytes of a file; what `options` say is not guessed.
    ///
    /// - Delimiter: the one of `, tab ; |` that cuts most of the first records into equally many columns, more than one.
    /// - Header: one if a column has text in the first line and only numbers below; else none if the first line holds a number;
    ///   else one if no cell of the first line occurs again below it.
    ///
    /// # Errors
    /// [`Error::Data`] for an empty file, for bytes that are no UTF-8 text, and for a column name that occurs twice.
    pub fn of(path: &Path, head: &[u8], complete: bool, options: &ReadOptions) -> Result<Self> {
        refuse_other_formats(path, head)?;
        let delimiter = match (options.delimiter, options.format) {
            (Some(delimiter), _) => delimiter.0,
            (None, Format::Tsv) => b'\t',
            (None, _) => best_delimiter(head, complete),
        };
        let sample = sample(head, complete, delimiter);
        let Some(first) = sample.first() else {
            return Err(Error::data(path, "the file is empty: expected rows of delimited columns"));
        };
        let header = match options.header {
            Header::Yes => true,
            Header::No => false,
            Header::Auto => looks_like_header(&sample, &options.missing),
        };
        let names = if header { header_names(path, first)? } else { generated_names(first.len()) };
        Ok(Self { delimiter, header, names })
    }

    /// A reader of records from the start of the file, header included; rows may be of any width.
    pub(super) fn csv(&self) -> ReaderBuilder {
        csv_reader(self.delimiter)
    }
}

/// c0, c1, …
fn generated_names(count: usize) -> Vec<String> {
    (0..count).map(|index| format!("c{index}")).collect()
}

/// Lines end at LF; the CR before it is a blank, and goes with the blanks around a cell. So the reader's count of lines is right.
fn csv_reader(delimiter: u8) -> ReaderBuilder {
    let mut builder = ReaderBuilder::new();
    builder
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .terminator(Terminator::Any(b'\n'))
        .buffer_capacity(1 << 16);
    builder
}

/// The first records, without the last one where it may be cut off, and without blank lines.
fn sample(head: &[u8], complete: bool, delimiter: u8) -> Vec<ByteRecord> {
    let mut records: Vec<ByteRecord> = csv_reader(delimiter)
        .from_reader(head)
        .into_byte_records()
        .map_while(std::result::Result::ok)
        .filter(|record| !is_blank(record))
        .take(SAMPLE_RECORDS + 1)
        .collect();
    if records.len() > SAMPLE_RECORDS || (!complete && records.len() > 1) {
        records.pop();
    }
    records
}

/// Whether a record is a line of blanks alone. Empty lines never become records, so an empty record is a quoted empty cell.
pub(super) fn is_blank(record: &ByteRecord) -> bool {
    record.len() <= 1 && record.iter().all(|cell| !cell.is_empty() && cell.trim_ascii().is_empty())
}

fn best_delimiter(head: &[u8], complete: bool) -> u8 {
    let score = |delimiter: u8| {
        let records = sample(head, complete, delimiter);
        let width = records.first().map_or(0, ByteRecord::len);
        let alike = records.iter().filter(|record| record.len() == width).count();
        if width > 1 { (alike, width) } else { (0, 0) }
    };
    let scores = DELIMITERS.map(score);
    let best = scores.iter().max().expect("there are delimiters");
    DELIMITERS[scores.iter().position(|score| score == best).expect("the maximum is among them")]
}

fn cell_text(cell: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(cell.trim_ascii())
}

fn looks_like_header(sample: &[ByteRecord], markers: &MissingMarkers) -> bool {
    let (first, below) = sample.split_first().expect("a sample has a first record");
    let names: Vec<_> = first.iter().map(cell_text).collect();
    let is_number = |cell: &str| parse_number(cell).is_some();
    let numbers_below = |column: usize| {
        let mut cells =
            below.iter().filter_map(|record| record.get(column)).map(cell_text).filter(|cell| !markers.matches(cell));
        cells.next().is_some_and(|cell| is_number(&cell)) && cells.all(|cell| is_number(&cell))
    };
    if (0..names.len())
        .any(|column| !is_number(&names[column]) && !markers.matches(&names[column]) && numbers_below(column))
    {
        return true;
    }
    if names.iter().any(|cell| is_number(cell) || (!cell.is_empty() && markers.matches(cell))) {
        return false;
    }
    let again = |(column, name): (usize, &std::borrow::Cow<'_, str>)| {
        below.iter().any(|record| record.get(column).is_some_and(|cell| cell_text(cell) == *name))
    };
    !names.iter().enumerate().any(again)
}

fn header_names(path: &Path, record: &ByteRecord) -> Result<Vec<String>> {
    let mut first_at: HashMap<String, usize> = HashMap::new();
    let mut names = Vec::with_capacity(record.len());
    for (index, cell) in record.iter().enumerate() {
        let cell = std::str::from_utf8(cell).map_err(|_| not_utf8(path, Some(1)))?.trim();
        let name = if cell.is_empty() { format!("c{index}") } else { cell.to_owned() };
        if let Some(earlier) = first_at.insert(name.clone(), index) {
            let message = format!(
                "column name \"{name}\" occurs twice, as columns {earlier} and {index}: rename one, or use --header no \
                 if the first line is data"
            );
            return Err(Error::data_at(path, Some(1), None, message));
        }
        names.push(name);
    }
    Ok(names)
}

/// The error for bytes that are not UTF-8.
pub(super) fn not_utf8(path: &Path, line: Option<u64>) -> Error {
    Error::data_at(
        path,
        line,
        None,
        "expected UTF-8 text, found other bytes: convert the file, for example with iconv -t UTF-8",
    )
}

/// Binary files get a better message than a wrong width.
fn refuse_other_formats(path: &Path, head: &[u8]) -> Result<()> {
    const KNOWN: [(&[u8], &str); 7] = [
        (b"PAR1", "a Parquet file"),
        (b"PK\x03\x04", "a ZIP archive (NPZ or a spreadsheet)"),
        (b"\x28\xb5\x2f\xfd", "a Zstandard file"),
        (b"\x93NUMPY", "a NumPy array"),
        (b"\x89HDF", "an HDF5 file"),
        (b"\xff\xfe", "UTF-16 text"),
        (b"\xfe\xff", "UTF-16 text"),
    ];
    let found = match KNOWN.iter().find(|(magic, _)| head.starts_with(magic)) {
        Some((_, what)) => what,
        None if head.contains(&0) => "a binary file",
        None => return Ok(()),
    };
    Err(Error::data(
        path,
        format!("expected delimited text in UTF-8 or an IDX file, plain or gzip, found {found}: convert it"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(text: &str) -> Layout {
        Layout::of(Path::new("x.csv"), text.as_bytes(), true, &ReadOptions::default()).unwrap()
    }

    fn error(text: &[u8]) -> String {
        Layout::of(Path::new("x.csv"), text, true, &ReadOptions::default()).unwrap_err().to_string()
    }

    #[test]
    fn delimiters_are_found() {
        for (text, delimiter, width) in [
            ("a,b\n1,2\n", b',', 2),
            ("a\tb c, d\n1\t2\n", b'\t', 2),
            ("a;b\n1,5;2,5\n3,5;4\n", b';', 2),
            ("a|b|c\n1|2|3\n", b'|', 3),
            ("a\n1\n", b',', 1),
            ("\"a;b\",c\n\"1;2;3\",4\n", b',', 2),
        ] {
            let found = layout(text);
            assert_eq!((found.delimiter, found.names.len()), (delimiter, width), "{text:?}");
        }
    }

    #[test]
    fn headers_are_found() {
        for (text, header) in [
            ("a,b\n1,2\n", true),
            ("1,2\n3,4\n", false),
            ("5.1,x\n4.9,y\n", false),
            (",b\n0,1\n", true),
            ("0,1,label\n12,13,7\n14,?,8\n", true),
            ("name,2\nx,3\ny,4\n", false),
            ("NA,x\n1,y\n", false),
            ("colour,taste\nred,sweet\nred,sour\n", true),
            ("red,sweet\nblue,sweet\nred,sour\n", false),
        ] {
            assert_eq!(layout(text).header, header, "{text:?}");
        }
        assert_eq!(layout("1,2\n3,4\n").names, ["c0", "c1"]);
        assert_eq!(layout(",b\n0,1\n").names, ["c0", "b"]);
    }

    #[test]
    fn options_overrule() {
        let options = ReadOptions { header: Header::No, delimiter: Some(";".parse().unwrap()), ..Default::default() };
        let found = Layout::of(Path::new("x"), b"a,b\n1,2\n", true, &options).unwrap();
        assert_eq!((found.header, found.names.as_slice()), (false, ["c0".to_owned()].as_slice()));
    }

    #[test]
    fn what_is_no_table_is_named() {
        assert!(error(b"").contains("the file is empty"));
        assert!(error(b"\n \n").contains("the file is empty"));
        assert!(error(b"PAR1....").contains("found a Parquet file"));
        assert!(error(b"\xff\xfea\0").contains("UTF-16"));
        assert!(error(b"a,b\n\0\0").contains("a binary file"));
        assert!(error(b"a,b,a\n1,2,3\n").contains("x.csv:1: column name \"a\" occurs twice, as columns 0 and 2"));
        assert!(error(b"a,\xe9\n1,2\n").contains("x.csv:1: expected UTF-8"));
    }
}

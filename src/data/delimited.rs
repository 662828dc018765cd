//! Delimited text (CSV, TSV) to tables: a whole file at once, or a run of rows at a time.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use csv::ByteRecord;

use super::layout::{Layout, is_blank, not_utf8};
use super::options::{Header, ReadOptions};
use super::source::{Opened, read_error};
use super::table::{Column, ColumnKind, MISSING, MissingMarkers, Table, parse_number};
use crate::{Error, Result};

/// Byte order mark that some programs write before UTF-8 text.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// Reads a whole file; a column is of numbers if each of its cells is one or is missing.
///
/// # Errors
/// [`Error::Data`] with the line for a row of the wrong width, bytes that are no UTF-8, infinite numbers, no rows.
pub fn read_table(opened: Opened, options: &ReadOptions) -> Result<Table> {
    let path = opened.name().to_path_buf();
    let (head, complete) = opened.head();
    let layout = Layout::of(&path, without_bom(head), complete, options)?;
    let bytes = opened.into_bytes()?;
    let markers = options.missing.clone();

    let mut builders: Vec<Builder> = layout.names.iter().map(|_| Builder::guess()).collect();
    let mut lines = Vec::new();
    let mut rows = Rows::new(&path, &layout, without_bom(&bytes));
    while let Some((record, line)) = rows.next()? {
        lines.push(line);
        for (builder, cell) in builders.iter_mut().zip(record) {
            builder.push(text(&path, cell, line)?, line, &markers);
        }
    }
    if lines.is_empty() {
        let hint = if layout.header { ", found a header only" } else { "" };
        return Err(Error::data(&path, format!("expected rows of data{hint}")));
    }

    // A column that began with numbers and went on with text is read again: its first cells count as they are written.
    if builders.iter().any(|builder| matches!(builder, Builder::Again)) {
        let again: Vec<usize> = (0..builders.len()).filter(|&c| matches!(builders[c], Builder::Again)).collect();
        again.iter().for_each(|&column| builders[column] = Builder::text(0));
        let mut rows = Rows::new(&path, &layout, without_bom(&bytes));
        while let Some((record, line)) = rows.next()? {
            for &column in &again {
                builders[column].push(text(&path, &record[column], line)?, line, &markers);
            }
        }
    }
    let columns = builders.into_iter().zip(&layout.names).map(|(builder, name)| builder.finish(&path, name));
    Ok(Table { columns: columns.collect::<Result<_>>()?, names: layout.names, named: layout.header, lines, path })
}

fn without_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(BOM).unwrap_or(bytes)
}

/// A cell without the blanks around it.
fn text<'a>(path: &Path, cell: &'a [u8], line: u32) -> Result<&'a str> {
    Ok(std::str::from_utf8(cell).map_err(|_| not_utf8(path, Some(line.into())))?.trim())
}

/// Bytes of a file whose last line surely has its end, so that lines are counted alike.
struct Terminated<R> {
    bytes: R,
    newline_given: bool,
    /// The end was seen: a record that comes only now has no end of its own, since a quote was left open.
    ended: bool,
}

impl<R: Read> Read for Terminated<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.bytes.read(buffer)?;
        if count > 0 || buffer.is_empty() {
            return Ok(count);
        }
        if self.newline_given {
            self.ended = true;
            return Ok(0);
        }
        self.newline_given = true;
        buffer[0] = b'\n';
        Ok(1)
    }
}

/// The data rows of a file: checked for width, blank lines left out.
struct Rows<R> {
    reader: csv::Reader<Terminated<R>>,
    record: ByteRecord,
    width: usize,
    skip_header: bool,
    path: PathBuf,
}

impl<R: Read> Rows<R> {
    fn new(path: &Path, layout: &Layout, bytes: R) -> Self {
        Self {
            reader: layout.csv().from_reader(Terminated { bytes, newline_given: false, ended: false }),
            record: ByteRecord::new(),
            width: layout.names.len(),
            skip_header: layout.header,
            path: path.to_path_buf(),
        }
    }

    /// The next row and the line on which it begins.
    fn next(&mut self) -> Result<Option<(&ByteRecord, u32)>> {
        loop {
            if !self.reader.read_byte_record(&mut self.record).map_err(|e| self.failure(e))? {
                return Ok(None);
            }
            if is_blank(&self.record) {
                continue;
            }
            if std::mem::take(&mut self.skip_header) {
                continue;
            }
            // The reader's own place of a record is before the blank lines above it; count back from its end instead.
            let inner = self.record.as_slice().iter().filter(|&&byte| byte == b'\n').count() as u64;
            let end = self.reader.position().line();
            if self.reader.get_ref().ended {
                let message = "a quote is opened in this row and never closed";
                return Err(Error::data_at(&self.path, Some(end.saturating_sub(inner)), None, message));
            }
            let line = end.saturating_sub(1 + inner).max(1);
            if self.record.len() != self.width {
                return Err(self.wrong_width(line, inner));
            }
            return Ok(Some((&self.record, u32::try_from(line).unwrap_or(u32::MAX))));
        }
    }

    fn wrong_width(&self, line: u64, inner: u64) -> Error {
        let mut message = format!("expected {} columns, found {}", self.width, self.record.len());
        if inner > 0 {
            message.push_str(&format!("; the row goes on to line {}: is a quote left open?", line + inner));
        }
        Error::data_at(&self.path, Some(line), None, message)
    }

    fn failure(&self, error: csv::Error) -> Error {
        let message = error.to_string();
        match error.into_kind() {
            csv::ErrorKind::Io(source) => read_error(&self.path, source),
            _ => Error::data(&self.path, message),
        }
    }
}

/// One column as it is read.
enum Builder {
    /// Numbers so far, and the line of the first infinite one.
    Numbers { values: Vec<f64>, infinite: Option<u32>, strict: bool, wrong: Option<(u32, String)> },
    /// Text.
    Text { codes: Vec<u32>, levels: Vec<String>, index: HashMap<String, u32> },
    /// Numbers, then text.
    Again,
}

impl Builder {
    /// Numbers until there is text.
    fn guess() -> Self {
        Self::Numbers { values: Vec::new(), infinite: None, strict: false, wrong: None }
    }

    /// What the schema says.
    fn known(kind: ColumnKind) -> Self {
        match kind {
            ColumnKind::Number => Self::Numbers { values: Vec::new(), infinite: None, strict: true, wrong: None },
            ColumnKind::Text => Self::text(0),
        }
    }

    /// Text, after `missing` rows without a value.
    fn text(missing: usize) -> Self {
        Self::Text { codes: vec![MISSING; missing], levels: Vec::new(), index: HashMap::new() }
    }

    fn push(&mut self, cell: &str, line: u32, markers: &MissingMarkers) {
        match self {
            Self::Numbers { values, infinite, strict, wrong } => match parse_number(cell) {
                // A marker may look like a number (--na -999).
                Some(_) if markers.matches(cell) => values.push(f64::NAN),
                Some(value) => {
                    if value.is_infinite() {
                        infinite.get_or_insert(line);
                    }
                    values.push(value);
                }
                None if markers.matches(cell) => values.push(f64::NAN),
                None if *strict => {
                    wrong.get_or_insert_with(|| (line, cell.to_owned()));
                    values.push(f64::NAN);
                }
                None if values.iter().all(|value| value.is_nan()) => {
                    *self = Self::text(values.len());
                    self.push(cell, line, markers);
                }
                None => *self = Self::Again,
            },
            Self::Text { codes, levels, index } => codes.push(match index.get(cell) {
                Some(&code) => code,
                None if markers.matches(cell) => MISSING,
                None => {
                    let code = levels.len() as u32;
                    levels.push(cell.to_owned());
                    index.insert(cell.to_owned(), code);
                    code
                }
            }),
            Self::Again => {}
        }
    }

    fn finish(self, path: &Path, name: &str) -> Result<Column> {
        match self {
            Self::Numbers { wrong: Some((line, cell)), .. } => {
                let message = format!("expected a number, found \"{cell}\": leave the cell empty if there is no value");
                Err(Error::data_at(path, Some(line.into()), Some(name), message))
            }
            Self::Numbers { infinite: Some(line), .. } => {
                let message =
                    "expected a finite number, found an infinite one: leave the cell empty if there is no value";
                Err(Error::data_at(path, Some(line.into()), Some(name), message))
            }
            Self::Numbers { values, .. } => Ok(Column::Numbers(values)),
            Self::Text { codes, levels, .. } => Ok(Column::Text { codes, levels }),
            Self::Again => unreachable!("a column that is to be read again has been"),
        }
    }
}

/// Whether the first line of a file holds all of `names`: then it is a header, whatever it looks like.
pub(super) fn first_line_names(
    opened: &Opened,
    options: &ReadOptions,
    mut names: impl Iterator<Item = String>,
) -> bool {
    let (head, complete) = opened.head();
    let with_header = ReadOptions { header: Header::Yes, ..options.clone() };
    Layout::of(opened.name(), without_bom(head), complete, &with_header)
        .is_ok_and(|layout| names.all(|name| layout.names.contains(&name)))
}

/// A column to be read, by its place in the file, under the name and kind of the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Place in the file, from 0.
    pub index: usize,
    /// Name in the schema.
    pub name: String,
    /// Numbers or text.
    pub kind: ColumnKind,
}

/// Reads a file of known columns some rows at a time, in bounded memory.
pub struct TableReader {
    layout: Layout,
    markers: MissingMarkers,
    rows: Rows<Box<dyn Read + Send>>,
    wanted: Vec<Wanted>,
    kept: Vec<usize>,
}

impl TableReader {
    /// Opens a file and finds its layout; no column is read until [`TableReader::select`].
    ///
    /// # Errors
    /// [`Error::Data`] for an empty file, for bytes that are no UTF-8 text, and for a column name that occurs twice.
    pub fn new(opened: Opened, options: &ReadOptions) -> Result<Self> {
        let path = opened.name().to_path_buf();
        let (head, complete) = opened.head();
        let bom = head.starts_with(BOM);
        let layout = Layout::of(&path, without_bom(head), complete, options)?;
        let mut reader: Box<dyn Read + Send> = Box::new(opened.into_reader());
        if bom {
            reader.read_exact(&mut [0; BOM.len()]).map_err(|e| read_error(&path, e))?;
        }
        let rows = Rows::new(&path, &layout, reader);
        let markers = options.missing.clone();
        Ok(Self { layout, markers, rows, wanted: Vec::new(), kept: Vec::new() })
    }

    /// Layout of the file.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Name of the file, for messages.
    pub fn path(&self) -> &Path {
        &self.rows.path
    }

    /// Chooses the columns to be read, and those (by place in the file) to be copied as they are written.
    pub fn select(&mut self, wanted: Vec<Wanted>, kept: Vec<usize>) {
        self.wanted = wanted;
        self.kept = kept;
    }

    /// At most `rows` more rows: the wanted columns as a table, and the kept ones as text; `None` at the end.
    ///
    /// # Errors
    /// [`Error::Data`] with line and column for a wrong width or for text where the schema has numbers.
    pub fn next_rows(&mut self, rows: usize) -> Result<Option<(Table, Vec<Vec<String>>)>> {
        let mut builders: Vec<Builder> = self.wanted.iter().map(|wanted| Builder::known(wanted.kind)).collect();
        let mut kept: Vec<Vec<String>> = self.kept.iter().map(|_| Vec::new()).collect();
        let mut lines = Vec::new();
        let path = self.rows.path.clone();
        while lines.len() < rows
            && let Some((record, line)) = self.rows.next()?
        {
            lines.push(line);
            for (builder, wanted) in builders.iter_mut().zip(&self.wanted) {
                builder.push(text(&path, &record[wanted.index], line)?, line, &self.markers);
            }
            for (column, &index) in kept.iter_mut().zip(&self.kept) {
                column.push(text(&path, &record[index], line)?.to_owned());
            }
        }
        if lines.is_empty() {
            return Ok(None);
        }
        let names: Vec<String> = self.wanted.iter().map(|wanted| wanted.name.clone()).collect();
        let columns = builders.into_iter().zip(&names).map(|(b, name)| b.finish(&path, name)).collect::<Result<_>>()?;
        Ok(Some((Table { path, names, named: self.layout.header, columns, lines }, kept)))
    }

    /// All rows that are left, as one table.
    ///
    /// # Errors
    /// As [`TableReader::next_rows`], and for a file without rows.
    pub fn read_all(mut self) -> Result<Table> {
        let (table, _) = self
            .next_rows(usize::MAX)?
            .ok_or_else(|| Error::data(&self.rows.path, "expected rows of data, found a header only"))?;
        Ok(table)
    }
}

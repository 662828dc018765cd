//! The rows of delimited text, with the lines on which they begin.

use std::io::Read;
use std::path::{Path, PathBuf};

use csv::ByteRecord;
use memchr::memchr_iter;

use crate::data::layout::{Layout, is_blank, not_utf8};
use crate::data::source::read_error;
use crate::{Error, Result};

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

/// A row of the right width.
pub struct Row<'a> {
    /// Line of the file on which it begins.
    pub line: u32,
    cells: &'a ByteRecord,
    /// All cells, if they are UTF-8: one check for a row costs less than one for each cell.
    text: Option<&'a str>,
    path: &'a Path,
}

impl<'a> Row<'a> {
    /// The cell in `column`, without the blanks around it.
    pub fn cell(&self, column: usize) -> Result<&'a str> {
        let range = self.cells.range(column).expect("a row has the width of the file");
        // A delimiter may part the bytes of a character: then `get` finds no text.
        let cell = match self.text {
            Some(text) => text.get(range),
            None => std::str::from_utf8(&self.cells.as_slice()[range]).ok(),
        };
        cell.map(trimmed).ok_or_else(|| not_utf8(self.path, Some(self.line.into())))
    }
}

/// `cell.trim()`, which most cells pass by a look at their ends.
fn trimmed(cell: &str) -> &str {
    match cell.as_bytes() {
        [b'!'..=b'~'] | [b'!'..=b'~', .., b'!'..=b'~'] => cell,
        _ => cell.trim(),
    }
}

/// The rows of a file, or of a part of it: checked for width, blank lines left out.
pub struct Rows<R> {
    reader: csv::Reader<Terminated<R>>,
    record: ByteRecord,
    width: usize,
    path: PathBuf,
    /// Lines of the file above the first byte.
    lines_above: u64,
}

impl<R: Read> Rows<R> {
    /// Rows of `bytes`, which begin on `line` of the file.
    pub fn new(path: &Path, layout: &Layout, bytes: R, line: u64) -> Self {
        Self {
            reader: layout.csv().from_reader(Terminated { bytes, newline_given: false, ended: false }),
            record: ByteRecord::new(),
            width: layout.names.len(),
            path: path.to_path_buf(),
            lines_above: line - 1,
        }
    }

    /// Name of the file, for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Goes past the header: the place of the newline that ends it, and the line which that ends.
    pub fn skip_header(&mut self) -> Result<(usize, u64)> {
        self.next_record()?;
        let after = self.reader.position();
        Ok((after.byte().saturating_sub(1) as usize, self.lines_above + after.line().saturating_sub(1).max(1)))
    }

    /// The next row.
    pub fn next(&mut self) -> Result<Option<Row<'_>>> {
        if !self.next_record()? {
            return Ok(None);
        }
        // The reader's own place of a record is before the blank lines above it; count back from its end instead.
        let inner = memchr_iter(b'\n', self.record.as_slice()).count() as u64;
        let end = self.lines_above + self.reader.position().line();
        if self.reader.get_ref().ended {
            let message = "a quote is opened in this row and never closed";
            return Err(Error::data_at(&self.path, Some(end.saturating_sub(inner)), None, message));
        }
        let line = end.saturating_sub(1 + inner).max(1);
        if self.record.len() != self.width {
            return Err(self.wrong_width(line, inner));
        }
        let (cells, path, line) = (&self.record, self.path.as_path(), u32::try_from(line).unwrap_or(u32::MAX));
        Ok(Some(Row { line, cells, text: std::str::from_utf8(cells.as_slice()).ok(), path }))
    }

    /// Reads up to the end of the next record that is not blank; whether there is one.
    fn next_record(&mut self) -> Result<bool> {
        while self.reader.read_byte_record(&mut self.record).map_err(|e| self.failure(e))? {
            if !is_blank(&self.record) {
                return Ok(true);
            }
        }
        Ok(false)
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

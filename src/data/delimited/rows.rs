//! Reads the rows of delimited text, with the lines on which they start.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use csv::ByteRecord;
use memchr::memchr_iter;

use crate::data::dialect::{is_blank, is_comment};
use crate::data::header::BOM;
use crate::data::layout::FileLayout;
use crate::data::oddities::{MOST_LONG, Oddities, count};
use crate::data::source::read_error;
use crate::data::text::{Conversion, TextReader};
use crate::option_text::{option, quoted, setting};
use crate::{Error, Result};

/// The last line for which a row that is too long may be the header below a title.
const MOST_LINES_ABOVE: u64 = 20;

/// Bytes of a text. If the last line has no newline, one is added, so lines are counted in the same way for all texts.
struct Terminated<R> {
    bytes: R,
    /// Whether the last byte was a newline, which may have been added.
    terminated: bool,
    /// Whether the end was reached. A record that is completed only after that has an open quote.
    ended: bool,
}

impl<R: Read> Read for Terminated<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.bytes.read(buffer)?;
        if count > 0 {
            self.terminated = buffer[count - 1] == b'\n';
        }
        if count > 0 || buffer.is_empty() {
            return Ok(count);
        }
        if self.terminated {
            self.ended = true;
            return Ok(0);
        }
        self.terminated = true;
        buffer[0] = b'\n';
        Ok(1)
    }
}

/// A row with the right number of cells.
pub struct CheckedRow<'a> {
    /// Line of the file on which it starts.
    pub line: u32,
    cells: &'a ByteRecord,
    /// The bytes of all cells as text. Checking a row for UTF-8 at once is faster than checking each cell.
    text: &'a str,
}

impl<'a> CheckedRow<'a> {
    /// The cell in `column`, without blanks around it.
    #[inline]
    pub fn cell(&self, column: usize) -> &'a str {
        trimmed(self.raw(column))
    }

    /// The cell in `column` as written.
    #[inline]
    pub fn raw(&self, column: usize) -> &'a str {
        &self.text[self.cells.range(column).expect("a row has the width of the file")]
    }
}

/// `cell.trim()`, with a fast path for cells that start and end with a printable ASCII character.
pub(super) fn trimmed(cell: &str) -> &str {
    match cell.as_bytes() {
        [b'!'..=b'~'] | [b'!'..=b'~', .., b'!'..=b'~'] => cell,
        _ => cell.trim(),
    }
}

/// The rows of a file or of a part of it. Their widths are checked; blank lines, comments and repeated headers are
/// skipped.
pub struct Rows<R> {
    reader: csv::Reader<Terminated<R>>,
    record: ByteRecord,
    /// Byte and line of the reader before it read the record.
    before: (u64, u64),
    layout: Arc<FileLayout>,
    path: PathBuf,
    /// Number of lines of the file above the first byte.
    lines_above: u64,
    /// Unusual lines and rows so far.
    pub oddities: Oddities,
    gaps: Gaps,
}

/// Blank lines of a file with one column, which are rows without a value. They are found from the line numbers of the
/// records.
#[derive(Debug, Default)]
struct Gaps {
    /// The line on which the last row ended; `None` if blank lines are not rows.
    ended_on: Option<u64>,
    /// Line of a record that was read but not yet returned, because of blank lines above it.
    waiting: Option<u64>,
    /// Number of blank lines above it that were not yet returned.
    blank: u64,
    empty: ByteRecord,
}

impl<R: Read> Rows<R> {
    /// Rows of `bytes`, which start on `line` of the file.
    pub fn new(path: &Path, layout: &Arc<FileLayout>, bytes: R, line: u64) -> Self {
        Self {
            reader: layout.dialect.csv().from_reader(Terminated { bytes, terminated: false, ended: false }),
            record: ByteRecord::new(),
            before: (0, 1),
            layout: Arc::clone(layout),
            path: path.to_path_buf(),
            lines_above: line - 1,
            oddities: Oddities::default(),
            gaps: Gaps::default(),
        }
    }

    /// Name of the file, for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The source of the bytes.
    fn source(&self) -> &R {
        &self.reader.get_ref().bytes
    }

    /// Skips a `sep=` line and the header. Returns the position of the newline that ends them and the line that it
    /// ends; `None` if there are neither.
    pub fn skip_above(&mut self) -> Result<Option<(usize, u64)>> {
        let records = usize::from(self.layout.dialect.sep_line) + usize::from(self.layout.outline.named);
        if self.layout.dialect.sep_line {
            self.next_record()?;
        }
        let mut left = if self.layout.outline.named { self.layout.lines_above + 1 } else { 0 };
        while left > 0 && self.next_record()? {
            let (rows, header) = (self.layout.outline.names.len(), self.layout.first.len());
            let comment = is_comment(&self.record, rows) && is_comment(&self.record, header);
            let marked = self.record.get(0).is_some_and(|cell| cell.starts_with(b"#"));
            if comment || (left > 1 && marked) {
                count(
                    &mut self.oddities.comments,
                    short(self.lines_above + self.reader.position().line().saturating_sub(1).max(1)),
                );
            }
            left -= usize::from(!comment);
        }
        let after = self.reader.position();
        let place = after.byte().saturating_sub(1) as usize;
        let line = self.lines_above + after.line().saturating_sub(1).max(1);
        if records == 0 {
            self.begin_below(self.lines_above);
            return Ok(None);
        }
        self.begin_below(line);
        Ok(Some((place, line)))
    }

    /// Sets the line below which rows start. If the file has one column, blank lines after it are rows.
    pub fn begin_below(&mut self, line: u64) {
        if self.layout.outline.names.len() == 1 && self.layout.dialect.comment.is_none() {
            self.gaps.ended_on = Some(line);
            self.gaps.empty = ByteRecord::from(vec![""]);
        }
    }

    /// The next row.
    #[inline]
    pub fn next(&mut self) -> Result<Option<CheckedRow<'_>>> {
        let line = match self.gaps.waiting {
            Some(line) => line,
            None => match self.read_row()? {
                Some(line) => line,
                None => match self.blank_lines_at_the_end() {
                    Some(line) => line,
                    None => return Ok(None),
                },
            },
        };
        if self.gaps.blank > 0 {
            return Ok(Some(self.blank_row(line)));
        }
        self.gaps.waiting = None;
        if self.reader.is_done() && self.gaps.ended_on.is_some_and(|last| last + 1 == line) {
            return Ok(None); // there were only blank lines
        }
        let text =
            std::str::from_utf8(self.record.as_slice()).expect("text is decoded, and parted at ASCII characters");
        Ok(Some(CheckedRow { line: short(line), cells: &self.record, text }))
    }

    /// If blank lines are rows: counts those after the last row, and returns the line after them.
    fn blank_lines_at_the_end(&mut self) -> Option<u64> {
        let last = self.gaps.ended_on?;
        let end = self.lines_above + self.reader.position().line();
        self.gaps.blank = end.saturating_sub(last + 1);
        self.gaps.ended_on = Some(end.saturating_sub(1).max(last));
        (self.gaps.blank > 0).then_some(end)
    }

    fn blank_row(&mut self, line: u64) -> CheckedRow<'_> {
        let blank = short(line - self.gaps.blank);
        self.gaps.blank -= 1;
        self.gaps.waiting = Some(line);
        count(&mut self.oddities.blank, blank);
        CheckedRow { line: blank, cells: &self.gaps.empty, text: "" }
    }

    /// Reads the next row, skipping comments and repeated headers, and returns the line on which it starts.
    fn read_row(&mut self) -> Result<Option<u64>> {
        while self.next_record()? {
            // The reader's position of a record is before the blank lines above it, so the line is computed from its
            // end.
            let inner = memchr_iter(b'\n', self.record.as_slice()).count() as u64;
            let end = self.lines_above + self.reader.position().line();
            if self.reader.get_ref().ended {
                let remedy = setting("quote", "none");
                let message = format!(
                    "a quote is opened in this row and never closed; {remedy} reads quotes as plain characters"
                );
                return Err(Error::data_at(&self.path, Some(end.saturating_sub(inner)), None, message));
            }
            let line = end.saturating_sub(1 + inner).max(1);
            if self.is_comment() {
                count(&mut self.oddities.comments, short(line));
                continue;
            }
            if self.record.len() != self.layout.outline.names.len() {
                return Err(self.wrong_width(line, inner));
            }
            if inner > 0 && self.oddities.long.len() < MOST_LONG {
                self.oddities.long.push((short(line), self.record.clone()));
            }
            if let Some(last) = &mut self.gaps.ended_on {
                self.gaps.blank = line.saturating_sub(*last + 1);
                *last = end.saturating_sub(1);
            }
            if !self.repeats_header() {
                return Ok(Some(line));
            }
            count(&mut self.oddities.repeated_header, short(line));
        }
        Ok(None)
    }

    /// Whether the record is a comment that is skipped. A record with quotes is not. In rows to predict, nothing is a
    /// comment unless the user specified comments.
    fn is_comment(&self) -> bool {
        let width = self.layout.outline.names.len();
        width > 1 && !self.layout.keeps_comments && is_comment(&self.record, width) && !self.has_quotes()
    }

    /// Whether a cell of the record is quoted: the record then takes more bytes in the file than its cells, the
    /// delimiters, its line end and the blank lines above it.
    fn has_quotes(&self) -> bool {
        let after = self.reader.position();
        let (bytes, lines) = (after.byte() - self.before.0, after.line() - self.before.1);
        let inner = memchr_iter(b'\n', self.record.as_slice()).count() as u64;
        let cells = (self.record.as_slice().len() + self.record.len()).saturating_sub(1) as u64;
        bytes > cells + lines.saturating_sub(inner)
    }

    /// Whether the record repeats the header, as in concatenated files.
    fn repeats_header(&self) -> bool {
        let names = &self.layout.outline.names;
        let is_name = |(cell, name): (&[u8], &String)| {
            cell.trim_ascii() == name.as_bytes() || cell.strip_prefix(BOM).is_some_and(|cell| cell == name.as_bytes())
        };
        self.layout.outline.named && names.len() > 1 && self.record.iter().zip(names).all(is_name)
    }

    /// Reads the next record that is not blank; false at the end.
    fn next_record(&mut self) -> Result<bool> {
        loop {
            let place = self.reader.position();
            self.before = (place.byte(), place.line());
            if !self.reader.read_byte_record(&mut self.record).map_err(|e| self.failure(e))? {
                return Ok(false);
            }
            if !is_blank(&self.record) {
                return Ok(true);
            }
        }
    }

    fn wrong_width(&self, line: u64, inner: u64) -> Error {
        let mut message = format!("expected {} columns, found {}", self.layout.outline.names.len(), self.record.len());
        let expected = self.layout.outline.names.len();
        if expected == 1 || (self.record.len() > expected + 1 && line <= MOST_LINES_ABOVE) {
            let (skip, comment, delimiter) = (setting("skip_lines", line - 1), option("comment"), option("delimiter"));
            message.push_str(&format!(
                ": do other lines stand above the table ({skip} leaves them out, or {comment} names what begins them), or is \
                 {delimiter} another one?"
            ));
        }
        let is_digit = |cell: Option<&u8>| cell.is_some_and(u8::is_ascii_digit);
        let between_digits =
            self.record.iter().zip(self.record.iter().skip(1)).any(|(a, b)| is_digit(a.last()) && is_digit(b.first()));
        if self.layout.dialect.delimiter == b',' && self.record.len() == 2 * expected && between_digits {
            message.push_str(&format!("; {} if commas are decimal commas", quoted("delimiter", ';')));
        }
        if self.layout.keeps_comments && is_comment(&self.record, self.layout.outline.names.len()) {
            message.push_str(&format!("; {} leaves out lines that begin with #", quoted("comment", '#')));
        }
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

impl Rows<TextReader> {
    /// What was found out about the encoding so far.
    pub fn conversion(&self) -> &Conversion {
        self.source().conversion()
    }
}

/// A line number as 32 bits. Numbers that do not fit become the largest one.
pub(super) fn short(line: u64) -> u32 {
    u32::try_from(line).unwrap_or(u32::MAX)
}

//! The fast path for sections without quotes: parses a number while searching for the end of its cell.

use memchr::{memchr, memchr2};

use super::rows::{short, trimmed};
use super::sections::Section;
use crate::data::builder::Builder;
use crate::data::cell::decimal;
use crate::data::header::BOM;
use crate::data::layout::FileLayout;
use crate::data::table::MissingMarkers;
use crate::data::written::Quote;

const NEWLINE: u8 = b'\n';
/// Ctrl-Z, with which DOS programs end a text.
const CTRL_Z: &str = "\x1a";

/// A row that needs the slow path: one of another width, a comment, or a repeated header.
struct Odd;

/// Adds the rows of a section to `columns`, which are those at the places `selected`, and returns the line of each row.
/// Returns `None` if the section has a quote or an unusual row; then `columns` must be discarded and the section read by
/// [`super::rows::Rows`].
pub(super) fn read_plain(
    section: &Section<'_>,
    layout: &FileLayout,
    selected: &[usize],
    columns: &mut [Builder],
    markers: &MissingMarkers,
) -> Option<Vec<u32>> {
    let quoted = |quote| memchr(quote, section.bytes).is_some();
    let names = &layout.outline.names;
    if names.len() < 2
        || layout.dialect.comment.is_some()
        || matches!(layout.dialect.quote, Quote::Byte(q) if quoted(q))
    {
        return None;
    }
    let mut builders = vec![None; names.len()];
    selected.iter().enumerate().for_each(|(at, place)| builders[*place] = Some(at));
    let text = std::str::from_utf8(section.bytes).ok()?;
    let mut rows = PlainRows { text, at: 0, delimiter: layout.dialect.delimiter, names, builders };
    let mut lines = Vec::with_capacity(section.newlines + 1);
    let mut line = section.line;
    while rows.at < text.len() {
        let number = short(line);
        if rows.row(number, columns, markers).ok()? {
            lines.push(number);
        }
        line += 1;
    }
    Some(lines)
}

/// Rows whose cells have no quotes.
struct PlainRows<'a> {
    text: &'a str,
    /// Position of the next row.
    at: usize,
    delimiter: u8,
    names: &'a [String],
    /// For each place, the index of the column in `columns`, if it is read.
    builders: Vec<Option<usize>>,
}

impl PlainRows<'_> {
    /// Reads a line including its newline. Returns whether it is a row.
    fn row(&mut self, line: u32, columns: &mut [Builder], markers: &MissingMarkers) -> Result<bool, Odd> {
        let first = self.end_of_cell(self.at);
        let cell = &self.text[self.at..first];
        if self.byte(first) != Some(self.delimiter) {
            let is_blank = cell.trim_ascii().is_empty() || cell.trim_ascii() == CTRL_Z;
            self.at = first + 1;
            return if is_blank { Ok(false) } else { Err(Odd) };
        }
        if cell.trim_ascii() == self.names[0] || cell.as_bytes().starts_with(BOM) {
            return Err(Odd);
        }
        for place in 0..self.builders.len() {
            let end = match self.builders[place] {
                Some(column) => self.push_cell(&mut columns[column], line, markers),
                None => self.end_of_cell(self.at),
            };
            let is_last = place + 1 == self.builders.len();
            if (self.byte(end) == Some(self.delimiter)) == is_last {
                return Err(Odd);
            }
            self.at = end + 1;
        }
        Ok(true)
    }

    /// Adds the cell at the current position to its column. Returns the end of the cell.
    #[inline]
    fn push_cell(&self, column: &mut Builder, line: u32, markers: &MissingMarkers) -> usize {
        if let Some((value, length)) = decimal(&self.text.as_bytes()[self.at..]) {
            let end = self.at + length;
            let ends = self.byte(end).is_none_or(|byte| byte == self.delimiter || byte == NEWLINE);
            if ends && column.push_decimal(value, &self.text[self.at..end], line, markers) {
                return end;
            }
        }
        let end = self.end_of_cell(self.at);
        column.push(trimmed(&self.text[self.at..end]), line, markers);
        end
    }

    #[inline]
    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    #[inline]
    fn end_of_cell(&self, at: usize) -> usize {
        let rest = &self.text.as_bytes()[at..];
        memchr2(self.delimiter, NEWLINE, rest).map_or(self.text.len(), |length| at + length)
    }
}

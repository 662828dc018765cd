//! Divides delimited text in memory into sections of whole records, which threads read in parallel.

use memchr::{memchr, memchr_iter, memchr2};
use rayon::prelude::*;

use crate::data::dialect::TextDialect;
use crate::data::written::Quote;

/// Least length of a section, for any number of threads: long enough that joining sections takes little time, short enough that
/// threads finish at about the same time.
pub const SECTION_BYTES: usize = 1 << 20;
/// Least number of bytes of a section for each column, so the builders of columns are small compared with their input.
pub const BYTES_OF_A_COLUMN: usize = 256;

const NEWLINE: u8 = b'\n';

/// A sequence of whole records.
///
/// Every section except the first of a file starts with the newline that ends the record before it. The reader takes it as
/// an empty line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Section<'a> {
    /// The records. The newline of the last one belongs to the next section.
    pub bytes: &'a [u8],
    /// Line of the file on which the first byte is.
    pub line: u64,
    /// Number of newlines. The number of rows is at most one higher.
    pub newlines: usize,
}

/// Divides `bytes`, which start on `line` between two records. Each section ends with the first record that makes it at
/// least `size` bytes long.
///
/// Quotes are treated as in the `csv` crate: a quote opens only at the start of a cell, and a doubled quote in a quoted
/// cell is part of the text.
pub fn cut<'a>(bytes: &'a [u8], mut line: u64, dialect: &TextDialect, size: usize) -> Vec<Section<'a>> {
    let mut sections = Vec::new();
    let mut start = 0;
    while start < bytes.len() {
        let end = record_end(bytes, start, start.saturating_add(size.max(1)), dialect);
        sections.push(Section { bytes: &bytes[start..end], line, newlines: 0 });
        start = end;
    }
    sections.par_iter_mut().for_each(|section| section.newlines = memchr_iter(NEWLINE, section.bytes).count());
    for section in &mut sections {
        section.line = line;
        line += section.newlines as u64;
    }
    sections
}

/// Position of the first newline at or after `least` that ends a record, or the end of the bytes.
fn record_end(bytes: &[u8], start: usize, least: usize, dialect: &TextDialect) -> usize {
    let least = least.min(bytes.len());
    let Quote::Byte(quote) = dialect.quote else {
        return memchr(NEWLINE, &bytes[least..]).map_or(bytes.len(), |offset| least + offset);
    };
    let (mut place, mut closed) = (start, None);
    loop {
        // At this point, `place` is outside quotes. Newlines before `least` are irrelevant.
        let found = if place < least {
            memchr(quote, &bytes[place..least]).map_or(least, |offset| place + offset)
        } else {
            memchr2(quote, NEWLINE, &bytes[place..]).map_or(bytes.len(), |offset| place + offset)
        };
        place = match bytes.get(found) {
            None => return bytes.len(),
            Some(&NEWLINE) if found >= least => return found,
            Some(&byte) if byte == quote && opens((bytes, found), (start, closed), dialect) => {
                let end = closing(bytes, found + 1, quote);
                closed = Some(end);
                end
            }
            Some(&byte) if byte == quote => found + 1,
            Some(_) => found,
        };
    }
}

/// Whether a quote is at the start of a cell and not in a comment. The bytes from `start` on are those of whole records; `closed` is the
/// position after the last quoted cell among them.
fn opens((bytes, quote): (&[u8], usize), (start, closed): (usize, Option<usize>), dialect: &TextDialect) -> bool {
    let at_start = quote == 0 || [dialect.delimiter, NEWLINE].contains(&bytes[quote - 1]);
    let commented = |sign: u8| {
        // A line that a quoted cell goes on to, or stands in, is no comment.
        let from = closed.unwrap_or(start);
        match memchr::memrchr(NEWLINE, &bytes[from..quote]) {
            Some(newline) => bytes[from + newline + 1] == sign,
            None => closed.is_none() && bytes[start] == sign,
        }
    };
    at_start && !dialect.comment.is_some_and(commented)
}

/// Position after the closing quote of a cell whose text starts at `place`.
fn closing(bytes: &[u8], mut place: usize, quote: u8) -> usize {
    while let Some(offset) = memchr(quote, &bytes[place..]) {
        let found = place + offset;
        if bytes.get(found + 1) != Some(&quote) {
            return found + 1;
        }
        place = found + 2;
    }
    bytes.len()
}

//! Delimited text in memory, cut into runs of whole records that threads read side by side.

use memchr::{memchr, memchr_iter, memchr2};
use rayon::prelude::*;

use crate::data::dialect::Dialect;
use crate::data::written::Quote;

/// Least length of a run, whatever the number of threads: long beside the work of joining runs, short enough that
/// threads end at about the same time.
pub const RUN_BYTES: usize = 1 << 20;
/// Least bytes of a run for each column: builders of columns are then little beside what they build.
pub const BYTES_OF_A_COLUMN: usize = 256;

const NEWLINE: u8 = b'\n';

/// Whole records that follow each other.
///
/// All runs but the file's first begin with the newline that ends the record before them, which reads as an empty line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run<'a> {
    /// The records; the newline of the last one is the next run's.
    pub bytes: &'a [u8],
    /// Line of the file on which the first byte stands.
    pub line: u64,
    /// Number of newlines: there are no more rows than one above it.
    pub newlines: usize,
}

/// Cuts `bytes`, which begin on `line` between two records, at the first ends of records that are `size` bytes or more
/// apart.
///
/// A quote counts as the `csv` crate has it: it opens at the start of a cell alone, and two of them within are one of
/// the text.
pub fn cut<'a>(bytes: &'a [u8], mut line: u64, dialect: &Dialect, size: usize) -> Vec<Run<'a>> {
    let mut runs = Vec::new();
    let mut start = 0;
    while start < bytes.len() {
        let end = record_end(bytes, start, start.saturating_add(size.max(1)), dialect);
        runs.push(Run { bytes: &bytes[start..end], line, newlines: 0 });
        start = end;
    }
    runs.par_iter_mut().for_each(|run| run.newlines = memchr_iter(NEWLINE, run.bytes).count());
    for run in &mut runs {
        run.line = line;
        line += run.newlines as u64;
    }
    runs
}

/// Place of the first newline from `least` on that ends a record; the end of the bytes if none does.
fn record_end(bytes: &[u8], start: usize, least: usize, dialect: &Dialect) -> usize {
    let least = least.min(bytes.len());
    let Quote::Byte(quote) = dialect.quote else {
        return memchr(NEWLINE, &bytes[least..]).map_or(bytes.len(), |offset| least + offset);
    };
    let mut place = start;
    loop {
        // Outside quotes. Newlines before `least` need no look.
        let found = if place < least {
            memchr(quote, &bytes[place..least]).map_or(least, |offset| place + offset)
        } else {
            memchr2(quote, NEWLINE, &bytes[place..]).map_or(bytes.len(), |offset| place + offset)
        };
        place = match bytes.get(found) {
            None => return bytes.len(),
            Some(&NEWLINE) if found >= least => return found,
            Some(&byte) if byte == quote && opens(bytes, found, dialect) => closing(bytes, found + 1, quote),
            Some(&byte) if byte == quote => found + 1,
            Some(_) => found,
        };
    }
}

/// Whether a quote stands at the start of a cell, and not in a comment.
fn opens(bytes: &[u8], quote: usize, dialect: &Dialect) -> bool {
    let at_start = quote == 0 || [dialect.delimiter, NEWLINE].contains(&bytes[quote - 1]);
    let commented = |sign: u8| {
        let line = memchr::memrchr(NEWLINE, &bytes[..quote]).map_or(0, |newline| newline + 1);
        bytes[line] == sign
    };
    at_start && !dialect.comment.is_some_and(commented)
}

/// Place after the quote that closes the one opened before `place`.
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

//! The dialect of a delimited file: its delimiter, quotes and comments.

use std::path::Path;

use csv::{ByteRecord, ReaderBuilder, Terminator};

use super::cell::parse_number;
use super::number::is_number;
use super::options::{Format, ReadOptions};
use super::written::Quote;
use crate::option_text::{option, setting};
use crate::{Error, Result, Warning, WarningKind};

/// Number of records that are examined.
const SAMPLE_RECORDS: usize = 1000;
/// Delimiters that are detected; of equally good ones the first is chosen.
const DELIMITERS: [u8; 4] = [b',', b'\t', b';', b'|'];
/// The default quote.
const QUOTE: u8 = b'"';
/// The default comment sign.
const COMMENT: u8 = b'#';

/// The dialect of a delimited file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextDialect {
    /// Character between columns.
    pub delimiter: u8,
    /// Character that encloses cells.
    pub quote: Quote,
    /// Character that starts a comment line.
    pub comment: Option<u8>,
    /// Whether a line `sep=;`, which some spreadsheets write, is at the top of the file.
    pub sep_line: bool,
}

impl TextDialect {
    /// A dialect with this delimiter and double quotes.
    pub fn plain(delimiter: u8) -> Self {
        Self { delimiter, quote: Quote::Byte(QUOTE), comment: None, sep_line: false }
    }

    /// A reader of records, which may have any width.
    ///
    /// Lines end at LF. A CR before it counts as a blank, which is trimmed from the cell. This keeps the reader's line
    /// numbers right.
    pub(super) fn csv(&self) -> ReaderBuilder {
        let mut builder = ReaderBuilder::new();
        builder
            .delimiter(self.delimiter)
            .has_headers(false)
            .flexible(true)
            .comment(self.comment)
            .terminator(Terminator::Any(b'\n'))
            .buffer_capacity(1 << 16);
        match self.quote {
            Quote::None => builder.quoting(false),
            Quote::Byte(quote) => builder.quote(quote),
        };
        builder
    }

    /// The first records below a `sep=` line, without blank lines, comments and a possibly incomplete last record.
    pub(super) fn sample(&self, head: &[u8], complete: bool) -> Vec<ByteRecord> {
        let records = self.csv().from_reader(head).into_byte_records().map_while(std::result::Result::ok);
        let mut records: Vec<ByteRecord> = records
            .filter(|record| !is_blank(record))
            .skip(usize::from(self.sep_line))
            .take(SAMPLE_RECORDS + 1)
            .collect();
        if records.len() > SAMPLE_RECORDS || (!complete && records.len() > 1) {
            records.pop();
        }
        let width = usual_width(&records);
        if records.iter().any(|record| !is_comment(record, width)) {
            records.retain(|record| !is_comment(record, width));
        }
        records
    }
}

/// Whether a record is a line of blanks. Empty lines are never records, so an empty record is an empty quoted cell.
pub(super) fn is_blank(record: &ByteRecord) -> bool {
    // DOS programs end a text with Ctrl-Z.
    let nothing = |cell: &[u8]| !cell.is_empty() && (cell.trim_ascii().is_empty() || cell.trim_ascii() == b"\x1a");
    record.len() <= 1 && record.iter().all(nothing)
}

/// Detects the dialect of a text from its first bytes. What `options` specify is not detected.
///
/// # Errors
/// [`Error::Data`] if two delimiters fit equally well.
pub(super) fn find(
    path: &Path,
    head: &[u8],
    complete: bool,
    options: &ReadOptions,
    warnings: &mut Vec<Warning>,
) -> Result<TextDialect> {
    let asked = match (options.delimiter, options.format) {
        (Some(delimiter), _) => Some(delimiter.0),
        (None, Format::Tsv) => Some(b'\t'),
        (None, _) => None,
    };
    let named = sep_line(head);
    let asked_comment = options.comment.map(|c| c.0 as u8);
    let asked_quote = options.quote.unwrap_or(Quote::Byte(QUOTE));
    let with = |delimiter, comment| TextDialect { delimiter, quote: asked_quote, comment, sep_line: named.is_some() };
    let found = |comment| -> Result<TextDialect> {
        let delimiter = match asked.or(named) {
            Some(delimiter) => delimiter,
            None if options.tabs_likely && candidate(b'\t', &with(b'\t', comment).sample(head, complete)).is_some() => {
                b'\t'
            }
            None => {
                best_delimiter(path, parts_quotes(head), &|delimiter| with(delimiter, comment).sample(head, complete))?
            }
        };
        Ok(with(delimiter, comment))
    };
    let dialect = found(asked_comment)?;
    if options.quote.is_some() {
        return Ok(dialect);
    }
    let sample = |quote: Quote| TextDialect { quote, ..dialect }.sample(head, complete);
    let found = other_quote(&sample(dialect.quote), &sample, |records| is_swallowing(records, dialect.delimiter, head));
    let Some((quote, what)) = found else { return Ok(dialect) };
    let message = format!("{}: {what}; {} changes it", path.display(), setting("quote", "'\"'"));
    warnings.push(Warning::new(WarningKind::QuotedLines, message));
    Ok(TextDialect { quote, ..dialect })
}

/// Another quote than the usual one that fits the first records, which were read with the usual one, and what it means.
fn other_quote(
    usual: &[ByteRecord],
    read: &dyn Fn(Quote) -> Vec<ByteRecord>,
    is_swallowing: impl Fn(&[ByteRecord]) -> bool,
) -> Option<(Quote, &'static str)> {
    if has_single_quotes(usual, read) {
        return Some((Quote::Byte(b'\''), "cells stand in single quotes, and delimiters within them do not count"));
    }
    if is_even(usual) && !is_swallowing(usual) {
        return None;
    }
    let bare = read(Quote::None);
    let fits = is_even(&bare) && bare.len() > usual.len() && usual_width(&bare) > 1;
    fits.then_some((
        Quote::None,
        "quotes are not balanced (a quoted cell would go on over whole rows): they are read as plain characters",
    ))
}

/// Whether cells stand in single quotes: records are as wide as the first one only if they do, and some cell that begins with
/// such a quote holds a delimiter.
fn has_single_quotes(sample: &[ByteRecord], read: &dyn Fn(Quote) -> Vec<ByteRecord>) -> bool {
    let Some(width) = sample.first().map(ByteRecord::len).filter(|width| *width > 1) else { return false };
    let begins = |cell: &[u8]| cell.trim_ascii_start().starts_with(b"'");
    if is_even(sample) || !sample[1..].iter().any(|record| record.len() > width && record.iter().any(begins)) {
        return false;
    }
    let quoted = read(Quote::Byte(b'\''));
    quoted.len() == sample.len() && quoted.iter().all(|record| record.len() == width)
}

/// The delimiter from a first line `sep=;`.
fn sep_line(head: &[u8]) -> Option<u8> {
    let line = head.split(|byte| *byte == b'\n').next()?;
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let line = line.strip_prefix(b"\"").and_then(|l| l.strip_suffix(b"\"")).unwrap_or(line);
    match line {
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', delimiter] if !delimiter.is_ascii_alphanumeric() => {
            Some(*delimiter)
        }
        _ => None,
    }
}

/// Whether a space separates two quoted cells in the first line, as in tables written by R.
fn parts_quotes(head: &[u8]) -> bool {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    line.windows(3).any(|bytes| bytes == b"\" \"")
}

/// Whether a record is a comment although none were specified: it starts with `#` and is not as wide as the rows.
pub(super) fn is_comment(record: &ByteRecord, width: usize) -> bool {
    record.len() != width && record.get(0).is_some_and(|cell| cell.trim_ascii_start().first() == Some(&COMMENT))
}

/// The most frequent width; of equally frequent ones the largest.
fn usual_width(records: &[ByteRecord]) -> usize {
    let mut widths: Vec<usize> = records.iter().map(ByteRecord::len).collect();
    widths.sort_unstable();
    widths.chunk_by(|a, b| a == b).max_by_key(|run| run.len()).map_or(0, |run| run[0])
}

/// Whether all records have the same width.
pub(super) fn is_even(records: &[ByteRecord]) -> bool {
    records.windows(2).all(|pair| pair[0].len() == pair[1].len())
}

/// A delimiter, and how well it fits the first records.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    delimiter: u8,
    /// Share of the records that have the usual width.
    even: f64,
    /// Share of the cells below the first record that are numbers, dates or empty. A single record counts itself.
    typed: f64,
    /// Share of these cells that are typed in this way or contain none of the other delimiters.
    plain: f64,
}

/// The delimiter with which most records have the same width, above one. Of delimiters with equal shares, it is the one
/// that gives most numbers, dates and empty cells.
fn best_delimiter(path: &Path, quoted: bool, sample: &dyn Fn(u8) -> Vec<ByteRecord>) -> Result<u8> {
    let mut candidates: Vec<Candidate> = DELIMITERS.iter().filter_map(|d| candidate(*d, &sample(*d))).collect();
    if candidates.is_empty() {
        return Ok(if parts_by_blanks(&sample(b' '), quoted) { b' ' } else { DELIMITERS[0] });
    }
    // The sort is stable, so equally good delimiters stay in the order of the list.
    candidates.sort_by(|a, b| {
        let by_numbers = b.even.total_cmp(&a.even).then(b.typed.total_cmp(&a.typed));
        by_numbers.then(b.plain.total_cmp(&a.plain))
    });
    let best = candidates[0];
    if best.typed < 1.0 && candidate(b' ', &sample(b' ')).is_some_and(|c| c.even == 1.0 && c.typed == 1.0) {
        return Ok(b' '); // decimal commas
    }
    let is_rival = |c: &&Candidate| {
        c.even == 1.0 && (c.typed - best.typed).abs() < 0.02 && (best.plain < 1.0 || c.plain == best.plain)
    };
    let rival = candidates[1..].iter().find(is_rival);
    match rival.filter(|_| best.even == 1.0) {
        None => Ok(best.delimiter),
        Some(rival) => {
            let shown = |delimiter: u8| {
                let first = sample(delimiter);
                let cells = first.last().map(|r| r.iter().map(|c| format!("[{}]", lossy(c))).collect::<String>());
                format!("\"{}\" ({})", super::written::Delimiter(delimiter), cells.unwrap_or_default())
            };
            let (a, b) = (shown(best.delimiter), shown(rival.delimiter));
            let message = format!("the delimiter is ambiguous: {a} or {b}; {} says which", option("delimiter"));
            Err(Error::data(path, message))
        }
    }
}

fn lossy(cell: &[u8]) -> String {
    String::from_utf8_lossy(cell.trim_ascii()).chars().take(20).collect()
}

/// `None` unless the delimiter separates cells, half of the records or more have one width, and the first record fits.
fn candidate(delimiter: u8, records: &[ByteRecord]) -> Option<Candidate> {
    let width = usual_width(records);
    let alike = records.iter().filter(|record| record.len() == width).count();
    let even = alike as f64 / records.len().max(1) as f64;
    // The first line decides: a delimiter that it lacks is within cells. R omits the name of the column of row names.
    let first = records.first().map_or(0, ByteRecord::len);
    let starts_right = first == width || (first + 1 == width && width > 2);
    if width < 2 || even < 0.5 || !starts_right {
        return None;
    }
    let below = records.get(1..).filter(|below| !below.is_empty()).unwrap_or(records);
    let cells: Vec<&[u8]> = below.iter().flat_map(ByteRecord::iter).collect();
    let share = |fits: &dyn Fn(&[u8]) -> bool| {
        cells.iter().filter(|cell| fits(cell)).count() as f64 / cells.len().max(1) as f64
    };
    let others = |cell: &[u8]| cell.iter().any(|byte| *byte != delimiter && DELIMITERS.contains(byte));
    let (typed, plain) = (share(&is_typed), share(&|cell| !others(cell) || is_typed(cell)));
    Some(Candidate { delimiter, even, typed, plain })
}

/// Whether a blank separates all lines below the first into the same number of cells, most of which are typed. If it
/// separates `quoted` cells, one column of numbers is sufficient.
fn parts_by_blanks(records: &[ByteRecord], quoted: bool) -> bool {
    let whole = records.iter().flatten().all(|cell| !cell.is_empty());
    let below = records.get(1..).unwrap_or_default();
    let enough = |found: Candidate| found.typed > 0.5 || (quoted && number_columns(records) > 0);
    whole && is_even(below) && candidate(b' ', records).is_some_and(enough)
}

/// Whether a cell is empty, a number in any form, or a date.
fn is_typed(cell: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(cell.trim_ascii()) else { return false };
    text.is_empty() || is_number(text) || !matches!(super::date::infer(&[text]), super::date::Dates::None)
}

/// Whether a cell contains what looks like rows, with numbers in number columns or with a badly closed quote.
fn is_swallowing(records: &[ByteRecord], delimiter: u8, head: &[u8]) -> bool {
    let over_lines = |record: &&ByteRecord| record.as_slice().contains(&b'\n');
    if !records.iter().any(|record| over_lines(&record)) {
        return false;
    }
    let single: Vec<ByteRecord> = records.iter().filter(|record| !over_lines(record)).skip(1).cloned().collect();
    let numeric = columns_of_numbers(&single, usual_width(records));
    let found = records.iter().filter_map(|record| swallows(record, delimiter, &numeric)).max();
    found == Some(true) || (found.is_some() && closes_badly(head, delimiter))
}

/// Whether a closing quote is followed by text.
fn closes_badly(text: &[u8], delimiter: u8) -> bool {
    let (mut quoted, mut before) = (false, b'\n');
    let mut bytes = text.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match (byte, quoted) {
            (QUOTE, true) if bytes.next_if_eq(&QUOTE).is_some() => {}
            (QUOTE, true) => {
                let next = bytes.peek().copied().unwrap_or(b'\n');
                if next != delimiter && !next.is_ascii_whitespace() {
                    return true;
                }
                quoted = false;
            }
            (QUOTE, false) => quoted = before == delimiter || before == b'\n',
            _ => {}
        }
        before = byte;
    }
    false
}

fn columns_of_numbers(below: &[ByteRecord], width: usize) -> Vec<usize> {
    let of_numbers = |column: &usize| {
        let mut cells = below.iter().map(|record| record.get(*column).unwrap_or_default());
        !below.is_empty() && cells.all(is_number_or_empty)
    };
    (0..width).filter(of_numbers).collect()
}

/// Number of columns in which all cells below the first line are numbers or empty.
pub(super) fn number_columns(records: &[ByteRecord]) -> usize {
    columns_of_numbers(records.get(1..).unwrap_or(&[]), usual_width(records)).len()
}

fn is_number_or_empty(cell: &[u8]) -> bool {
    std::str::from_utf8(cell.trim_ascii()).is_ok_and(|cell| cell.is_empty() || parse_number(cell).is_some())
}

/// Whether a cell of several lines looks like rows that a stray quote has merged. Its first line must have the
/// remaining cells of the row, inner lines all cells, the last line those up to the closing quote. Number columns must
/// contain numbers. `Some(true)` if a line has such a number, or if none of four or more columns is a number column;
/// `None` if the cell is not like rows.
pub(super) fn swallows(record: &ByteRecord, delimiter: u8, numeric: &[usize]) -> Option<bool> {
    let width = record.len();
    // `None` if a line is not a part of a row; otherwise whether it has a number in a number column.
    let part_of_row = |line: &[u8], from: usize, count: usize| -> Option<bool> {
        let cells: Vec<&[u8]> = line.split(|byte| *byte == delimiter).collect();
        // The quote may have cut off the last cell.
        let mut numbers = numeric.iter().filter(|column| **column >= from && **column < from + count.min(cells.len()));
        let some = numbers.clone().any(|column| !cells[column - from].trim_ascii().is_empty());
        (cells.len() == count && numbers.all(|column| is_number_or_empty(cells[column - from]))).then_some(some)
    };
    let holds_rows = |(column, cell): (usize, &[u8])| {
        let lines: Vec<&[u8]> = cell.split(|byte| *byte == b'\n').collect();
        let [first, inner @ .., last] = lines.as_slice() else { return None };
        let before = last.rsplitn(2, |byte| *byte == delimiter).nth(1);
        let last = match before {
            Some(before) => part_of_row(before, 0, column),
            None => (column == 0).then_some(false),
        };
        let inner = inner.iter().map(|line| part_of_row(line, 0, width));
        let parts: Option<Vec<bool>> =
            [part_of_row(first, column, width - column), last].into_iter().chain(inner).collect();
        parts.map(|parts| parts.contains(&true) || (numeric.is_empty() && width >= 4))
    };
    if width > 1 { record.iter().enumerate().filter_map(holds_rows).max() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> (TextDialect, Vec<Warning>) {
        let mut warnings = Vec::new();
        let dialect = find(Path::new("x"), text.as_bytes(), true, &ReadOptions::default(), &mut warnings);
        (dialect.unwrap(), warnings)
    }

    #[test]
    fn delimiters_are_found() {
        for (text, delimiter) in [
            ("a,b\n1,2\n", b','),
            ("a\tb c, d\n1\t2\n", b'\t'),
            ("a;b\n1,5;2,5\n3,5;4\n", b';'),
            ("1,5;2,5\n3,5;4,1\n", b';'),
            ("a|b|c\n1|2|3\n", b'|'),
            ("a\n1\n", b','),
            ("\"a;b\",c\n\"1;2;3\",4\n", b','),
            ("name,genres\nx,a|b\ny,c|d\n", b','),
            ("a b c\n1 2 3\n4 5 6\n", b' '),
            ("sep=;\na;b\n1,2;3\n", b';'),
            ("1,5 2,25\n2,5 4,25\n3,5 6,25\n", b' '),
            ("1,5%;x\n2,5%;x\n3,5%;y\n", b';'),
            ("1.100,50;a\n1.101,50;b\n1.102,50;a\n", b';'),
            ("\"name\" \"x\" \"y\"\n\"ab0\" 95.6 \"b\"\n\"ab1\" 94.6 \"a\"\n", b' '),
            ("address\n12 Main Street\n14 High Road\n", b','),
        ] {
            assert_eq!(found(text).0.delimiter, delimiter, "{text:?}");
        }
        assert!(found("sep=;\na;b\n1;2\n").0.sep_line);
    }

    #[test]
    fn two_delimiters_that_fit_alike_are_refused() {
        let text = b"x,y;z,w\nu,v;s,t\n";
        let error = find(Path::new("x.csv"), text, true, &ReadOptions::default(), &mut Vec::new()).unwrap_err();
        assert!(error.to_string().contains("[u][v;s][t]"), "{error}");
        assert!(error.to_string().contains("[u,v][s,t]"), "{error}");
    }

    #[test]
    fn comments_are_lines_of_another_width() {
        let sample = |text: &str| found(text).0.sample(text.as_bytes(), true).len();
        assert_eq!(sample("# made by a program, version 2\na,b,c\n1,2,3\n"), 2);
        assert_eq!(sample("a,b,c\n#1,2,3\n# end\n"), 2, "a row may begin with the sign");
        assert_eq!(sample("#a,b,c\n1,2,3\n"), 2, "a header too");
    }

    #[test]
    fn quotes_that_swallow_rows_are_characters() {
        let (dialect, warnings) = found("t\tx\tsold\na\t1\tyes\n\"b\t2\tno\nc\t3\tno\n\"d\t4\tyes\n");
        assert_eq!((dialect.quote, warnings.len()), (Quote::None, 1));
        let (dialect, warnings) = found("id,name,y\n1,'Smith, J',2\n2,O'Neill,3\n3,'Lee, K',4\n");
        assert_eq!((dialect.quote, warnings.len()), (Quote::Byte(b'\''), 1), "single quotes");
        let (dialect, warnings) = found("id,name,y\n1,'tis,2\n2,O'Neill,3\n3,d'Arc,4\n");
        assert_eq!((dialect.quote, warnings.len()), (Quote::Byte(b'"'), 0), "apostrophes");
        let (dialect, warnings) = found("text,x,y\n\"one, two, three\nfour, five\",1,2\nb,3,4\n");
        assert_eq!((dialect.quote, warnings.len()), (Quote::Byte(b'"'), 0), "a text of two lines is a text");
    }
}

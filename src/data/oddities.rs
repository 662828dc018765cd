//! Unusual lines and rows of a text.

use std::path::Path;

use csv::ByteRecord;

use super::dialect::swallows;
use crate::option_text::setting;
use crate::warning::are;
use crate::{Error, Result, Warning, WarningKind};

/// Unusual lines and rows of a text.
#[derive(Debug, Clone, Default)]
pub struct Oddities {
    /// Lines that repeat the header: their number, and the first.
    pub repeated_header: Option<(usize, u32)>,
    /// Blank lines in a file of one column, which are rows without a value: their number, and the first.
    pub blank: Option<(usize, u32)>,
    /// Lines that start with `#` and are not rows: their number, and the first.
    pub comments: Option<(usize, u32)>,
    /// The first rows that span several lines, with the lines on which they start.
    pub long: Vec<(u32, ByteRecord)>,
}

/// Upper limit of the rows over several lines that are kept for examination.
pub(super) const MOST_LONG: usize = 64;

/// Counts a line, and remembers the first.
pub(super) fn count(so_far: &mut Option<(usize, u32)>, line: u32) {
    so_far.get_or_insert((0, line)).0 += 1;
}

impl Oddities {
    /// Adds the findings of later rows.
    pub fn append(&mut self, later: Self) {
        let sum = |a: Option<(usize, u32)>, b: Option<(usize, u32)>| match (a, b) {
            (Some((n, line)), Some((m, _))) => Some((n + m, line)),
            (a, b) => a.or(b),
        };
        self.repeated_header = sum(self.repeated_header, later.repeated_header);
        self.blank = sum(self.blank, later.blank);
        self.comments = sum(self.comments, later.comments);
        self.long.extend(later.long);
        self.long.truncate(MOST_LONG);
    }
}

/// The error for a row with a quoted cell that contains what looks like whole rows.
fn swallowed(path: &Path, line: u32, record: &ByteRecord) -> Error {
    let newlines = memchr::memchr_iter(b'\n', record.as_slice()).count() as u64;
    let last = u64::from(line) + newlines;
    let message = format!(
        "a quoted cell of this row goes on to line {last}, over what looks like whole rows: mend the quote; {} reads quotes \
         as plain characters, {} takes the cell as it is",
        setting("quote", "none"),
        setting("quote", "'\"'")
    );
    Error::data_at(path, Some(line.into()), None, message)
}

/// Refuses a file in which a quoted cell contains whole rows. `numeric` are the number columns.
pub(super) fn refuse_swallowed_rows(path: &Path, oddities: &Oddities, delimiter: u8, numeric: &[usize]) -> Result<()> {
    match oddities.long.iter().find(|(_, record)| swallows(record, delimiter, numeric) == Some(true)) {
        Some((line, record)) => Err(swallowed(path, *line, record)),
        None => Ok(()),
    }
}

/// Warnings about lines that are not rows, and about rows that are easily overlooked. Cells over several lines are only
/// reported if `delimiter` is given, that is, if the user did not specify the quotes.
pub(super) fn row_warnings(path: &Path, oddities: &Oddities, delimiter: Option<u8>) -> Vec<Warning> {
    let path = path.display();
    let header = oddities.repeated_header.map(|(count, line)| {
        let message = format!("{path}:{line}: {} a repeated header: left out", are(count, "line"));
        Warning::new(WarningKind::RepeatedHeader, message).count(count)
    });
    let rows = |count: usize| {
        if count == 1 { "1 blank line is a row".to_owned() } else { format!("{count} blank lines are rows") }
    };
    let blank = oddities.blank.map(|(count, line)| {
        let message = format!("{path}:{line}: {} without a value, since there is one column", rows(count));
        Warning::new(WarningKind::BlankLines, message).count(count)
    });
    let doubtful = |(_, record): &&(u32, ByteRecord)| {
        let doubled = record.as_slice().contains(&b'"'); // a quote in the text is a doubled one within quotes
        let looks = |delimiter| record.len() == 1 || swallows(record, delimiter, &[]).is_some();
        delimiter.is_some_and(|delimiter| !doubled && looks(delimiter))
    };
    let swallowed = oddities.long.iter().find(doubtful).map(|(line, _)| {
        let message = format!(
            "{path}:{line}: a quoted cell goes on over several lines that look like rows; {} reads quotes as plain characters",
            setting("quote", "none")
        );
        Warning::new(WarningKind::QuotedLines, message)
    });
    header.into_iter().chain(blank).chain(swallowed).collect()
}

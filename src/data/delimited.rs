//! Delimited text (CSV, TSV) to tables: a whole file on all threads, or known columns some rows at a time.

mod builder;
mod rows;
mod runs;
mod stream;
#[cfg(test)]
mod tests;
mod whole;

use super::layout::Layout;
use super::options::{Header, ReadOptions};
use super::source::Opened;
use super::table::Table;
use crate::Result;
pub use stream::{TableReader, Wanted};

/// Byte order mark that some programs write before UTF-8 text.
const BOM: &[u8] = b"\xef\xbb\xbf";

fn without_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(BOM).unwrap_or(bytes)
}

/// Reads a whole file; a column is of numbers if each of its cells is one or is missing.
///
/// # Errors
/// [`crate::Error::Data`] with the line for a row of the wrong width, bytes that are no UTF-8, infinite numbers, no rows.
pub fn read_table(opened: Opened, options: &ReadOptions) -> Result<Table> {
    let path = opened.name().to_path_buf();
    let (head, complete) = opened.head();
    let layout = Layout::of(&path, without_bom(head), complete, options)?;
    let bytes = opened.into_bytes()?;
    let run_bytes = runs::RUN_BYTES.max(layout.names.len() * runs::BYTES_OF_A_COLUMN);
    whole::read(without_bom(&bytes), path, layout, &options.missing, run_bytes)
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

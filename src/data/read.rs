//! A file, whatever its format, to what is in memory.

use super::delimited::read_table;
use super::idx::{Images, is_idx, read_images};
use super::options::{Format, ReadOptions};
use super::source::{Opened, Source};
use super::table::Table;
use crate::Result;

/// What a file holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Contents {
    /// Named columns.
    Table(Table),
    /// Images as bytes.
    Images(Images),
}

/// Whether the opened file is to be read as IDX.
pub(super) fn reads_as_idx(opened: &Opened, options: &ReadOptions) -> bool {
    match options.format {
        Format::Idx => true,
        Format::Auto => is_idx(opened.head().0),
        Format::Csv | Format::Tsv => false,
    }
}

/// Reads an opened file as a whole.
///
/// # Errors
/// [`crate::Error::Data`] for content that is wrong, [`crate::Error::Io`] for failures of the system.
pub fn read_opened(source: &Source, opened: Opened, options: &ReadOptions) -> Result<Contents> {
    if reads_as_idx(&opened, options) {
        read_images(source, opened).map(Contents::Images)
    } else {
        read_table(opened, options).map(Contents::Table)
    }
}

/// Opens and reads a file or standard input as a whole.
///
/// # Errors
/// [`crate::Error::Data`] for content that is wrong, [`crate::Error::Io`] for failures of the system.
pub fn read(source: &Source, options: &ReadOptions) -> Result<Contents> {
    read_opened(source, Opened::new(source)?, options)
}

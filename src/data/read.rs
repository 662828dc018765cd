//! A file, whatever its format, to what is in memory.

use super::delimited::WholeFile;
use super::idx::{Images, is_idx, read_images};
use super::kinds::{Kinded, kinds};
use super::options::{Format, ReadOptions};
use super::source::{Opened, Source};
use super::table::Table;
use super::text::Text;
use crate::Result;

/// What a file holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Contents {
    /// Named columns.
    Table(Table),
    /// Images as bytes.
    Images(Images),
}

/// What a file holds, before its columns have their kinds.
pub(super) enum Raw {
    Table(Box<WholeFile>),
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
pub(super) fn read_opened(source: &Source, opened: Opened, options: &ReadOptions) -> Result<Raw> {
    if reads_as_idx(&opened, options) {
        read_images(source, opened).map(Raw::Images)
    } else {
        let options = for_name(source, options);
        WholeFile::read(Text::new(opened, options.encoding)?, &options).map(|file| Raw::Table(Box::new(file)))
    }
}

/// The options for a file of this name: `.tsv` and `.tab` promise tabs.
pub(super) fn for_name(source: &Source, options: &ReadOptions) -> ReadOptions {
    let name = source.name().to_string_lossy().to_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    ReadOptions { tabs_likely: name.ends_with(".tsv") || name.ends_with(".tab"), ..options.clone() }
}

/// Opens and reads a file or standard input as a whole.
///
/// # Errors
/// [`crate::Error::Data`] for content that is wrong, [`crate::Error::Io`] for failures of the system.
pub fn read(source: &Source, options: &ReadOptions) -> Result<Contents> {
    Ok(match read_opened(source, Opened::new(source)?, options)? {
        Raw::Table(mut file) => {
            let Kinded { table, .. } = kinds(&mut file, options, &[], &[])?;
            Contents::Table(table)
        }
        Raw::Images(images) => Contents::Images(images),
    })
}

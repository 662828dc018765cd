//! Reads files of any format.

use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use super::columnar::ParquetFile;
use super::delimited;
use super::format::{format_of, of_name};
use super::idx::{Images, holds_bytes, labels_beside, read_images};
use super::json_lines::{JsonLines, JsonLinesFile, keys_of};
use super::kinds::{KeptTexts, Kinded, kinds};
use super::known::normal_form;
use super::libsvm::{Libsvm, LibsvmFile};
use super::matrix::{read_idx, read_npy, read_npz};
use super::options::{Format, ReadOptions};
use super::outline::Outline;
use super::pack::PackFile;
use super::raw_table::RawTable;
use super::source::{Opened, Source};
use super::table::Table;
use super::table_source::{TableFile, TableSource};
use super::text::{Conversion, Text};
use super::whole_table;
use crate::{Result, Unit};

/// The content of a file.
#[derive(Debug, Clone, PartialEq)]
pub enum Contents {
    /// Named columns.
    Table(Table),
    /// Images as bytes.
    Images(Images),
}

/// The content of a file, before the kinds of columns are determined.
pub(super) enum RawContents {
    Table(Box<RawTable>),
    Images(Images),
}

/// How an opened file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OpenedAs {
    /// As delimited text.
    Delimited,
    /// As images of bytes.
    Images,
    /// As a table of this format.
    Table(Format),
}

/// Determines how an opened file is read.
pub(super) fn layer_of(source: &Source, opened: &Opened, options: &ReadOptions) -> OpenedAs {
    match format_of(source, opened, options) {
        Format::Auto | Format::Csv | Format::Tsv => OpenedAs::Delimited,
        Format::Idx if holds_bytes(opened.head().0) => OpenedAs::Images,
        other => OpenedAs::Table(other),
    }
}

/// Reads a whole opened file.
///
/// # Errors
/// [`crate::Error::Data`] for wrong content, [`crate::Error::Io`] for failures of the system.
pub(super) fn read_opened(source: &Source, opened: Opened, options: &ReadOptions) -> Result<RawContents> {
    let table = match layer_of(source, &opened, options) {
        OpenedAs::Images => return read_images(source, opened).map(RawContents::Images),
        OpenedAs::Delimited => delimited::read_whole(Text::of_table(opened, options)?, &for_name(source, options))?,
        OpenedAs::Table(format) => {
            let (file, conversion) = table_file(source, opened, format, options)?;
            let mut table = whole_table::read_whole(file, options)?;
            table.notes = conversion.notes();
            table.warnings.extend(conversion.warning(&table.path));
            table
        }
    };
    Ok(RawContents::Table(Box::new(table)))
}

/// An opened file of any format except delimited text.
///
/// # Errors
/// As [`read_opened`].
pub(super) fn table_file(
    source: &Source,
    opened: Opened,
    format: Format,
    options: &ReadOptions,
) -> Result<(Box<dyn TableFile>, Conversion)> {
    let path = opened.name().to_path_buf();
    let text = |opened| Text::new(opened, options.encoding)?.into_bytes();
    let none = Conversion::default();
    Ok(match format {
        Format::Jsonl => {
            let (bytes, conversion) = text(opened)?;
            (Box::new(JsonLinesFile::new(&path, bytes)?), conversion)
        }
        Format::Libsvm => {
            let (bytes, conversion) = text(opened)?;
            (Box::new(LibsvmFile::new(&path, bytes)?), conversion)
        }
        Format::Parquet => (Box::new(ParquetFile::new(&path, opened.into_store()?)?), none),
        Format::Npy => (Box::new(read_npy(&path, opened.into_store()?)?), none),
        Format::Npz => (Box::new(read_npz(&path, opened.into_store()?)?), none),
        Format::Pack => (Box::new(PackFile::new(&path, opened.into_mapped()?)?), none),
        Format::Idx => {
            let labels = labels_beside(source).map(Source::Path);
            (Box::new(read_idx(&path, opened.into_store()?, labels)?), none)
        }
        Format::Auto | Format::Csv | Format::Tsv => unreachable!("delimited text has a reader of its own"),
    })
}

/// The rows of an opened file of any format except delimited text. `known` are the columns of the model, `optional`
/// those that had missing values in training.
///
/// # Errors
/// As [`read_opened`].
pub(super) fn table_rows(
    source: &Source,
    opened: Opened,
    format: Format,
    (options, known, optional): (&ReadOptions, &[String], &[String]),
) -> Result<Box<dyn TableSource>> {
    let path = opened.name().to_path_buf();
    match format {
        Format::Jsonl => {
            let text = Text::new(opened, options.encoding)?;
            let outline = Arc::new(outline_of_objects(&path, text.head(), known, optional)?);
            Ok(Box::new(JsonLines::new(&path, outline, BufReader::new(text.into_reader()))))
        }
        Format::Libsvm => {
            let text = BufReader::new(Text::new(opened, options.encoding)?.into_reader());
            Ok(Box::new(Libsvm::with_known(&path, known, text)))
        }
        other => table_file(source, opened, other, options)?.0.open(),
    }
}

/// The keys in the first lines, and the columns of the model that are `optional`. If these are not all lines of the
/// file, all columns of the model are added.
fn outline_of_objects(
    path: &Path,
    (head, complete): (&[u8], bool),
    known: &[String],
    optional: &[String],
) -> Result<Outline> {
    let end = memchr::memrchr(b'\n', head).filter(|_| !complete).unwrap_or(head.len());
    let mut names = keys_of(path, &head[..end])?;
    let spelled: Vec<String> = names.iter().map(|name| normal_form(name)).collect();
    let unseen = |name: &&String| !names.contains(name) && (!complete || !spelled.contains(&normal_form(name)));
    let unseen: Vec<String> = if complete { optional } else { known }.iter().filter(unseen).cloned().collect();
    names.extend(unseen);
    Ok(Outline::named(names, Unit::Line))
}

/// The options for a file with this name: `.tsv` and `.tab` suggest tabs.
pub(super) fn for_name(source: &Source, options: &ReadOptions) -> ReadOptions {
    ReadOptions { tabs_likely: of_name(source) == Some(Format::Tsv), ..options.clone() }
}

/// Opens and reads a whole file or standard input.
///
/// # Errors
/// [`crate::Error::Data`] for wrong content, [`crate::Error::Io`] for failures of the system.
pub fn read(source: &Source, options: &ReadOptions) -> Result<Contents> {
    Ok(match read_opened(source, Opened::new(source)?, options)? {
        RawContents::Table(mut file) => {
            let Kinded { table, .. } = kinds(&mut file, options, KeptTexts::default())?;
            Contents::Table(table)
        }
        RawContents::Images(images) => Contents::Images(images),
    })
}

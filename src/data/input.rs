//! A file or folder that is open but not yet read.

use std::collections::HashSet;

use super::columnar::{ParquetFile, part_files};
use super::delimited::DelimitedRows;
use super::drift::Drift;
use super::feature::Feature;
use super::format::{format_of, refuse_misfits};
use super::header::generated;
use super::idx::{Folder, Images, Part};
use super::known::normal_form;
use super::layout::FileLayout;
use super::options::{Format, Header, ReadOptions};
use super::preprocess::TablePreprocessing;
use super::read::{OpenedAs, RawContents, for_name, layer_of, read_opened, table_rows};
use super::schema::has_no_weight;
use super::source::{Opened, Source};
use super::table::{Column, Table};
use super::table_reader::TableReader;
use super::table_source::TableFile;
use super::text::Text;
use super::whole_table;
use super::written::PartFrom;
use crate::option_text::setting;
use crate::{Error, Result, Warning};

/// A file or folder that is open but not yet read.
pub(super) enum Input {
    File(Source, Opened),
    /// A folder with MNIST's layout.
    Folder(Box<Folder>),
    /// A folder of Parquet part files.
    Parts(ParquetFile),
}

impl Input {
    pub(super) fn open(source: &Source) -> Result<Self> {
        match source {
            Source::Path(path) if source.is_folder() => match part_files(path)? {
                files if files.is_empty() => Ok(Self::Folder(Box::new(Folder::open(path)?))),
                files => Ok(Self::Parts(ParquetFile::of_files(path, &files)?)),
            },
            _ => Ok(Self::File(source.clone(), Opened::new(source)?)),
        }
    }

    pub(super) fn open_part(from: &PartFrom) -> Result<Option<Self>> {
        match from {
            PartFrom::File(source) => Self::open(source).map(Some),
            PartFrom::None | PartFrom::Fraction(_) => Ok(None),
        }
    }

    /// Reads the training data, and the test images if a folder contains them.
    pub(super) fn read(self, options: &ReadOptions) -> Result<(RawContents, Option<Images>)> {
        match self {
            Self::File(source, opened) => Ok((read_opened(&source, opened, options)?, None)),
            Self::Folder(folder) => {
                let (train, test) = folder.read()?;
                Ok((RawContents::Images(train), test))
            }
            Self::Parts(file) => {
                Ok((RawContents::Table(Box::new(whole_table::read_whole(Box::new(file), options)?)), None))
            }
        }
    }

    /// Reads the images of a validation or test file. For a folder, this is its test set.
    pub(super) fn read_images(self, options: &ReadOptions) -> Result<Images> {
        self.read_images_part(options, Part::Test)
    }

    pub(super) fn read_images_part(self, options: &ReadOptions, part: Part) -> Result<Images> {
        match self {
            Self::Folder(folder) => folder.read_part(part),
            file => match file.read(options)?.0 {
                RawContents::Images(images) => Ok(images),
                RawContents::Table(table) => Err(Error::Mismatch(format!(
                    "{}: expected images in IDX form, found a table",
                    table.path.display()
                ))),
            },
        }
    }

    /// A reader for the rows of a validation or test file, using the schema of the training file.
    pub(super) fn reader(self, preprocessing: &TablePreprocessing, options: &ReadOptions) -> Result<TableReader> {
        let images = |path: &std::path::Path| {
            Err(Error::Mismatch(format!("{}: expected a table with the model's columns, found images", path.display())))
        };
        let options = ReadOptions { missing: preprocessing.missing.clone(), ..options.clone() };
        let rows = match self {
            Self::Folder(folder) => return images(folder.path()),
            Self::Parts(file) => file.open()?,
            Self::File(source, opened) => match layer_of(&source, &opened, &options) {
                OpenedAs::Images => return images(source.name()),
                OpenedAs::Table(format) => table_rows(
                    &source,
                    opened,
                    format,
                    (&options, &preprocessing.columns, &often_absent(preprocessing)),
                )?,
                OpenedAs::Delimited => {
                    let options = for_name(&source, &options);
                    let mut text = Text::of_table(opened, &options)?;
                    let mut layout = layout_for(preprocessing, &mut text, &options)?;
                    refuse_doubtful_commas(preprocessing, text.name(), &layout)?;
                    layout.keeps_comments = true;
                    Box::new(DelimitedRows::new(text, layout, &options)?)
                }
            },
        };
        let mut reader = TableReader::of(rows, &options);
        let (wanted, warnings) = preprocessing.wanted(reader.outline(), reader.path(), &options)?;
        reader.select(wanted, Vec::new());
        reader.warn(warnings);
        Ok(reader)
    }

    /// Refuses options that do not apply to the format of this file.
    pub(super) fn refuse_misfits(self, options: &ReadOptions) -> Result<Self> {
        match &self {
            Self::Folder(_) => {}
            Self::Parts(file) => refuse_misfits(file.path(), Format::Parquet, options)?,
            Self::File(source, opened) => refuse_misfits(source.name(), format_of(source, opened, options), options)?,
        }
        Ok(self)
    }

    /// Reads all rows of a file of labelled rows, using the schema of the training file.
    pub(super) fn rows(self, preprocessing: &TablePreprocessing, options: &ReadOptions) -> Result<LabelledRows> {
        let mut reader = self.reader(preprocessing, options)?;
        let table = reader.read_all()?;
        let mut drift = Drift::new(&preprocessing.features, &preprocessing.constants);
        let weights = preprocessing.weight.as_ref().and_then(|name| table.column(name));
        let counting =
            |weights: &Column| (0..table.rows() as u32).filter(|row| !has_no_weight(weights, *row)).collect();
        let rows: Option<Vec<u32>> = weights.map(counting);
        drift.observe(&table, rows.as_deref());
        let mut warnings = reader.warnings();
        warnings.extend(drift.warnings());
        Ok(LabelledRows { table, notes: reader.outline().notes.clone(), warnings })
    }
}

/// Labelled rows with the columns that a model knows.
pub(super) struct LabelledRows {
    pub table: Table,
    /// Notes on how they were read.
    pub notes: Vec<String>,
    /// Warnings: how the rows were read, and how they differ from the training rows.
    pub warnings: Vec<Warning>,
}

/// Columns with missing values in training. In JSON Lines, their keys may be absent.
fn often_absent(preprocessing: &TablePreprocessing) -> Vec<String> {
    let had_gaps = |feature: &&Feature| feature.known.as_ref().is_some_and(|known| known.missing() > 0.0);
    preprocessing.features.iter().filter(had_gaps).map(|feature| feature.column.clone()).collect()
}

/// Numbers that count the columns are names, not a row, if there are at least this many.
const LONG_COUNT: usize = 3;

/// Whether the names are 0, 1, 2, … or 1, 2, 3, …, as some programs write if there are no names.
fn counts(names: &[String]) -> bool {
    let from = |first: usize| names.iter().enumerate().all(|(at, name)| *name == (at + first).to_string());
    names.len() > 1 && (from(0) || from(1))
}

/// Refuses rows with one cell more than their header, if decimal commas may be the cause and the model knows no column
/// of row names.
fn refuse_doubtful_commas(
    preprocessing: &TablePreprocessing,
    path: &std::path::Path,
    layout: &FileLayout,
) -> Result<()> {
    let (names, found) = (layout.first.len(), layout.outline.names.len());
    if !layout.has_doubtful_commas || preprocessing.columns.contains(&layout.outline.names[0]) {
        return Ok(());
    }
    Err(Error::Mismatch(format!(
        "{}: expected {names} columns as the header has, found {found}: the model knows no column of row names, and commas may be \
         decimal commas; quote such numbers, or leave the header out and give {}",
        path.display(),
        setting("header", "no")
    )))
}

/// The layout of a file with known columns. Its first line is a header if it contains a known name.
fn layout_for(preprocessing: &TablePreprocessing, text: &mut Text, options: &ReadOptions) -> Result<FileLayout> {
    if text.head().1 && text.head().0.trim_ascii().is_empty() {
        return Ok(FileLayout::of_nothing(&preprocessing.columns));
    }
    if options.header != Header::Auto {
        return FileLayout::find(text, options);
    }
    if preprocessing.named {
        layout_with_names(preprocessing, text, options)
    } else {
        layout_without_names(preprocessing, text, options)
    }
}

/// The layout of a file for a model of data without a header. The first line is a row, unless it cannot be one.
fn layout_without_names(
    preprocessing: &TablePreprocessing,
    text: &mut Text,
    options: &ReadOptions,
) -> Result<FileLayout> {
    let first = FileLayout::find(text, &ReadOptions { header: Header::Yes, ..options.clone() })?;
    // The generated names that `data convert` writes are not a row, nor are numbers that count many columns.
    let made_up = first.first.len() > 1 && first.first == generated(first.first.len());
    if made_up || (counts(&first.first) && first.first.len() >= LONG_COUNT) {
        return Ok(first);
    }
    // Words instead of all numbers of the model are a header. With a single number column, the word may stand for an
    // unknown number.
    let words = preprocessing.values_by_place(&first.first, text.name());
    if words.is_some_and(|(values, of)| values == 0 && of > 1)
        && let Ok(found) = FileLayout::find(text, options)
        && found.outline.named
    {
        return Ok(found);
    }
    FileLayout::find(text, &ReadOptions { header: Header::No, ..options.clone() })
}

/// The layout of a file for a model with named columns.
fn layout_with_names(preprocessing: &TablePreprocessing, text: &mut Text, options: &ReadOptions) -> Result<FileLayout> {
    let known: HashSet<String> = preprocessing.columns.iter().map(|name| normal_form(name)).collect();
    let is_known = |layout: &FileLayout| layout.outline.names.iter().any(|name| known.contains(&normal_form(name)));
    let named = FileLayout::find(text, &ReadOptions { header: Header::Yes, ..options.clone() })?;
    if is_known(&named) {
        return Ok(named);
    }
    // As in training, titles or comments may be above the header.
    if let Ok(found) = FileLayout::find(text, options)
        && found.lines_above > 0
        && is_known(&found)
    {
        return Ok(found);
    }
    match preprocessing.values_by_place(&named.first, text.name()).map(|(values, of)| values == of) {
        Some(true) if !counts(&named.first) => {
            FileLayout::find(text, &ReadOptions { header: Header::No, ..options.clone() })
        }
        Some(_) => Ok(named),
        None => FileLayout::find(text, options),
    }
}

//! A file or folder that is open but not read.

use super::delimited::{TableReader, first_line_names};
use super::idx::{Folder, Images, Part};
use super::options::{Header, ReadOptions};
use super::preprocess::TablePreprocessing;
use super::read::{Contents, read_opened, reads_as_idx};
use super::source::{Opened, Source};
use super::written::PartFrom;
use crate::{Error, Result};

/// A file or folder that is open but not read.
pub(super) enum Input {
    File(Source, Opened),
    Folder(Box<Folder>),
}

impl Input {
    pub(super) fn open(source: &Source) -> Result<Self> {
        match source {
            Source::Path(path) if source.is_folder() => Ok(Self::Folder(Box::new(Folder::open(path)?))),
            _ => Ok(Self::File(source.clone(), Opened::new(source)?)),
        }
    }

    pub(super) fn open_part(from: &PartFrom) -> Result<Option<Self>> {
        match from {
            PartFrom::File(source) => Self::open(source).map(Some),
            PartFrom::None | PartFrom::Fraction(_) => Ok(None),
        }
    }

    /// The training data, and the test images that a folder brings along.
    pub(super) fn read(self, options: &ReadOptions) -> Result<(Contents, Option<Images>)> {
        match self {
            Self::File(source, opened) => Ok((read_opened(&source, opened, options)?, None)),
            Self::Folder(folder) => {
                let (train, test) = folder.read()?;
                Ok((Contents::Images(train), test))
            }
        }
    }

    /// Images of a validation or test file; a folder means its test set.
    pub(super) fn read_images(self, options: &ReadOptions) -> Result<Images> {
        self.read_images_part(options, Part::Test)
    }

    pub(super) fn read_images_part(self, options: &ReadOptions, part: Part) -> Result<Images> {
        match self {
            Self::Folder(folder) => folder.read_part(part),
            Self::File(source, opened) => match read_opened(&source, opened, options)? {
                Contents::Images(images) => Ok(images),
                Contents::Table(table) => Err(Error::Mismatch(format!(
                    "{}: expected images in IDX form, found a table",
                    table.path.display()
                ))),
            },
        }
    }

    /// Rows of a validation or test file, read by the schema of the training file.
    pub(super) fn reader(self, preprocessing: &TablePreprocessing, options: &ReadOptions) -> Result<TableReader> {
        let images = |path: &std::path::Path| {
            Err(Error::Mismatch(format!("{}: expected a table with the model's columns, found images", path.display())))
        };
        match self {
            Self::Folder(folder) => images(folder.path()),
            Self::File(source, opened) if reads_as_idx(&opened, options) => images(source.name()),
            Self::File(_, opened) => {
                let mut options = ReadOptions { missing: preprocessing.missing.clone(), ..options.clone() };
                let names = preprocessing.features.iter().map(|feature| feature.column.clone());
                if options.header == Header::Auto && preprocessing.named && first_line_names(&opened, &options, names) {
                    options.header = Header::Yes;
                }
                let mut reader = TableReader::new(opened, &options)?;
                let wanted = preprocessing.wanted(reader.layout(), reader.path())?;
                reader.select(wanted, Vec::new());
                Ok(reader)
            }
        }
    }
}

//! Prepares training, validation and test sets from files and options.

use super::dataset::{Dataset, Features};
use super::deal::deal;
use super::doubts::{without_target, without_weights};
use super::idx::{Images, Part};
use super::image::TypedImages;
use super::input::{Input, LabelledRows};
use super::options::{DataOptions, NumberLoss, ReadOptions, Shuffle};
use super::pack::{PackedTable, SourceRemarks, pack_of, read_packed, refuse_without_room};
use super::prepared::Prepared;
use super::preprocess::{Preprocessing, TablePreprocessing};
use super::read::RawContents;
use super::sketch::Sketch;
use super::source::{Opened, Source};
use super::strangers::{Apart, Strangers};
use super::table::Table;
use super::tables::TypedTable;
use super::task::Task;
use super::written::PartFrom;
use crate::option_text::{option, setting};
use crate::{Result, Warning, WarningKind};

/// Reads, splits and prepares data as the options require. The result depends on the files, options and seed alone.
///
/// # Errors
/// [`crate::Error::Option`] for wrong options, before any file is opened, and for options that do not fit the data;
/// [`crate::Error::Usage`] and [`crate::Error::Mismatch`] if several options are involved; [`crate::Error::Io`] and
/// [`crate::Error::Data`] for wrong files. All files are opened before the first one is read completely.
pub fn prepare(options: &DataOptions, seed: u64) -> Result<Prepared> {
    Loaded::read(options)?.prepare(options, seed)
}

/// As [`prepare`], for a file in memory. `options.data` is only its name in messages.
///
/// # Errors
/// As [`prepare`].
pub fn prepare_bytes(bytes: &'static [u8], options: &DataOptions, seed: u64) -> Result<Prepared> {
    options.check()?;
    let opened = Opened::from_reader(options.data.name().to_path_buf(), Box::new(bytes))?;
    Loaded::read_main(Input::File(options.data.clone(), opened), options)?.prepare(options, seed)
}

/// The training file in memory, with typed columns. Nothing is fitted yet, so the options of the preprocessing may
/// still depend on the data. Validation and test files of a table are open but not read, because reading them requires
/// the schema of the preprocessing.
pub struct Loaded(pub(super) LoadedContents);

pub(super) enum LoadedContents {
    Table(Box<TypedTable>, (Option<Input>, Option<Input>)),
    Images(Box<TypedImages>, (Option<Images>, Option<Images>)),
}

impl Loaded {
    /// Opens all files before the first one is read completely.
    ///
    /// # Errors
    /// As [`prepare`].
    pub fn read(options: &DataOptions) -> Result<Self> {
        options.check()?;
        if options.shuffle == Shuffle::Blocks {
            return Self::read_blocks(options);
        }
        refuse_without_room(&options.data, &options.read_options())?;
        Self::read_main(Input::open(&options.data)?.refuse_misfits(&options.read_options())?, options)
    }

    /// Reads the columns that must be in memory. The others stay in a pack.
    fn read_blocks(options: &DataOptions) -> Result<Self> {
        let (file, packed) = pack_of(&options.data, &options.read_options())?;
        let valid = Input::open_part(&options.valid)?;
        let test = options.test.as_ref().map(Input::open_part).transpose()?.flatten();
        let PackedTable { table, columns } = read_packed(file, options)?;
        let mut typed = TypedTable::new(table, options)?.with_pack(columns);
        if let Some(SourceRemarks { notes, warnings }) = packed {
            typed.notes.splice(0..0, notes);
            typed.warnings.splice(0..0, warnings);
        }
        typed.warnings.extend(same_file(options));
        Ok(Self(LoadedContents::Table(Box::new(typed), (valid, test))))
    }

    fn read_main(main: Input, options: &DataOptions) -> Result<Self> {
        let valid = Input::open_part(&options.valid)?;
        let test = options.test.as_ref().map(Input::open_part).transpose()?.flatten();
        let read = options.read_options();
        match main.read(&read)? {
            (RawContents::Images(train), own_test) => {
                let images = |input: Option<Input>| input.map(|input| input.read_images(&read)).transpose();
                let own_test = own_test.filter(|_| options.test.is_none());
                let others = (images(valid)?, images(test)?.or(own_test));
                Ok(Self(LoadedContents::Images(Box::new(TypedImages::new(train, options)?), others)))
            }
            (RawContents::Table(file), _) => {
                let mut table = TypedTable::new(*file, options)?;
                table.warnings.extend(same_file(options));
                Ok(Self(LoadedContents::Table(Box::new(table), (valid, test))))
            }
        }
    }

    /// The size of the data.
    pub fn sketch(&self) -> Sketch {
        match &self.0 {
            LoadedContents::Images(images, _) => Sketch {
                task: Task::Multiclass,
                is_table: false,
                rows: images.labels.len(),
                numbers: 0,
                categories: 0,
                outputs: 0,
            },
            LoadedContents::Table(table, _) => table.sketch(),
        }
    }

    /// Splits and prepares the data. `options` must agree with those used for reading.
    ///
    /// # Errors
    /// As [`prepare`].
    pub fn prepare(self, options: &DataOptions, seed: u64) -> Result<Prepared> {
        match self.0 {
            LoadedContents::Images(images, others) => {
                let split = deal(&images.rows(), Some(&images.labels), None, options, seed)?;
                images.prepare(split, others, options, seed)
            }
            LoadedContents::Table(table, files) => {
                let split = table.deal(options, seed)?;
                table.prepare(split, files, (options, seed), None)
            }
        }
    }
}

/// Rows prepared by a saved preprocessing.
#[derive(Debug, Clone, PartialEq)]
pub struct PreparedRows {
    /// Features, targets and weights of the rows with a target.
    pub dataset: Dataset,
    /// Row numbers in the file, from 0.
    pub rows: Vec<u32>,
    /// Rows of classes that did not occur in training, which are not in `dataset`.
    pub strangers: Option<Strangers>,
    /// Notes on how the file is read.
    pub notes: Vec<String>,
    /// Warnings for the user.
    pub warnings: Vec<Warning>,
}

/// Reads a file as a table, using a saved preprocessing: the columns that the model knows, under the model's names.
///
/// # Errors
/// [`crate::Error::Mismatch`] if the model needs columns that do not exist, [`crate::Error::Data`] and
/// [`crate::Error::Io`] for a wrong file.
pub fn read_for(preprocessing: &TablePreprocessing, source: &Source, options: &ReadOptions) -> Result<Table> {
    Ok(Input::open(source)?.rows(preprocessing, options)?.table)
}

/// The warning about a validation or test file that is the training file itself.
fn same_file(options: &DataOptions) -> Option<Warning> {
    let whole = |source: &Source| match source {
        Source::Path(path) => path.canonicalize().ok(),
        Source::Stdin => None,
    };
    let parts = [("valid", Some(&options.valid)), ("test", options.test.as_ref())];
    let is_same = |part: &&PartFrom| matches!(part, PartFrom::File(file) if whole(file).is_some_and(|file| whole(&options.data) == Some(file)));
    let (part, _) = parts.into_iter().find(|(_, part)| part.as_ref().is_some_and(is_same))?;
    let (file, share) = (option(part), setting(part, 0.2));
    let message = format!("{file} is the training file: its figures say nothing of new rows; {share} sets rows apart");
    Some(Warning::new(WarningKind::Leak, message))
}

/// Prepares labelled rows by a saved preprocessing, to evaluate a model on them. Of a folder with MNIST's layout,
/// `part` is read. The missing markers are those of the model, not those of `options`.
///
/// # Errors
/// Those of [`read_for`]; [`crate::Error::Option`] for a negative target if `loss` requires counts;
/// [`crate::Error::Mismatch`] or [`crate::Error::Data`] if there are no labels. Table rows of unknown classes are
/// separated with a warning; images of unknown classes are an error.
pub fn prepare_for(
    preprocessing: &Preprocessing,
    source: &Source,
    options: &ReadOptions,
    part: Part,
    loss: Option<NumberLoss>,
) -> Result<PreparedRows> {
    match preprocessing {
        Preprocessing::Table(preprocessing) => {
            let input = Input::open(source)?.refuse_misfits(options)?;
            let LabelledRows { table, notes, mut warnings } = input.rows(preprocessing, options)?;
            let rows = preprocessing.usable_rows(&table)?;
            preprocessing.target.check_counts(&table, &rows, loss)?;
            let weights = preprocessing.weight.as_ref().and_then(|name| table.column(name));
            warnings.extend(without_target(&preprocessing.target, &table, weights));
            warnings.extend(without_weights(preprocessing, &table));
            let Apart { dataset, rows, strangers, warning } = Apart::new(preprocessing, &table, rows)?;
            warnings.extend(warning);
            Ok(PreparedRows { dataset, rows, strangers, notes, warnings })
        }
        Preprocessing::Images(preprocessing) => {
            let images = Input::open(source)?.read_images_part(options, part)?;
            preprocessing.check(&images)?;
            let rows: Vec<u32> = (0..images.rows() as u32).collect();
            let targets = preprocessing.targets(&images, &rows)?;
            let cols = images.cols();
            let features = Features::U8 { values: images.bytes, cols, scale: preprocessing.scale };
            let dataset = Dataset { features, targets, weights: None };
            Ok(PreparedRows { dataset, rows, strangers: None, notes: Vec::new(), warnings: Vec::new() })
        }
    }
}

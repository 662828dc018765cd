//! From files and options to training, validation and test sets.

use super::balance::{Balance, resample};
use super::dataset::{Dataset, Features, Targets};
use super::delimited::{TableReader, first_line_names};
use super::fit::{FitOptions, stray_text};
use super::idx::{Folder, Images, Part};
use super::image::prepare_images;
use super::options::{DataOptions, Header, Impute, ReadOptions, Scale, SplitMode, TaskChoice};
use super::preprocess::{Preprocessing, TablePreprocessing};
use super::read::{Contents, read_opened, reads_as_idx};
use super::schema::{Roles, infer_task};
use super::source::{Opened, Source};
use super::split::{Split, split};
use super::table::{Column, Table};
use super::target::Target;
use super::task::Task;
use super::written::PartFrom;
use crate::{Error, Result};

/// Everything that training needs from the data.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// From raw rows to inputs and from outputs to units; fitted on the training rows alone.
    pub preprocessing: Preprocessing,
    /// Rows that are learnt from, resampled and with class weights where the options say so.
    pub train: Dataset,
    /// Validation part.
    pub val: Option<Dataset>,
    /// Test part.
    pub test: Option<Dataset>,
    /// Row numbers of the parts before resampling; rows of a part with its own file are numbered within that file.
    pub split: Split,
    /// What was decided and is said aloud, with the flag that changes it.
    pub notes: Vec<String>,
    /// What a user should look at.
    pub warnings: Vec<String>,
}

/// Reads, types, splits and prepares data as the options say; the same for the same files, options and seed.
///
/// # Errors
/// [`Error::Usage`] before any file is opened, [`Error::Io`] and [`Error::Data`] for wrong files, [`Error::Mismatch`] for options that do
/// not fit the data. All files are opened before the first is read as a whole.
pub fn prepare(options: &DataOptions, seed: u64) -> Result<Prepared> {
    options.check()?;
    let main = Input::open(&options.data)?;
    let valid = Input::open_part(&options.valid)?;
    let test = options.test.as_ref().map(Input::open_part).transpose()?.flatten();
    let read = options.read_options();
    match main.read(&read)? {
        (Contents::Images(train), own_test) => {
            let images = |input: Option<Input>| input.map(|input| input.read_images(&read)).transpose();
            let own_test = own_test.filter(|_| options.test.is_none());
            let (valid, test) = (images(valid)?, images(test)?.or(own_test));
            prepare_images(train, valid, test, options, seed)
        }
        (Contents::Table(table), _) => prepare_table(&table, valid, test, options, seed),
    }
}

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

    fn open_part(from: &PartFrom) -> Result<Option<Self>> {
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
    fn read_images(self, options: &ReadOptions) -> Result<Images> {
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

fn prepare_table(
    table: &Table,
    valid: Option<Input>,
    test: Option<Input>,
    options: &DataOptions,
    seed: u64,
) -> Result<Prepared> {
    let (mut notes, mut warnings) = (Vec::new(), Vec::new());
    if !table.named {
        notes.push("header: none, columns are c0, c1, … (--header yes changes it)".to_owned());
    }
    let roles = Roles::new(table, options, &mut notes)?;
    let (task, why) = infer_task(table, &roles.labels, options.task)?;
    let target = Target::new(table, &roles.labels, task, options.positive.as_deref())?;
    notes.push(task_note(&target, &why));
    check_classes(options, task)?;
    let usable = roles.rows_with_target(table)?;
    warnings.extend(without_target(table, usable.len()));
    warnings.extend(doubtful_classes(table, &roles, &target, options, usable.len()));

    let labels = class_labels(target.targets(table, &usable)?);
    let split = deal(&usable, labels.as_deref(), options, seed)?;
    let fit = FitOptions {
        scale: options.scale.unwrap_or(Scale::Standard),
        impute: options.impute.unwrap_or(Impute::Median),
        scale_target: options.scale_target,
        missing: options.read_options().missing,
    };
    let preprocessing = TablePreprocessing::fit(table, &roles, target, &split.train, &fit, &mut warnings)?;

    let mut parts = Parts { split, warnings };
    let val = parts.table_part(PartName::Val, table, valid, &preprocessing, options)?;
    let test = parts.table_part(PartName::Test, table, test, &preprocessing, options)?;
    let Parts { split, warnings } = parts;
    let rows = training_rows(&split.train, &preprocessing.target, table, options, seed)?;
    let mut train = labelled(&preprocessing, table, &rows)?;
    apply_class_weights(&mut train, &preprocessing.target, options)?;
    Ok(Prepared { preprocessing: Preprocessing::Table(preprocessing), train, val, test, split, notes, warnings })
}

#[derive(Clone, Copy)]
enum PartName {
    Val,
    Test,
}

/// The parts as they come about.
struct Parts {
    split: Split,
    warnings: Vec<String>,
}

impl Parts {
    /// A part from its own file, or from the rows of the training file that were dealt to it; `None` if it is empty.
    fn table_part(
        &mut self,
        name: PartName,
        table: &Table,
        file: Option<Input>,
        preprocessing: &TablePreprocessing,
        options: &DataOptions,
    ) -> Result<Option<Dataset>> {
        let rows = match name {
            PartName::Val => &mut self.split.val,
            PartName::Test => &mut self.split.test,
        };
        let Some(file) = file else {
            return if rows.is_empty() { Ok(None) } else { labelled(preprocessing, table, rows).map(Some) };
        };
        let table = file.reader(preprocessing, &options.read_options())?.read_all()?;
        *rows = preprocessing.target.rows_with_target(&table)?;
        if rows.is_empty() {
            return Err(Error::data(&table.path, "the label is missing in every row"));
        }
        self.warnings.extend(without_target(&table, rows.len()));
        labelled(preprocessing, &table, rows).map(Some)
    }
}

/// Features, targets and weights of rows that have a target.
pub(super) fn labelled(preprocessing: &TablePreprocessing, table: &Table, rows: &[u32]) -> Result<Dataset> {
    Ok(Dataset {
        features: preprocessing.features(table, Some(rows))?,
        targets: preprocessing.targets(table, rows)?,
        weights: preprocessing.weights(table, rows)?,
    })
}

/// The warning about rows that are left out, if there are any.
pub(super) fn without_target(table: &Table, usable: usize) -> Option<String> {
    let dropped = table.rows() - usable;
    (dropped > 0).then(|| {
        format!("{}: {dropped} of {} rows have no target and are left out", table.path.display(), table.rows())
    })
}

/// A label that was inferred to be classes, but looks like numbers with a slip of the pen, or like a name for each row.
fn doubtful_classes(
    table: &Table,
    roles: &Roles,
    target: &Target,
    options: &DataOptions,
    rows: usize,
) -> Option<String> {
    if options.task != TaskChoice::Auto || target.classes.is_empty() {
        return None;
    }
    let name = &target.columns[0];
    if let Column::Text { levels, .. } = &table.columns[roles.labels[0]]
        && let Some(stray) = stray_text(levels)
    {
        let remedy = format!("--na \"+{stray}\" makes it a missing value");
        return Some(format!("label \"{name}\" is read as classes, since \"{stray}\" is no number; {remedy}"));
    }
    let classes = target.classes.len();
    (2 * classes > rows)
        .then(|| format!("label \"{name}\" has {classes} classes in {rows} rows: is it the right column?"))
}

/// What is learnt and why, as it is said aloud.
pub(super) fn task_note(target: &Target, why: &str) -> String {
    let classes = match target.classes.as_slice() {
        [_, positive] if target.task == Task::Binary => format!("; positive class {positive}, --positive changes it"),
        _ => String::new(),
    };
    format!("task: {} ({why}{classes})", target.task)
}

/// Options that need classes.
pub(super) fn check_classes(options: &DataOptions, task: Task) -> Result<()> {
    let classes = matches!(task, Task::Binary | Task::Multiclass);
    let needs = [("--class-weight", options.class_weight.is_some()), ("--balance", options.balance != Balance::None)];
    match needs.into_iter().find(|(_, given)| *given && !classes) {
        Some((flag, _)) => Err(Error::Mismatch(format!("{flag} needs classes, and the task is {task}"))),
        None => Ok(()),
    }
}

/// The class of each row, where there are classes.
pub(super) fn class_labels(targets: Targets) -> Option<Vec<u32>> {
    match targets {
        Targets::Classes { labels, .. } => Some(labels),
        Targets::Values { .. } => None,
    }
}

/// Deals the rows of the training file to the parts.
///
/// # Errors
/// [`Error::Mismatch`] if no row is left for training.
pub(super) fn deal(rows: &[u32], labels: Option<&[u32]>, options: &DataOptions, seed: u64) -> Result<Split> {
    let fraction = |part: &PartFrom| if let PartFrom::Fraction(fraction) = part { *fraction } else { 0.0 };
    let labels = labels.filter(|_| options.split == SplitMode::Stratified);
    let test = options.test.as_ref().map_or(0.0, fraction);
    let split = split(rows, labels, fraction(&options.valid), test, seed);
    if split.train.is_empty() {
        return Err(Error::Mismatch(format!(
            "no row of {} is left for training: make --valid and --test smaller",
            rows.len()
        )));
    }
    Ok(split)
}

/// The training rows after resampling.
fn training_rows(rows: &[u32], target: &Target, table: &Table, options: &DataOptions, seed: u64) -> Result<Vec<u32>> {
    if options.balance == Balance::None {
        return Ok(rows.to_vec());
    }
    let labels = class_labels(target.targets(table, rows)?).expect("resampling was checked to have classes");
    Ok(resample(rows, &labels, target.classes.len(), options.balance, seed))
}

/// Multiplies the class weights into the weights of the training rows.
///
/// # Errors
/// [`Error::Mismatch`] for a class that does not exist, or if all weights become 0.
pub(super) fn apply_class_weights(train: &mut Dataset, target: &Target, options: &DataOptions) -> Result<()> {
    let (Some(class_weight), Targets::Classes { labels, .. }) = (&options.class_weight, &train.targets) else {
        return Ok(());
    };
    let by_class = class_weight.weights(&target.classes, target.numeric, labels)?;
    let of_rows = train.weights.get_or_insert_with(|| vec![1.0; labels.len()]);
    for (weight, &label) in of_rows.iter_mut().zip(labels) {
        *weight = (f64::from(*weight) * by_class[label as usize]) as f32;
    }
    if of_rows.iter().all(|&weight| weight == 0.0) {
        return Err(Error::Mismatch("--class-weight: all rows have weight 0: nothing would count".to_owned()));
    }
    Ok(())
}

/// Rows prepared by a saved preprocessing.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Features, targets and weights of the rows that have a target.
    pub dataset: Dataset,
    /// Their numbers in the file, from 0.
    pub rows: Vec<u32>,
    /// What a user should look at.
    pub warnings: Vec<String>,
}

/// Reads a file as a table by a saved preprocessing: the columns that the model knows, under their names.
///
/// # Errors
/// [`Error::Mismatch`] if the model needs columns that are not there, [`Error::Data`] and [`Error::Io`] for a wrong file.
pub fn read_for(preprocessing: &TablePreprocessing, source: &Source, options: &ReadOptions) -> Result<Table> {
    Input::open(source)?.reader(preprocessing, options)?.read_all()
}

/// Prepares labelled rows by a saved preprocessing, to evaluate a model on them; a folder of MNIST's layout means its `part`.
/// Missing markers are the model's, not those of `options`.
///
/// # Errors
/// As [`read_for`], and [`Error::Mismatch`] or [`Error::Data`] where there are no labels.
pub fn prepare_for(
    preprocessing: &Preprocessing,
    source: &Source,
    options: &ReadOptions,
    part: Part,
) -> Result<Evaluation> {
    match preprocessing {
        Preprocessing::Table(preprocessing) => {
            let table = read_for(preprocessing, source, options)?;
            let rows = preprocessing.target.rows_with_target(&table)?;
            if rows.is_empty() {
                return Err(Error::data(&table.path, "the label is missing in every row"));
            }
            let warnings = without_target(&table, rows.len()).into_iter().collect();
            Ok(Evaluation { dataset: labelled(preprocessing, &table, &rows)?, rows, warnings })
        }
        Preprocessing::Images(preprocessing) => {
            let images = Input::open(source)?.read_images_part(options, part)?;
            preprocessing.check(&images)?;
            let rows: Vec<u32> = (0..images.rows() as u32).collect();
            let targets = preprocessing.targets(&images, &rows)?;
            let cols = images.cols();
            let features = Features::U8 { values: images.bytes, cols, scale: preprocessing.scale };
            Ok(Evaluation { dataset: Dataset { features, targets, weights: None }, rows, warnings: Vec::new() })
        }
    }
}

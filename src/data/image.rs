//! Training, validation and test sets of images, stored as bytes.

use super::balance::Balance;
use super::balance::resample;
use super::dataset::{Dataset, Features};
use super::idx::Images;
use super::option_checks::check_found_task;
use super::options::{DataOptions, Decimal, Format, Header, TaskChoice};
use super::prepared::{Decided, Prepared, apply_class_weights, class_labels, is_rebalanced, task_note};
use super::preprocess::{ImagePreprocessing, Preprocessing};
use super::split::Split;
use super::target::Target;
use super::targets::Targets;
use super::task::Task;
use crate::option_text::option;
use crate::{Error, Result};

/// Images with their classes.
#[derive(Clone)]
pub(super) struct TypedImages {
    images: Images,
    preprocessing: ImagePreprocessing,
    /// The class of each image.
    pub(super) labels: Vec<u32>,
    notes: Vec<String>,
}

impl TypedImages {
    /// Determines the classes.
    ///
    /// # Errors
    /// [`Error::Data`] for images without labels or with a single class, [`Error::Option`] for options that apply to
    /// tables.
    pub(super) fn new(images: Images, options: &DataOptions) -> Result<Self> {
        refuse_table_options(options)?;
        let preprocessing = ImagePreprocessing::new(images.shape.clone(), image_target(&images, options)?);
        let target = &preprocessing.target;
        check_found_task(options, target.task)?;
        let why = format!("labels of {} classes; {} changes it", target.classes.len(), option("task"));
        let notes = vec![task_note(target, &why)];
        let labels = class_labels(preprocessing.targets(&images, &every_row(&images))?).expect("images have classes");
        Ok(Self { images, preprocessing, labels, notes })
    }

    /// Row numbers of all images.
    pub(super) fn rows(&self) -> Vec<u32> {
        every_row(&self.images)
    }

    /// Prepares the parts of `split`, or whole validation and test sets if these are separate images. If classes are
    /// not resampled, the training images stay in the buffer into which they were read, so no second copy is needed.
    ///
    /// # Errors
    /// [`Error::Mismatch`] for images of another size, [`Error::Data`] for unknown classes.
    pub(super) fn prepare(
        self,
        mut split: Split,
        others: (Option<Images>, Option<Images>),
        options: &DataOptions,
        seed: u64,
    ) -> Result<Prepared> {
        let (val, test) = self.parts_beside(&mut split, others)?;
        let plain_train = self.plain_train(&split, options)?;
        let mut train = match options.balance {
            Balance::None => chosen_in_place(&self.preprocessing, self.images, &split.train)?,
            balance => {
                let labels: Vec<u32> = split.train.iter().map(|&row| self.labels[row as usize]).collect();
                let rows = resample(&split.train, &labels, self.preprocessing.target.classes.len(), balance, seed);
                chosen(&self.preprocessing, &self.images, &rows)?
            }
        };
        apply_class_weights(&mut train, &self.preprocessing.target, options)?;
        let (preprocessing, notes) = (Preprocessing::Images(self.preprocessing), self.notes);
        Ok(Prepared {
            decided: Decided::default(),
            preprocessing,
            train,
            plain_train,
            val,
            test,
            val_strangers: None,
            test_strangers: None,
            split,
            notes,
            warnings: Vec::new(),
        })
    }

    /// The validation and test parts.
    fn parts_beside(
        &self,
        split: &mut Split,
        (valid, test): (Option<Images>, Option<Images>),
    ) -> Result<(Option<Dataset>, Option<Dataset>)> {
        let part = |images: Option<Images>, rows: &mut Vec<u32>| -> Result<Option<Dataset>> {
            match images {
                Some(images) => {
                    self.preprocessing.check(&images)?;
                    *rows = every_row(&images);
                    whole(&self.preprocessing, images).map(Some)
                }
                None if rows.is_empty() => Ok(None),
                None => chosen(&self.preprocessing, &self.images, rows).map(Some),
            }
        };
        Ok((part(valid, &mut split.val)?, part(test, &mut split.test)?))
    }

    fn plain_train(&self, split: &Split, options: &DataOptions) -> Result<Option<Dataset>> {
        let plain = || chosen(&self.preprocessing, &self.images, &split.train);
        is_rebalanced(options).then(plain).transpose()
    }
}

fn every_row(images: &Images) -> Vec<u32> {
    (0..images.rows() as u32).collect()
}

/// The target: the classes are the labels that occur, as numbers.
fn image_target(images: &Images, options: &DataOptions) -> Result<Target> {
    let missing = || {
        let message = "expected a file of labels beside the images (train-images-idx3-ubyte has train-labels-idx1-ubyte), found none";
        Error::data(&images.path, message)
    };
    let mut labels = images.labels.clone().ok_or_else(missing)?;
    labels.sort_unstable();
    labels.dedup();
    if labels.len() < 2 {
        return Err(Error::data(&images.path, "expected labels of two classes or more: there is nothing to learn"));
    }
    let mut target = Target {
        forms: Vec::new(),
        task: image_task(options.task, labels.len())?,
        columns: vec!["label".to_owned()],
        classes: labels.iter().map(u8::to_string).collect(),
        numeric: true,
        mean: Vec::new(),
        sd: Vec::new(),
        range: Vec::new(),
    };
    target.set_positive(options.positive.as_deref())?;
    Ok(target)
}

/// Refuses options that would have no effect on images.
fn refuse_table_options(options: &DataOptions) -> Result<()> {
    let images = "and the data are images (bytes, divided by 255)";
    let wrong = |what: &str| Error::Mismatch(format!("it is {what}, {images}"));
    if let Some(preset) = options.preset {
        return Err(wrong("a recipe for tables").of_value("preset", preset));
    }
    let of_text = [
        ("delimiter", options.delimiter.is_some()),
        ("header", options.header != Header::Auto),
        ("comment", options.comment.is_some()),
        ("skip_lines", !options.skip_lines.is_none()),
        ("quote", options.quote.is_some()),
        ("decimal", options.decimal != Decimal::Auto),
        ("thousands", options.thousands.is_some()),
        ("encoding", options.encoding.is_some()),
    ];
    if let Some((option, _)) = of_text.into_iter().find(|(_, given)| *given) {
        return Err(wrong("about the text of a table").of(option));
    }
    if !matches!(options.format, Format::Auto | Format::Idx) {
        return Err(wrong("a format of tables").of_value("format", options.format));
    }
    refuse_column_options(options, &wrong("about columns of a table").to_string())
}

fn refuse_column_options(options: &DataOptions, wrong: &str) -> Result<()> {
    let given = [
        ("dates", !options.dates.is_empty()),
        ("label", !options.label.is_empty()),
        ("ignore", !options.ignore.is_empty()),
        ("keep_column", !options.keep_column.is_empty()),
        ("categorical", !options.categorical.is_empty()),
        ("weight_col", options.weight_col.is_some()),
        ("na", !options.na.is_empty()),
        ("impute", options.impute.is_some()),
        ("scale", options.scale.is_some()),
        ("one_hot", options.one_hot.is_some()),
        ("category_embedding", options.level_numbers.is_some()),
        // Losses for counts imply it, and are refused by name.
        ("no_scale_target", !options.scale_target && options.number_loss.is_none()),
        ("binary_column", options.binary_column),
        ("clamp", options.clamp),
    ];
    if let Some((option, _)) = given.into_iter().find(|(_, given)| *given) {
        return Err(Error::Mismatch(wrong.to_owned()).of(option));
    }
    if options.split.column().is_some() {
        return Err(Error::Mismatch(wrong.to_owned()).of_value("split", &options.split));
    }
    match options.balance {
        Balance::Smote => Err(Error::Mismatch(wrong.to_owned()).of_value("balance", options.balance)),
        _ => Ok(()),
    }
}

fn dataset(preprocessing: &ImagePreprocessing, values: Vec<u8>, cols: usize, targets: Targets) -> Dataset {
    Dataset { features: Features::U8 { values, cols, scale: preprocessing.scale }, targets, weights: None }
}

fn whole(preprocessing: &ImagePreprocessing, images: Images) -> Result<Dataset> {
    let rows: Vec<u32> = (0..images.rows() as u32).collect();
    let targets = preprocessing.targets(&images, &rows)?;
    let cols = images.cols();
    Ok(dataset(preprocessing, images.bytes, cols, targets))
}

fn chosen(preprocessing: &ImagePreprocessing, images: &Images, rows: &[u32]) -> Result<Dataset> {
    let cols = images.cols();
    let mut values = Vec::with_capacity(rows.len() * cols);
    rows.iter().for_each(|&row| values.extend_from_slice(&images.bytes[row as usize * cols..][..cols]));
    Ok(dataset(preprocessing, values, cols, preprocessing.targets(images, rows)?))
}

/// A data set of the given rows, which must be in ascending order. They are moved to the front of the images' buffer,
/// so no second copy is needed.
fn chosen_in_place(preprocessing: &ImagePreprocessing, mut images: Images, rows: &[u32]) -> Result<Dataset> {
    let cols = images.cols();
    let targets = preprocessing.targets(&images, rows)?;
    for (to, &from) in rows.iter().enumerate() {
        let from = from as usize * cols;
        images.bytes.copy_within(from..from + cols, to * cols);
    }
    images.bytes.truncate(rows.len() * cols);
    images.bytes.shrink_to_fit();
    Ok(dataset(preprocessing, images.bytes, cols, targets))
}

/// The task of images, which can only be a classification.
fn image_task(choice: TaskChoice, classes: usize) -> Result<Task> {
    match choice {
        TaskChoice::Auto => Ok(if classes == 2 { Task::Binary } else { Task::Multiclass }),
        TaskChoice::Binary if classes == 2 => Ok(Task::Binary),
        TaskChoice::Multiclass => Ok(Task::Multiclass),
        TaskChoice::Binary => {
            Err(Error::Mismatch(format!("expected 2 classes, found {classes}")).of_value("task", choice))
        }
        TaskChoice::Regression | TaskChoice::Multilabel => {
            let message = "it does not fit images: their labels are classes";
            Err(Error::Mismatch(message.to_owned()).of_value("task", choice))
        }
    }
}

//! The result of preparing data, and the steps that tables and images share.

use super::balance::Balance;
use super::cell::shortened;
use super::dataset::Dataset;
use super::options::{DataOptions, Format, Header};
use super::preprocess::Preprocessing;
use super::split::Split;
use super::strangers::Strangers;
use super::target::Target;
use super::targets::Targets;
use super::task::Task;
use super::weight::{LEAST_WEIGHT, MOST_WEIGHT, is_weight};
use super::written::{Character, DateColumn, Delimiter, PartFrom, Quote};
use crate::option_text::{option, setting};
use crate::{Error, Result, Warning, WarningKind};

/// All data that training needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// Converts raw rows to inputs, and outputs to the user's units. It is fitted on the training rows alone.
    pub preprocessing: Preprocessing,
    /// Training rows, resampled and with class weights if the options require that.
    pub train: Dataset,
    /// The training rows as in the file, if `train` is resampled or has class weights.
    pub plain_train: Option<Dataset>,
    /// Validation part.
    pub val: Option<Dataset>,
    /// Test part.
    pub test: Option<Dataset>,
    /// Rows of a validation file whose classes do not occur in training; they are not in `val`.
    pub val_strangers: Option<Strangers>,
    /// The same for a test file.
    pub test_strangers: Option<Strangers>,
    /// Row numbers of the parts before resampling. Rows of a part with its own file are numbered within that file.
    pub split: Split,
    /// How the training file was read where the options left that open. It allows the reading to be repeated.
    pub decided: Decided,
    /// Notes on decisions, each with the option that changes it.
    pub notes: Vec<String>,
    /// Warnings for the user.
    pub warnings: Vec<Warning>,
}

/// What was detected about a file and could have been specified by options.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Decided {
    /// The delimiter, if it is not a comma.
    pub delimiter: Option<Delimiter>,
    /// Whether the first line is a header.
    pub header: Option<bool>,
    /// The comment sign, if there are comments.
    pub comment: Option<Character>,
    /// The quote, if it is not a double quote.
    pub quote: Option<Quote>,
    /// The date formats.
    pub dates: Vec<DateColumn>,
}

impl Decided {
    /// The options, completed by what was detected. If there are validation or test files, options stay open, because
    /// these files may be written differently.
    pub fn fill(&self, options: &DataOptions) -> DataOptions {
        let mut options = options.clone();
        let file = |part: &PartFrom| matches!(part, PartFrom::File(_));
        if file(&options.valid) || options.test.as_ref().is_some_and(file) {
            return options;
        }
        options.delimiter = options.delimiter.or(self.delimiter.filter(|_| options.format != Format::Tsv));
        options.comment = options.comment.or(self.comment);
        options.quote = options.quote.or(self.quote);
        if let (Header::Auto, Some(named)) = (options.header, self.header) {
            options.header = if named { Header::Yes } else { Header::No };
        }
        let open = |date: &&DateColumn| !options.dates.iter().any(|asked| asked.column == date.column);
        let dates: Vec<DateColumn> = self.dates.iter().filter(open).cloned().collect();
        options.dates.extend(dates);
        options
    }
}

impl Prepared {
    /// The training part used for evaluation: each row once, weighted like validation and test rows.
    pub fn judged_train(&self) -> &Dataset {
        self.plain_train.as_ref().unwrap_or(&self.train)
    }
}

/// Whether training uses other rows or weights than those of the file.
pub(super) fn is_rebalanced(options: &DataOptions) -> bool {
    options.balance != Balance::None || options.class_weight.is_some()
}

/// The note about the task and the reason for it.
pub(super) fn task_note(target: &Target, why: &str) -> String {
    let classes = match target.classes.as_slice() {
        [_, positive] if target.task == Task::Binary => {
            format!("; positive class {positive}, {} changes it", option("positive"))
        }
        _ => String::new(),
    };
    format!("task: {} ({why}{classes})", target.task)
}

/// The class of each row, if targets are classes.
pub(super) fn class_labels(targets: Targets) -> Option<Vec<u32>> {
    match targets {
        Targets::Classes { labels, .. } => Some(labels),
        Targets::Values { .. } => None,
    }
}

/// Warnings about requested fractions that result in no rows.
pub(super) fn empty_parts(split: &Split, rows: usize, options: &DataOptions) -> impl Iterator<Item = Warning> {
    let parts = [
        ("valid", "validation", Some(&options.valid), &split.val),
        ("test", "test", options.test.as_ref(), &split.test),
    ];
    parts.into_iter().filter_map(move |(option, name, from, part)| match from {
        Some(PartFrom::Fraction(share)) if part.is_empty() => {
            let why = match options.split.column() {
                Some(_) => "there are too few groups or times",
                None => "the rows, or those of each class, are too few",
            };
            let asked = setting(option, share);
            let message = format!("{asked} of {rows} rows: there is no {name} part, as {why}");
            Some(Warning::new(WarningKind::EmptyPart, message))
        }
        _ => None,
    })
}

/// The warning about classes without a training row. It can occur if rows of one group or time stay together. `classes`
/// are those of the rows `all`.
pub(super) fn unlearnt_classes(split: &Split, (all, classes): (&[u32], &[u32]), target: &Target) -> Option<Warning> {
    let mut is_training = vec![false; all.iter().max().map_or(0, |last| *last as usize + 1)];
    split.train.iter().for_each(|row| is_training[*row as usize] = true);
    let (mut known, mut learnt) = (vec![false; target.classes.len()], vec![false; target.classes.len()]);
    for (row, class) in all.iter().zip(classes) {
        known[*class as usize] = true;
        learnt[*class as usize] |= is_training[*row as usize];
    }
    let absent = (0..known.len()).filter(|class| known[*class] && !learnt[*class]);
    let absent: Vec<String> = absent.map(|class| format!("\"{}\"", target.classes[class])).collect();
    let count = learnt.iter().filter(|learnt| **learnt).count();
    (!absent.is_empty()).then(|| {
        let (names, left) = (shortened(&absent), if count == 1 { ", which has rows of one class alone" } else { "" });
        let name = &target.columns[0];
        let message = format!(
            "label \"{name}\": no row of {names} is in the training part{left}: the model will not predict that; {} says how rows \
             are dealt",
            option("split")
        );
        Warning::new(WarningKind::UnlearntClass, message).column(&target.columns[0]).count(absent.len())
    })
}

/// Notes about parts whose size differs much from the requested fraction, because rows stay together.
pub(super) fn uneven_parts(split: &Split, rows: usize, options: &DataOptions) -> impl Iterator<Item = String> {
    let column = options.split.column();
    let parts = [("valid", Some(&options.valid), split.val.len()), ("test", options.test.as_ref(), split.test.len())];
    parts.into_iter().filter_map(move |(option, from, found)| match (from, column) {
        (Some(PartFrom::Fraction(share)), Some(column)) if found > 0 => {
            let wanted = share * rows as f64;
            let far = found as f64 > 2.0 * wanted + 1.0 || 2.0 * (found as f64) + 1.0 < wanted;
            far.then(|| {
                let asked = setting(option, share);
                format!("{asked} of {rows} rows: {found}, as rows with one \"{column}\" stay together")
            })
        }
        _ => None,
    })
}

/// Multiplies the weights of the training rows by class weights, and removes rows of weight 0.
///
/// # Errors
/// [`Error::Option`] for a class that does not exist, or if all weights become 0.
pub(super) fn apply_class_weights(train: &mut Dataset, target: &Target, options: &DataOptions) -> Result<()> {
    let (Some(class_weight), Targets::Classes { labels, .. }) = (&options.class_weight, &train.targets) else {
        return Ok(());
    };
    let by_class = class_weight.weights(&target.classes, target.numeric, labels)?;
    let of_rows = train.weights.get_or_insert_with(|| vec![1.0; labels.len()]);
    for (weight, &label) in of_rows.iter_mut().zip(labels) {
        let product = f64::from(*weight) * by_class[label as usize];
        if !is_weight(product) {
            let (class, found) = (&target.classes[label as usize], by_class[label as usize]);
            let message = format!(
                "class \"{class}\" would give rows the weight {product:e}: expected 0, or {LEAST_WEIGHT:e} to {MOST_WEIGHT:e}; take \
                 smaller factors for all classes, as only their ratios count"
            );
            return Err(Error::Mismatch(message).of_value("class_weight", format!("{class}={found:e}")));
        }
        *weight = product as f32;
    }
    // Rows of weight 0 are removed: a batch of such rows would have no mean.
    let counting: Vec<u32> = (0..of_rows.len() as u32).filter(|row| of_rows[*row as usize] > 0.0).collect();
    if counting.is_empty() {
        let message = "all rows have weight 0: nothing would count".to_owned();
        return Err(Error::Mismatch(message).of("class_weight"));
    }
    if counting.len() < of_rows.len() {
        *train = train.subset(&counting);
    }
    Ok(())
}

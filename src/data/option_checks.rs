//! Checks of the options for data: by themselves, and beside the task that the data turned out to have.

use super::balance::Balance;
use super::options::{DataOptions, Format, Shuffle, TaskChoice};
use super::source::Source;
use super::task::Task;
use super::written::PartFrom;
use crate::option_text::{option, setting};
use crate::{Error, Result};

impl DataOptions {
    /// Checks the options by themselves, before any file is opened.
    ///
    /// # Errors
    /// [`Error::Option`] for fractions that leave nothing to train on, for options that exclude each other, and if
    /// standard input is used twice; [`Error::Usage`] if a column is given to two options.
    pub fn check(&self) -> Result<()> {
        let usage = |message: &str| Error::Usage(message.to_owned());
        let test = self.test.as_ref().unwrap_or(&PartFrom::None);
        for (option, part) in [("valid", &self.valid), ("test", test)] {
            match part {
                PartFrom::Fraction(f) if !(*f > 0.0 && *f < 1.0) => {
                    return Err(Error::Usage(format!("expected a fraction between 0 and 1, found {f}")).of(option));
                }
                PartFrom::File(Source::Stdin) if self.data == Source::Stdin => {
                    return Err(usage("standard input is already the training data").of(option));
                }
                _ => {}
            }
        }
        if let (PartFrom::Fraction(valid), PartFrom::Fraction(test)) = (&self.valid, test)
            && valid + test >= 1.0
        {
            let message = format!("together with {test} for the test part it leaves no rows to train on");
            return Err(Error::Usage(message).of_value("valid", valid));
        }
        if self.valid == PartFrom::File(Source::Stdin) && *test == PartFrom::File(Source::Stdin) {
            return Err(usage("standard input is already the validation part").of("test"));
        }
        if self.format == Format::Tsv && self.delimiter.is_some_and(|d| d.0 != b'\t') {
            return Err(usage("it has tabs, and another delimiter is given: use csv").of_value("format", "tsv"));
        }
        self.check_columns()?;
        self.check_shuffle()?;
        self.check_task()
    }

    /// Refuses options that need all rows at once, if rows are read in blocks.
    fn check_shuffle(&self) -> Result<()> {
        if self.shuffle != Shuffle::Blocks {
            return Ok(());
        }
        if self.data == Source::Stdin {
            let message = "it reads the data more than once, and standard input cannot be: save it to a file first";
            return Err(Error::Usage(message.to_owned()).of_value("shuffle", "blocks"));
        }
        if self.balance != Balance::None {
            let (mixes, remedy) = (setting("balance", self.balance), setting("class_weight", "balanced"));
            let message = format!("it reads rows in the order of the file, and {mixes} mixes them: try {remedy}");
            return Err(Error::Usage(message).of_value("shuffle", "blocks"));
        }
        Ok(())
    }

    fn check_columns(&self) -> Result<()> {
        let labels = self.label.iter().map(|column| ("label", column));
        let ignored = self.ignore.iter().map(|column| ("ignore", column));
        let weight = self.weight_col.iter().map(|column| ("weight_col", column));
        let mut used: Vec<(&str, &String)> = Vec::new();
        for (role, column) in labels.chain(ignored).chain(weight) {
            if column.is_empty() {
                return Err(Error::Usage("expected a column's name or index, found nothing".to_owned()).of(role));
            }
            if let Some((earlier, _)) = used.iter().find(|(_, other)| *other == column) {
                let again = if *earlier == role { "twice" } else { &format!("and also to {}", option(role)) };
                let message = format!("column \"{column}\" is given to {} {again}", option(earlier));
                return Err(Error::Usage(message));
            }
            used.push((role, column));
        }
        Ok(())
    }

    fn check_task(&self) -> Result<()> {
        let classes = !matches!(self.task, TaskChoice::Regression | TaskChoice::Multilabel);
        let needs = [
            ("positive", self.positive.is_some(), classes && self.task != TaskChoice::Multiclass, "a binary task"),
            ("class_weight", self.class_weight.is_some(), classes, "classes"),
            ("balance", self.balance != Balance::None, classes, "classes"),
        ];
        match needs.into_iter().find(|(_, given, fits, _)| *given && !fits) {
            Some((option, _, _, what)) => {
                Err(Error::Usage(format!("it needs {what}, and the task {} has none", self.task)).of(option))
            }
            None => Ok(()),
        }
    }
}

/// Refuses options that have an effect only on other tasks.
pub(super) fn check_found_task(options: &DataOptions, task: Task) -> Result<()> {
    let classes = matches!(task, Task::Binary | Task::Multiclass);
    let numbers = task == Task::Regression;
    // Losses for counts imply unscaled targets, and are refused by name.
    let unscaled = !options.scale_target && options.number_loss.is_none();
    let needs = [
        ("class_weight", options.class_weight.is_some(), classes, "classes"),
        ("balance", options.balance != Balance::None, classes, "classes"),
        ("no_scale_target", unscaled, numbers, "numbers to predict"),
    ];
    match needs.into_iter().find(|(_, given, fits, _)| *given && !fits) {
        Some((option, _, _, what)) => {
            Err(Error::Mismatch(format!("it needs {what}, and the task is {task}")).of(option))
        }
        None => Ok(()),
    }
}

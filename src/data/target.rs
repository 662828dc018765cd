//! Targets: conversion of label columns to the targets of a loss, and of outputs to the user's units.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::balance::class_index;
use super::cell::{parse_number, same_truth_value, shortened};
use super::labels::are_numbers;
use super::number::{Convention, NumberForm, Numbers, infer};
use super::options::NumberLoss;
use super::statistics::standard_deviation;
use super::table::{Column, ColumnKind, MISSING, Table};
use super::targets::Targets;
use super::task::Task;
use crate::{Error, Result};

/// The meaning of the network's outputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// The task.
    pub task: Task,
    /// Label columns. There is one, except with several targets or labels.
    pub columns: Vec<String>,
    /// Class names. Numbers are sorted by value, text by bytes; in a binary task, the positive class is the second.
    /// Empty if there are no classes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<String>,
    /// Whether class names are numbers; then `1.0` is class `1`.
    #[serde(default)]
    pub numeric: bool,
    /// Mean of each regression target over the training rows; 0 if targets are not scaled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mean: Vec<f64>,
    /// Standard deviation of each regression target; 1 if targets are not scaled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sd: Vec<f64>,
    /// Smallest and largest value of each regression target in the training rows, to which predictions are clamped;
    /// empty if they are not clamped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub range: Vec<[f64; 2]>,
    /// Notation of the numbers in each label column; empty if all have a decimal point and nothing else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forms: Vec<NumberForm>,
}

impl Target {
    /// The target for label columns. A regression is not scaled before [`Target::fit`] is called.
    ///
    /// # Errors
    /// [`Error::Option`] if `positive` is not a class, or the task is not binary.
    pub fn new(table: &Table, labels: &[usize], task: Task, positive: Option<&str>) -> Result<Self> {
        let columns: Vec<String> = labels.iter().map(|&label| table.names[label].clone()).collect();
        let form = |label: &usize| match &table.kinds[*label] {
            ColumnKind::Number(form) => *form,
            ColumnKind::Date(_) | ColumnKind::Text => NumberForm::default(),
        };
        let mut forms: Vec<NumberForm> = labels.iter().map(form).collect();
        if forms.iter().all(NumberForm::is_plain) {
            forms.clear();
        }
        let (classes, mean, sd, range) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut target = Self { task, columns, classes, numeric: false, mean, sd, range, forms };
        if matches!(task, Task::Binary | Task::Multiclass) {
            let Column::Text { levels, .. } = table.columns[labels[0]].clone().into_text() else {
                unreachable!("the column is text")
            };
            target.numeric = are_numbers(&levels);
            target.classes = sorted_classes(levels);
        }
        if task == Task::Regression {
            target.mean = vec![0.0; labels.len()];
            target.sd = vec![1.0; labels.len()];
        }
        target.set_positive(positive)?;
        Ok(target)
    }

    /// Makes `positive` the second class.
    pub(super) fn set_positive(&mut self, positive: Option<&str>) -> Result<()> {
        let Some(positive) = positive else { return Ok(()) };
        if self.task != Task::Binary {
            let message = format!("it needs a binary task, and this one is {}", self.task);
            return Err(Error::Mismatch(message).of_value("positive", positive));
        }
        if class_index("positive", positive, &self.classes, self.numeric)? == 0 {
            self.classes.swap(0, 1);
        }
        Ok(())
    }

    /// Fits the scaling of regression targets to the training rows. The scale of a constant target is 1.
    ///
    /// # Errors
    /// [`Error::Data`] if values are too large for a finite mean and standard deviation.
    pub fn fit(&mut self, table: &Table, rows: &[u32]) -> Result<()> {
        if self.task != Task::Regression {
            return Ok(());
        }
        for (output, name) in self.columns.iter().enumerate() {
            let Some(Column::Numbers(values)) = table.column(name) else { return Err(self.absent(table)) };
            let value = |&row: &u32| values[row as usize];
            let count = rows.len() as f64;
            let mean = rows.iter().map(value).sum::<f64>() / count;
            let deviations = || rows.iter().map(|row| value(row) - mean);
            let sd = standard_deviation(deviations, count);
            let constant = rows.iter().all(|row| value(row) == value(&rows[0]));
            if !(mean.is_finite() && sd.is_finite()) {
                let message = "the values are too large: their standard deviation is not finite";
                return Err(Error::data_at(&table.path, None, Some(name), message));
            }
            self.mean[output] = if constant { value(&rows[0]) } else { mean };
            self.sd[output] = if constant || sd == 0.0 { 1.0 } else { sd };
        }
        Ok(())
    }

    /// Sets the range of the training rows, to which predictions of a regression are clamped.
    ///
    /// # Errors
    /// [`Error::Option`] for other tasks.
    pub(super) fn fit_range(&mut self, table: &Table, rows: &[u32]) -> Result<()> {
        if self.task != Task::Regression {
            return Err(Error::Mismatch(format!("it needs a regression, and the task is {}", self.task)).of("clamp"));
        }
        for name in &self.columns {
            let Some(Column::Numbers(values)) = table.column(name) else { return Err(self.absent(table)) };
            let of = |pick: fn(f64, f64) -> f64, start: f64| rows.iter().map(|r| values[*r as usize]).fold(start, pick);
            self.range.push([of(f64::min, f64::INFINITY), of(f64::max, f64::NEG_INFINITY)]);
        }
        Ok(())
    }

    /// Number of the network's outputs: one logit for two classes, one for each of more classes, and one for each label
    /// or number.
    pub fn outputs(&self) -> usize {
        match self.task {
            Task::Binary => 1,
            Task::Multiclass => self.classes.len(),
            Task::Regression | Task::Multilabel => self.columns.len(),
        }
    }

    /// The kind in which a label column is read.
    pub fn kind(&self, label: usize) -> ColumnKind {
        let form = self.forms.get(label).copied().unwrap_or_default();
        if self.classes.is_empty() { ColumnKind::Number(form) } else { ColumnKind::Text }
    }

    /// An output of a regression in the units of the target, `value · sd + mean`. Outputs of other tasks are unchanged.
    pub fn to_units(&self, output: usize, value: f64) -> f64 {
        match self.sd.get(output) {
            Some(sd) => value * sd + self.mean[output],
            None => value,
        }
    }

    /// A number in the units of the target, clamped to the range of the training rows if this was requested. NaN stays
    /// NaN.
    pub fn within_range(&self, output: usize, number: f64) -> f64 {
        self.range.get(output).map_or(number, |[least, most]| number.clamp(*least, *most))
    }

    /// Rows of `table` with a value in all target columns, in ascending order.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if a label column is missing.
    pub fn rows_with_target(&self, table: &Table) -> Result<Vec<u32>> {
        let columns: Option<Vec<&Column>> = self.columns.iter().map(|name| table.column(name)).collect();
        let columns = columns.ok_or_else(|| self.absent(table))?;
        let complete = |row: &u32| !columns.iter().any(|column| column.is_missing(*row as usize));
        Ok((0..table.rows() as u32).filter(complete).collect())
    }

    fn absent(&self, table: &Table) -> Error {
        let names = self.columns.join(", ");
        Error::Mismatch(format!("{}: the model's label {names} is not among the columns", table.path.display()))
    }

    /// Targets of `rows`, none of which may be missing: class indices, scaled numbers, or 0 and 1.
    ///
    /// # Errors
    /// [`Error::Data`] for a class or value that the model does not know, [`Error::Mismatch`] if a label column is
    /// missing.
    pub fn targets(&self, table: &Table, rows: &[u32]) -> Result<Targets> {
        if !self.classes.is_empty() {
            return self.class_targets(table, rows);
        }
        let cols = self.columns.len();
        let mut values = vec![0.0; rows.len() * cols];
        let mut units = (self.task == Task::Regression).then(|| vec![0.0; values.len()]);
        for (output, name) in self.columns.iter().enumerate() {
            let Some(Column::Numbers(column)) = table.column(name) else { return Err(self.absent(table)) };
            let (mean, sd) = (self.mean.get(output).unwrap_or(&0.0), self.sd.get(output).unwrap_or(&1.0));
            for (place, &row) in rows.iter().enumerate() {
                let place = place * cols + output;
                let out = &mut values[place];
                let value = column[row as usize];
                *out = ((value - mean) / sd) as f32;
                if let Some(units) = &mut units {
                    units[place] = value;
                }
                if self.task == Task::Multilabel && value != 0.0 && value != 1.0 {
                    return Err(table.error_at(row as usize, name, format!("expected 0 or 1, found {value}")));
                }
                if !out.is_finite() {
                    return Err(table.error_at(
                        row as usize,
                        name,
                        format!("{value} is too large for single precision"),
                    ));
                }
            }
        }
        Ok(Targets::Values { values, units, cols })
    }

    fn class_targets(&self, table: &Table, rows: &[u32]) -> Result<Targets> {
        let name = &self.columns[0];
        let column = table.column(name).ok_or_else(|| self.absent(table))?.as_text();
        let Column::Text { codes, levels } = column.as_ref() else { unreachable!("the column is text") };
        let place = self.classes_of(levels);
        let mut labels = Vec::with_capacity(rows.len());
        for &row in rows {
            let code = codes[row as usize];
            debug_assert_ne!(code, MISSING, "row {row} has no target");
            match place[code as usize] {
                Some(class) => labels.push(class),
                None => {
                    let message = format!(
                        "class \"{}\" is not among the classes of the training data: {}",
                        levels[code as usize],
                        shortened(&self.classes)
                    );
                    return Err(table.error_at(row as usize, name, message));
                }
            }
        }
        Ok(Targets::Classes { labels, classes: self.classes.len() })
    }

    /// Refuses negative targets if the loss requires counts.
    ///
    /// # Errors
    /// [`Error::Option`] for the loss.
    pub(super) fn check_counts(&self, table: &Table, rows: &[u32], loss: Option<NumberLoss>) -> Result<()> {
        let Some(loss) = loss.filter(|loss| loss.counts && self.task == Task::Regression) else {
            return Ok(());
        };
        for name in &self.columns {
            let Some(Column::Numbers(values)) = table.column(name) else { continue };
            if let Some(row) = rows.iter().map(|row| *row as usize).find(|row| values[*row] < 0.0) {
                let message = format!("expected counts of at least 0, found {}", values[row]);
                return Err(table.error_at(row, name, message).of_value("loss", loss.name));
            }
        }
        Ok(())
    }

    /// [`Target::class_of`] of each of many levels.
    pub(super) fn classes_of(&self, levels: &[String]) -> Vec<Option<u32>> {
        let exact: HashMap<&str, u32> = self.classes.iter().map(String::as_str).zip(0..).collect();
        levels.iter().map(|level| exact.get(level.as_str()).copied().or_else(|| self.class_of(level))).collect()
    }

    /// Index of a class by its name; by its value, if classes are numbers; in any case, if it is a truth value.
    pub fn class_of(&self, level: &str) -> Option<u32> {
        let value = parse_number(level).filter(|_| self.numeric || self.has_plus());
        let same = |class: &String| value.is_some() && parse_number(class) == value;
        let exact = self.classes.iter().position(|class| class == level);
        let place = exact.or_else(|| self.classes.iter().position(same)).or_else(|| {
            let mut alike = (0..self.classes.len()).filter(|at| same_truth_value(&self.classes[*at], level));
            alike.next().filter(|_| alike.next().is_none())
        });
        place.map(|index| index as u32)
    }
}

impl Target {
    /// Whether classes are numbers, one of which has a plus sign: `+1` in one file is `1` in another.
    fn has_plus(&self) -> bool {
        let numbers = self.classes.iter().all(|class| parse_number(class).is_some());
        numbers && self.classes.iter().any(|class| class.starts_with('+'))
    }
}

/// Sorts classes: numbers by value, including those with signs and percent signs such as `+1` and `5%`; text by bytes.
fn sorted_classes(mut levels: Vec<String>) -> Vec<String> {
    levels.sort_unstable();
    let counted: Vec<(&str, usize)> = levels.iter().map(|level| (level.as_str(), 1)).collect();
    if let Numbers::Form(form, rows) = infer(&counted, Convention::default())
        && rows == levels.len()
    {
        let value = |level: &String| form.parse(level).unwrap_or(f64::INFINITY);
        levels.sort_by(|a, b| value(a).total_cmp(&value(b)));
    }
    levels
}

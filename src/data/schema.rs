//! Roles of the columns of a table, and the task.

use super::cell::{format_number, parse_number};
use super::labels::LabelText;
use super::options::{DataOptions, TaskChoice};
use super::table::{Column, Names, Table};
use super::task::Task;
use crate::option_text::{option, quoted, setting};
use crate::{Error, Result};

/// Integers with at most this many distinct values are classes.
const MOST_INTEGER_CLASSES: usize = 20;

/// Roles of the columns of a table, by position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roles {
    /// Label columns, in the order of the user.
    pub labels: Vec<usize>,
    /// Feature columns, in the order of the file.
    pub features: Vec<usize>,
    /// Those features that are categorical although they are numbers.
    pub categorical: Vec<usize>,
    /// Column with the weights of rows.
    pub weight: Option<usize>,
    /// Columns that must not be left out.
    pub kept: Vec<usize>,
    /// Column that determines the part of a row.
    pub split: Option<usize>,
    /// Number columns with cells that are not numbers.
    pub lenient: Vec<usize>,
    /// Columns without a name of their own.
    pub nameless: Vec<usize>,
}

impl Roles {
    /// Those of `columns` columns that have no role.
    pub(super) fn unused(&self, columns: usize) -> Vec<usize> {
        let mut unused = vec![true; columns];
        let used = [&self.labels, &self.features].into_iter().flatten().chain(&self.weight).chain(&self.split);
        used.for_each(|column| unused[*column] = false);
        (0..columns).filter(|column| unused[*column]).collect()
    }

    /// Resolves the columns named in the options. Columns in `empty` have neither a name nor a value and get no role.
    /// Adds a note about the label if the user did not name one.
    ///
    /// # Errors
    /// [`Error::Option`] for a column that does not exist, [`Error::Data`] for a column with two roles, or if no
    /// feature column remains.
    pub(super) fn new(
        table: &Names<'_>,
        empty: &[usize],
        options: &DataOptions,
        notes: &mut Vec<String>,
    ) -> Result<Self> {
        let find = |option, names: &[String]| table.find_all(option, names);
        let ignored = find("ignore", &options.ignore)?;
        let kept = find("keep_column", &options.keep_column)?;
        let split = options.split.column().map(|name| table.find("split", name)).transpose()?;
        let weight = options.weight_col.as_ref().map(|name| table.find("weight_col", name)).transpose()?;
        let categorical = find("categorical", &options.categorical)?;
        let named_label = find("label", &options.label)?;
        let others: Vec<usize> = weight.into_iter().chain(split).collect();
        let index = index_columns(table, &[&kept, &categorical, &named_label, &ignored, &others], notes);
        let labels = if options.label.is_empty() {
            vec![last_column(table, &[empty, &index, &ignored, &others], notes)?]
        } else {
            named_label
        };

        refuse_two_roles(
            table,
            &[("label", &labels), ("ignore", &ignored), ("weight_col", &weight.into_iter().collect())],
        )?;
        let features: Vec<usize> = (0..table.names.len())
            .filter(|column| !labels.contains(column) && !ignored.contains(column) && Some(*column) != weight)
            .filter(|column| Some(*column) != split || kept.contains(column) || categorical.contains(column))
            .filter(|column| !empty.contains(column) && !index.contains(column))
            .collect();
        if let Some(stray) = categorical.iter().find(|column| !features.contains(column)) {
            let name = &table.names[*stray];
            let message = format!("column \"{name}\" is not an input of the network");
            return Err(Error::data(table.path, message).of("categorical"));
        }
        if features.is_empty() {
            let hint = if table.names.len() == 1 {
                format!(": is the delimiter right? {} changes it", option("delimiter"))
            } else {
                String::new()
            };
            let message = format!("expected columns beside the label \"{}\", found none{hint}", table.names[labels[0]]);
            return Err(Error::data(table.path, message));
        }
        Ok(Self { labels, features, categorical, weight, kept, split, lenient: Vec::new(), nameless: Vec::new() })
    }

    /// Rows with a value in all label columns and a weight that is not 0, in ascending order. Rows of weight 0 are
    /// ignored.
    ///
    /// # Errors
    /// [`Error::Data`] if there is no such row.
    pub fn usable_rows(&self, table: &Table) -> Result<Vec<u32>> {
        let columns: Vec<&Column> = self.labels.iter().map(|&label| &table.columns[label]).collect();
        let weight = self.weight.map(|weight| &table.columns[weight]);
        let mut rows: Vec<u32> = (0..table.rows() as u32)
            .filter(|&row| !columns.iter().any(|column| column.is_missing(row as usize)))
            .collect();
        if rows.is_empty() {
            let name = &table.names[self.labels[0]];
            return Err(Error::data(&table.path, format!("the label \"{name}\" is missing in every row")));
        }
        if let Some(weights) = weight {
            rows.retain(|&row| !has_no_weight(weights, row));
            if rows.is_empty() {
                let name = self.weight.map(|weight| table.names[weight].as_str());
                return Err(Error::data_at(&table.path, None, name, "all weights are 0: nothing would count"));
            }
        }
        Ok(rows)
    }
}

/// Refuses a column that is named twice.
fn refuse_two_roles(table: &Names<'_>, roles: &[(&str, &Vec<usize>)]) -> Result<()> {
    for (at, (role, columns)) in roles.iter().enumerate() {
        for (place, column) in columns.iter().enumerate() {
            let later = columns[place + 1..].contains(column).then_some(role);
            let other = roles[at + 1..].iter().find(|(_, others)| others.contains(column)).map(|(other, _)| other);
            if let Some(other) = later.or(other) {
                let name = &table.names[*column];
                let (role, other) = (option(role), option(other));
                let message = format!("column \"{name}\" is given to {role} and again to {other}");
                return Err(Error::data(table.path, message));
            }
        }
    }
    Ok(())
}

/// The last column without a role, which is the default label.
fn last_column(table: &Names<'_>, taken: &[&[usize]], notes: &mut Vec<String>) -> Result<usize> {
    let free = |column: &usize| !taken.iter().any(|columns| columns.contains(column));
    let last = (0..table.names.len()).rev().find(free);
    let last = last.ok_or_else(|| Error::data(table.path, "no column is left for the label"))?;
    let place = if last + 1 == table.names.len() { "last column" } else { "last column that is left" };
    notes.push(format!("label: {} ({place}; {} changes it)", table.names[last], option("label")));
    Ok(last)
}

/// Index columns of a data frame, which get no role unless the user names them.
fn index_columns(table: &Names<'_>, named: &[&Vec<usize>], notes: &mut Vec<String>) -> Vec<usize> {
    let is_named = |column: &usize| named.iter().any(|columns| columns.contains(column));
    let all = (0..table.names.len()).filter(|column| is_index_of_pandas(&table.names[*column]));
    let index: Vec<usize> = all.filter(|column| !is_named(column)).collect();
    for column in &index {
        let name = &table.names[*column];
        let remedy = setting("keep_column", name);
        notes.push(format!("left out: {name}, the index of the data frame ({remedy} keeps it)"));
    }
    index
}

/// Whether a column is an index that pandas writes after the columns of a data frame whose rows are not numbered in
/// order.
fn is_index_of_pandas(name: &str) -> bool {
    let level = name.strip_prefix("__index_level_").and_then(|rest| rest.strip_suffix("__"));
    level.is_some_and(|level| !level.is_empty() && level.bytes().all(|b| b.is_ascii_digit()))
}

/// Whether the weight of a row is 0. Cells that are not weights are reported when weights are read.
pub(super) fn has_no_weight(weights: &Column, row: u32) -> bool {
    matches!(weights, Column::Numbers(values) if values[row as usize] == 0.0)
}

/// Determines the task and the reason for it.
///
/// Text, or integers with at most 20 distinct values, are classes; two classes are a binary task. Several labels are a
/// multi-label task if all their values are 0 or 1, otherwise a regression with several targets.
///
/// # Errors
/// [`Error::Data`] if the labels do not fit `choice`: text instead of numbers, a single class, more or fewer than two
/// classes in a binary task, or values other than 0 and 1 in a multi-label task.
pub(super) fn infer_task(
    table: &Table,
    labels: &[usize],
    text: Option<&LabelText>,
    choice: TaskChoice,
) -> Result<(Task, String)> {
    let said = |task: Task| (task, format!("as {} says", option("task")));
    match (choice, labels) {
        (TaskChoice::Auto, &[label]) => infer_single(table, label, text),
        (TaskChoice::Auto, _) => {
            labels
                .iter()
                .try_for_each(|&label| require_numbers(table, label, "several labels are numbers, or 0 and 1"))?;
            if labels.iter().all(|&label| first_not_binary(table, label).is_none()) {
                Ok((Task::Multilabel, format!("several labels of 0 and 1; {} changes it", option("task"))))
            } else {
                Ok((Task::Regression, format!("several labels of numbers; {} changes it", option("task"))))
            }
        }
        (TaskChoice::Regression, _) => {
            labels
                .iter()
                .try_for_each(|&label| require_numbers(table, label, "the target of a regression is a number"))?;
            Ok(said(Task::Regression))
        }
        (TaskChoice::Multilabel, _) => {
            for &label in labels {
                require_numbers(table, label, "the labels of a multi-label task are 0 or 1")?;
                if let Some((row, value)) = first_not_binary(table, label) {
                    let message = format!("expected 0 or 1 in a multi-label task, found {}", format_number(value));
                    return Err(table.error_at(row, &table.names[label], message));
                }
            }
            Ok(said(Task::Multilabel))
        }
        (TaskChoice::Binary | TaskChoice::Multiclass, &[label]) => {
            let classes = distinct_classes(table, label, text)?;
            if choice == TaskChoice::Binary && classes != 2 {
                let message = format!("expected 2 classes, found {classes}");
                let error = Error::data_at(&table.path, None, Some(&table.names[label]), message);
                return Err(error.of_value("task", choice));
            }
            Ok(said(if choice == TaskChoice::Binary { Task::Binary } else { Task::Multiclass }))
        }
        (TaskChoice::Binary | TaskChoice::Multiclass, _) => {
            let message = format!("it has one label, and {} are named", labels.len());
            Err(Error::Mismatch(message).of_value("task", choice))
        }
    }
}

fn infer_single(table: &Table, label: usize, text: Option<&LabelText>) -> Result<(Task, String)> {
    let name = &table.names[label];
    let has_codes = text.is_some_and(|text| text.has_codes);
    if let Column::Numbers(values) = &table.columns[label]
        && !has_codes
    {
        let mut present: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
        present.sort_unstable_by(f64::total_cmp);
        present.dedup();
        if let Some(fraction) = present.iter().find(|value| value.fract() != 0.0) {
            let why = format!("{name} has numbers such as {}; {} changes it", format_number(*fraction), option("task"));
            return Ok((Task::Regression, why));
        }
        let distinct = text.map_or(present.len(), |text| text.levels().len());
        if distinct > MOST_INTEGER_CLASSES {
            let why = format!("{name} has {distinct} distinct integers; {} changes it", option("task"));
            return Ok((Task::Regression, why));
        }
    }
    let classes = distinct_classes(table, label, text)?;
    let task = if classes == 2 { Task::Binary } else { Task::Multiclass };
    Ok((task, format!("{name} has {classes} classes; {} changes it", option("task"))))
}

/// Number of classes of a label column, at least two.
fn distinct_classes(table: &Table, label: usize, text: Option<&LabelText>) -> Result<usize> {
    let of_numbers = table.columns[label].as_text();
    let levels = match (text, of_numbers.as_ref()) {
        (Some(text), _) => text.levels(),
        (None, Column::Text { levels, .. }) => levels,
        (None, Column::Numbers(_)) => unreachable!("the column is text"),
    };
    match levels {
        [] => {
            let message = format!("the label is missing in every row: {} names another column", option("label"));
            Err(Error::data_at(&table.path, None, Some(&table.names[label]), message))
        }
        [one] => {
            let markers: Vec<&str> = text.into_iter().flat_map(|t| &t.markers).map(|(m, _)| m.as_str()).collect();
            let why = match markers.as_slice() {
                [] => "there is nothing to learn".to_owned(),
                all => {
                    format!("{} counts as missing, and {} makes a class of it", all.join(", "), quoted("na", '-'))
                }
            };
            let message = format!("expected two classes or more, found only \"{one}\": {why}");
            Err(Error::data_at(&table.path, None, Some(&table.names[label]), message))
        }
        _ => Ok(levels.len()),
    }
}

fn require_numbers(table: &Table, label: usize, why: &str) -> Result<()> {
    let Column::Text { codes, levels } = &table.columns[label] else { return Ok(()) };
    let text = |code: &u32| levels.get(*code as usize).filter(|level| parse_number(level).is_none());
    let found = codes.iter().enumerate().find_map(|(row, code)| text(code).map(|level| (row, level)));
    let (row, level) = found.expect("a text column has a cell that is no number");
    Err(table.error_at(row, &table.names[label], format!("expected a number, found \"{level}\" ({why})")))
}

fn first_not_binary(table: &Table, label: usize) -> Option<(usize, f64)> {
    let Column::Numbers(values) = &table.columns[label] else { return None };
    let wrong = |value: &f64| !value.is_nan() && *value != 0.0 && *value != 1.0;
    values.iter().position(wrong).map(|row| (row, values[row]))
}

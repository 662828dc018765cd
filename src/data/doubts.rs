//! Warnings about doubtful labels, weights and groups.

use std::collections::HashMap;

use super::fit::stray_text;
use super::options::{DataOptions, TaskChoice};
use super::preprocess::TablePreprocessing;
use super::schema::{Roles, has_no_weight};
use super::strangers::{simplest, slip};
use super::table::{Column, Table};
use super::target::Target;
use super::task::Task;
use crate::option_text::{option, quoted, setting};
use crate::warning::are;
use crate::{Warning, WarningKind};

/// Warnings about regression targets that are constant in the training rows.
pub(super) fn constant_targets(table: &Table, target: &Target, rows: &[u32]) -> Vec<Warning> {
    let value_of = |name: &&String| match table.column(name) {
        Some(Column::Numbers(values)) if target.task == Task::Regression => {
            let first = values[rows[0] as usize];
            rows.iter().all(|row| values[*row as usize] == first).then_some(first)
        }
        _ => None,
    };
    let constant = |name: &String| {
        let message = format!("label \"{name}\" is {} in all training rows: nothing can be learnt", value_of(&name)?);
        Some(Warning::new(WarningKind::DoubtfulLabel, message).column(name))
    };
    target.columns.iter().filter_map(constant).collect()
}

/// The warning about rows without a group.
pub(super) fn without_group(table: &Table, roles: &Roles, rows: &[u32]) -> Option<Warning> {
    let column = roles.split?;
    let count = rows.iter().filter(|row| table.columns[column].is_missing(**row as usize)).count();
    (count > 0).then(|| {
        let name = &table.names[column];
        let message = format!("column \"{name}\": {} without a group: together they are one group", are(count, "row"));
        Warning::new(WarningKind::NoGroup, message).column(name).count(count)
    })
}

/// The warning about an inferred classification label that looks like numbers with a stray text, or like a name for
/// each row.
pub(super) fn doubtful_classes(
    table: &Table,
    roles: &Roles,
    target: &Target,
    options: &DataOptions,
    rows: usize,
) -> Option<Warning> {
    if options.task != TaskChoice::Auto || target.classes.is_empty() {
        return None;
    }
    let name = &target.columns[0];
    if let Column::Text { levels, .. } = &table.columns[roles.labels[0]]
        && let Some(stray) = stray_text(levels)
    {
        let remedy = format!("{} makes it a missing value", quoted("na", format_args!("+{stray}")));
        let message = format!("label \"{name}\" is read as classes, since \"{stray}\" is no number; {remedy}");
        return Some(Warning::new(WarningKind::DoubtfulLabel, message).column(name));
    }
    let classes = target.classes.len();
    let message = || match &table.columns[roles.labels[0]] {
        Column::Text { .. } => {
            format!("label \"{name}\" has {classes} classes in {rows} rows: is it the right column?")
        }
        _ => format!(
            "label \"{name}\" has {classes} classes in {rows} rows: if its numbers are a quantity, {} learns them",
            setting("task", "regression")
        ),
    };
    (2 * classes > rows).then(|| Warning::new(WarningKind::DoubtfulLabel, message()).column(name).count(classes))
}

/// Texts that mean a missing value in some files and are not missing markers by default.
const PLACEHOLDERS: [&str; 16] = [
    "\\N", "-", "--", ".", "*", "#N/A", "#NA", "#VALUE!", "#DIV/0!", "<NA>", "(null)", "NULL", "Null", "NaT", "n/a",
    "na",
];

/// The warning about a class that probably means a missing value. A class `-` is accepted if there is a class `+`.
pub(super) fn placeholder_class(target: &Target) -> Option<Warning> {
    let signs = target.classes.iter().any(|class| class == "+");
    let is_placeholder = |class: &&String| PLACEHOLDERS.contains(&class.as_str()) && !(signs && *class == "-");
    let class = target.classes.iter().find(is_placeholder)?;
    let name = &target.columns[0];
    let message = format!(
        "label \"{name}\": the class \"{class}\" may stand for a missing value; {} makes it one",
        quoted("na", format_args!("+{class}"))
    );
    Some(Warning::new(WarningKind::DoubtfulLabel, message).column(name))
}

/// The warning about two classes that differ only by case, blanks or a dot. Single letters may differ by case.
pub(super) fn classes_alike(target: &Target) -> Option<Warning> {
    let mut seen: HashMap<String, &String> = HashMap::new();
    let words = target.classes.iter().filter(|class| class.chars().count() > 1);
    let why = words.into_iter().find_map(|class| {
        let other = seen.insert(simplest(class), class)?;
        slip(class, std::slice::from_ref(other))
    })?;
    let name = &target.columns[0];
    Some(Warning::new(WarningKind::DoubtfulLabel, format!("label \"{name}\": the class {why}")).column(name))
}

/// The warning about rows without a target, if there are any.
pub(super) fn without_target(target: &Target, table: &Table, weights: Option<&Column>) -> Option<Warning> {
    let weighty = |row: &u32| !weights.is_some_and(|weights| has_no_weight(weights, *row));
    let rows = (0..table.rows() as u32).filter(weighty).count();
    let usable = target.rows_with_target(table).map_or(rows, |usable| usable.iter().filter(|row| weighty(row)).count());
    let dropped = rows - usable;
    (dropped > 0).then(|| {
        let message = format!("{}: no target in {dropped} of {rows} rows, which are left out", table.path.display());
        Warning::new(WarningKind::NoTarget, message).count(dropped)
    })
}

/// The warning about rows without the weights that the model expects.
pub(super) fn without_weights(preprocessing: &TablePreprocessing, table: &Table) -> Option<Warning> {
    let name = preprocessing.weight.as_ref().filter(|name| table.column(name).is_none())?;
    let message =
        format!("{}: there is no column \"{name}\" of weights: every row counts the same", table.path.display());
    Some(Warning::new(WarningKind::Other, message).column(name))
}

/// Number of single-row classes that a warning names.
const LONE: usize = 3;

/// The warning about classes with one row, if at least half of the classes have more. Such classes may be typing
/// errors.
pub(super) fn lone_classes(target: &Target, labels: &[u32]) -> Option<Warning> {
    let mut rows = vec![0usize; target.classes.len()];
    labels.iter().for_each(|class| rows[*class as usize] += 1);
    let lone: Vec<String> = (0..rows.len())
        .filter(|class| rows[*class] == 1)
        .map(|class| format!("\"{}\"", target.classes[class]))
        .collect();
    let name = &target.columns[0];
    (!lone.is_empty() && 2 * lone.len() <= rows.len()).then(|| {
        let shown = lone[..lone.len().min(LONE)].join(", ");
        let more = if lone.len() > LONE { format!(" and {} more", lone.len() - LONE) } else { String::new() };
        let has = if lone.len() == 1 {
            "has one row: is it a typing error?"
        } else {
            "have one row each: are they typing errors?"
        };
        let message = format!("label \"{name}\": {shown}{more} {has}");
        Warning::new(WarningKind::DoubtfulLabel, message).column(name).count(lone.len())
    })
}

/// Number of rows from which on a label that increases by one is not taken as a coincidence.
const ROWS_THAT_COUNT: usize = 20;

/// The warning about a label that the user did not name and that numbers the rows.
pub(super) fn counting_label(table: &Table, label: usize, rows: &[u32]) -> Option<Warning> {
    let Column::Numbers(values) = &table.columns[label] else { return None };
    let (name, offset) = (&table.names[label], |row: u32| values[row as usize] - f64::from(row));
    let counts = rows.len() >= ROWS_THAT_COUNT && rows.iter().all(|row| offset(*row) == offset(rows[0]));
    let remedy = option("label");
    let message = format!("label \"{name}\" only counts the rows: is it the right column? {remedy} names another");
    counts.then(|| Warning::new(WarningKind::DoubtfulLabel, message).column(name))
}

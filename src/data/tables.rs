//! Tables to training, validation and test sets.

use super::balance::{Balance, resample};
use super::dataset::Dataset;
use super::fit::{FitOptions, stray_text};
use super::input::Input;
use super::options::{DataOptions, Impute, Scale, TaskChoice};
use super::prepared::{
    Prepared, apply_class_weights, check_classes, class_labels, empty_parts, is_rebalanced, task_note,
};
use super::preprocess::{Preprocessing, TablePreprocessing};
use super::schema::{Roles, infer_task};
use super::split::Split;
use super::table::{Column, Table};
use super::target::Target;
use crate::{Error, Result, Warning, WarningKind};

/// A table whose columns have their roles; what is fitted waits for the rows that are learnt from.
pub(super) struct TypedTable {
    table: Table,
    roles: Roles,
    target: Target,
    /// Rows that have a target.
    pub(super) rows: Vec<u32>,
    /// The class of each of them, where there are classes.
    pub(super) labels: Option<Vec<u32>>,
    notes: Vec<String>,
    warnings: Vec<Warning>,
}

impl TypedTable {
    /// Gives columns their roles and infers the task.
    pub(super) fn new(table: Table, options: &DataOptions) -> Result<Self> {
        let (mut notes, mut warnings) = (Vec::new(), Vec::new());
        if !table.named {
            notes.push("header: none, columns are c0, c1, … (--header yes changes it)".to_owned());
        }
        let roles = Roles::new(&table, options, &mut notes)?;
        let (task, why) = infer_task(&table, &roles.labels, options.task)?;
        let target = Target::new(&table, &roles.labels, task, options.positive.as_deref())?;
        notes.push(task_note(&target, &why));
        check_classes(options, task)?;
        let rows = roles.rows_with_target(&table)?;
        warnings.extend(without_target(&table, rows.len()));
        warnings.extend(doubtful_classes(&table, &roles, &target, options, rows.len()));
        let labels = class_labels(target.targets(&table, &rows)?);
        Ok(Self { table, roles, target, rows, labels, notes, warnings })
    }

    /// Fits the preprocessing to the training rows of `split` and prepares every part with it; `valid` and `test` are
    /// files of their own where there are such.
    pub(super) fn prepare(
        &self,
        split: Split,
        (valid, test): (Option<Input>, Option<Input>),
        options: &DataOptions,
        seed: u64,
    ) -> Result<Prepared> {
        let table = &self.table;
        let mut warnings = self.warnings.clone();
        warnings.extend(empty_parts(&split, self.rows.len(), options));
        let fit = FitOptions {
            scale: options.scale.unwrap_or(Scale::Standard),
            impute: options.impute.unwrap_or(Impute::Median),
            scale_target: options.scale_target,
            missing: options.read_options().missing,
        };
        let target = self.target.clone();
        let preprocessing = TablePreprocessing::fit(table, &self.roles, target, &split.train, &fit, &mut warnings)?;

        let mut parts = Parts { split, warnings };
        let val = parts.table_part(PartName::Val, table, valid, &preprocessing, options)?;
        let test = parts.table_part(PartName::Test, table, test, &preprocessing, options)?;
        let Parts { split, warnings } = parts;
        let rows = training_rows(&split.train, &preprocessing.target, table, options, seed)?;
        let mut train = labelled(&preprocessing, table, &rows)?;
        apply_class_weights(&mut train, &preprocessing.target, options)?;
        let plain = || labelled(&preprocessing, table, &split.train);
        let plain_train = is_rebalanced(options).then(plain).transpose()?;
        let preprocessing = Preprocessing::Table(preprocessing);
        Ok(Prepared { preprocessing, train, plain_train, val, test, split, notes: self.notes.clone(), warnings })
    }
}

#[derive(Clone, Copy)]
enum PartName {
    Val,
    Test,
}

/// The parts as they come about.
struct Parts {
    split: Split,
    warnings: Vec<Warning>,
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
pub(super) fn without_target(table: &Table, usable: usize) -> Option<Warning> {
    let dropped = table.rows() - usable;
    (dropped > 0).then(|| {
        let (path, rows) = (table.path.display(), table.rows());
        let message = format!("{path}: {dropped} of {rows} rows have no target and are left out");
        Warning::new(WarningKind::NoTarget, message).count(dropped)
    })
}

/// A label that was inferred to be classes, but looks like numbers with a slip of the pen, or like a name for each row.
fn doubtful_classes(
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
        let remedy = format!("--na \"+{stray}\" makes it a missing value");
        let message = format!("label \"{name}\" is read as classes, since \"{stray}\" is no number; {remedy}");
        return Some(Warning::new(WarningKind::DoubtfulLabel, message).column(name));
    }
    let classes = target.classes.len();
    let message = || format!("label \"{name}\" has {classes} classes in {rows} rows: is it the right column?");
    (2 * classes > rows).then(|| Warning::new(WarningKind::DoubtfulLabel, message()).column(name).count(classes))
}

/// The training rows after resampling.
fn training_rows(rows: &[u32], target: &Target, table: &Table, options: &DataOptions, seed: u64) -> Result<Vec<u32>> {
    if options.balance == Balance::None {
        return Ok(rows.to_vec());
    }
    let labels = class_labels(target.targets(table, rows)?).expect("resampling was checked to have classes");
    Ok(resample(rows, &labels, target.classes.len(), options.balance, seed))
}

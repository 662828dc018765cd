//! Prepares training, validation and test sets of tables.

mod parts;
mod read_table;

use super::balance::{Balance, resample};
use super::blocks::Blocks;
use super::deal::{FoldRows, deal, folds_of};
use super::doubts::{
    classes_alike, constant_targets, counting_label, doubtful_classes, lone_classes, placeholder_class, without_group,
    without_target,
};
use super::feature::{Encoding, Feature};
use super::fit::PreprocessingOptions;
use super::input::Input;
use super::known::Known;
use super::levels::{Coding, MOST_LEVELS};
use super::option_checks::check_found_task;
use super::options::{DataOptions, Impute, Scaling, TaskChoice};
use super::pack::PackColumns;
use super::prepared::{
    Decided, Prepared, apply_class_weights, class_labels, empty_parts, is_rebalanced, task_note, uneven_parts,
    unlearnt_classes,
};
use super::preprocess::{Preprocessing, TablePreprocessing};
use super::raw_table::RawTable;
use super::schema::{Roles, infer_task};
use super::sketch::Sketch;
use super::smote::smote;
use super::split::{Split, SplitKeys};
use super::table::{Column, ColumnKind, Table};
use super::target::Target;
use super::task::Task;
use super::written::FoldCount;
use crate::option_text::{option, setting};
use crate::{Result, Warning};
use parts::{FileRows, PartName, Parts};
use read_table::{LISTED, ReadTable};

/// A table whose columns have roles. Nothing is fitted until the training rows are known.
pub(super) struct TypedTable {
    pub(super) table: Table,
    pub(super) roles: Roles,
    pub(super) target: Target,
    /// Rows with a target and a weight.
    pub(super) rows: Vec<u32>,
    /// The class of each of these rows, if there are classes.
    pub(super) labels: Option<Vec<u32>>,
    /// The split key of each of these rows, if a column determines the parts.
    keys: Option<SplitKeys>,
    pub(super) notes: Vec<String>,
    pub(super) warnings: Vec<Warning>,
    /// Notes on how the file was read.
    reading: Vec<String>,
    /// Options that repeat this reading.
    decided: Decided,
    /// The columns that stay in a pack. The table holds only a few of their numbers.
    left: Option<PackColumns>,
}

impl TypedTable {
    /// Determines roles and kinds of the columns, and infers the task.
    pub(super) fn new(file: RawTable, options: &DataOptions) -> Result<Self> {
        let ReadTable { mut table, roles, text, mut notes, mut warnings, reading, decided } =
            ReadTable::new(file, options)?;
        let label = roles.labels[0];
        let (task, why) = task_by_loss(&table, &roles.labels, options)
            .map_or_else(|| infer_task(&table, &roles.labels, text.as_ref(), options.task), Ok)?;
        if let Some(text) = text {
            if options.na.is_empty() {
                warnings.extend(text.marker_warning(&table.names[label]));
            }
            if matches!(task, Task::Binary | Task::Multiclass) {
                notes.extend(text.joined_note(&table.names[label]));
                (table.columns[label], table.kinds[label]) = (text.column, ColumnKind::Text);
            }
        }
        let target = Target::new(&table, &roles.labels, task, options.positive.as_deref())?;
        notes.push(task_note(&target, &why));
        check_found_task(options, task)?;
        let rows = roles.usable_rows(&table)?;
        target.check_counts(&table, &rows, options.number_loss)?;
        warnings.extend(without_target(&target, &table, roles.weight.map(|weight| &table.columns[weight])));
        warnings.extend(doubtful_classes(&table, &roles, &target, options, rows.len()));
        warnings.extend(placeholder_class(&target));
        warnings.extend(classes_alike(&target));
        if options.label.is_empty() {
            warnings.extend(counting_label(&table, label, &rows));
        }
        // Numeric targets are computed later, when their scaling is known: 1e39 may fit into single precision only
        // after scaling.
        let classes = !target.classes.is_empty();
        let labels = if classes { class_labels(target.targets(&table, &rows)?) } else { None };
        warnings.extend(labels.as_deref().and_then(|labels| lone_classes(&target, labels)));
        let keys = SplitKeys::of(&table, &roles, &rows, options)?;
        warnings.extend(without_group(&table, &roles, &rows));
        Ok(Self { table, roles, target, rows, labels, keys, notes, warnings, reading, decided, left: None })
    }

    /// The same for a table with columns that stay in a pack.
    pub(super) fn with_pack(self, columns: PackColumns) -> Self {
        Self { left: Some(columns), ..self }
    }

    /// The size of the data.
    pub(super) fn sketch(&self) -> Sketch {
        let is_number = |column: &&usize| {
            matches!(self.table.columns[**column], Column::Numbers(_)) && !self.roles.categorical.contains(column)
        };
        let numbers = self.roles.features.iter().filter(is_number).count();
        Sketch {
            task: self.target.task,
            is_table: true,
            rows: self.rows.len(),
            numbers,
            categories: self.roles.features.len() - numbers,
            outputs: self.target.classes.len().max(self.target.columns.len()),
        }
    }

    /// Assigns the rows to the parts.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if no row remains for training.
    pub(super) fn deal(&self, options: &DataOptions, seed: u64) -> Result<Split> {
        deal(&self.rows, self.labels.as_deref(), self.keys.as_ref(), options, seed)
    }

    /// Notes and warnings about the file and about the split.
    pub(super) fn said(&self, split: &Split, options: &DataOptions) -> (Vec<String>, Vec<Warning>) {
        let (rows, mut warnings) = (self.rows.len(), self.warnings.clone());
        warnings.extend(empty_parts(split, rows, options));
        warnings.extend(
            self.labels.as_deref().and_then(|labels| unlearnt_classes(split, (&self.rows, labels), &self.target)),
        );
        (self.notes.iter().cloned().chain(uneven_parts(split, rows, options)).collect(), warnings)
    }

    /// Folds of the training rows of `split`, each with training rows and validation rows.
    ///
    /// # Errors
    /// [`Error::Option`] if there are fewer rows or groups than folds.
    pub(super) fn folds(
        &self,
        split: &Split,
        options: &DataOptions,
        seed: u64,
        count: FoldCount,
    ) -> Result<Vec<FoldRows>> {
        let classes = self.labels.as_deref();
        folds_of(split, (&self.rows, classes, self.keys.as_ref()), options, seed, count)
    }

    /// Fits the preprocessing to the training rows of `split`, unless `fitted` is given, and prepares all parts with
    /// it. `valid` and `test` are separate files, if there are any.
    pub(super) fn prepare(
        &self,
        split: Split,
        (valid, test): (Option<Input>, Option<Input>),
        (options, seed): (&DataOptions, u64),
        fitted: Option<&TablePreprocessing>,
    ) -> Result<Prepared> {
        let table = &self.table;
        let (mut notes, mut warnings) = self.said(&split, options);
        let preprocessing = match fitted {
            Some(fitted) => fitted.clone(),
            None => self.fit(&split.train, (options, seed), &mut warnings)?,
        };
        notes.extend(zero_columns(&preprocessing));
        notes.extend(shared_inputs(&preprocessing));

        let blocks =
            self.left.as_ref().map(|left| Blocks::new(&preprocessing.features, table, left.clone(), &self.rows));
        let source = FileRows { table, preprocessing: &preprocessing, blocks: blocks.transpose()? };
        let mut parts = Parts { split, warnings, val_strangers: None, test_strangers: None };
        let val = parts.table_part(PartName::Val, &source, valid, options)?;
        let test = parts.table_part(PartName::Test, &source, test, options)?;
        let Parts { split, warnings, val_strangers, test_strangers } = parts;
        let rows = training_rows(&split.train, &preprocessing.target, table, options, seed)?;
        let mut train = source.labelled(&rows)?;
        if options.balance == Balance::Smote {
            smote(&mut train, preprocessing.target.classes.len(), &preprocessing.level_inputs(), seed);
        }
        apply_class_weights(&mut train, &preprocessing.target, options)?;
        let plain = || source.labelled(&split.train);
        let plain_train = is_rebalanced(options).then(plain).transpose()?;
        let preprocessing = Preprocessing::Table(preprocessing);
        Ok(Prepared {
            decided: self.decided.clone(),
            preprocessing,
            train,
            plain_train,
            val,
            test,
            val_strangers,
            test_strangers,
            split,
            notes,
            warnings,
        })
    }

    /// Fits the preprocessing to the training rows.
    pub(super) fn fit(
        &self,
        rows: &[u32],
        (options, seed): (&DataOptions, u64),
        warnings: &mut Vec<Warning>,
    ) -> Result<TablePreprocessing> {
        let fit = PreprocessingOptions {
            scale: options.scale.unwrap_or(Scaling::Standard),
            impute: options.impute.unwrap_or(Impute::Median),
            scale_target: options.scale_target,
            missing: options.read_options().missing,
            most_levels: options.one_hot.map_or(MOST_LEVELS, |most| most.0),
            level_numbers: options.level_numbers,
            binary_column: options.binary_column,
            clamp: options.clamp,
            seed,
        };
        let target = self.target.clone();
        let mut preprocessing = {
            let table = (&self.table, self.left.as_ref());
            TablePreprocessing::fit_left(table, &self.roles, target, rows, &fit, warnings)?
        };
        warnings.extend(constant_targets(&self.table, &preprocessing.target, rows));
        preprocessing.reading.clone_from(&self.reading);
        Ok(preprocessing)
    }
}

/// The regression that a loss for numbers implies, and the reason; `None` if the task is given or a label is text.
fn task_by_loss(table: &Table, labels: &[usize], options: &DataOptions) -> Option<(Task, String)> {
    let loss = options.number_loss.filter(|_| options.task == TaskChoice::Auto)?;
    let numbers = labels.iter().all(|label| matches!(table.columns[*label], Column::Numbers(_)));
    let (loss, remedy) = (setting("loss", loss.name), option("task"));
    numbers.then(|| (Task::Regression, format!("{loss} is for numbers; {remedy} changes it")))
}

/// The note about columns that are left out because all their values are 0.
fn zero_columns(preprocessing: &TablePreprocessing) -> Option<String> {
    let zeros: Vec<&str> =
        preprocessing.constants.iter().filter(|c| c.value == "0").map(|constant| constant.column.as_str()).collect();
    let more = if zeros.len() > LISTED { ", …" } else { "" };
    let listed = zeros.iter().take(LISTED).copied().collect::<Vec<_>>().join(", ");
    let columns = if zeros.len() == 1 { "column is" } else { "columns are" };
    (!zeros.is_empty()).then(|| format!("left out: {} {columns} 0 in all training rows ({listed}{more})", zeros.len()))
}

/// The note about categories whose rarer levels share an input.
fn shared_inputs(preprocessing: &TablePreprocessing) -> Option<String> {
    let shared = |feature: &Feature| match (&feature.encoding, &feature.known) {
        (Encoding::Category { levels, coding, .. }, Some(Known::Levels { rare, .. })) if *coding != Coding::Number => {
            (!rare.is_empty()).then(|| (feature.column.clone(), levels.len(), rare.len()))
        }
        _ => None,
    };
    let found: Vec<(String, usize, usize)> = preprocessing.features.iter().filter_map(shared).collect();
    let (name, own, rare) = found.first()?;
    let more = option("one_hot");
    Some(match found.len() {
        1 => format!(
            "column \"{name}\": {own} levels have inputs of their own, {rare} rarer ones share one ({more} changes it)"
        ),
        columns => {
            let listed = found.iter().take(LISTED).map(|(name, ..)| name.as_str()).collect::<Vec<_>>().join(", ");
            let dots = if columns > LISTED { ", …" } else { "" };
            format!("rarer levels share an input in {columns} columns: {listed}{dots} ({more} changes it)")
        }
    })
}

/// The training rows after resampling.
fn training_rows(rows: &[u32], target: &Target, table: &Table, options: &DataOptions, seed: u64) -> Result<Vec<u32>> {
    if matches!(options.balance, Balance::None | Balance::Smote) {
        return Ok(rows.to_vec());
    }
    let labels = class_labels(target.targets(table, rows)?).expect("resampling was checked to have classes");
    Ok(resample(rows, &labels, target.classes.len(), options.balance, seed))
}

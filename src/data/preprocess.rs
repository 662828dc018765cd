//! The preprocessing of rows for a network. It is fitted once on the training rows, then saved and loaded; the same
//! code applies it in training and prediction.

mod images;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::cell::{format_number, parse_number, shortened};
use super::dataset::{Features, inputs_of_zeros};
use super::drift::Constant;
use super::feature::{ColumnPlan, Feature, has_twice, is_scale};
use super::fit::{ColumnWishes, Fitted, PreprocessingOptions, fit_column};
use super::pack::PackColumns;
use super::schema::{Roles, has_no_weight};
use super::table::{Column, MissingMarkers, Table};
use super::target::Target;
use super::targets::Targets;
use super::task::Task;
use super::weight::{LEAST_WEIGHT, MOST_WEIGHT, is_weight};
use crate::{Error, Result, Warning};
pub use images::ImagePreprocessing;

/// Converts raw rows to inputs of the network, and its outputs to the user's units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Preprocessing {
    /// Rows of named columns.
    Table(TablePreprocessing),
    /// Images as bytes.
    Images(ImagePreprocessing),
}

impl Preprocessing {
    /// The meaning of the outputs.
    pub fn target(&self) -> &Target {
        match self {
            Self::Table(table) => &table.target,
            Self::Images(images) => &images.target,
        }
    }

    /// The task.
    pub fn task(&self) -> Task {
        self.target().task
    }

    /// Class names, in the order of the outputs; empty if there are no classes.
    pub fn class_names(&self) -> &[String] {
        &self.target().classes
    }

    /// Number of the network's outputs.
    pub fn outputs(&self) -> usize {
        self.target().outputs()
    }

    /// Number of the network's inputs.
    pub fn inputs(&self) -> usize {
        match self {
            Self::Table(table) => table.inputs(),
            Self::Images(images) => images.shape.iter().product(),
        }
    }

    /// The preprocessing as JSON text. Numbers are read back exactly.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("names and finite numbers can be written as JSON")
    }

    /// Reads the text of [`Preprocessing::to_json`].
    ///
    /// # Errors
    /// [`Error::Mismatch`] if the text is not a preprocessing, or an inconsistent one.
    pub fn from_json(text: &str) -> Result<Self> {
        let wrong = |what: String| Error::Mismatch(format!("the model's preprocessing cannot be read: {what}"));
        let loaded: Self = serde_json::from_str(text).map_err(|e| wrong(e.to_string()))?;
        let repeats = loaded.repeats_a_column().then_some("a column is there twice");
        match loaded.contradiction().or(repeats) {
            Some(what) => Err(wrong(what.to_owned())),
            None => Ok(loaded),
        }
    }

    /// Whether a column has several features. This occurs only if data are prepared in several ways at once.
    pub(crate) fn repeats_a_column(&self) -> bool {
        matches!(self, Self::Table(table) if has_twice(table.features.iter().map(|feature| &feature.column)))
    }

    /// The oldest version of the model format that can represent it. The second version added shapes, codings and
    /// ranges, the third numbers of levels.
    pub(crate) fn least_version(&self) -> u32 {
        let features = if let Self::Table(table) = self { table.features.as_slice() } else { &[] };
        if features.iter().any(|feature| feature.levels().is_some()) {
            3
        } else if features.iter().any(Feature::is_bent) || !self.target().range.is_empty() {
            2
        } else {
            1
        }
    }

    /// The inconsistency of a preprocessing, if there is one.
    pub(crate) fn contradiction(&self) -> Option<&'static str> {
        let target = self.target();
        let classes = target.classes.len();
        let fits = match target.task {
            Task::Binary => classes == 2 && target.columns.len() == 1,
            Task::Multiclass => classes >= 2 && target.columns.len() == 1,
            Task::Multilabel => classes == 0 && !target.columns.is_empty(),
            Task::Regression => classes == 0 && !target.columns.is_empty() && target.mean.len() == target.columns.len(),
        };
        let ranged = target.range.is_empty() || target.range.len() == target.mean.len();
        if !fits || target.sd.len() != target.mean.len() || !ranged {
            return Some("task, classes and label columns do not fit together");
        }
        if has_twice(&target.classes) || has_twice(&target.columns) {
            return Some("a class or a label column is there twice");
        }
        if !target.sd.iter().all(|sd| is_scale(*sd)) {
            return Some("the standard deviation of a target is not above 0");
        }
        match self {
            Self::Images(images)
                if images.shape.iter().try_fold(1, |n: usize, size| n.checked_mul(*size)).is_none() =>
            {
                Some("the images have more bytes than there can be")
            }
            Self::Images(images) if !is_scale(f64::from(images.scale)) => Some("the scale of images is not above 0"),
            _ if self.inputs() == 0 => Some("the network would have no inputs"),
            Self::Table(table) => table.features.iter().find_map(Feature::contradiction),
            Self::Images(_) => None,
        }
    }
}

/// Preprocessing of tables.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TablePreprocessing {
    /// All columns of the training file, in its order.
    pub columns: Vec<String>,
    /// Whether the training file named them. Otherwise they are c0, c1, …, and rows are matched by position.
    pub named: bool,
    /// Notes on how the training file was read, if that was unusual.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reading: Vec<String>,
    /// Texts that mean a missing value.
    pub missing: MissingMarkers,
    /// The features, in the order of the network's inputs.
    pub features: Vec<Feature>,
    /// Columns that were left out because they were constant or had no value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub constants: Vec<Constant>,
    /// The meaning of the outputs.
    pub target: Target,
    /// Column with a weight for each row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<String>,
}

impl TablePreprocessing {
    /// Fits to the training rows `rows`. Other rows have no influence.
    ///
    /// Columns are left out with a warning if they have no value, number the rows without having a name, or are text
    /// with distinct values in more than half of the rows with a value. Constant columns are left out too.
    ///
    /// # Errors
    /// [`Error::Data`] if no column remains, or if numbers are too large for finite statistics.
    pub fn fit(
        table: &Table,
        roles: &Roles,
        target: Target,
        rows: &[u32],
        options: &PreprocessingOptions,
        warnings: &mut Vec<Warning>,
    ) -> Result<Self> {
        Self::fit_left((table, None), roles, target, rows, options, warnings)
    }

    /// As [`TablePreprocessing::fit`]. Columns that stay in a pack are read one after the other.
    ///
    /// # Errors
    /// As [`TablePreprocessing::fit`].
    pub(super) fn fit_left(
        (table, left): (&Table, Option<&PackColumns>),
        roles: &Roles,
        mut target: Target,
        rows: &[u32],
        options: &PreprocessingOptions,
        warnings: &mut Vec<Warning>,
    ) -> Result<Self> {
        if options.scale_target {
            target.fit(table, rows)?;
        }
        if options.clamp {
            target.fit_range(table, rows)?;
        }
        let wishes = |column: usize| ColumnWishes {
            categorical: roles.categorical.contains(&column),
            keep: roles.kept.contains(&column),
            nameless: table.named && roles.nameless.contains(&column),
            alone: roles.features.len() == 1,
            lenient: roles.lenient.contains(&column),
        };
        let targets = options.level_numbers.map(|_| target.targets(table, rows)).transpose()?;
        let fit = |table: &Table, column| fit_column(table, column, wishes(column), (rows, targets.as_ref()), options);
        let fitted = fit_columns((table, left), &roles.features, &fit);
        let (mut features, mut constants) = (Vec::with_capacity(fitted.len()), Vec::new());
        for fitted in fitted {
            let fitted = fitted?;
            warnings.extend(fitted.warning);
            features.extend(fitted.feature);
            constants.extend(fitted.constant);
        }
        if features.iter().map(Feature::width).sum::<usize>() == 0 {
            let why: String = warnings.iter().take(3).map(|warning| format!("; {warning}")).collect();
            return Err(Error::data(&table.path, format!("no column is left that the network could learn from{why}")));
        }
        Ok(Self {
            columns: table.names.clone(),
            named: table.named,
            reading: Vec::new(),
            missing: options.missing.clone(),
            features,
            constants,
            target,
            weight: roles.weight.map(|index| table.names[index].clone()),
        })
    }

    /// Number of the network's inputs.
    pub fn inputs(&self) -> usize {
        self.features.iter().map(Feature::width).sum()
    }

    /// Inputs that hold the number of a level, in ascending order. They are not quantities.
    pub fn level_inputs(&self) -> Vec<usize> {
        let mut first = 0;
        let level_input = |feature: &Feature| {
            first += feature.width();
            feature.levels().map(|_| first - 1)
        };
        self.features.iter().filter_map(level_input).collect()
    }

    /// Names of the inputs, such as `age` and `island=Biscoe`.
    pub fn input_names(&self) -> Vec<String> {
        self.features.iter().flat_map(Feature::input_names).collect()
    }

    /// Inputs of the rows of a table, row-major `[rows, inputs]`; of all rows, if `rows` is `None`. Columns are matched
    /// by name.
    ///
    /// # Errors
    /// [`Error::Mismatch`] for a missing column, [`Error::Data`] for a number that is not finite in single precision
    /// after scaling, [`Error::Memory`] if the inputs do not fit into memory.
    pub fn features(&self, table: &Table, rows: Option<&[u32]>) -> Result<Features> {
        let count = rows.map_or(table.rows(), <[u32]>::len);
        let row_at = |at: usize| rows.map_or(at, |rows| rows[at] as usize);
        let plans = self.plans(table)?;
        let cols = self.inputs();
        let mut values = inputs_of_zeros(count, cols)?;
        const BLOCK: usize = 256;
        values.par_chunks_mut(BLOCK * cols).enumerate().for_each(|(block, inputs)| {
            plans.iter().for_each(|(at, plan)| plan.write(inputs, (*at, cols), |line| row_at(block * BLOCK + line)));
        });
        // Without an early exit, the loop is vectorised.
        let holds_wrong = |block: &[f32]| !block.iter().fold(true, |all, value| all & value.is_finite());
        if let Some(block) = values.par_chunks(BLOCK * cols).position_first(holds_wrong) {
            let wrong = values[block * BLOCK * cols..].iter().position(|value| !value.is_finite());
            let at = block * BLOCK * cols + wrong.expect("the block holds one");
            let name = &self.input_names()[at % cols];
            return Err(table.error_at(
                row_at(at / cols),
                name,
                "the number is too large for single precision once it is scaled",
            ));
        }
        Ok(Features::F32 { values, cols })
    }

    /// Each feature prepared for its column, with its first input.
    fn plans<'a>(&'a self, table: &'a Table) -> Result<Vec<(usize, ColumnPlan<'a>)>> {
        let (mut at, columns) = (0, table.by_name());
        let plan = |feature: &'a Feature| {
            let column = columns.get(feature.column.as_str()).copied();
            let column = column.ok_or_else(|| self.absent(table, &feature.column))?;
            let plan = ColumnPlan::new(feature, column).ok_or_else(|| {
                let message = format!("column \"{}\": the model expects numbers, found text", feature.column);
                Error::Mismatch(format!("{}: {message}", table.path.display()))
            })?;
            at += feature.width();
            Ok((at - feature.width(), plan))
        };
        self.features.iter().map(plan).collect()
    }

    fn absent(&self, table: &Table, name: &str) -> Error {
        let (path, names) = (table.path.display(), shortened(&table.names));
        Error::Mismatch(format!("{path}: the model needs the column \"{name}\"; the table has {names}"))
    }

    /// Rows with a value in all target columns and a weight that is not 0, in ascending order.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if a label column is missing, [`Error::Data`] if there is no such row.
    pub fn usable_rows(&self, table: &Table) -> Result<Vec<u32>> {
        let mut rows = self.target.rows_with_target(table)?;
        if rows.is_empty() {
            return Err(Error::data(&table.path, "the label is missing in every row"));
        }
        if let Some(weights) = self.weight.as_ref().and_then(|name| table.column(name)) {
            rows.retain(|row| !has_no_weight(weights, *row));
            if rows.is_empty() {
                return Err(Error::data_at(
                    &table.path,
                    None,
                    self.weight.as_deref(),
                    "all weights are 0: nothing would count",
                ));
            }
        }
        Ok(rows)
    }

    /// Targets of `rows`. None of them may be missing.
    ///
    /// # Errors
    /// As [`Target::targets`].
    pub fn targets(&self, table: &Table, rows: &[u32]) -> Result<Targets> {
        self.target.targets(table, rows)
    }

    /// Weights of `rows` from the weight column; `None` if the model or the table has none.
    ///
    /// # Errors
    /// [`Error::Data`] for a weight that is missing or negative, or if all weights are 0.
    pub fn weights(&self, table: &Table, rows: &[u32]) -> Result<Option<Vec<f32>>> {
        let Some(name) = &self.weight else { return Ok(None) };
        let values = match table.column(name) {
            None => return Ok(None),
            Some(Column::Numbers(values)) => values,
            Some(text) => {
                let wrong =
                    (0..table.rows()).find(|&row| text.cell(row).is_some_and(|cell| parse_number(&cell).is_none()));
                let row = wrong.unwrap_or(0);
                let found = text.cell(row).unwrap_or_default();
                return Err(table.error_at(row, name, format!("expected a weight, found \"{found}\"")));
            }
        };
        let mut weights = Vec::with_capacity(rows.len());
        for &row in rows {
            let weight = values[row as usize] as f32;
            if !(weight.is_finite() && weight >= 0.0) {
                let value = values[row as usize];
                let found = if value.is_nan() { "no value".to_owned() } else { format_number(value) };
                return Err(table.error_at(
                    row as usize,
                    name,
                    format!("expected a weight of at least 0, found {found}"),
                ));
            }
            if !is_weight(values[row as usize]) {
                let found = format_number(values[row as usize]);
                let message =
                    format!("expected a weight of 0, or from {LEAST_WEIGHT:e} to {MOST_WEIGHT:e}, found {found}");
                return Err(table.error_at(row as usize, name, message));
            }
            weights.push(weight);
        }
        if !rows.is_empty() && weights.iter().all(|&weight| weight == 0.0) {
            return Err(Error::data_at(&table.path, None, Some(name), "all weights are 0: nothing would count"));
        }
        Ok(Some(weights))
    }
}

/// Fits columns in parallel. If some stay in a pack, they are fitted one after the other, so only one is in memory at a
/// time.
fn fit_columns(
    (table, left): (&Table, Option<&PackColumns>),
    columns: &[usize],
    fit: &(dyn Fn(&Table, usize) -> Result<Fitted> + Sync),
) -> Vec<Result<Fitted>> {
    let Some(left) = left else { return columns.par_iter().map(|column| fit(table, *column)).collect() };
    let mut alone = table.without_rows();
    let fit = |&column: &usize| {
        if !left.has(column) {
            return fit(table, column);
        }
        alone.columns[column] = Column::Numbers(left.whole(column));
        let fitted = fit(&alone, column);
        alone.columns[column] = Column::Numbers(Vec::new());
        fitted
    };
    columns.iter().map(fit).collect()
}

//! Permutation importance: how much worse a model becomes when the values of one column are permuted.

use std::collections::HashMap;
use std::ops::Range;

use serde::Serialize;

use crate::data::{Dataset, Features, Preprocessing, ReadOptions, Source, TablePreprocessing, Task, read_for, shuffle};
use crate::metrics::MetricName;
use crate::model::Model;
use crate::predict::Predictor;
use crate::rng::{Purpose, stream};
use crate::{Error, Result};

/// Number of permutations of each column.
pub const REPEATS: u64 = 5;

/// The importance of each raw column for a model, measured on some data.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Importance {
    /// The metric whose drop is measured: accuracy, or R² for regression.
    pub metric: MetricName,
    /// The metric on the unchanged data.
    pub baseline: f64,
    /// Number of rows.
    pub rows: usize,
    /// Number of permutations of each column.
    pub repeats: u64,
    /// The columns, in descending order of importance.
    pub columns: Vec<ColumnImportance>,
}

/// The importance of one column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColumnImportance {
    /// The column.
    pub column: String,
    /// Mean drop of the metric when the column's values are permuted among the rows.
    pub mean: f64,
    /// Standard deviation of the drops (of the population, as scikit-learn's `importances_std`).
    pub sd: f64,
}

/// Measures the importance of every raw column on labelled rows. All inputs that are derived from a column are permuted
/// together, `REPEATS` times. Breiman 2001, "Random Forests", <https://doi.org/10.1023/A:1010933404324>; equivalent to
/// scikit-learn's `permutation_importance`. The result depends only on model, data and seed.
///
/// # Errors
/// [`Error::Mismatch`] for a model of images, otherwise as [`crate::data::read_for`]; [`Error::Data`] if the metric is
/// undefined on these rows.
pub fn permutation_importance(
    model: &Model,
    predictor: &mut Predictor,
    (source, options): (&Source, &ReadOptions),
    seed: u64,
) -> Result<Importance> {
    let Preprocessing::Table(preprocessing) = &model.card.preprocessing else {
        let message = "it is about the columns of a table, and this model was trained on images";
        return Err(Error::Mismatch(message.to_owned()).of("importance"));
    };
    let data = labelled_rows(preprocessing, source, options)?;
    let metric = if preprocessing.target.task == Task::Regression { MetricName::R2 } else { MetricName::Accuracy };
    let baseline = predictor.brief_figures(&data).get(metric);
    let baseline = baseline.ok_or_else(|| {
        Error::data(source.name(), format!("{metric} is undefined on these rows: are all targets the same?"))
    })?;
    let mut permuted = data.clone();
    let mut order: Vec<u32> = Vec::new();
    let inputs = inputs_of_columns(preprocessing);
    let mut columns = Vec::with_capacity(inputs.len());
    for (number, (column, inputs)) in inputs.into_iter().enumerate() {
        let mut drops = Vec::with_capacity(REPEATS as usize);
        for repeat in 0..REPEATS {
            order.clear();
            order.extend(0..data.rows() as u32);
            shuffle(&mut order, &mut stream(seed, Purpose::Permutation, number as u64, repeat));
            take_inputs(&mut permuted.features, &data.features, &inputs, |row| order[row] as usize);
            drops.push(baseline - predictor.brief_figures(&permuted).get(metric).unwrap_or(f64::NAN));
        }
        take_inputs(&mut permuted.features, &data.features, &inputs, |row| row);
        let (mean, sd) = mean_and_sd(&drops);
        columns.push(ColumnImportance { column: column.to_owned(), mean, sd });
    }
    columns.sort_by(|a, b| b.mean.total_cmp(&a.mean));
    Ok(Importance { metric, baseline, rows: data.rows(), repeats: REPEATS, columns })
}

/// The inputs that are derived from each column: one range, or several if networks with different preprocessing have
/// separate inputs.
fn inputs_of_columns(preprocessing: &TablePreprocessing) -> Vec<(&str, Vec<Range<usize>>)> {
    let mut columns: Vec<(&str, Vec<Range<usize>>)> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut first = 0;
    for feature in &preprocessing.features {
        let inputs = first..first + feature.width();
        first = inputs.end;
        let place = *places.entry(&feature.column).or_insert(columns.len());
        if place == columns.len() {
            columns.push((&feature.column, Vec::new()));
        }
        columns[place].1.push(inputs);
    }
    columns
}

fn labelled_rows(preprocessing: &TablePreprocessing, source: &Source, options: &ReadOptions) -> Result<Dataset> {
    let table = read_for(preprocessing, source, options)?;
    let rows = preprocessing.usable_rows(&table)?;
    Ok(Dataset {
        features: preprocessing.features(&table, Some(&rows))?,
        targets: preprocessing.targets(&table, &rows)?,
        weights: preprocessing.weights(&table, &rows)?,
    })
}

/// Copies the given inputs of every row from row `row_of(row)` of `from`.
fn take_inputs(to: &mut Features, from: &Features, inputs: &[Range<usize>], row_of: impl Fn(usize) -> usize) {
    let (Features::F32 { values: to, cols }, Features::F32 { values: from, .. }) = (to, from) else {
        unreachable!("tables are prepared as numbers");
    };
    for (row, values) in to.chunks_exact_mut(*cols).enumerate() {
        let source = row_of(row) * *cols;
        for inputs in inputs {
            values[inputs.clone()].copy_from_slice(&from[source + inputs.start..source + inputs.end]);
        }
    }
}

fn mean_and_sd(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / count;
    (mean, variance.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_of_one_column_are_permuted_together_and_restored() {
        let from = Features::F32 { values: (0..12).map(|v| v as f32).collect(), cols: 4 };
        let mut to = from.clone();
        let inputs = [1..2, 2..3];
        take_inputs(&mut to, &from, &inputs, |row| 2 - row);
        let expected = [0.0, 9.0, 10.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 1.0, 2.0, 11.0];
        assert_eq!(to, Features::F32 { values: expected.to_vec(), cols: 4 });
        take_inputs(&mut to, &from, &inputs, |row| row);
        assert_eq!(to, from);
    }

    #[test]
    fn the_deviation_is_that_of_the_population() {
        assert_eq!(mean_and_sd(&[1.0, 3.0]), (2.0, 1.0));
    }
}

//! From raw rows to a table of predictions, in chunks of rows.

use std::io::{ErrorKind, Write};
use std::path::Path;

use super::{Answers, Predictor};
use crate::data::RowReader;
use crate::{Error, Result};

/// Rows of a chunk, if there are few inputs.
const MOST_ROWS: usize = 8192;
/// Inputs of a chunk, if there are many.
const MOST_INPUTS: usize = 1 << 20;
/// The fewest rows of a chunk: a block of the forward pass.
const LEAST_ROWS: usize = 256;

/// The form of a table of predictions.
#[derive(Debug, Clone)]
pub struct PredictionTable<'a> {
    /// The columns of predictions.
    pub answers: Answers<'a>,
    /// Whether the first line names the columns.
    pub header: bool,
}

/// Writes the predictions for all rows as CSV, in the order of the rows and in bounded memory. Returns the number of rows.
/// `place` names the output in messages.
///
/// # Errors
/// As [`RowReader::next_rows`], and [`Error::Io`] if the output cannot be written.
pub fn write_predictions(
    predictor: &mut Predictor,
    rows: &mut RowReader<'_>,
    inputs: usize,
    table: &PredictionTable<'_>,
    (out, place): (&mut dyn Write, &Path),
) -> Result<u64> {
    let answers = &table.answers;
    let failed = |error: csv::Error| Error::io(place, io_error(error));
    let mut csv = csv::WriterBuilder::new().buffer_capacity(1 << 16).from_writer(out);
    if table.header {
        csv.write_record(header(rows.kept_names(), answers.columns())).map_err(failed)?;
    }
    let at_a_time = (MOST_INPUTS / inputs.max(1)).clamp(LEAST_ROWS, MOST_ROWS);
    let mut written = 0;
    while let Some(chunk) = rows.next_rows(at_a_time)? {
        let predicted = predictor.predict(&chunk.features);
        for (row, values) in predicted.values.chunks_exact(predicted.width).enumerate() {
            if values.iter().any(|value| value.is_nan()) {
                return Err(not_a_number(written + 1));
            }
            chunk.kept.iter().try_for_each(|column| csv.write_field(&column[row])).map_err(failed)?;
            answers.row(values, |cell| csv.write_field(cell)).map_err(failed)?;
            csv.write_record(None::<&[u8]>).map_err(failed)?;
            written += 1;
        }
    }
    csv.flush().map_err(|e| Error::io(place, e))?;
    Ok(written)
}

/// The error for a row whose prediction is not a number; rows count from 1.
fn not_a_number(row: u64) -> Error {
    Error::Mismatch(format!(
        "row {row}: the prediction is not a number: a value of this row is too far from those of training for single precision"
    ))
}

/// The names of the copied columns, then of the answers. All names differ: a copied column with the name of an answer gets the
/// prefix `input_`.
fn header(kept: &[String], answers: Vec<String>) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(kept.len() + answers.len());
    for name in kept {
        let mut unique = name.clone();
        while answers.contains(&unique) || names.contains(&unique) {
            unique.insert_str(0, "input_");
        }
        names.push(unique);
    }
    for name in answers {
        let numbered = (1..).map(|number| format!("{name}_{number}"));
        let free = |candidate: &String| !names.contains(candidate);
        let unique = std::iter::once(name.clone()).chain(numbered).find(free).expect("some number is free");
        names.push(unique);
    }
    names
}

fn io_error(error: csv::Error) -> std::io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => std::io::Error::new(ErrorKind::InvalidData, format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_columns_have_one_name() {
        let owned = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            header(&owned(&["id", "prediction"]), owned(&["prediction"])),
            ["id", "input_prediction", "prediction"]
        );
        assert_eq!(header(&[], owned(&["q", "proba_q", "proba_q"])), ["q", "proba_q", "proba_q_1"]);
    }
}

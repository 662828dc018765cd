//! Rows of a validation or test file that are copies of training rows.

use std::collections::HashSet;
use std::hash::BuildHasher;

use foldhash::fast::FixedState;

use super::table::{Column, MISSING, Table};
use crate::{Warning, WarningKind};

/// The warning is given from this share of the rows on.
const MOST: f64 = 0.9;
/// Least number of rows of which it can be said.
const FEW: usize = 10;

/// The warning that nearly all rows of another file are rows of the training file. Where the training rows themselves repeat, as
/// those of a few categories do, that says nothing.
pub(super) fn copied_rows(part: &str, columns: &[&str], training: &Table, other: &Table) -> Option<Warning> {
    let (known, found) = (row_hashes(columns, training)?, row_hashes(columns, other)?);
    let (rows, of) = (known.len(), found.len());
    let known: HashSet<u64, FixedState> = known.into_iter().collect();
    let copies = found.iter().filter(|hash| known.contains(hash)).count();
    if of < FEW || 2 * known.len() < rows || (copies as f64) < MOST * of as f64 {
        return None;
    }
    let message = format!(
        "{}: {copies} of {of} rows are rows of the training file, too: the figures of the {part} part say little of new rows",
        other.path.display()
    );
    Some(Warning::new(WarningKind::Other, message).count(copies))
}

/// A hash of each row over some columns; `None` if the table lacks one.
fn row_hashes(columns: &[&str], table: &Table) -> Option<Vec<u64>> {
    let state = FixedState::default();
    let mut hashes = vec![0u64; table.rows()];
    for name in columns {
        let mut add = |row: usize, cell: u64| hashes[row] = state.hash_one((hashes[row], cell));
        match table.column(name)? {
            Column::Numbers(values) => {
                values.iter().enumerate().for_each(|(row, value)| add(row, (value + 0.0).to_bits()));
            }
            Column::Text { codes, levels } => {
                let levels: Vec<u64> = levels.iter().map(|level| state.hash_one(level)).collect();
                let of = |code: u32| if code == MISSING { 0 } else { levels[code as usize] };
                codes.iter().enumerate().for_each(|(row, code)| add(row, of(*code)));
            }
        }
    }
    Some(hashes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Unit;
    use crate::data::number::NumberForm;
    use crate::data::table::ColumnKind;

    fn table(values: Vec<f64>) -> Table {
        let lines = (0..values.len() as u32).collect();
        Table {
            path: "t.csv".into(),
            names: vec!["x".into()],
            named: true,
            columns: vec![Column::Numbers(values)],
            kinds: vec![ColumnKind::Number(NumberForm::default())],
            lines,
            unit: Unit::Line,
        }
    }

    #[test]
    fn copies_are_found_where_rows_are_distinct() {
        let said = |training: Vec<f64>, other: Vec<f64>| {
            copied_rows("test", &["x"], &table(training), &table(other)).map(|warning| warning.message)
        };
        let numbers = |from: u32| (from..from + 20).map(f64::from).collect::<Vec<_>>();
        assert!(said(numbers(0), numbers(0)).unwrap().contains("20 of 20 rows"));
        assert!(said(numbers(0), numbers(1)).unwrap().contains("19 of 20 rows"));
        assert_eq!(said(numbers(0), numbers(5)), None, "three of four");
        assert_eq!(said([1.0, 2.0].repeat(20), [1.0, 2.0].repeat(20)), None, "training rows repeat");
    }
}

//! The table of permutation importance.

use gradlane::experiment::Importance;

use crate::cli::table;

/// The importance of each column, the most important first.
pub fn readable(importance: &Importance) -> String {
    let header = ["column", "drop", "±"].map(str::to_owned);
    let row = |column: &gradlane::experiment::ColumnImportance| {
        vec![column.column.clone(), table::figure(Some(column.mean)), table::figure(Some(column.sd))]
    };
    let rows: Vec<Vec<String>> = importance.columns.iter().map(row).collect();
    format!(
        "\nimportance: drop of {} {} when a column is permuted, mean of {} on {} rows\n{}",
        importance.metric,
        table::figure(Some(importance.baseline)),
        importance.repeats,
        importance.rows,
        table::plain(&header, &rows)
    )
}

//! What is known about a table before its rows are read.

use crate::{Unit, Warning};

/// Names of a table's columns, and the unit of its row numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Outline {
    /// Names of the columns, from the file or generated as c0, c1, …
    pub names: Vec<String>,
    /// Whether the file names its columns.
    pub named: bool,
    /// Columns without a name of their own.
    pub nameless: Vec<usize>,
    /// Whether the table is delimited text, whose first line may be a header.
    pub delimited: bool,
    /// What row numbers count, in messages.
    pub unit: Unit,
    /// Notes on decisions, each with the option that changes it.
    pub notes: Vec<String>,
    /// Warnings for the user.
    pub warnings: Vec<Warning>,
}

impl Outline {
    /// An outline of columns that the file names.
    pub(super) fn named(names: Vec<String>, unit: Unit) -> Self {
        Self {
            names,
            named: true,
            nameless: Vec::new(),
            delimited: false,
            unit,
            notes: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// An outline of `count` columns called c0, c1, …
    pub(super) fn nameless(count: usize, unit: Unit) -> Self {
        let names = super::header::generated(count);
        Self { named: false, nameless: (0..count).collect(), ..Self::named(names, unit) }
    }
}

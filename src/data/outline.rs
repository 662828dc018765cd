//! What is known of a table before its rows are read.

use crate::{Unit, Warning};

/// The columns of a table by name, and how its rows are counted.
#[derive(Debug, Clone, PartialEq)]
pub struct Outline {
    /// Names of the columns: the file's, or c0, c1, …
    pub names: Vec<String>,
    /// Whether the file names its columns.
    pub named: bool,
    /// Columns that have no name of their own.
    pub nameless: Vec<usize>,
    /// Whether it is delimited text, whose first line names the columns or could name them.
    pub delimited: bool,
    /// What counts the rows in messages.
    pub unit: Unit,
    /// What was decided and is said aloud, with the flag that changes it.
    pub notes: Vec<String>,
    /// What a user should look at.
    pub warnings: Vec<Warning>,
}

impl Outline {
    /// Columns that the file names.
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

    /// So many columns, called c0, c1, …
    pub(super) fn nameless(count: usize, unit: Unit) -> Self {
        let names = super::header::generated(count);
        Self { named: false, nameless: (0..count).collect(), ..Self::named(names, unit) }
    }
}

//! Columns of a file that are read with a known kind.

use super::table::ColumnKind;

/// A column to read, by its position in the file, with the name and kind in the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Position in the file, from 0.
    pub index: usize,
    /// Name in the schema.
    pub name: String,
    /// Kind of the column.
    pub kind: ColumnKind,
    /// Whether cells that are not numbers count as missing.
    pub lenient: bool,
}

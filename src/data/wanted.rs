//! Known columns of a file.

use super::table::ColumnKind;

/// A column to be read, by its place in the file, under the name and kind of the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Place in the file, from 0.
    pub index: usize,
    /// Name in the schema.
    pub name: String,
    /// Numbers, dates or text.
    pub kind: ColumnKind,
    /// Whether cells that are no numbers count as missing.
    pub lenient: bool,
}

//! A table of which the columns of numbers stay in a pack.

use std::sync::Arc;

use super::columns::PackColumns;
use super::file::PackFile;
use super::survey::read;
use crate::Result;
use crate::data::options::DataOptions;
use crate::data::raw_table::RawTable;
use crate::data::schema::Roles;
use crate::data::table::Names;
use crate::data::table_source::TableFile;

/// A table, and the columns of it that stay in the pack; of those it holds a few numbers alone.
pub(in crate::data) struct Packed {
    pub(in crate::data) table: RawTable,
    pub(in crate::data) columns: PackColumns,
}

/// Reads the columns of a pack that training looks at as a whole: text, labels, weights, what decides the split, and columns
/// that options say how to read.
///
/// # Errors
/// As reading the file whole, and for columns that are not there.
pub(in crate::data) fn read_packed(file: PackFile, options: &DataOptions) -> Result<Packed> {
    let read_options = options.read_options();
    let names = file.open()?.outline().names.clone();
    let roles = Roles::new(&Names { path: &file.path, names: &names }, &[], options, &mut Vec::new())?;
    let dates = options.dates.iter().filter_map(|date| names.iter().position(|name| *name == date.column));
    let needed: Vec<usize> =
        roles.labels.into_iter().chain(roles.weight).chain(roles.split).chain(roles.categorical).chain(dates).collect();
    let columns = PackColumns::new(file.clone(), &needed, &read_options.missing);
    let table = read(Arc::new(file), &read_options, &|place, _| columns.has(place))?;
    Ok(Packed { table, columns })
}

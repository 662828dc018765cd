//! A table whose columns of numbers and dates stay in a pack.

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

/// A table, and its columns that stay in the pack. Of each such column the table holds only a few numbers.
pub(in crate::data) struct PackedTable {
    pub(in crate::data) table: RawTable,
    pub(in crate::data) columns: PackColumns,
}

/// Reads the columns of a pack that training needs in memory: text, integers beyond the exact range of doubles, labels,
/// weights, the split column, and columns that `categorical` or `dates` names. All others stay in the pack.
///
/// # Errors
/// Those of reading the whole file, and for columns that do not exist.
pub(in crate::data) fn read_packed(file: PackFile, options: &DataOptions) -> Result<PackedTable> {
    let read_options = options.read_options();
    let names = file.open()?.outline().names.clone();
    let roles = Roles::new(&Names { path: &file.path, names: &names }, &[], options, &mut Vec::new())?;
    let dates = options.dates.iter().filter_map(|date| names.iter().position(|name| *name == date.column));
    let needed: Vec<usize> =
        roles.labels.into_iter().chain(roles.weight).chain(roles.split).chain(roles.categorical).chain(dates).collect();
    let columns = PackColumns::new(file.clone(), &needed, &read_options.missing);
    let table = read(Arc::new(file), &read_options, &|place, _| columns.has(place))?;
    Ok(PackedTable { table, columns })
}

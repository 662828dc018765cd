//! Reads delimited text (CSV, TSV) into tables: a whole file on all threads, a few rows at a time for known columns, or
//! some megabytes at a time for all columns.

mod pieces;
mod plain;
mod rows;
mod sections;
mod stream;
#[cfg(test)]
mod tests;
mod whole;
mod windows;

pub(super) use pieces::DelimitedPieces;
pub(super) use stream::DelimitedRows;
pub(super) use whole::read_whole;

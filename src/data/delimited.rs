//! Delimited text (CSV, TSV) to tables: a whole file on all threads, known columns some rows at a time, or all columns some megabytes
//! at a time.

mod pieces;
mod plain;
mod rows;
mod runs;
mod stream;
#[cfg(test)]
mod tests;
mod whole;
mod windows;

pub(super) use pieces::DelimitedPieces;
pub(super) use stream::DelimitedRows;
pub(super) use whole::read_whole;

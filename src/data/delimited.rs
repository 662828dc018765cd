//! Delimited text (CSV, TSV) to tables: a whole file on all threads, or known columns some rows at a time.

mod plain;
mod rows;
mod runs;
mod stream;
#[cfg(test)]
mod tests;
mod whole;

pub(super) use stream::DelimitedRows;
pub(super) use whole::read_whole;

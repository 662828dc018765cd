//! Parquet to tables: one file, or the part files of a folder.

mod cells;
mod chunks;
mod file;
mod guard;
mod kind;
mod page_size;
mod pages;
mod part;
mod rows;

pub(super) use file::{ParquetFile, part_files};

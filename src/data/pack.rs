//! Packs: tables in columns of binary numbers, mapped into memory when they are read. A pack is a safetensors file: a tensor for
//! each column, and what the columns are as JSON text in the metadata.

mod cells;
mod chain;
mod file;
mod header;
mod rows;
mod survey;
mod write;

pub(super) use cells::{bytes_of, form_of};
pub(super) use file::PackFile;
pub(super) use header::{Header, begins_pack};
pub use write::{Packed, Packing};

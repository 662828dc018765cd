//! Packs: tables as columns of binary numbers, which are mapped into memory for reading. A pack is a safetensors file.
//! It has a tensor for each column (three for a text column), and a description of the columns as JSON in the metadata.

mod apart;
mod cells;
mod chain;
mod columns;
mod file;
mod header;
mod room;
mod rows;
mod survey;
mod table;
mod write;

pub(super) use apart::{SourceRemarks, pack_of};
pub(super) use cells::{bytes_of, form_of};
pub(super) use columns::PackColumns;
pub(super) use file::PackFile;
pub(super) use header::PackHeader;
pub(crate) use header::begins_pack;
pub(super) use room::refuse_without_room;
pub(super) use table::{PackedTable, read_packed};
pub use write::{PackSize, Packer};

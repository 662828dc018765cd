//! Packs: tables in columns of binary numbers, mapped into memory when they are read. A pack is a safetensors file: a tensor for
//! each column, and what the columns are as JSON text in the metadata.

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

pub(super) use apart::{Said, pack_of};
pub(super) use cells::{bytes_of, form_of};
pub(super) use columns::PackColumns;
pub(super) use file::PackFile;
pub(super) use header::Header;
pub(crate) use header::begins_pack;
pub(super) use room::refuse_without_room;
pub(super) use table::{Packed as PackedTable, read_packed};
pub use write::{Packed, Packer};

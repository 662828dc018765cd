//! Checks that a table fits into memory before it is read.

use crate::data::format::format_of;
use crate::data::input::Input;
use crate::data::options::{Format, ReadOptions};
use crate::data::read::table_file;
use crate::data::source::Source;
use crate::data::table_source::TableFile;
use crate::option_text::setting;
use crate::room::{available, size};
use crate::{Error, Result};

/// Bytes for a cell: a double, and an input of the network.
const OF_CELL: f64 = 8.0 + 4.0;
/// Needs of up to this many bytes are not compared with the available memory.
const NEGLIGIBLE: f64 = 1e8;

/// Refuses a file whose rows certainly do not fit into memory. For packs, Parquet and NPY files, all cells are counted.
/// For delimited text, only the bytes of the file are counted, which are kept while the kinds of columns are
/// determined.
///
/// # Errors
/// [`Error::Memory`] that names a remedy.
pub(in crate::data) fn refuse_without_room(source: &Source, options: &ReadOptions) -> Result<()> {
    let Source::Path(path) = source else { return Ok(()) };
    let length = std::fs::metadata(path).map_or(0, |found| if found.is_file() { found.len() } else { 0 });
    if !path.is_dir() && (length as f64) < NEGLIGIBLE / OF_CELL {
        return Ok(());
    }
    let cells = |file: &dyn TableFile| Ok(file.likely_rows() as f64 * file.open()?.outline().names.len() as f64);
    let needed = match Input::open(source)? {
        Input::Folder(_) => return Ok(()),
        Input::Parts(file) => OF_CELL * cells(&file)?,
        Input::File(source, opened) => match format_of(&source, &opened, options) {
            format @ (Format::Pack | Format::Parquet | Format::Npy) => {
                OF_CELL * cells(table_file(&source, opened, format, options)?.0.as_ref())?
            }
            Format::Csv | Format::Tsv | Format::Auto => length as f64,
            Format::Jsonl | Format::Npz | Format::Libsvm | Format::Idx => return Ok(()),
        },
    };
    match available().map(|room| room.max(0.0)) {
        Some(room) if needed > NEGLIGIBLE && room < needed => Err(Error::Memory(format!(
            "{}: its rows need about {} of memory, and {} can be had: {} trains on them from the disk",
            path.display(),
            size(needed),
            size(room),
            setting("shuffle", "blocks")
        ))),
        _ => Ok(()),
    }
}

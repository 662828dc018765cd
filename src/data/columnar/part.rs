//! One Parquet file, with known column kinds and checked sizes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataReader};
use serde_json::Value;

use super::chunks::Chunks;
use super::guard::guarded;
use super::kind::{ValueKind, kind_of};
use crate::data::expansion::is_too_large;
use crate::data::store::Store;
use crate::{Error, Result};

/// One Parquet file.
pub(super) struct FilePart {
    pub(super) path: PathBuf,
    pub(super) chunks: Arc<Chunks>,
    pub(super) metadata: ParquetMetaData,
    /// The column of the file for each column of the table. Index columns of pandas, which are stored last, come first,
    /// as in CSV.
    pub(super) order: Vec<usize>,
    /// Number of index columns at the start of the table.
    pub(super) index: usize,
    /// The kinds of the table's columns.
    pub(super) kinds: Vec<ValueKind>,
}

impl FilePart {
    /// Reads the metadata.
    ///
    /// # Errors
    /// [`Error::Data`] if the file is damaged, truncated or encrypted, or has a column of an unsupported type.
    pub(super) fn new(path: &Path, store: Store) -> Result<Self> {
        let chunks = Arc::new(Chunks(Arc::new(store)));
        let metadata = guarded(|| ParquetMetaDataReader::new().parse_and_finish(chunks.as_ref()));
        let metadata = metadata.map_err(|e| damaged(path, e))?;
        let schema = metadata.file_metadata().schema_descr();
        let kind = |column: &parquet::schema::types::ColumnDescPtr| {
            let wrong = |what: String| Error::data_at(path, None, Some(&column.path().string()), what);
            kind_of(column).map_err(wrong)
        };
        let kinds = schema.columns().iter().map(kind).collect::<Result<Vec<_>>>()?;
        if kinds.is_empty() {
            return Err(Error::data(path, "expected columns, found none"));
        }
        let said = said_by_pandas(&metadata);
        let is_index = index_of_pandas(&metadata, &said);
        let (mut order, others): (Vec<usize>, Vec<usize>) = (0..kinds.len()).partition(|column| is_index[*column]);
        let index = order.len();
        order.extend(others);
        let is_span = spans_of_pandas(&metadata, &said);
        let kind = |column: &usize| if is_span[*column] { ValueKind::Span } else { kinds[*column] };
        let kinds = order.iter().map(kind).collect();
        let part = Self { path: path.to_path_buf(), chunks, metadata, order, index, kinds };
        part.check()?;
        Ok(part)
    }

    /// The names of the columns.
    pub(super) fn names(&self) -> Vec<String> {
        let columns = self.metadata.file_metadata().schema_descr().columns();
        self.order.iter().map(|column| columns[*column].name().to_owned()).collect()
    }

    /// Checks sizes and offsets against the file, before memory is allocated for them.
    fn check(&self) -> Result<()> {
        let (length, mut rows) = (self.chunks.0.len(), 0u64);
        let wrong = |what: &str| Err(Error::data(&self.path, format!("{what}: {DAMAGED}")));
        for group in self.metadata.row_groups() {
            if group.num_rows() < 0 || group.num_columns() != self.kinds.len() {
                return wrong("a row group has a wrong number of rows or columns");
            }
            if group.columns().iter().any(|chunk| chunk.num_values() != group.num_rows()) {
                return wrong("a column has another number of values than the row group has rows");
            }
            if !group.columns().iter().all(|chunk| lies_within(chunk, length)) {
                return wrong("a column lies beyond the end of the file");
            }
            rows = rows.saturating_add(group.num_rows() as u64);
        }
        let columns = self.kinds.len();
        if is_too_large((rows, columns as u64), length) {
            let message = format!("{rows} rows of {columns} columns in {length} bytes");
            return Err(Error::data(&self.path, message + ": if that is right, write the table as CSV"));
        }
        Ok(())
    }
}

/// The metadata of pandas; null if there is none.
fn said_by_pandas(metadata: &ParquetMetaData) -> Value {
    let entries = metadata.file_metadata().key_value_metadata().into_iter().flatten();
    let said = entries.filter(|entry| entry.key == "pandas").find_map(|entry| entry.value.as_ref());
    said.and_then(|said| serde_json::from_str::<Value>(said).ok()).unwrap_or_default()
}

/// For each column, whether it holds spans of time: Parquet stores them as integers of a unit that only this metadata names.
fn spans_of_pandas(metadata: &ParquetMetaData, said: &Value) -> Vec<bool> {
    let is_span = |column: &&Value| column["numpy_type"].as_str().is_some_and(|kind| kind.starts_with("timedelta64"));
    let spans = said["columns"].as_array().into_iter().flatten().filter(is_span);
    let names: Vec<&str> = spans.filter_map(|column| column["field_name"].as_str()).collect();
    let columns = metadata.file_metadata().schema_descr().columns();
    columns.iter().map(|column| names.contains(&column.name())).collect()
}

/// For each column, whether it is a named index of the data frame, according to pandas' metadata.
fn index_of_pandas(metadata: &ParquetMetaData, said: &Value) -> Vec<bool> {
    let index: Vec<&str> = said["index_columns"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let columns = metadata.file_metadata().schema_descr().columns();
    let is_index = |name: &str| index.contains(&name) && !name.starts_with("__index_level_");
    columns.iter().map(|column| is_index(column.name())).collect()
}

fn lies_within(chunk: &ColumnChunkMetaData, length: u64) -> bool {
    let start = chunk.dictionary_page_offset().unwrap_or_else(|| chunk.data_page_offset());
    let end = start.checked_add(chunk.compressed_size());
    start >= 0
        && chunk.data_page_offset() >= 0
        && chunk.compressed_size() >= 0
        && end.is_some_and(|e| e as u64 <= length)
}

const DAMAGED: &str = "the file is damaged or cut short; fetch or write it again";

/// The error for a failure of the `parquet` crate.
pub(super) fn damaged(path: &Path, error: ParquetError) -> Error {
    match error {
        ParquetError::NYI(what) => Error::data(path, format!("this is not read: {what}")),
        ParquetError::External(source) => match source.downcast::<std::io::Error>() {
            Ok(io) => crate::data::source::read_error(path, *io),
            Err(other) => Error::data(path, format!("{other}: {DAMAGED}")),
        },
        other => {
            let text = other.to_string();
            let text = text.split_once(": ").map_or(text.as_str(), |(_, what)| what);
            Error::data(path, format!("{text}: {DAMAGED}"))
        }
    }
}

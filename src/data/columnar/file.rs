//! Parquet files whose columns are known and whose sizes are checked.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData};

use super::chunks::Chunks;
use super::guard::guarded;
use super::kind::{Kind, kind_of};
use super::rows::ParquetRows;
use crate::data::header::distinct;
use crate::data::outline::Outline;
use crate::data::source::{Opened, Source};
use crate::data::store::Store;
use crate::data::table_source::{TableFile, TableSource};
use crate::{Error, Result, Unit};

/// A file, or part files that follow each other.
#[derive(Clone)]
pub(in crate::data) struct ParquetFile {
    path: PathBuf,
    outline: Arc<Outline>,
    parts: Arc<[Part]>,
}

/// One file.
pub(super) struct Part {
    pub(super) path: PathBuf,
    pub(super) chunks: Arc<Chunks>,
    pub(super) metadata: ParquetMetaData,
    /// What the columns are.
    pub(super) kinds: Vec<Kind>,
}

impl ParquetFile {
    /// Reads the columns of a file.
    ///
    /// # Errors
    /// [`Error::Data`] for a file that is damaged, cut short, encrypted, or has columns that are not read.
    pub(in crate::data) fn new(path: &Path, store: Store) -> Result<Self> {
        Self::of_parts(path, vec![Part::new(path, store)?])
    }

    /// Reads the columns of part files.
    ///
    /// # Errors
    /// As [`ParquetFile::new`], and where two parts have not the same columns.
    pub(in crate::data) fn of_files(folder: &Path, files: &[PathBuf]) -> Result<Self> {
        let part = |path: &PathBuf| {
            let source = Source::Path(path.clone());
            Part::new(path, Opened::new(&source)?.into_store(&source)?)
        };
        Self::of_parts(folder, files.iter().map(part).collect::<Result<_>>()?)
    }

    /// The file, or the folder.
    pub(in crate::data) fn path(&self) -> &Path {
        &self.path
    }

    fn of_parts(path: &Path, parts: Vec<Part>) -> Result<Self> {
        let first = &parts[0];
        let names = first.names();
        if let Some(other) = parts.iter().find(|part| part.names() != names) {
            let message = format!(
                "expected the columns of {} ({}), found {}",
                first.path.display(),
                crate::data::cell::shortened(&names),
                crate::data::cell::shortened(&other.names())
            );
            return Err(Error::data(&other.path, message));
        }
        let mut warnings = Vec::new();
        let names = distinct(path, names, "rename them", &mut warnings);
        let mut outline = Outline { warnings, ..Outline::named(names, Unit::Row) };
        if parts.len() > 1 {
            outline.notes.push(format!("{} part files, in the order of their names", parts.len()));
        }
        Ok(Self { path: path.to_path_buf(), outline: Arc::new(outline), parts: parts.into() })
    }
}

impl TableFile for ParquetFile {
    fn open(&self) -> Result<Box<dyn TableSource>> {
        Ok(Box::new(ParquetRows::new(&self.path, Arc::clone(&self.outline), Arc::clone(&self.parts))))
    }

    fn likely_rows(&self) -> usize {
        let rows = |part: &Part| part.metadata.row_groups().iter().map(RowGroupMetaData::num_rows).sum::<i64>();
        // No value takes less than a bit, so a file that promises more is not believed yet.
        let bytes = |part: &Part| part.chunks.0.len() as i64;
        self.parts.iter().map(|part| rows(part).min(bytes(part).saturating_mul(8))).sum::<i64>() as usize
    }
}

impl Part {
    fn new(path: &Path, store: Store) -> Result<Self> {
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
        let part = Self { path: path.to_path_buf(), chunks, metadata, kinds };
        part.check()?;
        Ok(part)
    }

    fn names(&self) -> Vec<String> {
        self.metadata.file_metadata().schema_descr().columns().iter().map(|column| column.name().to_owned()).collect()
    }

    /// Refuses sizes and places that the file cannot have, before anything is allocated by them.
    fn check(&self) -> Result<()> {
        let length = self.chunks.0.len();
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
        }
        Ok(())
    }
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

/// The error for what the `parquet` crate cannot read.
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

/// The part files of a folder in the order of their names: those that end with `.parquet`, but for hidden ones.
///
/// # Errors
/// [`Error::Io`] for a folder that cannot be read.
pub(in crate::data) fn part_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let failed = |error| Error::io(folder, error);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let hidden = name.starts_with(['.', '_']);
        if !hidden && name.ends_with(".parquet") && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

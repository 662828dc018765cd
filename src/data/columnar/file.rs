//! Parquet files: one, or the parts of a folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::file::metadata::RowGroupMetaData;

use super::part::Part;
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
            Part::new(path, Opened::new(&source)?.into_store()?)
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

//! Parquet files: a single file, or the part files of a folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::file::metadata::RowGroupMetaData;

use super::kind::ValueKind;
use super::part::FilePart;
use super::rows::ParquetRows;
use crate::data::header::distinct;
use crate::data::outline::Outline;
use crate::data::source::{Opened, Source};
use crate::data::store::Store;
use crate::data::table_source::{TableFile, TableSource};
use crate::{Error, Result, Unit, Warning, WarningKind};

/// A file, or a sequence of part files.
#[derive(Clone)]
pub(in crate::data) struct ParquetFile {
    path: PathBuf,
    outline: Arc<Outline>,
    parts: Arc<[FilePart]>,
}

impl ParquetFile {
    /// Opens a file and reads the types of its columns.
    ///
    /// # Errors
    /// [`Error::Data`] if the file is damaged, truncated or encrypted, or has a column of an unsupported type.
    pub(in crate::data) fn new(path: &Path, store: Store) -> Result<Self> {
        Self::of_parts(path, vec![FilePart::new(path, store)?])
    }

    /// Opens part files and reads the types of their columns.
    ///
    /// # Errors
    /// As [`ParquetFile::new`], and if two parts do not have the same columns.
    pub(in crate::data) fn of_files(folder: &Path, files: &[PathBuf]) -> Result<Self> {
        let part = |path: &PathBuf| {
            let source = Source::Path(path.clone());
            FilePart::new(path, Opened::new(&source)?.into_store()?)
        };
        Self::of_parts(folder, files.iter().map(part).collect::<Result<_>>()?)
    }

    /// Path of the file or folder.
    pub(in crate::data) fn path(&self) -> &Path {
        &self.path
    }

    fn of_parts(path: &Path, parts: Vec<FilePart>) -> Result<Self> {
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
        warnings.extend(other_kinds(&parts, &names));
        warnings.extend(spans(&parts[0], &names));
        let index = names[..parts[0].index].join(", ");
        let mut outline = Outline { warnings, ..Outline::named(names, Unit::Row) };
        if !index.is_empty() {
            outline.notes.push(format!("the index of the data frame stands before its columns: {index}"));
        }
        if parts.len() > 1 {
            outline.notes.push(format!("{} part files, in the order of their names", parts.len()));
        }
        Ok(Self { path: path.to_path_buf(), outline: Arc::new(outline), parts: parts.into() })
    }
}

/// Warnings about columns of spans of time.
fn spans(part: &FilePart, names: &[String]) -> impl Iterator<Item = Warning> {
    let spans = part.kinds.iter().zip(names).filter(|(kind, _)| **kind == ValueKind::Span);
    spans.map(|(_, name)| {
        let message = format!(
            "column \"{name}\": spans of time, whose unit is not stored with them, are read as text: convert them to numbers \
             (df[column].dt.total_seconds())"
        );
        Warning::new(WarningKind::Other, message).column(name)
    })
}

impl TableFile for ParquetFile {
    fn open(&self) -> Result<Box<dyn TableSource>> {
        Ok(Box::new(ParquetRows::new(&self.path, Arc::clone(&self.outline), Arc::clone(&self.parts))))
    }

    fn likely_rows(&self) -> usize {
        let rows = |part: &FilePart| part.metadata.row_groups().iter().map(RowGroupMetaData::num_rows).sum::<i64>();
        // A claim of more than eight rows for each byte of the files is not trusted.
        let bytes = |part: &FilePart| part.chunks.0.len() as i64;
        self.parts.iter().map(|part| rows(part).min(bytes(part).saturating_mul(8))).sum::<i64>() as usize
    }
}

/// Warnings about columns whose kind differs between parts. Their cells are read as text.
fn other_kinds(parts: &[FilePart], names: &[String]) -> Vec<Warning> {
    let of = |column: usize| {
        let mut kinds = parts.iter().filter_map(|part| Some((part.kinds[column].described()?, &part.path)));
        let (first, one) = kinds.next()?;
        let (second, other) = kinds.find(|(kind, _)| *kind != first)?;
        let (name, one, other) = (&names[column], one.display(), other.display());
        let message =
            format!("column \"{name}\" is of {first} in {one} and of {second} in {other}: do they belong together?");
        Some(Warning::new(WarningKind::Other, message).column(name))
    };
    (0..names.len()).filter_map(of).collect()
}

/// The part files of a folder, sorted by name: all files that end with `.parquet`, except names that start with `.` or
/// `_`.
///
/// # Errors
/// [`Error::Io`] if the folder cannot be read.
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

#[cfg(test)]
mod tests {
    use parquet::data_type::{ByteArrayType, DoubleType};
    use parquet::file::metadata::KeyValue;
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;

    use super::*;

    /// A file with two columns: `a` holds doubles, `b` doubles or text.
    fn file(text: bool, pandas: &str) -> Vec<u8> {
        let b = if text { "required binary b (UTF8);" } else { "required double b;" };
        let schema = parse_message_type(&format!("message table {{ required double a; {b} }}")).unwrap();
        let entries = vec![KeyValue::new("pandas".to_owned(), pandas.to_owned())];
        let properties = WriterProperties::builder().set_key_value_metadata(Some(entries)).build();
        let mut writer = SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::new(properties)).unwrap();
        let mut group = writer.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<DoubleType>().write_batch(&[1.0, 2.0], None, None).unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        match text {
            true => column.typed::<ByteArrayType>().write_batch(&["x".into(), "y".into()], None, None).unwrap(),
            false => column.typed::<DoubleType>().write_batch(&[3.0, 4.0], None, None).unwrap(),
        };
        column.close().unwrap();
        group.close().unwrap();
        writer.into_inner().unwrap()
    }

    #[test]
    fn a_named_index_of_pandas_stands_first() {
        let folder = tempfile::tempdir().unwrap();
        let read = |pandas: &str| {
            let path = folder.path().join("d.parquet");
            std::fs::write(&path, file(false, pandas)).unwrap();
            match crate::data::read(&Source::Path(path), &crate::data::ReadOptions::default()).unwrap() {
                crate::data::Contents::Table(table) => (table.names, table.columns[0].cell(0).unwrap().into_owned()),
                other => panic!("{other:?}"),
            }
        };
        let names = |names: [&str; 2]| names.map(str::to_owned).to_vec();
        assert_eq!(read(r#"{"index_columns": ["b"]}"#), (names(["b", "a"]), "3".to_owned()));
        assert_eq!(read(r#"{"index_columns": [{"kind": "range"}]}"#), (names(["a", "b"]), "1".to_owned()));
        assert_eq!(read("{").0, names(["a", "b"]));
    }

    #[test]
    fn parts_of_other_types_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let part = |name: &str, text: bool| {
            let path = folder.path().join(name);
            std::fs::write(&path, file(text, "{}")).unwrap();
            path
        };
        let (one, two) = (part("1.parquet", false), part("2.parquet", true));
        let warnings =
            |files: &[PathBuf]| ParquetFile::of_files(folder.path(), files).unwrap().outline.warnings.clone();
        assert_eq!(warnings(std::slice::from_ref(&one)).len(), 0);
        let found = warnings(&[one, two]);
        assert!(
            found[0].message.contains("\"b\" is of numbers in") && found[0].message.contains("of text in"),
            "{found:?}"
        );
    }
}

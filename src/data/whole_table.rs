//! Reads whole tables of all formats except delimited text.

use std::sync::Arc;

use super::builder::Builder;
use super::expansion::reserved_rows;
use super::options::ReadOptions;
use super::raw_table::{RawTable, WrittenCells};
use super::table::{Column, MissingMarkers};
use super::table_source::{PendingRows, TableFile};
use crate::Result;

/// Reads all rows of a file.
///
/// # Errors
/// Those of opening and reading it; [`crate::Error::Data`] for a file without rows.
pub(super) fn read_whole(file: Box<dyn TableFile>, options: &ReadOptions) -> Result<RawTable> {
    let markers = &options.missing;
    let mut source = file.open()?;
    let outline = source.outline().clone();
    let rows = reserved_rows(file.likely_rows(), outline.names.len());
    let path = source.path().to_path_buf();
    let guesses = (0..outline.names.len()).map(|place| (place, Builder::guess(rows))).collect();
    let mut batch = PendingRows::new(markers, guesses, &[]);
    source.read(usize::MAX, &mut batch)?;
    if batch.lines.is_empty() {
        return Err(RawTable::without_rows(&path, &outline));
    }
    let PendingRows { mut columns, lines, .. } = batch;
    // Cells of a text column that look like numbers were parsed as such. Read such columns again, so that all cells
    // keep their spelling.
    let again: Vec<usize> = (0..columns.len()).filter(|c| matches!(columns[*c].1, Builder::Again)).collect();
    if !again.is_empty() {
        let texts = read_texts(file.as_ref(), &again, markers)?;
        again.iter().zip(texts).for_each(|(column, text)| columns[*column] = text);
    }
    let origins = columns.iter().map(|(_, builder)| builder.origin()).collect();
    let named = columns.into_iter().zip(&outline.names);
    Ok(RawTable {
        text: None,
        columns: named.map(|((_, b), name)| b.finish((&path, outline.unit), name)).collect::<Result<_>>()?,
        origins,
        lines,
        notes: Vec::new(),
        warnings: outline.warnings.iter().cloned().chain(source.warnings()).collect(),
        absent: Vec::new(),
        written: Box::new(Reopened(file.into())),
        outline: Arc::new(outline),
        path,
    })
}

/// Reads columns as text, with each cell as written.
///
/// # Errors
/// Those of opening and reading the file.
pub(super) fn read_texts(
    file: &dyn TableFile,
    columns: &[usize],
    markers: &MissingMarkers,
) -> Result<Vec<(usize, Builder)>> {
    let builders = columns.iter().map(|column| (*column, Builder::text())).collect();
    let mut batch = PendingRows::new(markers, builders, &[]);
    file.open()?.read(usize::MAX, &mut batch)?;
    Ok(batch.columns)
}

/// Cells that are read again from the file.
pub(super) struct Reopened(pub(super) Arc<dyn TableFile>);

impl WrittenCells for Reopened {
    fn texts(&self, columns: &[usize], markers: &MissingMarkers) -> Result<Vec<Column>> {
        let texts = read_texts(self.0.as_ref(), columns, markers)?;
        let source = self.0.open()?;
        let (path, outline) = (source.path(), source.outline());
        let finish = |(column, text): (usize, Builder)| text.finish((path, outline.unit), &outline.names[column]);
        texts.into_iter().map(finish).collect()
    }
}

//! Reads binary matrices as tables: NumPy arrays, and IDX files of other types than unsigned bytes.

mod element;
mod idx;
mod npy;
mod npy_header;
mod npz;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use rayon::prelude::*;

use super::expansion::is_too_large;
use super::outline::Outline;
use super::source::read_error;
use super::store::Store;
use super::table_source::{PendingRows, TableFile, TableSource};
use crate::{Error, Result, Unit};
pub(super) use element::half;
use element::{ArrayElement, Strided};
pub(super) use idx::read as read_idx;
pub(super) use npy::read as read_npy;
pub(super) use npz::read as read_npz;

/// Number of bytes that are read at a time.
const BLOCK: usize = 4 << 20;

/// A matrix of elements of one type in a store.
#[derive(Clone)]
struct Matrix {
    store: Arc<Store>,
    /// Offset of the first element.
    start: u64,
    rows: usize,
    cols: usize,
    /// Whether the matrix is column-major (Fortran order).
    by_column: bool,
    element: ArrayElement,
}

impl Matrix {
    /// A matrix in a store, from the shape of an array: each of its `shape[0]` parts is a row.
    ///
    /// # Errors
    /// A message if the number of bytes after `start` does not match the shape.
    fn new(
        store: Arc<Store>,
        start: u64,
        shape: &[usize],
        by_column: bool,
        element: ArrayElement,
    ) -> std::result::Result<Self, String> {
        let (rows, cols) = (shape[0], shape[1..].iter().try_fold(1usize, |product, size| product.checked_mul(*size)));
        let bytes = cols.and_then(|cols| cols.checked_mul(rows)?.checked_mul(element.size()));
        let found = store.len().saturating_sub(start);
        match (cols, bytes) {
            // Without rows, the number of bytes does not limit the number of columns.
            (Some(cols), Some(0)) if is_too_large((0, cols as u64), store.len()) => {
                Err(format!("expected rows, found none: the shape is {shape:?}"))
            }
            (Some(cols), Some(bytes)) if bytes as u64 == found => {
                // Callers refuse column-major arrays with more than two axes.
                Ok(Self { store, start, rows, cols, by_column, element })
            }
            (_, Some(bytes)) => {
                let cut = if (bytes as u64) > found { ": the file is cut short" } else { "" };
                Err(format!("expected {bytes} bytes for the shape {shape:?}, found {found}{cut}"))
            }
            _ => Err(format!("the shape {shape:?} is too large")),
        }
    }

    /// Number of bytes of a row.
    fn row_bytes(&self) -> usize {
        self.cols * self.element.size()
    }

    /// The bytes of some rows; empty for a column-major matrix, whose columns are read one by one.
    fn block(&self, first: usize, rows: usize) -> std::io::Result<Bytes> {
        if self.by_column {
            return Ok(Bytes::new());
        }
        self.store.read_at(self.start + (first * self.row_bytes()) as u64, rows * self.row_bytes())
    }

    /// The elements of a column in some rows. `block` holds the bytes of these rows.
    fn column(&self, block: &Bytes, column: usize, (first, rows): (usize, usize)) -> std::io::Result<Strided> {
        let size = self.element.size();
        if !self.by_column {
            return Ok(Strided { bytes: block.clone(), start: column * size, stride: self.row_bytes(), count: rows });
        }
        let start = self.start + ((column * self.rows + first) * size) as u64;
        let bytes = self.store.read_at(start, rows * size)?;
        Ok(Strided { bytes, start: 0, stride: size, count: rows })
    }
}

/// Matrices with their columns next to each other.
#[derive(Clone)]
pub(super) struct MatrixFile {
    path: PathBuf,
    outline: Arc<Outline>,
    matrices: Arc<[Matrix]>,
    /// Matrix and column within it, for each column of the table.
    places: Arc<[(usize, usize)]>,
}

impl MatrixFile {
    /// Joins matrices with the same number of rows. `outline` names all of their columns.
    fn new(path: &Path, outline: Outline, matrices: Vec<Matrix>) -> Self {
        let places = matrices.iter().enumerate().flat_map(|(at, matrix)| (0..matrix.cols).map(move |c| (at, c)));
        let places = places.collect();
        Self { path: path.to_path_buf(), outline: Arc::new(outline), matrices: matrices.into(), places }
    }

    fn rows(&self) -> usize {
        self.matrices.first().map_or(0, |matrix| matrix.rows)
    }
}

impl TableFile for MatrixFile {
    fn open(&self) -> Result<Box<dyn TableSource>> {
        Ok(Box::new(MatrixRows { file: self.clone(), next: 0 }))
    }

    fn likely_rows(&self) -> usize {
        self.rows()
    }
}

/// The rows of joined matrices.
struct MatrixRows {
    file: MatrixFile,
    next: usize,
}

impl MatrixRows {
    /// Adds the next rows to a batch.
    fn read_block(&self, rows: usize, batch: &mut PendingRows<'_>) -> Result<()> {
        let (file, first) = (&self.file, self.next);
        let failed = |error| read_error(&file.path, error);
        let used = |at: &usize| {
            let places = batch.columns.iter().map(|(place, _)| place).chain(batch.kept.iter().map(|(place, _)| place));
            places.into_iter().any(|place| file.places[*place].0 == *at)
        };
        let block = |at: usize| if used(&at) { file.matrices[at].block(first, rows) } else { Ok(Bytes::new()) };
        let blocks = (0..file.matrices.len()).map(block).collect::<std::io::Result<Vec<_>>>().map_err(failed)?;
        let column = |place: usize| {
            let (at, column) = file.places[place];
            let cells = file.matrices[at].column(&blocks[at], column, (first, rows)).map_err(failed)?;
            Ok::<_, Error>((file.matrices[at].element, cells))
        };
        let wrong = |place: usize, (row, message): (usize, String)| {
            let name = Some(file.outline.names[place].as_str());
            Error::data_at(&file.path, Some((first + row + 1) as u64), name, message).counted_in(Unit::Row)
        };
        let markers = batch.markers;
        let number = |row: usize| u32::try_from(first + row + 1).unwrap_or(u32::MAX);
        batch.columns.par_iter_mut().try_for_each(|(place, builder)| {
            let (element, cells) = column(*place)?;
            let push = |row, value: super::value::Value<'_>| builder.push_value(value, number(row), markers);
            element.each(&cells, push).map_err(|e| wrong(*place, e))
        })?;
        for (place, kept) in &mut batch.kept {
            let (element, cells) = column(*place)?;
            let push = |_, value: super::value::Value<'_>| kept.push(value.text().into_owned());
            element.each(&cells, push).map_err(|e| wrong(*place, e))?;
        }
        batch.lines.extend((0..rows).map(number));
        Ok(())
    }
}

impl TableSource for MatrixRows {
    fn path(&self) -> &Path {
        &self.file.path
    }

    fn outline(&self) -> &Outline {
        &self.file.outline
    }

    fn read(&mut self, most: usize, batch: &mut PendingRows<'_>) -> Result<()> {
        let widest = self.file.matrices.iter().map(Matrix::row_bytes).max().unwrap_or(1);
        let at_a_time = (BLOCK / widest.max(1)).max(1);
        while batch.lines.len() < most && self.next < self.file.rows() {
            let rows = at_a_time.min(most - batch.lines.len()).min(self.file.rows() - self.next);
            self.read_block(rows, batch)?;
            self.next += rows;
        }
        Ok(())
    }
}

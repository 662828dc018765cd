//! Number columns that stay in a pack and are read at arbitrary rows.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::file::{PackColumn, PackFile};
use super::header::{CellKind, CellType};
use crate::Unit;
use crate::data::table::MissingMarkers;

/// Number of rows whose bytes are read ahead together.
const READ_TOGETHER: usize = 1 << 13;

/// Number columns that stay in a pack.
#[derive(Clone)]
pub(in crate::data) struct PackColumns {
    file: PackFile,
    /// Whether each column of the pack stays there.
    left: Arc<[bool]>,
    markers: MissingMarkers,
}

impl PackColumns {
    /// All columns of numbers and dates except those in `needed`.
    pub(in crate::data) fn new(file: PackFile, needed: &[usize], markers: &MissingMarkers) -> Self {
        let numbers = |kind: CellKind| !matches!(kind, CellKind::Whole | CellKind::Text);
        let left =
            file.columns.iter().enumerate().map(|(place, column)| numbers(column.kind) && !needed.contains(&place));
        Self { left: left.collect(), markers: markers.clone(), file }
    }

    /// Whether a column stays in the pack.
    pub(in crate::data) fn has(&self, place: usize) -> bool {
        self.left[place]
    }

    /// Path of the pack, and the unit of its row numbers.
    pub(in crate::data) fn place(&self) -> (&Path, Unit) {
        (&self.file.path, Unit::Row)
    }

    /// The numbers of a column in some rows; NaN where a value is missing.
    pub(in crate::data) fn values(&self, place: usize, rows: &[u32]) -> Vec<f64> {
        let column = &self.file.columns[place];
        let cells = &self.file.bytes[column.start..][..self.file.rows * column.element.size()];
        let found = |value: f64| if column.kind == CellKind::Number { self.markers.or_missing(value) } else { value };
        match column.element {
            CellType::F32 => {
                let cells = cells.as_chunks::<4>().0;
                rows.iter().map(|row| found(f32::from_le_bytes(cells[*row as usize]).into())).collect()
            }
            _ => {
                let cells = cells.as_chunks::<8>().0;
                rows.iter().map(|row| found(f64::from_le_bytes(cells[*row as usize]))).collect()
            }
        }
    }

    /// A whole column.
    pub(in crate::data) fn whole(&self, place: usize) -> Vec<f64> {
        let all: Vec<u32> = (0..self.file.rows as u32).collect();
        let values = self.values(place, &all);
        self.forget_column(place);
        values
    }

    /// Asks the system to read the bytes of some rows in advance.
    pub(in crate::data) fn read_ahead(&self, rows: &[u32]) {
        let mut blocks: Vec<usize> = rows.iter().map(|row| *row as usize / READ_TOGETHER).collect();
        blocks.sort_unstable();
        blocks.dedup();
        let mut runs: Vec<Range<usize>> = Vec::new();
        for block in blocks {
            let next = block * READ_TOGETHER..((block + 1) * READ_TOGETHER).min(self.file.rows);
            match runs.last_mut() {
                Some(last) if last.end == next.start => last.end = next.end,
                _ => runs.push(next),
            }
        }
        for column in self.columns() {
            let size = column.element.size();
            let bytes = |run: &Range<usize>| column.start + run.start * size..column.start + run.end * size;
            runs.iter().for_each(|run| self.file.bytes.read_ahead(bytes(run)));
        }
    }

    /// Releases the pages of all columns. All of them are released, because the system also maps pages around those
    /// that were accessed.
    pub(in crate::data) fn forget(&self) {
        self.columns().for_each(|column| self.forget_cells(column));
    }

    /// As [`PackColumns::forget`], for one column.
    pub(in crate::data) fn forget_column(&self, place: usize) {
        self.forget_cells(&self.file.columns[place]);
    }

    fn forget_cells(&self, column: &PackColumn) {
        self.file.bytes.forget(column.start..column.start + self.file.rows * column.element.size());
    }

    /// The columns that stay in the pack.
    fn columns(&self) -> impl Iterator<Item = &PackColumn> {
        self.file.columns.iter().zip(self.left.iter()).filter(|(_, left)| **left).map(|(column, _)| column)
    }
}

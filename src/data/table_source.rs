//! The interface of table formats: named columns, and rows in order.

use std::path::Path;

use super::builder::Builder;
use super::outline::Outline;
use super::raw_table::TextLayout;
use super::table::MissingMarkers;
use super::value::Value;
use crate::{Result, Warning};

/// The rows of a file in order, some at a time. A source determines the values of cells. The kind of a column (numbers,
/// dates or text) and missing values are determined by the [`Builder`]s that it fills and by `kinds.rs`, in the same
/// way for all formats.
pub(super) trait TableSource: Send {
    /// Name of the file, for messages.
    fn path(&self) -> &Path;

    /// The columns.
    fn outline(&self) -> &Outline;

    /// Adds rows to `batch` until it holds `most` rows, or until the end.
    ///
    /// # Errors
    /// [`crate::Error::Data`] with the position of a row that cannot be read, [`crate::Error::Io`] for failures of the
    /// system.
    fn read(&mut self, most: usize, batch: &mut PendingRows<'_>) -> Result<()>;

    /// For delimited text: its layout, and unusual lines and rows so far.
    fn layout(&self) -> Option<TextLayout> {
        None
    }

    /// Notes on decisions about the encoding of the rows read so far.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }

    /// Warnings about the rows read so far.
    fn warnings(&self) -> Vec<Warning> {
        Vec::new()
    }
}

/// A file that can be read from its start repeatedly.
pub(super) trait TableFile: Send + Sync {
    /// Starts reading.
    ///
    /// # Errors
    /// [`crate::Error::Data`] and [`crate::Error::Io`], as for reading the file.
    fn open(&self) -> Result<Box<dyn TableSource>>;

    /// Approximate number of rows, for which memory is reserved; 0 if it is unknown.
    fn likely_rows(&self) -> usize {
        0
    }
}

/// Rows that are being added to columns.
pub(super) struct PendingRows<'m> {
    /// Texts that mean a missing value.
    pub(super) markers: &'m MissingMarkers,
    /// The columns to read, each with its position in the file.
    pub(super) columns: Vec<(usize, Builder)>,
    /// The columns to copy as written, each with its position in the file.
    pub(super) kept: Vec<(usize, Vec<String>)>,
    /// Line or number of each row.
    pub(super) lines: Vec<u32>,
}

impl<'m> PendingRows<'m> {
    /// An empty batch for these columns.
    pub(super) fn new(markers: &'m MissingMarkers, columns: Vec<(usize, Builder)>, kept: &[usize]) -> Self {
        Self { markers, columns, kept: kept.iter().map(|place| (*place, Vec::new())).collect(), lines: Vec::new() }
    }

    /// Adds a row. `cell` returns the cell of a column.
    pub(super) fn push_row<'v>(&mut self, line: u32, cell: impl Fn(usize) -> Value<'v>) {
        self.lines.push(line);
        for (place, builder) in &mut self.columns {
            builder.push_value(cell(*place), line, self.markers);
        }
        for (place, kept) in &mut self.kept {
            kept.push(cell(*place).text().into_owned());
        }
    }
}

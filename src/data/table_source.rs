//! What every format of tables offers: its columns by name, and its rows in order.

use std::path::Path;

use super::builder::Builder;
use super::outline::Outline;
use super::raw_table::TextLayout;
use super::table::MissingMarkers;
use super::value::Value;
use crate::{Result, Warning};

/// Rows of a file in order, some at a time. A source says what its cells are; what a column becomes (numbers, dates, text,
/// missing values) is decided by the [`Builder`]s that it fills and by `kinds.rs`, for all formats alike.
pub(super) trait TableSource: Send {
    /// Name of the file, for messages.
    fn path(&self) -> &Path;

    /// The columns.
    fn outline(&self) -> &Outline;

    /// Adds rows to `batch` until it holds `most` of them, or there are no more.
    ///
    /// # Errors
    /// [`crate::Error::Data`] with the place for a row that cannot be read, [`crate::Error::Io`] for failures of the system.
    fn read(&mut self, most: usize, batch: &mut Batch<'_>) -> Result<()>;

    /// Of delimited text, how it is laid out, and what was odd about the rows that were read so far.
    fn layout(&self) -> Option<TextLayout> {
        None
    }

    /// What was decided about the bytes and is said aloud, of the rows that were read so far.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }

    /// What a user should look at in the rows that were read so far.
    fn warnings(&self) -> Vec<Warning> {
        Vec::new()
    }
}

/// A file that can be read from its beginning again and again.
pub(super) trait TableFile: Send + Sync {
    /// Begins to read.
    ///
    /// # Errors
    /// [`crate::Error::Data`] and [`crate::Error::Io`] as reading the file.
    fn open(&self) -> Result<Box<dyn TableSource>>;

    /// About how many rows there are, to make room for them.
    fn likely_rows(&self) -> usize {
        0
    }
}

/// Rows on their way to columns.
pub(super) struct Batch<'m> {
    /// Texts that stand for a missing value.
    pub(super) markers: &'m MissingMarkers,
    /// The columns that are read, each with its place in the file.
    pub(super) columns: Vec<(usize, Builder)>,
    /// The columns that are copied as they are written.
    pub(super) kept: Vec<(usize, Vec<String>)>,
    /// Line, or number, of each row.
    pub(super) lines: Vec<u32>,
}

impl<'m> Batch<'m> {
    /// No rows yet of these columns.
    pub(super) fn new(markers: &'m MissingMarkers, columns: Vec<(usize, Builder)>, kept: &[usize]) -> Self {
        Self { markers, columns, kept: kept.iter().map(|place| (*place, Vec::new())).collect(), lines: Vec::new() }
    }

    /// Adds a row; `cell` gives the cell of a column.
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

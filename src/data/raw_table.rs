//! A whole file in memory, before the kinds of its columns are known.

use std::path::PathBuf;
use std::sync::Arc;

use super::builder::Origin;
use super::dialect::TextDialect;
use super::oddities::Oddities;
use super::outline::Outline;
use super::table::{Column, MissingMarkers};
use crate::{Error, Result, Warning};

/// The cells of a file as written.
pub(super) trait WrittenCells: Send + Sync {
    /// Reads columns again as text. `markers` determine which cells are missing.
    ///
    /// # Errors
    /// Those of the first reading, and failures of the system.
    fn texts(&self, columns: &[usize], markers: &MissingMarkers) -> Result<Vec<Column>>;
}

/// The layout of a text, and unusual lines and rows.
pub(super) struct TextLayout {
    pub(super) dialect: TextDialect,
    /// Whether titles or comments are above the header.
    pub(super) has_lines_above: bool,
    pub(super) oddities: Oddities,
}

/// A file in memory whose columns were read as numbers or text. Its cells can be read again, because the kind of a
/// column is determined only later.
pub(super) struct RawTable {
    /// Name of the file.
    pub(super) path: PathBuf,
    /// Names of the columns.
    pub(super) outline: Arc<Outline>,
    /// Layout of a delimited file.
    pub(super) text: Option<TextLayout>,
    /// The columns: numbers if all cells are numbers or missing, otherwise text.
    pub(super) columns: Vec<Column>,
    /// How the format represents each column.
    pub(super) origins: Vec<Origin>,
    /// Line or number of each row.
    pub(super) lines: Vec<u32>,
    /// Notes on decisions about the encoding.
    pub(super) notes: Vec<String>,
    /// Warnings for the user.
    pub(super) warnings: Vec<Warning>,
    /// Rows that are ignored, in ascending order.
    pub(super) absent: Vec<u32>,
    /// The cells as written.
    pub(super) written: Box<dyn WrittenCells>,
}

impl RawTable {
    /// Columns read again as text, with all cells as written. `markers` determine which cells are missing.
    ///
    /// # Errors
    /// As [`WrittenCells::texts`].
    pub(super) fn texts(&self, columns: &[usize], markers: &MissingMarkers) -> Result<Vec<Column>> {
        if columns.is_empty() {
            return Ok(Vec::new());
        }
        let mut texts = self.written.texts(columns, markers)?;
        texts.iter_mut().for_each(|column| column.blank(&self.absent));
        Ok(texts)
    }

    /// Marks the cells of some rows, given in ascending order, as missing in all columns except one.
    pub(super) fn blank(&mut self, rows: Vec<u32>, but: usize) {
        self.absent = rows;
        // Columns that stay in a pack have fewer cells here. Rows that are left out are not read from the pack.
        let all = self.lines.len();
        let columns =
            self.columns.iter_mut().enumerate().filter(|(place, column)| *place != but && column.rows() == all);
        columns.for_each(|(_, column)| column.blank(&self.absent));
    }

    /// The delimiter, if the file is delimited text.
    pub(super) fn delimiter(&self) -> Option<u8> {
        self.text.as_ref().map(|text| text.dialect.delimiter)
    }

    /// An error for the cell of `row` in a column.
    pub(super) fn error_at(&self, row: usize, column: usize, message: String) -> Error {
        let (line, name) = (Some(self.lines[row].into()), Some(self.outline.names[column].as_str()));
        Error::data_at(&self.path, line, name, message).counted_in(self.outline.unit)
    }

    /// The error for a file without rows.
    pub(super) fn without_rows(path: &std::path::Path, outline: &Outline) -> Error {
        let hint = if outline.delimited && outline.named { ", found a header only" } else { "" };
        Error::data(path, format!("expected rows of data{hint}"))
    }
}

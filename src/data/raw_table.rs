//! A whole file in memory, before its columns have their kinds.

use std::path::PathBuf;
use std::sync::Arc;

use super::builder::Origin;
use super::dialect::Dialect;
use super::oddities::Oddities;
use super::outline::Outline;
use super::table::{Column, MissingMarkers};
use crate::{Error, Result, Warning};

/// The cells of a file as they are written.
pub(super) trait WrittenCells: Send + Sync {
    /// Reads columns again as text; `markers` say which cells are missing.
    ///
    /// # Errors
    /// None but those that reading them the first time had, and failures of the system.
    fn texts(&self, columns: &[usize], markers: &MissingMarkers) -> Result<Vec<Column>>;
}

/// How a text is laid out, and what was odd about its rows.
pub(super) struct TextLayout {
    pub(super) dialect: Dialect,
    /// Whether titles or comments stand above the line that names the columns.
    pub(super) has_lines_above: bool,
    pub(super) oddities: Oddities,
}

/// A file in memory whose columns were read as numbers or as text. Its cells can be read again: what a column means is known
/// only later.
pub(super) struct RawTable {
    /// Name of the file.
    pub(super) path: PathBuf,
    /// The names of its columns.
    pub(super) outline: Arc<Outline>,
    /// Of a delimited file, how it is laid out.
    pub(super) text: Option<TextLayout>,
    /// The columns: numbers where each cell is one or is missing, else text.
    pub(super) columns: Vec<Column>,
    /// How the format gives each column.
    pub(super) origins: Vec<Origin>,
    /// Line, or number, of each row.
    pub(super) lines: Vec<u32>,
    /// What was decided about the bytes and is said aloud.
    pub(super) notes: Vec<String>,
    /// What a user should look at.
    pub(super) warnings: Vec<Warning>,
    /// Rows that are as good as absent, ascending.
    pub(super) absent: Vec<u32>,
    /// The cells as they are written.
    pub(super) written: Box<dyn WrittenCells>,
}

impl RawTable {
    /// Columns read again as text, each cell as it is written; `markers` say which are missing.
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

    /// Takes the cells of some rows, which are ascending, for missing in all columns but one.
    pub(super) fn blank(&mut self, rows: Vec<u32>, but: usize) {
        self.absent = rows;
        // Of columns that stay in a pack there are fewer cells, and no row that is left out is read there.
        let all = self.lines.len();
        let columns =
            self.columns.iter_mut().enumerate().filter(|(place, column)| *place != but && column.rows() == all);
        columns.for_each(|(_, column)| column.blank(&self.absent));
    }

    /// The delimiter, where there is one.
    pub(super) fn delimiter(&self) -> Option<u8> {
        self.text.as_ref().map(|text| text.dialect.delimiter)
    }

    /// An error at the cell of `row` in a column.
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

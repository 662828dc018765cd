//! Known columns of a file, some rows at a time.

use std::io::Read;
use std::path::Path;

use super::builder::{Builder, Missing};
use super::rows::Rows;
use super::{BOM, without_bom};
use crate::data::layout::Layout;
use crate::data::options::ReadOptions;
use crate::data::source::{Opened, read_error};
use crate::data::table::{ColumnKind, MissingMarkers, Table};
use crate::{Error, Result};

/// A column to be read, by its place in the file, under the name and kind of the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Place in the file, from 0.
    pub index: usize,
    /// Name in the schema.
    pub name: String,
    /// Numbers or text.
    pub kind: ColumnKind,
}

/// Reads a file of known columns some rows at a time, in bounded memory.
pub struct TableReader {
    layout: Layout,
    markers: MissingMarkers,
    rows: Rows<Box<dyn Read + Send>>,
    wanted: Vec<Wanted>,
    kept: Vec<usize>,
}

impl TableReader {
    /// Opens a file and finds its layout; no column is read until [`TableReader::select`].
    ///
    /// # Errors
    /// [`Error::Data`] for an empty file, for bytes that are no UTF-8 text, and for a column name that occurs twice.
    pub fn new(opened: Opened, options: &ReadOptions) -> Result<Self> {
        let path = opened.name().to_path_buf();
        let (head, complete) = opened.head();
        let bom = head.starts_with(BOM);
        let layout = Layout::of(&path, without_bom(head), complete, options)?;
        let mut reader: Box<dyn Read + Send> = Box::new(opened.into_reader());
        if bom {
            reader.read_exact(&mut [0; BOM.len()]).map_err(|e| read_error(&path, e))?;
        }
        let mut rows = Rows::new(&path, &layout, reader, 1);
        if layout.header {
            rows.skip_header()?;
        }
        let markers = options.missing.clone();
        Ok(Self { layout, markers, rows, wanted: Vec::new(), kept: Vec::new() })
    }

    /// Layout of the file.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Name of the file, for messages.
    pub fn path(&self) -> &Path {
        self.rows.path()
    }

    /// Chooses the columns to be read, and those (by place in the file) to be copied as they are written.
    pub fn select(&mut self, wanted: Vec<Wanted>, kept: Vec<usize>) {
        self.wanted = wanted;
        self.kept = kept;
    }

    /// At most `rows` more rows: the wanted columns as a table, and the kept ones as text; `None` at the end.
    ///
    /// # Errors
    /// [`Error::Data`] with line and column for a wrong width or for text where the schema has numbers.
    pub fn next_rows(&mut self, rows: usize) -> Result<Option<(Table, Vec<Vec<String>>)>> {
        let mut builders: Vec<Builder> = self.wanted.iter().map(|wanted| Builder::known(wanted.kind)).collect();
        let mut kept: Vec<Vec<String>> = self.kept.iter().map(|_| Vec::new()).collect();
        let mut lines = Vec::new();
        let path = self.rows.path().to_path_buf();
        let missing = Missing::new(&self.markers);
        while lines.len() < rows
            && let Some(row) = self.rows.next()?
        {
            lines.push(row.line);
            for (builder, wanted) in builders.iter_mut().zip(&self.wanted) {
                builder.push(row.cell(wanted.index)?, row.line, missing);
            }
            for (column, &index) in kept.iter_mut().zip(&self.kept) {
                column.push(row.cell(index)?.to_owned());
            }
        }
        if lines.is_empty() {
            return Ok(None);
        }
        let names: Vec<String> = self.wanted.iter().map(|wanted| wanted.name.clone()).collect();
        let columns = builders.into_iter().zip(&names).map(|(b, name)| b.finish(&path, name)).collect::<Result<_>>()?;
        Ok(Some((Table { path, names, named: self.layout.header, columns, lines }, kept)))
    }

    /// All rows that are left, as one table.
    ///
    /// # Errors
    /// As [`TableReader::next_rows`], and for a file without rows.
    pub fn read_all(mut self) -> Result<Table> {
        let (table, _) = self
            .next_rows(usize::MAX)?
            .ok_or_else(|| Error::data(self.rows.path(), "expected rows of data, found a header only"))?;
        Ok(table)
    }
}

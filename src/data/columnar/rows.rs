//! Reads the rows of Parquet files, one row group after the other, with columns in parallel.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_column_reader};
use parquet::data_type::DataType;
use parquet::file::serialized_reader::SerializedPageReader;
use rayon::prelude::*;

use super::cells::Cell;
use super::guard::guarded;
use super::kind::ValueKind;
use super::pages::Pages;
use super::part::{FilePart, damaged};
use crate::data::outline::Outline;
use crate::data::table_source::{PendingRows, TableSource};
use crate::data::value::Value;
use crate::{Error, Result, Unit};

/// Number of values of a column that are decoded at a time.
const AT_A_TIME: usize = 8192;

/// The rows of Parquet files.
pub(super) struct ParquetRows {
    path: PathBuf,
    outline: Arc<Outline>,
    parts: Arc<[FilePart]>,
    /// Part and row group to open next.
    next: (usize, usize),
    /// The row group that is being read.
    group: Option<RowGroup>,
    /// Number of rows read so far.
    rows: usize,
}

/// A row group that is being read.
struct RowGroup {
    part: usize,
    /// Number of rows that are left.
    left: usize,
    /// The batch's typed columns, followed by its copied columns.
    columns: Vec<OpenColumn>,
}

struct OpenColumn {
    reader: ColumnReader,
    kind: ValueKind,
    /// Whether values may be missing.
    optional: bool,
}

/// Rows to decode: their number, and the number of rows before them.
#[derive(Clone, Copy)]
struct RowSpan {
    rows: usize,
    before: usize,
}

impl ParquetRows {
    pub(super) fn new(path: &Path, outline: Arc<Outline>, parts: Arc<[FilePart]>) -> Self {
        Self { path: path.to_path_buf(), outline, parts, next: (0, 0), group: None, rows: 0 }
    }

    /// Opens the next row group; false at the end.
    fn open_group(&mut self, batch: &PendingRows<'_>) -> Result<bool> {
        let (mut at, mut group) = self.next;
        while self.parts.get(at).is_some_and(|part| group >= part.metadata.num_row_groups()) {
            (at, group) = (at + 1, 0);
        }
        let Some(part) = self.parts.get(at) else { return Ok(false) };
        self.next = (at, group + 1);
        let rows = part.metadata.row_group(group).num_rows() as usize;
        let places = batch.columns.iter().map(|(place, _)| place).chain(batch.kept.iter().map(|(place, _)| place));
        let columns = places.map(|place| OpenColumn::new(part, group, *place)).collect::<Result<_>>()?;
        self.group = Some(RowGroup { part: at, left: rows, columns });
        Ok(true)
    }
}

impl OpenColumn {
    fn new(part: &FilePart, group: usize, place: usize) -> Result<Self> {
        let row_group = part.metadata.row_group(group);
        let (chunk, rows) = (row_group.column(part.order[place]), row_group.num_rows() as usize);
        let pages = guarded(|| SerializedPageReader::new(Arc::clone(&part.chunks), chunk, rows, None));
        let pages = pages.map_err(|e| damaged(&part.path, e))?;
        let optional = chunk.column_descr().max_def_level() > 0;
        let reader = get_column_reader(chunk.column_descr_ptr(), Box::new(Pages::new(pages, optional)));
        Ok(Self { reader, kind: part.kinds[place], optional })
    }

    /// Passes the cells of some rows to `push`.
    fn read(&mut self, span: RowSpan, push: &mut impl FnMut(usize, Value<'_>)) -> std::result::Result<(), ColumnFault> {
        let (kind, optional) = (self.kind, self.optional);
        match &mut self.reader {
            ColumnReader::BoolColumnReader(reader) => give(reader, (kind, optional), span, push),
            ColumnReader::Int32ColumnReader(reader) => give(reader, (kind, optional), span, push),
            ColumnReader::Int64ColumnReader(reader) => give(reader, (kind, optional), span, push),
            ColumnReader::Int96ColumnReader(reader) => give(reader, (kind, optional), span, push),
            ColumnReader::FloatColumnReader(reader) => give(reader, (kind, optional), span, push),
            ColumnReader::DoubleColumnReader(reader) => give(reader, (kind, optional), span, push),
            ColumnReader::ByteArrayColumnReader(reader) => give(reader, (kind, optional), span, push),
            ColumnReader::FixedLenByteArrayColumnReader(reader) => give(reader, (kind, optional), span, push),
        }
    }
}

/// An error in a column.
enum ColumnFault {
    /// In a cell: its row, from 0, and a description.
    Cell(usize, String),
    /// In the file.
    File(parquet::errors::ParquetError),
}

/// Decodes the cells of some rows and passes each to `push`, with its row, from 0.
fn give<T: DataType<T: Cell>>(
    reader: &mut ColumnReaderImpl<T>,
    (kind, optional): (ValueKind, bool),
    RowSpan { rows, before }: RowSpan,
    push: &mut impl FnMut(usize, Value<'_>),
) -> std::result::Result<(), ColumnFault> {
    let (mut values, mut levels, mut done) = (Vec::new(), Vec::new(), 0);
    while done < rows {
        values.clear();
        levels.clear();
        let most = AT_A_TIME.min(rows - done);
        let given = guarded(|| reader.read_records(most, optional.then_some(&mut levels), None, &mut values));
        let (read, ..) = given.map_err(ColumnFault::File)?;
        if read == 0 || (optional && levels.len() != read) || (!optional && values.len() != read) {
            let text = format!("expected {rows} more values, found {done}");
            return Err(ColumnFault::File(parquet::errors::ParquetError::General(text)));
        }
        let mut present = values.iter().peekable();
        for at in 0..read {
            let row = before + done + at;
            let missing = levels.get(at).is_some_and(|level| *level == 0);
            match present.next_if(|_| !missing) {
                Some(cell) => cell.give(kind, &mut |value| push(row, value)).map_err(|e| ColumnFault::Cell(row, e))?,
                None => push(row, Value::Missing),
            }
        }
        done += read;
    }
    Ok(())
}

impl TableSource for ParquetRows {
    fn path(&self) -> &Path {
        &self.path
    }

    fn outline(&self) -> &Outline {
        &self.outline
    }

    fn read(&mut self, most: usize, batch: &mut PendingRows<'_>) -> Result<()> {
        while batch.lines.len() < most {
            if self.group.as_ref().is_none_or(|group| group.left == 0) {
                if !self.open_group(batch)? {
                    return Ok(());
                }
                continue;
            }
            let Some(group) = &mut self.group else { return Ok(()) };
            let span = RowSpan { rows: group.left.min(most - batch.lines.len()), before: self.rows };
            let (path, names) = (&self.parts[group.part].path, &self.outline.names);
            let failed = |place: usize, fault: ColumnFault| match fault {
                ColumnFault::File(error) => damaged(path, error),
                ColumnFault::Cell(row, message) => {
                    let (row, name) = (Some(row as u64 + 1), Some(names[place].as_str()));
                    Error::data_at(&self.path, row, name, message).counted_in(Unit::Row)
                }
            };
            let (read, copied) = group.columns.split_at_mut(batch.columns.len());
            let markers = batch.markers;
            batch.columns.par_iter_mut().zip(read).try_for_each(|((place, builder), column)| {
                let push = &mut |row, value: Value<'_>| builder.push_value(value, number(row), markers);
                column.read(span, push).map_err(|fault| failed(*place, fault))
            })?;
            for ((place, kept), column) in batch.kept.iter_mut().zip(copied) {
                let push = &mut |_, value: Value<'_>| kept.push(value.text().into_owned());
                column.read(span, push).map_err(|fault| failed(*place, fault))?;
            }
            batch.lines.extend((0..span.rows).map(|row| number(span.before + row)));
            group.left -= span.rows;
            self.rows += span.rows;
        }
        Ok(())
    }
}

/// The number of a row in messages, from 1.
fn number(row: usize) -> u32 {
    u32::try_from(row + 1).unwrap_or(u32::MAX)
}

//! A pack whose header is checked.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::header::{CellKind, CellType, ColumnForm, DAMAGED, NO_WHOLE, PackHeader, PackTensor, TensorContent};
use crate::data::header::distinct;
use crate::data::mapped::Mapped;
use crate::data::outline::Outline;
use crate::data::table::MISSING;
use crate::data::value::Value;
use crate::{Error, Result, Unit};

/// A pack.
#[derive(Clone)]
pub(in crate::data) struct PackFile {
    pub(super) path: PathBuf,
    pub(super) outline: Arc<Outline>,
    pub(super) rows: usize,
    pub(super) columns: Arc<[PackColumn]>,
    pub(super) bytes: Arc<Mapped>,
}

/// A column of a pack.
pub(in crate::data) struct PackColumn {
    pub(super) kind: CellKind,
    pub(super) element: CellType,
    /// Offset of the first cell.
    pub(super) start: usize,
    /// The texts that the cells index.
    pub(super) texts: Vec<String>,
}

impl PackFile {
    /// Reads the descriptions of the columns, and the texts of text columns.
    ///
    /// # Errors
    /// [`Error::Data`] for a file that is damaged, truncated, or not a pack.
    pub(in crate::data) fn new(path: &Path, bytes: Mapped) -> Result<Self> {
        let (header, tensors) = PackHeader::read(&bytes).map_err(|message| Error::data(path, message))?;
        if header.rows >= MISSING as usize {
            let message = format!("expected fewer than {MISSING} rows, found {}", header.rows);
            return Err(Error::data(path, message));
        }
        let by_column = by_column(header.columns.len(), &tensors);
        let column = |(place, form): (usize, &ColumnForm)| {
            let of = |part: TensorContent| {
                by_column[place][part as usize].expect("a header was read with its tensors").start
            };
            let texts = match form.kind {
                CellKind::Text => texts(&bytes, (of(TensorContent::Ends), of(TensorContent::Texts)), form.texts),
                _ => Some(Vec::new()),
            };
            let wrong = || {
                let message = format!("its texts are not UTF-8 or contradict their places: {DAMAGED}");
                Error::data_at(path, None, Some(&form.name), message)
            };
            let texts = texts.ok_or_else(wrong)?;
            Ok(PackColumn { kind: form.kind, element: form.element, start: of(TensorContent::Cells), texts })
        };
        let columns: Vec<PackColumn> = header.columns.iter().enumerate().map(column).collect::<Result<_>>()?;
        let names: Vec<String> = header.columns.into_iter().map(|form| form.name).collect();
        let mut warnings = Vec::new();
        let outline = match header.named {
            true => Outline::named(distinct(path, names, "rename them", &mut warnings), Unit::Row),
            false => Outline::nameless(names.len(), Unit::Row),
        };
        let outline = Outline { warnings, ..outline };
        let (outline, columns) = (Arc::new(outline), columns.into());
        Ok(Self { path: path.to_path_buf(), outline, rows: header.rows, columns, bytes: Arc::new(bytes) })
    }

    /// Passes the cells of a column in some rows to `push`, each with its row.
    ///
    /// # Errors
    /// [`Error::Data`] for an index without a text.
    pub(super) fn each<'a>(
        &'a self,
        place: usize,
        (first, rows): (usize, usize),
        mut push: impl FnMut(usize, Value<'a>),
    ) -> Result<()> {
        let column = &self.columns[place];
        let size = column.element.size();
        let cells = &self.bytes[column.start + first * size..][..rows * size];
        let number = |value: f64| match (column.kind, column.kind.unit()) {
            (CellKind::Number, _) => Value::Number(value),
            _ if value.is_nan() => Value::Missing,
            (_, Some(unit)) => Value::Date(value, unit),
            (_, None) => Value::Moment(value),
        };
        match column.element {
            CellType::F64 => {
                elements(cells).zip(first..).for_each(|(cell, row)| push(row, number(f64::from_le_bytes(cell))))
            }
            CellType::F32 => {
                elements(cells).zip(first..).for_each(|(cell, row)| push(row, number(f32::from_le_bytes(cell).into())));
            }
            CellType::I64 => elements(cells).zip(first..).for_each(|(cell, row)| match i64::from_le_bytes(cell) {
                NO_WHOLE => push(row, Value::Missing),
                value => push(row, Value::whole(value)),
            }),
            CellType::U32 => {
                for (cell, row) in elements(cells).zip(first..) {
                    let code = u32::from_le_bytes(cell);
                    match column.texts.get(code as usize) {
                        Some(text) => push(row, Value::Text(text)),
                        None if code == MISSING => push(row, Value::Missing),
                        None => return Err(self.no_text(place, row, code)),
                    }
                }
            }
        }
        Ok(())
    }

    /// Releases the pages of some rows.
    pub(super) fn forget(&self, rows: Range<usize>) {
        for column in self.columns.iter() {
            let size = column.element.size();
            self.bytes.forget(column.start + rows.start * size..column.start + rows.end * size);
        }
    }

    /// The error for an index without a text.
    fn no_text(&self, place: usize, row: usize, code: u32) -> Error {
        let (count, name) = (self.columns[place].texts.len(), self.outline.names[place].as_str());
        let message = format!("expected one of {count} texts, found number {code}: {DAMAGED}");
        Error::data_at(&self.path, Some(row as u64 + 1), Some(name), message).counted_in(Unit::Row)
    }
}

/// The tensors of each column, by part.
fn by_column(columns: usize, tensors: &[PackTensor]) -> Vec<[Option<PackTensor>; 3]> {
    let mut all = vec![[None; 3]; columns];
    tensors.iter().for_each(|tensor| all[tensor.column][tensor.part as usize] = Some(*tensor));
    all
}

/// Cells of `N` bytes.
fn elements<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> {
    bytes.as_chunks::<N>().0.iter().copied()
}

/// The texts of a column; `None` if they are not UTF-8, or if their ends are inconsistent.
fn texts(file: &[u8], (ends, bytes): (usize, usize), (count, size): (usize, usize)) -> Option<Vec<String>> {
    let text = std::str::from_utf8(&file[bytes..][..size]).ok()?;
    let mut at = 0;
    let next = |end: [u8; 8]| {
        let begin = std::mem::replace(&mut at, usize::try_from(u64::from_le_bytes(end)).ok()?);
        Some(text.get(begin..at)?.to_owned())
    };
    let texts: Option<Vec<String>> = elements(&file[ends..][..count * 8]).map(next).collect();
    texts.filter(|_| at == size)
}

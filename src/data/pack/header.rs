//! The header of a pack: its columns, and the offsets of their bytes.

use std::collections::HashMap;

use safetensors::tensor::{Dtype, Metadata, SafeTensors, TensorInfo};
use serde::{Deserialize, Serialize};

use crate::data::date::DateUnit;

/// Key of the description in the metadata.
const KEY: &str = "gradlane.pack";
/// How the header of a pack starts.
const BEGIN: &[u8] = b"{\"__metadata__\":{\"gradlane.pack\":";
/// Version of the format that is written, and the newest that is read.
const VERSION: u32 = 1;
/// Number of bytes of the header's length.
const LENGTH: usize = 8;
/// Marks a missing value among integers.
pub(in crate::data) const NO_WHOLE: i64 = i64::MIN;

/// Whether a file starts like a pack.
pub(crate) fn begins_pack(head: &[u8]) -> bool {
    head.get(LENGTH..).is_some_and(|header| header.starts_with(BEGIN))
}

/// The kind of a column's cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::data) enum CellKind {
    /// Numbers; NaN where a value is missing.
    Number,
    /// Integers beyond the exact range of doubles.
    Whole,
    /// Dates as days since 1970-01-01.
    Days,
    /// Dates with times as seconds since 1970-01-01 00:00.
    Seconds,
    /// Times in UTC as seconds since 1970-01-01 00:00.
    Moments,
    /// Times of day as seconds since midnight.
    Clock,
    /// Indices of texts.
    Text,
}

impl CellKind {
    /// The kind for dates in this unit.
    pub(in crate::data) fn of_dates(unit: DateUnit) -> Self {
        match unit {
            DateUnit::Days => Self::Days,
            DateUnit::Seconds => Self::Seconds,
            DateUnit::Clock => Self::Clock,
        }
    }

    /// The unit of dates without an offset of this kind; `None` for other kinds.
    pub(in crate::data) fn unit(self) -> Option<DateUnit> {
        match self {
            Self::Days => Some(DateUnit::Days),
            Self::Seconds => Some(DateUnit::Seconds),
            Self::Clock => Some(DateUnit::Clock),
            Self::Number | Self::Whole | Self::Moments | Self::Text => None,
        }
    }
}

/// The type of a stored cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::data) enum CellType {
    F64,
    /// Used if all numbers of the column are exact in single precision.
    F32,
    I64,
    /// Indices of texts.
    U32,
}

impl CellType {
    fn dtype(self) -> Dtype {
        match self {
            Self::F64 => Dtype::F64,
            Self::F32 => Dtype::F32,
            Self::I64 => Dtype::I64,
            Self::U32 => Dtype::U32,
        }
    }

    /// Size of a cell in bytes.
    pub(in crate::data) fn size(self) -> usize {
        match self {
            Self::F64 | Self::I64 => 8,
            Self::F32 | Self::U32 => 4,
        }
    }

    fn of(kind: CellKind, dtype: Dtype) -> Option<Self> {
        match (kind, dtype) {
            (CellKind::Whole, Dtype::I64) => Some(Self::I64),
            (CellKind::Text, Dtype::U32) => Some(Self::U32),
            (
                CellKind::Number | CellKind::Days | CellKind::Seconds | CellKind::Moments | CellKind::Clock,
                Dtype::F64,
            ) => Some(Self::F64),
            (
                CellKind::Number | CellKind::Days | CellKind::Seconds | CellKind::Moments | CellKind::Clock,
                Dtype::F32,
            ) => Some(Self::F32),
            _ => None,
        }
    }
}

/// How a column is stored.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::data) struct ColumnForm {
    pub(in crate::data) name: String,
    pub(in crate::data) kind: CellKind,
    pub(in crate::data) element: CellType,
    /// For text: the number of distinct texts, and their total length in bytes.
    pub(in crate::data) texts: (usize, usize),
}

/// What a tensor holds of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::data) enum TensorContent {
    /// The cells.
    Cells,
    /// The bytes of the texts, concatenated.
    Texts,
    /// The end of each text within these bytes.
    Ends,
}

/// A tensor of a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::data) struct PackTensor {
    pub(in crate::data) column: usize,
    pub(in crate::data) part: TensorContent,
    /// Offset of its first byte in the file.
    pub(in crate::data) start: usize,
    dtype: Dtype,
    count: usize,
}

impl PackTensor {
    fn name(&self) -> String {
        match self.part {
            TensorContent::Cells => self.column.to_string(),
            TensorContent::Texts => format!("{}.texts", self.column),
            TensorContent::Ends => format!("{}.ends", self.column),
        }
    }

    fn size(&self) -> usize {
        self.dtype.bitsize() / 8
    }

    /// Offset of the byte after its last.
    pub(super) fn end(&self) -> usize {
        self.start + self.count * self.size()
    }
}

#[derive(Serialize, Deserialize)]
struct Card {
    version: u32,
    /// Whether the source named its columns; otherwise rows are matched by position.
    named: bool,
    columns: Vec<CardColumn>,
}

#[derive(Serialize, Deserialize)]
struct CardColumn {
    name: String,
    kind: CellKind,
}

/// The description of a pack.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::data) struct PackHeader {
    pub(in crate::data) rows: usize,
    /// Whether the source named its columns.
    pub(in crate::data) named: bool,
    pub(in crate::data) columns: Vec<ColumnForm>,
}

impl PackHeader {
    /// The bytes before the first tensor, and the tensors in their order in the file.
    ///
    /// # Errors
    /// A message if there are too many columns for a header.
    pub(in crate::data) fn write(&self) -> Result<(Vec<u8>, Vec<PackTensor>), String> {
        let mut tensors = self.tensors();
        // Cells of eight bytes come first, so that all are aligned.
        tensors.sort_by_key(|tensor| std::cmp::Reverse(tensor.size()));
        let mut at = 0;
        for tensor in &mut tensors {
            tensor.start = at;
            at += tensor.count * tensor.size();
        }
        let info = |tensor: &PackTensor| {
            let offsets = (tensor.start, tensor.start + tensor.count * tensor.size());
            (tensor.name(), TensorInfo { dtype: tensor.dtype, shape: vec![tensor.count], data_offsets: offsets })
        };
        let columns = self.columns.iter().map(|form| CardColumn { name: form.name.clone(), kind: form.kind });
        let card = Card { version: VERSION, named: self.named, columns: columns.collect() };
        let card = serde_json::to_string(&card).map_err(|e| e.to_string())?;
        let metadata = Metadata::new(Some(HashMap::from([(KEY.to_owned(), card)])), tensors.iter().map(info).collect());
        let mut text = serde_json::to_vec(&metadata.map_err(|e| e.to_string())?).map_err(|e| e.to_string())?;
        text.resize(text.len().next_multiple_of(LENGTH), b' ');
        if text.len() > MOST_HEADER {
            return Err(format!("a header of {} MB: the format holds up to 100 MB", text.len() / 1_000_000));
        }
        let bytes = [&(text.len() as u64).to_le_bytes()[..], &text].concat();
        tensors.iter_mut().for_each(|tensor| tensor.start += bytes.len());
        Ok((bytes, tensors))
    }

    /// Reads the header of a whole file. Sizes and offsets are checked against the file.
    ///
    /// # Errors
    /// A description of what is wrong.
    pub(in crate::data) fn read(bytes: &[u8]) -> Result<(Self, Vec<PackTensor>), String> {
        let (length, metadata) = SafeTensors::read_metadata(bytes).map_err(|e| format!("{e}: {DAMAGED}"))?;
        let card = metadata.metadata().as_ref().and_then(|texts| texts.get(KEY));
        let card = card.ok_or("expected a table that gradlane data pack wrote, found another safetensors file")?;
        let version: Version = serde_json::from_str(card).map_err(|e| format!("its columns: {e}: {DAMAGED}"))?;
        if version.version > VERSION {
            let found = version.version;
            return Err(format!(
                "version {found} of the format, this program reads up to {VERSION}: use a newer gradlane"
            ));
        }
        let card: Card = serde_json::from_str(card).map_err(|e| format!("its columns: {e}: {DAMAGED}"))?;
        let found = metadata.tensors();
        let (mut columns, mut tensors, mut rows) = (Vec::with_capacity(card.columns.len()), Vec::new(), None);
        for (column, CardColumn { name, kind }) in card.columns.into_iter().enumerate() {
            let mut tensor = |part: TensorContent| {
                let named = PackTensor { column, part, start: 0, dtype: Dtype::U8, count: 0 };
                let info = found.get(&named.name()).filter(|info| info.shape.len() == 1);
                let info =
                    info.ok_or_else(|| format!("column \"{name}\" has no vector {}: {DAMAGED}", named.name()))?;
                let start = LENGTH + length + info.data_offsets.0;
                tensors.push(PackTensor { start, dtype: info.dtype, count: info.shape[0], ..named });
                Ok::<_, String>((info.dtype, info.shape[0]))
            };
            let (dtype, count) = tensor(TensorContent::Cells)?;
            if *rows.get_or_insert(count) != count {
                return Err(format!("column \"{name}\" has another number of rows than the first: {DAMAGED}"));
            }
            let wrong = || format!("column \"{name}\" has elements of a wrong type: {DAMAGED}");
            let element = CellType::of(kind, dtype).ok_or_else(wrong)?;
            let mut texts = (0, 0);
            if kind == CellKind::Text {
                let ((ends, count), (bytes, size)) = (tensor(TensorContent::Ends)?, tensor(TensorContent::Texts)?);
                if (ends, bytes) != (Dtype::U64, Dtype::U8) {
                    return Err(wrong());
                }
                texts = (count, size);
            }
            columns.push(ColumnForm { name, kind, element, texts });
        }
        match rows {
            None => Err(format!("expected columns, found none: {DAMAGED}")),
            Some(_) if tensors.len() != found.len() => Err(format!("it has tensors of no column: {DAMAGED}")),
            Some(rows) => Ok((Self { rows, named: card.named, columns }, tensors)),
        }
    }

    fn tensors(&self) -> Vec<PackTensor> {
        let of = |(column, form): (usize, &ColumnForm)| {
            let tensor = move |part, dtype, count| PackTensor { column, part, start: 0, dtype, count };
            let mut all = vec![tensor(TensorContent::Cells, form.element.dtype(), self.rows)];
            if form.kind == CellKind::Text {
                all.extend([
                    tensor(TensorContent::Ends, Dtype::U64, form.texts.0),
                    tensor(TensorContent::Texts, Dtype::U8, form.texts.1),
                ]);
            }
            all
        };
        self.columns.iter().enumerate().flat_map(of).collect()
    }
}

/// The part of the description that all versions have.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

/// The longest header that readers of the format accept.
const MOST_HEADER: usize = 100_000_000;
pub(super) const DAMAGED: &str = "the pack is damaged or cut short; write it again";

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> PackHeader {
        let form = |name: &str, kind, element, texts| ColumnForm { name: name.to_owned(), kind, element, texts };
        PackHeader {
            rows: 3,
            named: true,
            columns: vec![
                form("x", CellKind::Number, CellType::F32, (0, 0)),
                form("who", CellKind::Text, CellType::U32, (2, 5)),
                form("day", CellKind::Days, CellType::F64, (0, 0)),
            ],
        }
    }

    #[test]
    fn a_header_is_read_as_it_was_written() {
        let (mut bytes, tensors) = header().write().unwrap();
        assert!(begins_pack(&bytes));
        bytes.resize(bytes.len() + 3 * 4 + 3 * 4 + 3 * 8 + 2 * 8 + 5, 0);
        let (read, found) = PackHeader::read(&bytes).unwrap();
        assert_eq!(read, header());
        for tensor in &tensors {
            assert!(found.contains(tensor) && tensor.start.is_multiple_of(tensor.size()), "{tensor:?} {found:?}");
        }
        bytes.pop();
        assert!(PackHeader::read(&bytes).unwrap_err().contains("cut short"));
    }

    #[test]
    fn a_newer_version_asks_for_a_newer_program() {
        let (bytes, _) = header().write().unwrap();
        let text =
            String::from_utf8(bytes[LENGTH..].to_vec()).unwrap().replace("\\\"version\\\":1", "\\\"version\\\":2");
        let bytes = [&bytes[..LENGTH], text.as_bytes(), &[0; 69]].concat();
        assert!(PackHeader::read(&bytes).unwrap_err().contains("version 2 of the format"), "{text}");
    }
}

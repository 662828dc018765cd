//! Converts cells of a table to the bytes of a pack.

use std::io;

use super::header::{CellKind, CellType, ColumnForm, NO_WHOLE, TensorContent};
use crate::data::frame::Cells;
use crate::option_text::setting;

/// How a column is stored.
///
/// # Errors
/// Why it cannot be stored.
pub(in crate::data) fn form_of(name: &str, cells: &Cells) -> Result<ColumnForm, String> {
    let (kind, element, texts) = match cells {
        Cells::Numbers(values) => (CellKind::Number, narrowest(values), (0, 0)),
        Cells::Dates(values, unit) => (CellKind::of_dates(*unit), narrowest(values), (0, 0)),
        Cells::Moments(values) => (CellKind::Moments, narrowest(values), (0, 0)),
        Cells::Whole(values) if values.contains(&Some(NO_WHOLE)) => {
            return Err(format!("a pack takes −2⁶³ for no value: try {}", setting("to", "parquet")));
        }
        Cells::Whole(_) => (CellKind::Whole, CellType::I64, (0, 0)),
        Cells::Text { levels, .. } => {
            (CellKind::Text, CellType::U32, (levels.len(), levels.iter().map(String::len).sum::<usize>()))
        }
    };
    Ok(ColumnForm { name: name.to_owned(), kind, element, texts })
}

/// Single precision if it holds all numbers exactly, otherwise double precision.
fn narrowest(values: &[f64]) -> CellType {
    let is_single = |value: &f64| value.is_nan() || f64::from(*value as f32) == *value;
    if values.iter().all(is_single) { CellType::F32 } else { CellType::F64 }
}

/// Number of cells that are converted at a time.
const AT_A_TIME: usize = 1 << 16;

/// Passes the bytes of a tensor to `out`, in pieces.
///
/// # Errors
/// Those of `out`.
pub(in crate::data) fn bytes_of(
    cells: &Cells,
    part: TensorContent,
    element: CellType,
    out: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    match (cells, part) {
        (Cells::Numbers(values) | Cells::Dates(values, _) | Cells::Moments(values), _) => {
            values.chunks(AT_A_TIME).try_for_each(|values| out(&number_bytes(values, element)))
        }
        (Cells::Whole(values), _) => {
            let bytes = |values: &[Option<i64>]| -> Vec<u8> {
                values.iter().flat_map(|value| value.unwrap_or(NO_WHOLE).to_le_bytes()).collect()
            };
            values.chunks(AT_A_TIME).try_for_each(|values| out(&bytes(values)))
        }
        (Cells::Text { codes, .. }, TensorContent::Cells) => {
            let bytes = |codes: &[u32]| codes.iter().flat_map(|code| code.to_le_bytes()).collect::<Vec<u8>>();
            codes.chunks(AT_A_TIME).try_for_each(|codes| out(&bytes(codes)))
        }
        (Cells::Text { levels, .. }, TensorContent::Texts) => levels.iter().try_for_each(|text| out(text.as_bytes())),
        (Cells::Text { levels, .. }, TensorContent::Ends) => {
            let mut end = 0u64;
            levels.iter().try_for_each(|text| {
                end += text.len() as u64;
                out(&end.to_le_bytes())
            })
        }
    }
}

/// Numbers as bytes.
pub(super) fn number_bytes(values: &[f64], element: CellType) -> Vec<u8> {
    match element {
        CellType::F32 => values.iter().flat_map(|value| (*value as f32).to_le_bytes()).collect(),
        _ => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
    }
}

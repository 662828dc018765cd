//! A NumPy array as a table. The first axis is the rows.

use std::path::Path;
use std::sync::Arc;

use super::npy_header::{self, NpyHeader};
use super::{Matrix, MatrixFile};
use crate::data::outline::Outline;
use crate::data::source::read_error;
use crate::data::store::Store;
use crate::{Error, Result, Unit};

/// Reads the header of an array. The columns are c0, c1, …
///
/// # Errors
/// [`Error::Data`] for a wrong header, an unsupported type, or a length that does not match the header.
pub(in crate::data) fn read(path: &Path, store: Store) -> Result<MatrixFile> {
    let matrix = array(path, Arc::new(store)).map_err(|message| Error::data(path, message))??;
    let mut outline = Outline::nameless(matrix.cols, Unit::Row);
    outline.notes.push("columns: c0, c1, … (an array names none)".to_owned());
    Ok(MatrixFile::new(path, outline, vec![matrix]))
}

/// The array in a store. A vector is one column; further axes are flattened to columns.
pub(super) fn array(path: &Path, store: Arc<Store>) -> std::result::Result<Result<Matrix>, String> {
    let length = store.len().min(npy_header::LONGEST as u64) as usize;
    let head = match store.read_at(0, length) {
        Ok(head) => head,
        Err(error) => return Ok(Err(read_error(path, error))),
    };
    let NpyHeader { element, by_column, shape, length } = npy_header::parse(&head)?;
    match shape.as_slice() {
        [] => Err("expected a vector or a matrix, found a single value".to_owned()),
        [_, rest @ ..] if rest.len() > 1 && by_column => {
            Err(format!("the array has {} axes in Fortran's order: reshape it to rows and columns", shape.len()))
        }
        [_, rest @ ..] if rest.contains(&0) => Err(format!("expected values, found none: the shape is {shape:?}")),
        shape => Matrix::new(store, length as u64, shape, by_column && shape.len() > 1, element).map(Ok),
    }
}

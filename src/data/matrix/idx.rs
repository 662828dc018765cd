//! An IDX file of other types than unsigned bytes as a table of numbers, with labels from a second file.

use std::path::Path;
use std::sync::Arc;

use super::element::{ArrayElement, ElementKind};
use super::{Matrix, MatrixFile};
use crate::data::outline::Outline;
use crate::data::source::{Opened, Source, read_error};
use crate::data::store::Store;
use crate::{Error, Result, Unit};

/// Reads an IDX file. `labels` is its file of labels, if there is one. The columns are c0, c1, …, and label.
///
/// # Errors
/// [`Error::Data`] for a wrong header, a length that does not match it, or different numbers of rows and labels.
pub(in crate::data) fn read(path: &Path, store: Store, labels: Option<Source>) -> Result<MatrixFile> {
    let matrix = array(path, Arc::new(store))?;
    let mut outline = Outline::nameless(matrix.cols, Unit::Row);
    let mut matrices = vec![matrix];
    if let Some(source) = labels {
        let path = source.name();
        let labels = array(path, Arc::new(Opened::new(&source)?.into_store()?))?;
        if labels.cols != 1 || labels.rows != matrices[0].rows {
            let (rows, found) = (matrices[0].rows, labels.rows);
            return Err(Error::data(path, format!("expected {rows} labels, one for each row, found {found}")));
        }
        outline.names.push("label".to_owned());
        matrices.push(labels);
    }
    Ok(MatrixFile::new(path, outline, matrices))
}

fn array(path: &Path, store: Arc<Store>) -> Result<Matrix> {
    let cut = || Error::data(path, "expected the header of an IDX file, found its end");
    let head = store.read_at(0, store.len().min(64) as usize).map_err(|e| read_error(path, e))?;
    let (kind, rank) = match *head.get(..4).ok_or_else(cut)? {
        [0, 0, kind, rank @ 1..=8] => (kind, usize::from(rank)),
        _ => return Err(Error::data(path, "expected an IDX file (two zeros, a type and a rank of 1 to 8)")),
    };
    let kind = match kind {
        8 => ElementKind::Unsigned(1),
        9 => ElementKind::Signed(1),
        11 => ElementKind::Signed(2),
        12 => ElementKind::Signed(4),
        13 => ElementKind::Float(4),
        14 => ElementKind::Float(8),
        other => return Err(Error::data(path, format!("expected type 8, 9 or 11 to 14, found {other}"))),
    };
    let sizes = head.get(4..4 + 4 * rank).ok_or_else(cut)?;
    let size = |bytes: &[u8]| bytes.iter().fold(0usize, |sum, byte| sum << 8 | usize::from(*byte));
    let shape: Vec<usize> = sizes.chunks_exact(4).map(size).collect();
    if shape[1..].contains(&0) {
        return Err(Error::data(path, format!("expected values, found none: the shape is {shape:?}")));
    }
    let element = ArrayElement { kind, big_endian: true };
    Matrix::new(store, (4 + 4 * rank) as u64, &shape, false, element).map_err(|message| Error::data(path, message))
}

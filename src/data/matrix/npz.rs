//! An archive of NumPy arrays as a table.

use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use zip::ZipArchive;

use super::element::ElementKind;
use super::npy::array;
use super::{Matrix, MatrixFile};
use crate::data::expansion::most_bytes;
use crate::data::header::{distinct, generated};
use crate::data::outline::Outline;
use crate::data::store::{Store, StoreReader};
use crate::option_text::setting;
use crate::{Error, Result, Unit};

/// Upper limit of the bytes that are reserved for an array before they are read.
const RESERVED: u64 = 1 << 24;
/// Number of arrays that a message lists.
const LISTED: usize = 12;

/// An array and its name.
struct NamedArray {
    name: String,
    matrix: Matrix,
}

/// Reads the arrays of an archive. Arrays `X` and `y` are features and labels; a vector of texts `feature_names` names
/// the features. A single array is the whole table. Otherwise, vectors of equal length are columns with the names of
/// the arrays.
///
/// # Errors
/// [`Error::Data`] for a damaged archive, for unsupported arrays, and if the arrays do not form a table.
pub(in crate::data) fn read(path: &Path, store: Store) -> Result<MatrixFile> {
    let arrays = arrays(path, store)?;
    let found = |name: &str| arrays.iter().find(|array| array.name.eq_ignore_ascii_case(name));
    let (outline, matrices) = match (found("X"), found("y"), arrays.as_slice()) {
        (Some(x), y, _) => {
            let (mut outline, matrices) = features_and_labels(path, x, y, found("feature_names"))?;
            outline.notes.extend(left_out(&arrays));
            (outline, matrices)
        }
        (None, _, [only]) => (Outline::nameless(only.matrix.cols, Unit::Row), vec![only.matrix.clone()]),
        _ => columns(path, &arrays)?,
    };
    Ok(MatrixFile::new(path, outline, matrices))
}

fn features_and_labels(
    path: &Path,
    x: &NamedArray,
    y: Option<&NamedArray>,
    names: Option<&NamedArray>,
) -> Result<(Outline, Vec<Matrix>)> {
    let features = x.matrix.cols;
    // The arrays tell which columns are features, so c0 means the same in all such files.
    let mut outline = Outline::named(generated(features), Unit::Row);
    if let Some(names) = names {
        if names.matrix.cols != 1 || names.matrix.rows != features {
            let (found, array) = (names.matrix.rows * names.matrix.cols, &names.name);
            return Err(Error::data(path, format!("array {array}: expected {features} names, found {found}")));
        }
        let mut warnings = Vec::new();
        let names = distinct(path, texts(path, names)?, "rename them", &mut warnings);
        outline = Outline { warnings, ..Outline::named(names, Unit::Row) };
    }
    let mut matrices = vec![x.matrix.clone()];
    if let Some(y) = y {
        if y.matrix.rows != x.matrix.rows {
            let (y, x) = (y.matrix.rows, x.matrix.rows);
            return Err(Error::data(path, format!("expected as many labels in y as rows in X, {x}, found {y}")));
        }
        let name = |at: usize| if y.matrix.cols == 1 { "y".to_owned() } else { format!("y{at}") };
        let labels: Vec<String> = (0..y.matrix.cols).map(name).collect();
        if let Some(taken) = labels.iter().find(|label| outline.names.contains(label)) {
            return Err(Error::data(path, format!("a feature has the name of the label, {taken}: rename it")));
        }
        if labels.len() > 1 {
            let named: Vec<String> = labels.iter().map(|label| setting("label", label).to_string()).collect();
            outline.notes.push(format!("y has {} columns; {} learns them all", labels.len(), named.join(" ")));
        }
        outline.names.extend(labels);
        matrices.push(y.matrix.clone());
    }
    let labels = if y.is_some() { ", then y" } else { "" };
    outline.notes.push(format!("columns: {features} of the array {}{labels}", x.name));
    Ok((outline, matrices))
}

/// The note about arrays that are neither features nor labels nor names.
fn left_out(arrays: &[NamedArray]) -> Option<String> {
    let used = |array: &&NamedArray| !["x", "y", "feature_names"].contains(&array.name.to_lowercase().as_str());
    let others: Vec<&str> = arrays.iter().filter(used).map(|array| array.name.as_str()).take(LISTED).collect();
    (!others.is_empty()).then(|| format!("left out: arrays beside X and y ({})", others.join(", ")))
}

/// The texts of a vector.
fn texts(path: &Path, names: &NamedArray) -> Result<Vec<String>> {
    let rows = names.matrix.rows;
    let failed = |message: String| Error::data(path, format!("array {}: {message}", names.name));
    let block = names.matrix.block(0, rows).and_then(|block| names.matrix.column(&block, 0, (0, rows)));
    let cells = block.map_err(|error| failed(error.to_string()))?;
    let mut texts = Vec::with_capacity(rows);
    let push = |_, value: crate::data::value::Value<'_>| texts.push(value.text().into_owned());
    names.matrix.element.each(&cells, push).map_err(|(_, message)| failed(message))?;
    Ok(texts)
}

/// Vectors of equal length as columns.
fn columns(path: &Path, arrays: &[NamedArray]) -> Result<(Outline, Vec<Matrix>)> {
    let rows = arrays.first().map_or(0, |array| array.matrix.rows);
    if arrays.is_empty() || arrays.iter().any(|array| array.matrix.cols != 1 || array.matrix.rows != rows) {
        let shape = |NamedArray { name, matrix }: &NamedArray| match (matrix.element.kind, matrix.cols) {
            (ElementKind::Bytes(_) | ElementKind::Characters(_), 1) => format!("{name} ({} texts)", matrix.rows),
            (_, 1) => format!("{name} ({})", matrix.rows),
            (_, cols) => format!("{name} ({} × {cols})", matrix.rows),
        };
        let shown: Vec<String> = arrays.iter().take(LISTED).map(shape).collect();
        let more = if arrays.len() > LISTED { ", …" } else { "" };
        let found = if arrays.is_empty() { "none".to_owned() } else { shown.join(", ") + more };
        let message = format!(
            "expected arrays X and y, one array, or vectors of equal length, each a column; found {found}: save the table with \
             np.savez(file, X=…, y=…)"
        );
        return Err(Error::data(path, message));
    }
    let names = arrays.iter().map(|array| array.name.clone()).collect();
    Ok((Outline::named(names, Unit::Row), arrays.iter().map(|array| array.matrix.clone()).collect()))
}

/// Reads all arrays, in the order of the archive. They are unpacked and their checksums are checked.
fn arrays(path: &Path, store: Store) -> Result<Vec<NamedArray>> {
    let damaged = |error: &dyn std::fmt::Display| {
        Error::data(path, format!("the archive is damaged or cut short ({error}): fetch or write the file again"))
    };
    let most = most_bytes(store.len());
    let reader = BufReader::new(StoreReader::new(Arc::new(store), 0));
    let mut archive = ZipArchive::new(reader).map_err(|e| damaged(&e))?;
    let (mut arrays, mut unpacked): (Vec<NamedArray>, u64) = (Vec::new(), 0);
    for at in 0..archive.len() {
        let entry = archive.by_index(at).map_err(|e| damaged(&e))?;
        let name = entry.name().map_err(|e| damaged(&e))?.into_owned();
        let Some(name) = name.strip_suffix(".npy").map(str::to_owned) else { continue };
        let size = entry.size();
        unpacked = unpacked.saturating_add(size);
        if unpacked > most {
            let message = format!("the arrays unpack to more than {} MB", most >> 20);
            return Err(Error::data(
                path,
                message + ": if that is right, write each to a file of its own with np.save",
            ));
        }
        let mut bytes = Vec::with_capacity(size.min(RESERVED) as usize);
        entry.take(size.saturating_add(1)).read_to_end(&mut bytes).map_err(|e| damaged(&e))?;
        let matrix = array(path, Arc::new(Store::from(bytes)));
        let matrix = matrix.map_err(|message| Error::data(path, format!("array {name}: {message}")))??;
        if arrays.iter().any(|array| array.name == name) {
            return Err(Error::data(path, format!("the archive holds two arrays called {name}")));
        }
        arrays.push(NamedArray { name, matrix });
    }
    Ok(arrays)
}

//! Determines the kinds of columns in one pass that keeps few cells, so files may be larger than memory.

use std::path::PathBuf;
use std::sync::Arc;

use super::chain::Chain;
use crate::Result;
use crate::data::builder::Builder;
use crate::data::frame::Frame;
use crate::data::options::ReadOptions;
use crate::data::raw_table::RawTable;
use crate::data::table_source::{PendingRows, TableFile};
use crate::data::whole_table::{Reopened, read_texts};

/// Approximate number of cells that are read at a time.
const CELLS: usize = 1 << 22;
/// Lower and upper limit of the rows that are read at a time.
const ROWS: [usize; 2] = [1 << 8, 1 << 16];

/// Number of rows that are read at a time, for this many columns.
pub(super) fn at_a_time(columns: usize) -> usize {
    (CELLS / columns.max(1)).clamp(ROWS[0], ROWS[1])
}

/// Reads all rows once. Text columns are complete. A number column may have fewer cells than rows: a few of its
/// numbers, which determine its kind.
///
/// # Errors
/// Those of reading the files for training.
pub(super) fn survey(files: Arc<Chain>, options: &ReadOptions) -> Result<Frame> {
    // A table with few rows is kept completely.
    let few = at_a_time(files.columns());
    Frame::of_file(read(files, options, &|_, rows| rows > few)?, options)
}

/// Reads all rows once. If `is_left` is true for a column and the number of rows so far, only a few of the column's
/// numbers are kept, which determine its kind.
///
/// # Errors
/// Those of reading the whole files.
pub(super) fn read(
    files: Arc<dyn TableFile>,
    options: &ReadOptions,
    is_left: &dyn Fn(usize, usize) -> bool,
) -> Result<RawTable> {
    let mut source = files.open()?;
    let outline = source.outline().clone();
    let path: PathBuf = source.path().to_path_buf();
    let mut builders: Vec<Builder> = outline.names.iter().map(|_| Builder::guess(0)).collect();
    let mut lines: Vec<u32> = Vec::new();
    loop {
        let columns = builders.iter().map(Builder::for_later).enumerate().collect();
        let mut batch = PendingRows::new(&options.missing, columns, &[]);
        source.read(at_a_time(outline.names.len()), &mut batch)?;
        if batch.lines.is_empty() {
            break;
        }
        lines.extend(batch.lines);
        for (builder, (place, more)) in builders.iter_mut().zip(batch.columns) {
            builder.append(more);
            if is_left(place, lines.len()) {
                builder.digest();
            }
        }
    }
    if lines.is_empty() {
        return Err(RawTable::without_rows(&path, &outline));
    }
    read_again(files.as_ref(), &mut builders, lines.len(), options)?;
    let origins = builders.iter().map(Builder::origin).collect();
    let named = builders.into_iter().zip(&outline.names);
    Ok(RawTable {
        text: source.layout(),
        columns: named.map(|(b, name)| b.finish((&path, outline.unit), name)).collect::<Result<_>>()?,
        origins,
        lines,
        notes: source.notes(),
        warnings: outline.warnings.iter().cloned().chain(source.warnings()).collect(),
        absent: Vec::new(),
        written: Box::new(Reopened(files)),
        outline: Arc::new(outline),
        path,
    })
}

/// Reads columns again as text if some cells were taken for numbers, or if cells were dropped before text appeared.
fn read_again(files: &dyn TableFile, builders: &mut [Builder], rows: usize, options: &ReadOptions) -> Result<()> {
    let is_short = |builder: &Builder| match builder {
        Builder::Again => true,
        Builder::Text { codes, .. } => codes.len() < rows,
        Builder::Numbers(_) => false,
    };
    let again: Vec<usize> = (0..builders.len()).filter(|place| is_short(&builders[*place])).collect();
    if !again.is_empty() {
        let texts = read_texts(files, &again, &options.missing)?;
        again.into_iter().zip(texts).for_each(|(place, (_, text))| builders[place] = text);
    }
    Ok(())
}

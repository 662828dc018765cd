//! What the columns of files are, found out in one pass that keeps few cells, so that files may be larger than memory.

use std::path::PathBuf;
use std::sync::Arc;

use super::chain::Chain;
use crate::Result;
use crate::data::builder::Builder;
use crate::data::frame::Frame;
use crate::data::options::ReadOptions;
use crate::data::raw_table::RawTable;
use crate::data::table_source::{Batch, TableFile};
use crate::data::whole_table::{Reopened, read_texts};

/// Cells that are read at a time, about.
const CELLS: usize = 1 << 22;
/// Rows that are read at a time, at least and at most.
const ROWS: [usize; 2] = [1 << 8, 1 << 16];

/// Rows of so many columns that are read at a time.
pub(super) fn at_a_time(columns: usize) -> usize {
    (CELLS / columns.max(1)).clamp(ROWS[0], ROWS[1])
}

/// Reads all rows once. Text columns are whole; of a column of numbers there may be fewer cells than rows, a few of its numbers
/// by which its kind is told.
///
/// # Errors
/// As reading the files for training.
pub(super) fn survey(files: Arc<Chain>, options: &ReadOptions) -> Result<Frame> {
    // A table of few rows is kept as it is.
    let few = at_a_time(files.columns());
    Frame::of_file(read(files, options, &|_, rows| rows > few)?, options)
}

/// Reads all rows once. Of columns of numbers that `is_left` says, by their place and the rows so far, a few numbers are kept, by
/// which the kind of the column is told.
///
/// # Errors
/// As reading the files whole.
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
        let mut batch = Batch::new(&options.missing, columns, &[]);
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

/// Reads columns again as text in which some cells were taken for numbers, or that had no value for long.
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

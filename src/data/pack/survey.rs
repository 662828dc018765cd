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

/// Rows that are read at a time; a table of as few is kept as it is.
pub(super) const AT_A_TIME: usize = 1 << 16;

/// Reads all rows once. Text columns are whole; of a column of numbers there may be fewer cells than rows, a few of its numbers
/// by which its kind is told.
///
/// # Errors
/// As reading the files for training.
pub(super) fn survey(files: Arc<Chain>, options: &ReadOptions) -> Result<Frame> {
    let markers = &options.missing;
    let mut source = files.open()?;
    let outline = source.outline().clone();
    let path: PathBuf = source.path().to_path_buf();
    let columns = outline.names.len();
    let (mut builders, mut lines): (Vec<Builder>, Vec<u32>) = ((0..columns).map(|_| Builder::guess(0)).collect(), Vec::new());
    loop {
        let batch = builders.iter().map(Builder::for_later).enumerate().collect();
        let mut batch = Batch::new(markers, batch, &[]);
        source.read(AT_A_TIME, &mut batch)?;
        if batch.lines.is_empty() {
            break;
        }
        lines.extend(batch.lines);
        for (builder, (_, more)) in builders.iter_mut().zip(batch.columns) {
            builder.append(more);
            if lines.len() > AT_A_TIME {
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
    let finished = named.map(|(b, name)| b.finish((&path, outline.unit), name)).collect::<Result<_>>()?;
    let table = RawTable {
        text: source.layout(),
        columns: finished,
        origins,
        lines,
        notes: source.notes(),
        warnings: outline.warnings.iter().cloned().chain(source.warnings()).collect(),
        absent: Vec::new(),
        written: Box::new(Reopened(files)),
        outline: Arc::new(outline),
        path,
    };
    Frame::of_file(table, options)
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

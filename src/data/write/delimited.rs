//! Writes CSV and TSV: a header, then a line for each row.

use std::io::Write;
use std::path::Path;

use super::{WriteFault, Written, check_dates_as_text};
use crate::data::format::content_says_other;
use crate::data::frame::Frame;
use crate::data::layout::FileLayout;
use crate::data::options::ReadOptions;
use crate::option_text::setting;

/// Number of bytes that are examined to check how the file will be read.
const HEAD_BYTES: usize = 256 * 1024;

pub(super) fn write(frame: &Frame, (delimiter, path): (u8, &Path), out: &mut dyn Write) -> Written {
    check_dates_as_text(frame)?;
    check_head(frame, delimiter, path)?;
    write_rows(frame, delimiter, frame.rows, out)?;
    Ok(())
}

fn write_rows(frame: &Frame, delimiter: u8, rows: usize, out: &mut dyn Write) -> std::io::Result<()> {
    // Cells that contain `#` are quoted, so no row looks like a comment.
    let mut csv = csv::WriterBuilder::new().delimiter(delimiter).comment(Some(b'#')).from_writer(out);
    csv.write_record(&frame.names).map_err(cause)?;
    for row in 0..rows {
        for cells in &frame.columns {
            csv.write_field(cells.text(row).as_deref().unwrap_or_default()).map_err(cause)?;
        }
        csv.write_record(None::<&[u8]>).map_err(cause)?;
    }
    csv.flush()
}

/// The failure of the output itself, whose kind tells a closed pipe from a full disk.
fn cause(error: csv::Error) -> std::io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => std::io::Error::other(format!("{other:?}")),
    }
}

/// Refuses a table whose first lines would be read as a different table, for example because its names look like data.
fn check_head(frame: &Frame, delimiter: u8, path: &Path) -> Written {
    let mut head = Vec::new();
    let mut rows = frame.rows.min(1000);
    write_rows(frame, delimiter, rows, &mut head)?;
    while head.len() > HEAD_BYTES && rows > 1 {
        rows /= 2;
        head.clear();
        write_rows(frame, delimiter, rows, &mut head)?;
    }
    let unfit = |why: &str| {
        let (lines, parquet) = (setting("to", "jsonl"), setting("to", "parquet"));
        let message = format!("{why}: give the columns other names, or write another format ({lines}, {parquet})");
        Err(WriteFault::Unfit(None, message))
    };
    if content_says_other(&head) {
        return unfit("the first lines would be taken for another format than delimited text");
    }
    let options = ReadOptions { tabs_likely: delimiter == b'\t', ..ReadOptions::default() };
    match FileLayout::of(path, &head, rows == frame.rows, &options) {
        Err(error) => unfit(&format!("the text would not be read again ({error})")),
        Ok(layout) if !layout.outline.named => unfit("the names of the columns would be taken for data"),
        Ok(layout) if layout.outline.names != frame.names => unfit("the columns would be read under other names"),
        Ok(_) => Ok(()),
    }
}

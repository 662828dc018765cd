//! Writes the LIBSVM format: `label index:value …`, with indices from 1. The last column is the label. Zeros are left
//! out, except for the last feature of the first row.

use std::io::Write;

use super::{WriteFault, Written};
use crate::data::frame::{Cells, Frame};
use crate::option_text::setting;

pub(super) fn write(frame: &Frame, out: &mut dyn Write) -> Written {
    for (name, cells) in frame.named() {
        if !matches!(cells, Cells::Numbers(_)) {
            return Err(WriteFault::column(name, format!("libsvm holds numbers, and these are {}", cells.what())));
        }
        if (0..frame.rows).any(|row| cells.is_missing(row)) {
            let remedy = setting("to", "parquet");
            let message = format!("libsvm has no missing value (what a row leaves out is 0): try {remedy}");
            return Err(WriteFault::column(name, message));
        }
    }
    let Some((label, features)) = frame.columns.split_last() else { return Ok(()) };
    for row in 0..frame.rows {
        write!(out, "{}", label.text(row).unwrap_or_default())?;
        for (place, cells) in features.iter().enumerate() {
            let text = cells.text(row).unwrap_or_default();
            // The largest index in the file determines the number of columns.
            let last = row == 0 && place + 1 == features.len();
            if text != "0" || last {
                write!(out, " {}:{text}", place + 1)?;
            }
        }
        out.write_all(b"\n")?;
    }
    Ok(())
}

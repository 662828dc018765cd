//! Writes JSON Lines: one object in each line, with all columns; `null` for a missing value.

use std::io::Write;

use super::{Written, check_dates_as_text};
use crate::data::frame::{Cells, Frame};

pub(super) fn write(frame: &Frame, out: &mut dyn Write) -> Written {
    check_dates_as_text(frame)?;
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let keys: Vec<String> = frame.names.iter().map(|name| quoted(name)).collect();
    for row in 0..frame.rows {
        let mut between = "{";
        for (key, cells) in keys.iter().zip(&frame.columns) {
            write!(out, "{between}{key}:")?;
            match (cells, cells.text(row)) {
                (_, None) => out.write_all(b"null")?,
                (Cells::Numbers(_) | Cells::Whole(_), Some(text)) => out.write_all(text.as_bytes())?,
                (_, Some(text)) => out.write_all(quoted(&text).as_bytes())?,
            }
            between = ",";
        }
        out.write_all(b"}\n")?;
    }
    Ok(())
}

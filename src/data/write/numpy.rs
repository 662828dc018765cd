//! Writes NumPy files: a matrix of doubles, or an archive with a vector for each column.

use std::io::{self, Write};

use zip::write::{SimpleFileOptions, ZipWriter};

use super::{WriteFault, Written};
use crate::data::date::DateUnit;
use crate::data::frame::{Cells, Frame};
use crate::data::table::MISSING;
use crate::data::ticks::Ticks;
use crate::option_text::setting;

/// The header's length is a multiple of this, so the values are aligned.
const BLOCK: usize = 64;
/// `NaT`, NumPy's missing date.
const NO_DATE: i64 = i64::MIN;

/// Writes all columns as one array `[rows, columns]` of doubles.
pub(super) fn write_array(frame: &Frame, out: &mut dyn Write) -> Written {
    let mut columns = Vec::with_capacity(frame.columns.len());
    for (name, cells) in frame.named() {
        match cells {
            Cells::Numbers(values) => columns.push(values),
            other => {
                let (what, remedy) = (other.what(), setting("to", "npz"));
                let message = format!("one array holds numbers, and these are {what}: try {remedy}");
                return Err(WriteFault::column(name, message));
            }
        }
    }
    write_header("<f8", &format!("({}, {})", frame.rows, columns.len()), out)?;
    for row in 0..frame.rows {
        columns.iter().try_for_each(|values| out.write_all(&values[row].to_le_bytes()))?;
    }
    Ok(())
}

/// Writes an archive with a vector for each column, named after the column.
pub(super) fn write_archive(frame: &Frame, out: &mut dyn Write) -> Written {
    check_names(frame)?;
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored).large_file(true);
    let mut archive = ZipWriter::new_stream(out);
    for (name, cells) in frame.named() {
        archive.start_file(format!("{name}.npy"), options).map_err(io::Error::from)?;
        write_vector(name, cells, frame.rows, &mut archive)?;
    }
    archive.finish().map_err(io::Error::from)?;
    Ok(())
}

/// Refuses tables that would be read differently from an archive.
fn check_names(frame: &Frame) -> Written {
    if let [only] = frame.names.as_slice() {
        let remedy = setting("to", "npy");
        return Err(WriteFault::column(only, format!("an archive of one array does not keep its name: try {remedy}")));
    }
    match frame.names.iter().find(|name| name.eq_ignore_ascii_case("X")) {
        Some(name) => Err(WriteFault::column(
            name,
            format!(
                "an archive with an array of this name is read as features X and labels y: rename the column, or try {}",
                setting("to", "parquet")
            ),
        )),
        None => Ok(()),
    }
}

fn write_vector(name: &str, cells: &Cells, rows: usize, out: &mut dyn Write) -> Written {
    let shape = format!("({rows},)");
    match cells {
        Cells::Numbers(values) => {
            write_header("<f8", &shape, out)?;
            values.iter().try_for_each(|value| out.write_all(&value.to_le_bytes()))?;
        }
        Cells::Whole(values) => match values.iter().copied().collect::<Option<Vec<i64>>>() {
            Some(values) => write_integers("<i8", &shape, &values, out)?,
            None => {
                let message = format!(
                    "NumPy's whole numbers have no missing value, and a double does not hold these: try {}",
                    setting("to", "parquet")
                );
                return Err(WriteFault::column(name, message));
            }
        },
        Cells::Dates(_, DateUnit::Clock) => {
            let message = format!("NumPy has no type for times of day: try {}", setting("to", "parquet"));
            return Err(WriteFault::column(name, message));
        }
        Cells::Dates(..) | Cells::Moments(_) => {
            let (values, unit) = match cells {
                Cells::Dates(values, unit) => (values, unit),
                // NumPy's times name no offset.
                Cells::Moments(values) => (values, &DateUnit::Seconds),
                _ => unreachable!("times"),
            };
            let Some(ticks) = Ticks::of(values, *unit) else {
                let message = format!("NumPy's 64 bits do not hold these times: try {}", setting("to", "csv"));
                return Err(WriteFault::column(name, message));
            };
            let integers: Vec<i64> = ticks.counts.iter().map(|count| count.unwrap_or(NO_DATE)).collect();
            let tick = match (unit, ticks.per_second) {
                (DateUnit::Days, _) => "D",
                (_, 1_000) => "ms",
                (_, 1_000_000) => "us",
                _ => "ns",
            };
            write_integers(&format!("<M8[{tick}]"), &shape, &integers, out)?;
        }
        Cells::Text { codes, levels } => write_texts(name, (codes, levels), &shape, out)?,
    }
    Ok(())
}

fn write_integers(element: &str, shape: &str, values: &[i64], out: &mut dyn Write) -> io::Result<()> {
    write_header(element, shape, out)?;
    values.iter().try_for_each(|value| out.write_all(&value.to_le_bytes()))
}

/// Writes texts as characters of four bytes, padded to the longest text. A missing text becomes an empty one.
fn write_texts(name: &str, (codes, levels): (&[u32], &[String]), shape: &str, out: &mut dyn Write) -> Written {
    if levels.iter().any(|level| level.contains('\0')) {
        let message = format!("NumPy ends a text at its NUL character: try {}", setting("to", "parquet"));
        return Err(WriteFault::column(name, message));
    }
    let longest = levels.iter().map(|level| level.chars().count()).max().unwrap_or(0).max(1);
    let padded = |level: &str| -> Vec<u8> {
        let characters = level.chars().map(u32::from).chain(std::iter::repeat(0)).take(longest);
        characters.flat_map(u32::to_le_bytes).collect()
    };
    write_header(&format!("<U{longest}"), shape, out)?;
    let (levels, none): (Vec<Vec<u8>>, _) = (levels.iter().map(|level| padded(level)).collect(), padded(""));
    let bytes = |code: &u32| if *code == MISSING { &none } else { &levels[*code as usize] };
    codes.iter().try_for_each(|code| out.write_all(bytes(code)))?;
    Ok(())
}

/// Writes the header of an array in NumPy's format 1.0. `shape` is in Python's notation, such as `(3,)`.
pub(crate) fn write_header(element: &str, shape: &str, out: &mut dyn Write) -> io::Result<()> {
    let text = format!("{{'descr': '{element}', 'fortran_order': False, 'shape': {shape}, }}");
    // Signature, version and length take 10 bytes. The header ends with a line feed.
    let length = (10 + text.len() + 1).next_multiple_of(BLOCK) - 10;
    out.write_all(b"\x93NUMPY\x01\0")?;
    out.write_all(&(length as u16).to_le_bytes())?;
    writeln!(out, "{text:width$}", width = length - 1)
}

//! Writes tables to files, in all formats that can be read except IDX.

mod delimited;
mod json_lines;
mod libsvm;
mod numpy;
mod pack;
mod packing;
mod parquet;

use std::io::{self, Write};
use std::path::Path;

pub(crate) use numpy::write_header;
pub use packing::Packing;

use super::format::of_name;
use super::frame::{Cells, Frame};
use super::options::Format;
use super::source::Source;
use super::ticks::is_moment_kept_as_text;
use crate::option_text::setting;
use crate::{Error, Result};

/// Reason why a table was not written.
enum WriteFault {
    /// A failure of the system.
    Io(io::Error),
    /// The format cannot hold a column (with its name), or the whole table.
    Unfit(Option<String>, String),
}

impl From<io::Error> for WriteFault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl WriteFault {
    /// The error for a column that the format cannot hold.
    fn column(name: &str, message: impl Into<String>) -> Self {
        Self::Unfit(Some(name.to_owned()), message.into())
    }
}

type Written = std::result::Result<(), WriteFault>;

/// Format and compression of a file to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Destination {
    format: Format,
    packing: Packing,
}

impl Destination {
    /// The format `asked`, or else the one that the name indicates. The file is compressed if its name ends with `.gz`
    /// or `.zst`.
    ///
    /// # Errors
    /// [`Error::Usage`] if no format is given or indicated, and for IDX, which cannot be written.
    pub fn new(path: &Path, asked: Option<Format>) -> Result<Self> {
        let name = path.to_string_lossy().to_lowercase();
        let (packing, bare) = Packing::of(&name);
        let by_name = || if bare.ends_with(".csv") { Some(Format::Csv) } else { of_name(&Source::new(path)) };
        let shown = path.display();
        match asked.filter(|format| *format != Format::Auto).or_else(by_name) {
            Some(Format::Idx) => {
                let remedy = setting("to", "npy");
                Err(Error::Usage(format!("{shown}: IDX is read, not written: try {remedy}")))
            }
            Some(format) => Ok(Self { format, packing }),
            None => Err(Error::Usage(format!(
                "{shown}: the name says no format: end it with .csv, .tsv, .jsonl, .parquet, .npy, .npz, .pack or .libsvm, or \
                 say {}",
                setting("to", "FORMAT")
            ))),
        }
    }

    /// The format.
    pub fn format(&self) -> Format {
        self.format
    }

    /// What the format does not preserve, if anything.
    pub fn loss(&self, frame: &Frame) -> Option<String> {
        let renamed =
            |names: String| Some(format!("names of columns are not kept in {}: they are {names}", self.format));
        let last = frame.names.len().saturating_sub(1);
        match self.format {
            Format::Npy => renamed(format!("c0 … c{last}")),
            Format::Libsvm => {
                let label = frame.names.last().map_or("", String::as_str);
                renamed(format!("f1 … f{last}, and {label} is the label"))
            }
            _ => None,
        }
    }

    /// Writes a table. `path` is used in messages.
    ///
    /// # Errors
    /// [`Error::Mismatch`] that names the column that the format cannot hold, [`Error::Io`] for failures of the system.
    pub fn write(&self, frame: &Frame, path: &Path, out: &mut (dyn Write + Send)) -> Result<()> {
        let written = self.packing.pack(out, |out| self.write_plain(frame, path, out));
        written.map_err(|fault| match fault {
            WriteFault::Io(error) => Error::io(path, error),
            WriteFault::Unfit(column, message) => {
                let column = column.map(|name| format!(", column \"{name}\"")).unwrap_or_default();
                Error::Mismatch(format!("{}{column}: {message}", path.display()))
            }
        })
    }

    fn write_plain(&self, frame: &Frame, path: &Path, out: &mut (dyn Write + Send)) -> Written {
        match self.format {
            Format::Csv | Format::Auto => delimited::write(frame, (b',', path), out)?,
            Format::Tsv => delimited::write(frame, (b'\t', path), out)?,
            Format::Jsonl => json_lines::write(frame, out)?,
            Format::Parquet => parquet::write(frame, out)?,
            Format::Npy => numpy::write_array(frame, out)?,
            Format::Npz => numpy::write_archive(frame, out)?,
            Format::Pack => pack::write(frame, out)?,
            Format::Libsvm => libsvm::write(frame, out)?,
            Format::Idx => unreachable!("IDX is refused when the destination is made"),
        }
        Ok(out.flush()?)
    }
}

/// Refuses dates whose text would not be parsed to the same number.
fn check_dates_as_text(frame: &Frame) -> Written {
    for (name, cells) in frame.named() {
        let (values, is_kept): (_, &dyn Fn(f64) -> bool) = match cells {
            Cells::Dates(values, unit) => (values, &|value| unit.is_kept_as_text(value)),
            Cells::Moments(values) => (values, &is_moment_kept_as_text),
            _ => continue,
        };
        let lost = |value: &f64| !value.is_nan() && !is_kept(*value);
        if let Some(value) = values.iter().find(|value| lost(value)) {
            let message = format!("text does not hold the time {value} exactly: try {}", setting("to", "parquet"));
            return Err(WriteFault::column(name, message));
        }
    }
    Ok(())
}

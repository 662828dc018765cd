//! Compression of files, determined by the end of their names.

use std::io::{self, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::data::format::of_name;
use crate::data::source::Source;
use crate::{Error, Result};

/// Zstandard level, which is the library's default.
const ZSTD_LEVEL: i32 = 3;
/// Number of bytes that are compressed at a time.
const BUFFER: usize = 1 << 18;

/// Compression of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// No compression.
    None,
    /// Gzip.
    Gzip,
    /// Zstandard.
    Zstd,
}

impl Packing {
    /// The compression from the end of a lower-case name, `.gz` or `.zst`, and the name without it.
    pub(super) fn of(name: &str) -> (Packing, &str) {
        match (name.strip_suffix(".gz"), name.strip_suffix(".zst")) {
            (Some(bare), _) => (Packing::Gzip, bare),
            (_, Some(bare)) => (Packing::Zstd, bare),
            _ => (Packing::None, name),
        }
    }

    /// The compression for a file of predictions, which are CSV.
    ///
    /// # Errors
    /// [`Error::Usage`] for a name that indicates another format.
    pub fn of_csv(path: &Path) -> Result<Packing> {
        let packing = Packing::of(&path.to_string_lossy().to_lowercase()).0;
        match of_name(&Source::new(path)) {
            None => Ok(packing),
            Some(format) => Err(Error::Usage(format!(
                "{}: predictions are CSV, and the name says {format}: end it with .csv, and let data convert make a file of \
                 format {format} from it",
                path.display()
            ))),
        }
    }

    /// Compresses what `write` writes, and writes it to `out`.
    ///
    /// # Errors
    /// Those of `write`, and failures of the system.
    pub fn pack<T, E: From<io::Error>>(
        self,
        out: &mut (dyn Write + Send),
        write: impl FnOnce(&mut (dyn Write + Send)) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        match self {
            Packing::None => buffered(out, write),
            Packing::Gzip => {
                let mut packed = GzEncoder::new(out, Compression::default());
                let written = buffered(&mut packed, write)?;
                packed.finish()?.flush()?;
                Ok(written)
            }
            Packing::Zstd => {
                let mut packed = zstd::stream::write::Encoder::new(out, ZSTD_LEVEL)?;
                let written = buffered(&mut packed, write)?;
                packed.finish()?.flush()?;
                Ok(written)
            }
        }
    }
}

fn buffered<T, E: From<io::Error>>(
    out: &mut (dyn Write + Send),
    write: impl FnOnce(&mut (dyn Write + Send)) -> std::result::Result<T, E>,
) -> std::result::Result<T, E> {
    let mut buffer = io::BufWriter::with_capacity(BUFFER, out);
    let written = write(&mut buffer)?;
    buffer.flush()?;
    Ok(written)
}

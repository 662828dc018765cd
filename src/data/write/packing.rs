//! How a file is packed, by the end of its name.

use std::io::{self, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::data::format::of_name;
use crate::data::source::Source;
use crate::{Error, Result};

/// Level of Zstandard: the library's own.
const ZSTD_LEVEL: i32 = 3;
/// Bytes that are packed at a time.
const BUFFER: usize = 1 << 18;

/// How a file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// Not at all.
    None,
    /// By gzip.
    Gzip,
    /// By Zstandard.
    Zstd,
}

impl Packing {
    /// What the end of a name in lower case says, `.gz` or `.zst`, and the name without it.
    pub(super) fn of(name: &str) -> (Packing, &str) {
        match (name.strip_suffix(".gz"), name.strip_suffix(".zst")) {
            (Some(bare), _) => (Packing::Gzip, bare),
            (_, Some(bare)) => (Packing::Zstd, bare),
            _ => (Packing::None, name),
        }
    }

    /// That of a file of predictions, which are CSV.
    ///
    /// # Errors
    /// [`Error::Usage`] for a name that promises another format.
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

    /// Writes to `out` what `write` writes, packed.
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

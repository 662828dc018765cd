//! Threads and instructions.

use super::reader::Reader;
use crate::Result;
use crate::kernel::Isa;

/// The most threads.
pub(super) const MOST_THREADS: u64 = 1024;

/// Threads and instructions.
#[derive(Debug, Clone)]
pub struct ThreadOptions {
    /// The most threads; `None` for the available CPUs.
    pub threads: Option<usize>,
    /// Whether exactly this number is used.
    pub exact: bool,
    /// The instruction set of the kernels.
    pub isa: Isa,
}

impl ThreadOptions {
    /// Reads the options.
    ///
    /// # Errors
    /// [`crate::Error::Option`] for wrong values.
    pub(super) fn read(reader: &Reader) -> Result<ThreadOptions> {
        let threads = reader.count("threads", 1, &["auto"])?;
        if threads.is_some_and(|n| n > MOST_THREADS) {
            return Err(reader.wrong("threads", &format!("expected at most {MOST_THREADS}")));
        }
        Ok(ThreadOptions {
            threads: threads.map(|n| n as usize),
            exact: reader.switch("exact_threads")?,
            isa: isa(reader)?,
        })
    }
}

/// The instruction set of `--isa`.
pub(super) fn isa(reader: &Reader) -> Result<Isa> {
    let isa = reader.with("isa", |text| {
        let available = Isa::available();
        let named = available.iter().find(|isa| isa.name() == text).copied();
        let isa = if text == "auto" { Some(Isa::detect()) } else { named };
        isa.ok_or_else(|| {
            let names: Vec<&str> = available.iter().map(|isa| isa.name()).collect();
            format!("expected auto or one that this CPU runs ({}), found \"{text}\"", names.join(", "))
        })
    })?;
    Ok(isa.unwrap_or_else(Isa::detect))
}

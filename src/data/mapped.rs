//! The bytes of a file, mapped into memory: the system reads a page when it is looked at, and may drop it again.

use std::fs::File;
use std::io;
use std::ops::{Deref, Range};

use memmap2::{Advice, Mmap, UncheckedAdvice};

/// Bytes of a file that is mapped, or bytes in memory.
pub(super) enum Mapped {
    File(Mmap),
    Memory(Vec<u8>),
}

impl Mapped {
    /// Maps a file.
    ///
    /// # Errors
    /// Those of the system.
    pub(super) fn file(file: &File) -> io::Result<Self> {
        // SAFETY: the map is read-only. Packs are replaced by a rename and never changed in place, so the bytes stay as they
        // are; docs/formats.md forbids other programs to change them meanwhile. Whatever the bytes are, they are checked when
        // they are read, and nothing that was found is believed again later.
        let map = unsafe { Mmap::map(file) }?;
        Ok(Self::File(map))
    }

    /// Asks the system for some bytes before they are looked at.
    pub(super) fn read_ahead(&self, bytes: Range<usize>) {
        if let Self::File(map) = self {
            // Where the system does not know the request, pages come when they are looked at.
            let _ = map.advise_range(Advice::WillNeed, bytes.start, bytes.len());
        }
    }

    /// Lets the system take back the pages of some bytes; who looks at them again reads them from the file again.
    pub(super) fn forget(&self, bytes: Range<usize>) {
        if let Self::File(map) = self {
            // SAFETY: pages of a shared, read-only map of a file hold nothing but the file's bytes, so dropping them changes
            // no byte that anyone sees.
            let _ = unsafe { map.unchecked_advise_range(UncheckedAdvice::DontNeed, bytes.start, bytes.len()) };
        }
    }
}

impl Deref for Mapped {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::File(map) => map,
            Self::Memory(bytes) => bytes,
        }
    }
}

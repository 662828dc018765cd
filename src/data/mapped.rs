//! Bytes of a file that is mapped into memory. The system reads pages when they are accessed, and may drop them again.

use std::fs::File;
use std::io;
use std::ops::{Deref, Range};

use memmap2::{Advice, Mmap, UncheckedAdvice};

/// The bytes of a mapped file, or bytes in memory.
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
        // SAFETY: the map is read-only. Packs are replaced by a rename and never modified in place, so the bytes do not
        // change; docs/formats.md forbids other programs to modify them while they are mapped. Bytes are checked each
        // time they are read, and no later access relies on an earlier check.
        let map = unsafe { Mmap::map(file) }?;
        Ok(Self::File(map))
    }

    /// Asks the system to read some bytes in advance.
    pub(super) fn read_ahead(&self, bytes: Range<usize>) {
        if let Self::File(map) = self {
            // If the system does not support the request, pages are read when they are accessed.
            let _ = map.advise_range(Advice::WillNeed, bytes.start, bytes.len());
        }
    }

    /// Allows the system to drop the pages of some bytes. They are read from the file again if they are accessed later.
    pub(super) fn forget(&self, bytes: Range<usize>) {
        if let Self::File(map) = self {
            // SAFETY: the pages of a shared, read-only file map contain only the file's bytes, so dropping them changes
            // no visible byte.
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

//! Bytes that can be read at any offset, in a file or in memory.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// Bytes that can be read at any offset.
pub(super) enum Store {
    /// A file and its length.
    File(Mutex<File>, u64),
    /// Bytes in memory.
    Memory(Bytes),
}

impl From<Vec<u8>> for Store {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Memory(bytes.into())
    }
}

impl Store {
    /// A store of a file.
    pub(super) fn file(file: File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        Ok(Self::File(Mutex::new(file), length))
    }

    /// Number of bytes.
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::File(_, length) => *length,
            Self::Memory(bytes) => bytes.len() as u64,
        }
    }

    /// `length` bytes from `start`. No memory is allocated for bytes that do not exist.
    ///
    /// # Errors
    /// `UnexpectedEof` if there are fewer bytes.
    pub(super) fn read_at(&self, start: u64, length: usize) -> io::Result<Bytes> {
        let end = start.checked_add(length as u64).filter(|end| *end <= self.len());
        let Some(end) = end else {
            let message = format!("expected {length} bytes at {start}, of {} in all", self.len());
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, message));
        };
        match self {
            Self::Memory(bytes) => Ok(bytes.slice(start as usize..end as usize)),
            Self::File(file, _) => {
                let mut bytes = vec![0; length];
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                file.seek(SeekFrom::Start(start))?;
                file.read_exact(&mut bytes)?;
                Ok(bytes.into())
            }
        }
    }
}

/// A store as a seekable stream.
pub(super) struct StoreReader {
    store: Arc<Store>,
    at: u64,
}

impl StoreReader {
    /// A stream that starts at `start`.
    pub(super) fn new(store: Arc<Store>, start: u64) -> Self {
        Self { store, at: start }
    }
}

impl Read for StoreReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.store.len().saturating_sub(self.at);
        let count = (buffer.len() as u64).min(left) as usize;
        buffer[..count].copy_from_slice(&self.store.read_at(self.at, count)?);
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for StoreReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.store.len().checked_add_signed(by),
        };
        self.at = place.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a place before the first byte"))?;
        Ok(self.at)
    }
}

//! Limits for memory that a file may claim: a few bytes can claim, or unpack to, any size.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Number of bytes that any file may take in memory.
const ROOM: u64 = 64 << 20;
/// Largest number of bytes for each byte of a file. Tables of numbers and text are rarely compressed to a hundredth.
const EXPANSION: u64 = 1000;
/// Bytes of a cell in memory.
const CELL: u64 = size_of::<f64>() as u64;
/// Bytes of a column without its cells: its name and metadata.
const COLUMN: u64 = 1024;

/// Upper limit of the memory for a file of `file` bytes.
pub(super) fn most_bytes(file: u64) -> u64 {
    ROOM.max(file.saturating_mul(EXPANSION))
}

/// Whether this many rows and columns exceed the limit for a file of `file` bytes.
pub(super) fn is_too_large((rows, columns): (u64, u64), file: u64) -> bool {
    rows.saturating_mul(CELL).saturating_add(COLUMN).saturating_mul(columns) > most_bytes(file)
}

/// Number of rows to reserve memory for in each of `columns` columns, if `likely` rows are expected but not certain.
pub(super) fn reserved_rows(likely: usize, columns: usize) -> usize {
    likely.min((ROOM / CELL) as usize / columns.max(1))
}

/// A reader that counts the bytes that are read.
pub(super) struct CountingReader<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl<R> CountingReader<R> {
    /// Counts from 0. The returned counter can be read elsewhere.
    pub(super) fn new(inner: R) -> (Self, Arc<AtomicU64>) {
        let count = Arc::new(AtomicU64::new(0));
        (Self { inner, count: Arc::clone(&count) }, count)
    }
}

impl<R: Read> Read for CountingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.count.fetch_add(read as u64, Relaxed);
        Ok(read)
    }
}

/// A decompressed stream. Reading fails if the output is too large for the compressed input.
pub(super) struct Unpacked<R> {
    inner: R,
    packed: Arc<AtomicU64>,
    unpacked: u64,
}

impl<R> Unpacked<R> {
    /// `packed` counts the compressed bytes.
    pub(super) fn new(inner: R, packed: Arc<AtomicU64>) -> Self {
        Self { inner, packed, unpacked: 0 }
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.unpacked += read as u64;
        let packed = self.packed.load(Relaxed);
        if self.unpacked > most_bytes(packed) {
            let message = format!("{packed} bytes unpack to more than {} MB", most_bytes(packed) >> 20);
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_may_unpack_to_a_thousand_times_its_size() {
        let unpack = |packed: u64, unpacked: u64| {
            let (mut raw, count) = CountingReader::new(io::repeat(0).take(packed));
            io::copy(&mut raw, &mut io::sink()).unwrap();
            io::copy(&mut Unpacked::new(io::repeat(0).take(unpacked), count), &mut io::sink())
        };
        assert_eq!(unpack(1, ROOM).unwrap(), ROOM);
        let large = ROOM / EXPANSION + 1;
        assert_eq!(unpack(large, large * EXPANSION).unwrap(), large * EXPANSION);
        for (packed, unpacked) in [(1, ROOM + 1), (large, large * EXPANSION + 1)] {
            let error = unpack(packed, unpacked).unwrap_err().to_string();
            assert!(error.contains(&format!("{packed} bytes unpack to more than 64 MB")), "{error}");
        }
    }

    #[test]
    fn no_claim_overflows() {
        assert_eq!(most_bytes(u64::MAX), u64::MAX);
        assert!(is_too_large((u64::MAX, u64::MAX), 1 << 40));
        assert!(is_too_large((1 << 40, 1), 1000) && !is_too_large((1000, 1000), 1));
        assert!(is_too_large((0, 1 << 20), 20) && !is_too_large((0, 1 << 20), 2 << 20));
        assert_eq!((reserved_rows(10, 0), reserved_rows(usize::MAX, 1 << 22)), (10, 2));
    }
}

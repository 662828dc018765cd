//! Adapts a store to the `parquet` crate's reader.

use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;

use bytes::Bytes;
use parquet::errors::{ParquetError, Result};
use parquet::file::FOOTER_SIZE;
use parquet::file::reader::{ChunkReader, Length};

use super::page_size::refuse_expansion;
use crate::data::store::{Store, StoreReader};

/// Number of bytes that are read ahead for a page header.
const HEADER_BYTES: usize = 512;

/// A store as the `parquet` crate reads it.
pub(super) struct Chunks(pub(super) Arc<Store>);

impl Length for Chunks {
    fn len(&self) -> u64 {
        self.0.len()
    }
}

impl ChunkReader for Chunks {
    type T = PageStart;

    /// The crate reads the footer and page headers as a stream, and everything else with `get_bytes`.
    fn get_read(&self, start: u64) -> Result<Self::T> {
        let bytes = BufReader::with_capacity(HEADER_BYTES, StoreReader::new(Arc::clone(&self.0), start));
        // Bytes that start within the footer's length of the end are the footer, not a page.
        Ok(PageStart { bytes, checked: start.saturating_add(FOOTER_SIZE as u64) >= self.0.len() })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        self.0.read_at(start, length).map_err(|error| ParquetError::External(Box::new(error)))
    }
}

/// The stream of a page header. Its sizes are checked before the crate allocates memory for them.
pub(super) struct PageStart {
    bytes: BufReader<StoreReader>,
    checked: bool,
}

impl Read for PageStart {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.checked {
            refuse_expansion(self.bytes.fill_buf()?)?;
            self.checked = true;
        }
        match self.bytes.read(buffer)? {
            // The crate skips lists in headers. At the end of the file it would skip nothing, once for each claimed element.
            0 if !buffer.is_empty() => {
                Err(io::Error::new(io::ErrorKind::UnexpectedEof, "a page's header ends beyond the file"))
            }
            read => Ok(read),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_does_not_go_on_beyond_the_file() {
        let chunks = Chunks(Arc::new(Store::from(vec![0; 40])));
        let mut start = chunks.get_read(32).unwrap();
        assert_eq!(start.read(&mut [0; 16]).unwrap(), 8);
        assert_eq!(start.read(&mut [0; 16]).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn a_page_is_checked_before_its_header_is_read() {
        let read = |page: &[u8]| {
            let chunks = Chunks(Arc::new(Store::from([page, &[0; 32]].concat())));
            chunks.get_read(0).unwrap().read(&mut [0; 4])
        };
        assert_eq!(read(&[0x15, 0, 0x15, 100, 0x15, 90, 0x2c]).unwrap(), 4);
        let error = read(&[0x15, 0, 0x15, 0xfe, 0xff, 0xff, 0xff, 0x0f, 0x15, 90, 0x2c]).unwrap_err().to_string();
        assert!(error.contains("claims to unpack to 2147483647"), "{error}");
    }
}

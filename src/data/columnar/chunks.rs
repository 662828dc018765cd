//! A store as the `parquet` crate reads it.

use std::io::BufReader;
use std::sync::Arc;

use bytes::Bytes;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

use crate::data::store::{Store, StoreReader};

/// Bytes that are read ahead for the header of a page.
const HEADER_BYTES: usize = 512;

/// A store as the `parquet` crate reads it.
pub(super) struct Chunks(pub(super) Arc<Store>);

impl Length for Chunks {
    fn len(&self) -> u64 {
        self.0.len()
    }
}

impl ChunkReader for Chunks {
    type T = BufReader<StoreReader>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        Ok(BufReader::with_capacity(HEADER_BYTES, StoreReader::new(Arc::clone(&self.0), start)))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        self.0.read_at(start, length).map_err(|error| ParquetError::External(Box::new(error)))
    }
}

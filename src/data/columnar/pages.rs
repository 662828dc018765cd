//! The pages of a Parquet column. The numbers of values that delta encodings claim are checked before the `parquet` crate
//! allocates memory for them.
//!
//! Format: <https://github.com/apache/parquet-format/blob/master/Encodings.md>.

use parquet::basic::Encoding;
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::ChunkReader;
use parquet::file::serialized_reader::SerializedPageReader;

use super::page_size::number;

/// The pages of a column.
pub(super) struct Pages<R: ChunkReader> {
    pages: SerializedPageReader<R>,
    /// Whether cells can be missing.
    optional: bool,
}

impl<R: ChunkReader> Pages<R> {
    /// The pages of a column without nesting.
    pub(super) fn new(pages: SerializedPageReader<R>, optional: bool) -> Self {
        Self { pages, optional }
    }
}

impl<R: ChunkReader> Iterator for Pages<R> {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl<R: ChunkReader> PageReader for Pages<R> {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let page = self.pages.get_next_page()?;
        match &page {
            Some(page) if !is_sound(page, self.optional) => {
                Err(ParquetError::General("a page claims more values than it holds".to_owned()))
            }
            _ => Ok(page),
        }
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.pages.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.pages.skip_next_page()
    }
}

/// Whether the delta encodings of a page claim at most as many numbers as the page has values, and end within the page. True
/// for other encodings.
fn is_sound(page: &Page, optional: bool) -> bool {
    let (bytes, encoding, most) = match page {
        Page::DataPage { buf, num_values, encoding, def_level_encoding, .. } => {
            let levels = match def_level_encoding {
                _ if !optional => Some(0),
                Encoding::RLE => buf.first_chunk().map(|length| 4 + u32::from_le_bytes(*length) as usize),
                _ => Some(num_values.div_ceil(8) as usize),
            };
            (levels.and_then(|levels| buf.get(levels..)), *encoding, *num_values)
        }
        Page::DataPageV2 { buf, num_values, encoding, def_levels_byte_len, rep_levels_byte_len, .. } => {
            let levels = *def_levels_byte_len as usize + *rep_levels_byte_len as usize;
            (buf.get(levels..), *encoding, *num_values)
        }
        Page::DictionaryPage { .. } => return true,
    };
    match encoding {
        Encoding::DELTA_BINARY_PACKED | Encoding::DELTA_LENGTH_BYTE_ARRAY => {
            bytes.and_then(|bytes| after_numbers(bytes, most)).is_some()
        }
        Encoding::DELTA_BYTE_ARRAY => {
            let suffixes = bytes.and_then(|bytes| after_numbers(bytes, most));
            suffixes.and_then(|bytes| after_numbers(bytes, most)).is_some()
        }
        _ => true,
    }
}

/// The bytes after delta-packed numbers. `None` if their header is invalid or claims more than `most` numbers, or if they go
/// on beyond the bytes.
fn after_numbers(mut bytes: &[u8], most: u32) -> Option<&[u8]> {
    let [block, parts, total, _first] = [(); 4].map(|()| number(&mut bytes));
    let (block, parts, total) = (block?, parts?, total?);
    let each = block.checked_div(parts).filter(|each| *each > 0)?;
    if total > u64::from(most) {
        return None;
    }
    let mut left = total.saturating_sub(1);
    while left > 0 {
        number(&mut bytes)?; // the smallest difference
        let widths = bytes.get(..usize::try_from(parts).ok()?)?;
        bytes = &bytes[widths.len()..];
        for width in widths {
            if left == 0 {
                break;
            }
            let length = each.checked_mul(u64::from(*width))? / 8;
            bytes = bytes.get(usize::try_from(length).ok()?..)?;
            left = left.saturating_sub(each);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delta_encoded_numbers_end_where_their_blocks_do() {
        // Blocks of 128 numbers in 4 parts; one number, 5.
        let one = [0x80, 0x01, 4, 1, 10];
        assert_eq!(after_numbers(&[&one[..], &[7, 8]].concat(), 1), Some(&[7, 8][..]));
        assert_eq!(after_numbers(&one, 0), None, "more numbers than values");
        // Three numbers: differences of 2 bits in the first part, 32 of them in 8 bytes; the other parts have none.
        let three = [&[0x80, 0x01, 4, 3, 10, 0, 2, 9, 9, 9][..], &[0xe4; 8], &[7]].concat();
        assert_eq!(after_numbers(&three, 3), Some(&[7][..]));
        assert_eq!(after_numbers(&three[..three.len() - 2], 3), None, "the block is cut short");
        let huge = [&[0x80, 0x01, 4][..], &[0x80; 7], &[0x40, 10]].concat();
        assert_eq!(after_numbers(&huge, u32::MAX), None, "2^55 numbers");
        assert_eq!(after_numbers(&[0x80, 0x01, 0, 1, 10], 1), None, "no parts");
    }
}

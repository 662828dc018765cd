//! Checks the size that a Parquet page header claims for the unpacked page, before the `parquet` crate allocates memory
//! for it.
//!
//! Format: Thrift's compact protocol,
//! <https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md>, and
//! <https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift>. A page header starts with
//! three 32-bit integers: type, unpacked size and size in the file.

use std::io;

/// Unpacked size in bytes that any page may have.
const ROOM: u64 = 16 << 20;
/// Largest unpacked size for each byte of a page.
const EXPANSION: u64 = 1000;
/// Header byte of a field whose number is one above the last field's and whose type is a 32-bit integer.
const NEXT_NUMBER: u8 = 0x15;

/// Refuses a page whose unpacked size is far larger than its size in the file.
///
/// # Errors
/// `InvalidData`, also if the bytes do not start like a page header.
pub(super) fn refuse_expansion(header: &[u8]) -> io::Result<()> {
    let mut bytes = header;
    let mut number = || {
        bytes.split_off_first().filter(|byte| **byte == NEXT_NUMBER)?;
        zigzag(&mut bytes)
    };
    let sizes = number().and_then(|_| Some((number()?, number()?)));
    let (unpacked, packed) =
        sizes.and_then(|(a, b)| Some((u64::try_from(a).ok()?, u64::try_from(b).ok()?))).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, "expected the header of a page, found something else")
        })?;
    if unpacked > ROOM.max(packed.saturating_mul(EXPANSION)) {
        let message = format!("a page of {packed} bytes claims to unpack to {unpacked}");
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    Ok(())
}

/// A zigzag-encoded integer: the lowest bit of a number is the sign.
fn zigzag(bytes: &mut &[u8]) -> Option<i64> {
    number(bytes).map(|number| (number >> 1) as i64 ^ -((number & 1) as i64))
}

/// An unsigned number: seven bits in each byte, least significant first.
pub(super) fn number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..70).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if *byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        let zigzag = |mut bytes: &[u8]| zigzag(&mut bytes);
        assert_eq!([zigzag(&[0]), zigzag(&[1]), zigzag(&[2])], [Some(0), Some(-1), Some(1)]);
        assert_eq!(zigzag(&[0xfe, 0xff, 0xff, 0xff, 0x0f]), Some(i64::from(i32::MAX)));
        assert_eq!([zigzag(&[0x80]), zigzag(&[0x80; 6])], [None, None]);
    }

    #[test]
    fn a_page_that_claims_two_gigabytes_is_refused() {
        let page = |unpacked: &[u8], packed: &[u8]| [&[0x15, 0, 0x15], unpacked, &[0x15], packed, &[0x2c]].concat();
        assert!(refuse_expansion(&page(&[100], &[90])).is_ok());
        let error = refuse_expansion(&page(&[0xfe, 0xff, 0xff, 0xff, 0x0f], &[90])).unwrap_err().to_string();
        assert_eq!(error, "a page of 45 bytes claims to unpack to 2147483647");
        assert!(refuse_expansion(&page(&[0xfe, 0xff, 0xff, 0xff, 0x0f], &[0xfe, 0xff, 0xff, 0x03])).is_ok());
        for wrong in [&[][..], &[0x15], &page(&[1], &[2]), b"PAR1"] {
            assert!(refuse_expansion(wrong).is_err(), "{wrong:?}");
        }
    }
}

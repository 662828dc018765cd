//! Types of elements, and how their values are read.

use bytes::Bytes;

use crate::data::date::{DateUnit, seconds};
use crate::data::value::Value;

/// The type of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ArrayElement {
    pub(super) kind: ElementKind,
    /// Whether the most significant byte comes first.
    pub(super) big_endian: bool,
}

/// The kind of an element. Sizes are in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ElementKind {
    /// 0 or 1.
    Boolean,
    /// Signed integers of 1, 2, 4 or 8 bytes.
    Signed(usize),
    /// Unsigned integers of these sizes.
    Unsigned(usize),
    /// Floating-point numbers of 2, 4 or 8 bytes.
    Float(usize),
    /// Text with one byte for each character, padded with zeros.
    Bytes(usize),
    /// Text with four bytes for each character, padded with zeros; the number of characters.
    Characters(usize),
    /// Dates as an integer number of ticks since 1970-01-01.
    Date(Tick),
}

/// The unit of dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tick {
    /// Days.
    Day,
    /// This many seconds.
    Seconds(i64),
    /// A fraction of a second; this many are one second.
    Fraction(i64),
}

/// Equally spaced elements.
pub(super) struct Strided {
    pub(super) bytes: Bytes,
    pub(super) start: usize,
    pub(super) stride: usize,
    pub(super) count: usize,
}

impl ArrayElement {
    /// Size of an element in bytes.
    pub(super) fn size(self) -> usize {
        match self.kind {
            ElementKind::Boolean => 1,
            ElementKind::Signed(size)
            | ElementKind::Unsigned(size)
            | ElementKind::Float(size)
            | ElementKind::Bytes(size) => size,
            ElementKind::Characters(count) => 4 * count,
            ElementKind::Date(_) => 8,
        }
    }

    /// Passes the value of each element to `push`, with its number. Stops at the first unreadable element and returns
    /// its number.
    pub(super) fn each(
        self,
        cells: &Strided,
        mut push: impl FnMut(usize, Value<'_>),
    ) -> std::result::Result<(), (usize, String)> {
        let size = self.size();
        let bytes_of = |row: usize| {
            let start = cells.start + row * cells.stride;
            &cells.bytes[start..start + size]
        };
        let rows = 0..cells.count;
        match (self.kind, self.big_endian) {
            // The most common types have their own loops.
            (ElementKind::Float(8), false) => {
                rows.for_each(|row| push(row, Value::Number(f64::from_le_bytes(array(bytes_of(row))))));
            }
            (ElementKind::Float(4), false) => {
                rows.for_each(|row| push(row, Value::Number(f32::from_le_bytes(array(bytes_of(row))).into())));
            }
            (ElementKind::Bytes(_), _) => {
                for row in rows {
                    push(row, Value::Text(ascii(bytes_of(row)).map_err(|message| (row, message))?));
                }
            }
            (ElementKind::Characters(_), big) => {
                for row in rows {
                    push(row, Value::Text(&characters(bytes_of(row), big).map_err(|message| (row, message))?));
                }
            }
            (kind, big) => rows.for_each(|row| push(row, value(kind, bytes_of(row), big))),
        }
        Ok(())
    }
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().expect("an element has the size of its type")
}

/// The value of a number, a truth value or a date.
fn value(kind: ElementKind, bytes: &[u8], big_endian: bool) -> Value<'static> {
    // Extended to eight bytes, least significant first.
    let mut little = [0; 8];
    let size = bytes.len();
    little[..size].copy_from_slice(bytes);
    if big_endian {
        little[..size].reverse();
    }
    let unsigned = u64::from_le_bytes(little);
    let signed = || (unsigned << (64 - 8 * size)) as i64 >> (64 - 8 * size);
    match kind {
        ElementKind::Boolean => Value::boolean(unsigned != 0),
        ElementKind::Signed(_) => Value::whole(signed()),
        ElementKind::Unsigned(_) => Value::whole(unsigned),
        ElementKind::Float(2) => Value::Number(half(unsigned as u16)),
        ElementKind::Float(4) => Value::Number(f32::from_bits(unsigned as u32).into()),
        ElementKind::Float(_) => Value::Number(f64::from_bits(unsigned)),
        ElementKind::Date(_) if signed() == i64::MIN => Value::Missing,
        ElementKind::Date(Tick::Day) => Value::Date(signed() as f64, DateUnit::Days),
        ElementKind::Date(Tick::Seconds(count)) => Value::Date(signed() as f64 * count as f64, DateUnit::Seconds),
        ElementKind::Date(Tick::Fraction(parts)) => {
            let nanoseconds = signed().rem_euclid(parts) * (1_000_000_000 / parts);
            Value::Date(seconds(signed().div_euclid(parts), nanoseconds as u32), DateUnit::Seconds)
        }
        ElementKind::Bytes(_) | ElementKind::Characters(_) => Value::Missing,
    }
}

/// A number in IEEE 754 binary16 (half precision): one sign bit, five exponent bits, ten fraction bits.
pub(in crate::data) fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    let size = match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1024.0 + fraction) * 2f64.powi(exponent - 25),
    };
    if bits >> 15 == 1 { -size } else { size }
}

/// Text with one byte for each character, without trailing zeros.
fn ascii(bytes: &[u8]) -> std::result::Result<&str, String> {
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    std::str::from_utf8(&bytes[..end]).map_err(|_| "expected ASCII or UTF-8 text".to_owned())
}

fn characters(bytes: &[u8], big_endian: bool) -> std::result::Result<String, String> {
    let code = |bytes: &[u8]| match big_endian {
        true => u32::from_be_bytes(array(bytes)),
        false => u32::from_le_bytes(array(bytes)),
    };
    let text = bytes.chunks_exact(4).map(|bytes| char::from_u32(code(bytes))).collect::<Option<String>>();
    let text = text.ok_or_else(|| "expected characters, found a number that is none".to_owned())?;
    Ok(text.trim_end_matches('\0').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(kind: ElementKind, big_endian: bool, bytes: &[u8]) -> Vec<String> {
        let element = ArrayElement { kind, big_endian };
        let size = element.size();
        let cells = Strided { bytes: Bytes::copy_from_slice(bytes), start: 0, stride: size, count: bytes.len() / size };
        let mut found = Vec::new();
        element.each(&cells, |_, value| found.push(value.text().into_owned())).unwrap();
        found
    }

    #[test]
    fn numbers_of_every_size_keep_their_values() {
        assert_eq!(values(ElementKind::Signed(1), false, &[255, 127]), ["-1", "127"]);
        assert_eq!(values(ElementKind::Signed(2), true, &[255, 254, 1, 0]), ["-2", "256"]);
        assert_eq!(values(ElementKind::Unsigned(4), false, &[255; 4]), ["4294967295"]);
        assert_eq!(values(ElementKind::Unsigned(8), true, &[255; 8]), ["18446744073709551615"]);
        assert_eq!(values(ElementKind::Signed(8), false, &i64::MIN.to_le_bytes()), ["-9223372036854775808"]);
        assert_eq!(values(ElementKind::Float(4), true, &0.5f32.to_be_bytes()), ["0.5"]);
        assert_eq!(values(ElementKind::Float(8), true, &(-1.25f64).to_be_bytes()), ["-1.25"]);
        assert_eq!(values(ElementKind::Float(8), false, &f64::NAN.to_le_bytes()), [""]);
        assert_eq!(values(ElementKind::Boolean, false, &[0, 1]), ["false", "true"]);
    }

    #[test]
    fn halves_are_exact() {
        for (bits, value) in
            [(0x3c00, 1.0), (0xc000, -2.0), (0x7bff, 65504.0), (1, 2f64.powi(-24)), (0x3555, 0.33325195)]
        {
            assert!((half(bits) - value).abs() < 1e-8, "{bits:x}");
        }
        assert!(half(0x7c00).is_infinite() && half(0x7e00).is_nan());
    }

    #[test]
    fn dates_and_texts_are_read() {
        let day = ElementKind::Date(Tick::Day);
        assert_eq!(values(day, false, &[1i64.to_le_bytes(), i64::MIN.to_le_bytes()].concat()), ["1970-01-02", ""]);
        let milliseconds = ElementKind::Date(Tick::Fraction(1000));
        assert_eq!(values(milliseconds, false, &(-500i64).to_le_bytes()), ["1969-12-31 23:59:59.5"]);
        assert_eq!(values(ElementKind::Bytes(3), false, b"ab\0cde"), ["ab", "cde"]);
        assert_eq!(values(ElementKind::Characters(2), true, &[0, 0, 0, 0xe9, 0, 0, 0, 0]), ["é"]);
    }
}

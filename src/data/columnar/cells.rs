//! Converts values of the `parquet` crate's types to cells.

use parquet::data_type::{ByteArray, FixedLenByteArray, Int96};

use super::kind::ValueKind;
use crate::data::date::{DateUnit, seconds};
use crate::data::matrix::half;
use crate::data::value::{EXACT_WHOLE, Value};

/// Integers up to this one, and powers of ten up to this exponent, are exact in a double, so their quotient is rounded
/// once.
const EXACT_DECIMALS: u32 = 22;
/// 1970-01-01 as a Julian day number.
const EPOCH: i64 = 2_440_588;
const SECONDS_OF_A_DAY: i64 = 86_400;

/// A value of a physical type. The kind of the column tells how to convert it.
pub(super) trait Cell {
    /// Passes the cell to `push`.
    ///
    /// # Errors
    /// A description of what is wrong with the value.
    fn give(&self, kind: ValueKind, push: &mut impl FnMut(Value<'_>)) -> Result<(), String>;
}

impl Cell for bool {
    fn give(&self, _: ValueKind, push: &mut impl FnMut(Value<'_>)) -> Result<(), String> {
        push(Value::boolean(*self));
        Ok(())
    }
}

impl Cell for i32 {
    fn give(&self, kind: ValueKind, push: &mut impl FnMut(Value<'_>)) -> Result<(), String> {
        match kind {
            ValueKind::Unsigned => push(Value::Number(f64::from(*self as u32))),
            _ => whole(i64::from(*self), kind, push),
        }
        Ok(())
    }
}

impl Cell for i64 {
    fn give(&self, kind: ValueKind, push: &mut impl FnMut(Value<'_>)) -> Result<(), String> {
        if kind == ValueKind::Span {
            push(Value::Text(&format!("span {self}")));
            return Ok(());
        }
        whole(*self, kind, push);
        Ok(())
    }
}

fn whole(value: i64, kind: ValueKind, push: &mut impl FnMut(Value<'_>)) {
    match kind {
        ValueKind::Unsigned => push(Value::whole(value as u64)),
        ValueKind::Decimal(decimals) => decimal(value.into(), decimals, push),
        ValueKind::Date => push(Value::Date(value as f64, DateUnit::Days)),
        ValueKind::Timestamp(parts) => push(Value::Date(since(value, parts), DateUnit::Seconds)),
        ValueKind::Moment(parts) => push(Value::Moment(since(value, parts))),
        ValueKind::Time(parts) => push(Value::Date(since(value, parts), DateUnit::Clock)),
        _ => push(Value::whole(value)),
    }
}

/// Converts a time to seconds. `parts` is the number of its units in a second.
fn since(value: i64, parts: i64) -> f64 {
    seconds(value.div_euclid(parts), (value.rem_euclid(parts) * (1_000_000_000 / parts)) as u32)
}

impl Cell for Int96 {
    fn give(&self, _: ValueKind, push: &mut impl FnMut(Value<'_>)) -> Result<(), String> {
        let [low, high, day] = *self.data() else { return Err("expected a time of 12 bytes".to_owned()) };
        let nanoseconds = (u64::from(high) << 32 | u64::from(low)) as i64;
        let (whole, rest) = (nanoseconds.div_euclid(1_000_000_000), nanoseconds.rem_euclid(1_000_000_000));
        let days = i64::from(day as i32) - EPOCH;
        push(Value::Date(seconds(days * SECONDS_OF_A_DAY + whole, rest as u32), DateUnit::Seconds));
        Ok(())
    }
}

impl Cell for f32 {
    fn give(&self, _: ValueKind, push: &mut impl FnMut(Value<'_>)) -> Result<(), String> {
        push(Value::Number(f64::from(*self)));
        Ok(())
    }
}

impl Cell for f64 {
    fn give(&self, _: ValueKind, push: &mut impl FnMut(Value<'_>)) -> Result<(), String> {
        push(Value::Number(*self));
        Ok(())
    }
}

impl Cell for ByteArray {
    fn give(&self, kind: ValueKind, push: &mut impl FnMut(Value<'_>)) -> Result<(), String> {
        of_bytes(self.data(), kind, push)
    }
}

impl Cell for FixedLenByteArray {
    fn give(&self, kind: ValueKind, push: &mut impl FnMut(Value<'_>)) -> Result<(), String> {
        of_bytes(self.data(), kind, push)
    }
}

fn of_bytes(bytes: &[u8], kind: ValueKind, push: &mut dyn FnMut(Value<'_>)) -> Result<(), String> {
    match (kind, bytes) {
        (ValueKind::Decimal(decimals), bytes) if bytes.len() <= 16 => {
            // Two's complement, most significant byte first.
            let sign = if bytes.first().is_some_and(|byte| byte & 0x80 != 0) { -1 } else { 0 };
            decimal(bytes.iter().fold(sign, |sum: i128, byte| sum << 8 | i128::from(*byte)), decimals, push);
        }
        (ValueKind::Decimal(_), _) => return Err("expected a decimal number of at most 16 bytes".to_owned()),
        (ValueKind::Half, [low, high]) => push(Value::Number(half(u16::from_le_bytes([*low, *high])))),
        (ValueKind::Uuid, bytes) => {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| hex.get(part).unwrap_or_default());
            push(Value::Text(&parts.join("-")));
        }
        (_, bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => push(Value::Text(text)),
            Err(_) => return Err("expected UTF-8 text, found other bytes".to_owned()),
        },
    }
    Ok(())
}

/// The number `value · 10^−decimals`. If it is not exact as a quotient of doubles, its digits are passed on.
fn decimal(value: i128, decimals: u32, push: &mut dyn FnMut(Value<'_>)) {
    if value.abs() <= EXACT_WHOLE && decimals <= EXACT_DECIMALS {
        return push(Value::Number(value as f64 / 10f64.powi(decimals as i32)));
    }
    let digits = format!("{:0width$}", value.unsigned_abs(), width = decimals as usize + 1);
    let (whole, rest) = digits.split_at(digits.len() - decimals as usize);
    let (sign, dot) = (if value < 0 { "-" } else { "" }, if rest.is_empty() { "" } else { "." });
    push(Value::Digits(&format!("{sign}{whole}{dot}{rest}")));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(cell: impl Cell, kind: ValueKind) -> String {
        let mut found = String::new();
        cell.give(kind, &mut |value| found = value.text().into_owned()).unwrap();
        found
    }

    #[test]
    fn decimals_are_the_numbers_that_their_text_is() {
        for (value, decimals, number) in [(12345, 2, "123.45"), (-5, 3, "-0.005"), (7, 0, "7"), (1, 22, "1e-22")] {
            assert_eq!(text(value as i64, ValueKind::Decimal(decimals)), number);
            let bytes = ByteArray::from((value as i128).to_be_bytes().to_vec());
            assert_eq!(text(bytes, ValueKind::Decimal(decimals)), number);
        }
        let long = ByteArray::from((-12_345_678_901_234_567_890_123i128).to_be_bytes().to_vec());
        assert_eq!(text(long, ValueKind::Decimal(4)), "-1234567890123456789.0123");
        assert_eq!(text(ByteArray::from(vec![0xff]), ValueKind::Decimal(1)), "-0.1");
    }

    #[test]
    fn times_are_seconds() {
        assert_eq!(text(-1i64, ValueKind::Timestamp(1_000)), "1969-12-31 23:59:59.999");
        assert_eq!(text(3_600_500i32, ValueKind::Time(1_000)), "01:00:00.5");
        assert_eq!(text(-1i32, ValueKind::Date), "1969-12-31");
        let mut noon = Int96::new();
        noon.set_data((43_200_000_000_000u64 & 0xffff_ffff) as u32, (43_200_000_000_000u64 >> 32) as u32, 2_440_589);
        assert_eq!(text(noon, ValueKind::JulianTime), "1970-01-02 12:00:00");
    }

    #[test]
    fn unsigned_numbers_are_not_negative() {
        assert_eq!(text(-1i32, ValueKind::Unsigned), "4294967295");
        assert_eq!(text(-1i64, ValueKind::Unsigned), "18446744073709551615");
        assert_eq!(text(FixedLenByteArray::from(vec![0, 0x3c]), ValueKind::Half), "1");
    }
}

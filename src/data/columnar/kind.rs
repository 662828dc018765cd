//! Kinds of Parquet columns, by physical and logical type.

use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type};
use parquet::schema::types::ColumnDescriptor;

/// The kind of a column's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueKind {
    /// Truth values.
    Boolean,
    /// Signed integers, and floating-point numbers.
    Number,
    /// Unsigned integers.
    Unsigned,
    /// Integers that are divided by this power of ten.
    Decimal(u32),
    /// Floating-point numbers of two bytes (half precision).
    Half,
    /// Days since 1970-01-01.
    Date,
    /// Time since 1970-01-01, in this many units a second.
    Timestamp(i64),
    /// The same in UTC.
    Moment(i64),
    /// Time since midnight, in this many units a second.
    Time(i64),
    /// A span of time, whose unit is not known.
    Span,
    /// A Julian day and nanoseconds within the day.
    JulianTime,
    /// Text.
    Text,
    /// 16 bytes, written as 8-4-4-4-12 hexadecimal digits.
    Uuid,
    /// No values.
    Nothing,
}

impl ValueKind {
    /// The kind in words; kinds with the same words are treated alike. `None` if there are no values.
    pub(super) fn described(self) -> Option<&'static str> {
        Some(match self {
            ValueKind::Nothing => return None,
            ValueKind::Boolean => "truth values",
            ValueKind::Number | ValueKind::Unsigned | ValueKind::Decimal(_) | ValueKind::Half => "numbers",
            ValueKind::Date | ValueKind::Timestamp(_) | ValueKind::Moment(_) | ValueKind::JulianTime => "dates",
            ValueKind::Time(_) => "times",
            ValueKind::Span => "spans of time",
            ValueKind::Text | ValueKind::Uuid => "text",
        })
    }
}

/// Upper limit of the bytes of a decimal number.
pub(super) const WIDEST_DECIMAL: i32 = 16;
/// Upper limit of the decimals of a decimal number.
const MOST_DECIMALS: i32 = 38;

/// The kind of a column.
///
/// # Errors
/// The name of its type, if the type is not supported.
pub(super) fn kind_of(column: &ColumnDescriptor) -> Result<ValueKind, String> {
    if column.path().parts().len() > 1 || column.max_rep_level() > 0 {
        return Err("nested values (a list, a map or a group): expected one value in each row; flatten it".to_owned());
    }
    let physical = column.physical_type();
    let refused = |what: &str| Err(format!("values of type {what}, which are no numbers, dates or text"));
    let decimal = || match column.type_scale() {
        scale @ 0..=MOST_DECIMALS if column.type_length() <= WIDEST_DECIMAL => Ok(ValueKind::Decimal(scale as u32)),
        _ => Err("decimal numbers of more than 38 digits: convert them to doubles".to_owned()),
    };
    let logical = column.logical_type_ref();
    match (physical, logical, column.converted_type()) {
        (_, Some(LogicalType::Unknown), _) => Ok(ValueKind::Nothing),
        (Type::BOOLEAN, ..) => Ok(ValueKind::Boolean),
        (Type::INT96, ..) => Ok(ValueKind::JulianTime),
        (Type::FLOAT | Type::DOUBLE, ..) => Ok(ValueKind::Number),
        (Type::FIXED_LEN_BYTE_ARRAY, Some(LogicalType::Float16), _) if column.type_length() == 2 => Ok(ValueKind::Half),
        (Type::FIXED_LEN_BYTE_ARRAY, Some(LogicalType::Uuid), _) if column.type_length() == 16 => Ok(ValueKind::Uuid),
        (_, Some(LogicalType::Decimal(_)), _) | (_, None, ConvertedType::DECIMAL) => decimal(),
        (Type::INT32 | Type::INT64, logical, converted) => Ok(of_integer(logical, converted)),
        (Type::BYTE_ARRAY, Some(LogicalType::Bson), _) | (_, _, ConvertedType::BSON) => refused("BSON"),
        (_, Some(LogicalType::Geometry(_) | LogicalType::Geography(_) | LogicalType::Variant(_)), _) => {
            refused("geometry or variant")
        }
        (Type::BYTE_ARRAY, ..) => Ok(ValueKind::Text),
        (_, _, ConvertedType::INTERVAL) => refused("interval"),
        (Type::FIXED_LEN_BYTE_ARRAY, ..) => refused("raw bytes"),
    }
}

fn of_integer(logical: Option<&LogicalType>, converted: ConvertedType) -> ValueKind {
    let parts = |unit: &TimeUnit| match unit {
        TimeUnit::MILLIS => 1_000,
        TimeUnit::MICROS => 1_000_000,
        TimeUnit::NANOS => 1_000_000_000,
    };
    match (logical, converted) {
        (Some(LogicalType::Date), _) | (None, ConvertedType::DATE) => ValueKind::Date,
        (Some(LogicalType::Timestamp(stamp)), _) if stamp.is_adjusted_to_u_t_c => ValueKind::Moment(parts(&stamp.unit)),
        (Some(LogicalType::Timestamp(stamp)), _) => ValueKind::Timestamp(parts(&stamp.unit)),
        (Some(LogicalType::Time(time)), _) => ValueKind::Time(parts(&time.unit)),
        (None, ConvertedType::TIMESTAMP_MILLIS) => ValueKind::Timestamp(1_000),
        (None, ConvertedType::TIMESTAMP_MICROS) => ValueKind::Timestamp(1_000_000),
        (None, ConvertedType::TIME_MILLIS) => ValueKind::Time(1_000),
        (None, ConvertedType::TIME_MICROS) => ValueKind::Time(1_000_000),
        (Some(LogicalType::Integer(integer)), _) if !integer.is_signed => ValueKind::Unsigned,
        (None, ConvertedType::UINT_8 | ConvertedType::UINT_16 | ConvertedType::UINT_32 | ConvertedType::UINT_64) => {
            ValueKind::Unsigned
        }
        _ => ValueKind::Number,
    }
}

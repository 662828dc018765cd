//! Writes Parquet: an optional column of the appropriate type for each column of the table.

use std::io::{self, Write};
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{Type, TypePtr};

use super::{WriteFault, Written};
use crate::data::date::DateUnit;
use crate::data::frame::{Cells, Frame};
use crate::data::table::MISSING;
use crate::data::ticks::Ticks;
use crate::data::value::EXACT;
use crate::option_text::setting;

/// Number of rows in a row group.
const GROUP: usize = 1 << 20;

impl From<ParquetError> for WriteFault {
    fn from(error: ParquetError) -> Self {
        match error {
            ParquetError::External(cause) => match cause.downcast::<io::Error>() {
                Ok(error) => Self::Io(*error),
                Err(cause) => Self::Io(io::Error::other(cause.to_string())),
            },
            other => Self::Io(io::Error::other(other.to_string())),
        }
    }
}

/// A column in a form that Parquet can store.
enum Stored<'a> {
    Doubles(&'a [f64]),
    Integers(Vec<Option<i64>>, Option<LogicalType>),
    Days(Vec<Option<i64>>),
    Texts(&'a [u32], Vec<ByteArray>),
}

pub(super) fn write(frame: &Frame, out: &mut (dyn Write + Send)) -> Written {
    let stored = frame.named().map(|(name, cells)| stored(name, cells)).collect::<Result<Vec<_>, WriteFault>>()?;
    let fields = frame.names.iter().zip(&stored).map(|(name, stored)| stored.field(name)).collect::<Result<_, _>>()?;
    let schema = Arc::new(Type::group_type_builder("table").with_fields(fields).build()?);
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut file = SerializedFileWriter::new(out, schema, Arc::new(properties))?;
    for start in (0..frame.rows).step_by(GROUP) {
        let end = frame.rows.min(start + GROUP);
        let mut group = file.next_row_group()?;
        let mut columns = stored.iter();
        while let (Some(mut writer), Some(stored)) = (group.next_column()?, columns.next()) {
            stored.write(start..end, writer.untyped())?;
            writer.close()?;
        }
        group.close()?;
    }
    file.close()?;
    Ok(())
}

fn stored<'a>(name: &str, cells: &'a Cells) -> Result<Stored<'a>, WriteFault> {
    let unfit = || WriteFault::column(name, format!("64 bits do not hold these times: try {}", setting("to", "csv")));
    Ok(match cells {
        Cells::Numbers(values) if values.iter().all(|value| value.is_nan() || is_integer(*value)) => {
            Stored::Integers(values.iter().map(|value| (!value.is_nan()).then_some(*value as i64)).collect(), None)
        }
        Cells::Numbers(values) => Stored::Doubles(values),
        Cells::Whole(values) => Stored::Integers(values.clone(), None),
        Cells::Dates(values, unit) => {
            let ticks = Ticks::of(values, *unit).ok_or_else(unfit)?;
            match (unit, tick_of(&ticks)) {
                (DateUnit::Days, _) if ticks.counts.iter().flatten().any(|days| i32::try_from(*days).is_err()) => {
                    return Err(unfit());
                }
                (DateUnit::Days, _) => Stored::Days(ticks.counts),
                (DateUnit::Seconds, tick) => Stored::Integers(ticks.counts, Some(LogicalType::timestamp(false, tick))),
                // Times of day in milliseconds would need a 32-bit column.
                (DateUnit::Clock, TimeUnit::MILLIS) => {
                    let counts = ticks.counts.iter().map(|count| count.map(|count| count * 1_000)).collect();
                    Stored::Integers(counts, Some(LogicalType::time(false, TimeUnit::MICROS)))
                }
                (DateUnit::Clock, tick) => Stored::Integers(ticks.counts, Some(LogicalType::time(false, tick))),
            }
        }
        Cells::Moments(values) => {
            let ticks = Ticks::of(values, DateUnit::Seconds).ok_or_else(unfit)?;
            let in_utc = LogicalType::timestamp(true, tick_of(&ticks));
            Stored::Integers(ticks.counts, Some(in_utc))
        }
        Cells::Text { codes, levels } => {
            Stored::Texts(codes, levels.iter().map(|level| ByteArray::from(level.as_str())).collect())
        }
    })
}

fn tick_of(ticks: &Ticks) -> TimeUnit {
    match ticks.per_second {
        1_000 => TimeUnit::MILLIS,
        1_000_000 => TimeUnit::MICROS,
        _ => TimeUnit::NANOS,
    }
}

/// Whether a 64-bit integer represents a double exactly. It does not for negative zero.
fn is_integer(value: f64) -> bool {
    value.fract() == 0.0 && value.abs() < EXACT && !(value == 0.0 && value.is_sign_negative())
}

impl Stored<'_> {
    fn field(&self, name: &str) -> Result<TypePtr, ParquetError> {
        let (physical, logical) = match self {
            Self::Doubles(_) => (Physical::DOUBLE, None),
            Self::Integers(_, logical) => (Physical::INT64, logical.clone()),
            Self::Days(_) => (Physical::INT32, Some(LogicalType::Date)),
            Self::Texts(..) => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        };
        let field = Type::primitive_type_builder(name, physical).with_logical_type(logical);
        field.with_repetition(Repetition::OPTIONAL).build().map(Arc::new)
    }

    /// Writes some rows.
    fn write(&self, rows: std::ops::Range<usize>, writer: &mut ColumnWriter<'_>) -> Result<(), ParquetError> {
        let levels = |present: &mut dyn Iterator<Item = bool>| -> Vec<i16> { present.map(i16::from).collect() };
        match (self, writer) {
            (Self::Doubles(values), ColumnWriter::DoubleColumnWriter(writer)) => {
                let values = &values[rows];
                let present: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
                writer.write_batch(&present, Some(&levels(&mut values.iter().map(|v| !v.is_nan()))), None)?;
            }
            (Self::Integers(values, _), ColumnWriter::Int64ColumnWriter(writer)) => {
                let values = &values[rows];
                let present: Vec<i64> = values.iter().copied().flatten().collect();
                writer.write_batch(&present, Some(&levels(&mut values.iter().map(Option::is_some))), None)?;
            }
            (Self::Days(values), ColumnWriter::Int32ColumnWriter(writer)) => {
                let values = &values[rows];
                let present: Vec<i32> = values.iter().flatten().map(|days| *days as i32).collect();
                writer.write_batch(&present, Some(&levels(&mut values.iter().map(Option::is_some))), None)?;
            }
            (Self::Texts(codes, texts), ColumnWriter::ByteArrayColumnWriter(writer)) => {
                let codes = &codes[rows];
                let present: Vec<ByteArray> =
                    codes.iter().filter(|code| **code != MISSING).map(|code| texts[*code as usize].clone()).collect();
                writer.write_batch(&present, Some(&levels(&mut codes.iter().map(|code| *code != MISSING))), None)?;
            }
            _ => unreachable!("a column is written by the type of its field"),
        }
        Ok(())
    }
}

//! Stored forms of dates and times: integers in typed formats, or text.

use super::date::{DateForm, DateUnit, iso_text, moment_text, seconds};

impl DateUnit {
    /// Whether [`iso_text`] of a value is parsed to the same number.
    pub(super) fn is_kept_as_text(self, value: f64) -> bool {
        DateForm::from(self).parse(&iso_text(value, self)) == Some(value)
    }
}

/// The same for a time in UTC and [`moment_text`].
pub(super) fn is_moment_kept_as_text(value: f64) -> bool {
    DateForm::from(DateUnit::Seconds).parse(&moment_text(value)) == Some(value)
}

/// Dates and times as integers.
pub(super) struct Ticks {
    /// Number of ticks in a second. Days are counted as days.
    pub(super) per_second: i64,
    /// Ticks for each row; `None` if the value is missing.
    pub(super) counts: Vec<Option<i64>>,
}

impl Ticks {
    /// Ticks in days or, for times, in the coarsest of ms, µs and ns that represents all values exactly; `None` if none
    /// does.
    pub(super) fn of(values: &[f64], unit: DateUnit) -> Option<Self> {
        let each = |count: &dyn Fn(f64) -> Option<i64>| -> Option<Vec<Option<i64>>> {
            values.iter().map(|value| if value.is_nan() { Some(None) } else { count(*value).map(Some) }).collect()
        };
        if unit == DateUnit::Days {
            let days = |value: f64| Some(value as i64).filter(|days| *days as f64 == value);
            return Some(Self { per_second: 1, counts: each(&days)? });
        }
        let of = |per_second: i64| {
            let counts = each(&|value| in_ticks(value, per_second))?;
            Some(Self { per_second, counts })
        };
        [1_000, 1_000_000, 1_000_000_000].into_iter().find_map(of)
    }
}

/// Seconds as ticks, if [`seconds`] converts them back to the same number.
fn in_ticks(value: f64, per_second: i64) -> Option<i64> {
    let whole = value.floor() as i64;
    let part = ((value - value.floor()) * per_second as f64).round() as i64;
    let count = whole.checked_mul(per_second)?.checked_add(part)?;
    let nanoseconds = count.rem_euclid(per_second) * (1_000_000_000 / per_second);
    (seconds(count.div_euclid(per_second), nanoseconds as u32) == value).then_some(count)
}

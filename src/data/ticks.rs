//! Dates and times as files hold them: as whole numbers of formats with types, or as text.

use super::date::{DateForm, DateUnit, iso_text, seconds};

impl DateUnit {
    /// Whether a value is read again from [`iso_text`] as the same number. Times of day with decimals are not recognised.
    pub(super) fn is_kept_as_text(self, value: f64) -> bool {
        let whole = self != DateUnit::Clock || value.fract() == 0.0;
        whole && DateForm::from(self).parse(&iso_text(value, self)) == Some(value)
    }
}

/// Dates and times as whole numbers.
pub(super) struct Ticks {
    /// How many make a second; days are counted as days.
    pub(super) per_second: i64,
    /// One for each row, `None` where there is no value.
    pub(super) counts: Vec<Option<i64>>,
}

impl Ticks {
    /// Counts in the coarsest unit of days, or of ms, µs and ns, that gives the same numbers again; `None` if none does.
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

/// Seconds as ticks, where [`seconds`] makes the same number of them.
fn in_ticks(value: f64, per_second: i64) -> Option<i64> {
    let whole = value.floor() as i64;
    let part = ((value - value.floor()) * per_second as f64).round() as i64;
    let count = whole.checked_mul(per_second)?.checked_add(part)?;
    let nanoseconds = count.rem_euclid(per_second) * (1_000_000_000 / per_second);
    (seconds(count.div_euclid(per_second), nanoseconds as u32) == value).then_some(count)
}

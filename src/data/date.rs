//! Dates and times: their formats, and their conversion to numbers.

mod cycle;
mod infer;

use std::borrow::Cow;

use jiff::civil::{Date, DateTime, Time};
use jiff::fmt::strtime;
use serde::{Deserialize, Serialize};

pub use cycle::Cycle;
pub(super) use infer::{Dates, ambiguous, has_offset, infer, mostly};

/// How the dates of a column are written, and the unit of their values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DateForm {
    /// `iso`, or a pattern of `strptime` such as `%d.%m.%Y`.
    pub pattern: String,
    /// The unit of the values.
    pub unit: DateUnit,
    /// Whether times name their offset from UTC. `None` for dates, if only some of them do, and in older models.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<bool>,
}

/// The unit of a date's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DateUnit {
    /// Days since 1970-01-01.
    Days,
    /// Seconds since 1970-01-01 00:00. If a cell has a UTC offset, its time is converted to UTC.
    Seconds,
    /// Seconds since midnight.
    Clock,
}

/// Name of the ISO 8601 form: `2024-02-29`, `2024-02-29T12:30:15.5+01:00`; a space may replace the T.
const ISO: &str = "iso";
/// What some programs write in place of `Z`.
const UTC: &str = " UTC";
/// Times of day, with or without decimals.
const CLOCK: &str = "%H:%M:%S%.f";
/// Date patterns that are recognised. If a column fits several patterns that disagree, it is ambiguous.
const DATES: [&str; 34] = [
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%m.%d.%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%d %b %Y",
    "%d-%b-%Y",
    "%b %d, %Y",
    "%b %d %Y",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d.%m.%y",
    "%d-%b-%y",
    "%y/%m/%d",
    "%y.%m.%d",
    "%d-%m-%y",
    "%m-%d-%y",
    "%y-%m-%d",
    "%Y-%m-%d",
    "%Y-%b-%d",
    "%d %B %Y",
    "%d-%B-%Y",
    "%B %d, %Y",
    "%B %d %Y",
    "%m/%Y",
    "%m.%Y",
    "%b %Y",
    "%b-%Y",
    "%B %Y",
    "%B-%Y",
    "%d. %B %Y",
];
/// English names of months, in lower case.
pub(crate) const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
/// Patterns of a time after a date.
const TIMES: [&str; 10] = [
    "",
    " %H:%M",
    " %H:%M:%S",
    " %H:%M:%S%.f",
    " %I:%M %p",
    " %I:%M:%S %p",
    ", %H:%M",
    ", %H:%M:%S",
    ", %I:%M %p",
    ", %I:%M:%S %p",
];
/// Patterns of a time without a date.
const CLOCKS: [&str; 5] = ["%H:%M", "%H:%M:%S", CLOCK, "%I:%M %p", "%I:%M:%S %p"];
/// Characters between the parts of a date of digits.
const SEPARATORS: [char; 3] = ['/', '.', '-'];
const SECONDS_OF_A_DAY: f64 = 86_400.0;
/// The dates 0000-01-01 and 9999-12-31, as numbers of days since 1970.
const FIRST_DAY: f64 = -719_528.0;
pub(super) const LAST_DAY: f64 = 2_932_896.0;

impl DateForm {
    /// The form for a pattern given by the user; `None` if the pattern has no component of a date or time, or the week
    /// of a year without a day of the week, which is no date.
    pub fn of_pattern(pattern: &str) -> Option<Self> {
        let has = |parts: &[char]| pattern.split('%').skip(1).any(|part| part.starts_with(parts));
        if has(&['U', 'V', 'W', 'G', 'g']) && !has(&['a', 'A', 'u', 'w']) {
            return None;
        }
        let date = has(&['d', 'm', 'Y', 'y', 'b', 'B', 'F', 'D', 'j', 'e', 'h', 's', 'G']);
        let time = has(&['H', 'I', 'M', 'S', 'T', 'R', 's', 'k', 'l', 'p']);
        let unit = match (date, time) {
            (true, false) => DateUnit::Days,
            (true, true) => DateUnit::Seconds,
            (false, true) => DateUnit::Clock,
            (false, false) => return None,
        };
        let offset = pattern.contains("%z") || pattern.contains("%:z") || pattern.contains("%s");
        Some(Self { offset: (unit == DateUnit::Seconds).then_some(offset), ..Self::new(pattern, unit) })
    }

    /// The form of a pattern, of which it is not known whether times name their offset.
    fn new(pattern: &str, unit: DateUnit) -> Self {
        Self { pattern: pattern.to_owned(), unit, offset: None }
    }

    /// Whether a cell names an offset from UTC though the times of this form do not, or the other way around.
    ///
    /// Dates name none. For them a time counts that falls on another day in UTC, or may do so.
    pub(super) fn has_other_offset(&self, cell: &str) -> bool {
        if self.unit == DateUnit::Days {
            return cell.len() > 10
                && has_offset(cell) == Some(true)
                && iso(cell).is_some_and(|(time, _)| !is_midnight(time));
        }
        let Some(offset) = self.offset else { return false };
        match cell.get(10..) {
            Some(time) if self.is_iso() && !time.is_empty() => names_offset(time) != offset,
            _ => has_offset(cell) == Some(!offset),
        }
    }

    /// Whether dates are those of ISO 8601.
    pub(crate) fn is_iso(&self) -> bool {
        self.pattern == ISO
    }

    /// The pattern, as an option would name it; `None` for ISO 8601, and for times from typed formats.
    pub(super) fn as_option(&self) -> Option<String> {
        (self.pattern != ISO && self.pattern != CLOCK).then(|| self.pattern.clone())
    }

    /// The value of a cell; `None` if it is not a date of this form.
    pub fn parse(&self, cell: &str) -> Option<f64> {
        let seconds = if self.pattern == ISO { iso(cell)?.0 } else { by_pattern(&self.pattern, self.unit, cell)? };
        Some(match self.unit {
            DateUnit::Days => (seconds / SECONDS_OF_A_DAY).floor(),
            DateUnit::Seconds | DateUnit::Clock => seconds,
        })
    }

    /// As [`DateForm::parse`], but also accepts a time of another precision, and ISO 8601, unless the values are times
    /// of day. Programs may read dates in this form and write them in ISO 8601.
    pub fn parse_or_iso(&self, cell: &str) -> Option<f64> {
        let by_iso = || {
            let is_date = self.unit != DateUnit::Clock;
            is_date.then(|| Self::new(ISO, self.unit).parse(cell)).flatten()
        };
        self.parse(cell).or_else(by_iso).or_else(|| self.with_other_time(cell))
    }

    /// The value of a cell whose date has this form and whose time has another, such as `10:30:00` for `10:30`.
    fn with_other_time(&self, cell: &str) -> Option<f64> {
        let of = |pattern: String| Self::new(&pattern, self.unit).parse(cell);
        if self.unit == DateUnit::Clock {
            return CLOCKS.iter().find_map(|clock| of((*clock).to_owned()));
        }
        let date = TIMES.iter().rev().find_map(|time| self.pattern.strip_suffix(time))?;
        DATES.contains(&date).then(|| TIMES.iter().find_map(|time| of(format!("{date}{time}")))).flatten()
    }

    /// The latest of some values as days since 1970-01-01, if the form has two-digit years.
    pub(super) fn last_short_year(&self, values: &[f64]) -> Option<f64> {
        let last = values.iter().copied().filter(|value| !value.is_nan()).fold(f64::NEG_INFINITY, f64::max);
        let days = if self.unit == DateUnit::Days { last } else { last / SECONDS_OF_A_DAY };
        self.pattern.contains("%y").then_some(days)
    }

    /// A value as text, in ISO 8601: `2024-02-29`.
    pub fn written(&self, value: f64) -> String {
        let days = if self.unit == DateUnit::Days { value } else { (value / SECONDS_OF_A_DAY).floor() };
        let span = jiff::Span::new().try_days(days as i64);
        let date = span.and_then(|span| jiff::civil::date(1970, 1, 1).checked_add(span));
        let within = value - days * SECONDS_OF_A_DAY;
        let clock = || {
            let s = within as i64;
            format!("{:02}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
        };
        match (self.unit, date) {
            (DateUnit::Clock, _) => clock(),
            (DateUnit::Days, Ok(date)) => date.to_string(),
            (DateUnit::Seconds, Ok(date)) => format!("{date} {}", clock()),
            (_, Err(_)) => value.to_string(),
        }
    }
}

/// The form of dates and times from a typed format, of which it is not known whether times name their offset.
impl From<DateUnit> for DateForm {
    fn from(unit: DateUnit) -> Self {
        let pattern = if unit == DateUnit::Clock { CLOCK } else { ISO };
        Self::new(pattern, unit)
    }
}

impl DateForm {
    /// The form of dates, and of times that name their offset from UTC or do not.
    pub(super) fn of_times(unit: DateUnit, offset: bool) -> Self {
        Self { offset: (unit == DateUnit::Seconds).then_some(offset), ..Self::from(unit) }
    }

    /// Converts a date from another unit; `None` if exactly one of the units is a time of day.
    pub(super) fn converted(&self, value: f64, from: DateUnit) -> Option<f64> {
        match (from, self.unit) {
            (from, to) if from == to => Some(value),
            (DateUnit::Days, DateUnit::Seconds) => Some(value * SECONDS_OF_A_DAY),
            (DateUnit::Seconds, DateUnit::Days) => Some((value / SECONDS_OF_A_DAY).floor()),
            _ => None,
        }
    }
}

/// Whether a time is the beginning of a day.
pub(super) fn is_midnight(seconds: f64) -> bool {
    seconds.rem_euclid(SECONDS_OF_A_DAY) == 0.0
}

/// Whether a value is a date of the years 0 to 9999, or no date.
pub(super) fn is_within_calendar(value: f64, unit: DateUnit) -> bool {
    let days = if unit == DateUnit::Days { value } else { value / SECONDS_OF_A_DAY };
    unit == DateUnit::Clock || value.is_nan() || (FIRST_DAY..LAST_DAY + 1.0).contains(&days)
}

/// Seconds with decimals, computed as for a date of ISO 8601.
pub(super) fn seconds(whole: i64, nanoseconds: u32) -> f64 {
    whole as f64 + f64::from(nanoseconds) * 1e-9
}

/// A date or time as text that is parsed to the same number: `2024-02-29 12:30:15.5`.
pub(super) fn iso_text(value: f64, unit: DateUnit) -> String {
    let form = DateForm::from(unit);
    if unit == DateUnit::Days {
        return form.written(value);
    }
    let whole = value.floor();
    let text = |decimals: usize| {
        let scale = 10f64.powi(decimals as i32);
        let part = ((value - whole) * scale).round();
        let (whole, part) = if part >= scale { (whole + 1.0, 0.0) } else { (whole, part) };
        let digits = format!("{:0decimals$}", part as u64);
        let digits = digits.trim_end_matches('0');
        let dot = if digits.is_empty() { "" } else { "." };
        format!("{}{dot}{digits}", form.written(whole))
    };
    let exact = |text: &String| form.parse(text) == Some(value);
    [0, 3, 6, 9].into_iter().map(text).find(exact).unwrap_or_else(|| text(9))
}

/// A time in UTC as text that is parsed to the same number: `2024-02-29 12:30:15.5Z`.
pub(super) fn moment_text(value: f64) -> String {
    iso_text(value, DateUnit::Seconds) + "Z"
}

/// Seconds since 1970-01-01 of a date of ISO 8601, and whether it includes a time.
fn iso(cell: &str) -> Option<(f64, bool)> {
    let bytes = cell.as_bytes();
    let dashed = bytes.len() >= 10 && bytes[..4].iter().all(u8::is_ascii_digit) && bytes[4] == b'-' && bytes[7] == b'-';
    if bytes.len() == 7 && bytes[4] == b'-' {
        // A month stands for its first day.
        let month = format!("{cell}-01").parse::<Date>().ok()?;
        return Some((of_datetime(month.to_datetime(Time::midnight())), false));
    }
    if !dashed || !cell.is_char_boundary(10) {
        return None;
    }
    if bytes.len() == 10 {
        return cell.parse::<Date>().ok().map(|date| (of_datetime(date.to_datetime(Time::midnight())), false));
    }
    if names_offset(&cell[10..]) {
        let stamp = with_joined_offset(cell).parse::<jiff::Timestamp>().ok()?;
        return Some((seconds_of(stamp), true));
    }
    cell.parse::<DateTime>().ok().map(|moment| (of_datetime(moment), true))
}

/// Whether what follows the date in ISO 8601 names an offset from UTC.
fn names_offset(time: &str) -> bool {
    time.ends_with(['Z', 'z']) || time.contains(['+', '-']) || time.ends_with(UTC)
}

/// A time whose offset follows without a blank, as ISO 8601 has it.
fn with_joined_offset(cell: &str) -> Cow<'_, str> {
    match (cell.strip_suffix(UTC), cell.rsplit_once(' ')) {
        (Some(time), _) => Cow::Owned(format!("{time}Z")),
        (None, Some((time, offset))) if offset.starts_with(['+', '-']) => Cow::Owned(format!("{time}{offset}")),
        _ => Cow::Borrowed(cell),
    }
}

fn seconds_of(stamp: jiff::Timestamp) -> f64 {
    stamp.as_second() as f64 + f64::from(stamp.subsec_nanosecond()) * 1e-9
}

fn of_datetime(moment: DateTime) -> f64 {
    let days = (moment.date() - jiff::civil::date(1970, 1, 1)).get_days();
    f64::from(days) * SECONDS_OF_A_DAY + of_time(moment.time())
}

fn of_time(time: Time) -> f64 {
    f64::from(i32::from(time.hour()) * 3600 + i32::from(time.minute()) * 60 + i32::from(time.second()))
        + f64::from(time.subsec_nanosecond()) * 1e-9
}

/// Seconds since 1970-01-01, or since midnight if the pattern has no date. A month without a day stands for its first
/// day, a year without a month for its first day.
fn by_pattern(pattern: &str, unit: DateUnit, cell: &str) -> Option<f64> {
    if pattern.contains("%y") && pattern.contains(SEPARATORS) && !has_short_year(pattern, cell) {
        return None;
    }
    let mut parsed = strtime::parse(pattern, cell).ok()?;
    if unit == DateUnit::Clock {
        return parsed.to_time().ok().map(of_time);
    }
    if parsed.year().is_some() && parsed.day().is_none() && parsed.day_of_year().is_none() {
        parsed.set_month(parsed.month().or(Some(1))).ok()?;
        parsed.set_day(Some(1)).ok()?;
    }
    if let Ok(stamp) = parsed.to_timestamp() {
        return Some(seconds_of(stamp));
    }
    let time = parsed.to_time().ok();
    match parsed.to_date() {
        Ok(date) if pattern.contains("%Y") && date.year() < 1000 => None, // %Y needs four digits
        Ok(date) => Some(of_datetime(date.to_datetime(time.unwrap_or(Time::midnight())))),
        Err(_) => None, // an invalid date, such as 31 April
    }
}

/// Whether the date of a cell ends with two digits and, if the year is first, also starts with two. `1.2.3` is a
/// version number.
fn has_short_year(pattern: &str, cell: &str) -> bool {
    let date = cell.split(' ').next().unwrap_or(cell);
    let has_two = |part: Option<&str>| part.is_some_and(|digits| digits.len() == 2);
    has_two(date.rsplit(SEPARATORS).next()) && (!pattern.starts_with("%y") || has_two(date.split(SEPARATORS).next()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_the_same() {
        for value in [0.0, -1.5, 86_399.999, 1_700_000_000.1, 1_700_000_000.123_456, -62_135_596_800.0, 0.25] {
            let text = iso_text(value, DateUnit::Seconds);
            assert_eq!(DateForm::from(DateUnit::Seconds).parse(&text), Some(value), "{text}");
        }
        for value in [0.0, 3600.5, 86_399.999_999] {
            let text = iso_text(value, DateUnit::Clock);
            assert_eq!(DateForm::from(DateUnit::Clock).parse(&text), Some(value), "{text}");
        }
        assert_eq!(iso_text(1_700_000_000.5, DateUnit::Seconds), "2023-11-14 22:13:20.5");
        assert_eq!(iso_text(-719_162.0, DateUnit::Days), "0001-01-01");
    }

    #[test]
    fn cycles_need_two_periods() {
        let days = DateForm::new(ISO, DateUnit::Days);
        assert_eq!(days.cycles(0.0, 13.0), []);
        assert_eq!(days.cycles(0.0, 14.0), [Cycle::Week]);
        assert_eq!(days.cycles(0.0, 800.0), [Cycle::Week, Cycle::Year]);
        let seconds = DateForm { unit: DateUnit::Seconds, ..days.clone() };
        assert_eq!(seconds.cycles(0.0, 3.0 * 86400.0), [Cycle::Day]);
        let (sine, cosine) = seconds.phase(86400.0 * 0.25, Cycle::Day);
        assert!((sine - 1.0).abs() < 1e-15 && cosine.abs() < 1e-15);
        assert_eq!(days.written(11017.0), "2000-03-01");
        assert_eq!(seconds.written(86461.0), "1970-01-02 00:01:01");
    }
}

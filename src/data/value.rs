//! Cells of typed formats.

use std::borrow::Cow;

use super::cell::format_number;
use super::date::{DateUnit, iso_text, moment_text};

/// 2⁵³: integers up to this magnitude are exact in a double; different ones beyond it may have equal doubles.
pub(super) const EXACT: f64 = 9_007_199_254_740_992.0;
/// The same as an integer.
pub(super) const EXACT_WHOLE: i128 = 1 << 53;

/// A cell of a file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value<'a> {
    /// A missing value.
    Missing,
    /// A number; NaN is a missing value.
    Number(f64),
    /// An integer that a double may not hold exactly.
    Whole(i128),
    /// Text, which is parsed like a cell of CSV.
    Text(&'a str),
    /// The text of a number, which is parsed like a cell of CSV.
    Digits(&'a str),
    /// A date, a time of day, or a time without an offset from UTC.
    Date(f64, DateUnit),
    /// A time in UTC, in seconds since 1970-01-01 00:00.
    Moment(f64),
}

impl<'a> Value<'a> {
    /// An integer of any size.
    pub(super) fn whole(value: impl Into<i128>) -> Self {
        match value.into() {
            value if value.abs() <= EXACT_WHOLE => Self::Number(value as f64),
            value => Self::Whole(value),
        }
    }

    /// A truth value.
    pub(super) fn boolean(value: bool) -> Self {
        Self::Text(if value { "true" } else { "false" })
    }

    /// The cell as it would be written in a text file.
    pub(super) fn text(self) -> Cow<'a, str> {
        match self {
            Self::Missing => Cow::Borrowed(""),
            Self::Number(value) if value.is_nan() => Cow::Borrowed(""),
            Self::Number(value) => Cow::Owned(format_number(value)),
            Self::Whole(value) => Cow::Owned(value.to_string()),
            Self::Text(text) | Self::Digits(text) => Cow::Borrowed(text),
            Self::Date(value, unit) => Cow::Owned(iso_text(value, unit)),
            Self::Moment(value) => Cow::Owned(moment_text(value)),
        }
    }
}

//! Dates with two-digit years: whether the year or the day comes first, and years that may be of another century.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use crate::{Warning, WarningKind};

/// Two-digit years are read as 1969 to 2068. Dates from this one on probably belong to the previous century.
const LATE_DAYS: f64 = 25_567.0; // 2040-01-01

/// The latest days of a month, one of which is among the days of a series if it has many of them.
const LATE_DAYS_OF_A_MONTH: RangeInclusive<u32> = 28..=31;
/// The first days of a month, one of which is among them too.
const EARLY_DAYS_OF_A_MONTH: RangeInclusive<u32> = 1..=3;
/// Fewest distinct days of a series that tell days from years.
const MANY_DAYS: usize = 12;

/// Whether the year comes first in dates that could also start with the day. The part whose numbers are of all kinds is the day: it
/// has twice as many distinct values as the other, at least twelve, from 3 at most to beyond 27. `None` if neither part is so clearly the
/// day: days at the ends of months and quarters vary less than years.
pub(super) fn year_is_first(levels: &[&str]) -> Option<bool> {
    let different = |part: fn(&str) -> Option<&str>| -> HashSet<u32> {
        let dates = levels.iter().filter_map(|level| level.split(' ').next());
        dates.filter_map(part).filter_map(|part| part.parse().ok()).collect()
    };
    let first = different(|date| date.split(['/', '.']).next());
    let last = different(|date| date.rsplit(['/', '.']).next());
    let are_days = |days: &HashSet<u32>, years: &HashSet<u32>| {
        let has = |within: RangeInclusive<u32>| days.iter().any(|day| within.contains(day));
        let whole_months = has(EARLY_DAYS_OF_A_MONTH) && has(LATE_DAYS_OF_A_MONTH);
        days.len() >= (2 * years.len()).max(MANY_DAYS) && whole_months
    };
    match () {
        () if are_days(&last, &first) => Some(true),
        () if are_days(&first, &last) => Some(false),
        () => None,
    }
}

/// The warning about two-digit years that reach far into the future. `last` is the latest date, in days since
/// 1970-01-01.
pub(super) fn late_years(name: &str, last: f64) -> Option<Warning> {
    (last >= LATE_DAYS).then(|| {
        let message = format!(
            "column \"{name}\": dates with years of two digits go up to 2040 or beyond: 00 to 68 are read as 2000 to 2068; write years of \
             four digits if others are meant"
        );
        Warning::new(WarningKind::Other, message).column(name)
    })
}

#[cfg(test)]
mod tests {
    use crate::data::date::{Dates, infer};

    fn pattern(cells: &[String]) -> String {
        match infer(&cells.iter().map(String::as_str).collect::<Vec<_>>()) {
            Dates::Form(form) => form.pattern,
            Dates::Ambiguous(patterns, _) => patterns.join(" or "),
            Dates::None => "none".to_owned(),
        }
    }

    #[test]
    fn the_year_stands_where_numbers_vary_less() {
        let days = |write: fn(usize) -> String| (0..40).map(write).collect::<Vec<_>>();
        assert_eq!(pattern(&days(|n| format!("{}/11/{:02}", 17 + n % 4, n % 28 + 1))), "%y/%m/%d");
        assert_eq!(pattern(&days(|n| format!("{:02}/11/{}", n % 28 + 1, 17 + n % 4))), "%d/%m/%y");
        assert_eq!(pattern(&days(|n| format!("{}.11.{:02}", 17 + n % 4, n % 28 + 1))), "%y.%m.%d");
        assert_eq!(pattern(&days(|n| format!("{}/11/{:02}", 70 + n % 20, n % 20 + 1))), "%y/%m/%d");
        let ends = |n: usize| format!("{}.{}", ["31.03", "30.06", "30.09", "31.12"][n % 4], 10 + n / 4);
        assert_eq!(pattern(&days(ends)), "%d.%m.%y or %y.%m.%d", "ends of quarters");
        assert_eq!(pattern(&days(|n| format!("31.12.{}", 17 + n % 15))), "%d.%m.%y or %y.%m.%d", "ends of years");
        assert_eq!(pattern(&days(|n| format!("15.{:02}.{}", n % 12 + 1, 10 + n / 12))), "%d.%m.%y or %y.%m.%d");
        let either = pattern(&["20/11/21".to_owned(), "21/11/20".to_owned(), "22/12/19".to_owned()]);
        assert_eq!(either, "%d/%m/%y or %y/%m/%d");
        assert_eq!(pattern(&["1.02.03".to_owned(), "2.11.12".to_owned()]), "%d.%m.%y", "a version has one digit");
    }

    #[test]
    fn late_years_are_doubtful() {
        assert!(super::late_years("d", 26_000.0).is_some());
        assert!(super::late_years("d", 20_000.0).is_none());
    }
}

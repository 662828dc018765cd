//! Finds the form in which the dates of a column are written.

use super::{CLOCKS, DATES, DateForm, DateUnit, ISO, TIMES, iso, names_offset};
use crate::data::cell::shortened;
use crate::data::short_years::year_is_first;
use crate::option_text::quoted;

/// Number of levels on which a pattern is tried before it is tried on all.
const TRIED_FIRST: usize = 50;

/// Result of parsing a column's texts as dates.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::data) enum Dates {
    /// All levels are dates of this form.
    Form(DateForm),
    /// All levels fit several forms, which disagree: the patterns, and a cell that they read differently.
    Ambiguous(Vec<String>, String),
    /// Some level is not a date.
    None,
}

/// The form that fits all levels.
pub(in crate::data) fn infer(levels: &[&str]) -> Dates {
    if levels.is_empty() || !levels.iter().take(TRIED_FIRST).all(|level| is_likely(level)) {
        return Dates::None;
    }
    if levels.iter().all(|level| is_season(level)) {
        return Dates::None;
    }
    if levels.iter().all(|level| iso(level).is_some()) {
        return Dates::Form(form_of_iso(levels));
    }
    let first = &levels[..levels.len().min(TRIED_FIRST)];
    let fits = |form: &DateForm, levels: &[&str]| levels.iter().all(|level| form.parse(level).is_some());
    let fitting: Vec<DateForm> = forms().filter(|form| fits(form, first)).filter(|form| fits(form, levels)).collect();
    agreed(&fitting.iter().collect::<Vec<_>>(), levels)
}

/// The forms that are recognised.
fn forms() -> impl Iterator<Item = DateForm> {
    let dates = DATES.iter().flat_map(|date| TIMES.iter().map(move |time| format!("{date}{time}")));
    let patterns = dates.chain(CLOCKS.iter().map(|clock| (*clock).to_owned()));
    patterns.filter_map(|pattern| DateForm::of_pattern(&pattern))
}

/// Whether a text looks like a date.
fn is_likely(level: &str) -> bool {
    let digits = level.bytes().filter(u8::is_ascii_digit).count();
    (3..=40).contains(&level.len()) && digits >= 3 && level.contains(['-', '/', '.', ' ', ':'])
}

/// Whether a text is a season or fiscal year: a year and the last two digits of the next, as `2000-01` and `2012-13`.
fn is_season(level: &str) -> bool {
    let Some((year, next)) = level.split_once('-') else { return false };
    let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    digits(year, 4) && digits(next, 2) && (year.parse::<u32>().unwrap_or(0) + 1) % 100 == next.parse().unwrap_or(100)
}

/// Whether a text is a date and time of ISO 8601: `Some(true)` with an offset from UTC.
pub(in crate::data) fn has_offset(level: &str) -> Option<bool> {
    let (_, timed) = iso(level)?;
    timed.then(|| names_offset(&level[10..]))
}

/// The first form of those that fit all `levels`, if all of them read each level alike.
fn agreed(fitting: &[&DateForm], levels: &[&str]) -> Dates {
    let begins = |form: &&DateForm| form.pattern.starts_with("%y");
    let year_first = if fitting.iter().any(begins) { year_is_first(levels) } else { None };
    let kept = |form: &&DateForm| year_first.is_none_or(|first| begins(form) == first);
    let fitting: Vec<&DateForm> = match fitting.iter().copied().filter(kept).collect::<Vec<_>>() {
        none if none.is_empty() => fitting.to_vec(),
        kept => kept,
    };
    // Between points the day comes first, unless a cell says otherwise.
    let of_days = |form: &&DateForm| form.pattern.starts_with("%d.");
    let by_month = |form: &&DateForm| form.pattern.starts_with("%m.%d");
    let fitting = match fitting.iter().any(of_days) {
        true => fitting.into_iter().filter(|form| !by_month(form)).collect(),
        false => fitting,
    };
    let Some((form, others)) = fitting.split_first() else { return Dates::None };
    let differs = |other: &&DateForm| levels.iter().find(|level| form.parse(level) != other.parse(level));
    match others.iter().find_map(differs) {
        Some(level) => Dates::Ambiguous(fitting.iter().map(|form| form.pattern.clone()).collect(), (*level).to_owned()),
        None => Dates::Form((*form).clone()),
    }
}

/// The ISO 8601 form for some dates: in seconds if one of them includes a time, otherwise in days.
fn form_of_iso(levels: &[&str]) -> DateForm {
    let timed = levels.iter().filter_map(|level| iso(level)).any(|(_, timed)| timed);
    let unit = if timed { DateUnit::Seconds } else { DateUnit::Days };
    let mut offsets = levels.iter().filter_map(|level| has_offset(level));
    let offset = offsets.next().filter(|first| offsets.all(|offset| offset == *first));
    DateForm { offset, ..DateForm::new(ISO, unit) }
}

/// The form of a column in which at least `share` of the rows, and at least three, are dates; and the number of such
/// rows.
pub(in crate::data) fn mostly(levels: &[(&str, usize)], share: f64) -> Option<(Dates, usize)> {
    if levels.iter().all(|(level, _)| is_season(level)) {
        return None;
    }
    let of: usize = levels.iter().map(|(_, rows)| rows).sum();
    let enough = |rows: usize| rows >= 3 && rows as f64 >= share * of as f64;
    let names = || levels.iter().map(|(level, _)| *level);
    let rows_of = |is_date: &dyn Fn(&str) -> bool| -> usize {
        levels.iter().filter(|(level, _)| is_date(level)).map(|(_, rows)| rows).sum()
    };
    let rows = rows_of(&|level| iso(level).is_some());
    if enough(rows) {
        return Some((Dates::Form(form_of_iso(&names().collect::<Vec<_>>())), rows));
    }
    let first: Vec<&str> = names().take(TRIED_FIRST).collect();
    if 2 * first.iter().filter(|level| is_likely(level)).count() <= first.len() {
        return None;
    }
    let fitting =
        forms().map(|form| (rows_of(&|level| form.parse(level).is_some()), form)).filter(|(rows, _)| enough(*rows));
    let fitting: Vec<(usize, DateForm)> = fitting.collect();
    let most = fitting.iter().map(|(rows, _)| *rows).max()?;
    let best: Vec<&DateForm> = fitting.iter().filter(|(rows, _)| *rows == most).map(|(_, form)| form).collect();
    let dates: Vec<&str> = names().filter(|level| best[0].parse(level).is_some()).collect();
    Some((agreed(&best, &dates), most))
}

/// The error message for a column of ambiguous dates.
pub(in crate::data) fn ambiguous(column: &str, patterns: &[String], cell: &str) -> String {
    format!(
        "day and month are ambiguous: \"{cell}\" fits {}, and no cell decides: {} says which, {} keeps the text",
        shortened(patterns),
        quoted("dates", format_args!("{column}={}", patterns[0])),
        quoted("dates", format_args!("{column}=text"))
    )
}

impl DateForm {
    /// A level that does not have this form, but would with day and month the other way around: the pattern, and the level.
    pub(in crate::data) fn other_way(&self, levels: &[(&str, usize)]) -> Option<(String, String)> {
        let own = if self.pattern == ISO { "%Y-%m-%d" } else { &self.pattern };
        if !own.contains("%d") || !own.contains("%m") {
            return None;
        }
        let pattern = own.replace("%d", "%_").replace("%m", "%d").replace("%_", "%m");
        let other = Self::new(&pattern, self.unit);
        let level = levels.iter().find(|(level, _)| self.parse(level).is_none() && other.parse(level).is_some())?;
        Some((other.pattern, level.0.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(cells: &[&str]) -> Vec<f64> {
        match infer(cells) {
            Dates::Form(form) => cells.iter().map(|cell| form.parse(cell).unwrap()).collect(),
            other => panic!("{cells:?}: {other:?}"),
        }
    }

    #[test]
    fn iso_dates_and_times_are_numbers() {
        assert_eq!(values(&["1970-01-02", "2000-03-01", "1969-12-31"]), [1.0, 11017.0, -1.0]);
        assert_eq!(values(&["1970-01-01T00:01", "1970-01-02 00:00:00.5"]), [60.0, 86400.5]);
        assert_eq!(values(&["1970-01-01T01:00:00+01:00", "1970-01-01T00:00:10Z"]), [0.0, 10.0]);
        assert_eq!(values(&["1970-01-02", "1970-01-01 12:00"]), [86400.0, 43200.0]);
        assert_eq!(values(&["1970-01-01 00:00:10 UTC", "1970-01-01 00:00:20.5 UTC"]), [10.0, 20.5], "BigQuery");
        assert_eq!(values(&["1970-01-01 01:00:00 +0100", "1970-01-01 00:00:20 +0000"]), [0.0, 20.0], "Ruby, Git");
    }

    #[test]
    fn other_forms_need_every_cell() {
        assert_eq!(values(&["31/01/1970", "01/02/1970"]), [30.0, 31.0]);
        assert_eq!(values(&["01/31/1970", "02/01/1970"]), [30.0, 31.0]);
        assert_eq!(values(&["31.1.1970", "1.2.1970"]), [30.0, 31.0]);
        assert_eq!(values(&["1 Feb 1970", "28 Jan 1970"]), [31.0, 27.0]);
        assert_eq!(values(&["Feb 1, 1970", "Jan 28, 1970"]), [31.0, 27.0]);
        assert_eq!(values(&["31/01/1970 10:30", "01/02/1970 00:00"]), [30.0 * 86400.0 + 37800.0, 31.0 * 86400.0]);
        assert_eq!(values(&["12:30", "00:01"]), [45000.0, 60.0]);
        assert_eq!(values(&["1970-01", "1970-02"]), [0.0, 31.0]);
        assert_eq!(infer(&["1.2.3", "10.11.12"]), Dates::None, "versions");
        for cells in
            [&["2020-01-01", "soon"][..], &["31/01/1970", "1970"], &["1-2", "3-4"], &["192.168.0.1", "10.0.0.1"]]
        {
            assert_eq!(infer(cells), Dates::None, "{cells:?}");
        }
    }

    #[test]
    fn undecided_days_and_months_are_ambiguous() {
        let Dates::Ambiguous(patterns, cell) = infer(&["01/01/2020", "03/04/2020"]) else { panic!() };
        assert_eq!((patterns, cell.as_str()), (vec!["%d/%m/%Y".to_owned(), "%m/%d/%Y".to_owned()], "03/04/2020"));
        assert!(matches!(infer(&["01/01/2020", "02/02/2020"]), Dates::Form(_)), "both readings are the same");
        assert_eq!(values(&["01.02.1970", "03.01.1970"]), [31.0, 2.0], "the day is before the first point");
        assert_eq!(values(&["01.02.1970 00:01"]), [31.0 * 86400.0 + 60.0]);
        assert_eq!(values(&["01.31.1970", "02.01.1970"]), [30.0, 31.0], "unless a cell says otherwise");
    }
}

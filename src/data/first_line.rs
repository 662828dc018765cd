//! Decides whether the first line of a file is a header.

use std::collections::HashMap;

use csv::ByteRecord;

use super::cell::parse_number;
use super::date;
use super::header::{BOM, text_of};
use super::number::{Convention, Numbers, infer, is_number};
use super::table::MissingMarkers;

/// Whether the first line is a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FirstLine {
    /// It is a header.
    Names,
    /// It is probably a header; the reason is for a note.
    Likely(&'static str),
    /// It is data.
    Data,
    /// There is no evidence; most files have a header.
    Unknown,
    /// There is evidence for both.
    Either,
}

/// Consecutive numbers are names for certain if there are at least this many.
const LONG_SEQUENCE: usize = 5;
/// A text that does not occur among at least this many cells with few levels is a name.
const MANY_CELLS: usize = 20;
/// Fewer rows do not show the spread of numbers.
const SOME_ROWS: usize = 5;
/// Years that name columns of amounts.
const RECENT_YEARS: std::ops::RangeInclusive<f64> = 1900.0..=2100.0;
/// Numbers that may be years.
const YEARS: std::ops::RangeInclusive<f64> = 1500.0..=2100.0;

const NEW_WORDS: &str = "as its words do not occur below it";
const COUNTING: &str = "as its numbers count up and those below it do not";
const WORDS_ABOVE: &str = "as it has words above values";
const YEARS_ABOVE: &str = "as it has years above other numbers";
const APART: &str = "as its numbers lie far from all numbers below them";

/// Evidence from one column about its first cell.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Evidence {
    /// Text above numbers or dates, a date above numbers, or an empty cell above numbers of rows.
    TextAboveValues,
    /// Text that does not occur below it, where the same few texts are repeated.
    NewText,
    /// A value in the form of those below it, a missing value, or a sign that stands for a value.
    Value,
    /// A value above text.
    ValueAboveText,
    /// A value in another form than those below it.
    OtherForm,
    /// A text that occurs below it.
    OccursBelow,
    /// A text that occurs once among many cells below it. Names are words, and the cells may be arbitrary words.
    OccursOnce,
    /// No evidence.
    Open,
}

impl FirstLine {
    /// Whether there is evidence for a header.
    pub(super) fn is_names(self) -> bool {
        matches!(self, Self::Names | Self::Likely(_))
    }

    /// Compares the first record with those below it.
    pub(super) fn of(sample: &[ByteRecord], markers: &MissingMarkers) -> Self {
        let Some((first, below)) = sample.split_first() else { return Self::Names };
        if stands_again_within(first, below, markers) {
            return Self::Names;
        }
        let all: Vec<Evidence> = (0..first.len()).map(|column| evidence(first, below, column, markers)).collect();
        let count = |wanted: Evidence| all.iter().filter(|found| **found == wanted).count();
        let (names, new) = (count(Evidence::TextAboveValues), count(Evidence::NewText));
        let (often, once) = (count(Evidence::OccursBelow), count(Evidence::OccursOnce));
        let (above_text, other) = (count(Evidence::ValueAboveText), count(Evidence::OtherForm));
        let numbers = count(Evidence::Value) + above_text;
        let counting = if numbers > 0 && often == 0 { sequence(first, below) } else { None };
        match counting {
            Some(true) => return Self::Likely(COUNTING),
            Some(false) if names + new + above_text > 0 => return Self::Likely(COUNTING),
            Some(false) => return Self::Either,
            None => {}
        }
        let beyond = |rows: usize| below.len() >= rows && is_beyond(first, below);
        let apart = || beyond(if count_up(first) { 1 } else { SOME_ROWS });
        let years = numbers > 0 && years_above_amounts(first, below) == numbers;
        let has_numbers = first.iter().any(|cell| parse_number(&text_of(cell)).is_some_and(f64::is_finite));
        let if_apart = || match apart() {
            _ if years => Self::Likely(YEARS_ABOVE),
            true if has_numbers => Self::Likely(APART),
            true => Self::Likely(WORDS_ABOVE),
            false => Self::Either,
        };
        match () {
            // A name may also be a level of its column. That a row of data has a word in a column of numbers, and another
            // new one, is far less likely.
            () if names > 0 && names + new > 1 && numbers == 0 && often > 0 && are_names(first) => {
                Self::Likely(WORDS_ABOVE)
            }
            () if names > 0 && often > 0 => Self::Either,
            () if names > 0 && numbers > 0 => if_apart(),
            () if names > 0 => Self::Names,
            () if often + once > 0 && (new == 0 || numbers > 0) => Self::Data,
            () if often + once > 0 => Self::Either,
            () if numbers > 0 && new > 0 && years => Self::Either,
            () if numbers > 0 && new > 0 => if_apart(),
            () if numbers > 0 && numbers + count(Evidence::Open) > 1 && (years || beyond(SOME_ROWS)) => Self::Either,
            () if numbers > 0 => Self::Data,
            () if other > 0 => Self::Either,
            () if below.is_empty() => Self::Names,
            () if new > 0 => Self::Likely(NEW_WORDS),
            () => Self::Unknown,
        }
    }
}

/// Whether the first line is a header that is repeated in the file. The repetitions would otherwise count as evidence
/// against it.
fn stands_again_within(first: &ByteRecord, below: &[ByteRecord], markers: &MissingMarkers) -> bool {
    let others: Vec<ByteRecord> = below.iter().filter(|record| !repeats(record, first)).cloned().collect();
    if others.len() == below.len() {
        return false;
    }
    let is_name = |found: &Evidence| *found == Evidence::TextAboveValues;
    let is_data =
        |found: &Evidence| matches!(found, Evidence::Value | Evidence::ValueAboveText | Evidence::OccursBelow);
    let all: Vec<Evidence> = (0..first.len()).map(|column| evidence(first, &others, column, markers)).collect();
    // Data may repeat a row too, but then its words also occur in other rows.
    let rare = 10 * (below.len() - others.len()) <= below.len();
    (all.iter().any(is_name) && !all.iter().any(is_data)) || (rare && is_apart(first, &others))
}

/// Whether a record equals the first one, possibly after the byte order mark of another file.
fn repeats(record: &ByteRecord, first: &ByteRecord) -> bool {
    let bare = |cell: &[u8]| cell.strip_prefix(BOM).unwrap_or(cell).to_vec();
    record.len() == first.len() && record.iter().zip(first).all(|(a, b)| bare(a) == bare(b))
}

/// Whether all cells of a record are text that does not occur in the same column of the other records.
fn is_apart(first: &ByteRecord, others: &[ByteRecord]) -> bool {
    let occurs = |column: usize, cell: &[u8]| others.iter().any(|other| other.get(column) == Some(cell));
    let is_text = |cell: &[u8]| !cell.trim_ascii().is_empty() && !are_values(&[&text_of(cell)]);
    first.iter().enumerate().all(|(column, cell)| is_text(cell) && !occurs(column, cell))
}

/// Whether each value of the first line is an integer that is farther from all numbers below it than these are from
/// each other. Examples are wavelengths that name columns of intensities, and years above amounts.
fn is_beyond(first: &ByteRecord, below: &[ByteRecord]) -> bool {
    let beyond = |(column, cell): (usize, &[u8])| {
        let text = text_of(cell);
        let Some(name) = parse_number(&text) else { return text.is_empty() || !are_values(&[&text]) };
        let values = below.iter().filter_map(|record| parse_number(&text_of(record.get(column)?)));
        let (least, most) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
        if name.is_infinite() {
            // The word `inf` above finite numbers is short for inflation.
            return least.is_finite() && most.is_finite();
        }
        let is_far = least > most || (name - most).max(least - name) > most - least;
        name.fract() == 0.0 && is_far
    };
    first.iter().enumerate().all(beyond)
}

/// The number of columns with a year above numbers of which at most one in five is whole.
fn years_above_amounts(first: &ByteRecord, below: &[ByteRecord]) -> usize {
    let is_year = |value: &f64| value.fract() == 0.0 && RECENT_YEARS.contains(value);
    let above_amounts = |(column, cell): &(usize, &[u8])| {
        if !parse_number(&text_of(cell)).is_some_and(|year| is_year(&year)) {
            return false;
        }
        let values: Vec<f64> = below.iter().filter_map(|record| parse_number(&text_of(record.get(*column)?))).collect();
        values.len() >= SOME_ROWS && 5 * values.iter().filter(|value| value.fract() == 0.0).count() <= values.len()
    };
    first.iter().enumerate().filter(above_amounts).count()
}

/// Words that stand for a value that is not there, in lower case.
const NO_VALUE: [&str; 10] = ["n.a.", "n/a", "na", "none", "nil", "null", "missing", "unknown", "unbekannt", "tbd"];

/// Whether all cells of a record are distinct, and none says that a value is missing.
fn are_names(record: &ByteRecord) -> bool {
    let says_nothing = |cell: &[u8]| NO_VALUE.contains(&text_of(cell).to_lowercase().as_str());
    are_different(record) && !record.iter().any(says_nothing)
}

/// Whether all cells of a record are distinct.
fn are_different(record: &ByteRecord) -> bool {
    let mut cells: Vec<&[u8]> = record.iter().collect();
    cells.sort_unstable();
    cells.windows(2).all(|pair| pair[0] != pair[1])
}

/// Whether the numbers of the first line are 0, 1, 2, … or 1, 2, 3, …
fn count_up(first: &ByteRecord) -> bool {
    let numbers: Vec<f64> = first.iter().filter_map(|cell| parse_number(&text_of(cell))).collect();
    let start = numbers.first().copied().unwrap_or(f64::NAN);
    matches!(start, 0.0 | 1.0) && numbers.iter().enumerate().all(|(at, number)| *number == start + at as f64)
}

fn evidence(first: &ByteRecord, below: &[ByteRecord], column: usize, markers: &MissingMarkers) -> Evidence {
    let name = text_of(&first[column]);
    let cells: Vec<_> = below.iter().filter_map(|record| record.get(column)).map(text_of).collect();
    let cells: Vec<&str> = cells.iter().map(AsRef::as_ref).filter(|cell| !markers.matches(cell)).collect();
    if name.is_empty() {
        return if number_rows(&cells) { Evidence::TextAboveValues } else { Evidence::Open };
    }
    if markers.matches(&name) || stands_for_a_value(&name) {
        return Evidence::Value;
    }
    if cells.is_empty() {
        return if parse_number(&name).is_some() { Evidence::Value } else { Evidence::Open };
    }
    if are_mostly_numbers(&cells) || are_values(&cells) {
        above_values(&name, &cells)
    } else {
        above_text(&name, &cells)
    }
}

/// Whether cells number the rows, as the row names of R and pandas below an empty cell do.
fn number_rows(cells: &[&str]) -> bool {
    let numbers: Option<Vec<f64>> = cells.iter().map(|cell| parse_number(cell)).collect();
    numbers.is_some_and(|numbers| numbers.len() >= SOME_ROWS && numbers.windows(2).all(|pair| pair[1] == pair[0] + 1.0))
}

fn above_values(name: &str, cells: &[&str]) -> Evidence {
    let is_date = || !matches!(date::infer(&[name]), date::Dates::None);
    match () {
        () if parse_number(name).is_some() => Evidence::Value,
        () if cells.contains(&name) => Evidence::OccursBelow,
        () if !are_values(&[name]) => Evidence::TextAboveValues,
        () if are_values(&[&[name], cells].concat()) => Evidence::Value,
        () if is_date() && are_mostly_numbers(cells) => Evidence::TextAboveValues,
        () => Evidence::OtherForm,
    }
}

fn above_text(name: &str, cells: &[&str]) -> Evidence {
    let times = cells.iter().filter(|cell| **cell == name).count();
    let few_levels = || 4 * counted(cells).len() <= cells.len();
    match times {
        0 if are_values(&[name]) => Evidence::ValueAboveText,
        0 if cells.len() >= MANY_CELLS && few_levels() => Evidence::NewText,
        0 => Evidence::Open,
        1 if cells.len() >= MANY_CELLS => Evidence::OccursOnce,
        _ => Evidence::OccursBelow,
    }
}

/// Whether a cell is unlikely to be a name: it consists of dashes, dots or stars, or is a number after a comparison
/// sign, as in `<0.5`.
pub(super) fn stands_for_a_value(cell: &str) -> bool {
    let bound = cell.strip_prefix(['<', '>', '≤', '≥', '~']).map(|rest| rest.trim_start_matches('=').trim_start());
    cell.chars().all(|c| matches!(c, '-' | '–' | '—' | '.' | '…' | '*'))
        || bound.is_some_and(|rest| are_values(&[rest]))
}

/// Whether at least nine of ten cells are plain numbers. A stray text or a repeated header does not make a column text.
fn are_mostly_numbers(cells: &[&str]) -> bool {
    let plain = cells.iter().filter(|cell| parse_number(cell).is_some()).count();
    plain == cells.len() || (cells.len() >= 10 && 10 * plain >= 9 * cells.len())
}

/// Whether all cells are numbers in one form, or dates.
fn are_values(cells: &[&str]) -> bool {
    if cells.iter().all(|cell| parse_number(cell).is_some()) {
        return true;
    }
    let levels = counted(cells);
    let numbers = match infer(&levels, Convention::default()) {
        Numbers::Form(_, rows) => rows == cells.len(),
        Numbers::Ambiguous(..) => cells.iter().all(|cell| is_number(cell)),
        // Where all numbers have brackets, they are no negative numbers, but values.
        Numbers::None => cells.iter().all(|cell| cell.contains('(') && is_number(cell)),
    };
    numbers || !matches!(date::infer(&levels.iter().map(|(level, _)| *level).collect::<Vec<_>>()), date::Dates::None)
}

/// The distinct cells, in order of first appearance, each with its number of occurrences.
fn counted<'a>(cells: &[&'a str]) -> Vec<(&'a str, usize)> {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for cell in cells {
        let place = *places.entry(cell).or_insert(counts.len());
        if place == counts.len() {
            counts.push((cell, 0));
        }
        counts[place].1 += 1;
    }
    counts
}

/// Whether the numbers of the first line are consecutive names: 0, 1, 2, … or years. `Some(false)` if they may also be
/// data.
fn sequence(first: &ByteRecord, below: &[ByteRecord]) -> Option<bool> {
    let columns: Vec<usize> =
        (0..first.len()).filter(|column| parse_number(&text_of(&first[*column])).is_some()).collect();
    let numbers = |record: &ByteRecord| -> Vec<f64> {
        columns.iter().filter_map(|column| parse_number(&text_of(record.get(*column)?))).collect()
    };
    let (names, rows) = (numbers(first), below.iter().map(numbers).collect::<Vec<_>>());
    let steps = |values: &[f64]| values.windows(2).all(|pair| pair[1] == pair[0] + 1.0);
    let rising = |values: &[f64]| values.windows(2).all(|pair| pair[1] > pair[0]);
    let in_years = |values: &[f64]| values.iter().all(|value| YEARS.contains(value));
    if rows.is_empty() || names.len() < 2 || names.iter().any(|value| value.fract() != 0.0) {
        return None;
    }
    let occurs = rows.iter().any(|row| row.len() == names.len() && row.iter().zip(&names).any(|(a, b)| a == b));
    if in_years(&names) && rising(&names) {
        let years = rows.iter().filter(|row| in_years(row)).count();
        return (10 * years <= rows.len()).then(|| (names.len() > 2 || steps(&names)) && !occurs);
    }
    let again = rows.iter().filter(|row| row.len() == names.len() && steps(row)).count();
    if !steps(&names) || !matches!(names[0], 0.0 | 1.0) || 10 * again > rows.len() {
        return None;
    }
    let last = names[names.len() - 1];
    let unlike = rows.iter().flatten().any(|value| value.fract() != 0.0 || *value < 0.0 || *value > 10.0 * last);
    match names.len() {
        2 => (unlike && !occurs).then_some(false),
        count => Some(count >= LONG_SEQUENCE || (unlike && !occurs)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &[String]) -> FirstLine {
        let record = |line: &String| ByteRecord::from(line.split(';').collect::<Vec<_>>());
        FirstLine::of(&lines.iter().map(record).collect::<Vec<_>>(), &MissingMarkers::new(&[]))
    }

    /// The result for a first line above `rows` rows.
    fn above(first: &str, rows: usize, row: impl Fn(usize) -> String) -> FirstLine {
        of(&std::iter::once(first.to_owned()).chain((0..rows).map(row)).collect::<Vec<_>>())
    }

    #[test]
    fn values_in_any_form_are_no_names() {
        let forms: [fn(usize) -> String; 12] = [
            |n| format!("{},{n}", n + 1),
            |n| format!("2020-01-{:02}", n + 1),
            |n| format!("${n}.50"),
            |n| format!("{n}%"),
            |n| format!("{},000", n + 1),
            |n| format!("({n})"),
            |n| format!("{n} €"),
            |n| format!("10:{n:02}"),
            |n| format!("{:02}.01.2020", n + 1),
            |n| format!("1.00{n},5"),
            |n| format!("0{}/02/2020 10:30", n + 1),
            |n| format!("2020-01-{:02}T10:00:00Z", n + 1),
        ];
        for form in forms {
            for word in ["", ";debit"] {
                let row = |n: usize| format!("{}{word}", form(n % 9));
                assert_eq!(above(&row(3), 30, row), FirstLine::Data, "{}", row(3));
                let name = if word.is_empty() { "x" } else { "x;kind" };
                assert_eq!(above(name, 30, row), FirstLine::Names, "{}", row(3));
            }
        }
    }

    #[test]
    fn an_unusual_cell_does_not_make_a_row_a_header() {
        let row = |n: usize| format!("{};{};{}.5;{}", n % 7, ["male", "female"][n % 2], n % 5, n % 2);
        for odd in ["unknown", "n.a.", "5kg"] {
            assert_eq!(above(&format!("5;male;{odd};1"), 40, row), FirstLine::Either, "{odd}");
        }
        for odd in ["-", ".", "<0.5", "*", ""] {
            assert_eq!(above(&format!("5;male;{odd};1"), 40, row), FirstLine::Data, "{odd}");
        }
        assert_eq!(above("age;sex;dose;y", 40, row), FirstLine::Names);
        assert_eq!(above("age;male;dose;y", 40, row), FirstLine::Likely(WORDS_ABOVE), "a word of the data among names");
        let numbered = |n: usize| format!("{n};{};{}.5", ["y", "n"][n % 2], n % 5);
        assert_eq!(above(";y;week", 40, numbered), FirstLine::Likely(WORDS_ABOVE), "row names of R");
        assert_eq!(above("unknown;male;unknown;1", 40, row), FirstLine::Either);
        assert_eq!(above("unknown;male;unknown;unknown", 40, row), FirstLine::Either, "names differ");
        let repeated = |n: usize| if n == 9 { "5;male;unknown;1".to_owned() } else { row(n) };
        assert_ne!(above("5;male;unknown;1", 40, repeated), FirstLine::Names, "a row that occurs twice");
    }

    #[test]
    fn numbers_that_are_unlikely_data_name_columns() {
        let square = |n: usize| format!("{};{}", n + 1, n * n + 3);
        assert_eq!(above("0;1", 40, square), FirstLine::Either);
        assert_eq!(above("1;2", 40, |n| format!("{};{}", n + 2, 3 * n + 4)), FirstLine::Either);
        let floats = |n: usize| format!("{}.25;{}.5;{}", n, n * 3, ["a", "b"][n % 2]);
        assert!(above("0;1;label", 40, floats).is_names());
        assert!(above("0;1;2", 40, floats).is_names());
        assert!(above("2019;2020;label", 40, floats).is_names());
        assert!(above("country;2019;2020", 40, |n| format!("c{n};{n}.5;{n}")).is_names());
        assert!(above("x;2020-01-01;2020-02-01", 40, |n| format!("c{n};{n}.5;{n}")).is_names(), "a date above numbers");
        assert_eq!(
            above("1999;2005", 40, |n| format!("{};{}", 1980 + n, if n % 3 == 0 { 0 } else { 1990 + n })),
            FirstLine::Data
        );
    }

    #[test]
    fn a_name_may_be_a_value_of_its_column_or_a_year() {
        let answers = |n: usize| format!("{n};{};{}", ["y", "n"][n % 2], ["n", "y"][n / 2 % 2]);
        assert_eq!(above("x1;x2;y", 40, answers), FirstLine::Likely(WORDS_ABOVE));
        let smokers = |n: usize| format!("{};{};{}", 20 + n, ["smoker", "nonsmoker"][n % 2], n % 3 % 2);
        assert_eq!(above("age;smoker;outcome", 40, smokers), FirstLine::Likely(WORDS_ABOVE));
        let amounts = |n: usize| format!("c{n};{}.5;{}.5;{}", 1500 + n * 37, n % 4, ["a", "b"][n % 2]);
        assert_eq!(above("country;2019;growth;grade", 40, amounts), FirstLine::Likely(YEARS_ABOVE));
        assert_eq!(above("c7;2019;growth;a", 40, amounts), FirstLine::Either, "a word of the data");
        assert_eq!(above("region;2019", 20, |n| format!("R{n};{}.5", 1500 + n * 37)), FirstLine::Either);
        assert_eq!(above("c7;2019;1.5;a", 40, amounts), FirstLine::Data);
        let cities = |n: usize| format!("{};{}", ["Rome", "Paris", "Bonn"][n % 3], 500 + 137 * n);
        assert_eq!(above("Berlin;2000", 30, cities), FirstLine::Either);
        assert_eq!(above("2000;Anna", 30, |n| format!("{};N{n}", 500 + 137 * n)), FirstLine::Data);
        let colours = |n: usize| format!("{};{n};{}", ["setosa", "versicolor"][n % 2], ["red", "blue"][n % 2]);
        assert_eq!(above("virginica;n.a.;red", 30, colours), FirstLine::Either);
        let years = |n: usize| format!("c{n};{};{}", 1990 + n % 30, n % 7);
        assert_eq!(above("c9;2019;3", 40, years), FirstLine::Data);
    }

    #[test]
    fn words_alone() {
        let row = |n: usize| format!("{};{}", ["red", "blue"][n % 2], ["sweet", "sour", "salty"][n % 3]);
        assert_eq!(above("colour;taste", 40, row), FirstLine::Likely(NEW_WORDS));
        assert_eq!(above("red;sour", 40, row), FirstLine::Data);
        assert_eq!(above("red;bitter", 40, row), FirstLine::Either);
        assert_eq!(
            above("word;count", 40, |n| if n == 7 { "word;3".to_owned() } else { format!("w{n};{n}") }),
            FirstLine::Names,
            "a word may be any word"
        );
        let figures = |n: usize| format!("{};{n}.5;{}", 1950 + n, n % 7);
        assert_eq!(above("year;inf;unem", 40, figures), FirstLine::Likely(WORDS_ABOVE));
        let endless = |n: usize| if n == 3 { "1953;-inf;2".to_owned() } else { figures(n) };
        assert_eq!(above("year;inf;unem", 40, endless), FirstLine::Either);
        assert_eq!(above("1949;inf;3", 40, figures), FirstLine::Data);
        assert_eq!(above("a;NA;c", 9, |n| format!("{n};{n}.5;{}", n % 2)), FirstLine::Likely(WORDS_ABOVE));
        assert_eq!(above("name;city", 5, |n| format!("n{n};c{n}")), FirstLine::Unknown);
    }
}

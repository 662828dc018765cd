//! Whether the first line of a file names its columns, and the names.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use csv::ByteRecord;

use super::cell::parse_number;
use super::date;
use super::number::{Convention, Numbers, infer};
use super::table::MissingMarkers;
use crate::{Error, Warning, WarningKind};

/// Whether the first line names the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FirstLine {
    /// It does.
    Names,
    /// It is data.
    Data,
    /// Nothing tells; most files name their columns.
    Unknown,
    /// There is evidence for both.
    Either,
}

/// Byte order mark.
pub(super) const BOM: &[u8] = b"\xef\xbb\xbf";
/// Names are numbers in a row for sure if there are so many of them.
const LONG_SEQUENCE: usize = 5;
/// A text that never occurs among so many cells of few levels is a name.
const MANY_CELLS: usize = 20;

/// What one column says about its first cell.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Evidence {
    /// Text above numbers or dates.
    TextAboveNumbers,
    /// Text that never occurs below it, where the same few texts occur again and again.
    NewText,
    /// A number, or a missing value.
    Value,
    /// A number above text.
    NumberAboveText,
    /// A text that occurs below it.
    OccursBelow,
    /// Nothing.
    Open,
}

/// Tells by comparing the first record with those below it.
pub(super) fn first_line(sample: &[ByteRecord], markers: &MissingMarkers) -> FirstLine {
    let Some((first, below)) = sample.split_first() else { return FirstLine::Names };
    // A header that stands within the file too must not speak against itself.
    let others: Vec<ByteRecord> = below.iter().filter(|record| !repeats(record, first)).cloned().collect();
    if others.len() < below.len() {
        let above = |column| evidence(first, &others, column, markers) == Evidence::TextAboveNumbers;
        // Data may repeat a row too, but then its words stand in other rows as well.
        let apart = 10 * (below.len() - others.len()) <= below.len() && is_apart(first, &others);
        if ((0..first.len()).any(above) && fractions(first) == 0) || apart {
            return FirstLine::Names;
        }
    }
    let evidence: Vec<Evidence> = (0..first.len()).map(|column| evidence(first, below, column, markers)).collect();
    let count = |wanted: Evidence| evidence.iter().filter(|found| **found == wanted).count();
    let (names, new) = (count(Evidence::TextAboveNumbers), count(Evidence::NewText));
    let (values, occurs) = (count(Evidence::Value), count(Evidence::OccursBelow));
    let numbers = values + count(Evidence::NumberAboveText);
    let sequence = if numbers > 0 { sequence(first, below) } else { None };
    match sequence {
        Some(sure) if occurs == 0 => return if sure || names > 0 { FirstLine::Names } else { FirstLine::Either },
        _ => {}
    }
    match () {
        () if names > 0 && (values <= names || fractions(first) == 0) => FirstLine::Names,
        () if names > 0 => FirstLine::Either,
        // In data most words of the first row occur again; a word of a header may occur as a value too.
        () if 2 * occurs > first.len() - numbers => FirstLine::Data,
        () if occurs > 0 && numbers > 0 => FirstLine::Data,
        () if numbers > 0 && new > 0 && is_outside(first, below) => FirstLine::Names,
        () if numbers > 0 && new > 0 => FirstLine::Either,
        () if numbers > 0 => FirstLine::Data,
        () if new > 0 || below.is_empty() => FirstLine::Names,
        () => FirstLine::Unknown,
    }
}

/// Whether a record is the first one again, perhaps behind the byte order mark of another file.
fn repeats(record: &ByteRecord, first: &ByteRecord) -> bool {
    let bare = |cell: &[u8]| cell.strip_prefix(BOM).unwrap_or(cell).to_vec();
    record.len() == first.len() && record.iter().zip(first).all(|(a, b)| bare(a) == bare(b))
}

/// Whether no text of a record occurs in its column of the others, and it holds no number.
fn is_apart(first: &ByteRecord, others: &[ByteRecord]) -> bool {
    let occurs = |column: usize, cell: &[u8]| others.iter().any(|other| other.get(column) == Some(cell));
    let is_text = |cell: &[u8]| !cell.trim_ascii().is_empty() && parse_number(&text_of(cell)).is_none();
    first.iter().enumerate().all(|(column, cell)| is_text(cell) && !occurs(column, cell))
}

/// Whether each number of the first line is whole, and smaller or larger than all numbers below it, of which there are many: as
/// wavelengths are that name columns of intensities.
fn is_outside(first: &ByteRecord, below: &[ByteRecord]) -> bool {
    let outside = |(column, cell): (usize, &[u8])| {
        let Some(name) = parse_number(&text_of(cell)) else { return true };
        let values = || below.iter().filter_map(|record| parse_number(&text_of(record.get(column)?)));
        name.fract() == 0.0 && (values().all(|value| value < name) || values().all(|value| value > name))
    };
    below.len() >= MANY_CELLS && first.iter().enumerate().all(outside)
}

fn text_of(cell: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(cell.trim_ascii())
}

fn evidence(first: &ByteRecord, below: &[ByteRecord], column: usize, markers: &MissingMarkers) -> Evidence {
    let name = text_of(&first[column]);
    let cells: Vec<_> = below.iter().filter_map(|record| record.get(column)).map(text_of).collect();
    let cells: Vec<&str> = cells.iter().map(AsRef::as_ref).filter(|cell| !markers.matches(cell)).collect();
    let numbers = !cells.is_empty() && are_mostly_values(&cells);
    if name.is_empty() {
        return Evidence::Open;
    }
    if markers.matches(&name) || (parse_number(&name).is_some() && (numbers || cells.is_empty())) {
        return Evidence::Value;
    }
    if parse_number(&name).is_some() {
        return Evidence::NumberAboveText;
    }
    if numbers {
        return if are_values(&[name.as_ref()]) { Evidence::Open } else { Evidence::TextAboveNumbers };
    }
    if cells.contains(&name.as_ref()) {
        return Evidence::OccursBelow;
    }
    let levels: HashSet<&str> = cells.iter().copied().collect();
    if cells.len() >= MANY_CELLS && 4 * levels.len() <= cells.len() { Evidence::NewText } else { Evidence::Open }
}

/// Whether nine of ten cells are numbers, or all are values in one form: a slip of the pen, or another header within the file,
/// does not make a column text.
fn are_mostly_values(cells: &[&str]) -> bool {
    let plain = cells.iter().filter(|cell| parse_number(cell).is_some()).count();
    (cells.len() >= 10 && 10 * plain >= 9 * cells.len()) || are_values(cells)
}

/// Whether all cells are numbers in one form, or dates.
fn are_values(cells: &[&str]) -> bool {
    if cells.iter().all(|cell| parse_number(cell).is_some()) {
        return true;
    }
    let levels: Vec<(&str, usize)> = cells.iter().map(|cell| (*cell, 1)).collect();
    let numbers = match infer(&levels, Convention::default()) {
        Numbers::Form(_, rows) => rows == cells.len(),
        Numbers::Ambiguous(_) => true,
        Numbers::None => false,
    };
    numbers || !matches!(date::infer(cells), date::Dates::None)
}

/// Number of cells with decimals.
fn fractions(record: &ByteRecord) -> usize {
    record.iter().filter(|cell| parse_number(&text_of(cell)).is_some_and(|value| value.fract() != 0.0)).count()
}

/// Whether the numbers of the first line are names in a row: 0, 1, 2, … or years. `Some(false)` if they may as well be data.
fn sequence(first: &ByteRecord, below: &[ByteRecord]) -> Option<bool> {
    let numbers = |record: &ByteRecord| -> Vec<f64> {
        (0..first.len())
            .filter(|column| parse_number(&text_of(&first[*column])).is_some())
            .filter_map(|column| parse_number(&text_of(record.get(column)?)))
            .collect()
    };
    let names = numbers(first);
    let whole = names.iter().all(|value| value.fract() == 0.0);
    let steps = |values: &[f64]| values.windows(2).all(|pair| pair[1] == pair[0] + 1.0);
    let rising = |values: &[f64]| values.windows(2).all(|pair| pair[1] > pair[0]);
    let years = |values: &[f64]| values.iter().all(|value| (1500.0..=2100.0).contains(value)) && rising(values);
    let rows: Vec<Vec<f64>> = below.iter().map(numbers).collect();
    if rows.is_empty() || !whole || names.len() < 2 {
        return None;
    }
    if years(&names) && rows.iter().any(|row| !row.iter().all(|value| (1500.0..=2100.0).contains(value))) {
        return Some(true);
    }
    let again = rows.iter().filter(|row| row.len() == names.len() && steps(row)).count();
    if names.len() < 2 || !steps(&names) || !matches!(names[0], 0.0 | 1.0) || 10 * again > rows.len() {
        return None;
    }
    let last = names[names.len() - 1];
    let unlike = rows.iter().flatten().any(|value| value.fract() != 0.0 || *value < 0.0 || *value > 10.0 * last);
    match names.len() {
        2 => unlike.then_some(true),
        count => Some(count >= LONG_SEQUENCE || unlike),
    }
}

/// The error for a first line that may be both.
pub(super) fn ambiguous(path: &Path, sample: &[ByteRecord]) -> Error {
    let shown = |record: &ByteRecord| record.iter().take(6).map(text_of).collect::<Vec<_>>().join(", ");
    let message = format!(
        "the first line may name the columns or be data: \"{}\" above \"{}\"; --header yes or --header no says which",
        sample.first().map_or(String::new(), shown),
        sample.get(1).map_or(String::new(), shown)
    );
    Error::data_at(path, Some(1), None, message)
}

/// c0, c1, …
pub(super) fn generated(count: usize) -> Vec<String> {
    (0..count).map(|index| format!("c{index}")).collect()
}

/// The names of the columns of a first line. A column without a name is c and its place; of equal names the later ones get a
/// number: `a`, `a.1`, with a warning.
pub(super) fn names(path: &Path, record: &ByteRecord, warnings: &mut Vec<Warning>) -> Vec<String> {
    let given = record.iter().map(|cell| text_of(cell).trim().to_owned()).collect();
    distinct(path, given, "--header no if the first line is data", warnings)
}

/// The names that a file gives, made distinct as [`names`] says; `hint` says what to do about it.
pub(super) fn distinct(path: &Path, given: Vec<String>, hint: &str, warnings: &mut Vec<Warning>) -> Vec<String> {
    let mut taken: HashSet<String> = given.iter().filter(|name| !name.is_empty()).cloned().collect();
    let mut seen: HashSet<String> = HashSet::new();
    let mut renamed: Vec<String> = Vec::new();
    // The number from which on one may be free, for each name that occurs again.
    let mut next: HashMap<String, usize> = HashMap::new();
    let mut names = Vec::with_capacity(given.len());
    for (index, name) in given.into_iter().enumerate() {
        let (stem, between) = if name.is_empty() { (format!("c{index}"), "_") } else { (name.clone(), ".") };
        let free = !name.is_empty() && !seen.contains(&name) || name.is_empty() && !taken.contains(&stem);
        let unique = if free {
            stem
        } else {
            let from = next.get(&stem).copied().unwrap_or(1);
            let numbered = (from..).map(|n| (n, format!("{stem}{between}{n}")));
            let (n, unique) =
                numbered.into_iter().find(|(_, name)| !taken.contains(name)).expect("some number is free");
            next.insert(stem, n + 1);
            renamed.push(format!("\"{name}\" (column {index}) is {unique}"));
            unique
        };
        taken.insert(unique.clone());
        seen.insert(unique.clone());
        names.push(unique);
    }
    if !renamed.is_empty() {
        let (path, list) = (path.display(), super::cell::shortened(&renamed));
        let message = format!("{path}: column names occur twice: {list}; {hint}");
        warnings.push(Warning::new(WarningKind::RepeatedName, message).count(renamed.len()));
    }
    names
}

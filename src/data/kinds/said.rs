//! Notes and warnings for the user about the kinds of columns.

use crate::data::cell::brief;
use crate::data::date::{self, DateForm, Dates};
use crate::data::likeness::unread_form;
use crate::data::number::{Convention, NumberForm, Numbers, infer};
use crate::data::offsets::some_offsets;
use crate::data::raw_table::RawTable;
use crate::data::short_years::late_years;
use crate::data::spelling::{like_numbers, minus_behind, one_spelling_of_booleans, other_form, stray_among_numbers};
use crate::data::table::{Column, MISSING};
use crate::option_text::{option, quoted};
use crate::warning::are;
use crate::{Warning, WarningKind};

/// Number of cells that a warning quotes.
const QUOTED: usize = 3;

/// Notes and warnings that are collected while columns are converted.
pub(super) struct Said {
    pub(super) notes: Vec<String>,
    pub(super) warnings: Vec<Warning>,
    /// Columns with cells that are unreadable.
    pub(super) unreadable: Vec<usize>,
    /// Columns of truth values in which several spellings were merged.
    pub(super) respelled: Vec<usize>,
}

impl Said {
    /// Adds a warning about unreadable cells of a column, if there are any.
    fn unread(
        &mut self,
        file: &RawTable,
        (column, text): (usize, &Column),
        (what, count): (&str, usize),
        parse: &dyn Fn(&str) -> Option<f64>,
    ) {
        if count > 0 {
            self.warnings.push(unread(file, (column, text), what, count, parse));
            self.unreadable.push(column);
        }
    }

    /// Adds notes and warnings about a column of numbers, of which `unread` cells are none.
    pub(super) fn of_numbers(&mut self, file: &RawTable, column: (usize, &Column), form: NumberForm, unread: usize) {
        let name = &file.outline.names[column.0];
        self.unread(file, column, ("number", unread), &|cell| form.parse(cell));
        self.notes.extend(other_form(name, &form, column.1));
        self.warnings.extend(minus_behind(name, column.1));
        if form.is_plain() && unread == 0 {
            self.notes.push(format!("column \"{name}\": numbers with decimal points"));
        }
    }

    /// Adds notes and warnings about a column of dates, of which `unread` cells are none.
    pub(super) fn of_dates(
        &mut self,
        file: &RawTable,
        column: (usize, &Column),
        (form, values): (&DateForm, &Column),
        unread: usize,
    ) {
        let name = &file.outline.names[column.0];
        self.unread(file, column, ("date", unread), &|cell| form.parse(cell));
        if let Column::Numbers(values) = values {
            self.warnings.extend(form.last_short_year(values).and_then(|last| late_years(name, last)));
        }
        self.warnings.extend(some_offsets(name, column.1));
        self.notes.push(format!("column \"{name}\": dates ({}; {} changes it)", form.pattern, option("dates")));
    }

    /// Adds notes and warnings about a column that stays text, and returns it.
    pub(super) fn as_text(&mut self, (column, name): (usize, &str), text: Column) -> Column {
        let counted = counted(&text);
        let others = || numbers_with_others(name, &counted);
        let unread = || unread_form(name, &counted);
        self.warnings.extend(like_numbers(name, &text).or_else(others).or_else(unread));
        let (text, joined) = one_spelling_of_booleans(text);
        if let Some([no, yes]) = joined {
            self.respelled.push(column);
            self.notes.push(format!("column \"{name}\": {yes} and {no} in any case are one value each"));
        }
        text
    }
}

/// The warning about a column that stays text though most of its cells are numbers in another notation, such as `1,5` beside `k.A.`.
/// Numbers with decimal points are looked at when the column is fitted.
fn numbers_with_others(name: &str, levels: &[(&str, usize)]) -> Option<Warning> {
    let (Numbers::Form(form, rows) | Numbers::Ambiguous(form, rows, _)) = infer(levels, Convention::default()) else {
        return None;
    };
    let of = levels.iter().map(|(_, rows)| rows).sum::<usize>();
    let numbers = levels.iter().filter(|(level, _)| form.parse(level).is_some()).count();
    if form.is_plain() || 2 * rows <= of || numbers < 3 {
        return None;
    }
    let (other, _) = levels.iter().filter(|(level, _)| form.parse(level).is_none()).max_by_key(|(_, rows)| *rows)?;
    Some(stray_among_numbers(name, other).count(of - rows))
}

/// Each level of a text column with its number of rows.
fn counted(text: &Column) -> Vec<(&str, usize)> {
    let Column::Text { codes, levels } = text else { return Vec::new() };
    let mut counted: Vec<(&str, usize)> = levels.iter().map(|level| (level.as_str(), 0)).collect();
    codes.iter().filter(|code| **code != MISSING).for_each(|code| counted[*code as usize].1 += 1);
    counted
}

/// The warning about unreadable cells in a column with mostly numbers or dates.
fn unread(
    file: &RawTable,
    (at, column): (usize, &Column),
    what: &str,
    count: usize,
    parse: &dyn Fn(&str) -> Option<f64>,
) -> Warning {
    let Column::Text { codes, levels } = column else { unreachable!("only text can be unread") };
    let (name, unit) = (&file.outline.names[at], file.outline.unit);
    let wrong: Vec<bool> = levels.iter().map(|level| parse(level).is_none()).collect();
    let rows = codes.iter().enumerate().filter(|(_, code)| **code != MISSING && wrong[**code as usize]);
    let found: Vec<(&String, u32)> =
        rows.take(QUOTED).map(|(row, code)| (&levels[*code as usize], file.lines[row])).collect();
    let cells: Vec<String> =
        found.iter().map(|(level, line)| format!("\"{}\" ({unit} {line})", brief(level))).collect();
    let first = found.first().map_or("".into(), |(level, _)| brief(level));
    let is_date = what == "date" && found.first().is_some_and(|(level, _)| date::infer(&[level]) != Dates::None);
    let marker = quoted("na", format!("+{first}"));
    let (of_form, says_so) = match is_date {
        true => (" of this form", format!("write all dates in one form, or {marker} takes these for missing values")),
        false => ("", format!("{marker} says so")),
    };
    let message = format!(
        "column \"{name}\": {} no {what}{of_form} and {} as missing: {}; {says_so}, {} makes all values categories",
        are(count, "cell"),
        if count == 1 { "counts" } else { "count" },
        cells.join(", "),
        quoted("categorical", name)
    );
    Warning::new(WarningKind::UnreadableNumbers, message).column(name).count(count)
}

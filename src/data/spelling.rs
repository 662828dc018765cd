//! Notes and warnings about the spelling of cells, and merging of spellings.

use super::builder::Origin;
use super::cell::{BOOLEANS, brief};
use super::number::{
    NumberForm, in_several_forms, is_number, pairs_or_decimals, small_with_minus_behind, units, with_a_comma,
};
use super::table::{Column, MISSING};
use crate::option_text::{quoted, setting};
use crate::{Warning, WarningKind};

/// The note about numbers that the format declares as text.
pub(super) fn of_text(name: &str, origin: &Origin) -> Option<String> {
    let remedy = quoted("categorical", name);
    origin.text.then(|| format!("column \"{name}\": text of numbers ({remedy} makes categories)"))
}

/// The note about numbers in an unusual notation.
pub(super) fn other_form(name: &str, form: &NumberForm, column: &Column) -> Option<String> {
    let cells = if let Column::Text { levels, .. } = column { levels.as_slice() } else { &[] };
    (!form.is_plain()).then(|| format!("column \"{name}\": numbers with {}", form.described(cells)))
}

/// The warning about small whole numbers with a minus behind them in a column of numbers.
pub(super) fn minus_behind(name: &str, column: &Column) -> Option<Warning> {
    let Column::Text { levels, .. } = column else { return None };
    let cell = levels.iter().find(|level| small_with_minus_behind(level))?;
    let number = cell.trim().trim_end_matches(|c: char| !c.is_ascii_digit());
    let remedy = quoted("categorical", name);
    let message = format!("column \"{name}\": \"{cell}\" is read as −{number}; {remedy} makes all values categories");
    Some(Warning::new(WarningKind::NumbersWithUnits, message).column(name))
}

/// The warning about a text column whose cells would be numbers in another notation, or that contains unsupported
/// escapes.
pub(super) fn like_numbers(name: &str, column: &Column) -> Option<Warning> {
    let Column::Text { levels, .. } = column else { return None };
    if let Some(cell) = with_a_comma(levels) {
        let message = format!(
            "column \"{name}\" is read as text: its cells look like numbers, some with a decimal comma (\"{cell}\"), but it or another \
             column has decimal points"
        );
        return Some(Warning::new(WarningKind::NumbersWithUnits, message).column(name));
    }
    if let Some([one, other]) = pairs_or_decimals(levels) {
        let message = format!(
            "column \"{name}\" is read as text: its commas may be decimal commas, but \"{one}\" and \"{other}\" would then be one number; {} \
             reads numbers",
            setting("decimal", ',')
        );
        return Some(Warning::new(WarningKind::NumbersWithUnits, message).column(name));
    }
    if let Some(cell) = levels.iter().find(|level| level.contains("\\\"")) {
        let message = format!(
            "column \"{name}\" has backslashes before quotes ({}), which are read as they stand: CSV doubles a quote within quotes",
            brief(cell)
        );
        return Some(Warning::new(WarningKind::Other, message).column(name));
    }
    if in_several_forms(levels) {
        let cells: Vec<String> =
            levels.iter().filter(|level| is_number(level)).take(3).map(|level| brief(level).into_owned()).collect();
        let message = format!(
            "column \"{name}\" is read as text: its cells look like numbers, but not in one form ({}): write them in one",
            cells.join(", ")
        );
        return Some(Warning::new(WarningKind::NumbersWithUnits, message).column(name));
    }
    let units = units(levels)?;
    let example = levels.iter().find(|level| level.contains(units[0])).map_or("", String::as_str);
    let units: Vec<String> = units.iter().map(|unit| format!("\"{unit}\"")).collect();
    let message = format!(
        "column \"{name}\" is read as text: its cells are numbers with {} beside them ({example}); without that they would be \
         numbers",
        units.join(", ")
    );
    Some(Warning::new(WarningKind::NumbersWithUnits, message).column(name))
}

/// The warning about a column that is read as categories, as a text among its numbers is none.
pub(super) fn stray_among_numbers(name: &str, stray: &str) -> Warning {
    let message = format!(
        "column \"{name}\" is read as categories, since \"{}\" is no number; {} makes it a missing value",
        brief(stray),
        quoted("na", format_args!("+{stray}"))
    );
    Warning::new(WarningKind::StrayText, message).column(name)
}

/// Merges the spellings of truth values that differ in case, each into the first one, in a column with more than two
/// levels. Returns the words if any were merged.
pub(super) fn one_spelling_of_booleans(column: Column) -> (Column, Option<[&'static str; 2]>) {
    let Column::Text { codes, levels } = &column else { return (column, None) };
    let lower: Vec<String> = levels.iter().map(|level| level.to_lowercase()).collect();
    let words = BOOLEANS.iter().find(|words| lower.iter().all(|level| words.contains(&level.as_str())));
    let Some(words) = words.filter(|_| levels.len() > 2) else { return (column, None) };
    let first = |level: &String| lower.iter().position(|other| other == level).expect("the level is among them");
    let firsts: Vec<usize> = lower.iter().map(first).collect();
    let mut kept = firsts.clone();
    kept.sort_unstable();
    kept.dedup();
    let code = |old: &u32| match *old {
        MISSING => MISSING,
        old => kept.binary_search(&firsts[old as usize]).expect("a first spelling is kept") as u32,
    };
    let codes = codes.iter().map(code).collect();
    let levels = kept.iter().map(|at| levels[*at].clone()).collect();
    (Column::Text { codes, levels }, Some(*words))
}

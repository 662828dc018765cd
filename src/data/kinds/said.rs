//! What a user is told of columns while they are read.

use crate::data::cell::brief;
use crate::data::likeness::unread_form;
use crate::data::raw_table::RawTable;
use crate::data::spelling::{like_numbers, one_spelling_of_booleans};
use crate::data::table::{Column, MISSING};
use crate::option_text::quoted;
use crate::warning::are;
use crate::{Warning, WarningKind};

/// Cells that a warning quotes.
const QUOTED: usize = 3;

/// What is said while the columns are read.
pub(super) struct Said {
    pub(super) notes: Vec<String>,
    pub(super) warnings: Vec<Warning>,
    /// Columns in which some cells are no numbers.
    pub(super) unreadable: Vec<usize>,
    /// Columns of truth values in which several spellings became one.
    pub(super) respelled: Vec<usize>,
    /// The user says that decimals follow a comma.
    pub(super) decimal_comma: bool,
}

impl Said {
    /// Warns of cells of a column that are not read, if there are any.
    pub(super) fn unread(
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

    /// A column that stays text.
    pub(super) fn as_text(&mut self, (column, name): (usize, &str), text: Column) -> Column {
        let unread = || unread_form(name, &counted(&text));
        self.warnings.extend(like_numbers(name, &text, self.decimal_comma).or_else(unread));
        let (text, joined) = one_spelling_of_booleans(text);
        if joined {
            self.respelled.push(column);
            self.notes.push(format!("column \"{name}\": true and false in any case are one value each"));
        }
        text
    }
}

/// Each level of a text with its number of rows.
fn counted(text: &Column) -> Vec<(&str, usize)> {
    let Column::Text { codes, levels } = text else { return Vec::new() };
    let mut counted: Vec<(&str, usize)> = levels.iter().map(|level| (level.as_str(), 0)).collect();
    codes.iter().filter(|code| **code != MISSING).for_each(|code| counted[*code as usize].1 += 1);
    counted
}

/// The warning about cells that are no numbers, or no dates, in a column of which most are.
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
    let message = format!(
        "column \"{name}\": {} no {what} and {} as missing: {}; {} says so, {} makes all values categories",
        are(count, "cell"),
        if count == 1 { "counts" } else { "count" },
        cells.join(", "),
        quoted("na", format_args!("+{first}")),
        quoted("categorical", name)
    );
    Warning::new(WarningKind::UnreadableNumbers, message).column(name).count(count)
}

//! Times with and without an offset from UTC.

use super::date::{DateForm, DateUnit, has_offset};
use super::table::{Column, ColumnKind};
use crate::{Unit, Warning, WarningKind};

/// The warning about a column in which some times name their offset from UTC and others do not: local times would stand beside
/// times in UTC.
pub(super) fn some_offsets(name: &str, text: &Column) -> Option<Warning> {
    let Column::Text { levels, .. } = text else { return None };
    let with = levels.iter().find(|level| has_offset(level) == Some(true))?;
    let without = levels.iter().find(|level| has_offset(level) == Some(false))?;
    let message = format!(
        "column \"{name}\": some times name their offset from UTC (\"{with}\"), others do not (\"{without}\"): those are taken for UTC"
    );
    Some(Warning::new(WarningKind::Other, message).column(name))
}

/// The warning about a time that names its offset from UTC though the times in training did not, or the other way around.
pub(super) fn other_offset(name: &str, known: &ColumnKind, (unit, (line, time)): (Unit, &(u32, String))) -> Warning {
    let with = matches!(known, ColumnKind::Date(form) if form.offset == Some(true));
    let message = match with {
        false if matches!(known, ColumnKind::Date(DateForm { unit: DateUnit::Days, .. })) => format!(
            "column \"{name}\": days in training, \"{time}\" ({unit} {line}) is a time with an offset from UTC: it becomes the day in UTC"
        ),
        true => format!(
            "column \"{name}\": times in training name their offset from UTC, \"{time}\" ({unit} {line}) does not: such times are taken for UTC"
        ),
        false => format!(
            "column \"{name}\": times in training name no offset from UTC, \"{time}\" ({unit} {line}) does: such times become times in UTC, \
             those in training stayed as they are"
        ),
    };
    Warning::new(WarningKind::Other, message).column(name)
}

/// The warning about a column of a typed format in which some times are in UTC and others are local.
pub(super) fn mixed_offsets(name: &str, (unit, (line, time)): (Unit, &(u32, String))) -> Warning {
    let (this, others) = if time.ends_with('Z') { ("in UTC", "local") } else { ("local", "in UTC") };
    let message = format!(
        "column \"{name}\": \"{time}\" ({unit} {line}) is {this}, times above it are {others}: the local ones are taken for UTC"
    );
    Warning::new(WarningKind::Other, message).column(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixed_offsets_are_named() {
        let said = |cells: &[&str]| {
            let levels = cells.iter().map(|cell| (*cell).to_owned()).collect();
            some_offsets("t", &Column::Text { codes: vec![0, 1], levels }).is_some()
        };
        assert!(said(&["2020-01-05T10:00:00+05:00", "2020-01-05 10:00:00"]));
        assert!(!said(&["2020-01-05T10:00:00+05:00", "2020-01-05 10:00:00Z"]));
        assert!(!said(&["2020-01-05T10:00:00", "2020-01-05"]));
    }
}

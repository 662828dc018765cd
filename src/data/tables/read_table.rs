//! The columns of a file with their roles and kinds, and what was decided about them.

use std::sync::Arc;

use crate::data::dialect::TextDialect;
use crate::data::kinds::{KeptTexts, Kinded, kinds};
use crate::data::labels::{LabelText, has_two_cases, label_text};
use crate::data::options::{DataOptions, TaskChoice};
use crate::data::prepared::Decided;
use crate::data::raw_table::{RawTable, TextLayout};
use crate::data::schema::{Roles, has_no_weight};
use crate::data::table::{Column, ColumnKind, Names, Table};
use crate::data::written::{Character, DateColumn, Delimiter, Quote};
use crate::warning::are;
use crate::{Error, Result, Warning};

/// A table whose columns have roles and kinds, before its task is known.
pub(super) struct ReadTable {
    pub(super) table: Table,
    pub(super) roles: Roles,
    /// The label as written, if its parsed values are not sufficient.
    pub(super) text: Option<LabelText>,
    pub(super) notes: Vec<String>,
    pub(super) warnings: Vec<Warning>,
    /// As in [`super::TypedTable`].
    pub(super) reading: Vec<String>,
    /// As in [`super::TypedTable`].
    pub(super) decided: Decided,
}

impl ReadTable {
    /// Determines roles and kinds.
    pub(super) fn new(mut file: RawTable, options: &DataOptions) -> Result<Self> {
        let read = options.read_options();
        let mut notes = Vec::new();
        let outline = Arc::clone(&file.outline);
        let path = file.path.clone();
        let empty = empty_columns(&file, &mut notes);
        let mut roles = Roles::new(&Names { path: &path, names: &outline.names }, &empty, options, &mut notes)?;
        let label = roles.labels[0];
        notes.extend(take_away_weightless(&mut file, &roles)?);
        // Labels and weights must not lose cells.
        let exact: Vec<usize> = roles.labels.iter().copied().chain(roles.weight).collect();
        let unused = roles.unused(outline.names.len());
        let kept = KeptTexts { labels: &exact, texts: &roles.categorical, unused: &unused };
        let Kinded { table, unreadable, notes: said, warnings, .. } = kinds(&mut file, &read, kept)?;
        let spelled = LabelSpelling::of(&table.columns[label], file.origins[label].plain, options.task);
        let reading = said.clone();
        notes.splice(0..0, said);
        (roles.lenient, roles.nameless) = (unreadable, outline.nameless.clone());
        let as_written = spelled == LabelSpelling::AsWritten && roles.labels.len() == 1;
        let text = as_written.then(|| label_text(&file, label, &read.missing)).transpose()?;
        // With `header = yes`, a title above the header would be taken for the header.
        let named = |text: &TextLayout| (!text.has_lines_above).then_some(outline.named);
        let decided = decided(file.text.as_ref().map(|text| (text.dialect, named(text))), &table);
        Ok(Self { table, roles, text, notes, warnings, reading, decided })
    }
}

/// Number of columns that a note lists.
pub(super) const LISTED: usize = 5;

/// Columns without a name of their own and without a value.
fn empty_columns(file: &RawTable, notes: &mut Vec<String>) -> Vec<usize> {
    let names = &file.outline.names;
    let nameless = |column: &usize| file.outline.named && file.outline.nameless.contains(column);
    let empty = |column: &usize| file.columns[*column].missing() == file.lines.len();
    let empty: Vec<usize> = (0..names.len()).filter(nameless).filter(empty).collect();
    if !empty.is_empty() {
        let named: Vec<&str> = empty.iter().take(LISTED).map(|column| names[*column].as_str()).collect();
        notes.push(format!("left out: columns without name and value ({})", named.join(", ")));
    }
    empty
}

/// What was detected about a file, as options: date formats and, for delimited text, its dialect and whether it has a
/// header.
fn decided(text: Option<(TextDialect, Option<bool>)>, table: &Table) -> Decided {
    let date = |(name, kind): (&String, &ColumnKind)| match kind {
        ColumnKind::Date(form) => form.as_option().map(|form| DateColumn { column: name.clone(), form }),
        ColumnKind::Number(_) | ColumnKind::Text => None,
    };
    let dates = table.names.iter().zip(&table.kinds).filter_map(date).collect();
    let Some((TextDialect { delimiter, quote, comment, .. }, named)) = text else {
        return Decided { dates, ..Decided::default() };
    };
    Decided {
        delimiter: (delimiter != b',').then_some(Delimiter(delimiter)),
        header: named,
        comment: comment.map(|sign| Character(sign as char)),
        quote: (quote != Quote::Byte(b'"')).then_some(quote),
        dates,
    }
}

/// Marks the cells of rows of weight 0 as missing, so that the result is the same as without these rows. Returns a note
/// about them.
fn take_away_weightless(file: &mut RawTable, roles: &Roles) -> Result<Option<String>> {
    let Some(weight) = roles.weight else { return Ok(None) };
    let weights = &file.columns[weight];
    let rows: Vec<u32> = (0..file.lines.len() as u32).filter(|row| has_no_weight(weights, *row)).collect();
    let count = rows.len();
    if count == file.lines.len() {
        let name = Some(file.outline.names[weight].as_str());
        return Err(Error::data_at(&file.path, None, name, "all weights are 0: nothing would count"));
    }
    file.blank(rows, weight);
    Ok((count > 0).then(|| format!("weights: {} of weight 0: left out", are(count, "row"))))
}

/// Whether the text of a label is needed in addition to its parsed values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LabelSpelling {
    /// The parsed values are sufficient.
    Read,
    /// The labels must be read as written.
    AsWritten,
}

impl LabelSpelling {
    /// Numbers with decimals are not classes, unless the user says so. Integers are classes, which are named as
    /// written.
    fn of(label: &Column, plain: bool, task: TaskChoice) -> Self {
        let has_missing = label.missing() > 0;
        let fraction = |values: &[f64]| values.iter().any(|value| value.fract() != 0.0 && !value.is_nan());
        let asked = matches!(task, TaskChoice::Binary | TaskChoice::Multiclass);
        match (label, task) {
            (_, TaskChoice::Regression | TaskChoice::Multilabel) => Self::Read,
            (Column::Numbers(values), _) if fraction(values) && !asked => Self::Read,
            (Column::Numbers(values), _) if plain && !fraction(values) && !has_missing => Self::Read,
            (Column::Text { levels, .. }, _) if !has_missing && !has_two_cases(levels) => Self::Read, // already text
            _ => Self::AsWritten,
        }
    }
}

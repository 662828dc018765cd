//! What may make a result wrong, said once for each cause.

use std::borrow::Cow;

use serde::Serialize;

use crate::option_text::option;

/// What a warning is about. The order is that of severity, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WarningKind {
    /// The model predicts one class for every row.
    OneClassPredicted,
    /// The model is no better than predicting the majority class or the mean.
    NoBetterThanBaseline,
    /// Labelled rows have a class that the model does not know.
    UnknownClass,
    /// Classes that no training row has.
    UnlearntClass,
    /// Columns are matched by position although the model has names.
    MatchedByPosition,
    /// A whole column lies elsewhere than in training.
    ColumnShifted,
    /// Levels that training did not see.
    UnseenLevels,
    /// Levels that are known in another spelling.
    LevelSpelling,
    /// Columns that are known in another spelling.
    ColumnSpelling,
    /// Values are missing in a column that was never missing in training.
    MissingNow,
    /// Values far outside the range of the training rows.
    OutOfRange,
    /// A column that was constant in training has other values.
    ConstantMoved,
    /// The labels look like another task, or like a name for each row.
    DoubtfulLabel,
    /// Label cells are read as missing.
    MissingMarkerInLabel,
    /// Rows without a target are left out.
    NoTarget,
    /// Rows without a group, where groups stay together.
    NoGroup,
    /// Cells of a number column that are no numbers.
    UnreadableNumbers,
    /// Cells are numbers with units or decimal commas, and are read as text.
    NumbersWithUnits,
    /// A number that is infinite, or too large for a double.
    InfiniteNumbers,
    /// A quoted cell runs over several lines.
    QuotedLines,
    /// Several columns have one name.
    RepeatedName,
    /// Lines of a title stand above the header.
    LinesAbove,
    /// A line repeats the header.
    RepeatedHeader,
    /// Blank lines are skipped, or count as rows.
    BlankLines,
    /// The text is not UTF-8.
    Encoding,
    /// A column counts the rows.
    RowNumber,
    /// A column looks like an identifier.
    Identifier,
    /// A column without a value in the training rows.
    EmptyColumn,
    /// A column with one value in all training rows.
    ConstantColumn,
    /// A text column with a different value in most rows.
    ManyLevels,
    /// A column gives the label away.
    Leak,
    /// Rows repeat other rows.
    Duplicates,
    /// A part of the data that was asked for has no rows.
    EmptyPart,
    /// Intervals rest on rows that chose something.
    OptimisticIntervals,
    /// The figure that is watched is undefined.
    UndefinedMonitor,
    /// Anything else.
    Other,
}

impl WarningKind {
    /// What several columns have in common that this kind is about; nothing for kinds that are said one by one.
    fn of_columns(self) -> Option<Cow<'static, str>> {
        Some(Cow::Borrowed(match self {
            WarningKind::ColumnShifted => "columns are shifted against training: are the units the same?",
            WarningKind::UnseenLevels => "columns have levels that training did not see",
            WarningKind::LevelSpelling => "columns have levels that are known in another spelling, and count as these",
            WarningKind::ColumnSpelling => "columns have their names in another spelling",
            WarningKind::MissingNow => "columns have no value in some rows, which never happened in training",
            WarningKind::OutOfRange => "columns have values far outside the range of the training rows",
            WarningKind::ConstantMoved => "columns had one value in training and are left out, but have others now",
            WarningKind::UnreadableNumbers => "columns of numbers have cells that are no numbers",
            WarningKind::NumbersWithUnits => "columns look like numbers, with units or commas, and are read as text",
            WarningKind::Identifier => {
                let (ignore, keep) = (option("ignore"), option("keep_column"));
                return Some(format!("columns look like identifiers and are kept ({ignore}, {keep})").into());
            }
            WarningKind::RowNumber => {
                return Some(format!("columns count the rows and are left out ({})", option("keep_column")).into());
            }
            WarningKind::EmptyColumn => "columns have no value in any training row and are left out",
            WarningKind::ConstantColumn => "columns have one value in all training rows and are left out",
            WarningKind::ManyLevels => "columns are text with a different value in most rows and are left out",
            _ => return None,
        }))
    }
}

/// Something that may make a result wrong.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Warning {
    /// What it is about.
    pub kind: WarningKind,
    /// The column, where it is about one.
    pub column: Option<String>,
    /// How many rows, cells or columns it is about, where they are counted.
    pub count: Option<u64>,
    /// One sentence: what was found, and what to do about it.
    pub message: String,
}

impl Warning {
    /// A warning about no column in particular.
    pub fn new(kind: WarningKind, message: impl Into<String>) -> Warning {
        Warning { kind, column: None, count: None, message: message.into() }
    }

    /// Names the column.
    #[must_use]
    pub fn column(mut self, name: impl Into<String>) -> Warning {
        self.column = Some(name.into());
        self
    }

    /// Gives the number of rows, cells or columns.
    #[must_use]
    pub fn count(mut self, count: usize) -> Warning {
        self.count = Some(count as u64);
        self
    }
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

/// A count with its noun and verb: `1 cell is`, `3 cells are`.
pub(crate) fn are(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun} is") } else { format!("{count} {noun}s are") }
}

/// A count with its noun: `1 row`, `3 rows`.
pub(crate) fn of(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// Columns that one line names.
const NAMED: usize = 3;

/// The warnings, worst first.
pub fn sorted(warnings: &[Warning]) -> Vec<&Warning> {
    let mut sorted: Vec<&Warning> = warnings.iter().collect();
    sorted.sort_by_key(|warning| warning.kind);
    sorted
}

/// The warnings as lines, worst first: one line for all columns of a kind, with the three that have the highest counts.
pub fn lines(warnings: &[Warning]) -> Vec<String> {
    let sorted = sorted(warnings);
    let kinds = sorted.chunk_by(|a, b| a.kind == b.kind && a.kind.of_columns().is_some());
    kinds
        .map(|same| match (same, same[0].kind.of_columns()) {
            ([one], _) | ([one, ..], None) => one.message.clone(),
            (several, Some(what)) => of_several(several, &what),
            ([], None) => unreachable!("a chunk is not empty"),
        })
        .collect()
}

fn of_several(same: &[&Warning], what: &str) -> String {
    let mut worst = same.to_vec();
    worst.sort_by_key(|warning| std::cmp::Reverse(warning.count));
    let named = worst.iter().take(NAMED).map(|warning| {
        let name = warning.column.as_deref().unwrap_or("?");
        warning.count.map_or(format!("\"{name}\""), |count| format!("\"{name}\" ({count})"))
    });
    let more = if same.len() > NAMED { ", …" } else { "" };
    format!("{} {what}: {}{more}", same.len(), named.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_come_first_and_columns_share_a_line() {
        let of = |kind, column: &str, count| Warning::new(kind, format!("{column}!")).column(column).count(count);
        let all = [
            Warning::new(WarningKind::EmptyPart, "no part"),
            of(WarningKind::UnseenLevels, "a", 1),
            of(WarningKind::UnseenLevels, "b", 5),
            of(WarningKind::MissingNow, "c", 2),
            of(WarningKind::UnseenLevels, "d", 2),
            of(WarningKind::UnseenLevels, "e", 3),
        ];
        let expected = "4 columns have levels that training did not see: \"b\" (5), \"e\" (3), \"d\" (2), …";
        assert_eq!(lines(&all), [expected, "c!", "no part"]);
    }

    #[test]
    fn json_names_kind_column_and_count() {
        let warning = Warning::new(WarningKind::UnseenLevels, "two").column("city").count(2);
        let json = serde_json::to_string(&warning).unwrap();
        assert_eq!(json, r#"{"kind":"unseen_levels","column":"city","count":2,"message":"two"}"#);
    }
}

//! Warnings about what may make a result wrong.

use std::borrow::Cow;

use serde::Serialize;

use crate::option_text::option;

/// The cause of a warning. The order is by severity, most severe first.
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
    /// Some classes have no training row.
    UnlearntClass,
    /// Columns are matched by position although the model has names.
    MatchedByPosition,
    /// A whole column has other values than in training.
    ColumnShifted,
    /// Levels that did not occur in training.
    UnseenLevels,
    /// Levels that are known in a different spelling.
    LevelSpelling,
    /// Columns that are known in a different spelling.
    ColumnSpelling,
    /// Values are missing in a column that had no missing values in training.
    MissingNow,
    /// Values far outside the range of the training rows.
    OutOfRange,
    /// A column that was constant in training has other values.
    ConstantMoved,
    /// The label seems to suit another task, or to be a name for each row.
    DoubtfulLabel,
    /// Label cells are treated as missing.
    MissingMarkerInLabel,
    /// Rows without a target are left out.
    NoTarget,
    /// Rows without a group, although groups are kept together.
    NoGroup,
    /// Cells of a number column that are not numbers.
    UnreadableNumbers,
    /// A column is read as categories, as a text among its numbers is none.
    StrayText,
    /// Numbers with units or decimal commas are read as text.
    NumbersWithUnits,
    /// A number that is infinite, or too large for double precision.
    InfiniteNumbers,
    /// A quoted cell spans several lines.
    QuotedLines,
    /// Several columns have the same name.
    RepeatedName,
    /// Lines of a title stand above the header.
    LinesAbove,
    /// A line repeats the header.
    RepeatedHeader,
    /// Blank lines are skipped, or count as rows.
    BlankLines,
    /// The text is not UTF-8.
    Encoding,
    /// A column numbers the rows.
    RowNumber,
    /// A column looks like an identifier.
    Identifier,
    /// A column without a value in the training rows.
    EmptyColumn,
    /// A column with one value in all training rows.
    ConstantColumn,
    /// A text column with a different value in most rows.
    ManyLevels,
    /// A column reveals the label.
    Leak,
    /// Rows are duplicates of other rows.
    Duplicates,
    /// A requested part of the data has no rows.
    EmptyPart,
    /// Intervals were computed on rows that were used for a choice.
    OptimisticIntervals,
    /// The monitored figure is undefined.
    UndefinedMonitor,
    /// Anything else.
    Other,
}

impl WarningKind {
    /// The text for several columns with a warning of this kind, after their number. `None` for kinds that get a line
    /// for each warning.
    fn of_columns(self) -> Option<Cow<'static, str>> {
        Some(Cow::Borrowed(match self {
            WarningKind::ColumnShifted => "columns are shifted against training: are the units the same?",
            WarningKind::UnseenLevels => "columns have levels that training did not see",
            WarningKind::LevelSpelling => "columns have levels that are known in another spelling, and count as these",
            WarningKind::ColumnSpelling => "columns have their names in another spelling",
            WarningKind::MissingNow => "columns have no value in far more rows than in training",
            WarningKind::OutOfRange => "columns have values far outside the range of the training rows",
            WarningKind::ConstantMoved => "columns had one value in training and are left out, but have others now",
            WarningKind::UnreadableNumbers => "columns of numbers have cells that are no numbers, and count as missing",
            WarningKind::StrayText => {
                let na = option("na");
                return Some(format!("columns are read as categories, as some cells are no numbers ({na})").into());
            }
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
    /// The cause.
    pub kind: WarningKind,
    /// The column, if the warning is about one.
    pub column: Option<String>,
    /// The number of rows, cells or columns, if they were counted.
    pub count: Option<u64>,
    /// One sentence: what was found, and what to do about it.
    pub message: String,
}

impl Warning {
    /// A warning that is not about one column.
    pub fn new(kind: WarningKind, message: impl Into<String>) -> Warning {
        Warning { kind, column: None, count: None, message: message.into() }
    }

    /// Sets the column.
    #[must_use]
    pub fn column(mut self, name: impl Into<String>) -> Warning {
        self.column = Some(name.into());
        self
    }

    /// Sets the number of rows, cells or columns.
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

/// Number of columns that one line names.
const NAMED: usize = 3;

/// The warnings, most severe first.
pub fn sorted(warnings: &[Warning]) -> Vec<&Warning> {
    let mut sorted: Vec<&Warning> = warnings.iter().collect();
    sorted.sort_by_key(|warning| warning.kind);
    sorted
}

/// The warnings as lines, most severe first. If a kind is about columns, all its columns share one line, which names
/// the three with the highest counts.
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

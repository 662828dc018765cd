//! What may make a result wrong, said once for each cause.

use serde::Serialize;

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
    /// Columns are matched by position although the model has names.
    MatchedByPosition,
    /// A whole column lies elsewhere than in training.
    ColumnShifted,
    /// Levels that training did not see.
    UnseenLevels,
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
    /// Cells of a number column that are no numbers.
    UnreadableNumbers,
    /// A number that is infinite, or too large for a double.
    InfiniteNumbers,
    /// A quoted cell runs over several lines.
    QuotedLines,
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
    /// A part of the data that was asked for has no rows.
    EmptyPart,
    /// The figure that is watched is undefined.
    UndefinedMonitor,
    /// Anything else.
    Other,
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

/// The worst `most` of some warnings, worst first, and how many are left out. Equally bad ones keep their order.
pub fn worst(warnings: &[Warning], most: usize) -> (Vec<&Warning>, usize) {
    let mut sorted: Vec<&Warning> = warnings.iter().collect();
    sorted.sort_by_key(|warning| warning.kind);
    let left = sorted.len().saturating_sub(most);
    sorted.truncate(most);
    (sorted, left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_come_first() {
        let of = |kind| Warning::new(kind, "x");
        let all = [of(WarningKind::EmptyPart), of(WarningKind::UnseenLevels), of(WarningKind::NoTarget)];
        let (shown, left) = worst(&all, 2);
        assert_eq!(
            shown.iter().map(|w| w.kind).collect::<Vec<_>>(),
            [WarningKind::UnseenLevels, WarningKind::NoTarget]
        );
        assert_eq!(left, 1);
    }

    #[test]
    fn json_names_kind_column_and_count() {
        let warning = Warning::new(WarningKind::UnseenLevels, "two").column("city").count(2);
        let json = serde_json::to_string(&warning).unwrap();
        assert_eq!(json, r#"{"kind":"unseen_levels","column":"city","count":2,"message":"two"}"#);
    }
}

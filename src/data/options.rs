//! Options for data.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::balance::{Balance, ClassWeight};
use super::choice::choices;
use super::levels::LevelNumbers;
use super::number::Convention;
use super::source::Source;
use super::table::MissingMarkers;
use super::written::{
    Character, DateColumn, Delimiter, EncodingName, MostLevels, PartFrom, Quote, SkippedLines, SplitMode, list,
    one_or_more, whole_items,
};

choices! {
    /// Format of a data file.
    Format {
        /// Detected from the first bytes and the name.
        Auto = "auto",
        /// Delimited text. The delimiter is detected, and is a comma if there is no better one.
        Csv = "csv",
        /// Text with tabs as delimiters.
        Tsv = "tsv",
        /// JSON Lines: one object in each line.
        Jsonl = "jsonl",
        /// Parquet.
        Parquet = "parquet",
        /// A NumPy array.
        Npy = "npy",
        /// An archive of NumPy arrays.
        Npz = "npz",
        /// A pack: what `gradlane data pack` writes.
        Pack = "pack",
        /// The format of LIBSVM and SVMlight: `label index:value …`.
        Libsvm = "libsvm",
        /// IDX, the format of MNIST: numbers with their shape.
        Idx = "idx",
    }
}

choices! {
    /// Whether the first line is a header.
    Header {
        /// Detected by comparing the first line with those below.
        Auto = "auto",
        /// The first line is a header.
        Yes = "yes",
        /// The first line is data; columns are c0, c1, …
        No = "no",
    }
}

choices! {
    /// The task, if the user specifies it.
    TaskChoice {
        /// Inferred from the label columns.
        Auto = "auto",
        /// Numbers.
        Regression = "regression",
        /// One of two classes.
        Binary = "binary",
        /// One of several classes.
        Multiclass = "multiclass",
        /// Several labels of 0 or 1 each.
        Multilabel = "multilabel",
    }
}

choices! {
    /// Decimal separator.
    Decimal {
        /// Detected.
        Auto = "auto",
        /// A point: 1.5.
        Point = ".",
        /// A comma: 1,5.
        Comma = ",",
    }
}

choices! {
    /// How a number column is scaled: `(x − center) / scale`, fitted on the training rows.
    Scaling {
        /// Mean and standard deviation (of the population, dividing by n).
        Standard = "standard",
        /// Minimum and range: 0 to 1 on the training rows.
        MinMax = "minmax",
        /// Median and interquartile range.
        Robust = "robust",
        /// Median and interquartile range, then a smooth clip to −3 … 3. Also for the inputs of categories.
        RobustClip = "robust_clip",
        /// Mapped to a normal distribution by the quantiles of the training rows.
        Quantile = "quantile",
        /// Not scaled.
        None = "none",
    }
}

choices! {
    /// Replacement for missing numbers.
    Impute {
        /// Median of the training rows.
        Median = "median",
        /// Mean of the training rows.
        Mean = "mean",
        /// The most frequent value of the training rows; of equally frequent ones the smallest.
        MostFrequent = "most_frequent",
        /// Zero, before scaling.
        Zero = "zero",
    }
}

choices! {
    /// What is shuffled in each epoch.
    Shuffle {
        /// All rows of the training part, which are held in memory.
        Rows = "rows",
        /// Blocks of rows, and the rows within groups of successive blocks. Rows are read from a pack when needed.
        Blocks = "blocks",
    }
}

/// How files are read.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadOptions {
    /// Format of the file.
    pub format: Format,
    /// Delimiter; detected if `None`.
    pub delimiter: Option<Delimiter>,
    /// Whether the file name suggests tabs.
    pub tabs_likely: bool,
    /// Whether the first line is a header.
    pub header: Header,
    /// Character that encloses cells; detected if `None`.
    pub quote: Option<Quote>,
    /// Character that starts a comment line; detected if `None`.
    pub comment: Option<Character>,
    /// Number of lines above the table that are left out.
    pub skip_lines: SkippedLines,
    /// Encoding of the text; detected if `None`.
    pub encoding: Option<EncodingName>,
    /// Decimal separator.
    pub decimal: Decimal,
    /// Thousands separator; detected if `None`.
    pub thousands: Option<Character>,
    /// Date formats of some columns.
    pub dates: Vec<DateColumn>,
    /// Texts that mean a missing value.
    pub missing: MissingMarkers,
}

impl Default for ReadOptions {
    fn default() -> Self {
        DataOptions::default().read_options()
    }
}

impl ReadOptions {
    /// What the options say of the numbers of a file.
    pub(super) fn convention(&self) -> Convention {
        let thousands = self.thousands.map(|c| c.0);
        let decimal_comma = match (self.decimal, thousands) {
            (Decimal::Auto, Some(',')) => Some(false),
            (Decimal::Auto, Some('.')) => Some(true),
            (Decimal::Auto, _) => None,
            (Decimal::Comma, _) => Some(true),
            (Decimal::Point, _) => Some(false),
        };
        Convention { decimal_comma, thousands }
    }
}

/// A loss for numeric targets. If the task is not specified and the labels are numbers, it implies a regression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberLoss {
    /// Its name.
    pub name: &'static str,
    /// Whether the numbers are counts, of at least 0.
    pub counts: bool,
}

/// All options that determine how files become training, validation and test sets.
///
/// Columns are given by name or, if no column has that name, by an index from 0, or negative from the end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataOptions {
    /// File, folder, or `-` for standard input.
    pub data: Source,
    /// Format of the files.
    pub format: Format,
    /// Delimiter of delimited files; detected if `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<Delimiter>,
    /// Whether the first line is a header.
    pub header: Header,
    /// Character that encloses cells that contain the delimiter; detected if `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote: Option<Quote>,
    /// Character that starts a comment line; detected if `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<Character>,
    /// Number of lines above the table that are left out.
    #[serde(skip_serializing_if = "SkippedLines::is_none")]
    pub skip_lines: SkippedLines,
    /// Encoding of the text; detected if `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<EncodingName>,
    /// Decimal separator of numbers.
    pub decimal: Decimal,
    /// Thousands separator of numbers; detected if `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thousands: Option<Character>,
    /// Date formats of some columns.
    #[serde(deserialize_with = "one_or_more")]
    pub dates: Vec<DateColumn>,
    /// Whether warnings about the data are errors.
    pub strict: bool,
    /// Texts that mean a missing value, in addition to the empty text. Plain items replace the default list
    /// ([`super::table::DEFAULT_MISSING`]); items written `+X` are added to it.
    #[serde(deserialize_with = "list")]
    pub na: Vec<String>,
    /// Label columns; the last column if empty.
    #[serde(deserialize_with = "whole_items")]
    pub label: Vec<String>,
    /// The task.
    pub task: TaskChoice,
    /// The positive class of a binary task; the second class if `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub positive: Option<String>,
    /// Columns that are left out.
    #[serde(deserialize_with = "whole_items")]
    pub ignore: Vec<String>,
    /// Columns that are kept even if they number the rows, are text with too many values, or decide the split.
    #[serde(deserialize_with = "whole_items")]
    pub keep_column: Vec<String>,
    /// Number columns that are treated as categories.
    #[serde(deserialize_with = "whole_items")]
    pub categorical: Vec<String>,
    /// Column with the weights of rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_col: Option<String>,
    /// Validation part.
    pub valid: PartFrom,
    /// Test part. If `None`, the test set of the folder, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<PartFrom>,
    /// How rows are assigned to the parts.
    pub split: SplitMode,
    /// What is shuffled in each epoch.
    pub shuffle: Shuffle,
    /// Scaling of number columns. If `None`: standard for tables, 1/255 for images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale: Option<Scaling>,
    /// Replacement for missing numbers; the median if `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub impute: Option<Impute>,
    /// Whether regression targets are standardised for training. Losses for counts need unscaled targets.
    pub scale_target: bool,
    /// Upper limit of the levels of a one-hot category that have an input of their own; rarer ones share an input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub one_hot: Option<MostLevels>,
    /// Which categories become numbers of levels, for networks that look up a vector for each level.
    #[serde(skip)]
    pub level_numbers: Option<LevelNumbers>,
    /// Whether a category with two levels becomes one input, −1 or 1.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub binary_column: bool,
    /// Whether predictions of a regression are clamped to the range of the training targets.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub clamp: bool,
    /// The requested loss, if it implies numeric targets.
    #[serde(skip)]
    pub number_loss: Option<NumberLoss>,
    /// The preset that decided how columns are prepared, for messages.
    #[serde(skip)]
    pub preset: Option<&'static str>,
    /// Class weights for training.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class_weight: Option<ClassWeight>,
    /// Resampling of the training part.
    pub balance: Balance,
}

impl Default for DataOptions {
    fn default() -> Self {
        Self {
            data: Source::Stdin,
            format: Format::Auto,
            delimiter: None,
            header: Header::Auto,
            quote: None,
            comment: None,
            skip_lines: SkippedLines::default(),
            encoding: None,
            decimal: Decimal::Auto,
            thousands: None,
            dates: Vec::new(),
            strict: false,
            na: Vec::new(),
            label: Vec::new(),
            task: TaskChoice::Auto,
            positive: None,
            ignore: Vec::new(),
            keep_column: Vec::new(),
            categorical: Vec::new(),
            weight_col: None,
            valid: PartFrom::Fraction(0.1),
            test: None,
            split: SplitMode::Stratified,
            shuffle: Shuffle::Rows,
            scale: None,
            impute: None,
            scale_target: true,
            one_hot: None,
            level_numbers: None,
            binary_column: false,
            clamp: false,
            number_loss: None,
            preset: None,
            class_weight: None,
            balance: Balance::None,
        }
    }
}

impl DataOptions {
    /// The default options for a file, a folder or `-`.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self { data: Source::new(data), ..Self::default() }
    }

    /// The options that determine how files are read.
    pub fn read_options(&self) -> ReadOptions {
        ReadOptions {
            format: self.format,
            delimiter: self.delimiter,
            tabs_likely: false,
            header: self.header,
            quote: self.quote,
            comment: self.comment,
            skip_lines: self.skip_lines,
            encoding: self.encoding,
            decimal: self.decimal,
            thousands: self.thousands,
            dates: self.dates.clone(),
            missing: MissingMarkers::new(&self.na),
        }
    }
}

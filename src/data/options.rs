//! What a user may say about data: this room's configuration.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::balance::{Balance, ClassWeight};
use super::choice::choices;
use super::levels::LevelNumbers;
use super::source::Source;
use super::table::MissingMarkers;
use super::written::{
    Character, DateColumn, Delimiter, EncodingName, MostLevels, PartFrom, Quote, SplitMode, list, one_or_more,
    whole_items,
};
use crate::option_text::{option, setting};
use crate::{Error, Result};

choices! {
    /// Format of a data file.
    Format {
        /// Told by the first bytes and the name.
        Auto = "auto",
        /// Text with a delimiter, a comma unless another one is found.
        Csv = "csv",
        /// Text with tabs between the columns.
        Tsv = "tsv",
        /// JSON Lines: one object a line.
        Jsonl = "jsonl",
        /// Parquet.
        Parquet = "parquet",
        /// An array of NumPy.
        Npy = "npy",
        /// An archive of NumPy arrays.
        Npz = "npz",
        /// A pack: what `gradlane data pack` writes.
        Pack = "pack",
        /// LIBSVM's and SVMlight's form: `label index:value …`.
        Libsvm = "libsvm",
        /// IDX: numbers with their shape before them, the format of MNIST.
        Idx = "idx",
    }
}

choices! {
    /// Whether the first line names the columns.
    Header {
        /// Told by comparing the first line with those below.
        Auto = "auto",
        /// The first line names the columns.
        Yes = "yes",
        /// The first line is data; columns are c0, c1, …
        No = "no",
    }
}

choices! {
    /// What is learnt, where the user says it.
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
    /// What stands before the decimals.
    Decimal {
        /// Found.
        Auto = "auto",
        /// A point: 1.5.
        Point = ".",
        /// A comma: 1,5.
        Comma = ",",
    }
}

choices! {
    /// How a number column is scaled: `(x − center) / scale`, fitted on the training rows.
    Scale {
        /// Mean and standard deviation (of the population, dividing by n).
        Standard = "standard",
        /// Minimum and range: 0 to 1 on the training rows.
        MinMax = "minmax",
        /// Median and interquartile range.
        Robust = "robust",
        /// Median and interquartile range, then a smooth clip to −3 … 3; inputs of categories too.
        RobustClip = "robust_clip",
        /// To a normal distribution, by the quantiles of the training rows.
        Quantile = "quantile",
        /// Left as it is.
        None = "none",
    }
}

choices! {
    /// What stands in for a missing number.
    Impute {
        /// Median of the training rows.
        Median = "median",
        /// Mean of the training rows.
        Mean = "mean",
        /// The most frequent value of the training rows, the smallest of equally frequent ones.
        MostFrequent = "most_frequent",
        /// Zero, before scaling.
        Zero = "zero",
    }
}

choices! {
    /// What is shuffled for each epoch.
    Shuffle {
        /// All rows of the training part, which are held in memory.
        Rows = "rows",
        /// Blocks of rows, and the rows of some blocks that follow each other; the rows are read from a pack as they are needed.
        Blocks = "blocks",
    }
}

/// How files are read.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadOptions {
    /// Layout of the file.
    pub format: Format,
    /// Delimiter; found where `None`.
    pub delimiter: Option<Delimiter>,
    /// Whether the name of the file promises tabs.
    pub tabs_likely: bool,
    /// Whether the first line names the columns.
    pub header: Header,
    /// What encloses cells; found where `None`.
    pub quote: Option<Quote>,
    /// What begins a line that is left out; found where `None`.
    pub comment: Option<Character>,
    /// Encoding of the text; found where `None`.
    pub encoding: Option<EncodingName>,
    /// What stands before the decimals.
    pub decimal: Decimal,
    /// What parts thousands; found where `None`.
    pub thousands: Option<Character>,
    /// How the dates of some columns are read.
    pub dates: Vec<DateColumn>,
    /// Texts that stand for a missing value.
    pub missing: MissingMarkers,
}

impl Default for ReadOptions {
    fn default() -> Self {
        DataOptions::default().read_options()
    }
}

/// A loss of numbers: where the task is left open and the labels are numbers, it makes the task a regression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberLoss {
    /// Its name.
    pub name: &'static str,
    /// Whether the numbers are counts, of at least 0.
    pub counts: bool,
}

/// Everything that decides how files become training, validation and test sets.
///
/// Columns are given by name first, else by a 0-based index, negative from the end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataOptions {
    /// File, folder of MNIST's layout, or `-` for standard input.
    pub data: Source,
    /// Layout of the files.
    pub format: Format,
    /// Delimiter of delimited files; found where `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<Delimiter>,
    /// Whether the first line names the columns.
    pub header: Header,
    /// What encloses cells that contain the delimiter; found where `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote: Option<Quote>,
    /// What begins a line that is left out; found where `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<Character>,
    /// Encoding of the text; found where `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<EncodingName>,
    /// What stands before the decimals of a number.
    pub decimal: Decimal,
    /// What parts the thousands of a number; found where `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thousands: Option<Character>,
    /// How the dates of some columns are read.
    #[serde(deserialize_with = "one_or_more")]
    pub dates: Vec<DateColumn>,
    /// Whether a warning about the data is an error.
    pub strict: bool,
    /// Texts that stand for a missing value, besides the empty one: plain items replace the default list
    /// ([`super::table::DEFAULT_MISSING`]), items written `+X` are added to it.
    #[serde(deserialize_with = "list")]
    pub na: Vec<String>,
    /// Label columns; the last column where empty.
    #[serde(deserialize_with = "whole_items")]
    pub label: Vec<String>,
    /// What is learnt.
    pub task: TaskChoice,
    /// The positive class of a binary task; the second one where `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub positive: Option<String>,
    /// Columns that are left out.
    #[serde(deserialize_with = "whole_items")]
    pub ignore: Vec<String>,
    /// Columns that are kept although they count the rows, are text with too many values, or decide the split.
    #[serde(deserialize_with = "whole_items")]
    pub keep_column: Vec<String>,
    /// Number columns that are categories.
    #[serde(deserialize_with = "whole_items")]
    pub categorical: Vec<String>,
    /// Column with a weight for each row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_col: Option<String>,
    /// Validation part.
    pub valid: PartFrom,
    /// Test part; `None`: the folder's own where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<PartFrom>,
    /// How rows are dealt to the parts.
    pub split: SplitMode,
    /// What is shuffled for each epoch.
    pub shuffle: Shuffle,
    /// Scaling of number columns; `None`: standard for tables, 1/255 for images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale: Option<Scale>,
    /// What stands in for a missing number; `None`: the median.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub impute: Option<Impute>,
    /// Whether targets of a regression are standardised for training (losses on counts want them as they are).
    pub scale_target: bool,
    /// Levels of a one-hot category that have an input at most; rarer ones share one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub one_hot: Option<MostLevels>,
    /// Which categories become numbers of levels, for networks that look up a vector for each.
    #[serde(skip)]
    pub level_numbers: Option<LevelNumbers>,
    /// Whether a category of two levels is one input, −1 or 1.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub binary_column: bool,
    /// Whether a regression's predictions stay within the range of the training targets.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub clamp: bool,
    /// The loss that was asked for, where only numbers have it.
    #[serde(skip)]
    pub number_loss: Option<NumberLoss>,
    /// Weights of the classes in training.
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
            class_weight: None,
            balance: Balance::None,
        }
    }
}

impl DataOptions {
    /// The defaults for a file, folder or `-`.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self { data: Source::new(data), ..Self::default() }
    }

    /// The part of the options that says how files are read.
    pub fn read_options(&self) -> ReadOptions {
        ReadOptions {
            format: self.format,
            delimiter: self.delimiter,
            tabs_likely: false,
            header: self.header,
            quote: self.quote,
            comment: self.comment,
            encoding: self.encoding,
            decimal: self.decimal,
            thousands: self.thousands,
            dates: self.dates.clone(),
            missing: MissingMarkers::new(&self.na),
        }
    }

    /// Finds what is wrong with the options by themselves, before any file is opened.
    ///
    /// # Errors
    /// [`Error::Option`] for fractions that leave nothing to train on, for options that exclude each other, and for
    /// standard input used twice; [`Error::Usage`] for a column that is given to two options.
    pub fn check(&self) -> Result<()> {
        let usage = |message: &str| Error::Usage(message.to_owned());
        let test = self.test.as_ref().unwrap_or(&PartFrom::None);
        for (option, part) in [("valid", &self.valid), ("test", test)] {
            match part {
                PartFrom::Fraction(f) if !(*f > 0.0 && *f < 1.0) => {
                    return Err(Error::Usage(format!("expected a fraction between 0 and 1, found {f}")).of(option));
                }
                PartFrom::File(Source::Stdin) if self.data == Source::Stdin => {
                    return Err(usage("standard input is already the training data").of(option));
                }
                _ => {}
            }
        }
        if let (PartFrom::Fraction(valid), PartFrom::Fraction(test)) = (&self.valid, test)
            && valid + test >= 1.0
        {
            let message = format!("together with {test} for the test part it leaves no rows to train on");
            return Err(Error::Usage(message).of_value("valid", valid));
        }
        if self.valid == PartFrom::File(Source::Stdin) && *test == PartFrom::File(Source::Stdin) {
            return Err(usage("standard input is already the validation part").of("test"));
        }
        if self.format == Format::Tsv && self.delimiter.is_some_and(|d| d.0 != b'\t') {
            return Err(usage("it has tabs, and another delimiter is given: use csv").of_value("format", "tsv"));
        }
        self.check_columns()?;
        self.check_shuffle()?;
        self.check_task()
    }

    /// Refuses what needs all rows at once where they are read by blocks.
    fn check_shuffle(&self) -> Result<()> {
        if self.shuffle != Shuffle::Blocks {
            return Ok(());
        }
        if self.data == Source::Stdin {
            let message = "it reads the data more than once, and standard input cannot be: save it to a file first";
            return Err(Error::Usage(message.to_owned()).of_value("shuffle", "blocks"));
        }
        if self.balance != Balance::None {
            let (mixes, remedy) = (setting("balance", self.balance), setting("class_weight", "balanced"));
            let message = format!("it reads rows in the order of the file, and {mixes} mixes them: try {remedy}");
            return Err(Error::Usage(message).of_value("shuffle", "blocks"));
        }
        Ok(())
    }

    fn check_columns(&self) -> Result<()> {
        let labels = self.label.iter().map(|column| ("label", column));
        let ignored = self.ignore.iter().map(|column| ("ignore", column));
        let weight = self.weight_col.iter().map(|column| ("weight_col", column));
        let mut used: Vec<(&str, &String)> = Vec::new();
        for (role, column) in labels.chain(ignored).chain(weight) {
            if column.is_empty() {
                return Err(Error::Usage("expected a column's name or index, found nothing".to_owned()).of(role));
            }
            if let Some((earlier, _)) = used.iter().find(|(_, other)| *other == column) {
                let again = if *earlier == role { "twice" } else { &format!("and also to {}", option(role)) };
                let message = format!("column \"{column}\" is given to {} {again}", option(earlier));
                return Err(Error::Usage(message));
            }
            used.push((role, column));
        }
        Ok(())
    }

    fn check_task(&self) -> Result<()> {
        let classes = !matches!(self.task, TaskChoice::Regression | TaskChoice::Multilabel);
        let needs = [
            ("positive", self.positive.is_some(), classes && self.task != TaskChoice::Multiclass, "a binary task"),
            ("class_weight", self.class_weight.is_some(), classes, "classes"),
            ("balance", self.balance != Balance::None, classes, "classes"),
        ];
        match needs.into_iter().find(|(_, given, fits, _)| *given && !fits) {
            Some((option, _, _, what)) => {
                Err(Error::Usage(format!("it needs {what}, and the task {} has none", self.task)).of(option))
            }
            None => Ok(()),
        }
    }
}

//! Values of options that are more than a word, as written on the command line and in configuration files.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::source::Source;
use crate::{Error, Result};

/// A column delimiter: one ASCII character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delimiter(pub u8);

impl FromStr for Delimiter {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "tab" | "\\t" => Ok(Self(b'\t')),
            "comma" => Ok(Self(b',')),
            "semicolon" => Ok(Self(b';')),
            "pipe" => Ok(Self(b'|')),
            "space" => Ok(Self(b' ')),
            _ => match text.as_bytes() {
                [byte] if byte.is_ascii() && !byte.is_ascii_alphanumeric() && !b"\"\r\n.".contains(byte) => {
                    Ok(Self(*byte))
                }
                _ => Err(Error::Usage(format!(
                    "expected one character, or one of tab, comma, semicolon, pipe, space, found \"{text}\""
                ))),
            },
        }
    }
}

impl fmt::Display for Delimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            b'\t' => f.write_str("tab"),
            b' ' => f.write_str("space"),
            byte => write!(f, "{}", byte as char),
        }
    }
}

/// Numbers of folds and of repetitions of a cross-validation: `5`, or `5x3` for three repetitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoldCount {
    /// Folds of a repetition, at least 2.
    pub folds: usize,
    /// Number of repetitions, at least 1.
    pub repeats: usize,
}

impl FoldCount {
    /// Number of folds of all repetitions.
    pub fn all(self) -> usize {
        self.folds * self.repeats
    }
}

impl FromStr for FoldCount {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let wrong = || {
            let message =
                format!("expected a number of folds from 2 on, or folds and repeats such as 5x3, found \"{text}\"");
            Error::Usage(message)
        };
        let (folds, repeats) = text.split_once(['x', '×']).unwrap_or((text, "1"));
        let count = |text: &str| text.trim().parse::<u32>().ok().map(|n| n as usize);
        match (count(folds), count(repeats)) {
            (Some(folds), Some(repeats)) if folds >= 2 && repeats >= 1 && folds.checked_mul(repeats).is_some() => {
                Ok(Self { folds, repeats })
            }
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for FoldCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.folds)?;
        if self.repeats > 1 { write!(f, "x{}", self.repeats) } else { Ok(()) }
    }
}

/// Upper limit of the levels of a category with an input of their own, at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MostLevels(pub usize);

impl FromStr for MostLevels {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let most = text.parse::<u32>().ok().filter(|most| *most > 0).map(|most| Self(most as usize));
        most.ok_or_else(|| Error::Usage(format!("expected a whole number of at least 1, found \"{text}\"")))
    }
}

impl fmt::Display for MostLevels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Number of lines above the table that are left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SkippedLines(pub usize);

impl SkippedLines {
    /// Whether there are none.
    pub fn is_none(&self) -> bool {
        self.0 == 0
    }
}

impl FromStr for SkippedLines {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let lines = text.parse::<u32>().map(|lines| Self(lines as usize));
        lines.map_err(|_| Error::Usage(format!("expected a number of lines, found \"{text}\"")))
    }
}

impl fmt::Display for SkippedLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// One character, used as a thousands separator, comment sign or quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Character(pub char);

impl FromStr for Character {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let mut all = text.chars();
        match (text, all.next(), all.next()) {
            ("space", ..) => Ok(Self(' ')),
            (_, Some(c), None) if !c.is_alphanumeric() && c != '\n' && c != '\r' => Ok(Self(c)),
            _ => Err(Error::Usage(format!("expected one character that is no letter or digit, found \"{text}\""))),
        }
    }
}

impl fmt::Display for Character {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == ' ' { f.write_str("space") } else { write!(f, "{}", self.0) }
    }
}

/// Character that encloses cells that contain the delimiter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quote {
    /// None: quotes are ordinary characters.
    None,
    /// This ASCII character.
    Byte(u8),
}

impl FromStr for Quote {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        match text.as_bytes() {
            b"none" => Ok(Self::None),
            [byte] if byte.is_ascii_punctuation() => Ok(Self::Byte(*byte)),
            _ => Err(Error::Usage(format!("expected one character such as \" or ', or none, found \"{text}\""))),
        }
    }
}

impl fmt::Display for Quote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Byte(byte) => write!(f, "{}", *byte as char),
        }
    }
}

/// The encoding of a text, by a label of the Encoding Standard, <https://encoding.spec.whatwg.org/#names-and-labels>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EncodingName(pub &'static encoding_rs::Encoding);

impl FromStr for EncodingName {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        encoding_rs::Encoding::for_label(text.as_bytes()).map(Self).ok_or_else(|| {
            Error::Usage(format!(
                "expected a name such as utf-8, latin1, windows-1251, utf-16le or shift_jis, found \"{text}\""
            ))
        })
    }
}

impl fmt::Display for EncodingName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

/// How the dates of a column are parsed: `COLUMN=FORMAT`, `COLUMN=auto`, `COLUMN=text`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateColumn {
    /// Name of the column.
    pub column: String,
    /// A pattern of `strptime`, `auto`, or `text`.
    pub form: String,
}

impl FromStr for DateColumn {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let wrong = || {
            let message = format!(
                "expected COLUMN=FORMAT with a format such as %d/%m/%Y, or COLUMN=auto or COLUMN=text, found \"{text}\""
            );
            Error::Usage(message)
        };
        let (column, form) = text.rsplit_once('=').ok_or_else(wrong)?;
        let known = form == "auto" || form == "text" || super::date::DateForm::of_pattern(form).is_some();
        if column.is_empty() || !known {
            return Err(wrong());
        }
        Ok(Self { column: column.to_owned(), form: form.to_owned() })
    }
}

impl fmt::Display for DateColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.column, self.form)
    }
}

/// How rows are assigned to the parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SplitMode {
    /// Stratified: each class in its proportion. As `random` if there are no classes.
    Stratified,
    /// At random.
    Random,
    /// Rows with the same value in this column stay in one part.
    Group(String),
    /// In the order of this column: the latest rows are the test part, and those before them the validation part.
    Time(String),
}

impl SplitMode {
    /// The column that determines the parts, if there is one.
    pub fn column(&self) -> Option<&String> {
        match self {
            Self::Group(column) | Self::Time(column) => Some(column),
            Self::Stratified | Self::Random => None,
        }
    }
}

impl FromStr for SplitMode {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        match text.split_once(':') {
            None if text == "stratified" => Ok(Self::Stratified),
            None if text == "random" => Ok(Self::Random),
            Some(("group", column)) if !column.is_empty() => Ok(Self::Group(column.to_owned())),
            Some(("time", column)) if !column.is_empty() => Ok(Self::Time(column.to_owned())),
            _ => Err(Error::Usage(format!(
                "expected one of stratified, random, group:COLUMN, time:COLUMN, found \"{text}\""
            ))),
        }
    }
}

impl fmt::Display for SplitMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stratified => f.write_str("stratified"),
            Self::Random => f.write_str("random"),
            Self::Group(column) => write!(f, "group:{column}"),
            Self::Time(column) => write!(f, "time:{column}"),
        }
    }
}

/// The source of a validation or test part.
#[derive(Debug, Clone, PartialEq)]
pub enum PartFrom {
    /// There is no such part.
    None,
    /// This fraction of all rows, between 0 and 1.
    Fraction(f64),
    /// A separate file, or a folder with MNIST's layout.
    File(Source),
}

impl FromStr for PartFrom {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        if text == "none" {
            return Ok(Self::None);
        }
        match text.parse::<f64>() {
            Ok(0.0) => Ok(Self::None),
            Ok(fraction) if fraction > 0.0 && fraction < 1.0 => Ok(Self::Fraction(fraction)),
            Ok(_) => {
                Err(Error::Usage(format!("expected none, a fraction between 0 and 1, or a file, found \"{text}\"")))
            }
            Err(_) => Ok(Self::File(text.parse()?)),
        }
    }
}

impl fmt::Display for PartFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Fraction(fraction) => write!(f, "{fraction}"),
            Self::File(source) => write!(f, "{}", source.as_written()),
        }
    }
}

/// Serialises values as the text that `FromStr` parses.
macro_rules! serde_as_text {
    ($($name:ty),+) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
                WrittenText::deserialize(deserializer)?.0.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}
serde_as_text!(Delimiter, MostLevels, SkippedLines, PartFrom, Character, Quote, EncodingName, DateColumn, SplitMode);

/// A text; in a configuration file it may also be a number, which is converted to text as on the command line.
struct WrittenText(String);

impl<'de> Deserialize<'de> for WrittenText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Any {
            Text(String),
            Integer(i64),
            Number(f64),
        }
        Ok(Self(match Any::deserialize(deserializer)? {
            Any::Text(text) => text,
            Any::Integer(number) => number.to_string(),
            Any::Number(number) => number.to_string(),
        }))
    }
}

/// A list, or its items as text separated by commas.
pub(super) fn list<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Vec<String>, D::Error> {
    let items = whole_items(deserializer)?;
    Ok(items.iter().flat_map(|item| item.split(',')).map(|item| item.trim().to_owned()).collect())
}

/// A list, or a single text. The text may be a column name, or several names separated by commas; that can be decided
/// only when the columns are known.
pub(super) fn whole_items<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Any {
        List(Vec<WrittenText>),
        One(WrittenText),
    }
    Ok(match Any::deserialize(deserializer)? {
        Any::List(items) => items.into_iter().map(|item| item.0).collect(),
        Any::One(text) if text.0.is_empty() => Vec::new(),
        Any::One(text) => vec![text.0],
    })
}

/// A value of type `T`, or a list of such values.
pub(super) fn one_or_more<'de, D, T>(deserializer: D) -> std::result::Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err = Error>,
{
    whole_items(deserializer)?.iter().map(|item| item.parse().map_err(serde::de::Error::custom)).collect()
}

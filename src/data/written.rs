//! Option values that are more than one word, as users write them on the command line and in configuration files.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::source::Source;
use crate::{Error, Result};

/// A delimiter of columns: one ASCII character.
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
                    "--delimiter: expected one character, or one of tab, comma, semicolon, pipe, space, found \"{text}\""
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

/// Where a validation or test part comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum PartFrom {
    /// There is none.
    None,
    /// This fraction of all rows, between 0 and 1.
    Fraction(f64),
    /// Another file, or a folder of MNIST's layout.
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

/// Serialises as the text that `FromStr` reads.
macro_rules! serde_as_text {
    ($($name:ty),+) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
                Text::deserialize(deserializer)?.0.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}
serde_as_text!(Delimiter, PartFrom);

/// A text, or a number in a configuration file, as the flag would be written.
struct Text(String);

impl<'de> Deserialize<'de> for Text {
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

/// A list, or its comma-separated text.
pub(super) fn list<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Any {
        List(Vec<Text>),
        One(Text),
    }
    Ok(match Any::deserialize(deserializer)? {
        Any::List(items) => items.into_iter().map(|item| item.0).collect(),
        Any::One(text) if text.0.is_empty() => Vec::new(),
        Any::One(text) => text.0.split(',').map(|item| item.trim().to_owned()).collect(),
    })
}

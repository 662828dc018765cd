//! Parses given values.

use std::str::FromStr;
use std::time::Instant;

use toml::{Table, Value};

use super::settings::{SettingOrigin, Settings};
use crate::{Error, Result};

/// Reads values from settings, one by one.
pub(super) struct Reader {
    settings: Settings,
}

/// A value in the form of its flag.
fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(as_text).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

impl Settings {
    /// Whether a switch is on.
    ///
    /// # Errors
    /// [`Error::Option`], or [`Error::Usage`] that names a variable or a file, if its value is neither `true` nor `false`.
    pub fn switch(&self, name: &str) -> Result<bool> {
        Reader::new(self.clone()).switch(name)
    }
}

impl Reader {
    pub(super) fn new(settings: Settings) -> Reader {
        Reader { settings }
    }

    /// The start of the command.
    pub(super) fn began(&self) -> Instant {
        self.settings.began
    }

    /// An error about a value, which names the source of the value.
    pub(super) fn wrong(&self, name: &str, reason: &str) -> Error {
        self.settings.wrong(name, reason)
    }

    /// Whether a value is given as a flag.
    pub(super) fn is_flag(&self, name: &str) -> bool {
        self.settings.given.get(name).is_some_and(|given| given.origin == SettingOrigin::Flag)
    }

    /// The given value, as it was written.
    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.settings.given.get(name).map(|given| &given.value)
    }

    /// The text of a value; `None` if it was not given.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.settings.given.get(name).map(|given| as_text(&given.value).trim().to_owned())
    }

    /// Whether a switch is on.
    pub(super) fn switch(&self, name: &str) -> Result<bool> {
        match self.text(name).as_deref() {
            None | Some("false" | "0") => Ok(false),
            Some("true" | "1") => Ok(true),
            Some(text) => Err(self.wrong(name, &format!("expected true or false, found \"{text}\""))),
        }
    }

    /// A value, parsed by its type.
    pub(super) fn parse<T: FromStr<Err = Error>>(&self, name: &str) -> Result<Option<T>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|e: Error| self.wrong(name, &e.to_string()))
    }

    /// A list of such values.
    pub(super) fn list<T: FromStr<Err = Error>>(&self, name: &str) -> Result<Option<Vec<T>>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let items = split_specs(&text);
        let parsed: Result<Vec<T>> = items.iter().map(|item| item.parse()).collect();
        parsed.map(Some).map_err(|e| self.wrong(name, &e.to_string()))
    }

    /// A number for which `holds` is true; `allowed` describes such numbers.
    pub(super) fn number(&self, name: &str, allowed: &str, holds: impl Fn(f64) -> bool) -> Result<Option<f64>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        match text.parse::<f64>() {
            Ok(number) if holds(number) => Ok(Some(number)),
            _ => Err(self.wrong(name, &format!("expected {allowed}, found \"{text}\""))),
        }
    }

    /// A whole number of at least `least`; for the values in `words` the result is `None`.
    pub(super) fn count(&self, name: &str, least: u64, words: &[&str]) -> Result<Option<u64>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        if words.contains(&text.as_str()) {
            return Ok(None);
        }
        match text.replace('_', "").parse::<u64>() {
            Ok(number) if number >= least => Ok(Some(number)),
            _ => {
                let or = words.iter().map(|w| format!(" or {w}")).collect::<String>();
                Err(self.wrong(name, &format!("expected a whole number of at least {least}{or}, found \"{text}\"")))
            }
        }
    }

    /// A value, parsed by a given function.
    pub(super) fn with<T>(
        &self,
        name: &str,
        read: impl Fn(&str) -> std::result::Result<T, String>,
    ) -> Result<Option<T>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        read(&text).map(Some).map_err(|reason| self.wrong(name, &reason))
    }

    /// Those of `names` that were given, as a table.
    pub(super) fn table(&self, names: &[&str]) -> Table {
        let given = |name: &&str| self.settings.given.get(*name).map(|g| ((*name).to_owned(), g.value.clone()));
        names.iter().filter_map(given).collect()
    }

    /// An error about a value, made from a message that names its key.
    pub(super) fn rename(&self, names: &[&str], error: &str) -> Error {
        let named = names.iter().find(|name| error.contains(&format!("`{name}`")));
        let first = error.lines().next().unwrap_or(error).trim().to_owned();
        match named {
            Some(name) => self.wrong(name, &first),
            None => Error::Usage(first),
        }
    }
}

/// Whether a number is above 0 and finite.
pub(super) fn positive(x: f64) -> bool {
    x > 0.0 && x.is_finite()
}

/// Whether a number is at least 0 and finite.
pub(super) fn not_negative(x: f64) -> bool {
    x >= 0.0 && x.is_finite()
}

/// Splits a list of specifications `a,b:x=1,y=2,c` at the commas before a new name.
fn split_specs(text: &str) -> Vec<String> {
    let mut items: Vec<String> = Vec::new();
    for part in text.split(',') {
        match items.last_mut() {
            // `key=value` without a colon belongs to the specification before it.
            Some(last) if part.contains('=') && !part.contains(':') => {
                last.push(',');
                last.push_str(part);
            }
            _ => items.push(part.trim().to_owned()),
        }
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_stay_with_their_specification() {
        assert_eq!(split_specs("relu, elu:alpha=0.5,tanh"), ["relu", "elu:alpha=0.5", "tanh"]);
        assert_eq!(split_specs("a:x=1,y=2,b"), ["a:x=1,y=2", "b"]);
    }
}

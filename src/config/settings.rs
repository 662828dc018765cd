//! Values of options by name, each with its source; later sources override earlier ones.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use toml::{Table, Value};

use super::keys::{find, keys};
use crate::{Error, Result, option_text, path_text, spec};

/// The source of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingOrigin {
    /// A configuration file.
    File(PathBuf),
    /// An environment variable.
    Environment,
    /// A flag.
    Flag,
}

/// A value with its source.
#[derive(Debug, Clone)]
pub(super) struct SettingValue {
    pub(super) value: Value,
    pub(super) origin: SettingOrigin,
}

/// The given options, merged.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The time when these settings were created; a time limit counts from here.
    pub(super) began: Instant,
    pub(super) given: BTreeMap<String, SettingValue>,
}

/// Prefix of the environment variables.
const PREFIX: &str = "GRADLANE_";

impl Default for Settings {
    fn default() -> Settings {
        Settings::new()
    }
}

impl Settings {
    /// Settings without values.
    pub fn new() -> Settings {
        Settings { began: Instant::now(), given: BTreeMap::new() }
    }

    /// Sets one value.
    pub fn set(&mut self, name: &str, value: Value, origin: SettingOrigin) {
        self.given.insert(name.to_owned(), SettingValue { value, origin });
    }

    /// The text of a value that does not affect training, such as how progress is shown.
    pub fn text(&self, name: &str) -> Option<String> {
        self.given.get(name).and_then(|given| given.value.as_str().map(str::to_owned))
    }

    /// Removes a text and returns it.
    pub(super) fn take_text(&mut self, name: &str) -> Option<String> {
        let text = self.text(name);
        self.given.remove(name);
        text
    }

    /// Removes a list and returns it.
    pub(super) fn take_list(&mut self, name: &str) -> Option<Vec<String>> {
        let SettingValue { value, .. } = self.given.remove(name)?;
        let words = |text: &str| text.split(',').map(str::to_owned).collect::<Vec<String>>();
        Some(match value {
            Value::Array(items) => items.iter().flat_map(|item| words(item.as_str().unwrap_or_default())).collect(),
            one => words(one.as_str().unwrap_or_default()),
        })
    }

    /// An error about a value, which names the source of the value.
    pub(super) fn wrong(&self, name: &str, reason: &str) -> Error {
        let origin = self.given.get(name).map(|given| &given.origin);
        match (origin, find(name)) {
            (None | Some(SettingOrigin::Flag), Some(key)) => Error::Usage(reason.to_owned()).of(key.name),
            (Some(origin), _) => Error::Usage(format!("{}: {reason}", ValueName(name, origin))),
            (None, None) => Error::Usage(format!("{}: {reason}", option_text::name(name))),
        }
    }

    /// The names of all given values, each with its name in its source: `lr` or its flag, `GRADLANE_LR`.
    pub fn names(&self) -> impl Iterator<Item = (&str, String)> {
        self.given.iter().map(|(name, given)| (name.as_str(), ValueName(name, &given.origin).to_string()))
    }

    /// Given an option and others that exclude it, removes those from the weaker source: a flag that describes a network
    /// replaces the network in a file. Options from the same source stay.
    pub(super) fn stronger_of(&mut self, one: &str, others: &[&str]) {
        let strength = |given: &SettingValue| match given.origin {
            SettingOrigin::File(_) => 0,
            SettingOrigin::Environment => 1,
            SettingOrigin::Flag => 2,
        };
        let Some(own) = self.given.get(one).map(strength) else { return };
        let weaker = |name: &str, given: &SettingValue| others.contains(&name) && strength(given) < own;
        self.given.retain(|name, given| !weaker(name, given));
        if others.iter().filter_map(|name| self.given.get(*name)).any(|given| strength(given) > own) {
            self.given.retain(|name, _| name != one);
        }
    }

    /// Whether a value is given.
    pub fn has(&self, name: &str) -> bool {
        self.given.contains_key(name)
    }

    /// Whether an option is given with a value that switches it off.
    pub(super) fn is_off(&self, name: &str) -> bool {
        self.given.get(name).is_some_and(|given| match &given.value {
            Value::String(text) => text == "none" || text.parse() == Ok(0.0),
            Value::Integer(number) => *number == 0,
            Value::Float(number) => *number == 0.0,
            _ => false,
        })
    }

    /// All given values.
    pub fn table(&self) -> Table {
        self.given.iter().map(|(name, given)| (name.clone(), given.value.clone())).collect()
    }

    /// Adds the values of other settings, which win, and takes over their start time.
    pub fn extend(&mut self, others: Settings) {
        self.began = others.began;
        self.given.extend(others.given);
    }

    /// Keeps only the values for which `keep` is true.
    pub fn retain(&mut self, keep: impl Fn(&str, &SettingOrigin) -> bool) {
        self.given.retain(|name, given| keep(name, &given.origin));
    }

    /// Sets a value with the lowest priority, such as a variable of another library.
    pub fn set_default(&mut self, name: &str, value: Value) {
        let given = SettingValue { value, origin: SettingOrigin::Environment };
        self.given.entry(name.to_owned()).or_insert(given);
    }

    /// Reads a configuration file: TOML, keys at top level.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read, [`Error::Usage`] for wrong TOML or an unknown key.
    pub fn add_file(&mut self, path: &Path) -> Result<()> {
        let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
        let table: Table = text.parse().map_err(|e: toml::de::Error| {
            let line = e.span().map_or(1, |span| text[..span.start].lines().count().max(1));
            Error::Usage(format!("{}:{line}: {}", path.display(), e.message()))
        })?;
        for (name, value) in table {
            if find(&name).is_none() && name != "data" {
                let known: Vec<&str> = keys().map(|key| key.name).chain(["data"]).collect();
                let unknown = spec::unknown("key", &name, &known);
                return Err(Error::Usage(format!("{}: {unknown}", path.display())));
            }
            self.set(&name, value, SettingOrigin::File(path.to_path_buf()));
        }
        Ok(())
    }

    /// Reads the variables `GRADLANE_KEY`. Returns those that match no option, for other uses.
    pub fn add_environment(&mut self, variables: impl IntoIterator<Item = (OsString, OsString)>) -> Vec<String> {
        let mut others = Vec::new();
        for (variable, value) in variables {
            let Some(variable) = variable.to_str() else { continue };
            let Some(name) = variable.strip_prefix(PREFIX).map(str::to_lowercase) else { continue };
            if find(&name).is_some() {
                let text = path_text::of_argument(&value); // other bytes than text can only be a file's name
                self.set(&name, Value::String(text), SettingOrigin::Environment);
            } else {
                others.push(variable.to_owned());
            }
        }
        others
    }
}

/// The name of a value in messages: `lr` or its flag, `GRADLANE_LR`, or the key and its file.
pub(super) struct ValueName<'a>(pub(super) &'a str, pub(super) &'a SettingOrigin);

impl fmt::Display for ValueName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.1 {
            SettingOrigin::Flag if self.0 == "data" => f.write_str("DATA"),
            SettingOrigin::Flag => f.write_str(&option_text::name(self.0)),
            SettingOrigin::Environment => write!(f, "{PREFIX}{}", self.0.to_uppercase()),
            SettingOrigin::File(path) => write!(f, "{}: {}", path.display(), self.0),
        }
    }
}

//! The fields of a layer's table, as its kind reads them.

use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;

use toml::{Table, Value};

use crate::spec::unknown;
use crate::{Error, Result};

/// Widths that a description can refer to by name: `inputs` and `outputs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Number of inputs of the network.
    pub inputs: usize,
    /// Number of outputs of the network.
    pub outputs: usize,
}

/// Upper limit of the width of a layer.
pub(super) const MOST_WIDTH: usize = 1 << 20;

pub(super) fn wrong(path: &str, what: impl Display) -> Error {
    Error::Usage(format!("{path}: {what}"))
}

/// Puts the path in front of an error's message.
pub(super) fn at<T>(path: &str, result: Result<T>) -> Result<T> {
    result.map_err(|e| wrong(path, e))
}

/// The current position while a description is read, and the sizes of the network.
pub(super) struct Position<'a> {
    /// Path of the position, such as `chain[2].branches[0]`.
    pub(super) path: String,
    /// Prefix of the names of tensors there, such as `network.2.0`.
    pub(super) name: String,
    pub(super) depth: usize,
    pub(super) sizes: Sizes,
    /// Width of the input there; `None` if it is not known: before the data are known, after a layer that is not fitted yet,
    /// and in a model's file.
    pub(super) width: Option<usize>,
    /// Learning options for all layers of a kind, by the kind's name.
    pub(super) defaults: &'a Table,
    /// Number of layers read so far.
    pub(super) count: &'a mut usize,
}

impl Position<'_> {
    /// The place of a layer with this path and name within a chain.
    pub(super) fn within(&mut self, path: &str, name: impl Display) -> Position<'_> {
        let (path, name) = (format!("{}{path}", self.path), format!("{}.{name}", self.name));
        let Position { depth, sizes, width, defaults, ref mut count, .. } = *self;
        Position { path, name, depth, sizes, width, defaults, count }
    }
}

/// The fields of a layer's table. A kind removes those that it knows.
pub struct Fields<'a> {
    pub(super) table: Table,
    pub(super) known: Vec<&'static str>,
    pub(super) place: Position<'a>,
}

impl Fields<'_> {
    /// An error about the layer.
    pub(super) fn wrong(&self, what: impl Display) -> Error {
        wrong(&self.place.path, what)
    }

    pub(super) fn optional(&mut self, key: &'static str) -> Option<Value> {
        self.known.push(key);
        self.table.remove(key)
    }

    pub(super) fn take(&mut self, key: &'static str, expected: &str) -> Result<Value> {
        self.optional(key).ok_or_else(|| {
            let others: Vec<&str> = self.table.keys().map(String::as_str).collect();
            let found = if others.is_empty() { "nothing more".to_owned() } else { others.join(", ") };
            self.wrong(format!("expected {key} = {expected}, found {found}"))
        })
    }

    pub(super) fn mistaken<T>(&self, key: &str, expected: &str, found: &Value) -> Result<T> {
        Err(wrong(&format!("{}.{key}", self.place.path), format!("expected {expected}, found {found}")))
    }

    /// A string.
    pub(super) fn text(&mut self, key: &'static str) -> Result<String> {
        match self.take(key, "a text")? {
            Value::String(text) => Ok(text),
            found => self.mistaken(key, "a text", &found),
        }
    }

    /// A string that is parsed into a value.
    pub(super) fn parse<T: FromStr<Err = Error>>(&mut self, key: &'static str) -> Result<T> {
        let text = self.text(key)?;
        at(&format!("{}.{key}", self.place.path), text.parse())
    }

    /// A width: a number, or `"inputs"` or `"outputs"` of the network.
    pub(super) fn width(&mut self, key: &'static str) -> Result<usize> {
        let expected = format!("a width of 1 to {MOST_WIDTH}, \"inputs\" or \"outputs\"");
        let found = self.take(key, "a width")?;
        let width = match &found {
            Value::Integer(width) => usize::try_from(*width).unwrap_or(0),
            Value::String(name) if name == "inputs" => self.place.sizes.inputs,
            Value::String(name) if name == "outputs" => self.place.sizes.outputs,
            _ => 0,
        };
        if (1..=MOST_WIDTH).contains(&width) { Ok(width) } else { self.mistaken(key, &expected, &found) }
    }

    /// A number for which `holds` is true; `allowed` describes the condition for the error message.
    pub(super) fn number(&mut self, key: &'static str, allowed: &str, holds: impl Fn(f64) -> bool) -> Result<f64> {
        let found = self.take(key, "a number")?;
        let number = found.as_float().or(found.as_integer().map(|n| n as f64));
        match number.filter(|number| holds(*number)) {
            Some(number) => Ok(number),
            None => self.mistaken(key, allowed, &found),
        }
    }

    /// An optional number for which `holds` is true.
    pub(super) fn optional_number(
        &mut self,
        key: &'static str,
        allowed: &str,
        holds: impl Fn(f64) -> bool,
    ) -> Result<Option<f64>> {
        if self.table.contains_key(key) {
            return self.number(key, allowed, holds).map(Some);
        }
        self.known.push(key);
        Ok(None)
    }

    /// A boolean; `usual` if the field is missing.
    pub(super) fn switch(&mut self, key: &'static str, usual: bool) -> Result<bool> {
        match self.optional(key) {
            None => Ok(usual),
            Some(Value::Boolean(value)) => Ok(value),
            Some(found) => self.mistaken(key, "true or false", &found),
        }
    }

    /// A string; `usual` if the field is missing.
    pub(super) fn word(&mut self, key: &'static str, usual: &str) -> Result<String> {
        if self.table.contains_key(key) {
            return self.text(key);
        }
        self.known.push(key);
        Ok(usual.to_owned())
    }

    /// An optional list of widths of runs of features.
    pub(super) fn runs(&mut self, key: &'static str) -> Result<Option<Arc<[usize]>>> {
        let Some(found) = self.optional(key) else { return Ok(None) };
        let width = |item: &Value| {
            item.as_integer().and_then(|n| usize::try_from(n).ok()).filter(|n| (1..=MOST_WIDTH).contains(n))
        };
        match found.as_array().and_then(|items| items.iter().map(width).collect::<Option<Vec<_>>>()) {
            Some(widths) => Ok(Some(widths.into())),
            None => self.mistaken(key, "a list of widths such as [16, 16, 3]", &found),
        }
    }

    /// The place of a chain within the layer.
    pub(super) fn inner(&mut self, path: String, name: String) -> Position<'_> {
        let Position { depth, sizes, width, defaults, ref mut count, .. } = self.place;
        Position { path, name, depth: depth + 1, sizes, width, defaults, count }
    }

    /// Returns an error if a field is left over.
    pub(super) fn finish(self) -> Result<()> {
        match self.table.keys().next() {
            Some(other) => at(&self.place.path, Err(unknown("field", other, &self.known))),
            None => Ok(()),
        }
    }
}

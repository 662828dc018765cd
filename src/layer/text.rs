//! Layers as TOML: tables with a `kind` and the fields of that kind.

use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use toml::{Table, Value};

use super::{AnyKind, Inner, Layer, Learning, TensorForm, Width};
use crate::nn::Activation;
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
/// Upper limit of the number of layers, including inner ones.
const MOST_LAYERS: usize = 10_000;
/// Upper limit of the nesting depth of chains.
const MOST_DEPTH: usize = 16;
/// Names of the parts of layers' tensors.
pub(super) const TENSORS: [&str; 2] = ["weight", "bias"];
/// First part of every tensor's name.
const PREFIX: &str = "network";

pub(super) fn wrong(path: &str, what: impl Display) -> Error {
    Error::Usage(format!("{path}: {what}"))
}

/// Puts the path in front of an error's message.
pub(super) fn at<T>(path: &str, result: Result<T>) -> Result<T> {
    result.map_err(|e| wrong(path, e))
}

/// The current position while a description is read, and the sizes of the network.
struct Place<'a> {
    /// Path of the position, such as `chain[2].branches[0]`.
    path: String,
    /// Prefix of the names of tensors there, such as `network.2.0`.
    name: String,
    depth: usize,
    sizes: Sizes,
    /// Width of the input there; `None` if it is not known: before the data are known, after a layer that is not fitted yet,
    /// and in a model's file.
    width: Option<usize>,
    /// Learning options for all layers of a kind, by the kind's name.
    defaults: &'a Table,
    /// Number of layers read so far.
    count: &'a mut usize,
}

/// Reads a list of layers.
///
/// # Errors
/// [`Error::Usage`] with the path of what is wrong.
pub fn read_chain(value: &Value, sizes: Sizes) -> Result<Vec<Layer>> {
    read_with(value, (sizes, None), &Table::new())
}

pub(super) fn read_with(value: &Value, (sizes, width): (Sizes, Option<usize>), defaults: &Table) -> Result<Vec<Layer>> {
    let place = Place { path: "chain".into(), name: PREFIX.into(), depth: 0, sizes, width, defaults, count: &mut 0 };
    place.chain(value)
}

impl Place<'_> {
    fn within(&mut self, path: &str, name: impl Display) -> Place<'_> {
        let (path, name) = (format!("{}{path}", self.path), format!("{}.{name}", self.name));
        let Place { depth, sizes, width, defaults, ref mut count, .. } = *self;
        Place { path, name, depth, sizes, width, defaults, count }
    }

    fn chain(mut self, value: &Value) -> Result<Vec<Layer>> {
        let Value::Array(items) = value else {
            return Err(wrong(&self.path, format!("expected a list of layers, found {}", value.type_str())));
        };
        if self.depth > MOST_DEPTH {
            return Err(wrong(&self.path, format!("more than {MOST_DEPTH} chains within each other")));
        }
        let mut layers = Vec::with_capacity(items.len().min(MOST_LAYERS));
        for (n, item) in items.iter().enumerate() {
            let layer = self.within(&format!("[{n}]"), n).layer(item)?;
            // The width of a layer that is not fitted yet is unknown.
            self.width = self.width.filter(|_| layer.kind().is_fitted()).map(|width| layer.kind().outputs(width));
            layers.push(layer);
        }
        Ok(layers)
    }

    fn layer(self, value: &Value) -> Result<Layer> {
        *self.count += 1;
        if *self.count > MOST_LAYERS {
            return Err(wrong(&self.path, format!("more than {MOST_LAYERS} layers")));
        }
        let Value::Table(table) = value else {
            let what = "expected a layer such as { kind = \"linear\", outputs = 64 }";
            return Err(wrong(&self.path, format!("{what}, found {}", value.type_str())));
        };
        let mut fields = Fields { table: table.clone(), known: Vec::new(), place: self };
        let kind = fields.text("kind")?;
        let what = AnyKind::read(&kind, &mut fields)?;
        let mut layer = Layer::new(fields.place.name.clone(), what);
        layer.learning = fields.learning(&layer)?;
        fields.finish()?;
        Ok(layer)
    }
}

/// The fields of a layer's table. A kind removes those that it knows.
pub struct Fields<'a> {
    table: Table,
    known: Vec<&'static str>,
    place: Place<'a>,
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

    fn text(&mut self, key: &'static str) -> Result<String> {
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

    /// A list of layers.
    pub(super) fn chain(&mut self, key: &'static str) -> Result<Vec<Layer>> {
        let found = self.take(key, "a list of layers")?;
        let path = format!("{}.{key}", self.place.path);
        self.inner(path, self.place.name.clone()).chain(&found)
    }

    /// One or more lists of layers.
    pub(super) fn chains(&mut self, key: &'static str) -> Result<Vec<Vec<Layer>>> {
        let found = self.take(key, "a list of lists of layers")?;
        let Value::Array(items) = &found else { return self.mistaken(key, "a list of lists of layers", &found) };
        if items.is_empty() {
            return self.mistaken(key, "at least one list of layers", &found);
        }
        let mut chains = Vec::new();
        for (n, item) in items.iter().enumerate() {
            let (path, name) = (format!("{}.{key}[{n}]", self.place.path), format!("{}.{n}", self.place.name));
            chains.push(self.inner(path, name).chain(item)?);
        }
        Ok(chains)
    }

    fn inner(&mut self, path: String, name: String) -> Place<'_> {
        let Place { depth, sizes, width, defaults, ref mut count, .. } = self.place;
        Place { path, name, depth: depth + 1, sizes, width, defaults, count }
    }

    /// The layer's learning options: those of its own `learn` table, then those of the table for its kind.
    fn learning(&mut self, layer: &Layer) -> Result<Learning> {
        let own = self.optional("learn");
        let parts_at = |width: usize| -> Vec<(String, bool)> {
            layer.kind().tensors(Width::of(width), Activation::Identity).iter().flat_map(TensorForm::parts).collect()
        };
        // A skip has a tensor only at some widths. While the width is unknown, it may have one.
        let any = || [1, 2 * MOST_WIDTH].map(parts_at).into_iter().find(|parts| !parts.is_empty()).unwrap_or_default();
        let (kind, parts) = (layer.what.name(), self.place.width.map_or_else(any, parts_at));
        let usual = match self.place.defaults.get(kind) {
            // For skips this is no error, because another skip may have a tensor.
            Some(_) if any().is_empty() && matches!(layer.kind().inner(), Inner::None) => {
                return Err(wrong(&format!("learn.{kind}"), format!("{kind} learns nothing")));
            }
            Some(value) if !parts.is_empty() => {
                let path = format!("learn.{kind}");
                Learning::read(value, &path, &TENSORS)?.of_tensors(&path, &parts)?
            }
            _ => Learning::default(),
        };
        match own {
            None => Ok(usual),
            Some(value) if !parts.is_empty() => {
                let (path, names) = (format!("{}.learn", self.place.path), parts.iter().map(|(name, _)| name.as_str()));
                let own = Learning::read(&value, &path, &names.collect::<Vec<_>>())?;
                own.or(&usual, &parts[0].0).of_tensors(&path, &parts)
            }
            Some(_) => Err(self.wrong(format!("{kind} learns nothing: leave out learn"))),
        }
    }

    /// Returns an error if a field is left over.
    fn finish(self) -> Result<()> {
        match self.table.keys().next() {
            Some(other) => at(&self.place.path, Err(unknown("field", other, &self.known))),
            None => Ok(()),
        }
    }
}

/// A list of layers in the form that [`read_chain`] reads.
pub fn write_chain(chain: &[Layer]) -> Value {
    Value::Array(chain.iter().map(|layer| Value::Table(layer.table())).collect())
}

impl Layer {
    fn table(&self) -> Table {
        let mut table = Table::new();
        table.insert("kind".into(), self.what.name().into());
        self.kind().write(&mut table);
        if self.learning != Learning::default() {
            table.insert("learn".into(), Value::Table(self.learning.table()));
        }
        table
    }

    /// The layer in one line, without inner layers: `linear 64`, `norm layer, learn { frozen = true }`.
    pub fn line(&self) -> String {
        let mut text = self.what.name().to_owned();
        for (key, value) in self.table() {
            match value {
                Value::Array(_) => {}
                Value::Table(learn) => text += &format!(", {key} {}", Value::Table(learn)),
                Value::String(word) if key != "kind" => text += &format!(" {word}"),
                Value::String(_) => {}
                Value::Boolean(true) => text += &format!(" {key}"),
                Value::Boolean(false) => text += &format!(" {key} = false"),
                other => text += &format!(" {other}"),
            }
        }
        text
    }
}

/// Serialisation of an optional list of layers in a model's file.
pub(crate) mod optional_chain {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(chain: &Option<Vec<Layer>>, to: S) -> std::result::Result<S::Ok, S::Error> {
        chain.as_deref().map(write_chain).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<Option<Vec<Layer>>, D::Error> {
        let Some(chain) = Option::<Value>::deserialize(from)? else { return Ok(None) };
        // In a model's file all widths are numbers.
        let none = Sizes { inputs: 0, outputs: 0 };
        read_chain(&chain, none).map(Some).map_err(serde::de::Error::custom)
    }
}

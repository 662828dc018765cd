//! Layers as a file describes them: tables with a `kind` and the kind's own fields.

use std::fmt::Display;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use toml::{Table, Value};

use super::{AnyKind, Inner, Layer, Learning, TensorForm};
use crate::spec::unknown;
use crate::{Error, Result};

/// Widths that a description may name rather than give: `inputs` and `outputs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Inputs of the network.
    pub inputs: usize,
    /// Outputs of the network.
    pub outputs: usize,
}

/// The largest width of a layer.
const MOST_WIDTH: usize = 1 << 20;
/// The most layers, those within others among them.
const MOST_LAYERS: usize = 10_000;
/// The most chains within chains.
const MOST_DEPTH: usize = 16;
/// First part of the tensors' names.
const PREFIX: &str = "network";

/// The description of a network: a table whose `chain` lists its layers, and whose `learn` says how those of a kind learn.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    table: Table,
}

impl Description {
    /// Takes a table whose layers can be read, whatever the inputs and outputs.
    ///
    /// # Errors
    /// [`Error::Usage`] with the path of what is wrong: unknown kinds and fields, wrong values, nothing to learn.
    pub fn new(table: Table) -> Result<Description> {
        let description = Description { table };
        description.read(Sizes { inputs: 1, outputs: 1 })?;
        Ok(description)
    }

    /// Reads a description from the text of a TOML file.
    ///
    /// # Errors
    /// [`Error::Usage`] with the line where the text is no TOML, else as [`Description::new`].
    pub fn parse(text: &str) -> Result<Description> {
        let table = text.parse().map_err(|e: toml::de::Error| {
            let line = e.span().map_or(1, |span| text[..span.start].lines().count().max(1));
            Error::Usage(format!("line {line}: {}", e.message()))
        })?;
        Description::new(table)
    }

    /// The table.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// Whether some layer draws random numbers in training.
    pub fn is_random(&self) -> bool {
        fn within(chain: &[Layer]) -> bool {
            chain.iter().any(|layer| {
                layer.kind().needs(1, true).random
                    || match layer.kind().inner() {
                        Inner::None => false,
                        Inner::Around(chain) => within(chain),
                        Inner::Beside(chains) => chains.iter().any(|chain| within(chain)),
                    }
            })
        }
        self.read(Sizes { inputs: 1, outputs: 1 }).is_ok_and(|chain| within(&chain))
    }

    /// The layers of a network of these sizes.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if the last layer gives another number than there are outputs, or a layer is too wide.
    pub fn layers(&self, sizes: Sizes) -> Result<Vec<Layer>> {
        let chain = self.read(sizes)?;
        check(&chain, sizes).map_err(Error::Mismatch)?;
        Ok(chain)
    }

    fn read(&self, sizes: Sizes) -> Result<Vec<Layer>> {
        let mut fields = self.table.clone();
        let chain = fields.remove("chain").ok_or_else(|| wrong("chain", "expected a list of layers, found nothing"))?;
        let defaults = match fields.remove("learn") {
            None => Table::new(),
            Some(Value::Table(defaults)) => defaults,
            Some(other) => return Err(wrong("learn", format!("expected a table of kinds, found {other}"))),
        };
        if let Some(other) = fields.keys().next() {
            return Err(unknown("key", other, &["chain", "learn"]));
        }
        let kinds: Vec<&str> = AnyKind::NAMES.to_vec();
        if let Some(other) = defaults.keys().find(|kind| !kinds.contains(&kind.as_str())) {
            return at("learn", Err(unknown("kind", other, &kinds)));
        }
        let chain = read_with(&chain, sizes, &defaults)?;
        match learns(&chain) {
            true => Ok(chain),
            false => Err(wrong("chain", "no layer learns anything: add a linear layer")),
        }
    }
}

/// Whether a chain has tensors.
fn learns(chain: &[Layer]) -> bool {
    let within = |layer: &Layer| match layer.kind().inner() {
        Inner::None => false,
        Inner::Around(chain) => learns(chain),
        Inner::Beside(chains) => chains.iter().any(|chain| learns(chain)),
    };
    chain.iter().any(|layer| !layer.tensors(1, crate::nn::Activation::Identity).is_empty() || within(layer))
}

/// What does not fit in a chain of layers for a network of these sizes.
///
/// # Errors
/// A sentence with the path of the layer.
pub fn check(chain: &[Layer], sizes: Sizes) -> std::result::Result<(), String> {
    let width = check_widths(chain, sizes.inputs, "chain")?;
    if width == sizes.outputs {
        return Ok(());
    }
    let (last, outputs) = (chain.len().saturating_sub(1), sizes.outputs);
    Err(format!(
        "chain[{last}]: the last layer gives {width} features, and the data need {outputs} outputs: \
         end with {{ kind = \"linear\", outputs = \"outputs\" }}"
    ))
}

/// Width of what leaves a chain.
fn check_widths(chain: &[Layer], inputs: usize, path: &str) -> std::result::Result<usize, String> {
    let mut width = inputs;
    for (n, layer) in chain.iter().enumerate() {
        match layer.kind().inner() {
            Inner::None => {}
            Inner::Around(inner) => _ = check_widths(inner, width, &format!("{path}[{n}].chain"))?,
            Inner::Beside(chains) => {
                for (m, inner) in chains.iter().enumerate() {
                    check_widths(inner, width, &format!("{path}[{n}].branches[{m}]"))?;
                }
            }
        }
        width = layer.kind().outputs(width);
        if width > MOST_WIDTH {
            return Err(format!("{path}[{n}]: {width} features are more than the {MOST_WIDTH} that a layer may have"));
        }
    }
    Ok(width)
}

fn wrong(path: &str, what: impl Display) -> Error {
    Error::Usage(format!("{path}: {what}"))
}

/// Puts the path before a message about a value.
fn at<T>(path: &str, result: Result<T>) -> Result<T> {
    result.map_err(|e| wrong(path, e))
}

/// Where a description is being read, and for which sizes.
struct Place<'a> {
    /// Such as `chain[2].branches[0]`.
    path: String,
    /// What tensors there are called, such as `network.2.0`.
    name: String,
    depth: usize,
    sizes: Sizes,
    /// How layers of a kind learn, by its name.
    defaults: &'a Table,
    /// Layers so far.
    count: &'a mut usize,
}

/// Reads a list of layers.
///
/// # Errors
/// [`Error::Usage`] with the path of what is wrong.
pub fn read_chain(value: &Value, sizes: Sizes) -> Result<Vec<Layer>> {
    read_with(value, sizes, &Table::new())
}

fn read_with(value: &Value, sizes: Sizes, defaults: &Table) -> Result<Vec<Layer>> {
    let place = Place { path: "chain".into(), name: PREFIX.into(), depth: 0, sizes, defaults, count: &mut 0 };
    place.chain(value)
}

impl Place<'_> {
    fn within(&mut self, path: &str, name: impl Display) -> Place<'_> {
        let (path, name) = (format!("{}{path}", self.path), format!("{}.{name}", self.name));
        Place { path, name, depth: self.depth, sizes: self.sizes, defaults: self.defaults, count: self.count }
    }

    fn chain(mut self, value: &Value) -> Result<Vec<Layer>> {
        let Value::Array(items) = value else {
            return Err(wrong(&self.path, format!("expected a list of layers, found {}", value.type_str())));
        };
        if self.depth > MOST_DEPTH {
            return Err(wrong(&self.path, format!("more than {MOST_DEPTH} chains within each other")));
        }
        items.iter().enumerate().map(|(n, item)| self.within(&format!("[{n}]"), n).layer(item)).collect()
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

/// The fields of a layer's table, while its kind takes them out.
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

    fn optional(&mut self, key: &'static str) -> Option<Value> {
        self.known.push(key);
        self.table.remove(key)
    }

    fn take(&mut self, key: &'static str, expected: &str) -> Result<Value> {
        self.optional(key).ok_or_else(|| {
            let others: Vec<&str> = self.table.keys().map(String::as_str).collect();
            let found = if others.is_empty() { "nothing more".to_owned() } else { others.join(", ") };
            self.wrong(format!("expected {key} = {expected}, found {found}"))
        })
    }

    fn mistaken<T>(&self, key: &str, expected: &str, found: &Value) -> Result<T> {
        Err(wrong(&format!("{}.{key}", self.place.path), format!("expected {expected}, found {found}")))
    }

    fn text(&mut self, key: &'static str) -> Result<String> {
        match self.take(key, "a text")? {
            Value::String(text) => Ok(text),
            found => self.mistaken(key, "a text", &found),
        }
    }

    /// A value that reads itself from a text.
    pub(super) fn parse<T: FromStr<Err = Error>>(&mut self, key: &'static str) -> Result<T> {
        let text = self.text(key)?;
        at(&format!("{}.{key}", self.place.path), text.parse())
    }

    /// A width: a number, or `inputs` or `outputs` of the network.
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

    /// A number for which `holds`; `allowed` says so in words.
    pub(super) fn number(&mut self, key: &'static str, allowed: &str, holds: impl Fn(f64) -> bool) -> Result<f64> {
        let found = self.take(key, "a number")?;
        let number = found.as_float().or(found.as_integer().map(|n| n as f64));
        match number.filter(|number| holds(*number)) {
            Some(number) => Ok(number),
            None => self.mistaken(key, allowed, &found),
        }
    }

    /// A list of layers.
    pub(super) fn chain(&mut self, key: &'static str) -> Result<Vec<Layer>> {
        let found = self.take(key, "a list of layers")?;
        let path = format!("{}.{key}", self.place.path);
        self.inner(path, self.place.name.clone()).chain(&found)
    }

    /// Several lists of layers, at least one.
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
        let Place { depth, sizes, defaults, ref mut count, .. } = self.place;
        Place { path, name, depth: depth + 1, sizes, defaults, count }
    }

    /// How the layer learns: what its own table says, else what its kind's says.
    fn learning(&mut self, layer: &Layer) -> Result<Learning> {
        let own = self.optional("learn");
        let forms = layer.kind().tensors(1, crate::nn::Activation::Identity);
        let parts: Vec<(String, bool)> = forms.iter().flat_map(TensorForm::parts).collect();
        let kind = layer.what.name();
        let usual = self.place.defaults.get(kind).map(|value| Learning::read(value, &format!("learn.{kind}"), &parts));
        let usual = usual.transpose()?.unwrap_or_default();
        match own {
            None => Ok(usual),
            Some(value) if !parts.is_empty() => {
                Ok(Learning::read(&value, &format!("{}.learn", self.place.path), &parts)?.or(&usual))
            }
            Some(_) => Err(self.wrong(format!("{kind} learns nothing: leave out learn"))),
        }
    }

    /// Refuses fields that nobody took.
    fn finish(self) -> Result<()> {
        match self.table.keys().next() {
            Some(other) => at(&self.place.path, Err(unknown("field", other, &self.known))),
            None => Ok(()),
        }
    }
}

/// A list of layers as [`read_chain`] reads it.
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

    /// The layer in a line, without the layers within it: `linear 64`, `norm layer, learn { frozen = true }`.
    pub fn line(&self) -> String {
        let mut text = self.what.name().to_owned();
        for (key, value) in self.table() {
            match value {
                Value::Array(_) => {}
                Value::Table(learn) => text += &format!(", {key} {}", Value::Table(learn)),
                Value::String(word) if key != "kind" => text += &format!(" {word}"),
                Value::String(_) => {}
                other => text += &format!(" {other}"),
            }
        }
        text
    }
}

/// Layers in a model's file: the list of tables, or nothing.
pub(crate) mod optional_chain {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(chain: &Option<Vec<Layer>>, to: S) -> std::result::Result<S::Ok, S::Error> {
        chain.as_deref().map(write_chain).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<Option<Vec<Layer>>, D::Error> {
        let Some(chain) = Option::<Value>::deserialize(from)? else { return Ok(None) };
        // All widths are numbers there.
        let none = Sizes { inputs: 0, outputs: 0 };
        read_chain(&chain, none).map(Some).map_err(serde::de::Error::custom)
    }
}

//! Layers as TOML: tables with a `kind` and the fields of that kind.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use toml::{Table, Value};

use super::fields::{Fields, MOST_WIDTH, Position, Sizes, wrong};
use super::{AnyKind, Inner, Layer, Learning, TensorForm, Width};
use crate::Result;
use crate::nn::Activation;

/// Upper limit of the number of layers, including inner ones.
const MOST_LAYERS: usize = 10_000;
/// Upper limit of the nesting depth of chains.
const MOST_DEPTH: usize = 16;
/// Names of the parts of layers' tensors.
pub(super) const TENSORS: [&str; 2] = ["weight", "bias"];
/// First part of every tensor's name.
const PREFIX: &str = "network";

/// Reads a list of layers.
///
/// # Errors
/// [`crate::Error::Usage`] with the path of what is wrong.
pub fn read_chain(value: &Value, sizes: Sizes) -> Result<Vec<Layer>> {
    read_with(value, (sizes, None), &Table::new())
}

pub(super) fn read_with(value: &Value, (sizes, width): (Sizes, Option<usize>), defaults: &Table) -> Result<Vec<Layer>> {
    let place = Position { path: "chain".into(), name: PREFIX.into(), depth: 0, sizes, width, defaults, count: &mut 0 };
    place.chain(value)
}

impl Position<'_> {
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

impl Fields<'_> {
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

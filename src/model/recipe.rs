//! From options of tabular networks to a list of layers: embeddings, members, and what RealMLP adds to a stack.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use toml::{Table, Value};

use super::inputs::InputSpan;
use crate::data::LevelNumbers;
use crate::layer::BinRule;
use crate::layer::description::Description;
use crate::nn::Activation;
use crate::nn::norm::NormKind;
use crate::spec::Spec;
use crate::{Error, Result};

/// The embedding of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Embed {
    /// None: numbers stay as they are.
    #[default]
    None,
    /// Periodic embedding: [`crate::layer::Pbld`].
    Pbld {
        /// Waves for each number.
        frequencies: usize,
        /// Features for each number.
        dim: usize,
        /// Standard deviation of the initial frequencies.
        sigma: f64,
        /// Factor of the learning rate.
        lr: f64,
    },
    /// Piecewise-linear embedding: [`crate::layer::Ple`].
    Ple {
        /// The most bins.
        bins: usize,
        /// Features for each number.
        dim: usize,
        /// The rule for the edges of bins.
        by: BinRule,
    },
}

/// How the members of an ensemble share a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Members {
    /// One network.
    #[default]
    None,
    /// TabM: each member has adapters before and after each linear layer.
    Tabm(usize),
    /// TabM-mini: each member has one adapter, before the first layer.
    TabmMini(usize),
    /// Networks side by side that share no weights.
    Packed(usize),
}

/// Fraction of the training rows whose level is masked, so that the vector of an unknown level is learnt too.
const MASKED: f64 = 0.02;

/// Learnt vectors for the levels of categories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CategoryEmbedding {
    /// Length of a vector.
    pub dim: usize,
    /// Which categories have vectors, and for which levels.
    pub levels: LevelNumbers,
}

/// What options of tabular networks add to a stack of layers.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Extras {
    /// The embedding of numbers.
    pub embed: Embed,
    /// Which categories are embedded as learnt vectors.
    pub categories: Option<CategoryEmbedding>,
    /// How the members of an ensemble share the network.
    pub members: Members,
    /// Gains of all features before the first linear layer; the value is the factor of their learning rate.
    pub input_scale: Option<f64>,
    /// A learnt strength of each unit's activation; the value is the factor of its learning rate.
    pub parametric: Option<f64>,
    /// Factor of the learning rate of biases.
    pub bias_lr: Option<f64>,
    /// Whether matrices use the NTK parametrisation.
    pub ntk: bool,
    /// Whether the output layer is initialised to 0.
    pub zero_output: bool,
}

/// The initialisation of biases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Biases {
    /// By the scheme of the weights: 0, except for the schemes of two libraries.
    #[default]
    Scheme,
    /// Standard normal.
    Normal,
    /// So that the unit's input is 0 at a random mixture of five training rows.
    Mixture,
}

impl Biases {
    /// All of them, by name.
    pub const NAMES: [(&'static str, Biases); 3] =
        [("scheme", Biases::Scheme), ("normal", Biases::Normal), ("he+5", Biases::Mixture)];

    /// The name.
    pub fn name(self) -> &'static str {
        Biases::NAMES.iter().find(|(_, biases)| *biases == self).map_or("", |(name, _)| name)
    }
}

/// All that a list of layers is made from: a stack, and what is added to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe<'a> {
    /// Widths of the hidden layers.
    pub hidden: &'a [usize],
    /// Activation of each of them.
    pub activations: &'a [Activation],
    /// Activation of the outputs.
    pub output_activation: Activation,
    /// Norm before each activation.
    pub norm: Option<NormKind>,
    /// Fraction of hidden units dropped in training.
    pub dropout: f64,
    /// What is added to the stack.
    pub extras: Extras,
    /// Whether the user asked for a scheme of initial weights.
    pub scheme_given: bool,
}

impl Recipe<'_> {
    /// The description of its layers, for these spans of inputs.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if inputs hold numbers of levels but categories are not embedded.
    pub fn describe(&self, spans: &[InputSpan]) -> Result<Description> {
        let mut chain = Vec::new();
        if spans.contains(&InputSpan::Number) {
            chain.extend(self.embedding());
        }
        chain.extend(self.lookup(spans)?);
        let gains = self.extras.input_scale.map(own_rate);
        // Each packed network has its own gains, as if it were trained alone.
        let (shared, own) = if self.is_packed() { (None, gains) } else { (gains, None) };
        chain.extend(shared.map(|learn| layer("scale", [learn])));
        let inputs: usize = self.chunks(spans).iter().sum();
        if let Members::Tabm(count) | Members::TabmMini(count) | Members::Packed(count) = self.extras.members {
            chain.push(layer("expand", [("members", Value::Integer(count as i64))]));
        }
        chain.extend(own.map(|learn| layer("adapter", [learn])));
        if matches!(self.extras.members, Members::Tabm(_) | Members::TabmMini(_)) {
            let scale = if self.extras.embed == Embed::None { "signs" } else { "normal" };
            let chunks = self.chunks(spans).into_iter().map(|width| Value::Integer(width as i64)).collect();
            chain.push(layer("adapter", [("scale", scale.into()), ("chunks", Value::Array(chunks))]));
        }
        let mut width = inputs;
        for (n, outputs) in self.hidden.iter().enumerate() {
            self.hidden_layer(n, (width, *outputs), &mut chain);
            width = *outputs;
        }
        let mut last = self.linear("outputs".into(), self.extras.members != Members::None, true);
        if self.extras.zero_output {
            begin_at_0(&mut last);
        }
        chain.push(last);
        if self.output_activation != Activation::Identity {
            chain.push(layer("activation", [("function", self.output_activation.to_string().into())]));
        }
        let mut table = Table::new();
        table.insert("chain".into(), Value::Array(chain.into_iter().map(Value::Table).collect()));
        Description::new(table)
    }

    fn is_packed(&self) -> bool {
        matches!(self.extras.members, Members::Packed(_))
    }

    fn embedding(&self) -> Option<Table> {
        let whole = |n: usize| Value::Integer(n as i64);
        match self.extras.embed {
            Embed::None => None,
            Embed::Pbld { frequencies, dim, sigma, lr } => Some(layer(
                "pbld",
                [
                    ("frequencies", whole(frequencies)),
                    ("dim", whole(dim)),
                    ("sigma", sigma.into()),
                    learn([("lr", lr.into()), ("decay", lr.into())]),
                ],
            )),
            Embed::Ple { bins, dim, by } => {
                let name = BinRule::NAMES.iter().find(|(_, rule)| *rule == by).map_or("", |(name, _)| name);
                Some(layer("ple", [("bins", whole(bins)), ("dim", whole(dim)), ("by", name.into())]))
            }
        }
    }

    /// The layer that looks up the vectors of levels, if there are such inputs. It comes after the embedding of numbers.
    fn lookup(&self, spans: &[InputSpan]) -> Result<Option<Table>> {
        let (mut input, mut columns) = (0, Vec::new());
        for span in spans {
            if let InputSpan::Level(levels) = span {
                columns.push(Value::Array([input, *levels].map(|n| Value::Integer(n as i64)).to_vec()));
            }
            input += if let InputSpan::Number = span { self.of_number() } else { span.inputs() };
        }
        if columns.is_empty() {
            return Ok(None);
        }
        let Some(CategoryEmbedding { dim, .. }) = self.extras.categories else {
            let message = "the data were prepared for vectors of levels".to_owned();
            return Err(Error::Mismatch(message).of_value("category_embedding", "none"));
        };
        let dim = Value::Integer(dim as i64);
        let fields = [("columns", Value::Array(columns)), ("dim", dim), ("mask", Value::Float(MASKED))];
        Ok(Some(layer("lookup", fields)))
    }

    /// Number of features that a number is embedded in.
    fn of_number(&self) -> usize {
        match self.extras.embed {
            Embed::None => 1,
            Embed::Pbld { dim, .. } | Embed::Ple { dim, .. } => dim,
        }
    }

    /// Widths of the spans of features that come from one column, after the embeddings.
    fn chunks(&self, spans: &[InputSpan]) -> Vec<usize> {
        let of_level = self.extras.categories.map_or(0, |categories| categories.dim);
        let chunk = |span: &InputSpan| match span {
            InputSpan::Number => self.of_number(),
            InputSpan::Plain(inputs) => *inputs,
            InputSpan::Level(_) => of_level,
        };
        spans.iter().map(chunk).collect()
    }

    /// A hidden layer and the layers that belong to it.
    fn hidden_layer(&self, n: usize, (inputs, outputs): (usize, usize), chain: &mut Vec<Table>) {
        let width = Value::Integer(outputs as i64);
        match self.extras.members {
            Members::Tabm(_) => {
                if n > 0 {
                    chain.push(layer("adapter", [("scale", "ones".into())]));
                }
                chain.push(self.linear(width, false, false));
                let bound = 1.0 / (inputs as f64).sqrt();
                let mut shifted = layer("adapter", [("scale", "ones".into()), ("shift", bound.into())]);
                if let Some(rate) = self.extras.bias_lr {
                    shifted.extend(
                        [learn([("bias", Value::Table(Table::from_iter([("lr".into(), rate.into())])))])].map(named),
                    );
                }
                chain.push(shifted);
            }
            Members::Packed(_) => chain.push(self.linear(width, true, true)),
            Members::TabmMini(_) | Members::None => chain.push(self.linear(width, false, true)),
        }
        if let Some(norm) = self.norm {
            chain.push(layer("norm", [("norm", norm.to_string().into())]));
        }
        let function = ("function", Value::String(self.activations[n].to_string()));
        match self.extras.parametric {
            Some(rate) => {
                let mut mix = layer("mix", [function, own_rate(rate)]);
                mix.extend(self.is_packed().then(|| named(("members", true.into()))));
                chain.push(mix);
            }
            None if self.activations[n] != Activation::Identity => chain.push(layer("activation", [function])),
            None => {}
        }
        if self.dropout > 0.0 {
            chain.push(layer("dropout", [("rate", self.dropout.into())]));
        }
    }

    fn linear(&self, outputs: Value, members: bool, bias: bool) -> Table {
        let mut table = layer("linear", [("outputs", outputs)]);
        let switches = [("members", members, false), ("bias", bias, true), ("ntk", self.extras.ntk, false)];
        table.extend(switches.into_iter().filter(|s| s.1 != s.2).map(|(name, value, _)| named((name, value.into()))));
        let mut options = Table::new();
        if self.extras.members != Members::None && !self.scheme_given {
            options.insert("init".into(), "torch_default".into());
        }
        if let (true, Some(rate)) = (bias, self.extras.bias_lr) {
            options.insert("bias".into(), Value::Table(Table::from_iter([("lr".into(), rate.into())])));
        }
        if !options.is_empty() {
            table.insert("learn".into(), Value::Table(options));
        }
        table
    }
}

/// A factor of the learning rate, which applies to decay too.
fn own_rate(rate: f64) -> (&'static str, Value) {
    learn([("lr", rate.into()), ("decay", rate.into()), ("decays", true.into())])
}

/// Initialises the weights and biases of a layer to 0.
fn begin_at_0(layer: &mut Table) {
    let zero = || ("init".to_owned(), Value::Float(0.0));
    let table = |value: Option<Value>| match value {
        Some(Value::Table(table)) => table,
        _ => Table::new(),
    };
    let mut learn = table(layer.remove("learn"));
    let mut bias = table(learn.remove("bias"));
    bias.extend([zero()]);
    learn.extend([zero(), ("bias".to_owned(), Value::Table(bias))]);
    layer.insert("learn".into(), Value::Table(learn));
}

fn named((key, value): (&str, Value)) -> (String, Value) {
    (key.to_owned(), value)
}

fn layer<const N: usize>(kind: &str, fields: [(&'static str, Value); N]) -> Table {
    std::iter::once(("kind", Value::from(kind))).chain(fields).map(|(key, value)| named((key, value))).collect()
}

fn learn<const N: usize>(options: [(&'static str, Value); N]) -> (&'static str, Value) {
    ("learn", Value::Table(options.into_iter().map(named).collect()))
}

/// A whole number of a specification.
fn whole(
    spec: &mut Spec<'_>,
    key: &'static str,
    (allowed, range): (&'static str, RangeInclusive<usize>),
    usual: usize,
) -> Result<usize> {
    let holds = |n: f64| n.fract() == 0.0 && n >= 0.0 && range.contains(&(n as usize));
    Ok(spec.number(key, allowed, holds)?.map_or(usual, |n| n as usize))
}

impl FromStr for Embed {
    type Err = Error;

    /// Reads `none`, `pbld:frequencies=16,dim=4,sigma=0.1,lr=0.1`, `ple:bins=48,dim=16,by=quantiles`.
    fn from_str(text: &str) -> Result<Self> {
        let mut spec = Spec::parse("embedding", text)?;
        let above_0 = |x: f64| x > 0.0 && x.is_finite();
        let embed = match spec.name {
            "none" => Embed::None,
            "pbld" => Embed::Pbld {
                frequencies: whole(&mut spec, "frequencies", ("a whole number of 1 to 256", 1..=256), 16)?,
                dim: whole(&mut spec, "dim", ("a whole number of 2 to 1024", 2..=1024), 4)?,
                sigma: spec.number("sigma", "a number above 0", above_0)?.unwrap_or(0.1),
                lr: spec.number("lr", "a factor above 0", above_0)?.unwrap_or(0.1),
            },
            "ple" => Embed::Ple {
                bins: whole(&mut spec, "bins", ("a whole number of 2 to 255", 2..=255), 48)?,
                dim: whole(&mut spec, "dim", ("a whole number of 1 to 1024", 1..=1024), 16)?,
                by: BinRule::NAMES[spec.word("by", &BinRule::NAMES.map(|(name, _)| name))?.unwrap_or(0)].1,
            },
            _ => return Err(spec.unknown_name(&["none", "pbld", "ple"])),
        };
        spec.finish()?;
        Ok(embed)
    }
}

impl fmt::Display for Embed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Embed::None => f.write_str("none"),
            Embed::Pbld { frequencies, dim, sigma, lr } => {
                write!(f, "pbld:frequencies={frequencies},dim={dim},sigma={sigma},lr={lr}")
            }
            Embed::Ple { bins, dim, by } => {
                let name = BinRule::NAMES.iter().find(|(_, rule)| rule == by).map_or("", |(name, _)| name);
                write!(f, "ple:bins={bins},dim={dim},by={name}")
            }
        }
    }
}

impl FromStr for Members {
    type Err = Error;

    /// Reads `none`, `tabm:32`, `tabm-mini:32`, `packed:8`.
    fn from_str(text: &str) -> Result<Self> {
        let wrong = || {
            Error::Usage(format!(
                "expected none, or tabm:32, tabm-mini:32 or packed:8, with 1 to 1024 members, found \"{text}\""
            ))
        };
        if text == "none" {
            return Ok(Members::None);
        }
        let (name, count) = text.split_once(':').ok_or_else(wrong)?;
        let count = count.parse::<usize>().ok().filter(|count| (1..=1024).contains(count)).ok_or_else(wrong)?;
        match name {
            "tabm" => Ok(Members::Tabm(count)),
            "tabm-mini" => Ok(Members::TabmMini(count)),
            "packed" => Ok(Members::Packed(count)),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Members::None => f.write_str("none"),
            Members::Tabm(count) => write!(f, "tabm:{count}"),
            Members::TabmMini(count) => write!(f, "tabm-mini:{count}"),
            Members::Packed(count) => write!(f, "packed:{count}"),
        }
    }
}

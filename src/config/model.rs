//! The options of the network.

use std::path::PathBuf;

use super::loss::asked_loss;
use super::network::description;
use super::optimizer::dialect;
use super::reader::Reader;
use super::tabular::{biases, extras, residual};
use crate::layer::description::Description;
use crate::model::recipe::{Biases, Extras};
use crate::nn::init::{Init, Scheme};
use crate::nn::{Activation, Loss, NormKind};
use crate::optim::Dialect;
use crate::option_text::{option, setting};
use crate::{Result, path_text};

/// The network, before the data determine its inputs and outputs.
#[derive(Debug, Clone)]
pub struct ModelOptions {
    /// The layers from a file; then the fields up to `residual` are empty.
    pub network: Option<Description>,
    /// Widths of the hidden layers.
    pub hidden: Vec<usize>,
    /// Activation of each hidden layer.
    pub activations: Vec<Activation>,
    /// Activation of the outputs.
    pub output_activation: Activation,
    /// Fraction of hidden units dropped.
    pub dropout: f64,
    /// Normalisation.
    pub norm: Option<NormKind>,
    /// Whether hidden layers add their input.
    pub residual: bool,
    /// What a tabular network adds to a stack.
    pub extras: Extras,
    /// The initialisation of biases.
    pub bias_init: Biases,
    /// Initial weights; `None` for the default of each activation.
    pub init: Option<Init>,
    /// Loss; `None` for that of the task.
    pub loss: Option<Loss>,
    /// Weights to start from.
    pub init_from: Option<PathBuf>,
    /// Layers and tensors that do not learn.
    pub freeze: Vec<String>,
}

impl ModelOptions {
    /// Reads the options.
    ///
    /// # Errors
    /// [`crate::Error::Option`] for wrong values.
    pub(super) fn read(reader: &Reader) -> Result<ModelOptions> {
        let (network, extras) = (description(reader)?, extras(reader)?);
        let usual = || if network.is_some() { Vec::new() } else { vec![256, 128] };
        let hidden = reader.with("hidden", widths)?.unwrap_or_else(usual);
        let given: Vec<Activation> = reader.list("activation")?.unwrap_or_else(|| vec![Activation::Relu]);
        let activations = match given.as_slice() {
            [one] => vec![*one; hidden.len()],
            several if several.len() == hidden.len() => several.to_vec(),
            several => {
                let (found, expected) = (several.len(), hidden.len());
                let message = format!("expected 1 or {expected}, one for each hidden layer, found {found}");
                return Err(reader.wrong("activation", &message));
            }
        };
        let norm = match reader.text("norm").as_deref() {
            None | Some("none") => None,
            Some(_) => reader.parse::<NormKind>("norm")?,
        };
        Ok(ModelOptions {
            network,
            hidden,
            activations,
            output_activation: reader.parse("output_activation")?.unwrap_or(Activation::Identity),
            dropout: reader
                .number("dropout", "a share of at least 0 and below 1", |x| (0.0..1.0).contains(&x))?
                .unwrap_or(0.0),
            norm,
            residual: residual(reader, &extras)?,
            bias_init: biases(reader, &extras)?,
            extras,
            init: reader.parse("init")?.or(dialect(reader)?.map(initial_weights)),
            loss: asked_loss(reader)?,
            init_from: reader.text("init_from").map(|text| path_text::to_path(&text)),
            freeze: frozen(reader)?,
        })
    }

    /// The option that asks for dropout, if there is one.
    pub(super) fn drops(&self) -> Option<String> {
        match self.network.as_ref().is_some_and(Description::is_random) {
            true => Some(format!("dropout in {}", option("network"))),
            false => (self.dropout > 0.0).then(|| option("dropout").to_string()),
        }
    }
}

/// The names of `--freeze`, which requires weights to start from.
fn frozen(reader: &Reader) -> Result<Vec<String>> {
    let given = reader.value("freeze").filter(|value| value.as_array().is_none_or(|names| !names.is_empty()));
    let (Some(_), Some(text)) = (given, reader.text("freeze")) else { return Ok(Vec::new()) };
    let names: Vec<String> =
        text.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
    if names.is_empty() {
        let found = format!("expected names of layers such as layers.0, found \"{text}\"");
        return Err(reader.wrong("freeze", &found));
    }
    if reader.text("init_from").is_none() {
        let message = format!("these layers would keep random weights: give {}", setting("init_from", "FILE"));
        return Err(reader.wrong("freeze", &message));
    }
    Ok(names)
}

/// The initial weights of a dialect's library.
fn initial_weights(dialect: Dialect) -> Init {
    Init::new(match dialect {
        Dialect::Torch => Scheme::TorchDefault,
        Dialect::Keras => Scheme::GlorotUniform,
        Dialect::Sklearn => Scheme::Sklearn,
    })
}

/// Widths of the hidden layers, `none` for no hidden layer.
fn widths(text: &str) -> std::result::Result<Vec<usize>, String> {
    if text == "none" {
        return Ok(Vec::new());
    }
    let width = |part: &str| part.trim().parse::<usize>().ok().filter(|w| (1..=1 << 20).contains(w));
    let widths: Option<Vec<usize>> = text.split(',').map(width).collect();
    widths.ok_or_else(|| format!("expected widths of 1 to 1,048,576 such as 256,128, or none, found \"{text}\""))
}

//! The description of a model, for people and for scripts.

use serde::Serialize;
use serde_json::Value;

use super::{Decision, Model, NetworkForm};
use crate::data::{Preprocessing, Task};
use crate::layer::text::write_chain;
use crate::layer::{Layer, TensorForm, Width};
use crate::nn::Activation;

/// Everything about a model except its weights.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelDescription {
    /// `model`.
    pub kind: &'static str,
    /// The task.
    pub task: Task,
    /// Label columns.
    pub labels: Vec<String>,
    /// Class names, in the order of the outputs.
    pub classes: Vec<String>,
    /// The loss it was trained with.
    pub loss: String,
    /// Label smoothing of the loss.
    pub label_smoothing: f64,
    /// Inputs of the network.
    pub inputs: usize,
    /// Outputs of the network.
    pub outputs: usize,
    /// The layers, inputs first; empty if `network` lists them.
    pub layers: Vec<LayerDescription>,
    /// The layers of a network that a file described.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<NetworkDescription>,
    /// Number of parameters of all networks.
    pub parameters: usize,
    /// Number of networks whose probabilities or values are averaged.
    pub members: usize,
    /// The forms of the networks, if there are several; the layers are then those of the first form.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub forms: Vec<FormDescription>,
    /// From raw rows to inputs, from outputs to units, with all fitted numbers.
    pub preprocessing: Preprocessing,
    /// Temperature, threshold and residuals.
    #[serde(skip_serializing_if = "Decision::is_plain")]
    pub decision: Decision,
    /// Figures of the epochs it was trained for.
    pub history: Vec<Value>,
    /// Hash of the weights.
    pub weights_sha256: String,
}

/// The networks of one form.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FormDescription {
    /// Its name.
    pub name: String,
    /// Its number of networks.
    pub members: usize,
    /// The weight of their mean.
    pub weight: f64,
    /// The temperature by which their logits are divided before probabilities are averaged.
    pub temperature: f64,
    /// Inputs of each network.
    pub inputs: usize,
    /// Parameters of each network.
    pub parameters: usize,
}

/// Layers that were given one by one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NetworkDescription {
    /// In the form of a network file, with widths as numbers.
    pub chain: toml::Value,
    /// All layers in order; layers within a layer come before it.
    #[serde(skip)]
    pub lines: Vec<LayerLine>,
}

/// One of these layers.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerLine {
    /// Its name, as in the names of its tensors.
    pub name: String,
    /// Kind and options.
    pub what: String,
    /// Its inputs.
    pub inputs: usize,
    /// Its outputs.
    pub outputs: usize,
    /// Its parameters, without those of layers within it.
    pub parameters: usize,
}

/// One linear layer and the layers that belong to it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerDescription {
    /// Its name, as in the names of its tensors: `layers.0` and so on.
    pub name: String,
    /// Its inputs.
    pub inputs: usize,
    /// Its outputs.
    pub outputs: usize,
    /// Normalisation before the activation.
    pub norm: Option<String>,
    /// Activation.
    pub activation: String,
    /// How its input is added: `identity` or `projection`.
    pub residual: Option<&'static str>,
    /// Fraction of its units dropped in training.
    pub dropout: f64,
    /// Its parameters, including norm and projection.
    pub parameters: usize,
}

impl Model {
    /// Describes the model.
    pub fn describe(&self) -> ModelDescription {
        let card = &self.card;
        let target = card.preprocessing.target();
        ModelDescription {
            kind: "model",
            task: target.task,
            labels: target.columns.clone(),
            classes: target.classes.clone(),
            loss: card.loss.to_string(),
            label_smoothing: card.label_smoothing,
            inputs: card.architecture.inputs,
            outputs: card.architecture.outputs,
            layers: match card.architecture.chain {
                Some(_) => Vec::new(),
                None => (0..card.architecture.layers()).map(|layer| self.describe_layer(layer)).collect(),
            },
            network: card.architecture.chain.as_deref().map(|chain| self.describe_chain(chain)),
            parameters: self.networks().map(|network| network.layout.parameters()).sum(),
            members: card.members,
            forms: self.describe_forms(),
            preprocessing: card.preprocessing.clone(),
            decision: card.decision.clone(),
            history: card.history.clone(),
            weights_sha256: self.sha256(),
        }
    }

    fn describe_forms(&self) -> Vec<FormDescription> {
        let mut networks = self.networks();
        let form = |form: &NetworkForm| FormDescription {
            name: form.name.clone(),
            members: form.members,
            weight: form.weight,
            temperature: 1.0 / f64::from(form.factor),
            inputs: form.architecture.inputs,
            parameters: networks.by_ref().take(form.members).last().map_or(0, |network| network.layout.parameters()),
        };
        self.card.forms.iter().map(form).collect()
    }

    fn describe_chain(&self, chain: &[Layer]) -> NetworkDescription {
        fn add(chain: &[Layer], mut width: Width, lines: &mut Vec<LayerLine>) {
            for layer in chain {
                layer.chains().into_iter().for_each(|chain| add(chain, width, lines));
                let after = width.after(layer);
                let tensors = layer.tensors(width, Activation::Identity);
                let parameters = tensors.iter().map(TensorForm::parameters).sum();
                let (inputs, outputs) = (width.features, after.features);
                lines.push(LayerLine { name: layer.name.clone(), what: layer.line(), inputs, outputs, parameters });
                width = after;
            }
        }
        let mut lines = Vec::new();
        add(chain, Width::of(self.card.architecture.inputs), &mut lines);
        NetworkDescription { chain: write_chain(chain), lines }
    }

    fn describe_layer(&self, layer: usize) -> LayerDescription {
        let (architecture, layout) = (&self.card.architecture, &self.parameters.layout);
        let hidden = architecture.is_hidden(layer);
        LayerDescription {
            name: format!("layers.{layer}"),
            inputs: architecture.fan_in(layer),
            outputs: architecture.fan_out(layer),
            norm: architecture.norm.filter(|_| hidden).map(|norm| norm.to_string()),
            activation: architecture.activation(layer).to_string(),
            residual: match (architecture.residual && hidden, architecture.has_projection(layer)) {
                (false, _) => None,
                (true, projects) => Some(if projects { "projection" } else { "identity" }),
            },
            dropout: if hidden { architecture.dropout } else { 0.0 },
            parameters: layout.tensors.iter().filter(|t| t.layer == layer).map(|t| t.parameters()).sum(),
        }
    }
}

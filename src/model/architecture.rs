//! The structure of a network, without its weights.

use serde::{Deserialize, Serialize};

use crate::kernel::has_room;
use crate::layer::description::{check, check_fitted};
use crate::layer::{
    Activate, Dropout, Form, Layer, Linear, MemberRows, Network, Norm, Skip, TensorForm, leave_out_chance,
};
use crate::layer::{Sizes, text::optional_chain};
use crate::nn::Activation;
use crate::nn::norm::NormKind;

/// A feed-forward network. A hidden layer is `dropout(act(norm(W x + b)))`. With `residual` its input is added, through a
/// projection without bias if the widths differ. The output layer is `act(W x + b)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Architecture {
    /// Inputs of the network.
    pub inputs: usize,
    /// Widths of the hidden layers; empty for linear, logistic and softmax regression.
    pub hidden: Vec<usize>,
    /// Outputs of the network.
    pub outputs: usize,
    /// Activation of each hidden layer.
    pub activations: Vec<Activation>,
    /// Activation of the output layer; the identity if the loss works on logits.
    pub output_activation: Activation,
    /// Normalisation before the activation of each hidden layer.
    pub norm: Option<NormKind>,
    /// Whether each hidden layer adds its input.
    pub residual: bool,
    /// Fraction of hidden units dropped in training, at least 0 and below 1.
    pub dropout: f64,
    /// The layers, if they are given one by one. Of the other fields, only `inputs` and `outputs` count then.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_chain")]
    pub chain: Option<Vec<Layer>>,
}

impl Architecture {
    /// A plain multilayer perceptron: `hidden` layers of these widths with one activation, and a linear output layer.
    pub fn mlp(inputs: usize, hidden: &[usize], outputs: usize, activation: Activation) -> Architecture {
        Architecture {
            inputs,
            hidden: hidden.to_vec(),
            outputs,
            activations: vec![activation; hidden.len()],
            output_activation: Activation::Identity,
            norm: None,
            residual: false,
            dropout: 0.0,
            chain: None,
        }
    }

    /// The network as a list of layers.
    pub fn network(&self) -> Network {
        if let Some(chain) = &self.chain {
            return Network { inputs: self.inputs, chain: chain.clone() };
        }
        let mut chain = Vec::new();
        for n in 0..self.layers() {
            let group = self.group(n);
            if self.residual && self.is_hidden(n) {
                chain.push(Layer::new(format!("residuals.{n}"), Skip { inner: group }));
            } else {
                chain.extend(group);
            }
        }
        Network { inputs: self.inputs, chain }
    }

    /// What is contradictory in it, in a sentence.
    pub fn contradiction(&self) -> Option<String> {
        if !(0.0..1.0).contains(&self.dropout) {
            return Some(format!("expected dropout of at least 0 and below 1, found {}", self.dropout));
        }
        match &self.chain {
            Some(chain) => check(chain, Sizes { inputs: self.inputs, outputs: self.outputs })
                .and_then(|()| check_fitted(chain))
                .err(),
            None if self.activations.len() == self.hidden.len() => None,
            None => Some("hidden layers and activations differ in number".to_owned()),
        }
    }

    /// The same network without dropout and masks, to test what it can learn.
    pub fn without_chance(&self) -> Architecture {
        let mut network = Architecture { dropout: 0.0, ..self.clone() };
        network.chain.iter_mut().for_each(leave_out_chance);
        network
    }

    /// Linear layer `n` and the layers that belong to it.
    fn group(&self, n: usize) -> Vec<Layer> {
        let function = self.activation(n);
        let mut group = vec![Layer::new(format!("layers.{n}"), Linear::new(self.fan_out(n)))];
        if let Some(norm) = self.norm.filter(|_| self.is_hidden(n)) {
            group.push(Layer::new(format!("norms.{n}"), Norm { norm }));
        }
        if function != Activation::Identity {
            group.push(Layer::new(format!("activations.{n}"), Activate { function }));
        }
        if self.is_hidden(n) && self.dropout > 0.0 {
            group.push(Layer::new(format!("dropouts.{n}"), Dropout { rate: self.dropout }));
        }
        group
    }

    /// Number of linear layers, including the output layer.
    pub fn layers(&self) -> usize {
        self.hidden.len() + 1
    }

    /// Inputs of linear layer `layer`.
    pub fn fan_in(&self, layer: usize) -> usize {
        if layer == 0 { self.inputs } else { self.hidden[layer - 1] }
    }

    /// Outputs of linear layer `layer`.
    pub fn fan_out(&self, layer: usize) -> usize {
        self.hidden.get(layer).copied().unwrap_or(self.outputs)
    }

    /// Whether linear layer `layer` is a hidden one.
    pub fn is_hidden(&self, layer: usize) -> bool {
        layer < self.hidden.len()
    }

    /// Activation after linear layer `layer`.
    pub fn activation(&self, layer: usize) -> Activation {
        self.activations.get(layer).copied().unwrap_or(self.output_activation)
    }

    /// Whether hidden layer `layer` adds its input through a projection.
    pub fn has_projection(&self, layer: usize) -> bool {
        self.residual && self.is_hidden(layer) && self.fan_in(layer) != self.fan_out(layer)
    }

    /// Number of weights and biases of the linear layers, `Σ (inputs + 1) · outputs`, or the largest integer if that overflows;
    /// of layers that are given one by one, of all parameters that learn.
    pub fn linear_parameters(&self) -> usize {
        let of_layer = |fan_in: usize, fan_out: usize| fan_in.saturating_add(1).saturating_mul(fan_out);
        let sum = |counts: &mut dyn Iterator<Item = usize>| counts.fold(0, usize::saturating_add);
        match &self.chain {
            Some(_) => {
                let of_tensor = |t: &TensorForm| of_layer(t.fan_in, t.fan_out).saturating_mul(t.stack.unwrap_or(1));
                sum(&mut self.network().tensors().iter().map(of_tensor))
            }
            None => sum(&mut (0..self.layers()).map(|n| of_layer(self.fan_in(n), self.fan_out(n)))),
        }
    }

    /// Widths from inputs to outputs; of layers that are given one by one, each width at which that of the outermost chain
    /// changes.
    pub fn widths(&self) -> Vec<usize> {
        let mut widths = vec![self.inputs];
        match &self.chain {
            Some(chain) => chain.iter().for_each(|layer| widths.push(layer.kind().outputs(widths[widths.len() - 1]))),
            None => widths.extend(self.hidden.iter().chain([&self.outputs])),
        }
        if self.chain.is_some() {
            widths.dedup();
        }
        widths
    }

    /// Sum of the widths of the inputs and of all layers' outputs, or the largest integer if that overflows.
    pub fn total_width(&self, rows: MemberRows) -> usize {
        match &self.chain {
            Some(_) => {
                let values = self.network().training_program(&|_| true, rows).values;
                values.iter().map(|width| width.total()).fold(0, usize::saturating_add)
            }
            None => (0..self.layers()).map(|n| self.fan_out(n)).fold(self.inputs, usize::saturating_add),
        }
    }

    /// Whether memory for the weights, their gradient and two moments of it can be allocated.
    pub fn fits_into_memory(&self) -> bool {
        has_room(self.linear_parameters().saturating_mul(4))
    }

    /// Floating-point operations of one training step for each sample: `6·W − 2·W₁`, since the gradient by the network's input
    /// is not computed. Projections count as weights.
    pub fn flops_per_sample(&self, rows: MemberRows) -> f64 {
        if self.chain.is_some() {
            return self.flops_of_chain(rows);
        }
        let weights = |layer: usize| {
            let matrices = if self.has_projection(layer) { 2 } else { 1 };
            (matrices * self.fan_in(layer) * self.fan_out(layer)) as f64
        };
        (0..self.layers()).map(|layer| 6.0 * weights(layer)).sum::<f64>() - 2.0 * weights(0)
    }

    /// The same for layers that are given one by one. A matrix that members share counts for each of them. A table whose rows
    /// are looked up is not multiplied by.
    fn flops_of_chain(&self, rows: MemberRows) -> f64 {
        let network = self.network();
        let (tensors, program) = (network.tensors(), network.training_program(&|_| true, rows));
        let multiplied = |(t, owner): &(&TensorForm, &usize)| {
            t.form != Form::Vector && !program.ops[**owner].layer.kind().looks_up()
        };
        let products = tensors.iter().zip(&program.owners).filter(multiplied).map(|(t, owner)| {
            let uses = t.stack.unwrap_or(program.ops[*owner].members);
            t.fan_in as f64 * t.fan_out as f64 * uses as f64
        });
        let products: Vec<f64> = products.collect();
        6.0 * products.iter().sum::<f64>() - 2.0 * products.first().unwrap_or(&0.0)
    }
}

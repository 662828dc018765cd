//! The weights of a network, in their flat form and as tensors for other programs.

use std::collections::{HashMap, HashSet};

use super::Architecture;
use super::layout::{Layout, Tensor};
use crate::kernel::{LANES, Line, zeroed};
use crate::layer::{Form, TensorForm};
use crate::{Error, Result};

/// The parameters of a network: one flat buffer, whose padding is zero.
#[derive(Debug, Clone)]
pub struct Parameters {
    /// Where each tensor lies.
    pub layout: Layout,
    /// The parameters.
    pub lines: Vec<Line>,
}

/// A saved tensor: row-major, in the layout of PyTorch's `Linear`.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedTensor {
    /// A name such as `layers.0.weight`.
    pub name: String,
    /// `[fan_out, fan_in]` or `[fan_out]`, preceded by the size of the stack if there is one.
    pub shape: Vec<usize>,
    /// The values, row-major.
    pub values: Vec<f32>,
}

/// Name and shape of a saved tensor, and where its values are.
#[derive(Debug, Clone)]
pub struct TensorName {
    /// A name such as `layers.0.weight`.
    pub name: String,
    /// `[fan_out, fan_in]` or `[fan_out]`, preceded by the size of the stack if there is one.
    pub shape: Vec<usize>,
    /// Index of the layout's tensor.
    place: usize,
    content: Content,
}

/// The part of a layout's tensor that a saved tensor holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    Matrix,
    Bias,
    Vector,
}

/// The saved tensors of a tensor of the network; its sizes are stack, inputs and outputs.
fn parts(
    place: usize,
    name: &str,
    form: Form,
    (stack, fan_in, fan_out): (Option<usize>, usize, usize),
) -> Vec<TensorName> {
    let part = |name: String, content: Content| {
        let inputs = (content == Content::Matrix).then_some(fan_in);
        let shape = stack.into_iter().chain([fan_out]).chain(inputs).collect();
        TensorName { name, shape, place, content }
    };
    match form {
        Form::Affine => {
            vec![part(format!("{name}.weight"), Content::Matrix), part(format!("{name}.bias"), Content::Bias)]
        }
        Form::Matrix => vec![part(format!("{name}.weight"), Content::Matrix)],
        Form::Vector => vec![part(name.to_owned(), Content::Vector)],
    }
}

/// Names and shapes of the saved tensors of a network; allocates nothing of their size.
pub(super) fn saved_tensors(architecture: &Architecture) -> Vec<TensorName> {
    let tensors = architecture.network().tensors();
    let parts = |(place, t): (usize, &TensorForm)| parts(place, &t.name, t.form, (t.stack, t.fan_in, t.fan_out));
    tensors.iter().enumerate().flat_map(parts).collect()
}

impl Parameters {
    /// All zero.
    pub fn zeros(architecture: &Architecture) -> Parameters {
        let layout = Layout::new(architecture);
        let lines = zeroed(layout.lines);
        Parameters { layout, lines }
    }

    /// The first line of one matrix or vector of a tensor's stack.
    fn start(tensor: &Tensor, number: usize) -> usize {
        tensor.start + number * (tensor.panels / tensor.count()) * tensor.stride
    }

    pub(super) fn set_matrix(&mut self, tensor: &Tensor, number: usize, weights: &[f32]) {
        for (o, row) in weights.chunks_exact(tensor.fan_in).enumerate() {
            let start = Parameters::start(tensor, number) + o / LANES * tensor.stride;
            for (line, w) in self.lines[start..start + tensor.fan_in].iter_mut().zip(row) {
                line.0[o % LANES] = *w;
            }
        }
    }

    pub(super) fn set_row(&mut self, tensor: &Tensor, number: usize, values: &[f32]) {
        let start = Parameters::start(tensor, number) + tensor.fan_in;
        for (o, v) in values.iter().enumerate() {
            self.lines[start + o / LANES * tensor.stride].0[o % LANES] = *v;
        }
    }

    /// Sets the biases of one matrix of a tensor's stack.
    pub fn set_biases(&mut self, tensor: &Tensor, number: usize, biases: &[f32]) {
        self.set_row(tensor, number, biases);
    }

    /// Multiplies the weights of each output of one matrix of a tensor's stack by the output's factor.
    pub fn scale_weights(&mut self, tensor: &Tensor, number: usize, factors: &[f32]) {
        let mut weights = self.matrix(tensor, number);
        for (row, factor) in weights.chunks_exact_mut(tensor.fan_in).zip(factors) {
            row.iter_mut().for_each(|w| *w *= factor);
        }
        self.set_matrix(tensor, number, &weights);
    }

    pub(super) fn set_vector(&mut self, tensor: &Tensor, number: usize, values: &[f32]) {
        let start = Parameters::start(tensor, number);
        for (f, v) in values.iter().enumerate() {
            self.lines[start + f / LANES].0[f % LANES] = *v;
        }
    }

    pub(super) fn matrix(&self, tensor: &Tensor, number: usize) -> Vec<f32> {
        let start = Parameters::start(tensor, number);
        let line = |o: usize, i: usize| &self.lines[start + o / LANES * tensor.stride + i];
        (0..tensor.fan_out).flat_map(|o| (0..tensor.fan_in).map(move |i| line(o, i).0[o % LANES])).collect()
    }

    fn row(&self, tensor: &Tensor, number: usize) -> Vec<f32> {
        let start = Parameters::start(tensor, number) + tensor.fan_in;
        (0..tensor.fan_out).map(|o| self.lines[start + o / LANES * tensor.stride].0[o % LANES]).collect()
    }

    fn vector(&self, tensor: &Tensor, number: usize) -> Vec<f32> {
        let start = Parameters::start(tensor, number);
        (0..tensor.fan_out).map(|f| self.lines[start + f / LANES].0[f % LANES]).collect()
    }

    /// Names and shapes of the tensors, in the order of the layers.
    pub fn names(&self) -> Vec<TensorName> {
        let parts = |(place, t): (usize, &Tensor)| parts(place, &t.name, t.form, (t.stack, t.fan_in, t.fan_out));
        self.layout.tensors.iter().enumerate().flat_map(parts).collect()
    }

    /// The values of a tensor, row-major.
    pub fn values(&self, name: &TensorName) -> Vec<f32> {
        let tensor = &self.layout.tensors[name.place];
        let of = |number| match name.content {
            Content::Matrix => self.matrix(tensor, number),
            Content::Bias => self.row(tensor, number),
            Content::Vector => self.vector(tensor, number),
        };
        (0..tensor.count()).flat_map(of).collect()
    }

    fn set_values(&mut self, name: &TensorName, values: &[f32]) {
        let tensor = self.layout.tensors[name.place].clone();
        let count = tensor.count();
        for (number, values) in values.chunks(values.len().div_ceil(count).max(1)).enumerate() {
            match name.content {
                Content::Matrix => self.set_matrix(&tensor, number, values),
                Content::Bias => self.set_row(&tensor, number, values),
                Content::Vector => self.set_vector(&tensor, number, values),
            }
        }
    }

    /// The tensors by name, in the order of the layers.
    pub fn named(&self) -> Vec<NamedTensor> {
        let tensor = |t: TensorName| NamedTensor { values: self.values(&t), name: t.name, shape: t.shape };
        self.names().into_iter().map(tensor).collect()
    }

    /// Builds the parameters from tensors by name.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if a tensor is missing, is not of this network, or has another shape.
    pub fn from_named(architecture: &Architecture, tensors: &[NamedTensor]) -> Result<Parameters> {
        let mut parameters = Parameters::zeros(architecture);
        let expected = parameters.names();
        // A file may have very many tensors, so they are looked up in a map.
        let mut found: HashMap<&str, &NamedTensor> = tensors.iter().map(|t| (t.name.as_str(), t)).collect();
        let known: HashSet<&str> = expected.iter().map(|tensor| tensor.name.as_str()).collect();
        if let Some(unknown) = found.keys().filter(|name| !known.contains(*name)).min() {
            return Err(Error::Mismatch(format!("tensor \"{unknown}\" is not of this network")));
        }
        for name in &expected {
            let shape = &name.shape;
            let tensor = found
                .remove(name.name.as_str())
                .ok_or_else(|| Error::Mismatch(format!("tensor \"{}\" of shape {shape:?} is missing", name.name)))?;
            if tensor.shape != *shape {
                let (name, found) = (&name.name, &tensor.shape);
                return Err(Error::Mismatch(format!("tensor \"{name}\": expected shape {shape:?}, found {found:?}")));
            }
            parameters.set_values(name, &tensor.values);
        }
        Ok(parameters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::Activation;
    use crate::nn::init::{Init, Scheme};
    use crate::nn::norm::NormKind;

    fn network() -> Architecture {
        Architecture {
            inputs: 5,
            hidden: vec![18, 18, 33],
            outputs: 3,
            activations: vec![Activation::Relu, Activation::Tanh, Activation::Gelu],
            output_activation: Activation::Identity,
            norm: Some(NormKind::Layer),
            residual: true,
            dropout: 0.0,
            chain: None,
        }
    }

    #[test]
    fn tensors_survive_the_way_to_names_and_back() {
        let network = network();
        let parameters = Parameters::init(&network, None, 3);
        let named = parameters.named();
        let back = Parameters::from_named(&network, &named).unwrap();
        assert_eq!(back.lines, parameters.lines);
        assert_eq!(named.iter().map(|t| t.values.len()).sum::<usize>(), parameters.layout.parameters());
        let names: Vec<_> = named.iter().map(|t| t.name.as_str()).collect();
        assert!(names.contains(&"residuals.0.weight") && !names.contains(&"residuals.1.weight"), "{names:?}");
    }

    #[test]
    fn scikit_learn_draws_the_output_layer_by_the_hidden_activation() {
        let network = Architecture { hidden: vec![200], activations: vec![Activation::Sigmoid], ..network() };
        let parameters = Parameters::init(&network, Some(Init::new(Scheme::Sklearn)), 3);
        let output = parameters.named().into_iter().find(|t| t.name == "layers.1.weight").unwrap();
        let largest = output.values.iter().fold(0.0, |most: f32, w| most.max(w.abs()));
        let bound = (2.0f32 / 203.0).sqrt();
        assert!(largest <= bound && largest > 0.99 * bound, "{largest} for {bound}");
    }

    #[test]
    fn slots_hold_every_row_once_and_shares_every_slot_once() {
        let layout = Layout::new(&network());
        for (number, tensor) in layout.tensors.iter().enumerate() {
            let mut seen = vec![0; tensor.panels * tensor.rows];
            for slot in layout.slots.iter().filter(|s| s.tensor == number) {
                for panel in slot.panels.clone() {
                    slot.rows.clone().for_each(|row| seen[panel * tensor.rows + row] += 1);
                }
            }
            assert!(seen.iter().all(|n| *n == 1), "tensor {number}: {seen:?}");
        }
        for members in [1, 2, 3, 8, 64] {
            let shares = layout.shares(members);
            assert_eq!(shares.len(), members);
            assert!(shares.into_iter().flatten().eq(0..layout.slots.len()), "{members} members");
        }
    }

    #[test]
    fn wrong_tensors_are_refused_by_name() {
        let network = network();
        let mut named = Parameters::zeros(&network).named();
        named[0].shape.swap(0, 1);
        let message = Parameters::from_named(&network, &named).unwrap_err().to_string();
        assert_eq!(message, "tensor \"layers.0.weight\": expected shape [18, 5], found [5, 18]");
        named.remove(0);
        let message = Parameters::from_named(&network, &named).unwrap_err().to_string();
        assert_eq!(message, "tensor \"layers.0.weight\" of shape [18, 5] is missing");
    }
}

//! The weights of a network, between their flat form and tensors as other programs know them.

use super::Architecture;
use super::layout::{Layout, Tensor};
use crate::kernel::{LANES, Line, zeroed};
use crate::layer::{Form, Start};
use crate::nn::init::{Init, Scheme};
use crate::{Error, Result};

/// The parameters of a network: one flat buffer, padding zero.
#[derive(Debug, Clone)]
pub struct Parameters {
    /// Where each tensor lies.
    pub layout: Layout,
    /// The parameters.
    pub lines: Vec<Line>,
}

/// A tensor as it is saved: row-major, as PyTorch's `Linear` has it.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedTensor {
    /// `layers.0.weight` and the like.
    pub name: String,
    /// `[fan_out, fan_in]` or `[fan_out]`.
    pub shape: Vec<usize>,
    /// The values, row-major.
    pub values: Vec<f32>,
}

/// Name and shape of a tensor as it is saved, and where its values are.
#[derive(Debug, Clone)]
pub struct TensorName {
    /// `layers.0.weight` and the like.
    pub name: String,
    /// `[fan_out, fan_in]` or `[fan_out]`.
    pub shape: Vec<usize>,
    /// Number of the layout's tensor.
    place: usize,
    content: Content,
}

/// What of a layout's tensor a saved one holds.
#[derive(Debug, Clone, Copy)]
enum Content {
    Matrix,
    Bias,
    Vector,
}

/// A regression's output layer is drawn this much smaller where no scheme is asked for: training begins near the mean
/// target, and on few rows less of the initial noise is left in what is learnt.
const REGRESSION_OUTPUT_SCALE: f32 = 0.1;

impl Parameters {
    /// All zero.
    pub fn zeros(architecture: &Architecture) -> Parameters {
        let layout = Layout::new(architecture);
        let lines = zeroed(layout.lines);
        Parameters { layout, lines }
    }

    /// Initial weights: each matrix by `init` (or the default of its layer's activation), biases and shifts zero, gains
    /// one. The stream of a tensor depends on the seed and its number alone.
    pub fn init(architecture: &Architecture, init: Option<Init>, seed: u64) -> Parameters {
        let mut parameters = Parameters::zeros(architecture);
        let tensors = parameters.layout.tensors.clone();
        let first = tensors.iter().find_map(|tensor| match tensor.begin {
            Start::Drawn(activation, _) => Some(activation),
            Start::Filled(_) => None,
        });
        for (number, tensor) in tensors.iter().enumerate() {
            match tensor.begin {
                Start::Drawn(own, by) => {
                    let scheme = by.or(init).unwrap_or_else(|| Init::default_for(own));
                    // scikit-learn draws every layer by the hidden layers' activation, the output layer too.
                    let activation = first.filter(|_| scheme.scheme() == Scheme::Sklearn).unwrap_or(own);
                    let (fan_out, fan_in) = (tensor.fan_out, tensor.fan_in);
                    let weights =
                        scheme.weights(fan_out, fan_in, activation).fill(seed, 2 * number as u64, fan_out, fan_in);
                    parameters.set_matrix(tensor, &weights);
                    if tensor.form == Form::Affine {
                        let biases = scheme.biases(fan_out, fan_in, activation);
                        let bias = biases.fill(seed, 2 * number as u64 + 1, fan_out, 1);
                        parameters.set_row(tensor, tensor.fan_in, &bias);
                    }
                }
                Start::Filled(value) if tensor.form == Form::Vector => {
                    parameters.set_vector(tensor, &vec![value; tensor.fan_out]);
                }
                Start::Filled(value) => parameters.set_matrix(tensor, &vec![value; tensor.fan_out * tensor.fan_in]),
            }
            if let Some(value) = tensor.bias {
                parameters.set_row(tensor, tensor.fan_in, &vec![value; tensor.fan_out]);
            }
        }
        parameters
    }

    /// What training begins with: [`Parameters::init`], and the output layer of a regression a tenth as large unless
    /// `init` says how it is drawn.
    pub fn initial(architecture: &Architecture, init: Option<Init>, regression: bool, seed: u64) -> Parameters {
        let by_default = init.is_none();
        let mut parameters = Parameters::init(architecture, init, seed);
        if regression && by_default && architecture.ends_linear() {
            parameters.scale_output_layer(REGRESSION_OUTPUT_SCALE);
        }
        parameters
    }

    /// Multiplies the weights of the output layer, unless its layer says how they are drawn.
    pub fn scale_output_layer(&mut self, factor: f32) {
        let Some(tensor) = self.layout.linear_layers().last().cloned() else { return };
        if !matches!(tensor.begin, Start::Drawn(_, None)) {
            return; // its layer says how it begins
        }
        let weights: Vec<f32> = self.matrix(&tensor).iter().map(|w| w * factor).collect();
        self.set_matrix(&tensor, &weights);
    }

    fn set_matrix(&mut self, tensor: &Tensor, weights: &[f32]) {
        for (o, row) in weights.chunks_exact(tensor.fan_in).enumerate() {
            let start = tensor.start + o / LANES * tensor.stride;
            for (line, w) in self.lines[start..start + tensor.fan_in].iter_mut().zip(row) {
                line.0[o % LANES] = *w;
            }
        }
    }

    fn set_row(&mut self, tensor: &Tensor, row: usize, values: &[f32]) {
        for (o, v) in values.iter().enumerate() {
            self.lines[tensor.start + o / LANES * tensor.stride + row].0[o % LANES] = *v;
        }
    }

    fn set_vector(&mut self, tensor: &Tensor, values: &[f32]) {
        for (f, v) in values.iter().enumerate() {
            self.lines[tensor.start + f / LANES].0[f % LANES] = *v;
        }
    }

    fn matrix(&self, tensor: &Tensor) -> Vec<f32> {
        let line = |o: usize, i: usize| &self.lines[tensor.start + o / LANES * tensor.stride + i];
        (0..tensor.fan_out).flat_map(|o| (0..tensor.fan_in).map(move |i| line(o, i).0[o % LANES])).collect()
    }

    fn row(&self, tensor: &Tensor, row: usize) -> Vec<f32> {
        (0..tensor.fan_out).map(|o| self.lines[tensor.start + o / LANES * tensor.stride + row].0[o % LANES]).collect()
    }

    fn vector(&self, tensor: &Tensor) -> Vec<f32> {
        (0..tensor.fan_out).map(|f| self.lines[tensor.start + f / LANES].0[f % LANES]).collect()
    }

    /// Names and shapes of the tensors, in the order of the layers.
    pub fn names(&self) -> Vec<TensorName> {
        let mut names = Vec::new();
        for (place, tensor) in self.layout.tensors.iter().enumerate() {
            let mut add = |name: String, content: Content| {
                let shape = match content {
                    Content::Matrix => vec![tensor.fan_out, tensor.fan_in],
                    Content::Bias | Content::Vector => vec![tensor.fan_out],
                };
                names.push(TensorName { name, shape, place, content });
            };
            let name = &tensor.name;
            match tensor.form {
                Form::Affine => {
                    add(format!("{name}.weight"), Content::Matrix);
                    add(format!("{name}.bias"), Content::Bias);
                }
                Form::Matrix => add(format!("{name}.weight"), Content::Matrix),
                Form::Vector => add(name.clone(), Content::Vector),
            }
        }
        names
    }

    /// The values of a tensor, row-major.
    pub fn values(&self, name: &TensorName) -> Vec<f32> {
        let tensor = &self.layout.tensors[name.place];
        match name.content {
            Content::Matrix => self.matrix(tensor),
            Content::Bias => self.row(tensor, tensor.fan_in),
            Content::Vector => self.vector(tensor),
        }
    }

    fn set_values(&mut self, name: &TensorName, values: &[f32]) {
        let tensor = self.layout.tensors[name.place].clone();
        match name.content {
            Content::Matrix => self.set_matrix(&tensor, values),
            Content::Bias => self.set_row(&tensor, tensor.fan_in, values),
            Content::Vector => self.set_vector(&tensor, values),
        }
    }

    /// The tensors by name, in the order of the layers.
    pub fn named(&self) -> Vec<NamedTensor> {
        let tensor = |t: TensorName| NamedTensor { values: self.values(&t), name: t.name, shape: t.shape };
        self.names().into_iter().map(tensor).collect()
    }

    /// The parameters from tensors by name.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if a tensor is missing, is not of this network, or has another shape.
    pub fn from_named(architecture: &Architecture, tensors: &[NamedTensor]) -> Result<Parameters> {
        let mut parameters = Parameters::zeros(architecture);
        let expected = parameters.names();
        let unknown = tensors.iter().filter(|t| expected.iter().all(|e| e.name != t.name));
        if let Some(unknown) = unknown.min_by(|a, b| a.name.cmp(&b.name)) {
            return Err(Error::Mismatch(format!("tensor \"{}\" is not of this network", unknown.name)));
        }
        for name in &expected {
            let shape = &name.shape;
            let tensor = tensors
                .iter()
                .find(|t| t.name == name.name)
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

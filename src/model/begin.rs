//! Initial weights, drawn by seed.

use super::{Architecture, Parameters, Tensor};
use crate::layer::{Form, Random, Start};
use crate::nn::Activation;
use crate::nn::init::{Init, Scheme};

/// Factor of the initial weights of a regression's output layer, unless an initialisation is asked for. Training then starts
/// near the mean target, and on few rows less of the initial noise remains in the trained network.
const REGRESSION_OUTPUT_SCALE: f32 = 0.1;

/// Address of the random numbers of a stack's matrices; the first matrix has those of a tensor without a stack.
const STACK: u32 = 32;

impl Parameters {
    /// Initial weights. Each matrix is drawn by `init`, or by the default of its layer's activation; biases and shifts are
    /// zero, gains one. The random numbers of a tensor depend on the seed and its index only.
    pub fn init(architecture: &Architecture, init: Option<Init>, seed: u64) -> Parameters {
        let mut parameters = Parameters::zeros(architecture);
        let tensors = parameters.layout.tensors.clone();
        let first = tensors.iter().find_map(|tensor| match tensor.begin {
            Start::Drawn(activation, _) => Some(activation),
            Start::Filled(_) | Start::Random(_) | Start::Columns(..) => None,
        });
        for (number, tensor) in tensors.iter().enumerate() {
            for one in 0..tensor.count() {
                parameters.begin(tensor, (number, one), (first, init, seed));
            }
        }
        parameters
    }

    /// The initial values of one matrix or vector of a tensor's stack.
    fn begin(
        &mut self,
        tensor: &Tensor,
        (number, one): (usize, usize),
        (first, init, seed): (Option<Activation>, Option<Init>, u64),
    ) {
        let (fan_out, fan_in) = (tensor.fan_out, tensor.fan_in);
        let address = (2 * number as u64) | ((one as u64) << STACK);
        match &tensor.begin {
            Start::Drawn(own, by) => {
                let scheme = by.or(init).unwrap_or_else(|| Init::default_for(*own));
                // scikit-learn draws every layer by the activation of the hidden layers, including the output layer.
                let activation = first.filter(|_| scheme.scheme() == Scheme::Sklearn).unwrap_or(*own);
                let weights = scheme.weights(fan_out, fan_in, activation).fill(seed, address, fan_out, fan_in);
                self.set_matrix(tensor, one, &weights);
                if tensor.form == Form::Affine {
                    let biases = scheme.biases(fan_out, fan_in, activation);
                    self.set_row(tensor, one, &biases.fill(seed, address + 1, fan_out, 1));
                }
            }
            Start::Filled(value) if tensor.form == Form::Vector => {
                self.set_vector(tensor, one, &vec![*value; fan_out]);
            }
            Start::Filled(value) => self.set_matrix(tensor, one, &vec![*value; fan_out * fan_in]),
            Start::Random(random) if tensor.form == Form::Vector => {
                self.set_vector(tensor, one, &vector(random, fan_out, (seed, address)));
            }
            Start::Columns(columns, random) => {
                let drawn = random.from.fill(seed, address, fan_out, *columns);
                let mut weights = vec![0.0; fan_out * fan_in];
                for (row, drawn) in weights.chunks_mut(fan_in).zip(drawn.chunks(*columns)) {
                    row[..*columns].copy_from_slice(drawn);
                }
                self.set_matrix(tensor, one, &weights);
            }
            Start::Random(random) => {
                self.set_matrix(tensor, one, &random.from.fill(seed, address, fan_out, fan_in));
            }
        }
        match &tensor.bias {
            None | Some(Start::Drawn(..) | Start::Columns(..)) => {}
            Some(Start::Filled(value)) => self.set_row(tensor, one, &vec![*value; fan_out]),
            Some(Start::Random(random)) => self.set_row(tensor, one, &vector(random, fan_out, (seed, address + 1))),
        }
    }

    /// The initial weights of training: [`Parameters::init`], with the output layer of a regression a tenth as large unless
    /// `init` is given.
    pub fn initial(architecture: &Architecture, init: Option<Init>, regression: bool, seed: u64) -> Parameters {
        let by_default = init.is_none();
        let mut parameters = Parameters::init(architecture, init, seed);
        if regression && by_default && architecture.network().ends_in_matrix() {
            parameters.scale_last_matrix(REGRESSION_OUTPUT_SCALE);
        }
        parameters
    }

    /// Multiplies the weights of the last tensor.
    fn scale_last_matrix(&mut self, factor: f32) {
        let Some(tensor) = self.layout.tensors.last().cloned() else { return };
        for one in 0..tensor.count() {
            let weights: Vec<f32> = self.matrix(&tensor, one).iter().map(|w| w * factor).collect();
            self.set_matrix(&tensor, one, &weights);
        }
    }
}

/// Random numbers of a vector, at the address of a tensor.
fn vector(random: &Random, length: usize, (seed, address): (u64, u64)) -> Vec<f32> {
    let address = if random.alike { address & ((1 << STACK) - 1) } else { address };
    match &random.chunks {
        None => random.from.fill(seed, address, 1, length),
        Some(chunks) => {
            let drawn = random.from.fill(seed, address, 1, chunks.len());
            drawn.iter().zip(chunks.iter()).flat_map(|(x, width)| vec![*x; *width]).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::{Activate, Layer, Linear, Skip};

    fn of_chain(chain: Vec<Layer>) -> Architecture {
        Architecture {
            inputs: 5,
            hidden: vec![],
            outputs: 1,
            activations: vec![],
            output_activation: Activation::Identity,
            norm: None,
            residual: false,
            dropout: 0.0,
            chain: Some(chain),
        }
    }

    /// The rule covers an output layer without a bias too; a hidden layer was scaled instead of it.
    #[test]
    fn the_matrix_before_the_outputs_of_a_regression_begins_smaller_and_no_other() {
        let linear = |number: usize, outputs| Layer::new(format!("network.{number}"), Linear::new(outputs));
        let without_bias = Layer::new("network.2", Linear { bias: false, ..Linear::new(1) });
        let tanh = || Layer::new("network.1", Activate { function: Activation::Tanh });
        let last_activation = Layer::new("network.3", Activate { function: Activation::Softplus });
        let skip = Layer::new("network.2", Skip { inner: vec![linear(3, 1)] });
        let ends = [(vec![linear(2, 1)], true), (vec![without_bias, last_activation], true), (vec![skip], false)];
        for (end, scaled) in ends {
            let network = of_chain([vec![linear(0, 4), tanh()], end].concat());
            let values = |regression| Parameters::initial(&network, None, regression, 3).named();
            let (plain, initial) = (values(false), values(true));
            let matrices = plain.iter().zip(&initial).filter(|(plain, _)| plain.name.ends_with(".weight"));
            for (plain, initial) in matrices {
                let factor = if scaled && plain.name == "network.2.weight" { REGRESSION_OUTPUT_SCALE } else { 1.0 };
                let expected: Vec<f32> = plain.values.iter().map(|w| w * factor).collect();
                assert_eq!(initial.values, expected, "{}", plain.name);
            }
        }
    }
}

//! What a layer learns: form, name and first values of a tensor.

use crate::nn::Activation;

/// A tensor as a layer asks for it.
#[derive(Debug, Clone, PartialEq)]
pub struct TensorForm {
    /// Its name in a model's file, for a matrix without `.weight` and `.bias`. A kind says only what follows its layer's name.
    pub name: String,
    /// How it lies in memory.
    pub form: Form,
    /// Inputs of a matrix; 0 for a vector.
    pub fan_in: usize,
    /// Outputs of a matrix; elements of a vector.
    pub fan_out: usize,
    /// What it begins with.
    pub begin: Start,
}

impl TensorForm {
    /// Number of parameters, padding left out.
    pub fn parameters(&self) -> usize {
        match self.form {
            Form::Affine => (self.fan_in + 1) * self.fan_out,
            Form::Matrix => self.fan_in * self.fan_out,
            Form::Vector => self.fan_out,
        }
    }

    /// A matrix under the layer's own name, drawn for the activation `next`; with a bias if it is [`Form::Affine`].
    pub(super) fn matrix(form: Form, fan_in: usize, fan_out: usize, next: Activation) -> TensorForm {
        TensorForm { name: String::new(), form, fan_in, fan_out, begin: Start::Drawn(next) }
    }

    /// A number for each of `features` features, all `begin` at first.
    pub(super) fn vector(part: &str, features: usize, begin: f32) -> TensorForm {
        TensorForm { name: part.into(), form: Form::Vector, fan_in: 0, fan_out: features, begin: Start::Filled(begin) }
    }
}

/// How a tensor lies in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A matrix and a bias: panels `[input + 1][16 outputs]`, the last line of each the bias.
    Affine,
    /// A matrix: panels `[input][16 outputs]`.
    Matrix,
    /// A number for each feature: 16 features a line.
    Vector,
}

/// What a tensor begins with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Start {
    /// Random numbers for a layer with this activation, by the scheme of the run.
    Drawn(Activation),
    /// One number everywhere.
    Filled(f32),
}

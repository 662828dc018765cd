//! Tensors of layers: their layout, name and initial values.

use std::sync::Arc;

use super::learning::{First, Group, Learning};
use crate::nn::Activation;
use crate::nn::init::{Distribution, Init};

/// The description of a tensor that a layer needs.
#[derive(Debug, Clone, PartialEq)]
pub struct TensorForm {
    /// Its name in a model's file; for a matrix without the endings `.weight` and `.bias`. A kind gives only the part after
    /// the layer's name.
    pub name: String,
    /// The name of its layer. Kinds leave it empty, because they do not know it.
    pub layer: String,
    /// Its memory layout.
    pub form: Form,
    /// Number of tensors in a stack, such as one for each member; `None` if there is no stack. It is the first dimension of
    /// the shape in a model's file.
    pub stack: Option<usize>,
    /// Inputs of a matrix; 0 for a vector.
    pub fan_in: usize,
    /// Outputs of a matrix; elements of a vector.
    pub fan_out: usize,
    /// Its initial values.
    pub begin: Start,
    /// Initial values of a bias, if they do not follow from the scheme.
    pub bias: Option<Start>,
    /// Learning options of weights, and of biases, gains and shifts.
    pub groups: [Group; 2],
}

impl TensorForm {
    /// Number of parameters, without padding.
    pub fn parameters(&self) -> usize {
        let each = match self.form {
            Form::Affine => (self.fan_in + 1) * self.fan_out,
            Form::Matrix => self.fan_in * self.fan_out,
            Form::Vector => self.fan_out,
        };
        each * self.stack.unwrap_or(1)
    }

    /// The same tensor, once for each of `members`.
    pub(super) fn stacked(self, members: usize) -> TensorForm {
        TensorForm { stack: Some(members), ..self }
    }

    /// Names of its parts, without the layer's name, each with whether it is a matrix.
    pub(super) fn parts(&self) -> Vec<(String, bool)> {
        let prefix = if self.name.is_empty() { String::new() } else { format!("{}.", self.name) };
        let named = |name: &str, is_matrix| (format!("{prefix}{name}"), is_matrix);
        match self.form {
            Form::Affine => vec![named("weight", true), named("bias", false)],
            Form::Matrix => vec![named("weight", true)],
            Form::Vector => vec![(self.name.clone(), false)],
        }
    }

    /// Applies a layer's learning options; `first` says whether this is the layer's first tensor. The name must still be the
    /// kind's, without the layer's.
    pub(super) fn learn(&mut self, learning: &Learning, first: bool) {
        let parts = self.parts();
        let (weights, rest) = (&parts[0].0, &parts[parts.len() - 1].0);
        self.groups = [learning.group(weights, self.groups[0]), learning.group(rest, self.groups[1])];
        match (learning.first(weights, first), &self.begin) {
            (Some(First::Drawn(scheme)), Start::Drawn(next, _)) => self.begin = Start::Drawn(*next, Some(scheme)),
            (Some(First::Filled(number)), _) => self.begin = Start::Filled(number),
            _ => {}
        }
        if let (Form::Affine, Some(First::Filled(number))) = (self.form, learning.first(rest, false)) {
            self.bias = Some(Start::Filled(number));
        }
    }

    /// A matrix with the layer's own name, initialised for the following activation `next`; with a bias if the form is
    /// [`Form::Affine`].
    pub(super) fn matrix(form: Form, fan_in: usize, fan_out: usize, next: Activation) -> TensorForm {
        TensorForm {
            name: String::new(),
            layer: String::new(),
            form,
            stack: None,
            fan_in,
            fan_out,
            begin: Start::Drawn(next, None),
            bias: None,
            groups: [Group::default(); 2],
        }
    }

    /// A vector with a number for each of `features` features, all initially `begin`.
    pub(super) fn vector(part: &str, features: usize, begin: f32) -> TensorForm {
        TensorForm {
            name: part.into(),
            layer: String::new(),
            form: Form::Vector,
            stack: None,
            fan_in: 0,
            fan_out: features,
            begin: Start::Filled(begin),
            bias: None,
            groups: [Group::default(); 2],
        }
    }
}

/// The memory layout of a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A matrix and a bias: panels `[input + 1][16 outputs]`; the last line of each panel is the bias.
    Affine,
    /// A matrix: panels `[input][16 outputs]`.
    Matrix,
    /// A number for each feature: 16 features a line.
    Vector,
}

/// The initial values of a tensor.
#[derive(Debug, Clone, PartialEq)]
pub enum Start {
    /// Random numbers for a layer that is followed by this activation, by this scheme, or by that of the run.
    Drawn(Activation, Option<Init>),
    /// This number in every element.
    Filled(f32),
    /// Random numbers from a given distribution.
    Random(Random),
    /// Random numbers in this many first columns of a matrix, 0 elsewhere.
    Columns(usize, Random),
}

/// Random initial values that do not follow from a scheme.
#[derive(Debug, Clone, PartialEq)]
pub struct Random {
    /// Their distribution.
    pub from: Distribution,
    /// For a vector: widths of runs of adjacent features that share one number; if `None`, each feature has its own.
    pub chunks: Option<Arc<[usize]>>,
    /// Whether all tensors of a stack have the same initial values.
    pub alike: bool,
}

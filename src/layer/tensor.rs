//! What a layer learns: form, name and first values of a tensor.

use std::sync::Arc;

use super::learning::{First, Group, Learning};
use crate::nn::Activation;
use crate::nn::init::{Distribution, Init};

/// A tensor as a layer asks for it.
#[derive(Debug, Clone, PartialEq)]
pub struct TensorForm {
    /// Its name in a model's file, for a matrix without `.weight` and `.bias`. A kind says only what follows its layer's name.
    pub name: String,
    /// Its layer's name, which a kind does not know.
    pub layer: String,
    /// How it lies in memory.
    pub form: Form,
    /// How many of this form there are side by side, such as one for each member; their number leads the shape in a model's
    /// file.
    pub stack: Option<usize>,
    /// Inputs of a matrix; 0 for a vector.
    pub fan_in: usize,
    /// Outputs of a matrix; elements of a vector.
    pub fan_out: usize,
    /// What it begins with.
    pub begin: Start,
    /// What a bias begins with, where that is not the scheme's.
    pub bias: Option<Start>,
    /// How weights learn, and how biases, gains and shifts do.
    pub groups: [Group; 2],
}

impl TensorForm {
    /// Number of parameters, padding left out.
    pub fn parameters(&self) -> usize {
        let each = match self.form {
            Form::Affine => (self.fan_in + 1) * self.fan_out,
            Form::Matrix => self.fan_in * self.fan_out,
            Form::Vector => self.fan_out,
        };
        each * self.stack.unwrap_or(1)
    }

    /// The same, one for each of `members`.
    pub(super) fn stacked(self, members: usize) -> TensorForm {
        TensorForm { stack: Some(members), ..self }
    }

    /// Names of its parts after the layer's name, each with whether it is a matrix.
    pub(super) fn parts(&self) -> Vec<(String, bool)> {
        let prefix = if self.name.is_empty() { String::new() } else { format!("{}.", self.name) };
        let named = |name: &str, is_matrix| (format!("{prefix}{name}"), is_matrix);
        match self.form {
            Form::Affine => vec![named("weight", true), named("bias", false)],
            Form::Matrix => vec![named("weight", true)],
            Form::Vector => vec![(self.name.clone(), false)],
        }
    }

    /// Learns as a layer says, whose `first` tensor this is or is not. The name is still the kind's.
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

    /// A matrix under the layer's own name, drawn for the activation `next`; with a bias if it is [`Form::Affine`].
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

    /// A number for each of `features` features, all `begin` at first.
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
#[derive(Debug, Clone, PartialEq)]
pub enum Start {
    /// Random numbers for a layer with this activation, by a scheme of its own or by that of the run.
    Drawn(Activation, Option<Init>),
    /// One number everywhere.
    Filled(f32),
    /// Random numbers of a distribution of its own.
    Random(Random),
    /// Such numbers in the first columns of a matrix, 0 elsewhere.
    Columns(usize, Random),
}

/// Random first values that no scheme draws.
#[derive(Debug, Clone, PartialEq)]
pub struct Random {
    /// What they are drawn from.
    pub from: Distribution,
    /// Of a vector, widths of the runs of features that get the same number; each feature gets its own where there are none.
    pub chunks: Option<Arc<[usize]>>,
    /// Whether all of a stack begin alike.
    pub alike: bool,
}

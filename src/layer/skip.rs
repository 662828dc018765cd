//! A skip connection: He et al. 2016, <https://arxiv.org/abs/1512.03385>.

use super::linear::{errors_through, gradient_of_matrix, transpose_errors};
use super::{Backward, Form, Forward, Gradient, Kind, Layer, Needs, Start, TensorForm, UseOfDy};
use crate::nn::{Activation, dense, panel};

/// `y = inner(x) + x`, or `y = inner(x) + P x` with a learnt matrix `P` where the widths differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Skip {
    /// Name of the projection's tensor, without `.weight`.
    pub name: String,
    /// The layers that are gone round, at least one.
    pub inner: Vec<Layer>,
    /// The activation that the projection is drawn for.
    pub drawn_for: Activation,
}

impl Skip {
    /// Width of what leaves the inner layers.
    fn width(&self, inputs: usize) -> usize {
        self.inner.iter().fold(inputs, |width, layer| layer.kind().outputs(width))
    }
}

impl Kind for Skip {
    fn outputs(&self, inputs: usize) -> usize {
        self.width(inputs)
    }

    fn inner(&self) -> Option<&[Layer]> {
        Some(&self.inner)
    }

    fn tensors(&self, inputs: usize) -> Vec<TensorForm> {
        let width = self.width(inputs);
        let projection = TensorForm {
            name: self.name.clone(),
            form: Form::Matrix,
            fan_in: inputs,
            fan_out: width,
            begin: Start::Drawn(self.drawn_for),
        };
        if width == inputs { Vec::new() } else { vec![projection] }
    }

    fn needs(&self, inputs: usize, training: bool) -> Needs {
        let projects = self.width(inputs) != inputs;
        Needs { overwrites_x: true, dy: UseOfDy::HandsOn, transposed: training && projects, ..Needs::default() }
    }

    fn forward(&self, mut pass: Forward<'_>) {
        pass.begin();
        let Some(side) = pass.side else { unreachable!("a skip has what it adds") };
        if let [Some(projection), _] = pass.tensors {
            dense::forward(pass.isa, projection, side, pass.y, pass.samples, true);
        } else {
            for p in 0..pass.samples {
                panel::add(pass.isa, side.panel(p, 0..pass.width), pass.y.lines_mut(p, 0..pass.width));
            }
        }
    }

    /// The inner layers get `dy` as it is; what entered gets `dy`, or `Pᵀ dy`.
    fn backward(&self, pass: Backward<'_>) {
        let Backward { isa, samples, inputs, outputs, dy, mut d_side, transposed, tensors, .. } = pass;
        let dy = dy.read();
        if tensors[0].is_some() {
            transpose_errors(isa, dy, (samples, outputs), transposed);
            errors_through(isa, tensors[0], inputs, dy, d_side, samples);
        } else {
            for p in 0..samples {
                d_side.hand_on(isa, p, dy.panel(p, 0..outputs));
            }
        }
    }

    /// `dP = dy xᵀ`.
    fn gradient(&self, pass: Gradient<'_>) {
        let Some(side) = pass.side else { unreachable!("a skip has what it adds") };
        gradient_of_matrix(pass, side);
    }
}

//! A skip connection: He et al. 2016, <https://arxiv.org/abs/1512.03385>.

use toml::Table;

use super::fields::Fields;
use super::graph::{self, Given, Node, Nodes, Of, Operand};
use super::linear::{errors_through, gradient_of_matrix, transpose_errors};
use super::row::{Row, RowErrors, multiply, multiply_transposed, outer_product};
use super::text::write_chain;
use super::{Backward, Form, Forward, Gradient, Inner, Kind, Layer, Needs, TensorForm, UseOfDy, Width, width_of};
use crate::Result;
use crate::nn::{Activation, dense, panel};

/// `y = inner(x) + x`, or `y = inner(x) + P x` with a learnt matrix `P` if the widths differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Skip {
    /// The layers that the connection skips.
    pub inner: Vec<Layer>,
}

impl Skip {
    /// Width of the inner layers' output.
    fn width(&self, inputs: usize) -> usize {
        width_of(&self.inner, inputs)
    }
}

impl Kind for Skip {
    fn read(fields: &mut Fields<'_>) -> Result<Self> {
        Ok(Skip { inner: fields.chain("chain")? })
    }

    fn write(&self, fields: &mut Table) {
        fields.insert("chain".into(), write_chain(&self.inner));
    }

    fn outputs(&self, inputs: usize) -> usize {
        self.width(inputs)
    }

    fn inner(&self) -> Inner<'_> {
        Inner::Around(&self.inner)
    }

    fn inner_mut(&mut self) -> &mut [Vec<Layer>] {
        std::slice::from_mut(&mut self.inner)
    }

    /// The projection is initialised for the last activation of the inner layers.
    fn tensors(&self, inputs: Width, next: Activation) -> Vec<TensorForm> {
        let (inputs, width) = (inputs.features, self.width(inputs.features));
        if width == inputs {
            return Vec::new();
        }
        let last = self.inner.iter().rev().find_map(|layer| layer.kind().drawn_before());
        vec![TensorForm::matrix(Form::Matrix, inputs, width, last.unwrap_or(next))]
    }

    fn drawn_before(&self) -> Option<Activation> {
        Some(Activation::Identity)
    }

    fn symbol(&self) -> &'static str {
        "a"
    }

    fn formula(&self, row: &Row<'_>) -> Option<String> {
        Some(format!("{} + {}", row.name, if row.tensors.is_empty() { "x" } else { "P x" }))
    }

    fn define(&self, row: &Row<'_>) -> Vec<f64> {
        let projected = row.tensors.first().map(|projection| multiply(projection, row.side));
        row.x.iter().zip(projected.as_deref().unwrap_or(row.side)).map(|(x, s)| x + s).collect()
    }

    fn define_backward(&self, row: &Row<'_>, dy: &[f64]) -> RowErrors {
        let mut errors = RowErrors { dx: dy.to_vec(), d_side: dy.to_vec(), ..RowErrors::default() };
        if let Some(projection) = row.tensors.first() {
            errors.d_side = multiply_transposed(projection, dy, row.side.len());
            errors.tensors = vec![outer_product(dy, row.side)];
        }
        errors
    }

    fn nodes(&self, given: Given, nodes: &mut Nodes) -> graph::GraphValue {
        let (inputs, width) = (given.inputs.features, self.width(given.inputs.features));
        let side = if width == inputs {
            given.side
        } else {
            nodes.add(Node::Product(given.side, given.matrix(0, Of::Whole, (width, inputs))))
        };
        nodes.add(Node::Plus(given.x, Operand::Value(side)))
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

    /// The inner layers receive `dy` unchanged; the gradient with respect to the skip's input gets `dy`, or `Pᵀ dy`.
    fn backward(&self, pass: Backward<'_>) {
        let Backward { isa, samples, inputs, outputs, dy, mut dx, mut d_side, transposed, tensors, .. } = pass;
        let dy = dy.read();
        for p in 0..samples {
            dx.hand_on(isa, p, dy.panel(p, 0..outputs));
        }
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

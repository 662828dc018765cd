//! A linear layer.

use toml::Table;

use super::text::Fields;
use super::textbook::{Row, RowErrors, multiply, multiply_transposed, outer_product};
use super::{Backward, ByOutputs, Errors, Form, Forward, Gradient, Kind, Needs, TensorForm};
use crate::Result;
use crate::kernel::gemm::Extent;
use crate::kernel::{LANES, Line, Panels, PanelsMut};
use crate::nn::dense::{self, Weights};
use crate::nn::{Activation, panel};

/// `y = W x + b`, `W: [outputs, inputs]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Linear {
    /// Outputs.
    pub outputs: usize,
}

impl Kind for Linear {
    fn read(fields: &mut Fields<'_>) -> Result<Self> {
        Ok(Linear { outputs: fields.width("outputs")? })
    }

    fn write(&self, fields: &mut Table) {
        fields.insert("outputs".into(), (self.outputs as i64).into());
    }

    fn outputs(&self, _inputs: usize) -> usize {
        self.outputs
    }

    fn tensors(&self, inputs: usize, next: Activation) -> Vec<TensorForm> {
        vec![TensorForm::matrix(Form::Affine, inputs, self.outputs, next)]
    }

    fn drawn_before(&self) -> Option<Activation> {
        Some(Activation::Identity)
    }

    fn define(&self, row: &Row<'_>) -> Vec<f64> {
        multiply(&row.tensors[0], row.x).iter().zip(&row.tensors[1]).map(|(z, b)| z + b).collect()
    }

    fn define_backward(&self, row: &Row<'_>, dy: &[f64]) -> RowErrors {
        let dx = multiply_transposed(&row.tensors[0], dy, row.x.len());
        RowErrors { dx, tensors: vec![outer_product(dy, row.x), dy.to_vec()], ..RowErrors::default() }
    }

    fn needs(&self, _inputs: usize, training: bool) -> Needs {
        Needs { transposed: training, by_outputs: ByOutputs::First, ..Needs::default() }
    }

    /// One chain of fused multiply-adds for each output, the bias last.
    fn forward(&self, pass: Forward<'_>) {
        let Forward { isa, samples, x, y, outputs, tensors: [weights, _], .. } = pass;
        let (Some(x), Some(weights)) = (x, weights) else { unreachable!("a linear layer has weights, and an input") };
        dense::forward(isa, weights.outputs(outputs), x, y, samples, false);
    }

    /// `dx = Wᵀ dy`.
    fn backward(&self, pass: Backward<'_>) {
        let Backward { isa, samples, inputs, outputs, dy, dx, transposed, tensors: [weights, _], .. } = pass;
        transpose_errors(isa, dy.read(), (samples, outputs), transposed);
        errors_through(isa, weights, inputs, dy.read(), dx, samples);
    }

    /// `dW = dy xᵀ`, the bias from the line of ones.
    fn gradient(&self, pass: Gradient<'_>) {
        let x = pass.x;
        gradient_of_matrix(pass, x);
    }
}

/// The gradient by `y` with outputs in lanes, for [`gradient_of_matrix`].
pub(super) fn transpose_errors(
    isa: crate::kernel::Isa,
    dy: Panels<'_>,
    (samples, outputs): (usize, usize),
    transposed: Option<PanelsMut<'_>>,
) {
    let Some(mut to) = transposed else { return };
    for p in 0..samples {
        let lines: &[Line] = dy.panel(p, 0..outputs);
        panel::transpose(isa, lines, to.rows_from(p * LANES));
    }
}

/// `dx = Wᵀ dy`, or `dx += Wᵀ dy`.
pub(super) fn errors_through(
    isa: crate::kernel::Isa,
    weights: Option<Weights<'_>>,
    inputs: usize,
    dy: Panels<'_>,
    dx: Errors<'_>,
    samples: usize,
) {
    let Some(weights) = weights else { unreachable!("a matrix has weights") };
    let (dx, add) = match dx {
        Errors::Unwanted => return,
        Errors::InPlace => unreachable!("a matrix does not work in place"),
        Errors::Write(dx) => (dx, false),
        Errors::Add(dx) => (dx, true),
    };
    dense::backward_to_inputs(isa, weights, inputs, dy, dx, samples, add);
}

/// `dW = dy xᵀ` for the lines asked for, one chain over all rows.
pub(super) fn gradient_of_matrix(pass: Gradient<'_>, x: Panels<'_>) {
    let Some(errors) = pass.transposed else { unreachable!("kept for this") };
    let x = Panels { lines: &x.lines[pass.lines.start..], stride: x.stride };
    let extent = Extent { panels: pass.panels, rows: pass.lines.len(), depth: pass.rows, accumulate: !pass.first };
    dense::backward_to_weights(pass.isa, x, errors, pass.dw, extent);
}

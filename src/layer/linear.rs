//! A linear layer.

use toml::Table;

use super::fields::Fields;
use super::graph::{self, Given, Node, Nodes, Of};
use super::row::{Row, RowErrors, multiply, multiply_transposed, outer_product};
use super::{Backward, ByOutputs, Errors, Form, Forward, Gradient, Group, Kind, Needs, TensorForm, Width};
use crate::Result;
use crate::kernel::gemm::Extent;
use crate::kernel::{LANES, Line, Panels, PanelsMut};
use crate::nn::dense::{self, Weights};
use crate::nn::{Activation, panel};

/// `y = W x + b` with `W: [outputs, inputs]`. With `members`, each member has its own `W` and `b`.
#[derive(Debug, Clone, PartialEq)]
pub struct Linear {
    /// Number of outputs.
    pub outputs: usize,
    /// Whether the layer has a bias `b`.
    pub bias: bool,
    /// Whether each member has its own `W` and `b`.
    pub members: bool,
    /// Whether the learning rate and the decay of `W` are scaled as in the NTK parametrisation: by `1/√inputs` and
    /// `√inputs`.
    pub ntk: bool,
}

impl Linear {
    /// A layer with a bias, shared by all members.
    pub fn new(outputs: usize) -> Linear {
        Linear { outputs, bias: true, members: false, ntk: false }
    }
}

impl Kind for Linear {
    fn read(fields: &mut Fields<'_>) -> Result<Self> {
        Ok(Linear {
            outputs: fields.width("outputs")?,
            bias: fields.switch("bias", true)?,
            members: fields.switch("members", false)?,
            ntk: fields.switch("ntk", false)?,
        })
    }

    fn write(&self, fields: &mut Table) {
        fields.insert("outputs".into(), (self.outputs as i64).into());
        let switches = [("bias", self.bias, true), ("members", self.members, false), ("ntk", self.ntk, false)];
        for (name, value, usual) in switches {
            if value != usual {
                fields.insert(name.into(), value.into());
            }
        }
    }

    fn outputs(&self, _inputs: usize) -> usize {
        self.outputs
    }

    fn is_per_member(&self) -> bool {
        self.members
    }

    fn tensors(&self, inputs: Width, next: Activation) -> Vec<TensorForm> {
        let form = if self.bias { Form::Affine } else { Form::Matrix };
        let mut tensor = TensorForm::matrix(form, inputs.features, self.outputs, next);
        if self.ntk {
            let root = (inputs.features as f64).sqrt();
            tensor.groups[0] = Group { rate: 1.0 / root, decay: root, ..Group::default() };
        }
        vec![if self.members { tensor.stacked(inputs.members) } else { tensor }]
    }

    fn drawn_before(&self) -> Option<Activation> {
        Some(Activation::Identity)
    }

    fn symbol(&self) -> &'static str {
        "z"
    }

    fn formula(&self, _row: &Row<'_>) -> Option<String> {
        Some(if self.bias { "W x + b" } else { "W x" }.to_owned())
    }

    fn define(&self, row: &Row<'_>) -> Vec<f64> {
        let mut y = multiply(&row.tensors[0], row.x);
        if let Some(bias) = row.tensors.get(1) {
            y.iter_mut().zip(bias).for_each(|(y, b)| *y += b);
        }
        y
    }

    fn define_backward(&self, row: &Row<'_>, dy: &[f64]) -> RowErrors {
        let dx = multiply_transposed(&row.tensors[0], dy, row.x.len());
        let mut tensors = vec![outer_product(dy, row.x)];
        if self.bias {
            tensors.push(dy.to_vec());
        }
        RowErrors { dx, tensors, ..RowErrors::default() }
    }

    fn nodes(&self, given: Given, nodes: &mut Nodes) -> graph::GraphValue {
        let of = if self.members { Of::Member } else { Of::Whole };
        let y = nodes.add(Node::Product(given.x, given.matrix(0, of, (self.outputs, given.inputs.features))));
        if self.bias { nodes.shifted(y, given.vector(1, of, self.outputs)) } else { y }
    }

    fn needs(&self, _inputs: usize, training: bool) -> Needs {
        let by_outputs = if self.members { ByOutputs::No } else { ByOutputs::First };
        Needs { transposed: training, by_members: self.members, by_outputs, ..Needs::default() }
    }

    /// Each output is one chain of fused multiply-adds; the bias is added last.
    fn forward(&self, pass: Forward<'_>) {
        let Forward { isa, samples, members, x, mut y, outputs, tensors: [weights, _], .. } = pass;
        let (Some(x), Some(weights)) = (x, weights) else { unreachable!("a linear layer has weights, and an input") };
        if !self.members {
            return dense::forward(isa, weights.outputs(outputs), x, y, samples, false);
        }
        for m in 0..members {
            dense::forward(isa, weights.of(m), x.every(m, members), y.every(m, members), samples / members, false);
        }
    }

    /// `dx = Wᵀ dy`.
    fn backward(&self, pass: Backward<'_>) {
        let Backward { isa, samples, members, inputs, outputs, dy, mut dx, mut transposed, tensors, .. } = pass;
        let dy = dy.read();
        if !self.members {
            transpose_errors(isa, dy, (samples, outputs), transposed);
            return errors_through(isa, tensors[0], inputs, dy, dx, samples);
        }
        let Some(weights) = tensors[0] else { unreachable!("a linear layer has weights") };
        for m in 0..members {
            let (dy, rows) = (dy.every(m, members), samples / members);
            let own = transposed.as_mut().map(|to| to.from(m * weights.each));
            transpose_errors(isa, dy, (rows, outputs), own);
            errors_through(isa, Some(weights.of(m)), inputs, dy, dx.every(m, members), rows);
        }
    }

    /// `dW = dy xᵀ`. The gradient of the bias comes from the input line of ones.
    fn gradient(&self, mut pass: Gradient<'_>) {
        let mut x = pass.x;
        if self.members {
            let each = pass.fan_out.div_ceil(LANES);
            x = x.every(pass.first_panel / each, pass.members);
            pass.members = 1; // the chain covers the rows of one member
        }
        gradient_of_matrix(pass, x);
    }
}

/// Transposes `dy` so that outputs are in lanes, as [`gradient_of_matrix`] needs it; does nothing if `transposed` is `None`.
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

/// `dx = Wᵀ dy`, or `dx += Wᵀ dy`, as `dx` says.
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

/// `dW = dy xᵀ` for the requested lines, as one chain over all rows.
pub(super) fn gradient_of_matrix(pass: Gradient<'_>, x: Panels<'_>) {
    let Some(errors) = pass.transposed else { unreachable!("kept for this") };
    let x = Panels { lines: &x.lines[pass.lines.start..], stride: x.stride };
    let extent = Extent { panels: pass.panels, rows: pass.lines.len(), depth: pass.depth(), accumulate: !pass.first };
    dense::backward_to_weights(pass.isa, x, errors, pass.dw, extent);
}

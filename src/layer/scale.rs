//! Scaling by a learnt gain for each feature.

use toml::Table;

use super::fields::Fields;
use super::graph::{self, Given, Nodes, Of};
use super::per_feature::{self, PerFeature};
use super::row::{Row, RowErrors, product};
use super::{Backward, Forward, Gradient, Kind, Needs, TensorForm, Width};
use crate::Result;
use crate::kernel::{Isa, Line};
use crate::nn::{Activation, panel};

/// `y = gain ⊙ x`; all gains are initially 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Scale;

impl Kind for Scale {
    fn read(_fields: &mut Fields<'_>) -> Result<Self> {
        Ok(Scale)
    }

    fn write(&self, _fields: &mut Table) {}

    /// The gain is called `weight`.
    fn tensors(&self, inputs: Width, _next: Activation) -> Vec<TensorForm> {
        vec![TensorForm::vector("weight", inputs.features, 1.0)]
    }

    fn define(&self, row: &Row<'_>) -> Vec<f64> {
        product(&row.tensors[0], row.x)
    }

    fn define_backward(&self, row: &Row<'_>, dy: &[f64]) -> RowErrors {
        let dx = product(&row.tensors[0], dy);
        RowErrors { dx, tensors: vec![product(dy, row.x)], ..RowErrors::default() }
    }

    fn nodes(&self, given: Given, nodes: &mut Nodes) -> graph::GraphValue {
        nodes.scaled(given.x, given.vector(0, Of::Whole, given.inputs.features))
    }

    fn needs(&self, _inputs: usize, _training: bool) -> Needs {
        Needs { looks_back: true, ..Needs::default() }
    }

    fn forward(&self, pass: Forward<'_>) {
        per_feature::forward(self, pass);
    }

    fn backward(&self, pass: Backward<'_>) {
        per_feature::backward(self, pass);
    }

    fn gradient(&self, pass: Gradient<'_>) {
        per_feature::gradient(self, pass);
    }
}

impl PerFeature for Scale {
    fn value(&self, isa: Isa, a: &[Line], x: &[Line], y: &mut [Line]) {
        panel::scale(isa, a, x, y);
    }

    fn by_input(&self, isa: Isa, a: &[Line], _x: &[Line], dy: &[Line], dx: &mut [Line]) {
        panel::scale(isa, a, dy, dx);
    }

    fn by_number(&self, _isa: Isa, x: &[Line], slope: &mut [Line]) {
        slope.copy_from_slice(x);
    }
}

//! The parametric ReLU: He et al. 2015, <https://arxiv.org/abs/1502.01852>.

use toml::Table;

use super::fields::Fields;
use super::graph::{self, Given, Node, Nodes, Of, Operand};
use super::per_feature::{self, PerFeature};
use super::row::{Row, RowErrors, product};
use super::{Backward, Forward, Gradient, Kind, Needs, TensorForm, Width};
use crate::Result;
use crate::kernel::{Isa, Line};
use crate::nn::{Activation, panel};

/// `y = max(0, x) + a min(0, x)`, with one learnt slope `a` for each feature, initially 0.25.
#[derive(Debug, Clone, PartialEq)]
pub struct Prelu;

/// Initial slope, as in the paper.
const SLOPE: f64 = 0.25;

impl Kind for Prelu {
    fn read(_fields: &mut Fields<'_>) -> Result<Self> {
        Ok(Prelu)
    }

    fn write(&self, _fields: &mut Table) {}

    /// The slope is called `weight`, as in PyTorch.
    fn tensors(&self, inputs: Width, _next: Activation) -> Vec<TensorForm> {
        vec![TensorForm::vector("weight", inputs.features, SLOPE as f32)]
    }

    fn drawn_before(&self) -> Option<Activation> {
        Some(Activation::LeakyRelu { slope: SLOPE })
    }

    fn define(&self, row: &Row<'_>) -> Vec<f64> {
        row.x.iter().zip(&row.tensors[0]).map(|(x, a)| x.max(0.0) + a * x.min(0.0)).collect()
    }

    fn define_backward(&self, row: &Row<'_>, dy: &[f64]) -> RowErrors {
        let slope = |(x, a): (&f64, &f64)| if *x < 0.0 { *a } else { 1.0 };
        let slope: Vec<f64> = row.x.iter().zip(&row.tensors[0]).map(slope).collect();
        let by_slope = dy.iter().zip(row.x).map(|(dy, x)| dy * x.min(0.0)).collect();
        RowErrors { dx: product(dy, &slope), tensors: vec![by_slope], slope, ..RowErrors::default() }
    }

    fn nodes(&self, given: Given, nodes: &mut Nodes) -> graph::GraphValue {
        let features = given.inputs.features;
        let above = nodes.add(Node::Hold(given.x, vec![(0.0, f64::INFINITY); features]));
        let below = nodes.add(Node::Hold(given.x, vec![(f64::NEG_INFINITY, 0.0); features]));
        let below = nodes.scaled(below, given.vector(0, Of::Whole, features));
        nodes.add(Node::Plus(above, Operand::Value(below)))
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

impl PerFeature for Prelu {
    fn value(&self, isa: Isa, a: &[Line], x: &[Line], y: &mut [Line]) {
        panel::scale_where_negative(isa, a, x, x, y);
    }

    fn by_input(&self, isa: Isa, a: &[Line], x: &[Line], dy: &[Line], dx: &mut [Line]) {
        panel::scale_where_negative(isa, a, x, dy, dx);
    }

    fn by_number(&self, _isa: Isa, x: &[Line], by_a: &mut [Line]) {
        by_a.iter_mut().zip(x).for_each(|(by_a, x)| *by_a = Line(x.0.map(|x| x.min(0.0))));
    }
}

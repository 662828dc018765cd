//! An activation with a learnt strength (a parametric activation): Holzmüller et al. 2024,
//! <https://arxiv.org/abs/2407.04491>.

use toml::Table;

use super::fields::Fields;
use super::graph::{self, Given, Node, Nodes, Of, Operand};
use super::per_feature::{self, PerFeature};
use super::row::{Row, RowErrors, product};
use super::{Backward, Forward, Gradient, Kind, Needs, TensorForm, Width};
use crate::Result;
use crate::kernel::{Isa, Line};
use crate::nn::{Activation, panel};

/// `y = x + α (f(x) − x)`, with one learnt `α` for each feature, or with `members` one for each feature of each member.
/// `α = 0` gives the identity and `α = 1`, the initial value, the activation.
#[derive(Debug, Clone, PartialEq)]
pub struct Mix {
    /// `f`.
    pub function: Activation,
    /// Whether each member has its own `α`.
    pub members: bool,
}

impl Kind for Mix {
    fn read(fields: &mut Fields<'_>) -> Result<Self> {
        Ok(Mix { function: fields.parse("function")?, members: fields.switch("members", false)? })
    }

    fn write(&self, fields: &mut Table) {
        fields.insert("function".into(), self.function.to_string().into());
        if self.members {
            fields.insert("members".into(), true.into());
        }
    }

    fn is_per_member(&self) -> bool {
        self.members
    }

    /// `α` is called `weight`.
    fn tensors(&self, inputs: Width, _next: Activation) -> Vec<TensorForm> {
        let form = TensorForm::vector("weight", inputs.features, 1.0);
        vec![if self.members { form.stacked(inputs.members) } else { form }]
    }

    fn drawn_before(&self) -> Option<Activation> {
        Some(self.function)
    }

    fn define(&self, row: &Row<'_>) -> Vec<f64> {
        row.x.iter().zip(&row.tensors[0]).map(|(x, a)| x + a * (self.function.value(*x) - x)).collect()
    }

    fn define_backward(&self, row: &Row<'_>, dy: &[f64]) -> RowErrors {
        let f: Vec<f64> = row.x.iter().map(|x| self.function.value(*x)).collect();
        let slope = |i: usize| 1.0 + row.tensors[0][i] * (self.function.derivative(row.x[i], f[i]) - 1.0);
        let slope: Vec<f64> = (0..dy.len()).map(slope).collect();
        let by_alpha = dy.iter().enumerate().map(|(i, dy)| dy * (f[i] - row.x[i])).collect();
        RowErrors { dx: product(dy, &slope), tensors: vec![by_alpha], slope, ..RowErrors::default() }
    }

    fn nodes(&self, given: Given, nodes: &mut Nodes) -> graph::GraphValue {
        let f = nodes.add(Node::Function(given.x, self.function));
        let minus_x = nodes.add(Node::Times(given.x, Operand::Number(-1.0)));
        let way = nodes.add(Node::Plus(f, Operand::Value(minus_x)));
        let of = if self.members { Of::Member } else { Of::Whole };
        let way = nodes.scaled(way, given.vector(0, of, given.inputs.features));
        nodes.add(Node::Plus(given.x, Operand::Value(way)))
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

impl Mix {
    /// `f(x)`.
    fn activate(&self, isa: Isa, x: &[Line], y: &mut [Line]) {
        y.copy_from_slice(x);
        panel::activate_in_place(isa, self.function, y);
    }
}

impl PerFeature for Mix {
    fn value(&self, isa: Isa, a: &[Line], x: &[Line], y: &mut [Line]) {
        self.activate(isa, x, y);
        panel::blend(isa, a, x, y);
    }

    /// `dy · (1 + α (f′(x) − 1))`, computed as the blend of `dy` and `dy · f′(x)`.
    fn by_input(&self, isa: Isa, a: &[Line], x: &[Line], dy: &[Line], dx: &mut [Line]) {
        let mut y = [Line::ZERO; crate::kernel::LANES];
        let y = &mut y[..x.len()];
        self.activate(isa, x, y);
        dx.copy_from_slice(dy);
        panel::activation_backward(isa, self.function, x, y, dx);
        panel::blend(isa, a, dy, dx);
    }

    fn by_number(&self, isa: Isa, x: &[Line], slope: &mut [Line]) {
        self.activate(isa, x, slope);
        panel::subtract(isa, x, slope);
    }
}

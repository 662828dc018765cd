//! An activation.

use toml::Table;

use super::fields::Fields;
use super::graph::{self, Given, Node, Nodes};
use super::row::{Row, RowErrors, product};
use super::{Backward, ByOutputs, Forward, Kind, Needs, UseOfDy};
use crate::Result;
use crate::nn::{Activation, panel};

/// `y = f(x)`, element by element.
#[derive(Debug, Clone, PartialEq)]
pub struct Activate {
    /// `f`.
    pub function: Activation,
}

impl Kind for Activate {
    fn read(fields: &mut Fields<'_>) -> Result<Self> {
        Ok(Activate { function: fields.parse("function")? })
    }

    fn write(&self, fields: &mut Table) {
        fields.insert("function".into(), self.function.to_string().into());
    }

    fn drawn_before(&self) -> Option<Activation> {
        Some(self.function)
    }

    fn nodes(&self, given: Given, nodes: &mut Nodes) -> graph::GraphValue {
        nodes.add(Node::Function(given.x, self.function))
    }

    fn needs(&self, _inputs: usize, training: bool) -> Needs {
        Needs {
            overwrites_x: !(training && self.function.derivative_uses_input()),
            keeps_y: training,
            looks_back: true,
            dy: UseOfDy::Changes,
            by_outputs: ByOutputs::Elementwise,
            ..Needs::default()
        }
    }

    fn symbol(&self) -> &'static str {
        "h"
    }

    fn formula(&self, row: &Row<'_>) -> Option<String> {
        Some(format!("{}({})", self.function, row.name))
    }

    fn define(&self, row: &Row<'_>) -> Vec<f64> {
        row.x.iter().map(|x| self.function.value(*x)).collect()
    }

    fn define_backward(&self, row: &Row<'_>, dy: &[f64]) -> RowErrors {
        let slope: Vec<f64> = row.x.iter().map(|x| self.function.derivative(*x, self.function.value(*x))).collect();
        RowErrors { dx: product(dy, &slope), slope, ..RowErrors::default() }
    }

    fn forward(&self, mut pass: Forward<'_>) {
        pass.begin();
        for p in 0..pass.samples {
            panel::activate_in_place(pass.isa, self.function, pass.y.lines_mut(p, 0..pass.width));
        }
    }

    /// `dx = dy · f′(x)`.
    fn backward(&self, mut pass: Backward<'_>) {
        let width = pass.outputs;
        let Some([x, y]) = pass.x_and_y else { unreachable!("an activation looks back") };
        for p in 0..pass.samples {
            let d = pass.dy.change().lines_mut(p, 0..width);
            let (x, y) = (x.panel(p, 0..width), y.panel(p, 0..width));
            panel::activation_backward(pass.isa, self.function, x, y, d);
            pass.dx.hand_on(pass.isa, p, d);
        }
    }
}

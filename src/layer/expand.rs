//! The layer at which members begin: Gorishniy et al. 2025, <https://arxiv.org/abs/2410.24210>.

use toml::Table;

use super::fields::Fields;
use super::graph::{self, Given, Node, Nodes};
use super::row::{Row, RowErrors};
use super::{Backward, Errors, Forward, Kind, Needs};
use crate::Result;
use crate::nn::panel;

/// `y_k = x` for every member `k`. Layers after this one run for each member, layers before it once for all members. If each
/// member has rows of its own, every layer runs for each member, and this one is left out of the program.
#[derive(Debug, Clone, PartialEq)]
pub struct Expand {
    /// Members.
    pub members: usize,
}

/// Upper limit of the number of members.
const MOST_MEMBERS: f64 = 1024.0;

impl Kind for Expand {
    fn read(fields: &mut Fields<'_>) -> Result<Self> {
        let whole = |n: f64| n.fract() == 0.0 && (1.0..=MOST_MEMBERS).contains(&n);
        Ok(Expand { members: fields.number("members", "a number of members of 1 to 1024", whole)? as usize })
    }

    fn write(&self, fields: &mut Table) {
        fields.insert("members".into(), (self.members as i64).into());
    }

    fn expands(&self) -> Option<usize> {
        Some(self.members)
    }

    /// The input, repeated once for each member.
    fn define(&self, row: &Row<'_>) -> Vec<f64> {
        row.x.repeat(self.members)
    }

    fn define_backward(&self, row: &Row<'_>, dy: &[f64]) -> RowErrors {
        let width = row.x.len();
        let dx = (0..width).map(|i| dy.iter().skip(i).step_by(width.max(1)).sum()).collect();
        RowErrors { dx, ..RowErrors::default() }
    }

    fn nodes(&self, given: Given, nodes: &mut Nodes) -> graph::GraphValue {
        nodes.add(Node::Expand(given.x, self.members))
    }

    fn needs(&self, _inputs: usize, _training: bool) -> Needs {
        Needs::default()
    }

    fn forward(&self, mut pass: Forward<'_>) {
        let Some(x) = pass.x else { unreachable!("its output has a place of its own") };
        for p in 0..pass.samples {
            pass.y.lines_mut(p, 0..pass.width).copy_from_slice(x.panel(p / self.members, 0..pass.width));
        }
    }

    /// Adds the members' gradients, in the order of the members.
    fn backward(&self, mut pass: Backward<'_>) {
        let (dy, width) = (pass.dy.read(), pass.outputs);
        for p in 0..pass.samples {
            let (to, d) = (p / self.members, dy.panel(p, 0..width));
            match &mut pass.dx {
                Errors::Unwanted => return,
                Errors::InPlace => unreachable!("its input has fewer panels"),
                Errors::Write(dx) if p % self.members == 0 => dx.lines_mut(to, 0..width).copy_from_slice(d),
                Errors::Write(dx) | Errors::Add(dx) => panel::add(pass.isa, d, dx.lines_mut(to, 0..width)),
            }
        }
    }
}

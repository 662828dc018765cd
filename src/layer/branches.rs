//! Parallel chains: Szegedy et al. 2015, <https://arxiv.org/abs/1409.4842>.

use toml::{Table, Value};

use super::fields::Fields;
use super::graph::{self, Given, Nodes};
use super::row::{Row, RowErrors};
use super::text::write_chain;
use super::{Backward, Forward, Inner, Kind, Layer, Needs, width_of};
use crate::Result;
use crate::nn::Activation;

/// `y = [c₁(x); c₂(x); …]`: the outputs of the chains, concatenated. An empty chain passes its input on.
#[derive(Debug, Clone, PartialEq)]
pub struct Branches {
    /// The chains, at least one.
    pub chains: Vec<Vec<Layer>>,
}

impl Kind for Branches {
    fn read(fields: &mut Fields<'_>) -> Result<Self> {
        Ok(Branches { chains: fields.chains("branches")? })
    }

    fn write(&self, fields: &mut Table) {
        fields.insert("branches".into(), Value::Array(self.chains.iter().map(|chain| write_chain(chain)).collect()));
    }

    fn outputs(&self, inputs: usize) -> usize {
        self.chains.iter().map(|chain| width_of(chain, inputs)).fold(0, usize::saturating_add)
    }

    fn inner(&self) -> Inner<'_> {
        Inner::Beside(&self.chains)
    }

    fn inner_mut(&mut self) -> &mut [Vec<Layer>] {
        &mut self.chains
    }

    fn drawn_before(&self) -> Option<Activation> {
        Some(Activation::Identity)
    }

    fn define(&self, row: &Row<'_>) -> Vec<f64> {
        row.x.to_vec()
    }

    fn define_backward(&self, _row: &Row<'_>, dy: &[f64]) -> RowErrors {
        RowErrors { dx: dy.to_vec(), ..RowErrors::default() }
    }

    fn nodes(&self, given: Given, _nodes: &mut Nodes) -> graph::GraphValue {
        given.x
    }

    fn needs(&self, _inputs: usize, _training: bool) -> Needs {
        Needs::default()
    }

    /// Copies the output of one chain to its part of `y`.
    fn forward(&self, mut pass: Forward<'_>) {
        pass.begin();
    }

    fn backward(&self, mut pass: Backward<'_>) {
        let dy = pass.dy.read();
        for p in 0..pass.samples {
            pass.dx.hand_on(pass.isa, p, dy.panel(p, 0..pass.outputs));
        }
    }
}

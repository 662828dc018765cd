//! Dropout.

use toml::Table;

use super::fields::Fields;
use super::graph::{self, Given, Nodes};
use super::row::{Row, RowErrors};
use super::{Backward, Forward, Kind, Needs, RandomAt, UseOfDy};
use crate::Result;
use crate::kernel::LANES;
use crate::nn::dropout::{MaskAddress, fill_mask};
use crate::nn::panel;

/// In training `y = mask ⊙ x`, otherwise `y = x`. An element of the mask is 0 with probability `rate`, otherwise
/// `1 / (1 − rate)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Dropout {
    /// Probability that a unit is dropped, above 0 and below 1.
    pub rate: f64,
}

impl Kind for Dropout {
    fn read(fields: &mut Fields<'_>) -> Result<Self> {
        Ok(Dropout { rate: fields.number("rate", "a share above 0 and below 1", |rate| 0.0 < rate && rate < 1.0)? })
    }

    fn write(&self, fields: &mut Table) {
        fields.insert("rate".into(), self.rate.into());
    }

    fn drops(&self) -> f64 {
        self.rate
    }

    fn nodes(&self, given: Given, _nodes: &mut Nodes) -> graph::GraphValue {
        given.x
    }

    fn needs(&self, inputs: usize, _training: bool) -> Needs {
        Needs {
            only_in_training: true,
            random: true,
            overwrites_x: true,
            dy: UseOfDy::Changes,
            kept: inputs,
            ..Needs::default()
        }
    }

    fn define(&self, row: &Row<'_>) -> Vec<f64> {
        row.x.to_vec()
    }

    fn define_backward(&self, _row: &Row<'_>, dy: &[f64]) -> RowErrors {
        RowErrors { dx: dy.to_vec(), ..RowErrors::default() }
    }

    fn forward(&self, mut pass: Forward<'_>) {
        pass.begin();
        let (Some(mask), Some(RandomAt { seed, epoch, position, layer, factor })) = (&mut pass.kept, pass.random)
        else {
            unreachable!("training has masks");
        };
        for p in 0..pass.samples {
            let mask = mask.lines_mut(p, 0..pass.width);
            let (position, member) = (position + p / pass.members * LANES, p % pass.members);
            fill_mask(MaskAddress { seed, layer, member, epoch, position }, self.rate * factor, mask);
            panel::multiply(pass.isa, mask, pass.y.lines_mut(p, 0..pass.width));
        }
    }

    fn backward(&self, mut pass: Backward<'_>) {
        let Some(mask) = pass.kept else { unreachable!("training has masks") };
        for p in 0..pass.samples {
            let d = pass.dy.change().lines_mut(p, 0..pass.outputs);
            panel::multiply(pass.isa, mask.panel(p, 0..pass.outputs), d);
            pass.dx.hand_on(pass.isa, p, d);
        }
    }
}

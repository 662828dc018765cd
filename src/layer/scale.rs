//! A learnt factor for each feature.

use toml::Table;

use super::text::Fields;
use super::textbook::{Row, RowErrors, product};
use super::{Backward, Errors, Forward, Gradient, Kind, Needs, TensorForm};
use crate::Result;
use crate::kernel::{LANES, Line, panels};
use crate::nn::{Activation, panel};

/// `y = gain ⊙ x`, gains 1 at first.
#[derive(Debug, Clone, PartialEq)]
pub struct Scale;

/// Features worked at a time: their sums stay on the stack.
const FEATURES: usize = LANES;

impl Kind for Scale {
    fn read(_fields: &mut Fields<'_>) -> Result<Self> {
        Ok(Scale)
    }

    fn write(&self, _fields: &mut Table) {}

    /// The gain is called `weight`.
    fn tensors(&self, inputs: usize, _next: Activation) -> Vec<TensorForm> {
        vec![TensorForm::vector("weight", inputs, 1.0)]
    }

    fn define(&self, row: &Row<'_>) -> Vec<f64> {
        product(&row.tensors[0], row.x)
    }

    fn define_backward(&self, row: &Row<'_>, dy: &[f64]) -> RowErrors {
        let dx = product(&row.tensors[0], dy);
        RowErrors { dx, tensors: vec![product(dy, row.x)], ..RowErrors::default() }
    }

    fn needs(&self, _inputs: usize, _training: bool) -> Needs {
        Needs::default()
    }

    fn forward(&self, pass: Forward<'_>) {
        let Forward { isa, samples, x, mut y, width, tensors: [gain, _], .. } = pass;
        let (Some(x), Some(gain)) = (x, gain) else { unreachable!("a scale has gains, and keeps its input") };
        for p in 0..samples {
            panel::scale(isa, gain.panels.lines, x.panel(p, 0..width), y.lines_mut(p, 0..width));
        }
    }

    /// `dx = gain ⊙ dy`.
    fn backward(&self, pass: Backward<'_>) {
        let Backward { isa, samples, outputs: width, dy, mut dx, tensors: [gain, _], .. } = pass;
        let Some(gain) = gain else { unreachable!("a scale has gains") };
        for p in 0..samples {
            for start in (0..width).step_by(FEATURES) {
                let features = start..(start + FEATURES).min(width);
                let gain = &gain.panels.lines[start / LANES..][..1];
                let mut product = [Line::ZERO; FEATURES];
                let product = &mut product[..features.len()];
                panel::scale(isa, gain, dy.read().panel(p, features.clone()), product);
                match &mut dx {
                    Errors::Unwanted | Errors::InPlace => {}
                    Errors::Write(dx) => dx.lines_mut(p, features).copy_from_slice(product),
                    Errors::Add(dx) => panel::add(isa, product, dx.lines_mut(p, features)),
                }
            }
        }
    }

    /// `Σ dy ⊙ x`: lanes are summed over the panels in order, then over each other in order.
    fn gradient(&self, mut pass: Gradient<'_>) {
        let Some(dy) = pass.dy else { unreachable!("the gradient by a scale's output is kept") };
        for (n, row) in pass.lines.clone().enumerate() {
            let features = row * FEATURES..((row + 1) * FEATURES).min(pass.fan_out);
            let mut sums = [Line::ZERO; FEATURES];
            for p in 0..panels(pass.rows) {
                let (dy, x) = (dy.panel(p, features.clone()), pass.x.panel(p, features.clone()));
                panel::add_products(pass.isa, dy, x, &mut sums[..features.len()]);
            }
            let line = &mut pass.dw.lines_mut(0, n..n + 1)[0];
            for (feature, sum) in sums.iter().enumerate() {
                let before = if pass.first { 0.0 } else { line.0[feature] };
                line.0[feature] = sum.0.iter().fold(before, |total, x| total + x);
            }
        }
    }
}

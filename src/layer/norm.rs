//! Layer norm and RMS norm.

use super::{Backward, Errors, Form, Forward, Gradient, Kind, Needs, Start, TensorForm};
use crate::kernel::{LANES, Line, panels};
use crate::nn::norm::NormKind;
use crate::nn::panel_norm;

/// `y = gain · x̂ + shift`; an RMS norm has no shift. [`crate::nn::norm`] has the formulas.
#[derive(Debug, Clone, PartialEq)]
pub struct Norm {
    /// Name of its tensors, without `.weight` for the gain and `.bias` for the shift.
    pub name: String,
    /// Which norm.
    pub norm: NormKind,
}

/// Lines kept for a panel: mean and inverse deviation.
const MOMENTS: usize = 2;
/// Features worked at a time: their sums stay on the stack.
const FEATURES: usize = LANES;

impl Kind for Norm {
    fn tensors(&self, inputs: usize) -> Vec<TensorForm> {
        let vector = |part, begin| TensorForm {
            name: format!("{}.{part}", self.name),
            form: Form::Vector,
            fan_in: 0,
            fan_out: inputs,
            begin,
        };
        let mut tensors = vec![vector("weight", Start::Ones)];
        if self.norm.has_shift() {
            tensors.push(vector("bias", Start::Zeros));
        }
        tensors
    }

    fn needs(&self, _inputs: usize, _training: bool) -> Needs {
        Needs { kept: MOMENTS, ..Needs::default() }
    }

    fn forward(&self, pass: Forward<'_>) {
        let Forward { isa, samples, x, mut y, width, kept, tensors: [gain, shift], .. } = pass;
        let (Some(x), Some(mut moments), Some(gain)) = (x, kept, gain) else { unreachable!("a norm keeps its input") };
        for p in 0..samples {
            let (x, y, moments) = (x.panel(p, 0..width), y.lines_mut(p, 0..width), moments.lines_mut(p, 0..MOMENTS));
            panel_norm::forward(isa, self.norm, x, gain.panels.lines, shift.map(|s| s.panels.lines), y, moments);
        }
    }

    fn backward(&self, pass: Backward<'_>) {
        let Backward { isa, samples, outputs: width, x, dy, dx, kept, tensors: [gain, _], .. } = pass;
        let (Some(moments), Some(gain)) = (kept, gain) else { unreachable!("a norm keeps its moments") };
        let mut dx = match dx {
            Errors::Unwanted => return,
            Errors::Write(dx) => dx,
            Errors::InPlace | Errors::Add(_) => unreachable!("a norm's input is read by it alone"),
        };
        for p in 0..samples {
            let (x, moments) = (x.panel(p, 0..width), moments.panel(p, 0..MOMENTS));
            let (dy, dx) = (dy.read().panel(p, 0..width), dx.lines_mut(p, 0..width));
            panel_norm::backward(isa, self.norm, x, moments, gain.panels.lines, dy, dx);
        }
    }

    /// `Σ dy · x̂` for gains, `Σ dy` for shifts: lanes are summed over the panels in order, then over each other in order.
    fn gradient(&self, mut pass: Gradient<'_>) {
        let Some(moments) = pass.kept else { unreachable!("a norm keeps its moments") };
        let first_line = pass.lines.start;
        for row in pass.lines.clone() {
            let features = row * FEATURES..((row + 1) * FEATURES).min(pass.fan_out);
            let count = features.len();
            let (mut products, mut plain) = ([Line::ZERO; FEATURES], [Line::ZERO; FEATURES]);
            for p in 0..panels(pass.rows) {
                panel_norm::accumulate_gradients(
                    pass.isa,
                    pass.x.panel(p, features.clone()),
                    moments.panel(p, 0..MOMENTS),
                    pass.dy.panel(p, features.clone()),
                    &mut products[..count],
                    &mut plain[..count],
                );
            }
            let sums = if pass.tensor == 0 { &products } else { &plain };
            let line = &mut pass.dw.lines_mut(0, row - first_line..row - first_line + 1)[0];
            for (feature, sum) in sums.iter().enumerate() {
                let before = if pass.first { 0.0 } else { line.0[feature] };
                line.0[feature] = sum.0.iter().fold(before, |total, x| total + x);
            }
        }
    }
}

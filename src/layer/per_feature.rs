//! Layers with one learnt number for each feature: `y = g(a, x)` element by element, `a` the feature's number.

use super::{Backward, Errors, Forward, Gradient};
use crate::kernel::{Isa, LANES, Line, panels};
use crate::nn::panel;

/// What such a layer computes; lines are features, 16 numbers a line of `a`.
pub(super) trait PerFeature {
    /// `y = g(a, x)`.
    fn value(&self, isa: Isa, a: &[Line], x: &[Line], y: &mut [Line]);

    /// `dx = dy · ∂g/∂x`.
    fn by_input(&self, isa: Isa, a: &[Line], x: &[Line], dy: &[Line], dx: &mut [Line]);

    /// `∂g/∂a`, which does not depend on `a`.
    fn by_number(&self, isa: Isa, x: &[Line], slope: &mut [Line]);
}

/// Features worked at a time: what is computed of them stays on the stack.
const FEATURES: usize = LANES;

pub(super) fn forward(layer: &impl PerFeature, pass: Forward<'_>) {
    let Forward { isa, samples, x, mut y, width, tensors: [numbers, _], .. } = pass;
    let (Some(x), Some(numbers)) = (x, numbers) else { unreachable!("it learns numbers, and keeps its input") };
    for p in 0..samples {
        layer.value(isa, numbers.panels.lines, x.panel(p, 0..width), y.lines_mut(p, 0..width));
    }
}

pub(super) fn backward(layer: &impl PerFeature, pass: Backward<'_>) {
    let Backward { isa, samples, outputs: width, x_and_y, dy, mut dx, tensors: [numbers, _], .. } = pass;
    let (Some([x, _]), Some(numbers)) = (x_and_y, numbers) else { unreachable!("it learns numbers, and looks back") };
    if matches!(dx, Errors::Unwanted) {
        return;
    }
    for p in 0..samples {
        for start in (0..width).step_by(FEATURES) {
            let features = start..(start + FEATURES).min(width);
            let numbers = &numbers.panels.lines[start / LANES..][..1];
            let mut d = [Line::ZERO; FEATURES];
            let d = &mut d[..features.len()];
            layer.by_input(isa, numbers, x.panel(p, features.clone()), dy.read().panel(p, features.clone()), d);
            match &mut dx {
                Errors::Unwanted | Errors::InPlace => unreachable!("its input's gradient has a place of its own"),
                Errors::Write(dx) => dx.lines_mut(p, features).copy_from_slice(d),
                Errors::Add(dx) => panel::add(isa, d, dx.lines_mut(p, features)),
            }
        }
    }
}

/// `Σ dy ⊙ ∂g/∂a`: lanes are summed over the panels in order, then over each other in order.
pub(super) fn gradient(layer: &impl PerFeature, mut pass: Gradient<'_>) {
    let Some(dy) = pass.dy else { unreachable!("the gradient by its output is kept") };
    for (n, row) in pass.lines.clone().enumerate() {
        let features = row * FEATURES..((row + 1) * FEATURES).min(pass.fan_out);
        let (mut sums, mut slope) = ([Line::ZERO; FEATURES], [Line::ZERO; FEATURES]);
        let count = features.len();
        for p in 0..panels(pass.rows) {
            layer.by_number(pass.isa, pass.x.panel(p, features.clone()), &mut slope[..count]);
            panel::add_products(pass.isa, dy.panel(p, features.clone()), &slope[..count], &mut sums[..count]);
        }
        let line = &mut pass.dw.lines_mut(0, n..n + 1)[0];
        for (feature, sum) in sums.iter().enumerate() {
            let before = if pass.first { 0.0 } else { line.0[feature] };
            line.0[feature] = sum.0.iter().fold(before, |total, x| total + x);
        }
    }
}

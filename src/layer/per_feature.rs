//! Layers with one learnt number for each feature: `y = g(a, x)` element by element, where `a` is that number.

use std::ops::Range;

use super::{Backward, Errors, Forward, Gradient};
use crate::kernel::{Isa, LANES, Line};
use crate::nn::panel;

/// The functions of such a layer. Each line of `x` and `y` is one feature of 16 samples; each line of `a` has the numbers of
/// 16 features. In a stack of numbers each member has its own.
pub(super) trait PerFeature {
    /// `y = g(a, x)`.
    fn value(&self, isa: Isa, a: &[Line], x: &[Line], y: &mut [Line]);

    /// `dx = dy · ∂g/∂x`.
    fn by_input(&self, isa: Isa, a: &[Line], x: &[Line], dy: &[Line], dx: &mut [Line]);

    /// Writes `∂g/∂a`, which does not depend on `a`, to `by_a`.
    fn by_number(&self, isa: Isa, x: &[Line], by_a: &mut [Line]);
}

/// Features processed at a time; intermediate results are on the stack.
const FEATURES: usize = LANES;

pub(super) fn forward(layer: &impl PerFeature, pass: Forward<'_>) {
    let Forward { isa, samples, x, mut y, width, tensors: [numbers, _], .. } = pass;
    let (Some(x), Some(numbers)) = (x, numbers) else { unreachable!("it learns numbers, and keeps its input") };
    for p in 0..samples {
        layer.value(isa, numbers.of(p % numbers.stack).panels.lines, x.panel(p, 0..width), y.lines_mut(p, 0..width));
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
            let numbers = &numbers.of(p % numbers.stack).panels.lines[start / LANES..][..1];
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

/// `Σ dy ⊙ ∂g/∂a`. The sum runs over the panels in order for each lane, then over the lanes in order.
pub(super) fn gradient(layer: &impl PerFeature, pass: Gradient<'_>) {
    let (isa, x) = (pass.isa, pass.x);
    sum_products(pass, |p, features, slope| layer.by_number(isa, x.panel(p, features), slope));
}

/// `Σ dy ⊙ s` for each feature, and for each member if there is a stack. `slope` writes `s` for some features of a panel.
pub(super) fn sum_products(mut pass: Gradient<'_>, slope: impl Fn(usize, Range<usize>, &mut [Line])) {
    let Some(dy) = pass.dy else { unreachable!("the gradient by its output is kept") };
    for panel in 0..pass.panels {
        let own = (pass.first_panel + panel..pass.samples()).step_by(pass.stack);
        for (n, row) in pass.lines.clone().enumerate() {
            let features = row * FEATURES..((row + 1) * FEATURES).min(pass.fan_out);
            let (mut sums, mut slopes) = ([Line::ZERO; FEATURES], [Line::ZERO; FEATURES]);
            let count = features.len();
            for p in own.clone() {
                slope(p, features.clone(), &mut slopes[..count]);
                panel::add_products(pass.isa, dy.panel(p, features.clone()), &slopes[..count], &mut sums[..count]);
            }
            let line = &mut pass.dw.lines_mut(panel, n..n + 1)[0];
            for (feature, sum) in sums.iter().enumerate() {
                let before = if pass.first { 0.0 } else { line.0[feature] };
                line.0[feature] = sum.0.iter().fold(before, |total, x| total + x);
            }
        }
    }
}

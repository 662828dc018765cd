//! The passes over a run of parameters in a step: finish and measure the gradient, then update.

use super::algorithm::ElementWise;
use super::clip::{NormType, clip_value};
use super::rule::{self, Carried, Decay, Rule, VisitRule};
use crate::kernel::{Isa, Job, Lanes, Line};

/// Penalties added to the mean gradient and bounds on it, before clipping measures its norm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GradientRule {
    /// `λ` of `λ Σ|w|`.
    pub l1: f64,
    /// `λ` of `½ λ Σ w²`.
    pub l2: f64,
    /// Bound of each element.
    pub clip_value: Option<f64>,
    /// The norm that clipping measures.
    pub norm: NormType,
}

impl GradientRule {
    /// With penalties times `factor`.
    pub fn times(self, factor: f64) -> Self {
        GradientRule { l1: self.l1 * factor, l2: self.l2 * factor, ..self }
    }
}

/// Sums over a run of parameters, computed as 16-lane partial sums whose lanes are added in a fixed order.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct GradientSums {
    /// `Σ g²` before any clipping.
    pub squares: f64,
    /// After clipping by value: `Σ|g|`, `Σ g²` or `max |g|`, as [`GradientRule::norm`] says.
    pub measure: f64,
    /// `λ₁ Σ|w| + ½ λ₂ Σ w²`.
    pub penalty: f64,
}

/// Adds the gradients of the penalties to `grads`, clips by value, and measures.
///
/// # Panics
/// If the lengths differ.
pub(crate) fn finish_gradient(isa: Isa, rule: &GradientRule, params: &[Line], grads: &mut [Line]) -> GradientSums {
    assert_eq!(params.len(), grads.len());
    if rule.l1 == 0.0 && rule.l2 == 0.0 && rule.clip_value.is_none() && rule.norm == NormType::L2 {
        let squares = isa.run(SumOfSquares { grads });
        return GradientSums { squares, measure: squares, penalty: 0.0 };
    }
    isa.run(Finish { rule, params, grads })
}

/// `Σ x²` over lines, in four chains; their lanes are added in groups of four.
pub(crate) fn sum_of_squares(isa: Isa, lines: &[Line]) -> f64 {
    isa.run(SumOfSquares { grads: lines })
}

struct SumOfSquares<'a> {
    grads: &'a [Line],
}

impl Job for SumOfSquares<'_> {
    type Output = f64;
    #[inline(always)]
    fn run<L: Lanes>(self) -> f64 {
        // Several sums in parallel hide the latency of the additions.
        let mut sums = [L::broadcast(0.0); 4];
        let (fours, rest) = self.grads.as_chunks::<4>();
        for lines in fours {
            for (sum, g) in sums.iter_mut().zip(lines) {
                let g = L::load(g);
                *sum = g.mul_add(g, *sum);
            }
        }
        for (sum, g) in sums.iter_mut().zip(rest) {
            let g = L::load(g);
            *sum = g.mul_add(g, *sum);
        }
        sum_of_lanes((sums[0] + sums[1]) + (sums[2] + sums[3]))
    }
}

#[inline(always)]
fn sum_of_lanes<L: Lanes>(lanes: L) -> f64 {
    let lanes = lanes.to_array();
    let fours: [f64; 4] = std::array::from_fn(|i| lanes[4 * i..4 * i + 4].iter().map(|x| f64::from(*x)).sum());
    (fours[0] + fours[1]) + (fours[2] + fours[3])
}

struct Finish<'a> {
    rule: &'a GradientRule,
    params: &'a [Line],
    grads: &'a mut [Line],
}

impl Job for Finish<'_> {
    type Output = GradientSums;
    #[inline(always)]
    fn run<L: Lanes>(self) -> GradientSums {
        let zero = L::broadcast(0.0);
        let (l1, l2) = (L::splat(self.rule.l1), L::splat(self.rule.l2));
        let limit = self.rule.clip_value.unwrap_or(f64::INFINITY);
        let (mut squares, mut measure, mut sizes, mut powers) = (zero, zero, zero, zero);
        for (w, line) in self.params.iter().zip(self.grads) {
            let w = L::load(w);
            let sign = L::select(zero.lt(w), L::splat(1.0), L::select(w.lt(zero), L::splat(-1.0), zero));
            let g = sign.mul_add(l1, w.mul_add(l2, L::load(line)));
            squares = g.mul_add(g, squares);
            let g = clip_value(g, limit);
            measure = match self.rule.norm {
                NormType::L1 => measure + g.abs(),
                NormType::L2 => g.mul_add(g, measure),
                NormType::Inf => measure.max(g.abs()), // the second operand where it is NaN
            };
            sizes = sizes + w.abs();
            powers = w.mul_add(w, powers);
            g.store(line);
        }
        let measure = match self.rule.norm {
            NormType::Inf => measure.to_array().iter().fold(0.0, |most: f64, x| {
                let x = f64::from(*x);
                if most >= x || most.is_nan() { most } else { x }
            }),
            NormType::L1 | NormType::L2 => sum_of_lanes(measure),
        };
        let penalty = self.rule.l1 * sum_of_lanes(sizes) + 0.5 * self.rule.l2 * sum_of_lanes(powers);
        GradientSums { squares: sum_of_lanes(squares), measure, penalty }
    }
}

/// A run of parameters with everything that its update reads and writes; all of the same length.
pub struct Span<'a, const N: usize> {
    /// The parameters.
    pub params: &'a mut [Line],
    /// Their mean gradients.
    pub grads: &'a [Line],
    /// The optimizer's state: for Adam `m`, then `v`.
    pub state: [&'a mut [Line]; N],
    /// The moving average of the parameters.
    pub average: Option<&'a mut [Line]>,
}

/// What a step does to a span beside the rule itself.
#[derive(Debug, Clone, Copy)]
pub struct UpdateForm {
    /// Factor of the gradient from clipping; 1 if nothing is clipped.
    pub clip: f64,
    /// Weight decay of this span.
    pub decay: Decay,
    /// Decay of the moving average; 0 copies the parameters.
    pub average: f64,
}

/// Updates a span in one pass: clip factor, decay, rule, moving average. `scalars` are the rule's, of this step.
///
/// # Panics
/// If lengths disagree.
pub fn update<const N: usize, U: Rule<N>>(isa: Isa, scalars: &U::Scalars, change: &UpdateForm, span: Span<'_, N>) {
    assert!(span.grads.len() == span.params.len() && span.state.iter().all(|s| s.len() == span.params.len()));
    assert!(span.average.as_ref().is_none_or(|a| a.len() == span.params.len()));
    isa.run(UpdateJob::<N, U> { scalars, change, span });
}

/// Writes `p + c (s − p)` for many parameters `p` and the first numbers `s` of their state.
///
/// # Panics
/// If lengths differ.
pub fn write_between(isa: Isa, c: f64, (params, state): (&[Line], &[Line]), to: &mut [Line]) {
    assert!(to.len() == params.len() && to.len() == state.len());
    isa.run(Between { c, params, state, to });
}

struct Between<'a> {
    c: f64,
    params: &'a [Line],
    state: &'a [Line],
    to: &'a mut [Line],
}

impl Job for Between<'_> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self) {
        for ((to, p), s) in self.to.iter_mut().zip(self.params).zip(self.state) {
            rule::between(self.c, L::load(p), L::load(s)).store(to);
        }
    }
}

/// [`update`] for whole buffers with an element-wise optimizer: step `t`, counted from 1, at learning rate `lr`.
///
/// # Panics
/// If lengths or the number of states disagree.
pub fn update_buffers(
    isa: Isa,
    optimizer: ElementWise,
    (t, lr): (u64, f64),
    change: &UpdateForm,
    buffers: (&mut [Line], &[Line], &mut [Vec<Line>]),
    carried: &mut Carried,
) {
    optimizer.visit(UpdateBuffers { isa, t, lr, change, buffers, carried });
}

struct UpdateBuffers<'a> {
    isa: Isa,
    t: u64,
    lr: f64,
    change: &'a UpdateForm,
    buffers: (&'a mut [Line], &'a [Line], &'a mut [Vec<Line>]),
    carried: &'a mut Carried,
}

impl VisitRule for UpdateBuffers<'_> {
    type Output = ();

    fn visit<const N: usize, U: Rule<N>>(self, rule: U) {
        let (params, grads, state) = self.buffers;
        let state: &mut [Vec<Line>; N] = state.try_into().expect("as many states as the rule has");
        let state = state.each_mut().map(|s| &mut s[..]);
        let scalars = rule.at_step(self.t, self.lr, self.carried);
        update::<N, U>(self.isa, &scalars, self.change, Span { params, grads, state, average: None });
    }
}

struct UpdateJob<'u, 'a, const N: usize, U: Rule<N>> {
    scalars: &'u U::Scalars,
    change: &'u UpdateForm,
    span: Span<'a, N>,
}

/// Prefetch distance in lines for writing. Other cores have read the weights; fetching a line from them only when it is written
/// costs more than the whole update of the line.
const AHEAD: usize = 28;

impl<const N: usize, U: Rule<N>> Job for UpdateJob<'_, '_, N, U> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let Span { params, grads, mut state, average } = self.span;
        // Copies. Behind references a store could change them, so they would be loaded and broadcast again for every line.
        let (scalars, decay) = (*self.scalars, self.change.decay);
        let clip = L::splat(self.change.clip);
        for i in 0..params.len() {
            L::prefetch_to_write(params.as_ptr().wrapping_add(i + AHEAD));
            let (p, g) = (L::load(&params[i]), L::load(&grads[i]) * clip);
            let mut moved: [L; N] = std::array::from_fn(|n| L::load(&state[n][i]));
            let p = rule::step::<N, U, L>(&scalars, &decay, p, g, &mut moved);
            p.store(&mut params[i]);
            for (lanes, lines) in moved.iter().zip(state.iter_mut()) {
                lanes.store(&mut lines[i]);
            }
        }
        if let Some(average) = average {
            for (a, p) in average.iter_mut().zip(params.iter()) {
                rule::moving_average(self.change.average, L::load(a), L::load(p)).store(a);
            }
        }
    }
}

#[cfg(test)]
mod tests;

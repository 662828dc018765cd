//! Rprop: uses only the signs of gradients; for steps over the whole training part.

use super::entry::{Entry, rate};
use super::field::{Field, Range};
use super::optimizer::{Optimizer, OwnDecay};
use super::rule::{Carried, Rule, VisitRule, sign};
use crate::kernel::Real;

/// Each parameter has a step size `Δ`, which starts at the learning rate; the rate is not used afterwards. With `g'` the
/// gradient of the previous step (0 at first) and `s = g · g'`:
///
/// `Δ ← Δ η₊` if `s > 0`, `Δ η₋` if `s < 0`, clamped to `Δ_min..=Δ_max`. If `s < 0`, the gradient counts as 0 now and in the
/// next step. `p ← p − sign(g) · Δ`.
///
/// This is iRprop−: Igel & Hüsken 2003, <https://doi.org/10.1016/S0925-2312(01)00700-7>, after Riedmiller & Braun 1993,
/// <https://doi.org/10.1109/ICNN.1993.298623>. With mini-batches, noise flips signs and the method fails.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rprop {
    /// `η₋`, above 0 and below 1; 0.5 by default.
    pub eta_minus: f64,
    /// `η₊`, above 1; 1.2 by default.
    pub eta_plus: f64,
    /// `Δ_min`, above 0; 1e-6 by default.
    pub step_min: f64,
    /// `Δ_max`, at least `Δ_min`; 50 by default.
    pub step_max: f64,
}

impl Default for Rprop {
    fn default() -> Self {
        Rprop { eta_minus: 0.5, eta_plus: 1.2, step_min: 1e-6, step_max: 50.0 }
    }
}

impl Rprop {
    /// Calls `visitor` with the rule.
    #[inline(always)]
    pub(super) fn visit<V: VisitRule>(self, visitor: V) -> V::Output {
        visitor.visit(Plain(self))
    }
}

/// The entry for `--optimizer`.
pub(super) const RPROP: Entry<Rprop> = Entry {
    name: "rprop",
    source: "Riedmiller & Braun 1993; Igel & Hüsken 2003, doi.org/10.1016/S0925-2312(01)00700-7",
    options: |_| Rprop::default(),
    own: (1e-2, 0.0),
    by_dialect: [rate(1e-2), None, None],
};

impl Optimizer for Rprop {
    fn name(&self) -> &'static str {
        "rprop"
    }

    fn fields(&mut self) -> Vec<Field<'_>> {
        vec![
            Field::new("eta_minus", &mut self.eta_minus, Range::INNER),
            Field::new("eta_plus", &mut self.eta_plus, Range::ABOVE_ONE),
            Field::new("step_min", &mut self.step_min, Range::POSITIVE),
            Field::new("step_max", &mut self.step_max, Range::POSITIVE),
        ]
    }

    fn contradiction(&self) -> Option<String> {
        let Rprop { step_min, step_max, .. } = self;
        (step_min > step_max).then(|| format!("step_min must be at most step_max, found {step_min} and {step_max}"))
    }

    fn own_decay(&self) -> OwnDecay {
        OwnDecay::None
    }

    fn needs_full_batch(&self) -> bool {
        true
    }

    fn follows_schedule(&self) -> bool {
        false
    }
}

/// The rule: state `[g', Δ]`.
#[derive(Debug, Clone, Copy)]
pub struct Plain(pub Rprop);

impl Rule<2> for Plain {
    type Scalars = Rprop;
    const STATE: [&'static str; 2] = ["gradient", "size"];

    fn initial(&self, lr: f64) -> [f64; 2] {
        [0.0, lr]
    }

    fn at_step(&self, _t: u64, _lr: f64, _: &mut Carried) -> Rprop {
        self.0
    }

    #[inline(always)]
    fn update<R: Real>(s: &Rprop, p: R, g: R, [before, size]: &mut [R; 2]) -> R {
        let zero = R::splat(0.0);
        // Signs are multiplied instead of gradients, whose product may underflow if both are small.
        let agreement = sign(g) * sign(*before);
        let (same, turned) = (zero.lt(agreement), agreement.lt(zero));
        let factor = R::select(same, R::splat(s.eta_plus), R::select(turned, R::splat(s.eta_minus), R::splat(1.0)));
        *size = (*size * factor).max(R::splat(s.step_min)).min(R::splat(s.step_max));
        let g = R::select(turned, zero, g);
        *before = g;
        p - sign(g) * *size
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_size_grows_with_agreement_and_shrinks_where_the_sign_turns() {
        let rule = Plain(Rprop { step_max: 0.13, ..Rprop::default() });
        let (mut p, mut state) = (0.0f64, rule.initial(0.1));
        // The gradient, and the expected change of the parameter.
        for (t, (g, moved)) in (1..).zip([(5.0, -0.1), (1e-300, -0.12), (3.0, -0.13), (-2.0, 0.0), (-2.0, 0.065)]) {
            let before = p;
            p = Plain::update(&rule.at_step(t, 1.0, &mut Carried::default()), p, g, &mut state);
            assert!((p - before - moved).abs() < 1e-15, "step {t}: moved by {}", p - before);
        }
    }
}

//! Lion: the sign of an interpolated momentum.

use super::entry::{Entry, rate};
use super::field::{Field, Range};
use super::optimizer::{Optimizer, OwnDecay};
use super::rule::{Carried, Rule, VisitRule, sign};
use crate::kernel::Real;

/// `p ← p − lr · sign(β₁ m + (1 − β₁) g)` with `sign(0) = 0`, then `m ← β₂ m + (1 − β₂) g`. Weight decay is decoupled.
///
/// Chen et al. 2023, Algorithm 2, <https://arxiv.org/abs/2302.06675>.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lion {
    /// `β₁`, within `0..1`; 0.9 by default.
    pub beta1: f64,
    /// `β₂`, within `0..1`; 0.99 by default.
    pub beta2: f64,
}

impl Default for Lion {
    fn default() -> Self {
        Lion { beta1: 0.9, beta2: 0.99 }
    }
}

impl Lion {
    /// Calls `visitor` with the rule.
    #[inline(always)]
    pub(super) fn visit<V: VisitRule>(self, visitor: V) -> V::Output {
        visitor.visit(Plain(self))
    }
}

/// The entry for `--optimizer`.
pub(super) const LION: Entry<Lion> = Entry {
    name: "lion",
    source: "Chen et al. 2023, arxiv.org/abs/2302.06675",
    options: |_| Lion::default(),
    own: (1e-4, 0.0),
    by_dialect: [None, rate(1e-3), None],
};

impl Optimizer for Lion {
    fn name(&self) -> &'static str {
        "lion"
    }

    fn fields(&mut self) -> Vec<Field<'_>> {
        vec![
            Field::new("beta1", &mut self.beta1, Range::FRACTION),
            Field::new("beta2", &mut self.beta2, Range::FRACTION),
        ]
    }

    fn momentum(&mut self) -> Option<&mut f64> {
        Some(&mut self.beta1)
    }

    fn own_decay(&self) -> OwnDecay {
        OwnDecay::Decoupled
    }
}

/// The numbers of one step.
#[derive(Debug, Clone, Copy)]
pub struct Scalars {
    lion: Lion,
    lr: f64,
}

/// The rule: state `[m]`.
#[derive(Debug, Clone, Copy)]
pub struct Plain(pub Lion);

impl Rule<1> for Plain {
    type Scalars = Scalars;
    const STATE: [&'static str; 1] = ["m"];

    fn at_step(&self, _t: u64, lr: f64, _: &mut Carried) -> Scalars {
        Scalars { lion: self.0, lr }
    }

    #[inline(always)]
    fn update<R: Real>(s: &Scalars, p: R, g: R, [m]: &mut [R; 1]) -> R {
        let Lion { beta1, beta2 } = s.lion;
        let direction = m.mul_add(R::splat(beta1), g * R::splat(1.0 - beta1));
        *m = m.mul_add(R::splat(beta2), g * R::splat(1.0 - beta2));
        sign(direction).mul_add(R::splat(-s.lr), p)
    }
}

//! Adamax: Adam whose scale is a decaying maximum of the gradients.

use super::adam::{correction, default_eps};
use super::dialect::Dialect;
use super::entry::{Entry, rate};
use super::field::{Field, Range};
use super::optimizer::Optimizer;
use super::rule::{Carried, Rule, VisitRule};
use crate::kernel::Real;

/// `m ← β₁ m + (1 − β₁) g`, `u ← max(β₂ u, |g| + eps)`, `p ← p − lr / (1 − β₁ᵗ) · m / u`.
///
/// In Keras, `eps` is added last: `u ← max(β₂ u, |g|)`, `p ← p − lr / (1 − β₁ᵗ) · m / (u + eps)`.
///
/// Kingma & Ba 2015, Algorithm 2, <https://arxiv.org/abs/1412.6980>, which has no `eps`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adamax {
    /// `β₁`, within `0..1`; 0.9 by default.
    pub beta1: f64,
    /// `β₂`, within `0..1`; 0.999 by default.
    pub beta2: f64,
    /// Keeps the scale above 0; 1e-8 by default, in Keras 1e-7.
    pub eps: f64,
    /// The library whose equations are used.
    pub dialect: Dialect,
}

impl Adamax {
    /// The library's defaults.
    pub fn of(dialect: Dialect) -> Self {
        Adamax { beta1: 0.9, beta2: 0.999, eps: default_eps(dialect), dialect }
    }

    /// Calls `visitor` with the rule in the dialect's form.
    #[inline(always)]
    pub(super) fn visit<V: VisitRule>(self, visitor: V) -> V::Output {
        match self.dialect {
            Dialect::Keras => visitor.visit(Plain::<true>(self)),
            Dialect::Torch | Dialect::Sklearn => visitor.visit(Plain::<false>(self)),
        }
    }
}

/// The entry for `--optimizer`.
pub(super) const ADAMAX: Entry<Adamax> = Entry {
    name: "adamax",
    source: "Kingma & Ba 2015, arxiv.org/abs/1412.6980",
    options: Adamax::of,
    own: (2e-3, 0.0),
    by_dialect: [rate(2e-3), rate(1e-3), None],
};

impl Optimizer for Adamax {
    fn name(&self) -> &'static str {
        "adamax"
    }

    fn fields(&mut self) -> Vec<Field<'_>> {
        vec![
            Field::new("beta1", &mut self.beta1, Range::FRACTION),
            Field::new("beta2", &mut self.beta2, Range::FRACTION),
            Field::new("eps", &mut self.eps, Range::EPS),
        ]
    }

    fn momentum(&mut self) -> Option<&mut f64> {
        Some(&mut self.beta1)
    }
}

/// The numbers of one step.
#[derive(Debug, Clone, Copy)]
pub struct Scalars {
    beta1: f64,
    beta2: f64,
    eps: f64,
    lr: f64,
}

/// The rule in PyTorch's form or in Keras': state `[m, u]`.
#[derive(Debug, Clone, Copy)]
pub struct Plain<const KERAS: bool>(pub Adamax);

impl<const KERAS: bool> Rule<2> for Plain<KERAS> {
    type Scalars = Scalars;
    const STATE: [&'static str; 2] = ["m", "u"];

    fn at_step(&self, t: u64, lr: f64, _: &mut Carried) -> Scalars {
        let Adamax { beta1, beta2, eps, .. } = self.0;
        Scalars { beta1, beta2, eps, lr: lr / correction(beta1, t) }
    }

    #[inline(always)]
    fn update<R: Real>(s: &Scalars, p: R, g: R, [m, u]: &mut [R; 2]) -> R {
        let eps = R::splat(s.eps);
        *m = m.mul_add(R::splat(s.beta1), g * R::splat(1.0 - s.beta1));
        let (faded, size) = (*u * R::splat(s.beta2), g.abs());
        *u = faded.max(if KERAS { size } else { size + eps });
        p - *m * R::splat(s.lr) / if KERAS { *u + eps } else { *u }
    }
}

//! RAdam: Adam whose scale is rectified, or omitted while few gradients have been seen.

use super::adam::{Scalars, correction};
use super::entry::{Entry, rate};
use super::field::{Field, Range};
use super::optimizer::{Optimizer, OwnDecay};
use super::rule::{Carried, Rule, VisitRule};
use crate::kernel::Real;

/// `m` and `v` as in [`super::Adam`]; with `ρ∞ = 2 / (1 − β₂) − 1` and `ρ = ρ∞ − 2 t β₂ᵗ / (1 − β₂ᵗ)`, if `ρ > 5`
///
/// `p ← p − lr · m / (1 − β₁ᵗ) · r √(1 − β₂ᵗ) / (√v + eps)`, `r = √((ρ − 4)(ρ − 2) ρ∞ / ((ρ∞ − 4)(ρ∞ − 2) ρ))`,
///
/// otherwise `p ← p − lr · m / (1 − β₁ᵗ)`. `eps` is added to the root without bias correction, as in PyTorch.
///
/// Liu et al. 2020, Algorithm 2, <https://arxiv.org/abs/1908.03265>, which has 4 instead of 5.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RAdam {
    /// `β₁`, within `0..1`; 0.9 by default.
    pub beta1: f64,
    /// `β₂`, within `0..1`; 0.999 by default.
    pub beta2: f64,
    /// Added to the root, above 0; 1e-8 by default.
    pub eps: f64,
    /// Whether weight decay is decoupled.
    pub decoupled_weight_decay: bool,
}

impl Default for RAdam {
    fn default() -> Self {
        RAdam { beta1: 0.9, beta2: 0.999, eps: 1e-8, decoupled_weight_decay: false }
    }
}

impl RAdam {
    /// Calls `visitor` with the rule.
    #[inline(always)]
    pub(super) fn visit<V: VisitRule>(self, visitor: V) -> V::Output {
        visitor.visit(Plain(self))
    }
}

/// The entry for `--optimizer`.
pub(super) const RADAM: Entry<RAdam> = Entry {
    name: "radam",
    source: "Liu et al. 2020, arxiv.org/abs/1908.03265",
    options: |_| RAdam::default(),
    own: (1e-3, 0.0),
    by_dialect: [rate(1e-3), None, None],
};

impl Optimizer for RAdam {
    fn name(&self) -> &'static str {
        "radam"
    }

    fn fields(&mut self) -> Vec<Field<'_>> {
        vec![
            Field::new("beta1", &mut self.beta1, Range::FRACTION),
            Field::new("beta2", &mut self.beta2, Range::FRACTION),
            Field::new("eps", &mut self.eps, Range::EPS),
            Field::switch("decoupled_weight_decay", &mut self.decoupled_weight_decay),
        ]
    }

    fn momentum(&mut self) -> Option<&mut f64> {
        Some(&mut self.beta1)
    }

    fn own_decay(&self) -> OwnDecay {
        if self.decoupled_weight_decay { OwnDecay::Decoupled } else { OwnDecay::Coupled }
    }
}

/// The rule: state `[m, v]`.
#[derive(Debug, Clone, Copy)]
pub struct Plain(pub RAdam);

impl Rule<2> for Plain {
    type Scalars = Scalars;
    const STATE: [&'static str; 2] = ["m", "v"];

    fn at_step(&self, t: u64, lr: f64, _: &mut Carried) -> Scalars {
        let RAdam { beta1, beta2, eps, .. } = self.0;
        let (lr, of_v) = (lr / correction(beta1, t), correction(beta2, t));
        let most = 2.0 / (1.0 - beta2) - 1.0;
        let rho = most - 2.0 * t as f64 * libm::pow(beta2, t as f64) / of_v;
        if rho > 5.0 {
            let r = ((rho - 4.0) * (rho - 2.0) * most / ((most - 4.0) * (most - 2.0) * rho)).sqrt();
            Scalars { beta1, beta2, eps, lr: lr * r * of_v.sqrt(), root_scale: 1.0 }
        } else {
            // The quotient m / (0 · √v + 1) is m.
            Scalars { beta1, beta2, eps: 1.0, lr, root_scale: 0.0 }
        }
    }

    #[inline(always)]
    fn update<R: Real>(s: &Scalars, p: R, g: R, [m, v]: &mut [R; 2]) -> R {
        s.observe(g, m, v);
        s.along(p, *m, *v)
    }
}

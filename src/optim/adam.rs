//! Adam. AdamW is Adam with decoupled decay.

use super::dialect::Dialect;
use super::entry::{Entry, rate};
use super::field::{Field, Range};
use super::optimizer::Optimizer;
use super::rule::{Carried, Rule, VisitRule};
use crate::kernel::Real;

/// `m ← β₁ m + (1 − β₁) g`, `v ← β₂ v + (1 − β₂) g²`, with `c₁ = 1 − β₁ᵗ`, `c₂ = 1 − β₂ᵗ`:
/// `p ← p − lr · (m / c₁) / (√(v / c₂) + eps)`.
///
/// In Keras and scikit-learn, `eps` is added to the root without bias correction: `p ← p − lr · √c₂ / c₁ · m / (√v + eps)`.
/// Their `eps` acts as `eps / √c₂` would above.
///
/// AMSGrad replaces `v` in the last formula by the largest uncorrected `v` so far.
///
/// Kingma & Ba 2015, Algorithm 1, <https://arxiv.org/abs/1412.6980>; AMSGrad: Reddi et al. 2018,
/// <https://arxiv.org/abs/1904.09237>.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adam {
    /// `β₁`, within `0..1`; 0.9 by default.
    pub beta1: f64,
    /// `β₂`, within `0..1`; 0.999 by default.
    pub beta2: f64,
    /// Added to the root, above 0; 1e-8 by default, in Keras 1e-7.
    pub eps: f64,
    /// Whether to use AMSGrad, so that the scale never falls.
    pub amsgrad: bool,
    /// The library whose equations are used.
    pub dialect: Dialect,
}

impl Default for Adam {
    fn default() -> Self {
        Adam { beta1: 0.9, beta2: 0.999, eps: 1e-8, amsgrad: false, dialect: Dialect::Torch }
    }
}

impl Adam {
    /// The library's defaults.
    pub fn of(dialect: Dialect) -> Self {
        Adam { eps: default_eps(dialect), dialect, ..Adam::default() }
    }

    /// Calls `visitor` with the variant of the rule that keeps only the state these options need.
    #[inline(always)]
    pub(super) fn visit<V: VisitRule>(self, visitor: V) -> V::Output {
        if self.amsgrad { visitor.visit(AmsGrad(self)) } else { visitor.visit(Plain(self)) }
    }
}

/// The entry for `--optimizer`.
pub(super) const ADAM: Entry<Adam> = Entry {
    name: "adam",
    source: "Kingma & Ba 2015, arxiv.org/abs/1412.6980",
    options: Adam::of,
    own: (1e-3, 0.0),
    by_dialect: [rate(1e-3), rate(1e-3), rate(1e-3)],
};

/// The entry for `--optimizer`.
pub(super) const AMSGRAD: Entry<Adam> = Entry {
    name: "amsgrad",
    source: "Reddi et al. 2018, arxiv.org/abs/1904.09237",
    options: |dialect| Adam { amsgrad: true, ..Adam::of(dialect) },
    own: (1e-3, 0.0),
    by_dialect: [rate(1e-3), rate(1e-3), None],
};

impl Optimizer for Adam {
    fn name(&self) -> &'static str {
        "adam"
    }

    fn fields(&mut self) -> Vec<Field<'_>> {
        let mut fields = vec![
            Field::new("beta1", &mut self.beta1, Range::FRACTION),
            Field::new("beta2", &mut self.beta2, Range::FRACTION),
            Field::new("eps", &mut self.eps, Range::EPS),
        ];
        if self.dialect != Dialect::Sklearn {
            fields.push(Field::switch("amsgrad", &mut self.amsgrad));
        }
        fields
    }

    fn momentum(&mut self) -> Option<&mut f64> {
        Some(&mut self.beta1)
    }
}

/// The default `eps` of Adam and of rules derived from it.
pub(super) fn default_eps(dialect: Dialect) -> f64 {
    if dialect == Dialect::Keras { 1e-7 } else { 1e-8 }
}

/// The numbers of one step of [`Adam`] and of rules with its moments: `p ← p − lr · m / (root_scale · √v + eps)`.
#[derive(Debug, Clone, Copy)]
pub struct Scalars {
    pub(super) beta1: f64,
    pub(super) beta2: f64,
    pub(super) eps: f64,
    pub(super) lr: f64,
    pub(super) root_scale: f64,
}

/// The bias correction `1 − βᵗ`.
pub(super) fn correction(beta: f64, t: u64) -> f64 {
    match t as f64 * (1.0 - beta) {
        0.0..=40.0 => 1.0 - libm::pow(beta, t as f64),
        _ => 1.0, // to the last bit, for βᵗ ≤ exp(−t (1 − β))
    }
}

impl Adam {
    fn scalars(&self, t: u64, lr: f64) -> Scalars {
        let Adam { beta1, beta2, eps, .. } = *self;
        let (lr, root) = (lr / correction(beta1, t), correction(beta2, t).sqrt());
        let (lr, root_scale) = match self.dialect {
            Dialect::Torch => (lr, 1.0 / root),
            Dialect::Keras | Dialect::Sklearn => (lr * root, 1.0),
        };
        Scalars { beta1, beta2, eps, lr, root_scale }
    }
}

impl Scalars {
    /// Updates both moments.
    #[inline(always)]
    pub(super) fn observe<R: Real>(&self, g: R, m: &mut R, v: &mut R) {
        *m = m.mul_add(R::splat(self.beta1), g * R::splat(1.0 - self.beta1));
        *v = v.mul_add(R::splat(self.beta2), g * g * R::splat(1.0 - self.beta2));
    }

    /// The parameter after the step along `m`, scaled by `v`.
    #[inline(always)]
    pub(super) fn along<R: Real>(&self, p: R, m: R, v: R) -> R {
        let root = v.sqrt().mul_add(R::splat(self.root_scale), R::splat(self.eps));
        p - m * R::splat(self.lr) / root
    }
}

/// The rule as published: state `[m, v]`.
#[derive(Debug, Clone, Copy)]
pub struct Plain(pub Adam);

impl Rule<2> for Plain {
    type Scalars = Scalars;
    const STATE: [&'static str; 2] = ["m", "v"];
    fn at_step(&self, t: u64, lr: f64, _: &mut Carried) -> Scalars {
        self.0.scalars(t, lr)
    }
    #[inline(always)]
    fn update<R: Real>(s: &Scalars, p: R, g: R, [m, v]: &mut [R; 2]) -> R {
        s.observe(g, m, v);
        s.along(p, *m, *v)
    }
}

/// AMSGrad: state `[m, v, largest v]`.
#[derive(Debug, Clone, Copy)]
pub struct AmsGrad(pub Adam);

impl Rule<3> for AmsGrad {
    type Scalars = Scalars;
    const STATE: [&'static str; 3] = ["m", "v", "largest_v"];
    fn at_step(&self, t: u64, lr: f64, _: &mut Carried) -> Scalars {
        self.0.scalars(t, lr)
    }
    #[inline(always)]
    fn update<R: Real>(s: &Scalars, p: R, g: R, [m, v, largest]: &mut [R; 3]) -> R {
        s.observe(g, m, v);
        *largest = largest.max(*v);
        s.along(p, *m, *largest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_step_moves_each_parameter_by_lr() {
        let scalars = Plain(Adam::default()).at_step(1, 0.01, &mut Carried::default());
        for g in [1e-3f32, 0.5, -20.0] {
            let moved = Plain::update(&scalars, 0.0, g, &mut [0.0; 2]);
            assert!((moved + 0.01 * g.signum()).abs() < 1e-6, "gradient {g}: moved by {moved}");
        }
        assert_eq!(Plain::update(&scalars, 0.0f32, 0.0, &mut [0.0; 2]), 0.0);
    }

    #[test]
    fn the_scale_of_amsgrad_never_falls() {
        let rule = AmsGrad(Adam { beta2: 0.5, ..Adam::default() });
        let mut state = [0.0f64; 3];
        for (t, g) in (1..).zip([4.0, 0.1, 0.1, 0.1]) {
            let before = state[2];
            AmsGrad::update(&rule.at_step(t, 0.01, &mut Carried::default()), 0.0, g, &mut state);
            assert!(state[2] >= before && state[2] >= state[1], "step {t}: {state:?}");
        }
        assert_eq!(state[2], 8.0);
    }
}

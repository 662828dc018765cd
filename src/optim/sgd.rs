//! Stochastic gradient descent, with or without momentum.

use super::dialect::Dialect;
use super::entry::{Entry, rate};
use super::field::{Field, Range};
use super::optimizer::Optimizer;
use super::rule::{Carried, Rule, VisitRule};
use crate::kernel::Real;

/// Gradient descent; with momentum `μ` and dampening `τ`:
///
/// `b ← μ b + (1 − τ) g` (at the first step `b ← g`), `p ← p − lr · b`, or with Nesterov's momentum
/// `p ← p − lr · (g + μ b)`. Without momentum `p ← p − lr · g`.
///
/// Keras and scikit-learn have no dampening, and the learning rate inside the velocity: `b ← μ b + lr · g`, `p ← p − b`, or
/// with Nesterov's momentum `p ← p − (lr · g + μ b)`. Equivalent while the learning rate is constant; different once it
/// changes.
///
/// Polyak 1964; Nesterov 1983; Sutskever et al. 2013, <https://proceedings.mlr.press/v28/sutskever13.html>.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sgd {
    /// `μ`, within `0..1`; 0 by default.
    pub momentum: f64,
    /// `τ`, within `0..=1`; 0 by default.
    pub dampening: f64,
    /// Nesterov's momentum; in PyTorch it requires momentum above 0 and no dampening.
    pub nesterov: bool,
    /// The library whose equations are used.
    pub dialect: Dialect,
}

impl Default for Sgd {
    fn default() -> Self {
        Sgd { momentum: 0.0, dampening: 0.0, nesterov: false, dialect: Dialect::Torch }
    }
}

impl Sgd {
    /// The library's defaults: scikit-learn has Nesterov's momentum of 0.9, the others none.
    pub fn of(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Sklearn => Sgd { momentum: 0.9, nesterov: true, dialect, ..Sgd::default() },
            Dialect::Torch | Dialect::Keras => Sgd { dialect, ..Sgd::default() },
        }
    }

    /// Calls `visitor` with the variant of the rule that keeps only the state these options need.
    #[inline(always)]
    pub(super) fn visit<V: VisitRule>(self, visitor: V) -> V::Output {
        if self.momentum == 0.0 { visitor.visit(Plain) } else { visitor.visit(Momentum(self)) }
    }
}

/// Plain descent.
pub(super) const SGD: Entry<Sgd> = Entry {
    name: "sgd",
    source: "Robbins & Monro 1951, doi.org/10.1214/aoms/1177729586",
    options: Sgd::of,
    own: (1e-2, 0.0),
    by_dialect: [rate(1e-3), rate(1e-2), rate(1e-3)],
};

/// Descent with momentum.
pub(super) const MOMENTUM: Entry<Sgd> = Entry {
    name: "momentum",
    source: "Polyak 1964; Sutskever et al. 2013, proceedings.mlr.press/v28/sutskever13.html",
    options: |dialect| Sgd { momentum: 0.9, nesterov: false, ..Sgd::of(dialect) },
    own: (1e-2, 0.0),
    by_dialect: [rate(1e-3), rate(1e-2), rate(1e-3)],
};

/// Descent with Nesterov's momentum.
pub(super) const NESTEROV: Entry<Sgd> = Entry {
    name: "nesterov",
    source: "Nesterov 1983; Sutskever et al. 2013, proceedings.mlr.press/v28/sutskever13.html",
    options: |dialect| Sgd { momentum: 0.9, nesterov: true, ..Sgd::of(dialect) },
    own: (1e-2, 0.0),
    by_dialect: [rate(1e-3), rate(1e-2), rate(1e-3)],
};

impl Optimizer for Sgd {
    fn name(&self) -> &'static str {
        "sgd"
    }

    fn fields(&mut self) -> Vec<Field<'_>> {
        let mut fields = vec![Field::new("momentum", &mut self.momentum, Range::FRACTION)];
        if self.dialect == Dialect::Torch {
            fields.push(Field::new("dampening", &mut self.dampening, Range::SHARE));
        }
        fields.push(Field::switch("nesterov", &mut self.nesterov));
        fields
    }

    fn contradiction(&self) -> Option<String> {
        let Sgd { momentum, dampening, nesterov, dialect } = *self;
        if dialect == Dialect::Torch && nesterov && (momentum == 0.0 || dampening != 0.0) {
            let found = format!("momentum={momentum}, dampening={dampening}");
            return Some(format!("nesterov needs a momentum above 0 and no dampening, found {found}"));
        }
        (dampening != 0.0 && momentum == 0.0).then(|| "dampening needs a momentum above 0: try momentum=0.9".to_owned())
    }

    fn momentum(&mut self) -> Option<&mut f64> {
        Some(&mut self.momentum).filter(|momentum| **momentum != 0.0)
    }
}

/// The rule without momentum: no state.
#[derive(Debug, Clone, Copy)]
pub struct Plain;

impl Rule<0> for Plain {
    type Scalars = f64;
    const STATE: [&'static str; 0] = [];

    fn at_step(&self, _t: u64, lr: f64, _: &mut Carried) -> f64 {
        lr
    }

    #[inline(always)]
    fn update<R: Real>(lr: &f64, p: R, g: R, _: &mut [R; 0]) -> R {
        g.mul_add(R::splat(-lr), p)
    }
}

/// The rule with momentum: state `[b]`.
#[derive(Debug, Clone, Copy)]
pub struct Momentum(pub Sgd);

/// The numbers of one step of [`Momentum`].
#[derive(Debug, Clone, Copy)]
pub struct MomentumScalars {
    momentum: f64,
    intake: f64,
    along_gradient: f64,
    along_velocity: f64,
}

impl Rule<1> for Momentum {
    type Scalars = MomentumScalars;
    const STATE: [&'static str; 1] = ["b"];

    fn at_step(&self, t: u64, lr: f64, _: &mut Carried) -> MomentumScalars {
        let Sgd { momentum, dampening, nesterov, dialect } = self.0;
        // The factors of the gradient into the velocity, and of the velocity into the parameter.
        let (intake, outlet) = match dialect {
            Dialect::Torch => (if t == 1 { 1.0 } else { 1.0 - dampening }, lr),
            Dialect::Keras | Dialect::Sklearn => (lr, 1.0),
        };
        let (along_gradient, along_velocity) = if nesterov { (lr, outlet * momentum) } else { (0.0, outlet) };
        MomentumScalars { momentum, intake, along_gradient, along_velocity }
    }

    #[inline(always)]
    fn update<R: Real>(s: &MomentumScalars, p: R, g: R, [b]: &mut [R; 1]) -> R {
        *b = b.mul_add(R::splat(s.momentum), g * R::splat(s.intake));
        b.mul_add(R::splat(-s.along_velocity), g.mul_add(R::splat(-s.along_gradient), p))
    }
}

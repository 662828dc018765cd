//! Adadelta: the step size follows the size of recent steps, in units of the parameter.

use super::dialect::Dialect;
use super::entry::{Entry, rate};
use super::field::{Field, Range};
use super::optimizer::Optimizer;
use super::rule::{Carried, Rule, VisitRule};
use crate::kernel::Real;

/// `v ← ρ v + (1 − ρ) g²`, `u = √(d + eps) / √(v + eps) · g`, `d ← ρ d + (1 − ρ) u²`, `p ← p − lr · u`.
///
/// Zeiler 2012, Algorithm 1, <https://arxiv.org/abs/1212.5701>, with a learning rate of 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adadelta {
    /// `ρ`, within `0..1`; 0.9 by default, in Keras 0.95.
    pub rho: f64,
    /// Added inside both roots, above 0; 1e-6 by default, in Keras 1e-7.
    pub eps: f64,
}

impl Adadelta {
    /// The library's defaults.
    pub fn of(dialect: Dialect) -> Self {
        let (rho, eps) = if dialect == Dialect::Keras { (0.95, 1e-7) } else { (0.9, 1e-6) };
        Adadelta { rho, eps }
    }

    /// Calls `visitor` with the rule.
    #[inline(always)]
    pub(super) fn visit<V: VisitRule>(self, visitor: V) -> V::Output {
        visitor.visit(Plain(self))
    }
}

/// The entry for `--optimizer`.
pub(super) const ADADELTA: Entry<Adadelta> = Entry {
    name: "adadelta",
    source: "Zeiler 2012, arxiv.org/abs/1212.5701",
    options: Adadelta::of,
    own: (1.0, 0.0),
    by_dialect: [rate(1.0), rate(1e-3), None],
};

impl Optimizer for Adadelta {
    fn name(&self) -> &'static str {
        "adadelta"
    }

    fn fields(&mut self) -> Vec<Field<'_>> {
        vec![Field::new("rho", &mut self.rho, Range::FRACTION), Field::new("eps", &mut self.eps, Range::EPS)]
    }
}

/// The numbers of one step.
#[derive(Debug, Clone, Copy)]
pub struct Scalars {
    rho: f64,
    eps: f64,
    lr: f64,
}

/// The rule: state `[v, d]`.
#[derive(Debug, Clone, Copy)]
pub struct Plain(pub Adadelta);

impl Rule<2> for Plain {
    type Scalars = Scalars;
    const STATE: [&'static str; 2] = ["v", "d"];

    fn at_step(&self, _t: u64, lr: f64, _: &mut Carried) -> Scalars {
        Scalars { rho: self.0.rho, eps: self.0.eps, lr }
    }

    #[inline(always)]
    fn update<R: Real>(s: &Scalars, p: R, g: R, [v, d]: &mut [R; 2]) -> R {
        let (rho, rest, eps) = (R::splat(s.rho), R::splat(1.0 - s.rho), R::splat(s.eps));
        *v = v.mul_add(rho, g * g * rest);
        let u = (*d + eps).sqrt() / (*v + eps).sqrt() * g;
        *d = d.mul_add(rho, u * u * rest);
        u.mul_add(R::splat(-s.lr), p)
    }
}

//! RMSprop, with or without momentum, centred or not.

use super::dialect::Dialect;
use super::entry::{Entry, rate};
use super::field::{Field, Range};
use super::optimizer::Optimizer;
use super::rule::{Carried, Rule, VisitRule};
use crate::kernel::Real;

/// `v ← α v + (1 − α) g²`, `r = √v`, `u = g / (r + eps)`, `p ← p − lr · u`.
///
/// Centred: also `m ← α m + (1 − α) g`, `r = √(v − m²)`. With momentum `μ`: `b ← μ b + u`, `p ← p − lr · b`. If rounding makes
/// `v − m²` negative, it counts as 0; PyTorch gives NaN there.
///
/// Keras has `eps` inside the root, `r = √(v + eps)` or `√(v − m² + eps)`, `u = g / r`, and the learning rate inside the
/// velocity: `b ← μ b + lr · u`, `p ← p − b`.
///
/// Tieleman & Hinton 2012, lecture 6.5; centred: Graves 2013, <https://arxiv.org/abs/1308.0850>.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RmsProp {
    /// `α`, within `0..1`; 0.99 by default, in Keras (`rho`) 0.9.
    pub alpha: f64,
    /// Added to the root, above 0; 1e-8 by default, in Keras 1e-7.
    pub eps: f64,
    /// `μ`, within `0..1`; 0 by default.
    pub momentum: f64,
    /// Whether the scale is the gradient's variance rather than its mean square.
    pub centered: bool,
    /// The library whose equations are used.
    pub dialect: Dialect,
}

impl Default for RmsProp {
    fn default() -> Self {
        RmsProp { alpha: 0.99, eps: 1e-8, momentum: 0.0, centered: false, dialect: Dialect::Torch }
    }
}

impl RmsProp {
    /// The library's defaults.
    pub fn of(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Keras => RmsProp { alpha: 0.9, eps: 1e-7, dialect, ..RmsProp::default() },
            Dialect::Torch | Dialect::Sklearn => RmsProp { dialect, ..RmsProp::default() },
        }
    }

    /// Calls `visitor` with the variant of the rule that keeps only the state these options need, in the dialect's form.
    #[inline(always)]
    pub(super) fn visit<V: VisitRule>(self, visitor: V) -> V::Output {
        match self.dialect {
            Dialect::Keras => self.visit_form::<true, V>(visitor),
            Dialect::Torch | Dialect::Sklearn => self.visit_form::<false, V>(visitor),
        }
    }

    #[inline(always)]
    fn visit_form<const KERAS: bool, V: VisitRule>(self, visitor: V) -> V::Output {
        match (self.centered, self.momentum != 0.0) {
            (false, false) => visitor.visit(Plain::<KERAS>(self)),
            (false, true) => visitor.visit(RmspropMomentum::<KERAS>(self)),
            (true, false) => visitor.visit(Centered::<KERAS>(self)),
            (true, true) => visitor.visit(CenteredMomentum::<KERAS>(self)),
        }
    }
}

/// The entry for `--optimizer`.
pub(super) const RMSPROP: Entry<RmsProp> = Entry {
    name: "rmsprop",
    source: "Tieleman & Hinton 2012, lecture 6.5; centred: Graves 2013, arxiv.org/abs/1308.0850",
    options: RmsProp::of,
    own: (1e-2, 0.0),
    by_dialect: [rate(1e-2), rate(1e-3), None],
};

impl Optimizer for RmsProp {
    fn name(&self) -> &'static str {
        "rmsprop"
    }

    fn fields(&mut self) -> Vec<Field<'_>> {
        vec![
            Field::new("alpha", &mut self.alpha, Range::FRACTION),
            Field::new("eps", &mut self.eps, Range::EPS),
            Field::new("momentum", &mut self.momentum, Range::FRACTION),
            Field::switch("centered", &mut self.centered),
        ]
    }

    fn momentum(&mut self) -> Option<&mut f64> {
        Some(&mut self.momentum).filter(|momentum| **momentum != 0.0)
    }
}

/// The numbers of one step.
#[derive(Debug, Clone, Copy)]
pub struct Scalars {
    alpha: f64,
    eps: f64,
    momentum: f64,
    lr: f64,
}

impl RmsProp {
    fn scalars(&self, lr: f64) -> Scalars {
        Scalars { alpha: self.alpha, eps: self.eps, momentum: self.momentum, lr }
    }
}

impl Scalars {
    /// `α average + (1 − α) x`.
    #[inline(always)]
    fn average<R: Real>(&self, average: R, x: R) -> R {
        average.mul_add(R::splat(self.alpha), x * R::splat(1.0 - self.alpha))
    }

    /// `u`, from the square of the scale.
    #[inline(always)]
    fn divided<const KERAS: bool, R: Real>(&self, g: R, square: R) -> R {
        let eps = R::splat(self.eps);
        g / if KERAS { (square + eps).sqrt() } else { square.sqrt() + eps }
    }

    /// `u` from the mean square alone.
    #[inline(always)]
    fn scaled<const KERAS: bool, R: Real>(&self, g: R, v: &mut R) -> R {
        *v = self.average(*v, g * g);
        self.divided::<KERAS, R>(g, *v)
    }

    /// `u` from the variance.
    #[inline(always)]
    fn scaled_by_variance<const KERAS: bool, R: Real>(&self, g: R, v: &mut R, m: &mut R) -> R {
        *v = self.average(*v, g * g);
        *m = self.average(*m, g);
        self.divided::<KERAS, R>(g, R::splat(0.0).max((-*m).mul_add(*m, *v)))
    }

    /// The step along `u`.
    #[inline(always)]
    fn along<R: Real>(&self, p: R, u: R) -> R {
        u.mul_add(R::splat(-self.lr), p)
    }

    /// The step along the velocity, to which `u` is added.
    #[inline(always)]
    fn along_velocity<const KERAS: bool, R: Real>(&self, p: R, u: R, b: &mut R) -> R {
        let u = if KERAS { u * R::splat(self.lr) } else { u };
        *b = b.mul_add(R::splat(self.momentum), u);
        if KERAS { p - *b } else { self.along(p, *b) }
    }
}

/// The rule without options, in PyTorch's form or in Keras': state `[v]`.
#[derive(Debug, Clone, Copy)]
pub struct Plain<const KERAS: bool>(pub RmsProp);

impl<const KERAS: bool> Rule<1> for Plain<KERAS> {
    type Scalars = Scalars;
    const STATE: [&'static str; 1] = ["v"];
    fn at_step(&self, _t: u64, lr: f64, _: &mut Carried) -> Scalars {
        self.0.scalars(lr)
    }
    #[inline(always)]
    fn update<R: Real>(s: &Scalars, p: R, g: R, [v]: &mut [R; 1]) -> R {
        s.along(p, s.scaled::<KERAS, R>(g, v))
    }
}

/// The rule with momentum: state `[v, b]`.
#[derive(Debug, Clone, Copy)]
pub struct RmspropMomentum<const KERAS: bool>(pub RmsProp);

impl<const KERAS: bool> Rule<2> for RmspropMomentum<KERAS> {
    type Scalars = Scalars;
    const STATE: [&'static str; 2] = ["v", "b"];
    fn at_step(&self, _t: u64, lr: f64, _: &mut Carried) -> Scalars {
        self.0.scalars(lr)
    }
    #[inline(always)]
    fn update<R: Real>(s: &Scalars, p: R, g: R, [v, b]: &mut [R; 2]) -> R {
        s.along_velocity::<KERAS, R>(p, s.scaled::<KERAS, R>(g, v), b)
    }
}

/// The centred rule: state `[v, m]`.
#[derive(Debug, Clone, Copy)]
pub struct Centered<const KERAS: bool>(pub RmsProp);

impl<const KERAS: bool> Rule<2> for Centered<KERAS> {
    type Scalars = Scalars;
    const STATE: [&'static str; 2] = ["v", "m"];
    fn at_step(&self, _t: u64, lr: f64, _: &mut Carried) -> Scalars {
        self.0.scalars(lr)
    }
    #[inline(always)]
    fn update<R: Real>(s: &Scalars, p: R, g: R, [v, m]: &mut [R; 2]) -> R {
        s.along(p, s.scaled_by_variance::<KERAS, R>(g, v, m))
    }
}

/// The centred rule with momentum: state `[v, m, b]`.
#[derive(Debug, Clone, Copy)]
pub struct CenteredMomentum<const KERAS: bool>(pub RmsProp);

impl<const KERAS: bool> Rule<3> for CenteredMomentum<KERAS> {
    type Scalars = Scalars;
    const STATE: [&'static str; 3] = ["v", "m", "b"];
    fn at_step(&self, _t: u64, lr: f64, _: &mut Carried) -> Scalars {
        self.0.scalars(lr)
    }
    #[inline(always)]
    fn update<R: Real>(s: &Scalars, p: R, g: R, [v, m, b]: &mut [R; 3]) -> R {
        s.along_velocity::<KERAS, R>(p, s.scaled_by_variance::<KERAS, R>(g, v, m), b)
    }
}

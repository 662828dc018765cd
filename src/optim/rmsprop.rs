//! RMSprop in PyTorch's form: `eps` stands outside the root.

use super::rule::Rule;
use crate::kernel::Real;

/// `v ← α v + (1 − α) g²`, `r = √v`, `u = g / (r + eps)`, `p ← p − lr · u`.
///
/// Centred: also `m ← α m + (1 − α) g`, `r = √(v − m²)`. With momentum `μ`: `b ← μ b + u`, `p ← p − lr · b`.
/// Where rounding takes `v − m²` below 0, it counts as 0; PyTorch gives NaN there.
///
/// Tieleman & Hinton 2012, lecture 6.5; centred: Graves 2013, <https://arxiv.org/abs/1308.0850>.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RmsProp {
    /// `α`, within `0..1`; 0.99 by default.
    pub alpha: f64,
    /// Added to the root, above 0; 1e-8 by default.
    pub eps: f64,
    /// `μ`, within `0..1`; 0 by default.
    pub momentum: f64,
    /// Whether the gradient's variance is the scale, rather than its mean square.
    pub centered: bool,
}

impl Default for RmsProp {
    fn default() -> Self {
        RmsProp { alpha: 0.99, eps: 1e-8, momentum: 0.0, centered: false }
    }
}

/// One step's numbers.
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

    /// `u` from the mean square alone.
    #[inline(always)]
    fn scaled<R: Real>(&self, g: R, v: &mut R) -> R {
        *v = self.average(*v, g * g);
        g / (v.sqrt() + R::splat(self.eps))
    }

    /// `u` from the variance.
    #[inline(always)]
    fn scaled_by_variance<R: Real>(&self, g: R, v: &mut R, m: &mut R) -> R {
        *v = self.average(*v, g * g);
        *m = self.average(*m, g);
        let variance = R::splat(0.0).max((-*m).mul_add(*m, *v));
        g / (variance.sqrt() + R::splat(self.eps))
    }

    /// The step along `u` itself.
    #[inline(always)]
    fn along<R: Real>(&self, p: R, u: R) -> R {
        u.mul_add(R::splat(-self.lr), p)
    }

    /// The step along the velocity that `u` feeds.
    #[inline(always)]
    fn along_velocity<R: Real>(&self, p: R, u: R, b: &mut R) -> R {
        *b = b.mul_add(R::splat(self.momentum), u);
        self.along(p, *b)
    }
}

/// The rule without options: state `[v]`.
#[derive(Debug, Clone, Copy)]
pub struct Plain(pub RmsProp);

impl Rule<1> for Plain {
    type Scalars = Scalars;
    fn at_step(&self, _t: u64, lr: f64) -> Scalars {
        self.0.scalars(lr)
    }
    #[inline(always)]
    fn update<R: Real>(s: &Scalars, p: R, g: R, [v]: &mut [R; 1]) -> R {
        s.along(p, s.scaled(g, v))
    }
}

/// The rule with momentum: state `[v, b]`.
#[derive(Debug, Clone, Copy)]
pub struct Momentum(pub RmsProp);

impl Rule<2> for Momentum {
    type Scalars = Scalars;
    fn at_step(&self, _t: u64, lr: f64) -> Scalars {
        self.0.scalars(lr)
    }
    #[inline(always)]
    fn update<R: Real>(s: &Scalars, p: R, g: R, [v, b]: &mut [R; 2]) -> R {
        s.along_velocity(p, s.scaled(g, v), b)
    }
}

/// The centred rule: state `[v, m]`.
#[derive(Debug, Clone, Copy)]
pub struct Centered(pub RmsProp);

impl Rule<2> for Centered {
    type Scalars = Scalars;
    fn at_step(&self, _t: u64, lr: f64) -> Scalars {
        self.0.scalars(lr)
    }
    #[inline(always)]
    fn update<R: Real>(s: &Scalars, p: R, g: R, [v, m]: &mut [R; 2]) -> R {
        s.along(p, s.scaled_by_variance(g, v, m))
    }
}

/// The centred rule with momentum: state `[v, m, b]`.
#[derive(Debug, Clone, Copy)]
pub struct CenteredMomentum(pub RmsProp);

impl Rule<3> for CenteredMomentum {
    type Scalars = Scalars;
    fn at_step(&self, _t: u64, lr: f64) -> Scalars {
        self.0.scalars(lr)
    }
    #[inline(always)]
    fn update<R: Real>(s: &Scalars, p: R, g: R, [v, m, b]: &mut [R; 3]) -> R {
        s.along_velocity(p, s.scaled_by_variance(g, v, m), b)
    }
}

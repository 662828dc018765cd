//! Stochastic gradient descent, with momentum or without, in PyTorch's form.

use super::rule::Rule;
use crate::kernel::Real;

/// Gradient descent; with momentum `μ` and dampening `τ`:
///
/// `b ← μ b + (1 − τ) g` (at the first step `b ← g`), `p ← p − lr · b`, or with Nesterov's momentum
/// `p ← p − lr · (g + μ b)`. The learning rate is outside the velocity. Without momentum `p ← p − lr · g`.
///
/// Polyak 1964; Nesterov 1983; Sutskever et al. 2013, <https://proceedings.mlr.press/v28/sutskever13.html>.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sgd {
    /// `μ`, within `0..1`; 0 by default.
    pub momentum: f64,
    /// `τ`, within `0..=1`; 0 by default.
    pub dampening: f64,
    /// Nesterov's momentum; needs momentum above 0 and no dampening.
    pub nesterov: bool,
}

impl Default for Sgd {
    fn default() -> Self {
        Sgd { momentum: 0.0, dampening: 0.0, nesterov: false }
    }
}

/// The rule without momentum: no state.
#[derive(Debug, Clone, Copy)]
pub struct Plain;

impl Rule<0> for Plain {
    type Scalars = f64;

    fn at_step(&self, _t: u64, lr: f64) -> f64 {
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

/// One step's numbers of [`Momentum`].
#[derive(Debug, Clone, Copy)]
pub struct MomentumScalars {
    momentum: f64,
    intake: f64,
    along_gradient: f64,
    along_velocity: f64,
}

impl Rule<1> for Momentum {
    type Scalars = MomentumScalars;

    fn at_step(&self, t: u64, lr: f64) -> MomentumScalars {
        let Sgd { momentum, dampening, nesterov } = self.0;
        let (along_gradient, along_velocity) = if nesterov { (lr, lr * momentum) } else { (0.0, lr) };
        MomentumScalars { momentum, intake: if t == 1 { 1.0 } else { 1.0 - dampening }, along_gradient, along_velocity }
    }

    #[inline(always)]
    fn update<R: Real>(s: &MomentumScalars, p: R, g: R, [b]: &mut [R; 1]) -> R {
        *b = b.mul_add(R::splat(s.momentum), g * R::splat(s.intake));
        b.mul_add(R::splat(-s.along_velocity), g.mul_add(R::splat(-s.along_gradient), p))
    }
}

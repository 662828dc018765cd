//! Element-wise optimizers: a formula for one parameter, and numbers that are the same for all parameters in a step.

use crate::kernel::Real;

/// Numbers that a rule carries from step to step for all parameters together, 0 before the first step; most rules need none.
pub type Carried = [f64; 2];

/// An element-wise update with `N` numbers of state for each parameter.
///
/// The formula is written once: scalars check it, 16 lanes run it. Options that need different state are separate rules.
pub trait Rule<const N: usize>: Copy + Send + Sync {
    /// Numbers of one step, the same for every parameter.
    type Scalars: Copy + Send + Sync;

    /// The names of the state in a saved state.
    const STATE: [&'static str; N];

    /// The state before the first step, the same for every parameter; `lr` is the optimizer's own learning rate.
    fn initial(&self, _lr: f64) -> [f64; N] {
        [0.0; N]
    }

    /// The numbers of step `t`, counted from 1, at learning rate `lr`; powers and bias corrections are computed in `f64`.
    /// Advances `carried`, so it must be called once for each step.
    fn at_step(&self, t: u64, lr: f64, carried: &mut Carried) -> Self::Scalars;

    /// The numbers at `factor` times the learning rate; `carried` is that before the step.
    fn at_rate(&self, t: u64, lr: f64, factor: f64, mut carried: Carried) -> Self::Scalars {
        self.at_step(t, lr * factor, &mut carried)
    }

    /// The parameter `p` after the step, given its gradient `g`; advances `state`.
    fn update<R: Real>(scalars: &Self::Scalars, p: R, g: R, state: &mut [R; N]) -> R;

    /// Override this if the rule supports [`field@Decay::in_direction`]; by default it is ignored.
    #[inline(always)]
    fn update_decayed<R: Real>(scalars: &Self::Scalars, _in_direction: f64, p: R, g: R, state: &mut [R; N]) -> R {
        Self::update(scalars, p, g, state)
    }
}

/// An operation on an optimizer's rule, compiled for each rule.
pub trait VisitRule {
    /// The result.
    type Output;
    /// Runs the operation.
    fn visit<const N: usize, U: Rule<N>>(self, rule: U) -> Self::Output;
}

/// −1, 0 or 1; 0 for NaN.
#[inline(always)]
pub(super) fn sign<R: Real>(x: R) -> R {
    let zero = R::splat(0.0);
    R::select(zero.lt(x), R::splat(1.0), R::select(x.lt(zero), R::splat(-1.0), zero))
}

/// Weight decay of one span of parameters in one step; weights and biases may differ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decay {
    /// Added to the gradient, times the parameter (`λ` of `½ λ p²`), so momentum and scaling apply to it.
    pub coupled: f64,
    /// The parameter is multiplied by this before the update: `1 − lr · λ`.
    pub shrink: f64,
    /// Added to the direction, times the parameter. Momentum and scaling do not apply to it, but later factors do. Only for
    /// optimizers with [`super::OwnDecay::InDirection`].
    pub in_direction: f64,
}

impl Decay {
    /// No decay.
    pub const NONE: Decay = Decay { coupled: 0.0, shrink: 1.0, in_direction: 0.0 };

    /// Decay times `factor`.
    pub fn times(self, factor: f64) -> Self {
        if factor == 1.0 {
            return self;
        }
        Decay {
            coupled: self.coupled * factor,
            shrink: 1.0 - (1.0 - self.shrink) * factor,
            in_direction: self.in_direction * factor,
        }
    }

    /// The penalty `½ λ p²` in the gradient.
    pub fn coupled(lambda: f64) -> Self {
        Decay { coupled: lambda, ..Self::NONE }
    }

    /// Decay in the direction.
    pub fn in_direction(lambda: f64) -> Self {
        Decay { in_direction: lambda, ..Self::NONE }
    }

    /// Decoupled decay, `p ← (1 − lr · λ) p` before the update: Loshchilov & Hutter 2019, <https://arxiv.org/abs/1711.05101>.
    pub fn decoupled(lambda: f64, lr: f64) -> Self {
        Decay { shrink: 1.0 - lr * lambda, ..Self::NONE }
    }
}

/// The whole step of one parameter: decay, then the rule.
#[inline(always)]
pub fn step<const N: usize, U: Rule<N>, R: Real>(
    scalars: &U::Scalars,
    decay: &Decay,
    p: R,
    g: R,
    state: &mut [R; N],
) -> R {
    let g = p.mul_add(R::splat(decay.coupled), g);
    U::update_decayed(scalars, decay.in_direction, p * R::splat(decay.shrink), g, state)
}

/// Exponential moving average of the weights: `decay · average + (1 − decay) · p`, after Polyak & Juditsky 1992.
#[inline(always)]
pub fn moving_average<R: Real>(decay: f64, average: R, p: R) -> R {
    average.mul_add(R::splat(decay), p * R::splat(1.0 - decay))
}

/// `p + c (s − p)`, for [`super::Optimizer::evaluated_between`].
#[inline(always)]
pub fn between<R: Real>(c: f64, p: R, s: R) -> R {
    (s - p).mul_add(R::splat(c), p)
}

//! Adam in PyTorch's form: `eps` stands beside the bias-corrected root. AdamW is Adam with decoupled decay.

use super::rule::Rule;
use crate::kernel::Real;

/// `m ← β₁ m + (1 − β₁) g`, `v ← β₂ v + (1 − β₂) g²`, with `c₁ = 1 − β₁ᵗ`, `c₂ = 1 − β₂ᵗ`:
/// `p ← p − lr · (m / c₁) / (√(v / c₂) + eps)`.
///
/// AMSGrad takes the largest `v` so far (of the uncorrected ones) for `v` in the last formula.
///
/// Kingma & Ba 2015, Algorithm 1, <https://arxiv.org/abs/1412.6980>; AMSGrad: Reddi et al. 2018,
/// <https://arxiv.org/abs/1904.09237>.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adam {
    /// `β₁`, within `0..1`; 0.9 by default.
    pub beta1: f64,
    /// `β₂`, within `0..1`; 0.999 by default.
    pub beta2: f64,
    /// Added to the root, above 0; 1e-8 by default.
    pub eps: f64,
    /// Whether the scale never falls.
    pub amsgrad: bool,
}

impl Default for Adam {
    fn default() -> Self {
        Adam { beta1: 0.9, beta2: 0.999, eps: 1e-8, amsgrad: false }
    }
}

/// One step's numbers.
#[derive(Debug, Clone, Copy)]
pub struct Scalars {
    beta1: f64,
    beta2: f64,
    eps: f64,
    /// `lr / c₁`.
    lr: f64,
    /// `1 / √c₂`.
    root_scale: f64,
}

impl Adam {
    fn scalars(&self, t: u64, lr: f64) -> Scalars {
        // βᵗ ≤ exp(−t (1 − β)): beyond 40 the correction is 1 to the last bit.
        let correction = |beta: f64| match t as f64 * (1.0 - beta) {
            0.0..=40.0 => 1.0 - libm::pow(beta, t as f64),
            _ => 1.0,
        };
        Scalars {
            beta1: self.beta1,
            beta2: self.beta2,
            eps: self.eps,
            lr: lr / correction(self.beta1),
            root_scale: 1.0 / correction(self.beta2).sqrt(),
        }
    }
}

impl Scalars {
    /// Moves both moments on.
    #[inline(always)]
    fn observe<R: Real>(&self, g: R, m: &mut R, v: &mut R) {
        *m = m.mul_add(R::splat(self.beta1), g * R::splat(1.0 - self.beta1));
        *v = v.mul_add(R::splat(self.beta2), g * g * R::splat(1.0 - self.beta2));
    }

    /// The parameter after the step along `m`, scaled by `v`.
    #[inline(always)]
    fn along<R: Real>(&self, p: R, m: R, v: R) -> R {
        let root = v.sqrt().mul_add(R::splat(self.root_scale), R::splat(self.eps));
        p - m * R::splat(self.lr) / root
    }
}

/// The rule as published: state `[m, v]`.
#[derive(Debug, Clone, Copy)]
pub struct Plain(pub Adam);

impl Rule<2> for Plain {
    type Scalars = Scalars;
    fn at_step(&self, t: u64, lr: f64) -> Scalars {
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
    fn at_step(&self, t: u64, lr: f64) -> Scalars {
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
        let scalars = Plain(Adam::default()).at_step(1, 0.01);
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
            AmsGrad::update(&rule.at_step(t, 0.01), 0.0, g, &mut state);
            assert!(state[2] >= before && state[2] >= state[1], "step {t}: {state:?}");
        }
        assert_eq!(state[2], 8.0);
    }
}

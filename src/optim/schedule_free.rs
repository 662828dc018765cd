//! Schedule-Free AdamW: an average of the weights replaces the decay of the learning rate.

use super::adam;
use super::entry::Entry;
use super::field::{Field, Range};
use super::optimizer::{Optimizer, OwnDecay};
use super::rule::{Carried, Rule, VisitRule};
use crate::kernel::Real;

/// Gradients are computed at `y`, between a fast sequence `z` and its average `x`; `x` is evaluated and kept.
///
/// With `v ← β₂ v + (1 − β₂) g²`, `u = g / (√(v / (1 − β₂ᵗ)) + eps) + λ y`, the rate `γₜ = lr · min(1, t / warmup_steps)`, the
/// weight `wₜ = tʳ · (max γ so far)^weight_lr_power` and `c = wₜ / (w₁ + … + wₜ)`, starting from `x = y = z`:
///
/// `x ← (1 − c) x + c (z − γ u)`, `z ← z − γ u`, `y = (1 − β₁) z + β₁ x`.
///
/// Only `y` and `z` are stored: `y ← y + c (z − y) + γ (β₁ (1 − c) − 1) u`, and `x = y + (1 − 1/β₁) (z − y)`.
///
/// Defazio et al. 2024, <https://arxiv.org/abs/2405.15682>, as in the authors' package `schedulefree` 1.4.1; its defaults.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScheduleFree {
    /// `β₁`, above 0 and below 1: how close `y` is to the average; 0.9 by default.
    pub beta1: f64,
    /// `β₂`, within `0..1`; 0.999 by default.
    pub beta2: f64,
    /// Added to the root, above 0; 1e-8 by default.
    pub eps: f64,
    /// Steps of a linear warm-up of the rate from 0; none by default.
    pub warmup_steps: usize,
    /// `r`: how much more later steps count; 0 by default.
    pub r: f64,
    /// How much more steps at a higher rate count; 2 by default.
    pub weight_lr_power: f64,
}

impl Default for ScheduleFree {
    fn default() -> Self {
        let (r, weight_lr_power) = (0.0, 2.0);
        ScheduleFree { beta1: 0.9, beta2: 0.999, eps: 1e-8, warmup_steps: 0, r, weight_lr_power }
    }
}

impl ScheduleFree {
    /// Calls `visitor` with the rule.
    #[inline(always)]
    pub(super) fn visit<V: VisitRule>(self, visitor: V) -> V::Output {
        visitor.visit(Averaged(self))
    }

    /// `γₜ` at learning rate `lr`.
    fn rate(&self, t: u64, lr: f64) -> f64 {
        if t < self.warmup_steps as u64 { lr * t as f64 / self.warmup_steps as f64 } else { lr }
    }

    /// `c` of step `t` at learning rate `lr`; to be called once for each step. `sum` is `w₁ + … + wₜ`, `largest` the largest
    /// `γ`.
    fn averaging_weight(&self, t: u64, lr: f64, [sum, largest]: &mut Carried) -> f64 {
        *largest = largest.max(self.rate(t, lr));
        let weight = libm::pow(t as f64, self.r) * libm::pow(*largest, self.weight_lr_power);
        *sum += weight;
        if *sum > 0.0 { weight / *sum } else { 0.0 }
    }
}

/// The entry for `--optimizer`.
pub(super) const SCHEDULE_FREE: Entry<ScheduleFree> = Entry {
    name: "schedulefree",
    source: "Defazio et al. 2024, arxiv.org/abs/2405.15682",
    options: |_| ScheduleFree::default(),
    own: (2.5e-3, 0.0),
    by_dialect: [None, None, None],
};

impl Optimizer for ScheduleFree {
    fn name(&self) -> &'static str {
        "schedulefree"
    }

    fn fields(&mut self) -> Vec<Field<'_>> {
        vec![
            Field::new("beta1", &mut self.beta1, Range::INNER),
            Field::new("beta2", &mut self.beta2, Range::FRACTION),
            Field::new("eps", &mut self.eps, Range::EPS),
            Field::new("warmup_steps", &mut self.warmup_steps, Range::COUNT),
            Field::new("r", &mut self.r, Range::NOT_NEGATIVE),
            Field::new("weight_lr_power", &mut self.weight_lr_power, Range::NOT_NEGATIVE),
        ]
    }

    fn own_decay(&self) -> OwnDecay {
        OwnDecay::InDirection
    }

    fn evaluated_between(&self) -> Option<f64> {
        Some(1.0 - 1.0 / self.beta1)
    }
}

/// The rule: parameters are `y`, state `[z, v]`.
#[derive(Debug, Clone, Copy)]
pub struct Averaged(pub ScheduleFree);

/// The numbers of one step.
#[derive(Debug, Clone, Copy)]
pub struct Scalars {
    /// Whether this is the first step, in which `z` is initialised.
    first: bool,
    beta2: f64,
    eps: f64,
    /// `1 / √(1 − β₂ᵗ)`.
    root_scale: f64,
    /// `c`.
    c: f64,
    /// `γ`.
    rate: f64,
    /// `γ (β₁ (1 − c) − 1)`.
    rate_of_y: f64,
}

impl Averaged {
    fn scalars(&self, t: u64, rate: f64, c: f64) -> Scalars {
        let ScheduleFree { beta1, beta2, eps, .. } = self.0;
        let rate_of_y = rate * (beta1 * (1.0 - c) - 1.0);
        let root_scale = 1.0 / adam::correction(beta2, t).sqrt();
        Scalars { first: t == 1, beta2, eps, root_scale, c, rate, rate_of_y }
    }
}

impl Rule<2> for Averaged {
    type Scalars = Scalars;
    const STATE: [&'static str; 2] = ["z", "v"];

    fn at_step(&self, t: u64, lr: f64, carried: &mut Carried) -> Scalars {
        self.scalars(t, self.0.rate(t, lr), self.0.averaging_weight(t, lr, carried))
    }

    /// All parameters have the same `c`, whatever their rates.
    fn at_rate(&self, t: u64, lr: f64, factor: f64, mut carried: Carried) -> Scalars {
        self.scalars(t, self.0.rate(t, lr * factor), self.0.averaging_weight(t, lr, &mut carried))
    }

    #[inline(always)]
    fn update<R: Real>(s: &Scalars, y: R, g: R, state: &mut [R; 2]) -> R {
        Self::update_decayed(s, 0.0, y, g, state)
    }

    #[inline(always)]
    fn update_decayed<R: Real>(s: &Scalars, decay: f64, y: R, g: R, [z, v]: &mut [R; 2]) -> R {
        if s.first {
            *z = y;
        }
        *v = v.mul_add(R::splat(s.beta2), g * g * R::splat(1.0 - s.beta2));
        let root = v.sqrt().mul_add(R::splat(s.root_scale), R::splat(s.eps));
        let u = y.mul_add(R::splat(decay), g / root);
        let y = (*z - y).mul_add(R::splat(s.c), y);
        *z = u.mul_add(R::splat(-s.rate), *z);
        u.mul_add(R::splat(s.rate_of_y), y)
    }
}

#[cfg(test)]
mod tests {
    use super::super::rule::between;
    use super::*;

    /// Compares the three sequences of the paper, stored as they are, with the two that the rule stores.
    #[test]
    fn the_average_is_the_one_of_the_paper() {
        let options = ScheduleFree { beta1: 0.8, warmup_steps: 4, r: 0.5, ..ScheduleFree::default() };
        let (mut carried, mut y, mut state) = (Carried::default(), 1.5f64, [0.0; 2]);
        let (mut x, mut z, mut v, mut sum, mut largest) = (1.5, 1.5, 0.0, 0.0, 0.0f64);
        for t in 1..=20u64 {
            let lr = if t < 12 { 0.1 } else { 0.05 };
            let g = 2.0 * y - 0.3 * t as f64;
            y = Averaged::update(&Averaged(options).at_step(t, lr, &mut carried), y, g, &mut state);

            let rate = lr * f64::min(1.0, t as f64 / 4.0);
            largest = largest.max(rate);
            let weight = libm::sqrt(t as f64) * largest * largest;
            sum += weight;
            v = 0.999 * v + 0.001 * g * g;
            z -= rate * g / (libm::sqrt(v / (1.0 - libm::pow(0.999, t as f64))) + 1e-8);
            x += weight / sum * (z - x);
            assert!(
                (between(options.evaluated_between().unwrap(), y, state[0]) - x).abs() < 1e-12
                    && (0.2 * z + 0.8 * x - y).abs() < 1e-12,
                "step {t}"
            );
        }
    }
}

//! NAdam: Adam with Nesterov's momentum.

use super::adam::{correction, default_eps};
use super::dialect::Dialect;
use super::entry::{Entry, rate};
use super::field::{Field, Range};
use super::optimizer::{Optimizer, OwnDecay};
use super::rule::{Carried, Rule, VisitRule};
use crate::kernel::Real;

/// `m` and `v` as in [`super::Adam`]; with `μₜ = β₁ (1 − ½ · 0.96^(t ψ))`, `Pₜ = μ₁ ⋯ μₜ`, `r = √(v / (1 − β₂ᵗ)) + eps`:
///
/// `p ← p − lr · ((1 − μₜ) / (1 − Pₜ) · g + μₜ₊₁ / (1 − Pₜ₊₁) · m) / r`.
///
/// Keras is the same with `ψ = 1`. Dozat 2016, <https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ>.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NAdam {
    /// `β₁`, within `0..1`; 0.9 by default.
    pub beta1: f64,
    /// `β₂`, within `0..1`; 0.999 by default.
    pub beta2: f64,
    /// Added to the root, above 0; 1e-8 by default, in Keras 1e-7.
    pub eps: f64,
    /// `ψ`, at least 0; 0.004 by default, in Keras always 1.
    pub momentum_decay: f64,
    /// Whether weight decay is decoupled, as it always is in Keras.
    pub decoupled_weight_decay: bool,
    /// The library whose equations are used.
    pub dialect: Dialect,
}

impl NAdam {
    /// The library's defaults.
    pub fn of(dialect: Dialect) -> Self {
        let keras = dialect == Dialect::Keras;
        NAdam {
            beta1: 0.9,
            beta2: 0.999,
            eps: default_eps(dialect),
            momentum_decay: if keras { 1.0 } else { 4e-3 },
            decoupled_weight_decay: keras,
            dialect,
        }
    }

    /// `μₜ`.
    fn momentum(&self, t: u64) -> f64 {
        self.beta1 * (1.0 - 0.5 * libm::exp(t as f64 * self.momentum_decay * libm::log(0.96)))
    }

    /// `Pₜ`, by a formula whose cost does not grow with `t`.
    ///
    /// With `q = 0.96^ψ`, `ln(1 − qⁱ/2) = −Σₖ qⁱᵏ / (k 2ᵏ)`; summed over `i ≤ t` as a geometric series,
    /// `Pₜ = β₁ᵗ exp(−Σₖ qᵏ (1 − qᵏᵗ) / (1 − qᵏ) / (k 2ᵏ))`. The factors `1 − qᵏ` grow by `1 − qᵏ⁺¹ = (1 − qᵏ) + qᵏ (1 − q)`,
    /// sums of positive numbers, so nothing cancels.
    fn product(&self, t: u64) -> f64 {
        let ln_q = self.momentum_decay * libm::log(0.96);
        let steps = t as f64;
        let powers = libm::pow(self.beta1, steps);
        if ln_q == 0.0 {
            return powers * libm::pow(0.5, steps);
        }
        let (q, one_less_q) = (libm::exp(ln_q), -libm::expm1(ln_q));
        let (qt, one_less_qt) = (libm::exp(ln_q * steps), -libm::expm1(ln_q * steps));
        let (mut qk, mut qkt) = (q, qt);
        let (mut one_less_qk, mut one_less_qkt) = (one_less_q, one_less_qt);
        let (mut sum, mut half_power) = (0.0, 0.5);
        for k in 1..=TERMS {
            sum += half_power * qk * one_less_qkt / (one_less_qk * f64::from(k));
            one_less_qk += qk * one_less_q;
            one_less_qkt += qkt * one_less_qt;
            qk *= q;
            qkt *= qt;
            half_power *= 0.5;
        }
        powers * libm::exp(-sum)
    }

    /// Calls `visitor` with the rule.
    #[inline(always)]
    pub(super) fn visit<V: VisitRule>(self, visitor: V) -> V::Output {
        visitor.visit(Plain(self))
    }
}

/// The entry for `--optimizer`.
pub(super) const NADAM: Entry<NAdam> = Entry {
    name: "nadam",
    source: "Dozat 2016, openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ",
    options: NAdam::of,
    own: (2e-3, 0.0),
    by_dialect: [rate(2e-3), rate(1e-3), None],
};

impl Optimizer for NAdam {
    fn name(&self) -> &'static str {
        "nadam"
    }

    fn fields(&mut self) -> Vec<Field<'_>> {
        let mut fields = vec![
            Field::new("beta1", &mut self.beta1, Range::FRACTION),
            Field::new("beta2", &mut self.beta2, Range::FRACTION),
            Field::new("eps", &mut self.eps, Range::EPS),
        ];
        if self.dialect != Dialect::Keras {
            fields.push(Field::new("momentum_decay", &mut self.momentum_decay, Range::NOT_NEGATIVE));
            fields.push(Field::switch("decoupled_weight_decay", &mut self.decoupled_weight_decay));
        }
        fields
    }

    fn own_decay(&self) -> OwnDecay {
        if self.decoupled_weight_decay { OwnDecay::Decoupled } else { OwnDecay::Coupled }
    }
}

/// Number of terms of the series in `1 / (k 2ᵏ)`; the remainder is below 2⁻⁶⁰.
const TERMS: u32 = 54;

/// The numbers of one step.
#[derive(Debug, Clone, Copy)]
pub struct Scalars {
    beta1: f64,
    beta2: f64,
    eps: f64,
    root_scale: f64,
    along_gradient: f64,
    along_moment: f64,
}

/// The rule: state `[m, v]`.
#[derive(Debug, Clone, Copy)]
pub struct Plain(pub NAdam);

impl Rule<2> for Plain {
    type Scalars = Scalars;
    const STATE: [&'static str; 2] = ["m", "v"];

    fn at_step(&self, t: u64, lr: f64, _: &mut Carried) -> Scalars {
        let NAdam { beta1, beta2, eps, .. } = self.0;
        let (product, now, next) = (self.0.product(t), self.0.momentum(t), self.0.momentum(t + 1));
        Scalars {
            beta1,
            beta2,
            eps,
            root_scale: 1.0 / correction(beta2, t).sqrt(),
            along_gradient: lr * (1.0 - now) / (1.0 - product),
            along_moment: lr * next / (1.0 - product * next),
        }
    }

    #[inline(always)]
    fn update<R: Real>(s: &Scalars, p: R, g: R, [m, v]: &mut [R; 2]) -> R {
        *m = m.mul_add(R::splat(s.beta1), g * R::splat(1.0 - s.beta1));
        *v = v.mul_add(R::splat(s.beta2), g * g * R::splat(1.0 - s.beta2));
        let root = v.sqrt().mul_add(R::splat(s.root_scale), R::splat(s.eps));
        p - m.mul_add(R::splat(s.along_moment), g * R::splat(s.along_gradient)) / root
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_product_of_momenta_is_the_product() {
        for (beta1, momentum_decay) in [(0.9, 4e-3), (0.9, 1.0), (0.999, 4e-3), (0.99, 1e-9), (0.5, 0.0), (0.8, 50.0)] {
            let nadam = NAdam { beta1, momentum_decay, ..NAdam::of(Dialect::Torch) };
            let mut product = 1.0;
            for t in 1..=3000 {
                product *= nadam.momentum(t);
                let found = nadam.product(t);
                let error = (found - product).abs();
                assert!(error <= 1e-11 * product + 1e-300, "step {t} of {nadam:?}: {found:e}, expected {product:e}");
            }
        }
        assert_eq!(NAdam { beta1: 0.0, ..NAdam::of(Dialect::Torch) }.product(3), 0.0);
    }
}

//! LAMB: Adam with a step length in each tensor that is proportional to the norm of its parameters.

use super::adam;
use super::dialect::Dialect;
use super::entry::{Entry, rate};
use super::field::{Field, Range};
use super::optimizer::{Optimizer, OwnDecay};
use super::per_tensor::{Squares, TensorRole, TensorRule};
use super::rule::{Carried, Rule, VisitRule};
use crate::kernel::Real;

/// `m` and `v` as in [`super::Adam`], `u = (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ) + eps_root) + eps) + λ p`. For each tensor, with
/// weights and biases separate, `p ← p − lr · (‖p‖ / ‖u‖) · u`. The ratio is 1 if one of the norms is 0.
///
/// In Keras weight decay is decoupled: `p ← (1 − lr λ) p` comes first, `‖p‖` is computed after it, and `u` does not include `λ
/// p`.
///
/// You et al. 2020, Algorithm 2 with `φ(x) = x`, <https://arxiv.org/abs/1904.00962>; `eps_root` comes from optax.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lamb {
    /// `β₁`, within `0..1`; 0.9 by default.
    pub beta1: f64,
    /// `β₂`, within `0..1`; 0.999 by default.
    pub beta2: f64,
    /// Added to the root, above 0; 1e-6 by default, in Keras 1e-7.
    pub eps: f64,
    /// Added inside the root, at least 0; 0 by default, in Keras always.
    pub eps_root: f64,
    /// The library whose equations are used.
    pub dialect: Dialect,
}

impl Lamb {
    /// The defaults of Keras, or those of the paper.
    pub fn of(dialect: Dialect) -> Self {
        let eps = if dialect == Dialect::Keras { 1e-7 } else { 1e-6 };
        Lamb { beta1: 0.9, beta2: 0.999, eps, eps_root: 0.0, dialect }
    }
}

/// The entry for `--optimizer`.
pub(super) const LAMB: Entry<Lamb> = Entry {
    name: "lamb",
    source: "You et al. 2020, arxiv.org/abs/1904.00962",
    options: Lamb::of,
    own: (1e-3, 0.0),
    by_dialect: [None, rate(1e-3), None],
};

impl Optimizer for Lamb {
    fn name(&self) -> &'static str {
        "lamb"
    }

    fn fields(&mut self) -> Vec<Field<'_>> {
        let mut fields = vec![
            Field::new("beta1", &mut self.beta1, Range::FRACTION),
            Field::new("beta2", &mut self.beta2, Range::FRACTION),
            Field::new("eps", &mut self.eps, Range::EPS),
        ];
        if self.dialect != Dialect::Keras {
            fields.push(Field::new("eps_root", &mut self.eps_root, Range::NOT_NEGATIVE));
        }
        fields
    }

    fn momentum(&mut self) -> Option<&mut f64> {
        Some(&mut self.beta1)
    }

    fn own_decay(&self) -> OwnDecay {
        if self.dialect == Dialect::Keras { OwnDecay::Decoupled } else { OwnDecay::InDirection }
    }
}

impl TensorRule for Lamb {
    #[inline(always)]
    fn visit<V: VisitRule>(self, _of_weights: bool, visitor: V) -> V::Output {
        visitor.visit(LambMoments(self))
    }

    fn factor(&self, _shape: TensorRole, squares: &Squares) -> f64 {
        trust_ratio(squares.params.sqrt(), squares.directions.sqrt())
    }
}

/// `‖p‖ / ‖u‖`; 1 if one of them is 0.
pub fn trust_ratio(p: f64, u: f64) -> f64 {
    if p > 0.0 && u > 0.0 { p / u } else { 1.0 }
}

/// The numbers of one step.
#[derive(Debug, Clone, Copy)]
pub struct Scalars {
    lamb: Lamb,
    /// `lr / (1 − β₁ᵗ)`.
    lr: f64,
    /// `1 / (1 − β₂ᵗ)`.
    square_scale: f64,
}

/// The direction before its length is set, without decay: state `[m, v]`.
#[derive(Debug, Clone, Copy)]
pub struct LambMoments(pub Lamb);

impl Rule<2> for LambMoments {
    type Scalars = Scalars;
    const STATE: [&'static str; 2] = ["m", "v"];

    fn at_step(&self, t: u64, lr: f64, _: &mut Carried) -> Scalars {
        let Lamb { beta1, beta2, .. } = self.0;
        Scalars { lamb: self.0, lr: lr / adam::correction(beta1, t), square_scale: 1.0 / adam::correction(beta2, t) }
    }

    #[inline(always)]
    fn update<R: Real>(s: &Scalars, p: R, g: R, [m, v]: &mut [R; 2]) -> R {
        let Lamb { beta1, beta2, eps, eps_root, .. } = s.lamb;
        *m = m.mul_add(R::splat(beta1), g * R::splat(1.0 - beta1));
        *v = v.mul_add(R::splat(beta2), g * g * R::splat(1.0 - beta2));
        let root = v.mul_add(R::splat(s.square_scale), R::splat(eps_root)).sqrt();
        p - *m * R::splat(s.lr) / (root + R::splat(eps))
    }
}

//! Adagrad: each parameter's learning rate falls with the sum of its squared gradients.

use super::dialect::Dialect;
use super::entry::{Entry, rate};
use super::field::{Field, Range};
use super::optimizer::Optimizer;
use super::rule::{Carried, Rule, VisitRule};
use crate::kernel::Real;

/// `h ← h + g²`, `p ← p − lr / (1 + (t − 1) η) · g / (√h + eps)`.
///
/// Keras has `eps` inside the root, `g / √(h + eps)`, and no `η`.
///
/// Duchi et al. 2011, <https://jmlr.org/papers/v12/duchi11a.html>.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adagrad {
    /// `η`, at least 0; 0 by default.
    pub lr_decay: f64,
    /// `h` before the first step, at least 0; 0 by default, in Keras 0.1.
    pub initial_accumulator_value: f64,
    /// Added to the root, above 0; 1e-10 by default, in Keras 1e-7.
    pub eps: f64,
    /// The library whose equations are used.
    pub dialect: Dialect,
}

impl Adagrad {
    /// The library's defaults.
    pub fn of(dialect: Dialect) -> Self {
        let (initial_accumulator_value, eps) = if dialect == Dialect::Keras { (0.1, 1e-7) } else { (0.0, 1e-10) };
        Adagrad { lr_decay: 0.0, initial_accumulator_value, eps, dialect }
    }

    /// Calls `visitor` with the rule in the dialect's form.
    #[inline(always)]
    pub(super) fn visit<V: VisitRule>(self, visitor: V) -> V::Output {
        match self.dialect {
            Dialect::Keras => visitor.visit(Plain::<true>(self)),
            Dialect::Torch | Dialect::Sklearn => visitor.visit(Plain::<false>(self)),
        }
    }
}

/// The entry for `--optimizer`.
pub(super) const ADAGRAD: Entry<Adagrad> = Entry {
    name: "adagrad",
    source: "Duchi et al. 2011, jmlr.org/papers/v12/duchi11a.html",
    options: Adagrad::of,
    own: (1e-2, 0.0),
    by_dialect: [rate(1e-2), rate(1e-3), None],
};

impl Optimizer for Adagrad {
    fn name(&self) -> &'static str {
        "adagrad"
    }

    fn fields(&mut self) -> Vec<Field<'_>> {
        let initial = &mut self.initial_accumulator_value;
        let mut fields = vec![
            Field::new("initial_accumulator_value", initial, Range::NOT_NEGATIVE),
            Field::new("eps", &mut self.eps, Range::EPS),
        ];
        if self.dialect != Dialect::Keras {
            fields.push(Field::new("lr_decay", &mut self.lr_decay, Range::NOT_NEGATIVE));
        }
        fields
    }
}

/// The numbers of one step.
#[derive(Debug, Clone, Copy)]
pub struct Scalars {
    eps: f64,
    lr: f64,
}

/// The rule in PyTorch's form or in Keras': state `[h]`.
#[derive(Debug, Clone, Copy)]
pub struct Plain<const KERAS: bool>(pub Adagrad);

impl<const KERAS: bool> Rule<1> for Plain<KERAS> {
    type Scalars = Scalars;
    const STATE: [&'static str; 1] = ["h"];

    fn initial(&self, _lr: f64) -> [f64; 1] {
        [self.0.initial_accumulator_value]
    }

    fn at_step(&self, t: u64, lr: f64, _: &mut Carried) -> Scalars {
        Scalars { eps: self.0.eps, lr: lr / (1.0 + (t - 1) as f64 * self.0.lr_decay) }
    }

    #[inline(always)]
    fn update<R: Real>(s: &Scalars, p: R, g: R, [h]: &mut [R; 1]) -> R {
        let eps = R::splat(s.eps);
        *h = g.mul_add(g, *h);
        p - g * R::splat(s.lr) / if KERAS { (*h + eps).sqrt() } else { h.sqrt() + eps }
    }
}

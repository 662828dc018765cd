//! AdamW: Adam with decoupled weight decay.

use super::Adam;
use super::entry::Entry;
use super::field::Field;
use super::optimizer::{Optimizer, OwnDecay};
use super::rule::VisitRule;

/// [`Adam`] with `p ← (1 − lr · λ) p` before the step, instead of `λ p` in the gradient.
///
/// Loshchilov & Hutter 2019, <https://arxiv.org/abs/1711.05101>.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamW(pub Adam);

impl AdamW {
    /// Calls `visitor` with the variant of the rule that keeps only the state these options need.
    #[inline(always)]
    pub(super) fn visit<V: VisitRule>(self, visitor: V) -> V::Output {
        self.0.visit(visitor)
    }
}

/// The entry for `--optimizer`.
pub(super) const ADAMW: Entry<AdamW> = Entry {
    name: "adamw",
    source: "Loshchilov & Hutter 2019, arxiv.org/abs/1711.05101",
    options: |dialect| AdamW(Adam::of(dialect)),
    own: (1e-3, 1e-2),
    by_dialect: [Some((1e-3, 1e-2)), Some((1e-3, 4e-3)), None],
};

impl Optimizer for AdamW {
    fn name(&self) -> &'static str {
        "adamw"
    }

    fn fields(&mut self) -> Vec<Field<'_>> {
        self.0.fields()
    }

    fn momentum(&mut self) -> Option<&mut f64> {
        self.0.momentum()
    }

    fn own_decay(&self) -> OwnDecay {
        OwnDecay::Decoupled
    }
}

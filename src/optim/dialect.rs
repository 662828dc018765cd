//! The library whose equations and defaults a run follows: libraries implement optimizers of the same name differently.

use std::fmt;
use std::str::FromStr;

use crate::spec::unknown;
use crate::{Error, Result};

/// A library whose equations and defaults are used. Differences between optimizers are described at each optimizer.
///
/// | | PyTorch | Keras | scikit-learn |
/// |---|---|---|---|
/// | learning rate | outside the velocity | inside | inside |
/// | weight decay of the optimizer | in the gradient, but for AdamW | beside the gradient, in every optimizer | none: see the L2 penalty |
/// | L2 penalty of `λ` | `½ λ Σ w²` | `λ Σ w²` | `λ / (2 n) Σ w²`, `n` the batch's sum of weights |
/// | norm clipping divides by | `norm + 10⁻⁶` | `norm` | has none; as PyTorch |
/// | weighted rows are divided by | their sum of weights | the number of rows | their sum of weights |
/// | accumulated batches | count as one batch | mean of their means | have none; as PyTorch |
/// scikit-learn's regression loss is `½ Σ (z − t)²` over the outputs, but it reports the mean over them. For several labels in
/// a row, this program uses the mean of their losses, where scikit-learn follows the sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// PyTorch 2.15.
    Torch,
    /// Keras 3.15.
    Keras,
    /// scikit-learn 1.9, `MLPClassifier` and `MLPRegressor`.
    Sklearn,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Dialect; 3] = [Dialect::Torch, Dialect::Keras, Dialect::Sklearn];

    /// The name for `--dialect`.
    pub fn name(self) -> &'static str {
        match self {
            Dialect::Torch => "torch",
            Dialect::Keras => "keras",
            Dialect::Sklearn => "sklearn",
        }
    }

    /// The library's name.
    pub fn library(self) -> &'static str {
        match self {
            Dialect::Torch => "PyTorch",
            Dialect::Keras => "Keras",
            Dialect::Sklearn => "scikit-learn",
        }
    }

    /// The number added to a norm before a bound is divided by it.
    pub fn norm_addend(self) -> f64 {
        match self {
            Dialect::Keras => 0.0,
            Dialect::Torch | Dialect::Sklearn => 1e-6,
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Dialect {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let named = Self::ALL.into_iter().find(|dialect| dialect.name() == text);
        named.ok_or_else(|| unknown("dialect", text, &Self::ALL.map(Self::name)))
    }
}

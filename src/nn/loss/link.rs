//! From outputs to predictions.

use super::softmax::shifted_exp;
use crate::kernel::Real;
use crate::nn::column::{Column, ColumnMut};
use crate::nn::smooth::sigmoid;

/// Turns a row's outputs into what is predicted: means, probabilities or rates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// The outputs themselves.
    Identity,
    /// `1 / (1 + e⁻ᶻ)` of each output: probability of 1.
    Sigmoid,
    /// `eᶻ / Σ eᶻ`: probabilities of the classes.
    Softmax,
    /// `eᶻ` of each output: rates.
    Exp,
}

impl Link {
    /// Writes the predictions for outputs `z` to `out`.
    ///
    /// # Panics
    /// If `out` is shorter than `z`, or a softmax has no outputs.
    #[inline(always)]
    pub fn apply<R: Real, Z: Column<R> + ?Sized, D: ColumnMut<R> + ?Sized>(self, z: &Z, out: &mut D) {
        match self {
            Link::Identity => (0..z.len()).for_each(|i| out.set(i, z.get(i))),
            Link::Sigmoid => (0..z.len()).for_each(|i| out.set(i, sigmoid(z.get(i)))),
            Link::Exp => (0..z.len()).for_each(|i| out.set(i, z.get(i).exp())),
            Link::Softmax => {
                let (_, sum) = shifted_exp(z, out);
                (0..z.len()).for_each(|i| out.set(i, out.get(i) / sum));
            }
        }
    }
}

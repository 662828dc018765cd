//! From outputs to predictions.

use super::softmax::shifted_exp;
use crate::kernel::Real;
use crate::nn::column::{ColumnMut, OutputColumn};
use crate::nn::smooth::sigmoid;

/// The inverse link function, which turns the outputs of a row into predictions: means, probabilities or rates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// The outputs themselves.
    Identity,
    /// `1 / (1 + e⁻ᶻ)` of each output: the probability of 1.
    Sigmoid,
    /// `eᶻ / Σ eᶻ`: the probabilities of the classes.
    Softmax,
    /// `eᶻ` of each output: rates.
    Exp,
}

impl Link {
    /// Writes the predictions for the outputs `z` to `out`.
    ///
    /// # Panics
    /// If `out` is shorter than `z`, or if there are no outputs for a softmax.
    #[inline(always)]
    pub fn apply<R: Real, Z: OutputColumn<R> + ?Sized, D: ColumnMut<R> + ?Sized>(self, z: &Z, out: &mut D) {
        let sum = if self == Link::Softmax { shifted_exp(z, out).1 } else { R::splat(1.0) };
        for i in 0..z.len() {
            out.set(
                i,
                match self {
                    Link::Identity => z.get(i),
                    Link::Sigmoid => sigmoid(z.get(i)),
                    Link::Exp => z.get(i).exp(),
                    Link::Softmax => out.get(i) / sum,
                },
            );
        }
    }
}

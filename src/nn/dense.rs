//! A linear layer on panels of 16 samples: forward, and backward to its inputs and to its weights.

use std::ops::Range;

use crate::kernel::gemm::{self, Extent};
use crate::kernel::{Isa, LANES, Panels, PanelsMut};

/// The weights of a linear layer: panels `[depth][16 outputs]`. If there is a bias, it is the last line of each panel.
#[derive(Clone, Copy)]
pub struct Weights<'a> {
    /// The lines of all panels.
    pub panels: Panels<'a>,
    /// Lines of a panel: one for each input, and one for the bias.
    pub depth: usize,
    /// Number of outputs.
    pub fan_out: usize,
    /// Number of tensors of this shape, stored one after the other.
    pub stack: usize,
    /// Number of panels of one tensor.
    pub each: usize,
}

impl Weights<'_> {
    /// The part of the weights for the outputs of the panels `of`.
    ///
    /// # Panics
    /// If the lines end before the first of these panels.
    pub fn outputs(self, of: Range<usize>) -> Self {
        let Weights { panels, fan_out, .. } = self;
        let lines = &panels.lines[of.start * panels.stride..];
        let fan_out = fan_out.min(of.end * LANES) - of.start * LANES;
        Weights { panels: Panels { lines, ..panels }, fan_out, each: of.len(), ..self }
    }

    /// The tensor `number` of the stack.
    ///
    /// # Panics
    /// If the lines end before this tensor.
    pub fn of(self, number: usize) -> Self {
        let lines = &self.panels.lines[number * self.each * self.panels.stride..];
        Weights { panels: Panels { lines, ..self.panels }, stack: 1, ..self }
    }
}

/// `Y = W·X`, or `Y += W·X` with `accumulate`, for `samples` sample panels.
///
/// - `x`: panels of `w.depth` lines; with a bias, the last line of each is 1
/// - `y`: panels of which the first `fan_out` lines are overwritten, or added to with `accumulate`
///
/// Each output is one chain of FMAs over `depth`, in order. Cost: `2 · 16 · samples · depth · fan_out` operations.
pub fn forward(isa: Isa, w: Weights<'_>, x: Panels<'_>, y: PanelsMut<'_>, samples: usize, accumulate: bool) {
    gemm::forward(isa, w.panels, x, y, Extent { panels: samples, rows: w.fan_out, depth: w.depth, accumulate });
}

/// `dX = Wᵀ·dZ`, or `dX += Wᵀ·dZ` with `accumulate`, for the first `fan_in` inputs. The bias input has no gradient.
///
/// - `dz`: `samples` panels of `fan_out` lines
/// - `dx`: `samples` panels of which the first `fan_in` lines are overwritten, or added to with `accumulate`
pub fn backward_to_inputs(
    isa: Isa,
    w: Weights<'_>,
    fan_in: usize,
    dz: Panels<'_>,
    dx: PanelsMut<'_>,
    samples: usize,
    accumulate: bool,
) {
    gemm::backward(isa, w.panels, dz, dx, Extent { panels: samples, rows: fan_in, depth: w.fan_out, accumulate });
}

/// `dW = dZ·Xᵀ`, or `dW += dZ·Xᵀ` if `extent.accumulate` continues an earlier block of the batch, for some rows of some
/// weight panels. This is the sum over the batch, as one chain of FMAs over the samples, in order.
///
/// - `x`: panels of the layer's inputs, starting at the first requested row
/// - `dz_t`: panels `[sample][16 outputs]` of the error signals, starting at the first requested weight panel
/// - `dw`: the weight panels, starting at the first requested row
pub fn backward_to_weights(isa: Isa, x: Panels<'_>, dz_t: Panels<'_>, dw: PanelsMut<'_>, extent: Extent) {
    gemm::backward(isa, x, dz_t, dw, extent);
}

#[cfg(test)]
mod tests;

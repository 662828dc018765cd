//! A linear layer on panels of 16 samples: forward, and backward to its inputs and to its weights.

use std::ops::Range;

use crate::kernel::gemm::{self, Extent};
use crate::kernel::{Isa, LANES, Panels, PanelsMut};

/// The weights of one layer: panels `[depth][16 outputs]`; where there is a bias it is the last line of each.
#[derive(Clone, Copy)]
pub struct Weights<'a> {
    /// The lines of all panels.
    pub panels: Panels<'a>,
    /// Lines of a panel: inputs, and one for the bias.
    pub depth: usize,
    /// Outputs.
    pub fan_out: usize,
    /// How many tensors of this form follow each other.
    pub stack: usize,
    /// Panels of one of them.
    pub each: usize,
}

impl Weights<'_> {
    /// The outputs of some of the panels.
    ///
    /// # Panics
    /// If there are fewer panels.
    pub fn outputs(self, of: Range<usize>) -> Self {
        let Weights { panels, fan_out, .. } = self;
        let lines = &panels.lines[of.start * panels.stride..];
        let fan_out = fan_out.min(of.end * LANES) - of.start * LANES;
        Weights { panels: Panels { lines, ..panels }, fan_out, each: of.len(), ..self }
    }

    /// One of a stack of tensors.
    ///
    /// # Panics
    /// If there are fewer.
    pub fn of(self, number: usize) -> Self {
        let lines = &self.panels.lines[number * self.each * self.panels.stride..];
        Weights { panels: Panels { lines, ..self.panels }, stack: 1, ..self }
    }
}

/// `Y = W·X`, or `Y += W·X` where it accumulates, for a run of sample panels.
///
/// - `x`: `samples` panels of `w.depth` lines; with a bias the last line of each is 1
/// - `y`: `samples` panels, the first `fan_out` lines of each overwritten
///
/// Each output is one FMA chain over `depth` in order. Cost: `2 · 16 · samples · depth · fan_out` operations.
pub fn forward(isa: Isa, w: Weights<'_>, x: Panels<'_>, y: PanelsMut<'_>, samples: usize, accumulate: bool) {
    gemm::forward(isa, w.panels, x, y, Extent { panels: samples, rows: w.fan_out, depth: w.depth, accumulate });
}

/// `dX = Wᵀ·dZ`, or `dX += Wᵀ·dZ` where it accumulates, for the first `fan_in` inputs (the bias has none).
///
/// - `dz`: `samples` panels of `fan_out` lines
/// - `dx`: `samples` panels, the first `fan_in` lines of each overwritten
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

/// `dW = dZ·Xᵀ`, or `dW += …` where it goes on from an earlier block of the batch, for some rows of some weight panels:
/// the sum over the batch, one FMA chain over its samples in order.
///
/// - `x`: panels of the activations below, beginning with the first row wanted
/// - `dz_t`: panels `[sample][16 outputs]` of the error signals, beginning with the first weight panel wanted
/// - `dw`: the weight panels, beginning with the first row wanted
pub fn backward_to_weights(isa: Isa, x: Panels<'_>, dz_t: Panels<'_>, dw: PanelsMut<'_>, extent: Extent) {
    gemm::backward(isa, x, dz_t, dw, extent);
}

#[cfg(test)]
mod tests;

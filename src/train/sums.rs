//! Sums of a step: the loss, the norms of the gradient, and the clip factors that follow from them.

use std::sync::Arc;

use super::settings::StepSettings;
use crate::model::Layout;
use crate::optim::clip::{NormType, norm_factor};
use crate::optim::span::GradientSums;

/// Sums over one slot: of its weights, and of its biases, gains or shifts.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SlotSums {
    weights: GradientSums,
    biases: GradientSums,
}

impl SlotSums {
    /// Adds the sums of one range of the slot.
    pub(super) fn add(&mut self, of_weights: bool, sums: &GradientSums, norm: NormType) {
        let to = if of_weights { &mut self.weights } else { &mut self.biases };
        to.squares += sums.squares;
        to.penalty += sums.penalty;
        to.measure = join(norm, to.measure, sums.measure);
    }
}

/// The measure of two parts together; NaN if either is.
fn join(norm: NormType, a: f64, b: f64) -> f64 {
    match norm {
        NormType::L1 | NormType::L2 => a + b,
        NormType::Inf if a.is_nan() || a >= b => a,
        NormType::Inf => b,
    }
}

/// The norm that a measure stands for.
fn root(norm: NormType, measure: f64) -> f64 {
    if norm == NormType::L2 { measure.sqrt() } else { measure }
}

/// A step's loss and gradient norm, the same in every worker.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct StepStats {
    /// Mean loss of the batch before the update, penalties included.
    pub loss: f64,
    /// L2 norm of the mean gradient before clipping, penalties included.
    pub grad_norm: f64,
}

/// Norms of a layer in a step. The norm and the projection of a stack count with its linear layer.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerNorms {
    /// The layer's name.
    pub layer: Arc<str>,
    /// L2 norm of the mean gradient by all tensors of the layer, before clipping.
    pub grad: f64,
    /// L2 norm of its weights before the update; see [`crate::model::Layout::weight_norms`].
    pub weight: f64,
}

impl StepStats {
    /// Whether both are finite, so that training can continue.
    pub(super) fn is_finite(&self) -> bool {
        self.loss.is_finite() && self.grad_norm.is_finite()
    }
}

/// Norms of each tensor's gradient and the factors of clipping; allocated once.
pub(super) struct Clipping {
    /// For each tensor: sums over its weights and over its biases.
    tensors: Vec<SlotSums>,
    /// For each tensor: the factor of its weights and that of its biases.
    factors: Vec<[f64; 2]>,
}

impl Clipping {
    /// For the tensors of a layout.
    pub(super) fn new(layout: &Layout) -> Clipping {
        let count = layout.tensors.len();
        Clipping { tensors: vec![SlotSums::default(); count], factors: vec![[1.0; 2]; count] }
    }

    /// Adds the slots of a step in their order and computes the clip factors, first of each tensor, then the global one.
    pub(super) fn measure(
        &mut self,
        loss: f64,
        slots: &[SlotSums],
        layout: &Layout,
        settings: &StepSettings,
    ) -> StepStats {
        let (norm, addend) = (settings.norm_type(), settings.norm_addend());
        self.tensors.fill(SlotSums::default());
        for (slot, sums) in layout.slots.iter().zip(slots) {
            self.tensors[slot.tensor].add(true, &sums.weights, norm);
            self.tensors[slot.tensor].add(false, &sums.biases, norm);
        }
        let (mut squares, mut penalty, mut measure) = (0.0, 0.0, 0.0);
        for (tensor, factors) in self.tensors.iter().zip(&mut self.factors) {
            for (part, factor) in [tensor.weights, tensor.biases].iter().zip(factors) {
                squares += part.squares;
                penalty += part.penalty;
                let length = root(norm, part.measure);
                *factor = settings.clip_layer.map_or(1.0, |most| norm_factor(length, most, addend));
                let clipped = length * *factor;
                measure = join(norm, measure, if norm == NormType::L2 { clipped * clipped } else { clipped });
            }
        }
        if let Some((most, _)) = settings.clip_norm {
            let global = norm_factor(root(norm, measure), most, addend);
            self.factors.iter_mut().flatten().for_each(|factor| *factor *= global);
        }
        StepStats { loss: loss + penalty, grad_norm: squares.sqrt() }
    }

    /// The clip factor of a tensor's weights, or of its biases.
    pub(super) fn factor(&self, tensor: usize, of_weights: bool) -> f64 {
        self.factors[tensor][usize::from(!of_weights)]
    }

    /// Replaces the factors of the weights and of the biases of a tensor, once directions have replaced its gradient.
    pub(super) fn replace(&mut self, tensor: usize, factors: [f64; 2]) {
        self.factors[tensor] = factors;
    }

    /// Norms of each layer: of its gradient before clipping, and of its weights, which the caller passes.
    pub(super) fn layer_norms(&self, layout: &Layout, weights: Vec<f64>) -> Vec<LayerNorms> {
        let mut squares = vec![0.0; layout.layers.len()];
        for (tensor, sums) in layout.tensors.iter().zip(&self.tensors) {
            squares[tensor.layer] += sums.weights.squares + sums.biases.squares;
        }
        let norms = layout.layers.iter().zip(squares).zip(weights);
        norms
            .map(|((layer, squares), weight)| LayerNorms { layer: layer.clone(), grad: squares.sqrt(), weight })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_infinite_part_stays_infinite_and_nan_stays_nan() {
        assert_eq!(join(NormType::Inf, 1.0, 2.0), 2.0);
        assert!(join(NormType::Inf, f64::NAN, 2.0).is_nan());
        assert!(join(NormType::Inf, 2.0, f64::NAN).is_nan());
        assert_eq!(join(NormType::L2, 1.0, f64::INFINITY), f64::INFINITY);
    }
}

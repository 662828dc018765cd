//! How a step is made: the objective, the penalties, the clipping, the optimizer.

use crate::nn::Objective;
use crate::optim::OptimizerSpec;
use crate::optim::clip::NormType;

/// Everything of a step that stays the same during a run.
#[derive(Debug, Clone)]
pub struct StepSettings {
    /// The loss and its label smoothing.
    pub objective: Objective,
    /// The optimizer.
    pub optimizer: OptimizerSpec,
    /// `λ` of `λ Σ|w|`, added to the loss.
    pub l1: f64,
    /// `λ` of `½ λ Σ w²`, added to the loss.
    pub l2: f64,
    /// Decoupled weight decay, for any optimizer.
    pub weight_decay: f64,
    /// Whether penalties and decoupled decay cover biases, gains and shifts too.
    pub decay_bias: bool,
    /// Bound of the norm of the whole gradient.
    pub clip_norm: Option<(f64, NormType)>,
    /// Bound of each element of the gradient.
    pub clip_value: Option<f64>,
    /// Bound of the norm of each tensor's gradient, weights and biases apart.
    pub clip_layer: Option<f64>,
    /// Decay of the moving average of the weights.
    pub ema: Option<f64>,
    /// Seed of dropout.
    pub seed: u64,
}

impl StepSettings {
    /// The norm that clipping measures.
    pub(super) fn norm_type(&self) -> NormType {
        self.clip_norm.map_or(NormType::L2, |(_, norm)| norm)
    }
}

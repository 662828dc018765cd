//! How a step is made: the objective, the penalties, the clipping, the optimizer.

use crate::nn::Objective;
use crate::optim::clip::NormType;
use crate::optim::{Algorithm, Decay, Dialect, GradientRule, OptimizerSpec};

/// Everything of a step that stays the same during a run.
#[derive(Debug, Clone)]
pub struct StepSettings {
    /// The loss and its label smoothing.
    pub objective: Objective,
    /// The optimizer; its dialect rules the whole step.
    pub optimizer: OptimizerSpec,
    /// `λ` of `λ Σ|w|`, added to the loss.
    pub l1: f64,
    /// `λ` of `½ λ Σ w²`, added to the loss; a dialect scales it otherwise, see [`Dialect`].
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
    /// Rows of the batches whose means are averaged into the step's, each divided by its number of rows: Keras' way to
    /// accumulate. The whole step has one mean where `None`.
    pub mean_of_means: Option<usize>,
    /// Seed of dropout.
    pub seed: u64,
}

impl StepSettings {
    /// No penalty, no clipping, no average.
    pub fn plain(objective: Objective, optimizer: OptimizerSpec) -> StepSettings {
        StepSettings {
            objective,
            optimizer,
            l1: 0.0,
            l2: 0.0,
            weight_decay: 0.0,
            decay_bias: false,
            clip_norm: None,
            clip_value: None,
            clip_layer: None,
            ema: None,
            mean_of_means: None,
            seed: 0,
        }
    }

    /// The norm that clipping measures.
    pub(super) fn norm_type(&self) -> NormType {
        self.clip_norm.map_or(NormType::L2, |(_, norm)| norm)
    }

    /// What clipping adds to a norm.
    pub(super) fn norm_addend(&self) -> f64 {
        self.optimizer.dialect.unwrap_or(Dialect::Torch).norm_addend()
    }

    /// Whether weights and biases differ in penalty, decay, clipping or rule; else a slot is finished and updated in one pass.
    pub(super) fn treats_apart(&self) -> bool {
        let penalised = self.l1 != 0.0 || self.l2 != 0.0 || self.weight_decay != 0.0;
        let by_tensor = self.clip_layer.is_some() || matches!(self.optimizer.algorithm, Algorithm::PerTensor(_));
        by_tensor || (penalised && !self.decay_bias)
    }

    /// Decay of weights or of biases at learning rate `lr`: the optimizer's own rule, then the decoupled one.
    pub(super) fn decay(&self, of_weights: bool, lr: f64) -> Decay {
        let mut decay = self.optimizer.own_decay(of_weights, lr);
        if of_weights || self.decay_bias {
            // Where an average of the weights is evaluated, what it is of must decay too.
            match self.optimizer.algorithm.evaluated_between() {
                Some(_) => decay.in_direction += self.weight_decay,
                None => decay.shrink *= 1.0 - lr * self.weight_decay,
            }
        }
        decay
    }

    /// Penalties and clipping of weights or of biases in a step whose rows have this sum of weights.
    pub(super) fn gradient_rule(&self, of_weights: bool, weight: f64) -> GradientRule {
        let l2 = match self.optimizer.dialect {
            None | Some(Dialect::Torch) => self.l2,
            Some(Dialect::Keras) => 2.0 * self.l2,
            Some(Dialect::Sklearn) => self.l2 / weight,
        };
        let penalised = of_weights || self.decay_bias;
        let (l1, l2) = if penalised { (self.l1, l2) } else { (0.0, 0.0) };
        GradientRule { l1, l2, clip_value: self.clip_value, norm: self.norm_type() }
    }
}

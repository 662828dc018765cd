//! Settings of a step: the objective, the penalties, the clipping, the optimizer.

use crate::layer::{Group, MemberRows};
use crate::nn::Objective;
use crate::optim::clip::NormType;
use crate::optim::schedule::Schedule;
use crate::optim::{Algorithm, Decay, Dialect, GradientRule, OptimizerSpec};

/// All settings of a step that stay the same during a run.
#[derive(Debug, Clone)]
pub struct StepSettings {
    /// The loss and its label smoothing.
    pub objective: Objective,
    /// The optimizer. Its dialect applies to the whole step.
    pub optimizer: OptimizerSpec,
    /// `λ` of `λ Σ|w|`, added to the loss.
    pub l1: f64,
    /// `λ` of `½ λ Σ w²`, added to the loss; some dialects scale it differently, see [`Dialect`].
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
    /// Rows of each batch in Keras' way of accumulation: each batch has a mean of its own, and the step uses the mean of these
    /// means. With `None` the whole step has one mean.
    pub mean_of_means: Option<usize>,
    /// Whether the members of the network train on the same rows.
    pub member_rows: MemberRows,
    /// How dropout and decay change from step to step.
    pub schedules: Schedules,
    /// Seed of dropout.
    pub seed: u64,
}

/// Schedules of dropout and decay; without one, the value stays constant.
#[derive(Debug, Clone, Default)]
pub struct Schedules {
    /// Steps of the run.
    pub total: u64,
    /// The factor of every rate of dropout.
    pub dropout: Option<Schedule>,
    /// The factor of decay and penalties.
    pub decay: Option<Schedule>,
}

/// The largest batch and the longest epoch that a trainer is made for, in rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Largest {
    /// Rows of a batch.
    pub batch: usize,
    /// Rows of an epoch.
    pub epoch: usize,
}

impl Largest {
    /// For epochs of one batch with `rows` rows.
    pub fn of_one_batch(rows: usize) -> Largest {
        Largest { batch: rows, epoch: rows }
    }
}

/// Factors of one step, from the schedules.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct StepFactors {
    /// Of every rate of dropout.
    pub(super) dropout: f64,
    /// Of decay and penalties.
    pub(super) decay: f64,
}

impl StepFactors {
    /// Factors that change nothing.
    pub(super) const NONE: StepFactors = StepFactors { dropout: 1.0, decay: 1.0 };
}

impl Schedules {
    /// The factors of step `t`, counted from 1.
    pub(super) fn at_step(&self, t: u64) -> StepFactors {
        let factor = |schedule: &Option<Schedule>| schedule.as_ref().map_or(1.0, |s| s.rate(1.0, t - 1, self.total));
        StepFactors { dropout: factor(&self.dropout), decay: factor(&self.decay) }
    }
}

impl StepSettings {
    /// Settings without penalty, clipping or average.
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
            member_rows: MemberRows::Shared,
            schedules: Schedules::default(),
            seed: 0,
        }
    }

    /// The norm that clipping measures.
    pub(super) fn norm_type(&self) -> NormType {
        self.clip_norm.map_or(NormType::L2, |(_, norm)| norm)
    }

    /// The number that clipping adds to a norm before it divides.
    pub(super) fn norm_addend(&self) -> f64 {
        self.optimizer.dialect.unwrap_or(Dialect::Torch).norm_addend()
    }

    /// Whether weights and biases differ in penalty, decay, clipping or rule. If not, a slot is finished and updated in one
    /// pass.
    pub(super) fn treats_apart(&self) -> bool {
        let penalised = self.l1 != 0.0 || self.l2 != 0.0 || self.weight_decay != 0.0;
        let by_tensor = self.clip_layer.is_some() || matches!(self.optimizer.algorithm, Algorithm::PerTensor(_));
        by_tensor || (penalised && !self.decay_bias)
    }

    /// The decay in a step of the weights, or of the biases, of a tensor that learns as `group` says, at the learning rate `lr`
    /// and with the step's factor of decay: the optimizer's own rule, then the decoupled one.
    pub(super) fn decay(&self, of_weights: bool, group: &Group, lr: f64, factors: StepFactors) -> Decay {
        if group.frozen || group.decays == Some(false) {
            return Decay::NONE;
        }
        let (lr, factor) = (lr * group.rate, factors.decay * group.decay);
        let mut decay = self.optimizer.own_decay(of_weights, lr).times(factor);
        if group.decays.unwrap_or(of_weights || self.decay_bias) {
            // If an average of the weights is evaluated, the weights that it is taken of must decay too.
            let weight_decay = self.weight_decay * factor;
            match self.optimizer.algorithm.evaluated_between() {
                Some(_) => decay.in_direction += weight_decay,
                None => decay.shrink *= 1.0 - lr * weight_decay,
            }
        }
        decay
    }

    /// Penalties and clipping of weights or of biases in a step; `weight` is the sum of its rows' weights.
    pub(super) fn gradient_rule(&self, of_weights: bool, group: &Group, weight: f64) -> GradientRule {
        let l2 = match self.optimizer.dialect {
            None | Some(Dialect::Torch) => self.l2,
            Some(Dialect::Keras) => 2.0 * self.l2,
            Some(Dialect::Sklearn) => self.l2 / weight,
        };
        let penalised = group.decays.unwrap_or(of_weights || self.decay_bias);
        let (l1, l2) = if penalised { (self.l1, l2) } else { (0.0, 0.0) };
        GradientRule { l1, l2, clip_value: self.clip_value, norm: self.norm_type() }
    }
}

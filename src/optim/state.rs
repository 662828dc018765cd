//! The state that an optimizer keeps from step to step.

use super::lbfgs::Minimizer;
use super::rule::Carried;
use super::{Algorithm, OptimizerSpec};
use crate::kernel::{LANES, Line, zeroed};

/// All that an optimizer keeps between two steps.
#[derive(Debug, Clone)]
pub struct OptimizerState {
    /// Steps made.
    pub steps: u64,
    /// What the rule carries for all parameters together.
    pub carried: Carried,
    /// State values for each parameter, in the layout of the parameters.
    pub tensors: Vec<StateTensor>,
    /// The memory of L-BFGS.
    pub minimizer: Option<Minimizer<f32>>,
}

/// One state value for each parameter: for Adam `m`, then `v`.
#[derive(Debug, Clone, PartialEq)]
pub struct StateTensor {
    /// As in [`super::Rule::STATE`].
    pub name: &'static str,
    /// The values.
    pub lines: Vec<Line>,
}

impl OptimizerState {
    /// The state before the first step, for `lines` lines of parameters.
    pub fn new(optimizer: &OptimizerSpec, lines: usize) -> OptimizerState {
        let initial = optimizer.algorithm.initial_state(optimizer.lr);
        let tensor = |(name, value)| StateTensor { name, lines: filled(lines, value) };
        OptimizerState {
            steps: 0,
            carried: Carried::default(),
            tensors: initial.into_iter().map(tensor).collect(),
            minimizer: match optimizer.algorithm {
                Algorithm::WholeNetwork(options) => Some(Minimizer::new(options, lines * LANES)),
                Algorithm::ElementWise(_) | Algorithm::PerTensor(_) => None,
            },
        }
    }
}

/// Lines that all hold one number.
fn filled(lines: usize, value: f64) -> Vec<Line> {
    let mut state = zeroed(lines);
    if value != 0.0 {
        state.fill(Line::splat(value as f32));
    }
    state
}

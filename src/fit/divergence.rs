//! What is known of training that diverged.

use crate::train::StepStats;

/// Where training diverged: the batch after which loss, gradient or weights were not finite.
#[derive(Debug, Clone, PartialEq)]
pub struct Divergence {
    /// Epoch, from 1.
    pub epoch: usize,
    /// Step, from 1.
    pub step: u64,
    /// Loss and gradient norm of that step, if one of them was not finite.
    pub stats: Option<StepStats>,
    /// Row numbers of its batch in the training part.
    pub rows: Vec<u32>,
    /// The steps before it, the latest last.
    pub recent: Vec<StepStats>,
}

//! Records of steps: what is reported of a step, and the last few steps.

use super::sums::{LayerNorms, StepStats};

/// A record of one step.
#[derive(Debug, Clone, PartialEq)]
pub struct StepRecord {
    /// Number of the step, from 1.
    pub step: u64,
    /// Loss and gradient norm.
    pub stats: StepStats,
    /// The learning rate used.
    pub lr: f64,
    /// Norms of each layer that has tensors.
    pub layers: Vec<LayerNorms>,
}

/// Number of last steps that are kept.
const REMEMBERED: usize = 8;

/// Loss and gradient norm of the last steps.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Recent {
    steps: [StepStats; REMEMBERED],
    made: usize,
}

impl Recent {
    /// Adds a step.
    #[inline]
    pub(crate) fn push(&mut self, stats: StepStats) {
        self.steps[self.made % REMEMBERED] = stats;
        self.made += 1;
    }

    /// The last steps, the latest last.
    pub(crate) fn in_order(&self) -> impl Iterator<Item = StepStats> + '_ {
        (self.made.saturating_sub(REMEMBERED)..self.made).map(|n| self.steps[n % REMEMBERED])
    }

    /// Adds the steps of `later`, which follow these.
    pub(crate) fn extend(&mut self, later: &Recent) {
        later.in_order().for_each(|stats| self.push(stats));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_steps_are_remembered_over_epochs() {
        let mut all = Recent::default();
        for epoch in 0..3 {
            let mut recent = Recent::default();
            (0..5).for_each(|n| recent.push(StepStats { loss: f64::from(5 * epoch + n), grad_norm: 0.0 }));
            all.extend(&recent);
        }
        let losses: Vec<f64> = all.in_order().map(|stats| stats.loss).collect();
        assert_eq!(losses, [7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0]);
        assert_eq!(Recent::default().in_order().count(), 0);
    }
}

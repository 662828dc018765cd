//! The weights that a run keeps.

use crate::kernel::Line;

/// The weights kept so far. Weights must be proven, that is have a finite loss, before they replace the kept ones. With a
/// validation part they are proven at once. Without one, the next epoch proves them, since its first batch measures their loss;
/// those of the last epoch are proven by a pass over the training part.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Kept {
    pub(super) lines: Vec<Line>,
    pub(super) epoch: usize,
    pub(super) unproven: Vec<Line>,
    /// Epoch of the unproven weights; 0 if there are none.
    pub(super) unproven_epoch: usize,
}

impl Kept {
    /// Keeps the initial weights, as those of epoch 0.
    pub(super) fn new(initial: &[Line]) -> Kept {
        Kept { lines: initial.to_vec(), epoch: 0, unproven: Vec::new(), unproven_epoch: 0 }
    }

    /// Keeps the weights of an epoch.
    pub(super) fn take(&mut self, epoch: usize, weights: &[Line]) {
        self.lines.copy_from_slice(weights);
        self.epoch = epoch;
    }

    /// Stores the weights of an epoch until they are proven.
    pub(super) fn propose(&mut self, epoch: usize, weights: &[Line]) {
        self.unproven.clear();
        self.unproven.extend_from_slice(weights);
        self.unproven_epoch = epoch;
    }

    /// The weights that are not proven yet.
    pub(super) fn unproven(&mut self) -> Option<&mut [Line]> {
        (self.unproven_epoch > 0).then_some(&mut self.unproven)
    }

    /// Keeps the weights that were proposed last.
    pub(super) fn prove(&mut self) {
        if self.unproven_epoch > 0 {
            std::mem::swap(&mut self.lines, &mut self.unproven);
            self.epoch = std::mem::take(&mut self.unproven_epoch);
        }
    }

    /// The weights and their epoch.
    pub(super) fn into_parts(self) -> (Vec<Line>, usize) {
        (self.lines, self.epoch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_proven_weights_are_kept() {
        let weights = |x: f32| [Line::splat(x)];
        let mut kept = Kept::new(&weights(0.0));
        kept.propose(1, &weights(1.0));
        kept.prove();
        kept.propose(2, &weights(2.0));
        assert!(kept.unproven().is_some());
        let (lines, epoch) = kept.into_parts();
        assert_eq!((lines[0].0[0], epoch), (1.0, 1));
    }
}

//! Successive halving: many settings are trained briefly, and the best third is trained again for three times as many
//! epochs.
//!
//! K. Jamieson, A. Talwalkar 2016, <https://arxiv.org/abs/1502.07943>; L. Li et al. 2018, "Hyperband",
//! <https://arxiv.org/abs/1603.06560>; rungs as in L. Li et al. 2020, <https://arxiv.org/abs/1810.05934>. This
//! implementation is synchronous, so the promoted settings do not depend on which run ends first. Every run is trained from
//! the start, with its schedule over its own epochs, so the runs of a rung are compared after their learning rate has
//! fallen.

/// One in this many settings is promoted.
const ETA: usize = 3;
/// Upper limit of the rungs, so the first has at least a ninth of the epochs.
const MOST_RUNGS: u32 = 3;

/// A rung: runs of equal length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rung {
    /// Number of settings.
    pub trials: usize,
    /// Epochs of each run.
    pub epochs: usize,
}

/// The rungs for a number of settings and the epochs of a full run, which the last rung has. There are as many rungs, up to
/// three, as leave at least one setting in the last and at least one epoch in the first.
pub fn rungs(trials: usize, epochs: usize) -> Vec<Rung> {
    let promotions = (trials.max(1).ilog(ETA)).min(epochs.max(1).ilog(ETA)).min(MOST_RUNGS - 1);
    let rung = |n: u32| {
        let share = ETA.pow(promotions - n);
        Rung { trials: (trials / ETA.pow(n)).max(1), epochs: (epochs + share / 2) / share }
    };
    (0..=promotions).map(rung).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_third_is_promoted_to_three_times_the_epochs() {
        let shown = |trials, epochs| rungs(trials, epochs).iter().map(|r| (r.trials, r.epochs)).collect::<Vec<_>>();
        assert_eq!(shown(27, 90), [(27, 10), (9, 30), (3, 90)]);
        assert_eq!(shown(100, 20), [(100, 2), (33, 7), (11, 20)]);
        assert_eq!(shown(4, 90), [(4, 30), (1, 90)]);
        assert_eq!(shown(2, 90), [(2, 90)]);
        assert_eq!(shown(30, 4), [(30, 1), (10, 4)]);
        assert_eq!(shown(30, 1), [(30, 1)]);
    }
}

//! Successive halving: many settings get little training, the better third goes on with three times as much.
//!
//! K. Jamieson, A. Talwalkar 2016, <https://arxiv.org/abs/1502.07943>; L. Li et al. 2018, "Hyperband",
//! <https://arxiv.org/abs/1603.06560>; rungs as in L. Li et al. 2020, <https://arxiv.org/abs/1810.05934>. The form here is
//! synchronous, so what is promoted does not depend on which run ends first, and every run is trained from the start
//! with its schedule over its own epochs, so that runs of a rung are compared after their rate has fallen.

/// A third is promoted.
const ETA: usize = 3;
/// Rungs at most: the first has a ninth of the epochs.
const MOST_RUNGS: u32 = 3;

/// Runs of equal length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rung {
    /// How many settings are tried.
    pub trials: usize,
    /// Epochs of each.
    pub epochs: usize,
}

/// The rungs for a number of settings and the epochs of a full run, the last with all of these: as many as leave one
/// setting or more, and one epoch or more.
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
    fn a_third_goes_on_three_times_as_long() {
        let shown = |trials, epochs| rungs(trials, epochs).iter().map(|r| (r.trials, r.epochs)).collect::<Vec<_>>();
        assert_eq!(shown(27, 90), [(27, 10), (9, 30), (3, 90)]);
        assert_eq!(shown(100, 20), [(100, 2), (33, 7), (11, 20)]);
        assert_eq!(shown(4, 90), [(4, 30), (1, 90)]);
        assert_eq!(shown(2, 90), [(2, 90)]);
        assert_eq!(shown(30, 4), [(30, 1), (10, 4)]);
        assert_eq!(shown(30, 1), [(30, 1)]);
    }
}

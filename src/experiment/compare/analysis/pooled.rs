//! Statistics over all problems, normalised so that all problems have the same weight.

use super::grouped::Grouped;
use crate::experiment::compare::records::Run;
use crate::experiment::compare::summary::{Estimate, FEWEST_FOR_INTERVAL, LEVEL};
use crate::statistics::{Interval, expected_best, interquartile_mean, median, stratified_interval};

/// Upper limit of the normalised loss, and its value for a run that diverged.
const WORST: f64 = 10.0;

/// The scale of one problem: 0 is the lowest loss, 1 the median of the finite losses.
struct LossScale {
    least: f64,
    median: f64,
}

impl LossScale {
    fn of(losses: impl Iterator<Item = f64>) -> LossScale {
        let finite: Vec<f64> = losses.filter(|loss| loss.is_finite()).collect();
        let least = finite.iter().copied().fold(f64::INFINITY, f64::min);
        LossScale { least, median: median(&finite).unwrap_or(f64::INFINITY) }
    }

    fn normalise(&self, loss: f64) -> f64 {
        if loss == self.least && loss.is_finite() {
            return 0.0;
        }
        // If all losses are infinite this is NaN, and `min` returns the upper limit.
        ((loss - self.least) / (self.median - self.least)).min(WORST)
    }
}

/// The interquartile mean of an optimizer's normalised scores.
pub(super) fn normalised_loss(grouped: &Grouped<'_>, optimizer: usize) -> Estimate {
    let strata: Vec<Vec<f64>> = grouped
        .problems()
        .map(|(problem, _)| {
            let all = grouped.optimizers().flat_map(|(other, _)| grouped.scores(problem, other));
            let scale = LossScale::of(all);
            grouped.scores(problem, optimizer).into_iter().map(|score| scale.normalise(score)).collect()
        })
        .collect();
    let mut pooled = strata.concat();
    let enough = strata.iter().all(|scores| scores.len() >= FEWEST_FOR_INTERVAL);
    let interval = || stratified_interval(&strata, |values| interquartile_mean(values).unwrap_or(WORST), LEVEL);
    let interval = enough.then(interval).flatten();
    estimate(interquartile_mean(&mut pooled), interval)
}

/// The gain from tuning: the expected normalised validation loss of the better one of the defaults and of the best of `k`
/// other trials, for `k` from 0, averaged over the problems. On one problem the trials of all studies are pooled, and the
/// loss of the defaults is the median over the studies.
pub(super) fn gains(grouped: &Grouped<'_>, optimizer: usize) -> Vec<f64> {
    let curve = |problem: usize| {
        let all = grouped.optimizers().flat_map(|(other, _)| grouped.trials(problem, other)).map(Run::best_val_loss);
        let scale = LossScale::of(all);
        let losses = |defaults: bool| -> Vec<f64> {
            let trials = grouped.trials(problem, optimizer).filter(|run| (run.trial == 0) == defaults);
            trials.map(|run| scale.normalise(run.best_val_loss())).collect()
        };
        let defaults = median(&losses(true)).unwrap_or(WORST);
        let bounded: Vec<f64> = losses(false).into_iter().map(|loss| loss.min(defaults)).collect();
        let mut curve = vec![defaults];
        curve.extend(expected_best(&bounded).into_iter().take(grouped.protocol.terms.trials.saturating_sub(1)));
        curve
    };
    let curves: Vec<Vec<f64>> = grouped.problems().map(|(problem, _)| curve(problem)).collect();
    let trials = curves.iter().map(Vec::len).min().unwrap_or(0);
    (0..trials).map(|k| curves.iter().map(|curve| curve[k]).sum::<f64>() / curves.len() as f64).collect()
}

/// A value and its interval; `None` for infinite numbers.
pub(super) fn estimate(value: Option<f64>, interval: Option<Interval>) -> Estimate {
    let finite = |v: Option<f64>| v.filter(|v| v.is_finite());
    Estimate {
        value: finite(value),
        low: finite(interval.map(|interval| interval.low)),
        high: finite(interval.map(|interval| interval.high)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_loss_is_normalised_to_0_and_the_median_to_1() {
        let inf = f64::INFINITY;
        let losses = [3.0, 2.0, 4.0, inf];
        let scale = LossScale::of(losses.into_iter());
        assert_eq!([2.0, 3.0, 3.5, 100.0, inf].map(|loss| scale.normalise(loss)), [0.0, 1.0, 1.5, WORST, WORST]);
        let tied = LossScale::of([2.0, 2.0].into_iter());
        assert_eq!([2.0, 2.5, inf].map(|loss| tied.normalise(loss)), [0.0, WORST, WORST]);
        let none = LossScale::of([inf].into_iter());
        assert_eq!(none.normalise(inf), WORST);
    }
}

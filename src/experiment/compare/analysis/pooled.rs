//! Figures over all problems, on scales that let no problem count more than another.

use super::grouped::Grouped;
use crate::experiment::compare::records::{Purpose, Run};
use crate::experiment::compare::summary::{Estimate, LEVEL};
use crate::experiment::statistics::{Interval, expected_best, interquartile_mean, median, stratified_interval};

/// The greatest normalised loss: also that of a run that diverged.
const WORST: f64 = 10.0;

/// The scale of one problem: 0 at the least loss, 1 at the median of the finite ones.
struct Scale {
    least: f64,
    median: f64,
}

impl Scale {
    fn of(losses: impl Iterator<Item = f64>) -> Scale {
        let finite: Vec<f64> = losses.filter(|loss| loss.is_finite()).collect();
        let least = finite.iter().copied().fold(f64::INFINITY, f64::min);
        Scale { least, median: median(&finite).unwrap_or(f64::INFINITY) }
    }

    fn normalise(&self, loss: f64) -> f64 {
        if loss == self.least && loss.is_finite() {
            return 0.0;
        }
        // Not a number where all are infinite: `min` gives the worst then.
        ((loss - self.least) / (self.median - self.least)).min(WORST)
    }
}

fn all_runs<'a>(grouped: &'a Grouped<'_>, problem: usize, purpose: Purpose) -> impl Iterator<Item = &'a Run> {
    grouped.optimizers().flat_map(move |(optimizer, _)| grouped.runs(problem, optimizer, purpose).iter().copied())
}

/// Interquartile mean of an optimizer's normalised final test losses.
pub(super) fn normalised_loss(grouped: &Grouped<'_>, optimizer: usize) -> Estimate {
    let strata: Vec<Vec<f64>> = grouped
        .problems()
        .map(|(problem, _)| {
            let scale = Scale::of(all_runs(grouped, problem, Purpose::Tuned).map(Run::final_test_loss));
            let runs = grouped.runs(problem, optimizer, Purpose::Tuned);
            runs.iter().map(|run| scale.normalise(run.final_test_loss())).collect()
        })
        .collect();
    let mut pooled = strata.concat();
    let interval = stratified_interval(&strata, |values| interquartile_mean(values).unwrap_or(WORST), LEVEL);
    estimate(interquartile_mean(&mut pooled), interval)
}

/// Expected normalised validation loss of the best of `k` trials, the mean over the problems.
pub(super) fn normalised_expected_best(grouped: &Grouped<'_>, optimizer: usize) -> Vec<f64> {
    let curve = |problem: usize| {
        let scale = Scale::of(all_runs(grouped, problem, Purpose::Tuning).map(Run::final_val_loss));
        let trials = grouped.runs(problem, optimizer, Purpose::Tuning);
        expected_best(&trials.iter().map(|run| scale.normalise(run.final_val_loss())).collect::<Vec<f64>>())
    };
    let curves: Vec<Vec<f64>> = grouped.problems().map(|(problem, _)| curve(problem)).collect();
    let trials = curves.iter().map(Vec::len).min().unwrap_or(0);
    (0..trials).map(|k| curves.iter().map(|curve| curve[k]).sum::<f64>() / curves.len() as f64).collect()
}

/// A figure and its interval; what is infinite is `None`.
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
    fn the_best_run_is_0_and_the_middle_one_1() {
        let inf = f64::INFINITY;
        let losses = [3.0, 2.0, 4.0, inf];
        let scale = Scale::of(losses.into_iter());
        assert_eq!([2.0, 3.0, 3.5, 100.0, inf].map(|loss| scale.normalise(loss)), [0.0, 1.0, 1.5, WORST, WORST]);
        let tied = Scale::of([2.0, 2.0].into_iter());
        assert_eq!([2.0, 2.5, inf].map(|loss| tied.normalise(loss)), [0.0, WORST, WORST]);
        let none = Scale::of([inf].into_iter());
        assert_eq!(none.normalise(inf), WORST);
    }
}

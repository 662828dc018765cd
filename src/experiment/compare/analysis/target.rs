//! Targets, and how soon runs reach them.

use super::grouped::Grouped;
use crate::experiment::compare::contestant::Contestant;
use crate::experiment::compare::records::Run;
use crate::experiment::compare::summary::ToTarget;
use crate::statistics::quantile;

/// The target validation loss on a problem, and its origin as text. If the problem has no target, it is the median
/// validation loss of the final runs of `momentum`, or of the first optimizer if `momentum` is not compared; for an even
/// number of runs, the larger of the two middle values. `None` if half of those runs diverged.
pub fn target(grouped: &Grouped<'_>, problem: usize) -> (Option<f64>, String) {
    let record = &grouped.protocol.problems[problem];
    if record.target.is_some() {
        return (record.target, record.target_source.clone());
    }
    let named = grouped.optimizers().find(|(_, optimizer)| optimizer.name == Contestant::BASELINE);
    let Some((number, optimizer)) = named.or_else(|| grouped.optimizers().next()) else { return (None, String::new()) };
    let mut losses: Vec<f64> = grouped.finals(problem, number).map(Run::best_val_loss).collect();
    losses.sort_unstable_by(f64::total_cmp);
    let target = losses.get(losses.len() / 2).copied().filter(|loss| loss.is_finite());
    (target, format!("median validation loss of the final runs of {}", optimizer.name))
}

/// The step of the first point of a run's curve at or below the target; infinite if there is none.
pub(super) fn steps_to(run: &Run, target: f64) -> f64 {
    let hit = run.curve.iter().find(|point| point.val_loss.is_some_and(|loss| loss <= target));
    hit.map_or(f64::INFINITY, |point| point.step as f64)
}

/// How soon the final runs of an optimizer reach the target.
pub(super) fn to_target(grouped: &Grouped<'_>, problem: usize, optimizer: usize, target: Option<f64>) -> ToTarget {
    let runs = grouped.finals(problem, optimizer);
    let Some(target) = target else { return ToTarget { of: runs.count(), ..ToTarget::default() } };
    let all: Vec<f64> = runs.map(|run| steps_to(run, target)).collect();
    let finite = |q| quantile(&all, q).filter(|steps| steps.is_finite());
    let steps = finite(0.5);
    let quartiles = [finite(0.25), finite(0.75)];
    let record = &grouped.protocol.problems[problem];
    let cost = grouped.cost(problem, optimizer);
    let seconds = |steps: Option<f64>, us: Option<f64>| Some(steps? * us? * 1e-6);
    ToTarget {
        hits: all.iter().filter(|steps| steps.is_finite()).count(),
        of: all.len(),
        steps,
        quartiles,
        samples: steps.map(|steps| steps * record.batch as f64),
        step_us: cost.map(|cost| cost.median),
        seconds: seconds(steps, cost.map(|cost| cost.median)),
        seconds_quartiles: [0, 1].map(|end| seconds(quartiles[end], cost.map(|cost| cost.quartiles[end]))),
    }
}

//! What the trials say: the best, how much the learning rate matters, how soon the search was good.

use super::grouped::Grouped;
use crate::experiment::compare::protocol::best;
use crate::experiment::compare::records::{Dimension, Purpose, RATES, Run, searched_rate};
use crate::experiment::compare::summary::{BestTrial, SensitivityPoint};
use crate::experiment::statistics::expected_best;

/// Part of a dimension's logarithm, at either end, that is its edge.
const EDGE: f64 = 0.05;

/// The trial that was chosen, and where its values lie in the space.
pub(super) fn best_trial(grouped: &Grouped<'_>, problem: usize, optimizer: usize) -> Option<BestTrial> {
    let trials = grouped.runs(problem, optimizer, Purpose::Tuning);
    let best = best(trials.iter().copied())?;
    let space = &grouped.protocol.optimizers[optimizer].space;
    let found = best.final_val_loss().is_finite();
    Some(BestTrial {
        number: best.number,
        spec: best.spec.clone(),
        schedule: best.schedule.clone(),
        values: best.values.clone(),
        val_loss: Some(best.final_val_loss()).filter(|_| found),
        edges: if found { edges(best, trials, space) } else { Vec::new() },
    })
}

fn edges(best: &Run, trials: &[&Run], space: &[Dimension]) -> Vec<String> {
    let on_edge = |dimension: &&Dimension| {
        let Some(value) = best.values.get(&dimension.name) else { return false };
        // A coefficient such as 1 − β₁ = 1 is the end of what there is, not of what was searched.
        let natural_end = dimension.name.starts_with("one_minus_") && dimension.high == 1.0;
        let place = libm::log(value / dimension.low) / libm::log(dimension.high / dimension.low);
        let tried = || trials.iter().filter_map(|trial| trial.values.get(&dimension.name));
        let extreme = trials.len() > 2 && (tried().all(|v| v >= value) || tried().all(|v| v <= value));
        place < EDGE || (place > 1.0 - EDGE && !natural_end) || (RATES.contains(&dimension.name.as_str()) && extreme)
    };
    space.iter().filter(on_edge).map(|dimension| dimension.name.clone()).collect()
}

/// Learning rates of the trials against their final validation losses, by learning rate.
pub(super) fn sensitivity(trials: &[&Run]) -> Vec<SensitivityPoint> {
    let point = |run: &&Run| {
        let lr = searched_rate(&run.values)?;
        let schedule = run.schedule.clone();
        Some(SensitivityPoint { lr, schedule, val_loss: Some(run.final_val_loss()).filter(|loss| loss.is_finite()) })
    };
    let mut points: Vec<SensitivityPoint> = trials.iter().filter_map(point).collect();
    points.sort_by(|a, b| a.lr.total_cmp(&b.lr));
    points
}

/// Expected best validation loss of `k` trials; those that diverged count as `worst`.
pub(super) fn expected_best_loss(trials: &[&Run], worst: Option<f64>) -> Vec<Option<f64>> {
    let Some(worst) = worst else { return vec![None; trials.len()] };
    let losses: Vec<f64> = trials.iter().map(|run| run.final_val_loss().min(worst)).collect();
    expected_best(&losses).into_iter().map(Some).collect()
}

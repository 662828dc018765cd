//! Results of the trials: the chosen settings, and the sensitivity to the learning rate.

use super::grouped::{Grouped, StudyRuns};
use crate::experiment::compare::records::{Dimension, Run, searched_rate};
use crate::experiment::compare::summary::{Chosen, SensitivityPoint};

/// Share of a dimension's logarithmic range, at each end, that counts as its edge.
const EDGE: f64 = 0.05;

/// The settings that the studies chose, with the values that lie on an edge of the space.
pub(super) fn chosen(grouped: &Grouped<'_>, problem: usize, optimizer: usize) -> Vec<Chosen> {
    let space = &grouped.protocol.optimizers[optimizer].space;
    let of_study = |study: &StudyRuns<'_>| {
        let run = study.finals.first()?;
        let tried: Vec<f64> = study
            .trials
            .iter()
            .chain(&study.repeats)
            .filter(|other| other.trial == run.trial)
            .map(|run| run.best_val_loss())
            .collect();
        let mean = tried.iter().sum::<f64>() / tried.len() as f64;
        let found = mean.is_finite();
        Some(Chosen {
            study: study.number,
            trial: run.trial,
            spec: run.spec.clone(),
            schedule: run.schedule.clone(),
            values: run.values.clone(),
            val_loss: Some(mean).filter(|_| found),
            edges: if found { edges(run, space) } else { Vec::new() },
        })
    };
    grouped.studies(problem, optimizer).iter().filter_map(of_study).collect()
}

fn edges(run: &Run, space: &[Dimension]) -> Vec<String> {
    let on_edge = |dimension: &&Dimension| {
        let Some(value) = run.values.get(&dimension.name) else { return false };
        // An end such as 1 − β₁ = 1 is the limit of valid values, not only of the search.
        let natural_end = dimension.name.starts_with("one_minus_") && dimension.high == 1.0;
        let place = libm::log(value / dimension.low) / libm::log(dimension.high / dimension.low);
        place < EDGE || (place > 1.0 - EDGE && !natural_end)
    };
    space.iter().filter(on_edge).map(|dimension| dimension.name.clone()).collect()
}

/// Learning rates of the trials and their validation losses, sorted by learning rate, without the defaults.
pub(super) fn sensitivity<'a>(trials: impl Iterator<Item = &'a Run>) -> Vec<SensitivityPoint> {
    let point = |run: &Run| {
        let lr = searched_rate(&run.values)?;
        let schedule = run.schedule.clone();
        Some(SensitivityPoint { lr, schedule, val_loss: Some(run.best_val_loss()).filter(|loss| loss.is_finite()) })
    };
    let mut points: Vec<SensitivityPoint> = trials.filter_map(point).collect();
    points.sort_by(|a, b| a.lr.total_cmp(&b.lr));
    points
}

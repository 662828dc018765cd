//! One row forward and backward by the definition of the layers, in double precision.

use super::plan::Plan;
use crate::Result;
use crate::data::{Features, Targets};
use crate::layer::textbook::Pass;
use crate::model::Parameters;
use crate::nn::{Objective, Target};

/// What each layer gives for a row of the training part, the gradients by it, and the row's loss. Nothing is dropped.
///
/// # Errors
/// [`crate::Error::Usage`] for label smoothing that the loss does not take.
pub(super) fn row_pass(plan: &Plan, parameters: &Parameters, row: usize) -> Result<(Pass, f64)> {
    let data = &plan.prepared.train;
    let target = target(&data.targets, row);
    let target = match &data.targets {
        Targets::Classes { .. } => Target::Class(target[0]),
        Targets::Values { .. } => Target::Values(&target[..]),
    };
    let objective = Objective::new(plan.loss, plan.config.optimizer.label_smoothing)?;
    let tensor = |values: &[f32]| values.iter().map(|v| f64::from(*v)).collect();
    let values: Vec<Vec<f64>> = parameters.named().iter().map(|named| tensor(&named.values)).collect();
    let mut loss = 0.0;
    let network = plan.architecture.network();
    let share = 1.0 / network.members() as f64; // the loss is the members' mean
    let pass = network.define_pass(&inputs(&data.features, row), &values, |y| {
        let mut dy = vec![0.0; y.len()];
        for (y, dy) in y.chunks(plan.architecture.outputs).zip(dy.chunks_mut(plan.architecture.outputs)) {
            loss += share * objective.row(y, &target, dy);
            dy.iter_mut().for_each(|d| *d *= share);
        }
        dy
    });
    Ok((pass, loss))
}

/// The inputs of a row.
pub(super) fn inputs(features: &Features, row: usize) -> Vec<f64> {
    match features {
        Features::F32 { values, cols } => values[row * cols..(row + 1) * cols].iter().map(|v| f64::from(*v)).collect(),
        Features::U8 { values, cols, scale } => {
            values[row * cols..(row + 1) * cols].iter().map(|v| f64::from(*v) * f64::from(*scale)).collect()
        }
        Features::Blocks(blocks) => blocks.gather(&[row as u32]).into_iter().map(f64::from).collect(),
    }
}

/// The targets of a row; of a class its number.
pub(super) fn target(targets: &Targets, row: usize) -> Vec<f64> {
    match targets {
        Targets::Classes { labels, .. } => vec![f64::from(labels[row])],
        Targets::Values { values, cols, .. } => {
            values[row * cols..(row + 1) * cols].iter().map(|v| f64::from(*v)).collect()
        }
    }
}

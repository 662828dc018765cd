//! The forward and backward pass of one row by the definition in [`crate::layer::textbook`], in double precision.

use super::plan::Plan;
use crate::Result;
use crate::data::{Features, Targets};
use crate::layer::textbook::Pass;
use crate::model::Parameters;
use crate::nn::{Objective, RowTarget};

/// The loss of one row of the training part, and its forward and backward pass, without dropout or masks. The gradients are
/// those of this row's loss alone; weights of rows are not used.
///
/// # Errors
/// [`crate::Error::Usage`] if the loss does not support the run's label smoothing.
pub(super) fn row_pass(plan: &Plan, parameters: &Parameters, row: usize) -> Result<(f64, Pass)> {
    let data = &plan.prepared.train;
    let target = target(&data.targets, row);
    let target = match &data.targets {
        Targets::Classes { .. } => RowTarget::Class(target[0]),
        Targets::Values { .. } => RowTarget::Values(&target[..]),
    };
    let objective = Objective::new(plan.loss, plan.config.optimizer.label_smoothing)?;
    let values: Vec<Vec<f64>> = parameters.named().iter().map(|tensor| wide(&tensor.values)).collect();
    let x = inputs(&data.features, row);
    Ok(plan.architecture.without_chance().network().define_loss(&x, &values, (&objective, &target), 1.0))
}

/// The inputs of a row; bytes of images are multiplied by their scale.
pub(super) fn inputs(features: &Features, row: usize) -> Vec<f64> {
    match features {
        Features::F32 { values, cols } => wide(&values[row * cols..(row + 1) * cols]),
        Features::U8 { values, cols, scale } => {
            values[row * cols..(row + 1) * cols].iter().map(|v| f64::from(*v) * f64::from(*scale)).collect()
        }
        Features::Blocks(blocks) => wide(&blocks.gather(&[row as u32])),
    }
}

/// The targets of a row; for a class its number.
fn target(targets: &Targets, row: usize) -> Vec<f64> {
    match targets {
        Targets::Classes { labels, .. } => vec![f64::from(labels[row])],
        Targets::Values { values, cols, .. } => wide(&values[row * cols..(row + 1) * cols]),
    }
}

/// Converts numbers to double precision.
pub(super) fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|v| f64::from(*v)).collect()
}

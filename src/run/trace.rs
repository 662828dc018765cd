//! `train --trace`: one forward and backward pass with every number named, for people who learn the algorithm.

use std::fmt::Write;

use super::row_pass::{row_pass, wide};
use crate::option_text::setting;
use crate::run::Plan;
use crate::{Error, Result};

/// Upper limit of the parameters; more would not be readable.
const MOST_PARAMETERS: usize = 400;

/// The text of the pass of the first row of the first epoch, with the run's initial weights: weights, forward and backward
/// quantities, gradients and loss. It is computed in double precision by the definition in [`crate::layer::textbook`],
/// without dropout or masks.
///
/// # Errors
/// [`Error::Option`] if the network is too large to print; [`Error::Usage`] if the loss does not support the run's label
/// smoothing; [`Error::NoStep`] if there is no training row.
pub fn trace(plan: &Plan) -> Result<String> {
    let count = plan.parameters.layout.parameters();
    if count > MOST_PARAMETERS {
        let message = format!(
            "the network has {count} parameters, more than the {MOST_PARAMETERS} that can be read: try a smaller one, such as {}",
            setting("hidden", 3)
        );
        return Err(Error::Usage(message).of("trace"));
    }
    let mut order = Vec::new();
    plan.prepared.train.order(plan.config.seed, 0, plan.config.shuffle, &mut order);
    let row = *order.first().ok_or_else(|| Error::NoStep("there is no row to train on".to_owned()))? as usize;
    let (loss, pass) = row_pass(plan, &plan.parameters, row)?;
    let tensors = plan.parameters.named();
    let mut text = String::new();
    section(&mut text, "weights", tensors.iter().map(|tensor| (&tensor.name, wide(&tensor.values))));
    section(&mut text, "forward", pass.forward_quantities());
    section(&mut text, "backward", pass.backward_quantities());
    section(&mut text, "gradients", tensors.iter().map(|t| format!("dJ/d {}", t.name)).zip(&pass.tensors));
    let lr = plan.config.optimizer.spec.lr;
    let _ = writeln!(text, "loss J = {loss:.6}; plain gradient descent would now do  p ← p − {lr} · dJ/dp");
    Ok(text)
}

/// Writes a titled list of quantities with their names, eight numbers to a line.
fn section<N: AsRef<str>, V: AsRef<[f64]>>(
    text: &mut String,
    title: &str,
    quantities: impl IntoIterator<Item = (N, V)>,
) {
    let _ = writeln!(text, "{title}");
    for (name, values) in quantities {
        for (number, chunk) in values.as_ref().chunks(8).enumerate() {
            let shown: Vec<String> = chunk.iter().map(|v| format!("{v:>10.6}")).collect();
            let _ = writeln!(text, "  {:<30}{}", if number == 0 { name.as_ref() } else { "" }, shown.join(" "));
        }
    }
    text.push('\n');
}

//! One forward and backward pass with every number named, for people who learn the algorithm.

use std::fmt::Write;

use crate::data::{Features, Targets, epoch_order};
use crate::model::NamedTensor;
use crate::nn::Objective;
use crate::nn::norm::Norm;
use crate::nn::textbook::{self, Batch, Layer, Network, Skip};
use crate::run::Plan;
use crate::{Error, Result};

/// Numbers that are still readable on a screen or two.
const MOST_PARAMETERS: usize = 400;

/// The pass of the first row of the first epoch, by the textbook's formulas in double precision, from the run's initial
/// weights.
///
/// # Errors
/// [`Error::Usage`] if the network is too large to print.
pub fn trace(plan: &Plan) -> Result<String> {
    let count = plan.parameters.layout.parameters();
    if count > MOST_PARAMETERS {
        return Err(Error::Usage(format!(
            "--trace: the network has {count} parameters, more than the {MOST_PARAMETERS} that can be read: try --hidden 3"
        )));
    }
    let network = network(plan)?;
    let data = &plan.prepared.train;
    let mut order = Vec::new();
    epoch_order(data.rows(), plan.config.seed, 0, plan.config.shuffle, &mut order);
    let row = *order.first().ok_or_else(|| Error::NoStep("there is no row to train on".to_owned()))? as usize;
    let x = inputs(&data.features, row);
    let (label, values);
    let targets = match &data.targets {
        Targets::Classes { labels, .. } => {
            label = [f64::from(labels[row])];
            textbook::Targets::Classes(&label)
        }
        Targets::Values { values: all, cols, .. } => {
            values = all[row * cols..(row + 1) * cols].iter().map(|v| f64::from(*v)).collect::<Vec<_>>();
            textbook::Targets::Values(&values)
        }
    };
    let pass = network.pass(&Batch { rows: 1, x: &x, targets, weights: None });
    let mut text = String::new();
    section(&mut text, "weights", plan.parameters.named().iter().map(named));
    for row in &pass.rows {
        section(&mut text, "forward", row.forward_quantities().into_iter().map(|(n, v)| (n, v.to_vec())));
        section(&mut text, "backward", row.backward_quantities().into_iter().map(|(n, v)| (n, v.to_vec())));
    }
    section(&mut text, "gradients", pass.gradient_quantities().into_iter().map(|(n, v)| (n, v.to_vec())));
    let lr = plan.config.optimizer.spec.lr;
    let _ = writeln!(text, "loss {:.6}; plain gradient descent would now do  p ← p − {lr} · dL/dp", pass.loss);
    Ok(text)
}

fn named(tensor: &NamedTensor) -> (String, Vec<f64>) {
    (tensor.name.clone(), tensor.values.iter().map(|v| f64::from(*v)).collect())
}

fn section(text: &mut String, title: &str, quantities: impl Iterator<Item = (String, Vec<f64>)>) {
    let _ = writeln!(text, "{title}");
    for (name, values) in quantities {
        for (number, chunk) in values.chunks(8).enumerate() {
            let shown: Vec<String> = chunk.iter().map(|v| format!("{v:>10.6}")).collect();
            let _ = writeln!(text, "  {:<30}{}", if number == 0 { name.as_str() } else { "" }, shown.join(" "));
        }
    }
    text.push('\n');
}

fn inputs(features: &Features, row: usize) -> Vec<f64> {
    match features {
        Features::F32 { values, cols } => values[row * cols..(row + 1) * cols].iter().map(|v| f64::from(*v)).collect(),
        Features::U8 { values, cols, scale } => {
            values[row * cols..(row + 1) * cols].iter().map(|v| f64::from(*v) * f64::from(*scale)).collect()
        }
    }
}

/// The run's network and initial weights as the textbook has them.
fn network(plan: &Plan) -> Result<Network<f64>> {
    let architecture = &plan.architecture;
    let tensors = plan.parameters.named();
    let find = |name: String| tensors.iter().find(|t| t.name == name).map(|t| named(t).1);
    let layer = |n: usize| {
        let residual = architecture.residual && architecture.is_hidden(n);
        Layer {
            fan_in: architecture.fan_in(n),
            fan_out: architecture.fan_out(n),
            parameters: textbook::Parameters {
                weight: find(format!("layers.{n}.weight")).unwrap_or_default(),
                bias: find(format!("layers.{n}.bias")),
                gain: find(format!("norms.{n}.weight")),
                shift: find(format!("norms.{n}.bias")),
                projection: find(format!("residuals.{n}.weight")),
            },
            norm: architecture.norm.filter(|_| architecture.is_hidden(n)).map(Norm::new),
            activation: architecture.activation(n),
            skip: match (residual, architecture.has_projection(n)) {
                (false, _) => Skip::None,
                (true, false) => Skip::Identity,
                (true, true) => Skip::Projection,
            },
        }
    };
    let objective = Objective::new(plan.loss, plan.config.optimizer.label_smoothing)?;
    Ok(Network { layers: (0..architecture.layers()).map(layer).collect(), objective })
}

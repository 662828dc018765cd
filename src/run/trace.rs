//! One forward and backward pass with every number named, for people who learn the algorithm.

use std::fmt::Write;

use super::row_pass::{inputs, row_pass, target};
use crate::data::Targets;
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
            "--trace: the network has {count} parameters, more than the {MOST_PARAMETERS} that can be read: try a smaller one, such as --hidden 3"
        )));
    }
    let data = &plan.prepared.train;
    let mut order = Vec::new();
    data.order(plan.config.seed, 0, plan.config.shuffle, &mut order);
    let row = *order.first().ok_or_else(|| Error::NoStep("there is no row to train on".to_owned()))? as usize;
    let x = inputs(&data.features, row);
    let target = target(&data.targets, row);
    let by_class = matches!(data.targets, Targets::Classes { .. });
    let traced = match &plan.architecture.chain {
        Some(_) => of_layers(plan, x, row)?,
        None => {
            let wrap = if by_class { textbook::Targets::Classes } else { textbook::Targets::Values };
            of_stack(plan, &Batch { rows: 1, x: &x, targets: wrap(&target), weights: None })?
        }
    };
    let mut text = String::new();
    section(&mut text, "weights", plan.parameters.named().iter().map(named).collect());
    section(&mut text, "forward", traced.forward);
    section(&mut text, "backward", traced.backward);
    section(&mut text, "gradients", traced.gradients);
    let lr = plan.config.optimizer.spec.lr;
    let _ = writeln!(text, "loss {:.6}; plain gradient descent would now do  p ← p − {lr} · dL/dp", traced.loss);
    Ok(text)
}

/// A quantity with its name.
type Quantity = (String, Vec<f64>);

/// The quantities of a pass, in the order in which they arise.
struct Traced {
    forward: Vec<Quantity>,
    backward: Vec<Quantity>,
    gradients: Vec<Quantity>,
    loss: f64,
}

/// A stack of linear layers, in the textbook's own quantities.
fn of_stack(plan: &Plan, batch: &Batch<'_, f64>) -> Result<Traced> {
    let pass = network(plan)?.pass(batch);
    let owned = |named: Vec<(String, &[f64])>| named.into_iter().map(|(n, v)| (n, v.to_vec())).collect();
    let row = &pass.rows[0];
    Ok(Traced {
        forward: owned(row.forward_quantities()),
        backward: owned(row.backward_quantities()),
        gradients: owned(pass.gradient_quantities()),
        loss: pass.loss,
    })
}

/// Layers that a file described: what each gives, and the gradient by it.
fn of_layers(plan: &Plan, x: Vec<f64>, row: usize) -> Result<Traced> {
    let (pass, loss) = row_pass(plan, &plan.parameters, row)?;
    let mut forward = vec![("x".to_owned(), x)];
    forward.extend(pass.steps.iter().map(|step| (format!("{}: {}", step.name, step.what), step.y.clone())));
    let mut backward: Vec<Quantity> =
        pass.steps.iter().rev().map(|step| (format!("{}: dJ/dy", step.name), step.dy.clone())).collect();
    backward.push(("dJ/dx".to_owned(), pass.dx));
    let names = plan.parameters.named().into_iter().map(|tensor| tensor.name);
    let gradients = names.zip(pass.tensors).map(|(name, values)| (format!("dJ/d {name}"), values));
    Ok(Traced { forward, backward, gradients: gradients.collect(), loss })
}

fn named(tensor: &NamedTensor) -> Quantity {
    (tensor.name.clone(), tensor.values.iter().map(|v| f64::from(*v)).collect())
}

fn section(text: &mut String, title: &str, quantities: Vec<Quantity>) {
    let _ = writeln!(text, "{title}");
    for (name, values) in quantities {
        for (number, chunk) in values.chunks(8).enumerate() {
            let shown: Vec<String> = chunk.iter().map(|v| format!("{v:>10.6}")).collect();
            let _ = writeln!(text, "  {:<30}{}", if number == 0 { name.as_str() } else { "" }, shown.join(" "));
        }
    }
    text.push('\n');
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

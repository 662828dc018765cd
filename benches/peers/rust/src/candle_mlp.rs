//! The workloads in candle. Candle has no gradient clipping, so this file clips the global norm itself.

use std::error::Error;

use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Result, Tensor, Var};
use candle_nn::{AdamW, Linear, Module, Optimizer, ParamsAdamW, VarBuilder, VarMap, linear, loss};
use gradlane::data::Targets;

use super::{CLIP_NORM, LR, Rows, time_epochs};

/// Median seconds of an epoch.
pub fn seconds(rows: &Rows<'_>, epochs: usize) -> std::result::Result<f64, Box<dyn Error>> {
    let (device, workload) = (Device::Cpu, rows.workload);
    let inputs = Tensor::from_slice(rows.inputs, (workload.rows, workload.layers[0]), &device)?;
    let targets = match rows.targets {
        Targets::Classes { labels, .. } => Tensor::from_slice(labels, workload.rows, &device)?,
        Targets::Values { values, cols, .. } => Tensor::from_slice(values, (workload.rows, *cols), &device)?,
    };
    let variables = VarMap::new();
    let builder = VarBuilder::from_varmap(&variables, DType::F32, &device);
    let pairs = workload.layers.windows(2).enumerate();
    let layers = pairs.map(|(n, w)| linear(w[0], w[1], builder.pp(n))).collect::<Result<Vec<Linear>>>()?;
    let variables = variables.all_vars();
    let adam = ParamsAdamW { lr: LR, weight_decay: 0.0, ..ParamsAdamW::default() };
    let mut optimizer = AdamW::new(variables.clone(), adam)?;
    time_epochs(workload.rows, epochs, |order| {
        for index in order.chunks(workload.batch) {
            let index = Tensor::from_slice(index, index.len(), &device)?;
            let mut z = inputs.index_select(&index, 0)?;
            for (number, layer) in layers.iter().enumerate() {
                z = layer.forward(&z)?;
                if number + 1 < layers.len() {
                    z = z.relu()?;
                }
            }
            let targets = targets.index_select(&index, 0)?;
            let loss = match rows.targets {
                Targets::Classes { .. } => loss::cross_entropy(&z, &targets)?,
                Targets::Values { .. } => loss::mse(&z, &targets)?,
            };
            let mut grads = loss.backward()?;
            clip(&mut grads, &variables)?;
            optimizer.step(&grads)?;
        }
        Ok(())
    })
}

/// Scales all gradients down to a global norm of [`CLIP_NORM`].
fn clip(grads: &mut GradStore, variables: &[Var]) -> Result<()> {
    let mut squares = 0.0;
    for grad in variables.iter().filter_map(|v| grads.get(v)) {
        squares += f64::from(grad.sqr()?.sum_all()?.to_scalar::<f32>()?);
    }
    let factor = CLIP_NORM / (squares.sqrt() + 1e-6);
    if factor < 1.0 {
        for variable in variables {
            if let Some(grad) = grads.remove(variable) {
                grads.insert(variable, (grad * factor)?);
            }
        }
    }
    Ok(())
}

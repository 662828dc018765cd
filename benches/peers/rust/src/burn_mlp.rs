//! The workloads in burn. It clips the norm of each tensor separately, which takes about the same time as clipping the
//! global norm.

use std::error::Error;

use burn::grad_clipping::GradientClippingConfig;
use burn::module::Module;
use burn::nn::loss::{CrossEntropyLossConfig, MseLoss, Reduction};
use burn::nn::{Linear, LinearConfig};
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Int, Tensor, TensorData};
use gradlane::data::Targets;

use super::{CLIP_NORM, LR, Rows, time_epochs};

#[derive(Module, Debug)]
struct Network {
    layers: Vec<Linear>,
}

impl Network {
    fn forward(&self, mut z: Tensor<2>) -> Tensor<2> {
        for (number, layer) in self.layers.iter().enumerate() {
            z = layer.forward(z);
            if number + 1 < self.layers.len() {
                z = relu(z);
            }
        }
        z
    }
}

/// Targets on the device.
enum OnDevice {
    Classes(Tensor<1, Int>),
    Values(Tensor<2>),
}

/// Median seconds of an epoch.
pub fn seconds(rows: &Rows<'_>, epochs: usize, device: Device) -> Result<f64, Box<dyn Error>> {
    let workload = rows.workload;
    let device = device.autodiff();
    let inputs = TensorData::new(rows.inputs.to_vec(), [workload.rows, workload.layers[0]]);
    let inputs = Tensor::<2>::from_data(inputs, &device);
    let targets = match rows.targets {
        Targets::Classes { labels, .. } => {
            let labels: Vec<i32> = labels.iter().map(|label| *label as i32).collect();
            OnDevice::Classes(Tensor::from_data(TensorData::new(labels, [workload.rows]), &device))
        }
        Targets::Values { values, cols, .. } => {
            OnDevice::Values(Tensor::from_data(TensorData::new(values.clone(), [workload.rows, *cols]), &device))
        }
    };
    let layers = workload.layers.windows(2).map(|pair| LinearConfig::new(pair[0], pair[1]).init(&device)).collect();
    let mut network = Network { layers };
    let clipping = GradientClippingConfig::Norm(CLIP_NORM as f32);
    let mut optimizer = AdamConfig::new().with_epsilon(1e-8).with_grad_clipping(Some(clipping)).init();
    let cross_entropy = CrossEntropyLossConfig::new().init(&device);
    time_epochs(workload.rows, epochs, |order| {
        let mut last = None;
        for index in order.chunks(workload.batch) {
            let index: Vec<i32> = index.iter().map(|row| *row as i32).collect();
            let count = index.len();
            let index = Tensor::<1, Int>::from_data(TensorData::new(index, [count]), &device);
            let z = network.forward(inputs.clone().select(0, index.clone()));
            let loss = match &targets {
                OnDevice::Classes(labels) => cross_entropy.forward(z, labels.clone().select(0, index)),
                OnDevice::Values(values) => MseLoss::new().forward(z, values.clone().select(0, index), Reduction::Mean),
            };
            let grads = GradientsParams::from_grads(loss.backward(), &network);
            network = optimizer.step(LR, network.clone(), grads);
            last = Some(loss);
        }
        last.map(|loss| loss.into_data()); // waits until the computation has finished
        Ok(())
    })
}

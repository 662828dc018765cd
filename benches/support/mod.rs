//! The workloads of the step and epoch benchmarks: networks and synthetic rows by fixed seeds.

use gradlane::data::synthetic::{WorkloadTask, workload};
use gradlane::data::{Dataset, epoch_order};
use gradlane::kernel::Isa;
use gradlane::model::{Architecture, Parameters};
use gradlane::nn::{Activation, Loss, Objective};
use gradlane::optim::clip::NormType;
use gradlane::train::team::available_threads;
use gradlane::train::{EpochPlan, StepSettings, Trainer};

/// A classifier with ReLU between its layers.
pub struct Workload {
    /// Inputs, hidden widths, classes.
    pub layers: &'static [usize],
    /// Rows of a step.
    pub batch: usize,
    /// Rows of an epoch.
    pub rows: usize,
}

impl Workload {
    /// `784x128x10/b32`.
    pub fn id(&self) -> String {
        let widths: Vec<String> = self.layers.iter().map(usize::to_string).collect();
        format!("{}/b{}", widths.join("x"), self.batch)
    }

    fn outputs(&self) -> usize {
        self.layers[self.layers.len() - 1]
    }

    /// The network.
    pub fn architecture(&self) -> Architecture {
        let hidden = self.layers[1..self.layers.len() - 1].to_vec();
        Architecture {
            inputs: self.layers[0],
            activations: vec![Activation::Relu; hidden.len()],
            hidden,
            outputs: self.outputs(),
            output_activation: Activation::Identity,
            norm: None,
            residual: false,
            dropout: 0.0,
        }
    }

    /// Its rows.
    pub fn data(&self) -> Dataset {
        workload(self.rows, self.layers[0], WorkloadTask::Classify(self.outputs()), 1)
    }

    /// The rows of an epoch, shuffled.
    pub fn order(&self) -> Vec<u32> {
        let mut order = Vec::new();
        epoch_order(self.rows, 1, 1, true, &mut order);
        order
    }

    /// Adam with clipping by the global norm, on every CPU that is there.
    pub fn trainer(&self) -> Trainer {
        let settings = StepSettings {
            objective: Objective::new(Loss::CrossEntropy, 0.0).expect("no label smoothing"),
            optimizer: "adam".parse().expect("a name of an optimizer"),
            l1: 0.0,
            l2: 0.0,
            weight_decay: 0.0,
            decay_bias: false,
            clip_norm: Some((1.0, NormType::L2)),
            clip_value: None,
            clip_layer: None,
            ema: None,
            seed: 0,
        };
        let architecture = self.architecture();
        let parameters = Parameters::init(&architecture, None, 1);
        let machine = (Isa::detect(), available_threads());
        Trainer::new(&architecture, parameters, settings, machine, (self.batch, self.rows))
    }

    /// Steps over `order`.
    pub fn train(&self, trainer: &mut Trainer, data: &Dataset, order: &[u32]) {
        let outcome = trainer.epoch(&EpochPlan {
            data,
            order,
            epoch: 0,
            batch: self.batch,
            lr: &|_| 1e-3,
            stop: &|_| false,
            momentum: &|_| None,
            tol_grad: None,
            log_steps: None,
        });
        assert!(outcome.halt.is_none());
    }
}

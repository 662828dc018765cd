//! Common parts of the step and epoch benchmarks: orders of rows and trainers for workloads.

use gradlane::data::{Dataset, epoch_order};
use gradlane::kernel::Isa;
use gradlane::machine::Workload;
use gradlane::model::Parameters;
use gradlane::nn::Objective;
use gradlane::optim::clip::NormType;
use gradlane::train::team::available_threads;
use gradlane::train::{EpochPlan, Largest, StepSettings, Trainer};

/// The name of a workload in benchmark identifiers: `784x128x10/b32`.
pub fn id(workload: &Workload) -> String {
    let widths: Vec<String> = workload.layers.iter().map(usize::to_string).collect();
    format!("{}/b{}", widths.join("x"), workload.batch)
}

/// The rows of an epoch in shuffled order.
pub fn order(workload: &Workload) -> Vec<u32> {
    let mut order = Vec::new();
    epoch_order(workload.rows, 1, 1, true, &mut order);
    order
}

/// A trainer with Adam, clipping of the global norm, and a thread for each available CPU.
pub fn trainer(workload: &Workload) -> Trainer {
    let settings = StepSettings {
        clip_norm: Some((1.0, NormType::L2)),
        ..StepSettings::plain(
            Objective::new(workload.loss(), 0.0).expect("no label smoothing"),
            "adam".parse().expect("a name of an optimizer"),
        )
    };
    let architecture = workload.architecture();
    let parameters = Parameters::init(&architecture, None, 1);
    let machine = (Isa::detect(), available_threads());
    Trainer::new(&architecture, parameters, settings, machine, Largest { batch: workload.batch, epoch: workload.rows })
}

/// Trains one epoch on the rows in `order`.
pub fn train(workload: &Workload, trainer: &mut Trainer, data: &Dataset, order: &[u32]) {
    let outcome = trainer.epoch(&EpochPlan::new(data, order, (0, workload.batch), &|_| 1e-3));
    assert!(outcome.halt.is_none());
}

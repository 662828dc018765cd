//! The whole step: equal bits for any number of threads and any ISA with fused multiply-add, with every option.

use super::*;
use crate::data::{Dataset, Features, Targets};
use crate::kernel::{Isa, Line};
use crate::model::{Architecture, Parameters};
use crate::nn::{Activation, Loss, NormKind, Objective};
use crate::optim::catalogue::CATALOGUE;
use crate::optim::{Dialect, OptimizerSpec};
use crate::rng::{Purpose, stream};
use rand::RngExt;

mod blocks;
mod groups;
mod lookup;
mod member_rows;
mod networks;

fn architecture(activation: Activation, norm: Option<NormKind>, residual: bool, dropout: f64) -> Architecture {
    Architecture {
        inputs: 37,
        hidden: vec![40, 40, 21],
        outputs: 5,
        activations: vec![activation; 3],
        output_activation: Activation::Identity,
        norm,
        residual,
        dropout,
        chain: None,
    }
}

fn data(rows: usize, bytes: bool, weights: bool) -> Dataset {
    let mut rng = stream(1, Purpose::Synthetic, 0, 0);
    let features = if bytes {
        Features::U8 { values: (0..rows * 37).map(|_| rng.random()).collect(), cols: 37, scale: 1.0 / 255.0 }
    } else {
        Features::F32 { values: (0..rows * 37).map(|_| rng.random::<f32>() * 2.0 - 1.0).collect(), cols: 37 }
    };
    let labels = (0..rows).map(|_| rng.random_range(0..5)).collect();
    let weights = weights.then(|| (0..rows).map(|_| rng.random::<f32>() + 0.1).collect());
    Dataset { features, targets: Targets::Classes { labels, classes: 5 }, weights }
}

fn settings(optimizer: &str) -> StepSettings {
    StepSettings {
        seed: 9,
        ..StepSettings::plain(Objective::new(Loss::CrossEntropy, 0.0).unwrap(), optimizer.parse().unwrap())
    }
}

fn in_dialect(optimizer: &str, dialect: Dialect) -> StepSettings {
    let optimizer = OptimizerSpec::parse(optimizer, Some(dialect)).unwrap();
    StepSettings { optimizer, ..settings("sgd") }
}

/// The bits of all weights after two epochs of shuffled batches.
fn bits(a: &Architecture, d: &Dataset, s: &StepSettings, isa: Isa, threads: usize, batch: usize) -> Vec<u32> {
    bits_at(a, d, s, (isa, threads), batch, 0.01)
}

/// The same at another learning rate.
fn bits_at(a: &Architecture, d: &Dataset, s: &StepSettings, engine: (Isa, usize), batch: usize, lr: f64) -> Vec<u32> {
    let rows = d.rows();
    let mut trainer = Trainer::new(a, Parameters::init(a, None, 3), s.clone(), engine, Largest { batch, epoch: rows });
    for epoch in 0..2 {
        let mut order: Vec<u32> = (0..rows as u32).collect();
        order.rotate_left(7 * epoch as usize + 1);
        let rate = |_| lr;
        let plan = EpochPlan::new(d, &order, (epoch, batch), &rate);
        let outcome = trainer.epoch(&plan);
        assert!(outcome.halt.is_none() && outcome.loss.is_finite(), "{outcome:?}");
    }
    trainer.evaluated_parameters().iter().flat_map(|l: &Line| l.0.map(f32::to_bits)).collect()
}

#[test]
fn bits_do_not_depend_on_threads_or_fused_isa() {
    let gelu = architecture(Activation::Gelu, Some(NormKind::Layer), true, 0.2);
    let relu = architecture(Activation::Relu, None, false, 0.0);
    let silu = architecture(Activation::Silu, Some(NormKind::Rms), false, 0.5);
    let mut all = settings("adamw:weight_decay=0.1");
    (all.l1, all.l2, all.clip_value, all.clip_layer) = (1e-4, 1e-3, Some(0.5), Some(1.0));
    (all.clip_norm, all.ema) = (Some((1.0, crate::optim::clip::NormType::L2)), Some(0.9));
    let mut lamb = settings("lamb:weight_decay=0.1");
    (lamb.clip_norm, lamb.ema) = (Some((1.0, crate::optim::clip::NormType::L2)), Some(0.9));
    let mut keras = in_dialect("nadam", Dialect::Keras);
    (keras.l2, keras.clip_layer, keras.mean_of_means) = (1e-3, Some(0.5), Some(20));
    let sklearn = StepSettings { l2: 0.1, ..in_dialect("sgd", Dialect::Sklearn) };
    let cases = [
        (&gelu, data(203, false, true), all, 50),
        (&relu, data(203, true, false), settings("nesterov"), 64),
        (&silu, data(203, false, false), settings("rmsprop:centered=true,momentum=0.9"), 33),
        (&relu, data(1100, false, true), settings("adam"), 1100),
        (&gelu, data(40, true, true), settings("sgd"), 1),
        (&gelu, data(203, false, true), lamb, 50),
        (&gelu, data(203, false, false), settings("muon:lr=0.02"), 64),
        (&silu, data(203, true, false), settings("schedulefree:warmup_steps=3"), 50),
        (&relu, data(203, false, true), settings("lbfgs"), 203),
        (&gelu, data(203, false, true), keras, 50),
        (&silu, data(203, false, true), sklearn, 40),
    ];
    for (number, (a, d, s, batch)) in cases.iter().enumerate() {
        for isa in Isa::available() {
            let one = bits(a, d, s, isa, 1, *batch);
            for threads in [2, 3, 8] {
                assert!(bits(a, d, s, isa, threads, *batch) == one, "case {number}: {} {threads} threads", isa.name());
            }
            if isa.name() == "avx2" {
                assert!(bits(a, d, s, Isa::detect(), 1, *batch) == one, "case {number}: avx2 and avx512 differ");
            }
        }
    }
}

#[test]
fn padding_stays_zero() {
    let a = architecture(Activation::Tanh, Some(NormKind::Layer), true, 0.1);
    let d = data(100, false, false);
    let mut used = vec![false; 16 * Parameters::zeros(&a).layout.lines];
    for tensor in &Parameters::zeros(&a).layout.tensors {
        for panel in 0..tensor.panels {
            for (row, line) in tensor.lines(panel, 0..tensor.rows).enumerate() {
                for lane in 0..16 {
                    let index = if tensor.fan_in == 0 && tensor.panels == 1 { row * 16 } else { panel * 16 } + lane;
                    used[line * 16 + lane] = index < tensor.fan_out;
                }
            }
        }
    }
    for entry in CATALOGUE {
        let settings = settings(entry.name);
        let full = settings.optimizer.algorithm.needs_full_batch();
        let trained = bits(&a, &d, &settings, Isa::detect(), 2, if full { 100 } else { 16 });
        assert!(trained.iter().zip(&used).all(|(bits, used)| *used || *bits == 0), "{}", entry.name);
    }
}

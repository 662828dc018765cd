//! Rows that are read by blocks train to the bits of rows in memory.

use super::*;
use crate::data::{DataOptions, Shuffle, prepare};

/// A table prepared in memory, and by blocks of four rows, of which 256 rows are in memory together.
fn both() -> [Dataset; 2] {
    let row = |n: usize| {
        let x = |k: usize| ((n * k) as f64 * 0.37).sin();
        format!("{},{},{},{},{}\n", x(1), n * n % 17, ["red", "", "blue"][n % 3], n % 3, n % 5)
    };
    let text = "width,size,colour,weight,label\n".to_owned() + &(0..700).map(row).collect::<String>();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.csv");
    std::fs::write(&path, text).unwrap();
    let memory = DataOptions { weight_col: Some("weight".to_owned()), ..DataOptions::new(&path) };
    let by_blocks = DataOptions { shuffle: Shuffle::Blocks, ..memory.clone() };
    let [memory, mut by_blocks] = [memory, by_blocks].map(|options| prepare(&options, 3).unwrap().train);
    let Features::Blocks(blocks) = by_blocks.features else { panic!("by blocks") };
    by_blocks.features = Features::Blocks(blocks.in_blocks_of(4));
    [memory, by_blocks]
}

fn network(inputs: usize) -> Architecture {
    Architecture { inputs, ..architecture(Activation::Gelu, Some(NormKind::Layer), true, 0.2) }
}

/// The bits of all weights after two epochs, which may be left at every third step and gone on with.
fn trained(data: &Dataset, settings: &StepSettings, (threads, batch): (usize, usize), leave: bool) -> Vec<u32> {
    let network = network(data.features.cols());
    let parameters = Parameters::init(&network, None, 3);
    let mut trainer = Trainer::new(
        &network,
        parameters,
        settings.clone(),
        (Isa::detect(), threads),
        Largest { batch, epoch: data.rows() },
    );
    for epoch in 0..2 {
        let mut order: Vec<u32> = (0..data.rows() as u32).collect();
        order.rotate_left(7 * epoch as usize + 1);
        let (mut seen, mut steps) = (0, Vec::new());
        loop {
            let made = trainer.steps();
            let plan = EpochPlan {
                data,
                order: &order,
                own_orders: &[],
                epoch,
                batch,
                lr: &|_| 0.01,
                stop: &|now| leave && now >= made + 3,
                momentum: &|_| None,
                tol_grad: None,
                log_steps: Some(1),
            };
            let outcome = trainer.epoch(&plan);
            assert!(outcome.rows > seen && outcome.loss.is_finite(), "{outcome:?}");
            seen = outcome.rows;
            steps.extend(outcome.records.iter().map(|record| record.step));
            if outcome.halt.is_none() {
                break;
            }
        }
        let of_epoch = data.rows().div_ceil(batch) as u64;
        assert_eq!(seen, data.rows());
        assert_eq!(steps, (epoch * of_epoch + 1..=(epoch + 1) * of_epoch).collect::<Vec<_>>(), "each step is recorded");
    }
    let evaluation = trainer.evaluate(data);
    let outputs = evaluation.outputs.into_iter().chain([evaluation.loss as f32]).map(f32::to_bits);
    trainer.evaluated_parameters().iter().flat_map(|l: &Line| l.0.map(f32::to_bits)).chain(outputs).collect()
}

#[test]
fn rows_by_blocks_train_to_the_same_bits() {
    let [memory, blocks] = both();
    let mut ema = settings("adamw:weight_decay=0.1");
    (ema.ema, ema.clip_norm) = (Some(0.9), Some((1.0, crate::optim::clip::NormType::L2)));
    for (settings, batch) in [
        (ema, 50),
        (settings("muon:lr=0.02"), 64),
        (settings("schedulefree:warmup_steps=3"), 300),
        (settings("sgd"), 1),
    ] {
        let expected = trained(&memory, &settings, (1, batch), false);
        for (threads, leave) in [(1, false), (3, false), (2, true)] {
            let found = trained(&blocks, &settings, (threads, batch), leave);
            assert!(found == expected, "batch {batch}, {threads} threads, left: {leave}");
        }
    }
}

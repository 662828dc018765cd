//! Numbers of levels beside one-hot inputs, and large tables.

use super::*;
use crate::layer::{Activate, AnyKind, Categories, Expand, Layer, Linear, Lookup};

const CLASSES: usize = 5;

fn network(inputs: usize, first: impl Into<AnyKind>, members: usize) -> Architecture {
    let chain = vec![
        Layer::new("network.0", first),
        Layer::new("network.1", Expand { members }),
        Layer::new("network.2", Linear::new(20)),
        Layer::new("network.3", Activate { function: Activation::Tanh }),
        Layer::new("network.4", Linear { members: members > 1, ..Linear::new(CLASSES) }),
    ];
    let plain = architecture(Activation::Relu, None, false, 0.0);
    Architecture { inputs, hidden: vec![], activations: vec![], chain: Some(chain), ..plain }
}

/// Two numbers with the levels of two columns between them, each as one-hot inputs and as a number; some levels are unknown.
fn both_forms(rows: usize, levels: [usize; 2]) -> [Dataset; 2] {
    let mut rng = stream(3, Purpose::Synthetic, 0, 0);
    let (mut one_hot, mut numbers, mut labels) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rows {
        let level = levels.map(|levels| rng.random_range(0..=levels));
        let x: [f32; 2] = [rng.random(), rng.random()];
        let inputs_of = |column: usize| (1..=levels[column]).map(move |at| f32::from(u8::from(level[column] == at)));
        one_hot.extend(std::iter::once(x[0]).chain(inputs_of(0)).chain([x[1]]).chain(inputs_of(1)));
        numbers.extend([x[0], level[0] as f32, x[1], level[1] as f32]);
        labels.push(rng.random_range(0..CLASSES as u32));
    }
    let widths = [2 + levels[0] + levels[1], 4];
    let targets = Targets::Classes { labels, classes: CLASSES };
    let data =
        |(values, cols)| Dataset { features: Features::F32 { values, cols }, targets: targets.clone(), weights: None };
    [(one_hot, widths[0]), (numbers, widths[1])].map(data)
}

/// A product with one-hot inputs adds zeros to one vector, and so does its gradient, row by row: not a bit differs.
#[test]
fn numbers_of_levels_learn_what_one_hot_inputs_learn() {
    for (dim, mask, members, rows) in [(8, 0.0, 1, 70), (3, 0.3, 1, 70), (18, 0.3, 4, 70), (8, 0.1, 1, 1500)] {
        let levels = [61, 7];
        let [one_hot, numbers] = both_forms(rows, levels);
        let runs = [(1, levels[0]), (2 + levels[0], levels[1])].into();
        let by_inputs = network(2 + levels[0] + levels[1], Categories { runs, dim, mask }, members);
        let columns = [(1, levels[0]), (3, levels[1])].into();
        let by_number = network(4, Lookup { columns, dim, mask }, members);
        for optimizer in ["sgd", "adam"] {
            let settings = StepSettings {
                weight_decay: 0.01,
                clip_norm: Some((1.0, crate::optim::clip::NormType::L2)),
                ..settings(optimizer)
            };
            for isa in Isa::available() {
                let expected = bits(&by_inputs, &one_hot, &settings, isa, 2, rows.min(1200));
                let found = bits(&by_number, &numbers, &settings, isa, 2, rows.min(1200));
                let differing = expected.iter().zip(&found).filter(|(a, b)| a != b && !is_zero(**a, **b)).count();
                assert_eq!((found.len(), differing), (expected.len(), 0), "{} {optimizer} dim {dim}", isa.name());
            }
        }
    }
}

/// Whether both are zero, of either sign.
fn is_zero(a: u32, b: u32) -> bool {
    f32::from_bits(a) == 0.0 && f32::from_bits(b) == 0.0
}

/// Batches of several blocks; a table of many slots, most of whose rows no batch reads.
#[test]
fn large_tables_have_the_same_bits_on_any_number_of_threads() {
    let [_, data] = both_forms(2100, [3000, 1]);
    let network = network(4, Lookup { columns: [(1, 3000), (3, 1)].into(), dim: 20, mask: 0.2 }, 1);
    for isa in Isa::available() {
        let one = bits(&network, &data, &settings("adam"), isa, 1, 1500);
        for threads in [2, 3, 8] {
            assert!(bits(&network, &data, &settings("adam"), isa, threads, 1500) == one, "{} {threads}", isa.name());
        }
        if isa.name() == "avx2" {
            assert!(bits(&network, &data, &settings("adam"), Isa::detect(), 2, 1500) == one);
        }
    }
}

/// Plain gradient descent moves the vectors that a batch reads and no others.
#[test]
fn only_the_levels_of_a_batch_are_learnt() {
    let levels = 300;
    let features = Features::F32 { values: vec![7.0, 0.0, 300.0, 7.0, f32::MAX, -4.0], cols: 1 };
    let targets = Targets::Classes { labels: vec![0, 1, 2, 3, 4, 0], classes: CLASSES };
    let data = Dataset { features, targets, weights: None };
    let network = network(1, Lookup { columns: [(0, levels)].into(), dim: 4, mask: 0.0 }, 1);
    let table = |lines: &[Line]| {
        let before = Parameters::init(&network, None, 9);
        let named = Parameters { lines: lines.to_vec(), ..before }.named();
        named.into_iter().find(|tensor| tensor.name == "network.0.weight").unwrap().values
    };
    let begin = Parameters::init(&network, None, 9);
    let before = table(&begin.lines);
    let mut trainer = Trainer::new(&network, begin, settings("sgd"), (Isa::detect(), 2), Largest::of_one_batch(6));
    let order: Vec<u32> = (0..6).collect();
    let plan = EpochPlan::new(&data, &order, (0, 6), &|_| 0.5);
    trainer.epoch(&plan);
    let after = table(trainer.evaluated_parameters());
    let moved: Vec<usize> = (0..=levels).filter(|row| before[*row] != after[*row]).collect();
    assert_eq!(moved, [0, 7, 300], "numbers without a level read the first vector");
}

//! Random small networks of every kind of layer, nested: the definition against its differences, the step against the definition.

use std::collections::BTreeSet;

use super::*;
use crate::layer::{
    Activate, Adapter, AnyKind, Bins, Branches, Categories, Dropout, Embedded, Expand, Factors, Layer, Linear, Lookup,
    Mix, Network, Norm, Pbld, Ple, Prelu, Scale, Skip,
};
use rand::Rng;

/// Networks tried; the number of one is its seed.
pub(super) const NETWORKS: u64 = 200;
/// So many of them have no members and no embeddings; later ones have members.
pub(super) const PLAIN: u64 = 60;
/// From here on numbers and categories may be embedded, in any place.
const EMBEDDED: u64 = 100;
/// From here on they are, by the first layer or within it, and each member has factors of its own.
const WITH_ALL: u64 = 150;
/// About so many numbers of a tensor are compared with differences, for these take the square of the network's size.
const MOST_CHECKED: usize = 48;
const INPUTS: usize = 5;
/// An input that holds numbers of levels.
const LEVEL: usize = INPUTS - 1;
pub(super) const OUTPUTS: usize = 3;
/// Two panels, the second not full.
pub(super) const ROWS: usize = 19;

/// Draws chains of layers; tensors are named by their number.
struct Draw<R> {
    rng: R,
    layers: usize,
    dropout: bool,
    /// Whether members have begun.
    members: bool,
    /// Whether numbers may be embedded.
    embeds: bool,
}

impl<R: Rng> Draw<R> {
    fn named(&mut self, what: impl Into<AnyKind>) -> Layer {
        self.layers += 1;
        Layer::new(format!("network.{}", self.layers), what)
    }

    /// Up to `most` layers; `depth` more levels of nesting.
    fn chain(&mut self, most: usize, depth: usize) -> Vec<Layer> {
        (0..self.rng.random_range(0..=most)).map(|_| self.layer(depth)).collect()
    }

    /// Two inputs in pieces, in waves, as numbers of levels, or three as those of two categories; one may have no pieces.
    fn embedding(&mut self) -> Layer {
        let embedded = Embedded { inputs: Some([[0, 2], [1, 2]][self.rng.random_range(0..2)].into()) };
        let dim = self.rng.random_range(2..20);
        let mask = if self.dropout { 0.4 } else { 0.0 };
        match self.rng.random_range(0..6) {
            0 | 1 => return self.named(Categories { runs: [(0, 2), (2, 1)].into(), dim, mask }),
            2 => return self.named(Lookup { columns: [(1, 2), (LEVEL, 3)].into(), dim, mask }),
            3 => return self.named(Lookup { columns: [(0, 1), (LEVEL, 70)].into(), dim, mask }),
            _ => {}
        }
        let what: AnyKind = if self.rng.random() {
            let second = [vec![], vec![-0.2, 0.5]][self.rng.random_range(0..2)].clone();
            Ple { embedded, dim, bins: Bins::Edges(vec![vec![-0.6, -0.1, 0.33, 0.8], second].into()) }.into()
        } else {
            Pbld { embedded, dim, frequencies: self.rng.random_range(1..20), sigma: 0.5 }.into()
        };
        self.named(what)
    }

    /// An embedding, alone or within a skip or branches.
    fn first_embedding(&mut self, number: u64) -> Layer {
        let embedding = self.embedding();
        let mut inner = vec![embedding];
        inner.extend(self.chain(1, 0));
        match number % 3 {
            0 => inner.swap_remove(0),
            1 => self.named(Skip { inner }),
            _ => {
                let chains = vec![inner, self.chain(2, 1)];
                self.named(Branches { chains })
            }
        }
    }

    fn layer(&mut self, depth: usize) -> Layer {
        let smooth = [Activation::Tanh, Activation::Gelu, Activation::Silu, Activation::Sigmoid];
        if self.embeds && self.rng.random_range(0..4) == 0 {
            return self.embedding();
        }
        let what: AnyKind = match self.rng.random_range(0..if depth > 0 { 9 } else { 7 }) {
            0 if self.members && self.rng.random::<bool>() => {
                let bias = self.rng.random();
                Linear { bias, members: true, ..Linear::new(self.rng.random_range(3..20)) }.into()
            }
            3 if self.members => {
                let shift = self.rng.random::<bool>().then_some(0.5);
                Adapter { shift, ..Adapter::new(Factors::Normal, None) }.into()
            }
            0 => Linear::new(self.rng.random_range(3..20)).into(),
            1 => Norm { norm: [NormKind::Layer, NormKind::Rms][self.rng.random_range(0..2)] }.into(),
            2 => Activate { function: smooth[self.rng.random_range(0..smooth.len())] }.into(),
            3 => Scale.into(),
            4 if self.dropout => Dropout { rate: 0.3 }.into(),
            4 => Scale.into(),
            5 => Prelu.into(),
            6 => {
                let function = smooth[self.rng.random_range(0..smooth.len())];
                Mix { function, members: self.members && self.rng.random::<bool>() }.into()
            }
            7 => Skip { inner: self.chain(3, depth - 1) }.into(),
            _ => Branches { chains: (0..self.rng.random_range(1..=3)).map(|_| self.chain(2, depth - 1)).collect() }
                .into(),
        };
        self.named(what)
    }
}

pub(super) fn network(number: u64, dropout: bool) -> Architecture {
    let mut draw = Draw {
        rng: stream(number, Purpose::Synthetic, 1, 0),
        layers: 0,
        dropout,
        members: false,
        embeds: number >= EMBEDDED,
    };
    let mut chain = draw.chain(5, 2);
    if number >= PLAIN {
        chain.truncate(2);
        if number >= WITH_ALL {
            chain.insert(0, draw.first_embedding(number));
        }
        chain.push(draw.named(Expand { members: 1 + number as usize % 4 }));
        draw.members = true;
        if number >= WITH_ALL {
            chain.push(draw.named(Adapter { shift: Some(0.5), ..Adapter::new(Factors::Signs, None) }));
        }
        chain.extend(draw.chain(4, 2));
    }
    let last = Linear { members: draw.members && number.is_multiple_of(2), ..Linear::new(OUTPUTS) };
    chain.push(draw.named(last));
    of_chain(chain)
}

fn of_chain(chain: Vec<Layer>) -> Architecture {
    let plain = architecture(Activation::Relu, None, false, 0.0);
    Architecture { inputs: INPUTS, outputs: OUTPUTS, hidden: vec![], activations: vec![], chain: Some(chain), ..plain }
}

/// What is checked below holds for a kind only if it occurs, and within others too where it may.
#[test]
fn every_kind_occurs_among_the_networks_and_within_others() {
    let (mut anywhere, mut within) = (BTreeSet::new(), BTreeSet::new());
    let mut with_all = 0;
    for number in 0..NETWORKS {
        let network = network(number, true).network();
        let mut own = BTreeSet::new();
        for op in network.program(true).ops {
            let (name, outermost) = (op.layer.what.name(), network.chain.iter().any(|l| l.name == op.layer.name));
            own.insert(name);
            if !outermost {
                within.insert(name);
            }
        }
        let embeds = ["ple", "pbld", "categories", "lookup"].iter().any(|kind| own.contains(kind));
        with_all += usize::from(embeds && own.contains("adapter"));
        anywhere.extend(own);
    }
    let names: BTreeSet<&str> = AnyKind::NAMES.iter().copied().collect();
    assert_eq!(anywhere, names);
    // Members begin in the outermost list alone.
    assert_eq!(names.difference(&within).copied().collect::<Vec<_>>(), ["expand"]);
    assert!(with_all >= 50, "{with_all}");
}

/// Random rows with random targets.
pub(super) fn rows(number: u64, count: usize) -> Dataset {
    let mut rng = stream(number, Purpose::Synthetic, 2, 0);
    let mut numbers = |count: usize| (0..count).map(|_| rng.random::<f32>() * 2.0 - 1.0).collect::<Vec<_>>();
    let mut inputs = numbers(count * INPUTS);
    if number >= EMBEDDED {
        // Levels 0 to 3, away from where one ends, so that differences are of one level.
        inputs.iter_mut().skip(LEVEL).step_by(INPUTS).for_each(|x| *x = (2.0 * *x + 2.0).floor() + 0.5);
    }
    let features = Features::F32 { values: inputs, cols: INPUTS };
    let targets = Targets::Values { values: numbers(count * OUTPUTS), units: None, cols: OUTPUTS };
    Dataset { features, targets, weights: None }
}

/// Weights as they are drawn, and somewhat more, so that gains are not all alike.
pub(super) fn parameters(network: &Architecture, number: u64) -> Parameters {
    let mut rng = stream(number, Purpose::Synthetic, 3, 0);
    let mut named = Parameters::init(network, None, number).named();
    named.iter_mut().flat_map(|t| &mut t.values).for_each(|value| *value += 0.3 * rng.random::<f32>() - 0.15);
    Parameters::from_named(network, &named).unwrap()
}

pub(super) fn values(parameters: &Parameters) -> Vec<Vec<f64>> {
    parameters.named().iter().map(|t| wide(&t.values)).collect()
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|v| f64::from(*v)).collect()
}

/// Rows of `x` and `t` of the data.
pub(super) fn pairs(data: &Dataset) -> Vec<(Vec<f64>, Vec<f64>)> {
    let (Features::F32 { values: x, .. }, Targets::Values { values: t, .. }) = (&data.features, &data.targets) else {
        unreachable!("made of numbers")
    };
    x.chunks(INPUTS).zip(t.chunks(OUTPUTS)).map(|(x, t)| (wide(x), wide(t))).collect()
}

/// `½ Σ (y − t)²`, mean over the rows and members, by the definition.
fn loss(network: &Network, rows: &[(Vec<f64>, Vec<f64>)], tensors: &[Vec<f64>]) -> f64 {
    let of_row = |(x, t): &(Vec<f64>, Vec<f64>)| -> f64 {
        network.define(x, tensors).iter().zip(t.iter().cycle()).map(|(y, t)| 0.5 * (y - t) * (y - t)).sum()
    };
    rows.iter().map(of_row).sum::<f64>() / (rows.len() * network.members()) as f64
}

/// The gradient of [`loss`] by every tensor, and of each row's part by its input.
fn gradient(network: &Network, rows: &[(Vec<f64>, Vec<f64>)], tensors: &[Vec<f64>]) -> (Vec<Vec<f64>>, Vec<Vec<f64>>) {
    let mut sums: Vec<Vec<f64>> = tensors.iter().map(|t| vec![0.0; t.len()]).collect();
    let mut by_inputs = Vec::new();
    for (x, t) in rows {
        let share = 1.0 / (rows.len() * network.members()) as f64;
        let by_outputs = |y: &[f64]| y.iter().zip(t.iter().cycle()).map(|(y, t)| (y - t) * share).collect();
        let pass = network.define_pass(x, tensors, by_outputs);
        assert_eq!(
            pass.tensors.iter().map(Vec::len).collect::<Vec<_>>(),
            sums.iter().map(Vec::len).collect::<Vec<_>>()
        );
        sums.iter_mut().flatten().zip(pass.tensors.iter().flatten()).for_each(|(sum, g)| *sum += g);
        by_inputs.push(pass.dx);
    }
    (sums, by_inputs)
}

#[test]
fn the_definition_s_gradient_is_its_differences() {
    for number in 0..NETWORKS {
        let network = network(number, false);
        let (mut rows, mut tensors) = (pairs(&rows(number, 3)), values(&parameters(&network, number)));
        let network = network.network();
        let (by_tensors, by_inputs) = gradient(&network, &rows, &tensors);
        let h = 1e-5;
        let check = |found: f64, above: f64, below: f64, what: &str| {
            let expected = (above - below) / (2.0 * h);
            let most = 1e-6 * (1.0 + expected.abs());
            assert!((found - expected).abs() < most, "seed {number}: {what}: {found}, not {expected}: {network:?}");
        };
        for t in 0..tensors.len() {
            // Of a large tensor some numbers, others in each network.
            let stride = 1 + tensors[t].len() / MOST_CHECKED;
            for i in (number as usize % stride..tensors[t].len()).step_by(stride) {
                let at = tensors[t][i];
                let [above, below] = [h, -h].map(|distance| {
                    tensors[t][i] = at + distance;
                    loss(&network, &rows, &tensors)
                });
                tensors[t][i] = at;
                check(by_tensors[t][i], above, below, &format!("tensor {t}, {i}"));
            }
        }
        for (i, by_input) in by_inputs[1].iter().enumerate() {
            let at = rows[1].0[i];
            let [above, below] = [h, -h].map(|distance| {
                rows[1].0[i] = at + distance;
                loss(&network, &rows, &tensors)
            });
            rows[1].0[i] = at;
            check(*by_input, above, below, &format!("input {i}"));
        }
    }
}

/// What exports write computes what the definition says.
#[test]
fn the_graph_of_a_network_computes_its_definition() {
    for number in 0..NETWORKS {
        let network = network(number, true);
        let (rows, tensors) = (pairs(&rows(number, 4)), values(&parameters(&network, number)));
        let network = network.network();
        let graph = network.graph();
        for (x, _) in &rows {
            let (found, expected) = (graph.evaluate(x, &tensors), network.define(x, &tensors));
            assert_eq!(found.len(), expected.len(), "seed {number}: {network:?}");
            for (found, expected) in found.iter().zip(&expected) {
                let most = 1e-12 * (1.0 + expected.abs());
                assert!((found - expected).abs() < most, "seed {number}: {found}, not {expected}: {network:?}");
            }
        }
    }
}

fn trainer(network: &Architecture, parameters: &Parameters, rows: usize, (isa, threads): (Isa, usize)) -> Trainer {
    let objective = Objective::new("half_squared_error_sum".parse().unwrap(), 0.0).unwrap();
    let settings = StepSettings { seed: 9, ..StepSettings::plain(objective, "sgd".parse().unwrap()) };
    Trainer::new(network, parameters.clone(), settings, (isa, threads), Largest::of_one_batch(rows))
}

/// One step of gradient descent at `lr`; its loss.
fn step_once(trainer: &mut Trainer, data: &Dataset, lr: f64) -> f64 {
    let order: Vec<u32> = (0..data.rows() as u32).collect();
    let rate = |_| lr;
    let plan = EpochPlan::new(data, &order, (0, data.rows()), &rate);
    trainer.epoch(&plan).loss
}

/// Compares loss, outputs and step of the fast form with the definition.
fn follow(network: &Architecture, number: u64, count: usize) {
    let (data, before) = (rows(number, count), parameters(network, number));
    let (list, rows, tensors) = (network.network(), pairs(&data), values(&before));
    let mut trainer = trainer(network, &before, count, (Isa::detect(), 2));
    let outputs = trainer.evaluate(&data).outputs;
    for (row, (x, _)) in outputs.chunks(OUTPUTS).zip(&rows) {
        let said = list.define(x, &tensors);
        for (i, found) in row.iter().enumerate() {
            let expected = said.iter().skip(i).step_by(OUTPUTS).sum::<f64>() / list.members() as f64;
            assert!((f64::from(*found) - expected).abs() < 2e-5 * (1.0 + expected.abs()), "seed {number}: {network:?}");
        }
    }
    let (found, expected) = (step_once(&mut trainer, &data, 1.0), loss(&list, &rows, &tensors));
    assert!(
        (found - expected).abs() < 1e-5 * (1.0 + expected),
        "seed {number}: loss {found}, not {expected}: {list:?}"
    );
    let after = values(&Parameters { lines: trainer.evaluated_parameters().to_vec(), ..before.clone() });
    let (gradient, _) = gradient(&list, &rows, &tensors);
    for (t, expected) in gradient.iter().enumerate() {
        for (i, expected) in expected.iter().enumerate() {
            let found = tensors[t][i] - after[t][i];
            // The step is in `f32`, and a weight near 1 has a resolution of 6e-8.
            let most = 2e-5 * (1.0 + expected.abs());
            assert!((found - expected).abs() < most, "seed {number}: {found}, not {expected} ({t}, {i}): {list:?}");
        }
    }
}

#[test]
fn steps_of_nested_networks_follow_the_gradient_of_the_definition() {
    for number in 0..NETWORKS {
        follow(&network(number, false), number, ROWS);
    }
}

/// A batch of several blocks, the last of which is not full.
#[test]
fn blocks_of_many_members_go_on_where_the_last_ended() {
    let chain = vec![
        Layer::new("network.0", Linear::new(9)),
        Layer::new("network.1", Expand { members: 32 }),
        Layer::new("network.2", Adapter { shift: Some(0.5), ..Adapter::new(Factors::Signs, Some(vec![4, 5].into())) }),
        Layer::new("network.3", Linear { bias: false, ..Linear::new(18) }),
        Layer::new("network.4", Activate { function: Activation::Tanh }),
        Layer::new("network.5", Linear { members: true, ..Linear::new(OUTPUTS) }),
    ];
    let network = of_chain(chain);
    follow(&network, 1, 150);
    let (data, begin) = (rows(1, 150), parameters(&network, 1));
    let run = |threads| {
        let mut trainer = trainer(&network, &begin, 150, (Isa::detect(), threads));
        step_once(&mut trainer, &data, 0.1);
        trainer.evaluated_parameters().to_vec()
    };
    assert!([2, 3, 8].into_iter().all(|threads| run(threads) == run(1)));
}

/// A fork whose first layer adds its gradient to what another chain has left.
#[test]
fn a_fork_may_begin_with_any_layer_or_with_none() {
    let kinds: [AnyKind; 8] = [
        Norm { norm: NormKind::Layer }.into(),
        Norm { norm: NormKind::Rms }.into(),
        Scale.into(),
        Prelu.into(),
        Mix { function: Activation::Mish, members: false }.into(),
        Activate { function: Activation::Gelu }.into(),
        Skip { inner: vec![] }.into(),
        Branches { chains: vec![vec![], vec![]] }.into(),
    ];
    for (number, first) in kinds.into_iter().enumerate() {
        let inner = |name: &str| vec![Layer::new(name, first.clone())];
        let chain = vec![
            Layer::new("network.0", Skip { inner: inner("network.0.0") }),
            Layer::new("network.1", Linear::new(7)),
            Layer::new("network.2", Skip { inner: inner("network.2.0") }),
            Layer::new("network.3", Branches { chains: vec![inner("network.3.0.0"), inner("network.3.1.0"), vec![]] }),
            Layer::new("network.4", Skip { inner: vec![] }),
            Layer::new("network.5", Linear::new(OUTPUTS)),
        ];
        follow(&of_chain(chain), number as u64, ROWS);
    }
}

#[test]
fn nested_networks_have_the_same_bits_on_any_number_of_threads_and_fused_isa() {
    for number in 0..NETWORKS {
        let network = network(number, true);
        let (data, begin) = (rows(number, ROWS), parameters(&network, number));
        let run = |isa, threads| {
            let mut trainer = trainer(&network, &begin, ROWS, (isa, threads));
            step_once(&mut trainer, &data, 0.1);
            step_once(&mut trainer, &data, 0.1);
            trainer.evaluated_parameters().iter().flat_map(|l: &Line| l.0.map(f32::to_bits)).collect::<Vec<_>>()
        };
        for isa in Isa::available() {
            let one = run(isa, 1);
            for threads in [2, 3, 8] {
                assert!(run(isa, threads) == one, "seed {number}, {}, {threads} threads: {network:?}", isa.name());
            }
            if isa.name() == "avx2" {
                assert!(run(Isa::detect(), 1) == one, "seed {number}: avx2 and avx512 differ: {network:?}");
            }
        }
    }
}

//! Tests of programs: which values share memory, and where gradients go.

use super::*;
use crate::nn::Activation;
use crate::nn::norm::NormKind;

fn linear(outputs: usize) -> Layer {
    Layer::new(format!("to_{outputs}"), Linear::new(outputs))
}

fn activate(function: Activation) -> Layer {
    Layer::new("activation", Activate { function })
}

fn dropout() -> Layer {
    Layer::new("dropout", Dropout { rate: 0.5 })
}

fn skip(inner: Vec<Layer>) -> Layer {
    Layer::new("skip", Skip { inner })
}

fn program(chain: Vec<Layer>, training: bool) -> Program {
    Network { inputs: 5, chain }.program(training)
}

fn places(program: &Program) -> Vec<(usize, Option<usize>, usize)> {
    program.ops.iter().map(|op| (op.x, op.side, op.y)).collect()
}

#[test]
fn a_linear_layer_and_its_activation_share_a_place_unless_the_derivative_needs_the_input() {
    let chain = |function| vec![linear(7), activate(function), linear(3)];
    let relu = program(chain(Activation::Relu), true);
    assert_eq!(places(&relu), [(0, None, 1), (1, None, 1), (1, None, 2)]);
    assert_eq!((relu.lead, relu.values, relu.output), (2, [5, 7, 3].map(Width::of).to_vec(), 2));
    let gelu = program(chain(Activation::Gelu), true);
    assert_eq!(places(&gelu), [(0, None, 1), (1, None, 2), (2, None, 3)]);
    assert_eq!(gelu.lead, 1);
    assert_eq!(program(chain(Activation::Gelu), false).lead, 2);
}

#[test]
fn the_first_gradient_of_a_value_is_written_and_later_ones_are_added() {
    let group = vec![linear(7), activate(Activation::Relu)];
    let net = program(vec![linear(7), skip(group), linear(2)], true);
    let flows: Vec<_> = net.ops.iter().map(|op| (op.dx, op.d_side)).collect();
    let no = Flow::Unwanted;
    // The gradients with respect to the network's output, the skip's output and the skip's input have places 0, 1 and 2.
    // Backward, the skip's own part is written first.
    let inner = [(Flow::Add(2), no), (Flow::InPlace, no)];
    assert_eq!(flows, [(no, no), inner[0], inner[1], (Flow::InPlace, Flow::Write(2)), (Flow::Write(1), no)]);
    assert_eq!(net.errors, [2, 7, 7].map(Width::of));
}

#[test]
fn a_value_that_two_layers_read_is_not_overwritten() {
    let net = program(vec![linear(5), skip(vec![activate(Activation::Relu), linear(5)]), linear(1)], true);
    let relu = &net.ops[1];
    assert_ne!(relu.x, relu.y);
    // The skip's part is already in the linear layer's gradient, so the activation's is added.
    assert!(matches!(relu.dx, Flow::Add(_)), "{:?}", relu.dx);
}

#[test]
fn outside_training_nothing_is_dropped_and_no_gradient_has_a_place() {
    let norm = Layer::new("norm", Norm { norm: NormKind::Layer });
    let chain = vec![linear(9), norm, activate(Activation::Tanh), dropout(), linear(2)];
    let (training, not) = (program(chain.clone(), true), program(chain, false));
    assert_eq!((training.ops.len(), not.ops.len()), (5, 4));
    assert!(not.errors.is_empty() && !training.errors.is_empty());
    assert_eq!(training.owners, [0, 1, 1, 4]);
    assert_eq!(not.owners, [0, 1, 1, 3]);
}

#[test]
fn tensors_of_inner_layers_come_before_a_projection() {
    let network = Network { inputs: 5, chain: vec![skip(vec![linear(8), linear(7)]), linear(2)] };
    let names: Vec<_> = network.tensors().into_iter().map(|t| (t.name, t.fan_in, t.fan_out)).collect();
    let expected = [("to_8", 5, 8), ("to_7", 8, 7), ("skip", 5, 7), ("to_2", 7, 2)];
    assert!(names.iter().zip(expected).all(|(name, e)| (name.0.as_str(), name.1, name.2) == e), "{names:?}");
    // As in the program: a skip's operation comes after those of its inner layers.
    assert_eq!(network.program(true).owners, [0, 1, 2, 3]);
}

#[test]
fn parallel_chains_write_parts_of_one_value() {
    let chains = vec![vec![linear(4), activate(Activation::Relu)], vec![], vec![linear(2)]];
    let net = program(vec![Layer::new("branches", Branches { chains }), linear(1)], true);
    // The input, the outputs of two chains, their concatenation, and the output.
    assert_eq!(net.values, [5, 4, 2, 11, 1].map(Width::of));
    let parts: Vec<_> = net.ops[3..6].iter().map(|op| (op.x, op.y, op.line, op.outputs)).collect();
    assert_eq!(parts, [(1, 3, 0, 4), (0, 3, 4, 5), (2, 3, 9, 2)]);
}

#[test]
fn a_skip_round_nothing_adds_a_copy() {
    let net = program(vec![linear(5), skip(vec![]), linear(2)], true);
    let added = &net.ops[2];
    assert_ne!(Some(added.x), added.side);
    let flows: Vec<_> = net.ops.iter().map(|op| (op.dx, op.d_side)).collect();
    let no = Flow::Unwanted;
    assert_eq!(flows[1..], [(Flow::Add(2), no), (Flow::InPlace, Flow::Write(2)), (Flow::Write(1), no)]);
}

#[test]
fn values_after_an_expand_layer_have_its_members() {
    let own = Layer::new("own", Linear { members: true, ..Linear::new(2) });
    let chain = vec![linear(4), Layer::new("expand", Expand { members: 3 }), linear(6), own];
    let net = program(chain.clone(), true);
    let of = |features, members| Width { features, members };
    assert_eq!(net.values, [of(5, 1), of(4, 1), of(4, 3), of(6, 3), of(2, 3)]);
    assert_eq!((net.members(), net.outputs(), net.lead), (3, 2, 1));
    let stacks: Vec<_> = Network { inputs: 5, chain }.tensors().into_iter().map(|t| t.stack).collect();
    assert_eq!(stacks, [None, None, Some(3)]);
}

#[test]
fn matrices_are_initialised_for_the_activation_that_follows() {
    let (relu, tanh) = (|| activate(Activation::Relu), || activate(Activation::Tanh));
    let chains = vec![vec![linear(4), relu()], vec![linear(6), dropout()]];
    let branches = Layer::new("branches", Branches { chains });
    let chain = vec![linear(3), dropout(), tanh(), skip(vec![linear(8), relu()]), branches, tanh(), linear(2)];
    let drawn: Vec<_> = Network { inputs: 5, chain }.tensors().into_iter().map(|t| t.begin).collect();
    let expected = [
        Activation::Tanh,
        Activation::Relu,
        Activation::Relu,
        Activation::Relu,
        Activation::Tanh,
        Activation::Identity,
    ];
    assert_eq!(drawn, expected.map(|activation| Start::Drawn(activation, None)));
}

#[test]
fn dropout_and_masks_are_left_out_at_any_depth() {
    let masked = |mask| Layer::new("categories", Categories { runs: [(0, 2)].into(), dim: 3, mask });
    let chain = |mask, dropout: Vec<Layer>| {
        let inner = vec![vec![linear(4), skip(dropout.clone())], vec![masked(mask)]];
        [vec![Layer::new("branches", Branches { chains: inner })], dropout, vec![linear(1)]].concat()
    };
    let mut random = chain(0.3, vec![dropout()]);
    let of_chain = |chain: &Vec<Layer>| Network { inputs: 5, chain: chain.clone() };
    assert_eq!(of_chain(&random).highest_dropout(), 0.5);
    leave_out_chance(&mut random);
    assert_eq!(random, chain(0.0, vec![]));
    assert_eq!(of_chain(&random).highest_dropout(), 0.0);
    assert!(of_chain(&random).program(true).ops.iter().all(|op| !op.needs.random));
}

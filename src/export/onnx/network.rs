//! A network as ONNX nodes. A value is `[rows, features]`, and `[members, rows, features]` after the layer that adds members.

use super::nodes::{AttributeValue, Name, OnnxNodes};
use super::proto::ElementType;
use crate::export::plan::ExportPlan;
use crate::layer::graph::{Learnt, Node, Of, Operand};
use crate::nn::norm::NormKind;
use crate::nn::{Activation, Normalisation};

/// Adds network number `network` and returns its outputs.
pub(super) fn network(plan: &ExportPlan<'_>, network: usize, input: &Name, nodes: &mut OnnxNodes) -> Name {
    let mut values: Vec<Name> = Vec::with_capacity(plan.graph.nodes.len());
    for (number, node) in plan.graph.nodes.iter().enumerate() {
        let with = OnnxNetwork { plan, network, number, values: &values };
        let value = if *node == Node::Input { input.clone() } else { with.node(node, nodes) };
        values.push(value);
    }
    values.swap_remove(plan.graph.output.number())
}

struct OnnxNetwork<'a> {
    plan: &'a ExportPlan<'a>,
    /// Index of the network in an ensemble.
    network: usize,
    /// Index of the node.
    number: usize,
    /// Names of the values before the node.
    values: &'a [Name],
}

impl OnnxNetwork<'_> {
    fn node(&self, node: &Node, nodes: &mut OnnxNodes) -> Name {
        let of = |value: &crate::layer::graph::GraphValue| &self.values[value.number()];
        match node {
            Node::Input => unreachable!("the input has a name"),
            Node::Product(x, w) => {
                let w = self.learnt(w, nodes);
                nodes.op("MatMul", &[of(x), &w])
            }
            Node::Plus(x, b) => {
                let b = self.operand(b, nodes);
                nodes.op("Add", &[of(x), &b])
            }
            Node::Times(x, b) => {
                let b = self.operand(b, nodes);
                nodes.op("Mul", &[of(x), &b])
            }
            Node::Function(x, f) => function(*f, of(x), nodes),
            Node::Cosine(x) => nodes.op("Cos", &[of(x)]),
            Node::Hold(x, bounds) => {
                let list = |of: fn(&(f64, f64)) -> f64| bounds.iter().map(|b| of(b) as f32).collect::<Vec<_>>();
                let (least, most) = (list(|b| b.0), list(|b| b.1));
                let (least, most) = (nodes.floats(&[least.len()], &least), nodes.floats(&[most.len()], &most));
                let above = nodes.op("Max", &[of(x), &least]);
                nodes.op("Min", &[&above, &most])
            }
            Node::Normalise(x, norm) => normalise(norm, of(x), nodes),
            Node::Select(x, features) => nodes.gather(of(x), features),
            Node::Join(parts) => nodes.join(&parts.iter().map(|part| of(part).clone()).collect::<Vec<_>>()),
            Node::Sum(x) => nodes.sum(of(x)),
            Node::Lookup(x, learnt) => self.look_up(of(x), learnt, nodes),
            Node::Expand(x, members) => {
                let axis = nodes.integers(&[0]);
                let one = nodes.op("Unsqueeze", &[of(x), &axis]);
                let shape = nodes.integers(&[*members as i64, 1, 1]);
                nodes.op("Expand", &[&one, &shape])
            }
        }
    }

    /// The vector at the integer part of `x`; the first vector if there is no such index.
    fn look_up(&self, x: &Name, learnt: &Learnt, nodes: &mut OnnxNodes) -> Name {
        let (zero, count) = (nodes.integer(0), nodes.integer(learnt.within.len() as i64));
        let at = nodes.cast(x, ElementType::Integer);
        let below = nodes.op("Less", &[&at, &count]);
        let above = nodes.op("GreaterOrEqual", &[&at, &zero]);
        let known = nodes.op("And", &[&below, &above]);
        let at = nodes.op("Where", &[&known, &at, &zero]);
        let axis = nodes.integers(&[-1]);
        let at = nodes.op("Squeeze", &[&at, &axis]);
        let vectors = self.learnt(learnt, nodes);
        nodes.op_with("Gather", &[&vectors, &at], vec![("axis", AttributeValue::Integer(0))])
    }

    fn operand(&self, operand: &Operand, nodes: &mut OnnxNodes) -> Name {
        match operand {
            Operand::Value(value) => self.values[value.number()].clone(),
            Operand::Learnt(learnt) => self.learnt(learnt, nodes),
            Operand::Numbers(numbers) => {
                let numbers: Vec<f32> = numbers.iter().map(|n| *n as f32).collect();
                nodes.floats(&[numbers.len()], &numbers)
            }
            Operand::Number(number) => nodes.float(*number),
        }
    }

    /// A matrix `[inputs, outputs]` or a vector; with members `[members, inputs, outputs]` or `[members, 1, features]`.
    fn learnt(&self, learnt: &Learnt, nodes: &mut OnnxNodes) -> Name {
        let values = self.plan.by_columns(self.network, learnt);
        let is_matrix = matches!(self.plan.graph.nodes[self.number], Node::Product(..) | Node::Lookup(..));
        let (columns, rows) = (learnt.within.len(), learnt.rows);
        let members = (learnt.of == Of::Member).then_some(values.len() / (rows * columns));
        let own = if is_matrix || members.is_some() { vec![columns, rows] } else { vec![rows] };
        nodes.floats(&members.into_iter().chain(own).collect::<Vec<_>>(), &values)
    }
}

fn normalise(norm: &Normalisation, x: &Name, nodes: &mut OnnxNodes) -> Name {
    let centred = match norm.kind {
        NormKind::Layer => {
            let mean = nodes.mean(x, -1, 1);
            nodes.op("Sub", &[x, &mean])
        }
        NormKind::Rms => x.clone(),
    };
    let squares = nodes.op("Mul", &[&centred, &centred]);
    let (square, eps) = (nodes.mean(&squares, -1, 1), nodes.float(norm.eps));
    let square = nodes.op("Add", &[&square, &eps]);
    let deviation = nodes.op("Sqrt", &[&square]);
    nodes.op("Div", &[&centred, &deviation])
}

/// `f(x)`.
fn function(f: Activation, x: &Name, nodes: &mut OnnxNodes) -> Name {
    let clip = |x: &Name, least: f64, most: f64, nodes: &mut OnnxNodes| {
        let (least, most) = (nodes.float(least), nodes.float(most));
        nodes.op("Clip", &[x, &least, &most])
    };
    match f {
        Activation::Identity => x.clone(),
        Activation::Relu => nodes.op("Relu", &[x]),
        Activation::LeakyRelu { slope } => {
            nodes.op_with("LeakyRelu", &[x], vec![("alpha", AttributeValue::Float(slope as f32))])
        }
        Activation::Elu { alpha } => nodes.op_with("Elu", &[x], vec![("alpha", AttributeValue::Float(alpha as f32))]),
        Activation::Selu => nodes.op("Selu", &[x]),
        Activation::Gelu => {
            // x/2 (1 + erf(x/√2)); the operator Gelu is of opset 20.
            let root = nodes.float(std::f64::consts::FRAC_1_SQRT_2);
            let scaled = nodes.op("Mul", &[x, &root]);
            let erf = nodes.op("Erf", &[&scaled]);
            half_of_one_plus(x, &erf, nodes)
        }
        Activation::GeluTanh => gelu_by_tanh(x, nodes),
        Activation::Silu => {
            let share = nodes.op("Sigmoid", &[x]);
            nodes.op("Mul", &[x, &share])
        }
        Activation::Mish => {
            let soft = nodes.op("Softplus", &[x]);
            let tanh = nodes.op("Tanh", &[&soft]);
            nodes.op("Mul", &[x, &tanh])
        }
        Activation::Softplus => nodes.op("Softplus", &[x]),
        Activation::Sigmoid => nodes.op("Sigmoid", &[x]),
        Activation::Tanh => nodes.op("Tanh", &[x]),
        Activation::HardSigmoid => nodes.op_with(
            "HardSigmoid",
            &[x],
            vec![("alpha", AttributeValue::Float(1.0 / 6.0)), ("beta", AttributeValue::Float(0.5))],
        ),
        Activation::HardTanh => clip(x, -1.0, 1.0, nodes),
        Activation::Relu6 => clip(x, 0.0, 6.0, nodes),
        Activation::Softsign => nodes.op("Softsign", &[x]),
    }
}

/// `x/2 (1 + tanh u)` with `u = √(2/π) (x + 0.044715 x³)`.
fn gelu_by_tanh(x: &Name, nodes: &mut OnnxNodes) -> Name {
    let (cubic, scale) = (nodes.float(0.044_715), nodes.float((2.0 / std::f64::consts::PI).sqrt()));
    let square = nodes.op("Mul", &[x, x]);
    let cube = nodes.op("Mul", &[&square, x]);
    let cube = nodes.op("Mul", &[&cube, &cubic]);
    let u = nodes.op("Add", &[x, &cube]);
    let u = nodes.op("Mul", &[&u, &scale]);
    let tanh = nodes.op("Tanh", &[&u]);
    half_of_one_plus(x, &tanh, nodes)
}

/// `x/2 (1 + y)`.
fn half_of_one_plus(x: &Name, y: &Name, nodes: &mut OnnxNodes) -> Name {
    let (one, half) = (nodes.float(1.0), nodes.float(0.5));
    let sum = nodes.op("Add", &[y, &one]);
    let half_x = nodes.op("Mul", &[x, &half]);
    nodes.op("Mul", &[&half_x, &sum])
}

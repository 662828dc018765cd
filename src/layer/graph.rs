//! The computation of a network for one row, in a few simple operations. Exports write it in another language.
//!
//! A [`Graph`] is plain data. Each kind adds its own nodes by [`super::Kind::nodes`]. There is no dropout and no mask, as in
//! prediction.

use std::ops::Range;

use super::Width;
use crate::nn::{Activation, Normalisation};

/// A value of a graph: a vector of features, for each member once members have begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GraphValue(pub(super) usize);

impl GraphValue {
    /// Its number, which is that of the node that computes it.
    pub fn number(self) -> usize {
        self.0
    }
}

/// Learnt numbers: a tensor of [`crate::model::Parameters::named`] or a part of one.
#[derive(Debug, Clone, PartialEq)]
pub struct Learnt {
    /// Number of the tensor.
    pub tensor: usize,
    /// Which tensor of a stack.
    pub of: Of,
    /// Rows of a matrix, or the length of a vector; for a stack, of one tensor in it.
    pub rows: usize,
    /// Columns of a matrix; 1 for a vector.
    pub columns: usize,
    /// The columns that are used.
    pub within: Range<usize>,
}

/// Which tensor of a stack is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// There is no stack.
    Whole,
    /// The one of the current member.
    Member,
    /// The one of this number.
    Number(usize),
}

/// The second operand of a sum or a product, element by element.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// A value of the same shape.
    Value(GraphValue),
    /// A learnt number for each feature.
    Learnt(Learnt),
    /// A number for each feature.
    Numbers(Vec<f64>),
    /// One number.
    Number(f64),
}

/// One operation. All except `Expand` work on each member separately.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// The network's inputs.
    Input,
    /// `W x`; `W` is `[outputs, inputs]`, row-major.
    Product(GraphValue, Learnt),
    /// `x + b`.
    Plus(GraphValue, Operand),
    /// `x ⊙ b`.
    Times(GraphValue, Operand),
    /// `f(x)`.
    Function(GraphValue, Activation),
    /// `cos x`, in radians.
    Cosine(GraphValue),
    /// Each feature clamped to its own bounds, which may be infinite.
    Hold(GraphValue, Vec<(f64, f64)>),
    /// `(x − mean) / √(variance + eps)` or `x / √(mean square + eps)`, over the features.
    Normalise(GraphValue, Normalisation),
    /// The features with these numbers.
    Select(GraphValue, Vec<usize>),
    /// The concatenated features of several values.
    Join(Vec<GraphValue>),
    /// The sum of the features.
    Sum(GraphValue),
    /// A column of `W`. Its number is the integer part of the single feature, counted from 0 at the first used column. If
    /// there is no such column, it is the first used one.
    Lookup(GraphValue, Learnt),
    /// The same features for each of this many members.
    Expand(GraphValue, usize),
}

/// The computation of a network for one row. A node reads only values of earlier nodes.
#[derive(Debug, Clone)]
pub struct Graph {
    /// The nodes; node `n` computes value `n`.
    pub nodes: Vec<Node>,
    /// The outputs, for each member.
    pub output: GraphValue,
}

/// A graph under construction.
pub struct Nodes {
    pub(super) nodes: Vec<Node>,
    /// Number of the next layer's first tensor.
    pub(super) tensors: usize,
}

/// The inputs of a layer in the graph.
#[derive(Debug, Clone, Copy)]
pub struct Given {
    /// Its input, or the output of its inner chain.
    pub x: GraphValue,
    /// The input of the layer itself; it differs from `x` only if the layer has an inner chain.
    pub side: GraphValue,
    /// Width of the layer's own input.
    pub inputs: Width,
    /// Number of its first tensor.
    pub(super) tensors: usize,
}

impl Given {
    /// The layer's tensor with this number, as a matrix `[rows, columns]`. A matrix and its bias count as two tensors.
    pub fn matrix(&self, number: usize, of: Of, (rows, columns): (usize, usize)) -> Learnt {
        Learnt { tensor: self.tensors + number, of, rows, columns, within: 0..columns }
    }

    /// The layer's tensor with this number, as a vector.
    pub fn vector(&self, number: usize, of: Of, length: usize) -> Learnt {
        self.matrix(number, of, (length, 1))
    }
}

impl Nodes {
    /// Adds a node and returns its value.
    pub fn add(&mut self, node: Node) -> GraphValue {
        self.nodes.push(node);
        GraphValue(self.nodes.len() - 1)
    }

    /// Adds `x + b` for a learnt `b`.
    pub fn shifted(&mut self, x: GraphValue, by: Learnt) -> GraphValue {
        self.add(Node::Plus(x, Operand::Learnt(by)))
    }

    /// Adds `a ⊙ x` for a learnt `a`.
    pub fn scaled(&mut self, x: GraphValue, by: Learnt) -> GraphValue {
        self.add(Node::Times(x, Operand::Learnt(by)))
    }
}

impl Graph {
    /// The width of every value, for a network of this many inputs.
    pub fn widths(&self, inputs: usize) -> Vec<Width> {
        let mut widths: Vec<Width> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let of = |value: &GraphValue| widths[value.0];
            let width = match node {
                Node::Input => Width::of(inputs),
                Node::Product(x, learnt) | Node::Lookup(x, learnt) => Width { features: learnt.rows, ..of(x) },
                Node::Plus(x, _) | Node::Times(x, _) | Node::Hold(x, _) => of(x),
                Node::Function(x, _) | Node::Cosine(x) | Node::Normalise(x, _) => of(x),
                Node::Select(x, features) => Width { features: features.len(), ..of(x) },
                Node::Join(parts) => {
                    let features = parts.iter().map(|part| of(part).features).sum();
                    Width { features, members: parts.first().map_or(1, |part| of(part).members) }
                }
                Node::Sum(x) => Width { features: 1, ..of(x) },
                Node::Expand(x, members) => Width { members: *members, ..of(x) },
            };
            widths.push(width);
        }
        widths
    }
}

#[cfg(test)]
pub(crate) mod evaluate {
    //! Evaluates a graph for one row, as the reference for exports.

    use super::*;

    /// Features of each member.
    type MemberValues = Vec<Vec<f64>>;

    impl Graph {
        /// The outputs of a row, one member after the other. `tensors` are in the form that [`Network::define`] takes.
        pub(crate) fn evaluate(&self, x: &[f64], tensors: &[Vec<f64>]) -> Vec<f64> {
            let mut values: Vec<MemberValues> = Vec::new();
            for node in &self.nodes {
                let value = value(node, &values, (x, tensors));
                values.push(value);
            }
            let width = |value: &MemberValues| Width { features: value[0].len(), members: value.len() };
            assert_eq!(self.widths(x.len()), values.iter().map(width).collect::<Vec<_>>());
            values[self.output.number()].concat()
        }
    }

    /// The numbers of a tensor for a member.
    fn numbers(learnt: &Learnt, member: usize, tensors: &[Vec<f64>]) -> Vec<f64> {
        let all = &tensors[learnt.tensor];
        let number = match learnt.of {
            Of::Whole => 0,
            Of::Member => member,
            Of::Number(number) => number,
        };
        all.chunks(learnt.rows * learnt.columns).nth(number).unwrap().to_vec()
    }

    fn value(node: &Node, values: &[MemberValues], (x, tensors): (&[f64], &[Vec<f64>])) -> MemberValues {
        let each = |of: GraphValue, f: &dyn Fn(usize, &[f64]) -> Vec<f64>| -> MemberValues {
            values[of.number()].iter().enumerate().map(|(member, x)| f(member, x)).collect()
        };
        let with = |of: GraphValue, operand: &Operand, f: fn(f64, f64) -> f64| {
            each(of, &|member, x| {
                let others = match operand {
                    Operand::Value(value) => values[value.number()][member].clone(),
                    Operand::Learnt(learnt) => numbers(learnt, member, tensors),
                    Operand::Numbers(numbers) => numbers.clone(),
                    Operand::Number(number) => vec![*number; x.len()],
                };
                assert_eq!(others.len(), x.len(), "{node:?}");
                x.iter().zip(others).map(|(x, other)| f(*x, other)).collect()
            })
        };
        match node {
            Node::Input => vec![x.to_vec()],
            Node::Plus(x, operand) => with(*x, operand, |x, b| x + b),
            Node::Times(x, operand) => with(*x, operand, |x, b| x * b),
            Node::Product(x, learnt) => each(*x, &|member, x| product(x, learnt, member, tensors)),
            Node::Function(x, function) => each(*x, &|_, x| x.iter().map(|x| function.value(*x)).collect()),
            Node::Cosine(x) => each(*x, &|_, x| x.iter().map(|x| libm::cos(*x)).collect()),
            Node::Hold(x, bounds) => {
                each(*x, &|_, x| x.iter().zip(bounds).map(|(x, (low, high))| x.clamp(*low, *high)).collect())
            }
            Node::Normalise(x, norm) => each(*x, &|_, x| {
                let moments = norm.moments(x);
                x.iter().map(|x| moments.normalised(*x)).collect()
            }),
            Node::Select(x, features) => each(*x, &|_, x| features.iter().map(|f| x[*f]).collect()),
            Node::Join(parts) => each(parts[0], &|member, _| {
                parts.iter().flat_map(|part| values[part.number()][member].clone()).collect()
            }),
            Node::Sum(x) => each(*x, &|_, x| vec![x.iter().sum()]),
            Node::Lookup(x, learnt) => each(*x, &|member, x| column(x, learnt, member, tensors)),
            Node::Expand(x, members) => vec![values[x.number()][0].clone(); *members],
        }
    }

    fn column(x: &[f64], learnt: &Learnt, member: usize, tensors: &[Vec<f64>]) -> Vec<f64> {
        let [x] = x else { panic!("one feature: {learnt:?}") };
        let at = Some(x.floor() as usize).filter(|at| *x >= 0.0 && *at < learnt.within.len()).unwrap_or(0);
        numbers(learnt, member, tensors).chunks(learnt.columns).map(|row| row[learnt.within.start + at]).collect()
    }

    fn product(x: &[f64], learnt: &Learnt, member: usize, tensors: &[Vec<f64>]) -> Vec<f64> {
        assert_eq!(x.len(), learnt.within.len(), "{learnt:?}");
        let of_row = |row: &[f64]| row[learnt.within.clone()].iter().zip(x).map(|(w, x)| w * x).sum();
        numbers(learnt, member, tensors).chunks(learnt.columns).map(of_row).collect()
    }
}

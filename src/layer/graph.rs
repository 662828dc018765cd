//! What a network computes for a row, in few simple operations: what an export writes in another language.
//!
//! A [`Graph`] is plain data. Each kind adds its own nodes by [`super::Kind::nodes`]; nothing is dropped or masked, as in
//! prediction.

use std::ops::Range;

use super::{Inner, Layer, Network, Width};
use crate::nn::{Activation, Norm};

/// A value of a graph: features, of each member where members have begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value(usize);

impl Value {
    /// Its number; that of the node which computes it.
    pub fn number(self) -> usize {
        self.0
    }
}

/// Learnt numbers: a tensor of [`crate::model::Parameters::named`], or a part of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Learnt {
    /// Number of the tensor.
    pub tensor: usize,
    /// Which of a stack.
    pub of: Of,
    /// Rows of a matrix, or numbers of a vector; of one of a stack.
    pub rows: usize,
    /// Columns of a matrix, 1 of a vector.
    pub columns: usize,
    /// The columns that count.
    pub within: Range<usize>,
}

/// Which of a stack of tensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// There is no stack.
    Whole,
    /// Each member its own.
    Member,
    /// The one of this number.
    Number(usize),
}

/// The second operand of a sum or a product, element by element.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// A value of the same shape.
    Value(Value),
    /// A learnt number for each feature.
    Learnt(Learnt),
    /// A number for each feature.
    Numbers(Vec<f64>),
    /// One number.
    Number(f64),
}

/// One operation. All but `Expand` work for each member by itself.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// The network's inputs.
    Input,
    /// `W x`; `W` is `[outputs, inputs]`, row-major.
    Product(Value, Learnt),
    /// `x + b`.
    Plus(Value, Operand),
    /// `x ⊙ b`.
    Times(Value, Operand),
    /// `f(x)`.
    Function(Value, Activation),
    /// `cos x`, in radians.
    Cosine(Value),
    /// Each feature held within its own bounds, which may be infinite.
    Hold(Value, Vec<(f64, f64)>),
    /// `(x − mean) / √(variance + eps)` or `x / √(mean square + eps)`, over the features.
    Normalise(Value, Norm),
    /// The features of these numbers.
    Select(Value, Vec<usize>),
    /// The features of several values, one value after the other.
    Join(Vec<Value>),
    /// The sum of the features.
    Sum(Value),
    /// The column of `W` that the one feature says, counted from the first of those that count: its whole part, from 0. The
    /// first of them where there is no such column.
    Lookup(Value, Learnt),
    /// The same features for each of so many members.
    Expand(Value, usize),
}

/// What a network computes for a row; a node reads values of nodes before it.
#[derive(Debug, Clone)]
pub struct Graph {
    /// The nodes; each computes the value of its number.
    pub nodes: Vec<Node>,
    /// The outputs, of each member.
    pub output: Value,
}

/// Nodes under construction.
pub struct Nodes {
    nodes: Vec<Node>,
    /// Number of the next layer's first tensor.
    tensors: usize,
}

/// What a layer is given.
#[derive(Debug, Clone, Copy)]
pub struct Given {
    /// Its input, or what leaves its inner chain.
    pub x: Value,
    /// What entered a layer that goes round a chain, else the same as `x`.
    pub side: Value,
    /// Width of what entered the layer.
    pub inputs: Width,
    /// Number of its first tensor.
    tensors: usize,
}

impl Given {
    /// The layer's matrix `[rows, columns]` of this number, where a matrix and its bias are two tensors.
    pub fn matrix(&self, number: usize, of: Of, (rows, columns): (usize, usize)) -> Learnt {
        Learnt { tensor: self.tensors + number, of, rows, columns, within: 0..columns }
    }

    /// The layer's vector of this number.
    pub fn vector(&self, number: usize, of: Of, length: usize) -> Learnt {
        self.matrix(number, of, (length, 1))
    }
}

impl Nodes {
    /// Adds a node.
    pub fn add(&mut self, node: Node) -> Value {
        self.nodes.push(node);
        Value(self.nodes.len() - 1)
    }

    /// Adds `x + b` for a learnt `b`.
    pub fn shifted(&mut self, x: Value, by: Learnt) -> Value {
        self.add(Node::Plus(x, Operand::Learnt(by)))
    }

    /// Adds `a ⊙ x` for a learnt `a`.
    pub fn scaled(&mut self, x: Value, by: Learnt) -> Value {
        self.add(Node::Times(x, Operand::Learnt(by)))
    }

    fn chain(&mut self, chain: &[Layer], mut x: Value, mut width: Width) -> Value {
        for layer in chain {
            x = self.layer(layer, x, width);
            width = width.after(layer);
        }
        x
    }

    fn layer(&mut self, layer: &Layer, entered: Value, inputs: Width) -> Value {
        let kind = layer.kind();
        let left: Vec<Value> = layer.chains().into_iter().map(|chain| self.chain(chain, entered, inputs)).collect();
        let tensors = self.tensors;
        self.tensors += layer.tensors(inputs, Activation::Identity).iter().map(|t| t.parts().len()).sum::<usize>();
        let given = |x| Given { x, side: entered, inputs, tensors };
        match kind.inner() {
            Inner::None => kind.nodes(given(entered), self),
            Inner::Around(_) => kind.nodes(given(left[0]), self),
            Inner::Beside(_) => {
                let parts = left.into_iter().map(|x| kind.nodes(given(x), self)).collect();
                self.add(Node::Join(parts))
            }
        }
    }
}

impl Graph {
    /// The width of every value, for so many inputs.
    pub fn widths(&self, inputs: usize) -> Vec<Width> {
        let mut widths: Vec<Width> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let of = |value: &Value| widths[value.0];
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

impl Network {
    /// What the network computes for a row.
    pub fn graph(&self) -> Graph {
        let mut nodes = Nodes { nodes: vec![Node::Input], tensors: 0 };
        let output = nodes.chain(&self.chain, Value(0), Width::of(self.inputs));
        Graph { nodes: nodes.nodes, output }
    }
}

#[cfg(test)]
pub(crate) mod evaluate {
    //! The graph as it is written, for one row: what an export is held to.

    use super::*;

    /// Features of each member.
    type Members = Vec<Vec<f64>>;

    impl Graph {
        /// The outputs of a row, one member after the other; `tensors` as [`Network::define`] has them.
        pub(crate) fn evaluate(&self, x: &[f64], tensors: &[Vec<f64>]) -> Vec<f64> {
            let mut values: Vec<Members> = Vec::new();
            for node in &self.nodes {
                let value = value(node, &values, (x, tensors));
                values.push(value);
            }
            let width = |value: &Members| Width { features: value[0].len(), members: value.len() };
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

    fn value(node: &Node, values: &[Members], (x, tensors): (&[f64], &[Vec<f64>])) -> Members {
        let each = |of: Value, f: &dyn Fn(usize, &[f64]) -> Vec<f64>| -> Members {
            values[of.number()].iter().enumerate().map(|(member, x)| f(member, x)).collect()
        };
        let with = |of: Value, operand: &Operand, f: fn(f64, f64) -> f64| {
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

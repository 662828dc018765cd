//! The definition of a network: one row after the other, in plain loops and in `f64`.
//!
//! The fast form of every kind is held to it, and `train --trace` prints it.

use super::{Form, Inner, Layer, Network};
use crate::nn::Activation;

/// What a layer is given for one row.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// The input, or what leaves the inner chain.
    pub x: &'a [f64],
    /// What entered a layer that goes round a chain, else nothing.
    pub side: &'a [f64],
    /// The layer's tensors as they are saved: matrices row-major, a matrix's bias after it.
    pub tensors: &'a [Vec<f64>],
}

/// Gradients of one row by what a layer was given.
#[derive(Debug, Clone, Default)]
pub struct RowErrors {
    /// By `x`.
    pub dx: Vec<f64>,
    /// By `side`.
    pub d_side: Vec<f64>,
    /// By the tensors, in their order.
    pub tensors: Vec<Vec<f64>>,
}

/// What one layer computed for one row, and the gradients of a loss by it. A layer that has inner ones comes after them;
/// one of several chains comes once for each.
#[derive(Debug, Clone)]
pub struct Step {
    /// The layer's name.
    pub name: String,
    /// Its kind and options.
    pub what: String,
    /// What left the layer, or its part of it.
    pub y: Vec<f64>,
    /// The gradient by `y`.
    pub dy: Vec<f64>,
}

/// A row forward and backward.
#[derive(Debug, Clone)]
pub struct Pass {
    /// Every layer, in the order in which they work.
    pub steps: Vec<Step>,
    /// The outputs.
    pub y: Vec<f64>,
    /// The gradient by the input.
    pub dx: Vec<f64>,
    /// The gradient by every tensor, in the order of [`Network::tensors`], a matrix's bias after it.
    pub tensors: Vec<Vec<f64>>,
}

impl Network {
    /// The outputs for one row, given the tensors as [`crate::model::Parameters::named`] has them. Nothing is dropped.
    ///
    /// # Panics
    /// If a tensor is missing.
    pub fn define(&self, x: &[f64], tensors: &[Vec<f64>]) -> Vec<f64> {
        let mut rest = tensors;
        chain(&self.chain, x, &mut rest).y
    }

    /// One row forward and backward; `loss` gives the gradient by the outputs.
    ///
    /// # Panics
    /// As [`Network::define`].
    pub fn define_pass(&self, x: &[f64], tensors: &[Vec<f64>], loss: impl FnOnce(&[f64]) -> Vec<f64>) -> Pass {
        let mut rest = tensors;
        let forward = chain(&self.chain, x, &mut rest);
        let dy = loss(&forward.y);
        let mut pass = Pass { steps: Vec::new(), y: forward.y.clone(), dx: Vec::new(), tensors: Vec::new() };
        pass.dx = forward.backward(dy, &mut pass.steps, &mut pass.tensors);
        pass.steps.reverse();
        pass.tensors.reverse();
        pass
    }
}

/// What a chain computed.
struct Forward<'a> {
    /// What the layers were given and gave, in their order.
    layers: Vec<Given<'a>>,
    y: Vec<f64>,
}

/// What one layer was given, with what its inner chains computed.
struct Given<'a> {
    layer: &'a Layer,
    inner: Vec<Forward<'a>>,
    entered: Vec<f64>,
    tensors: &'a [Vec<f64>],
    y: Vec<f64>,
}

/// Forward through a chain; its tensors are taken off `tensors`.
fn chain<'a>(chain: &'a [Layer], x: &[f64], tensors: &mut &'a [Vec<f64>]) -> Forward<'a> {
    let mut done = Forward { layers: Vec::new(), y: x.to_vec() };
    for layer in chain {
        let entered = std::mem::take(&mut done.y);
        let given = Given::new(layer, entered, tensors);
        done.y = given.y.clone();
        done.layers.push(given);
    }
    done
}

impl<'a> Given<'a> {
    fn new(layer: &'a Layer, entered: Vec<f64>, tensors: &mut &'a [Vec<f64>]) -> Given<'a> {
        let chains: Vec<&'a [Layer]> = match layer.kind().inner() {
            Inner::None => Vec::new(),
            Inner::Around(chain) => vec![chain],
            Inner::Beside(chains) => chains.iter().map(Vec::as_slice).collect(),
        };
        let inner: Vec<Forward<'a>> = chains.into_iter().map(|inner| chain(inner, &entered, tensors)).collect();
        let forms = layer.kind().tensors(entered.len(), Activation::Identity);
        let own: usize = forms.iter().map(|tensor| 1 + usize::from(tensor.form == Form::Affine)).sum();
        let (own, rest) = tensors.split_at(own);
        *tensors = rest;
        let mut given = Given { layer, inner, entered, tensors: own, y: Vec::new() };
        given.y = given.rows().into_iter().flat_map(|row| layer.kind().define(&row)).collect();
        given
    }

    /// What the layer works on: once, or once for each of its chains.
    fn rows(&self) -> Vec<Row<'_>> {
        let row = |x, side| Row { x, side, tensors: self.tensors };
        match self.layer.kind().inner() {
            Inner::None => vec![row(&self.entered, &[])],
            Inner::Around(_) => vec![row(&self.inner[0].y, &self.entered)],
            Inner::Beside(_) => self.inner.iter().map(|chain| row(&chain.y, &[])).collect(),
        }
    }

    /// The gradient by what entered; steps and tensors are added last first.
    fn backward(&self, dy: Vec<f64>, steps: &mut Vec<Step>, tensors: &mut Vec<Vec<f64>>) -> Vec<f64> {
        let kind = self.layer.kind();
        let mut d_entered = vec![0.0; self.entered.len()];
        let (mut by_chains, mut end) = (Vec::new(), dy.len());
        for row in self.rows().iter().rev() {
            let start = match kind.inner() {
                Inner::Beside(_) => end - row.x.len(),
                _ => 0,
            };
            let (y, dy) = (self.y[start..end].to_vec(), dy[start..end].to_vec());
            let errors = kind.define_backward(row, &dy);
            steps.push(Step { name: self.layer.name.clone(), what: self.layer.line(), y, dy });
            tensors.extend(errors.tensors.into_iter().rev());
            add(&mut d_entered, &errors.d_side);
            by_chains.push(errors.dx);
            end = start;
        }
        if self.inner.is_empty() && by_chains.len() == 1 {
            return by_chains.swap_remove(0);
        }
        for (inner, dy) in self.inner.iter().rev().zip(by_chains) {
            add(&mut d_entered, &inner.backward(dy, steps, tensors));
        }
        d_entered
    }
}

impl Forward<'_> {
    fn backward(&self, dy: Vec<f64>, steps: &mut Vec<Step>, tensors: &mut Vec<Vec<f64>>) -> Vec<f64> {
        self.layers.iter().rev().fold(dy, |dy, given| given.backward(dy, steps, tensors))
    }
}

/// `sum ← sum + v`, as far as `v` goes.
fn add(sum: &mut [f64], v: &[f64]) {
    sum.iter_mut().zip(v).for_each(|(sum, v)| *sum += v);
}

/// `M x` of a row-major matrix.
pub(super) fn multiply(matrix: &[f64], x: &[f64]) -> Vec<f64> {
    matrix.chunks_exact(x.len()).map(|row| row.iter().zip(x).map(|(m, x)| m * x).sum()).collect()
}

/// `Mᵀ d` of a row-major matrix of `cols` columns.
pub(super) fn multiply_transposed(matrix: &[f64], d: &[f64], cols: usize) -> Vec<f64> {
    let mut product = vec![0.0; cols];
    for (row, d) in matrix.chunks_exact(cols).zip(d) {
        product.iter_mut().zip(row).for_each(|(p, m)| *p += m * d);
    }
    product
}

/// `d xᵀ`, row-major.
pub(super) fn outer_product(d: &[f64], x: &[f64]) -> Vec<f64> {
    d.iter().flat_map(|d| x.iter().map(move |x| d * x)).collect()
}

/// `a ⊙ b`.
pub(super) fn product(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a * b).collect()
}

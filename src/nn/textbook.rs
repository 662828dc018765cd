//! The network as the textbook has it: plain loops over one row after the other, every quantity kept and named.
//!
//! This is the definition that the fast kernels are held to, and what `train --trace` prints. Read [`Layer::forward`],
//! then [`Layer::backward`], then [`Network::pass`].
//!
//! For a row with input `x = a₀`, layer `l` computes
//!
//! ```text
//! z = W x + b           the linear map
//! n = norm(z)           n = z without a norm
//! h = f(n)              the activation
//! a = h + S x           S the skip: nothing, the identity, or a projection matrix; a is the next layer's x
//! ```
//!
//! and the loss `J` is the mean of the rows' losses, weighted by the rows' weights.

mod backward;
mod trace;

use super::column::Scalar;
use super::{Activation, Moments, Norm, Objective, Target};

pub use backward::LayerErrors;
pub use trace::Named;

/// The numbers of one layer that are learned; gradients have the same form. Matrices are row-major `[fan_out, fan_in]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameters<T> {
    /// `W`: `[fan_out, fan_in]`.
    pub weight: Vec<T>,
    /// `b`: `[fan_out]`.
    pub bias: Option<Vec<T>>,
    /// The norm's gain: `[fan_out]`.
    pub gain: Option<Vec<T>>,
    /// The norm's shift: `[fan_out]`.
    pub shift: Option<Vec<T>>,
    /// `S` where the skip is a projection: `[fan_out, fan_in]`.
    pub projection: Option<Vec<T>>,
}

/// One layer.
#[derive(Debug, Clone)]
pub struct Layer<T> {
    /// Inputs.
    pub fan_in: usize,
    /// Outputs.
    pub fan_out: usize,
    /// What is learned.
    pub parameters: Parameters<T>,
    /// Between the linear map and the activation.
    pub norm: Option<Norm>,
    /// `f`.
    pub activation: Activation,
    /// What is added to the activation.
    pub skip: Skip,
}

/// What a layer adds to its activation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skip {
    /// Nothing.
    None,
    /// The layer's input; widths agree.
    Identity,
    /// The input through a matrix without bias, [`Parameters::projection`].
    Projection,
}

/// A stack of layers and what it is trained for.
#[derive(Debug, Clone)]
pub struct Network<T> {
    /// From input to output.
    pub layers: Vec<Layer<T>>,
    /// The loss.
    pub objective: Objective,
}

/// What a layer computed for one row, on the way forward.
#[derive(Debug, Clone)]
pub struct LayerValues<T> {
    /// `z = W x + b`.
    pub z: Vec<T>,
    /// What `z` was normalised by.
    pub moments: Option<Moments<T>>,
    /// `n = norm(z)`.
    pub n: Vec<T>,
    /// `h = f(n)`.
    pub h: Vec<T>,
    /// `a = h + S x`: what leaves the layer.
    pub a: Vec<T>,
}

/// The rows of a batch.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a, T> {
    /// How many there are, at least 1.
    pub rows: usize,
    /// Inputs, row-major `[rows, inputs]`.
    pub x: &'a [T],
    /// Targets of the same rows.
    pub targets: Targets<'a, T>,
    /// Weight of each row; all 1 where there are none.
    pub weights: Option<&'a [T]>,
}

/// Targets of a batch.
#[derive(Debug, Clone, Copy)]
pub enum Targets<'a, T> {
    /// Each row's class as a number.
    Classes(&'a [T]),
    /// Row-major `[rows, outputs]`.
    Values(&'a [T]),
}

/// One row, forward and backward.
#[derive(Debug, Clone)]
pub struct RowPass<T> {
    /// The row's input.
    pub x: Vec<T>,
    /// Each layer's values.
    pub values: Vec<LayerValues<T>>,
    /// The row's loss, before its weight.
    pub loss: T,
    /// Each layer's errors: derivatives of the batch's loss `J`, so that they add up over the rows.
    pub errors: Vec<LayerErrors<T>>,
    /// `∂J/∂x`.
    pub dx: Vec<T>,
}

/// A batch, forward and backward.
#[derive(Debug, Clone)]
pub struct Pass<T> {
    /// Every row.
    pub rows: Vec<RowPass<T>>,
    /// `J = Σ w_r loss_r / Σ w_r`.
    pub loss: T,
    /// `∂J/∂θ` for the parameters `θ` of each layer.
    pub gradients: Vec<Parameters<T>>,
}

impl<T: Scalar> Layer<T> {
    /// The layer's values for the input `x`.
    pub fn forward(&self, x: &[T]) -> LayerValues<T> {
        let p = &self.parameters;
        let mut z = multiply(&p.weight, x, self.fan_out);
        if let Some(bias) = &p.bias {
            z.iter_mut().zip(bias).for_each(|(z, &b)| *z = *z + b);
        }
        let mut n = z.clone();
        let moments = self.norm.map(|norm| norm.forward(&z[..], p.gain.as_deref(), p.shift.as_deref(), &mut n[..]));
        let h: Vec<T> = n.iter().map(|&n| self.activation.value(n)).collect();
        let skipped = match (self.skip, &p.projection) {
            (Skip::None, _) => vec![T::splat(0.0); self.fan_out],
            (Skip::Identity, _) => x.to_vec(),
            (Skip::Projection, projection) => multiply(projection.as_deref().unwrap_or_default(), x, self.fan_out),
        };
        let a = h.iter().zip(skipped).map(|(&h, s)| h + s).collect();
        LayerValues { z, moments, n, h, a }
    }
}

/// `M x` for a row-major matrix `M` of `rows` rows.
fn multiply<T: Scalar>(matrix: &[T], x: &[T], rows: usize) -> Vec<T> {
    let row = |r: usize| &matrix[r * x.len()..][..x.len()];
    let dot = |row: &[T]| row.iter().zip(x).fold(T::splat(0.0), |sum, (&m, &x)| m.mul_add(x, sum));
    (0..rows).map(|r| dot(row(r))).collect()
}

impl<T: Scalar> Network<T> {
    /// Every layer's values for the input `x`; the last layer's `a` are the outputs.
    pub fn forward(&self, x: &[T]) -> Vec<LayerValues<T>> {
        let mut values: Vec<LayerValues<T>> = Vec::with_capacity(self.layers.len());
        for layer in &self.layers {
            let input = values.last().map_or(x, |below| &below.a);
            values.push(layer.forward(input));
        }
        values
    }

    /// The batch's loss `J` alone.
    pub fn loss(&self, batch: &Batch<'_, T>) -> T {
        let weighted = (0..batch.rows).fold(T::splat(0.0), |sum, r| {
            let values = self.forward(batch.row(r));
            let outputs = values.last().map_or(batch.row(r), |last| &last.a);
            let mut unused = vec![T::splat(0.0); outputs.len()];
            sum + batch.weight(r) * self.objective.row(outputs, &batch.target(r), &mut unused[..])
        });
        weighted / batch.weight_sum()
    }

    /// The batch's loss and its gradient by every parameter and input, with all that was computed on the way.
    ///
    /// # Panics
    /// If the network has no layers, or the batch's lists do not fit its rows or the network.
    pub fn pass(&self, batch: &Batch<'_, T>) -> Pass<T> {
        let weight_sum = batch.weight_sum();
        let mut gradients: Vec<Parameters<T>> = self.layers.iter().map(|l| l.parameters.zeros()).collect();
        let mut loss = T::splat(0.0);
        let mut rows = Vec::with_capacity(batch.rows);
        for r in 0..batch.rows {
            let share = batch.weight(r) / weight_sum;
            let row = self.row_pass(batch.row(r), &batch.target(r), share, &mut gradients);
            loss = row.loss.mul_add(share, loss);
            rows.push(row);
        }
        Pass { rows, loss, gradients }
    }

    /// One row forward and backward; `share` is its weight over the batch's. Adds to `gradients`.
    fn row_pass(&self, x: &[T], target: &Target<'_, T, [T]>, share: T, gradients: &mut [Parameters<T>]) -> RowPass<T> {
        let values = self.forward(x);
        let outputs = &values[values.len() - 1].a;
        let mut da = vec![T::splat(0.0); outputs.len()];
        let loss = self.objective.row(&outputs[..], target, &mut da[..]);
        da.iter_mut().for_each(|d| *d = *d * share);

        let mut errors = Vec::with_capacity(self.layers.len());
        for (l, layer) in self.layers.iter().enumerate().rev() {
            let input = if l == 0 { x } else { &values[l - 1].a };
            let (layer_errors, dx) = layer.backward(input, &values[l], da, &mut gradients[l]);
            errors.push(layer_errors);
            da = dx;
        }
        errors.reverse();
        RowPass { x: x.to_vec(), values, loss, errors, dx: da }
    }
}

impl<'a, T: Scalar> Batch<'a, T> {
    fn row(&self, r: usize) -> &'a [T] {
        let width = self.x.len() / self.rows;
        &self.x[r * width..][..width]
    }

    fn target(&self, r: usize) -> Target<'a, T, [T]> {
        match self.targets {
            Targets::Classes(labels) => Target::Class(labels[r]),
            Targets::Values(values) => {
                let width = values.len() / self.rows;
                Target::Values(&values[r * width..][..width])
            }
        }
    }

    fn weight(&self, r: usize) -> T {
        self.weights.map_or(T::splat(1.0), |weights| weights[r])
    }

    fn weight_sum(&self) -> T {
        (0..self.rows).fold(T::splat(0.0), |sum, r| sum + self.weight(r))
    }
}

impl<T: Scalar> Parameters<T> {
    /// Parameters of the same form, all 0: where a gradient begins.
    pub fn zeros(&self) -> Self {
        let zeros = |v: &Vec<T>| vec![T::splat(0.0); v.len()];
        Parameters {
            weight: zeros(&self.weight),
            bias: self.bias.as_ref().map(zeros),
            gain: self.gain.as_ref().map(zeros),
            shift: self.shift.as_ref().map(zeros),
            projection: self.projection.as_ref().map(zeros),
        }
    }

    /// Every tensor there is, in one order: weight, bias, gain, shift, projection.
    pub fn tensors(&self) -> impl Iterator<Item = &[T]> {
        let optional = [&self.bias, &self.gain, &self.shift, &self.projection];
        std::iter::once(&self.weight[..]).chain(optional.into_iter().flatten().map(|v| &v[..]))
    }

    /// As [`Parameters::tensors`], to change them.
    pub fn tensors_mut(&mut self) -> impl Iterator<Item = &mut [T]> {
        let optional = [&mut self.bias, &mut self.gain, &mut self.shift, &mut self.projection];
        std::iter::once(&mut self.weight[..]).chain(optional.into_iter().flatten().map(|v| &mut v[..]))
    }
}

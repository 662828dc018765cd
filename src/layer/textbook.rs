//! The definition of a network: one row at a time, in plain loops and in `f64`. Every intermediate quantity is kept and
//! named.
//!
//! Tests compare the fast form of every kind with this definition, and `train --trace` prints it. The formulas of a layer
//! are [`Kind::define`](super::Kind::define) and [`Kind::define_backward`](super::Kind::define_backward) in the file of its
//! kind. Those of activations, norms and losses are the ones of [`crate::nn`], in `f64`. This file combines them: read
//! [`Network::define_pass`], then `chain`, then `LayerPass::backward`, which is backpropagation (Rumelhart, Hinton & Williams
//! 1986, <https://doi.org/10.1038/323533a0>).

use std::borrow::Cow;

use super::row::Row;
use super::{Form, Inner, Layer, Network, Width};
use crate::nn::{Activation, Objective, RowTarget};

/// The result of one layer for one row, and the gradient of the loss with respect to it. A layer with inner layers comes
/// after them; a layer with parallel chains comes once for each chain. The members' values are concatenated in `y` and `dy`.
#[derive(Debug, Clone)]
pub struct Step {
    /// The layer's name.
    pub name: String,
    /// Its formula, such as `z = W x + b`, or its kind and options.
    pub what: String,
    /// Symbol of `y` in formulas: `z`, `n`, `h` or `a`; for most kinds `y`.
    pub symbol: &'static str,
    /// Symbol of the layer's input in formulas.
    pub of: &'static str,
    /// The output of the layer, or the part that belongs to one chain.
    pub y: Vec<f64>,
    /// The gradient with respect to `y`.
    pub dy: Vec<f64>,
    /// The derivative of `y` with respect to the input, element by element, if the layer is an activation; otherwise empty.
    pub slope: Vec<f64>,
}

/// A forward and backward pass of one row.
#[derive(Debug, Clone)]
pub struct Pass {
    /// The input.
    pub x: Vec<f64>,
    /// Every layer, in the order of computation.
    pub steps: Vec<Step>,
    /// The outputs, one member after the other.
    pub y: Vec<f64>,
    /// The gradient with respect to the input.
    pub dx: Vec<f64>,
    /// The gradient with respect to every tensor, in the order of [`Network::tensors`], where each matrix is followed by its
    /// bias.
    pub tensors: Vec<Vec<f64>>,
}

/// A quantity of a pass with its name, such as `layers.0: z = W x + b`.
pub type Named<'a> = (String, &'a [f64]);

impl Pass {
    /// The input and the output of each layer, in the order of computation.
    pub fn forward_quantities(&self) -> Vec<Named<'_>> {
        let of_step = |step: &'_ Step| format!("{}: {}", step.name, step.what);
        let steps = self.steps.iter().map(|step| (of_step(step), &step.y[..]));
        std::iter::once(("x".to_owned(), &self.x[..])).chain(steps).collect()
    }

    /// The derivatives of the loss `J` with respect to each layer's output and to the input, in the order of computation.
    /// Activations also have their own derivative.
    pub fn backward_quantities(&self) -> Vec<Named<'_>> {
        let mut named: Vec<Named<'_>> = Vec::new();
        for Step { name, symbol, of, dy, slope, .. } in self.steps.iter().rev() {
            named.push((format!("{name}: dJ/d{symbol}"), dy));
            if !slope.is_empty() {
                named.push((format!("{name}: d{symbol}/d{of}"), slope));
            }
        }
        named.push(("dJ/dx".to_owned(), &self.dx));
        named
    }
}

impl Network {
    /// The outputs for one row, given the tensors in the form of [`crate::model::Parameters::named`]. There is no dropout.
    ///
    /// # Panics
    /// If a tensor is missing.
    pub fn define(&self, x: &[f64], tensors: &[Vec<f64>]) -> Vec<f64> {
        let mut rest = tensors;
        chain(&self.chain, Entered::inputs(x), &mut rest).out.x
    }

    /// The loss of one row (the mean over the members) and its forward and backward pass. The gradients are those of the
    /// batch's loss `J = Σ share_r loss_r`, where the `share` of a row is its weight divided by the sum of all weights.
    ///
    /// # Panics
    /// As [`Network::define`].
    pub fn define_loss(
        &self,
        x: &[f64],
        tensors: &[Vec<f64>],
        (objective, target): (&Objective, &RowTarget<'_, f64, [f64]>),
        share: f64,
    ) -> (f64, Pass) {
        let members = self.members();
        let mut loss = 0.0;
        let pass = self.define_pass(x, tensors, |y| {
            let mut dy = vec![0.0; y.len()];
            let width = y.len() / members;
            for (y, dy) in y.chunks(width).zip(dy.chunks_mut(width)) {
                loss += objective.row(y, target, dy) / members as f64;
                dy.iter_mut().for_each(|d| *d *= share / members as f64);
            }
            dy
        });
        (loss, pass)
    }

    /// The forward and backward pass of one row. `loss` computes the gradient with respect to the outputs.
    ///
    /// # Panics
    /// As [`Network::define`].
    pub fn define_pass(&self, x: &[f64], tensors: &[Vec<f64>], loss: impl FnOnce(&[f64]) -> Vec<f64>) -> Pass {
        let mut rest = tensors;
        let forward = chain(&self.chain, Entered::inputs(x), &mut rest);
        let y = forward.out.x.clone();
        let (mut steps, mut tensors) = (Vec::new(), Vec::new());
        let dx = forward.backward(loss(&y), &mut steps, &mut tensors);
        steps.reverse();
        tensors.reverse();
        Pass { x: x.to_vec(), steps, y, dx, tensors }
    }
}

/// A value between layers: the members' features, concatenated.
#[derive(Clone)]
struct Entered {
    x: Vec<f64>,
    members: usize,
    /// Symbol of the value in formulas.
    name: &'static str,
}

impl Entered {
    /// The inputs of a network.
    fn inputs(x: &[f64]) -> Entered {
        Entered { x: x.to_vec(), members: 1, name: "x" }
    }

    fn width(&self) -> Width {
        Width { features: self.x.len() / self.members, members: self.members }
    }

    /// The features of one member.
    fn of(&self, member: usize) -> &[f64] {
        let width = self.width().features;
        &self.x[member * width..(member + 1) * width]
    }

    /// The features of one member and the value's symbol.
    fn named(&self, member: usize) -> (&[f64], &'static str) {
        (self.of(member), self.name)
    }
}

/// The forward pass of a chain.
struct ChainPass<'a> {
    /// The layers with their inputs and outputs, in order.
    layers: Vec<LayerPass<'a>>,
    out: Entered,
}

/// The forward pass of one layer: its input, its output and the passes of its inner chains.
struct LayerPass<'a> {
    layer: &'a Layer,
    inner: Vec<ChainPass<'a>>,
    entered: Entered,
    /// The layer's tensors for each member.
    tensors: Vec<Cow<'a, [Vec<f64>]>>,
    y: Vec<f64>,
}

/// Runs a chain forward, and removes its tensors from the front of `tensors`.
fn chain<'a>(chain: &'a [Layer], entered: Entered, tensors: &mut &'a [Vec<f64>]) -> ChainPass<'a> {
    let mut done = ChainPass { layers: Vec::new(), out: entered };
    for layer in chain {
        let members = done.out.width().after(layer).members;
        let given = LayerPass::new(layer, done.out, tensors);
        done.out = Entered { x: given.y.clone(), members, name: layer.kind().symbol() };
        done.layers.push(given);
    }
    done
}

impl<'a> LayerPass<'a> {
    fn new(layer: &'a Layer, entered: Entered, tensors: &mut &'a [Vec<f64>]) -> LayerPass<'a> {
        let chains: Vec<&'a [Layer]> = match layer.kind().inner() {
            Inner::None => Vec::new(),
            Inner::Around(chain) => vec![chain],
            Inner::Beside(chains) => chains.iter().map(Vec::as_slice).collect(),
        };
        let inner = chains.into_iter().map(|inner| chain(inner, entered.clone(), tensors)).collect();
        let forms = layer.kind().tensors(entered.width(), Activation::Identity);
        let own: usize = forms.iter().map(|tensor| 1 + usize::from(tensor.form == Form::Affine)).sum();
        let (own, rest) = tensors.split_at(own);
        *tensors = rest;
        let of_member = |member: usize| match layer.kind().is_per_member() {
            false => Cow::Borrowed(own),
            true => {
                let part = |t: &Vec<f64>| t.chunks(t.len() / entered.members).nth(member).unwrap_or_default().to_vec();
                Cow::Owned(own.iter().map(part).collect())
            }
        };
        let tensors = (0..entered.members).map(of_member).collect();
        let mut given = LayerPass { layer, inner, entered, tensors, y: Vec::new() };
        let members = 0..given.entered.members;
        let of_member = |m| given.rows(m).into_iter().flat_map(|row| layer.kind().define(&row)).collect::<Vec<_>>();
        given.y = members.flat_map(of_member).collect();
        given
    }

    /// The layer's arguments for one member: one [`Row`], or one for each parallel chain.
    fn rows(&self, member: usize) -> Vec<Row<'_>> {
        let row = |(x, name), side| Row { x, name, side, tensors: &self.tensors[member] };
        match self.layer.kind().inner() {
            Inner::None => vec![row(self.entered.named(member), &[])],
            Inner::Around(_) => vec![row(self.inner[0].out.named(member), self.entered.of(member))],
            Inner::Beside(_) => self.inner.iter().map(|chain| row(chain.out.named(member), &[])).collect(),
        }
    }

    /// The description of a step, with its numbers still empty.
    fn step(&self, row: &Row<'_>) -> Step {
        let (kind, symbol) = (self.layer.kind(), self.layer.kind().symbol());
        let what = kind.formula(row).map_or_else(|| self.layer.line(), |formula| format!("{symbol} = {formula}"));
        let name = self.layer.name.clone();
        Step { name, what, symbol, of: row.name, y: Vec::new(), dy: Vec::new(), slope: Vec::new() }
    }

    /// Returns the gradient with respect to the layer's input. Steps and tensors are added in reverse order.
    fn backward(&self, dy: Vec<f64>, steps: &mut Vec<Step>, tensors: &mut Vec<Vec<f64>>) -> Vec<f64> {
        let kind = self.layer.kind();
        let members = self.entered.members;
        let width = dy.len() / members;
        let mut d_entered = vec![0.0; self.entered.x.len()];
        let mut parts: Vec<Step> = self.rows(0).iter().map(|row| self.step(row)).collect();
        let mut by_chains = vec![Vec::new(); parts.len()];
        let mut by_tensors: Vec<Vec<f64>> = Vec::new();
        for (m, dy) in dy.chunks(width).enumerate() {
            let mut start = 0;
            for (c, row) in self.rows(m).iter().enumerate() {
                let end = if matches!(kind.inner(), Inner::Beside(_)) { start + row.x.len() } else { width };
                let errors = kind.define_backward(row, &dy[start..end]);
                parts[c].y.extend_from_slice(&self.y[m * width + start..m * width + end]);
                parts[c].dy.extend_from_slice(&dy[start..end]);
                parts[c].slope.extend(errors.slope);
                let features = self.entered.width().features;
                add(&mut d_entered[m * features..], &errors.d_side);
                by_chains[c].extend(errors.dx);
                collect(&mut by_tensors, errors.tensors, kind.is_per_member());
                start = end;
            }
        }
        tensors.extend(by_tensors.into_iter().rev());
        steps.extend(parts.into_iter().rev());
        if self.inner.is_empty() && by_chains.len() == 1 {
            return by_chains.swap_remove(0);
        }
        for (inner, dy) in self.inner.iter().zip(by_chains).rev() {
            add(&mut d_entered, &inner.backward(dy, steps, tensors));
        }
        d_entered
    }
}

impl ChainPass<'_> {
    fn backward(&self, dy: Vec<f64>, steps: &mut Vec<Step>, tensors: &mut Vec<Vec<f64>>) -> Vec<f64> {
        self.layers.iter().rev().fold(dy, |dy, given| given.backward(dy, steps, tensors))
    }
}

/// Adds one member's gradients with respect to tensors: appended if each member has its own tensors, otherwise summed.
fn collect(all: &mut Vec<Vec<f64>>, of_member: Vec<Vec<f64>>, is_per_member: bool) {
    if all.is_empty() {
        *all = of_member;
        return;
    }
    for (all, more) in all.iter_mut().zip(of_member) {
        if is_per_member { all.extend(more) } else { add(all, &more) }
    }
}

/// `sum ← sum + v`, for the first `v.len()` elements.
fn add(sum: &mut [f64], v: &[f64]) {
    sum.iter_mut().zip(v).for_each(|(sum, v)| *sum += v);
}

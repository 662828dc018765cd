//! Layers that embed some of their inputs: each of these becomes several features on its own. The other inputs are passed
//! on.
//!
//! The features of embedded input `f` are `W_f t(x) + b_f`, with a matrix and a bias for each embedded input. The kind
//! defines `t`, which computes a few terms of the input.

use std::ops::Range;
use std::sync::Arc;

use toml::{Table, Value};

use super::fields::{Fields, MOST_WIDTH};
use super::{Backward, Errors, Forward, Gradient};
use crate::Result;
use crate::kernel::gemm::Extent;
use crate::kernel::{Isa, LANES, Line, Panels, PanelsMut};
use crate::nn::dense::{self, Weights};
use crate::nn::panel;

/// Upper limit of the terms of an input.
pub(super) const MOST_TERMS: usize = 256;
/// Lines for the terms of an input, followed by a 1 for the bias.
type InputTerms = [Line; MOST_TERMS + 1];

/// Which inputs are embedded.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedded {
    /// Their numbers, in ascending order. `None` until the data are known; then the inputs that hold numbers are meant.
    pub inputs: Option<Arc<[usize]>>,
}

/// An input and its features in such a layer.
pub(super) struct InputPlace {
    /// Number of the input.
    pub(super) input: usize,
    /// Its number among the embedded inputs; `None` if it is passed on.
    pub(super) number: Option<usize>,
    /// Number of its first feature.
    pub(super) first: usize,
}

impl Embedded {
    pub(super) fn read(fields: &mut Fields<'_>) -> Result<Embedded> {
        let Some(found) = fields.optional("inputs") else { return Ok(Embedded { inputs: None }) };
        let number = |item: &Value| item.as_integer().and_then(|n| usize::try_from(n).ok()).filter(|n| *n < MOST_WIDTH);
        let numbers = found.as_array().and_then(|items| items.iter().map(number).collect::<Option<Vec<_>>>());
        match numbers.filter(|numbers| numbers.is_sorted_by(|a, b| a < b)) {
            Some(numbers) => Ok(Embedded { inputs: Some(numbers.into()) }),
            None => fields.mistaken("inputs", "numbers of inputs from 0, rising", &found),
        }
    }

    pub(super) fn write(&self, fields: &mut Table) {
        if let Some(inputs) = &self.inputs {
            let numbers = inputs.iter().map(|input| Value::Integer(*input as i64));
            fields.insert("inputs".into(), Value::Array(numbers.collect()));
        }
    }

    /// The number of embedded inputs, out of `inputs`.
    pub(super) fn count(&self, inputs: usize) -> usize {
        self.inputs.as_ref().map_or(inputs, |numbers| numbers.len())
    }

    /// The number of output features for `inputs` inputs: `dim` for each embedded one, 1 for each other.
    pub(super) fn outputs(&self, inputs: usize, dim: usize) -> usize {
        let count = self.count(inputs);
        count.saturating_mul(dim).saturating_add(inputs.saturating_sub(count))
    }

    /// A sentence that says why these numbers do not fit `inputs` inputs; `None` if they do.
    pub(super) fn misfit(&self, inputs: usize) -> Option<String> {
        let last = *self.inputs.as_ref()?.last()?;
        (last >= inputs).then(|| format!("inputs: expected numbers below {inputs}, found {last}"))
    }

    /// The place of each of `inputs` inputs.
    pub(super) fn places(&self, inputs: usize, dim: usize) -> impl Iterator<Item = InputPlace> + '_ {
        let (mut first, mut next) = (0, 0);
        (0..inputs).map(move |input| {
            let embedded = self.inputs.as_ref().is_none_or(|numbers| numbers.get(next) == Some(&input));
            let place = InputPlace { input, number: embedded.then_some(next), first };
            (first, next) = if embedded { (first + dim, next + 1) } else { (first + 1, next) };
            place
        })
    }
}

/// The functions of such a kind. A line is one value of 16 samples.
pub(super) trait PerInput {
    /// Which inputs.
    fn embedded(&self) -> &Embedded;

    /// `(dim, copies)`: the features of each embedded input, and how many of them, the first ones, are copies of the input.
    fn dim(&self) -> (usize, usize);

    /// Number of terms; the same for all embedded inputs.
    fn terms(&self) -> usize;

    /// Writes `t(x)` of embedded input `f`. `tensor` has the learnt numbers in `t`, if the kind has any.
    fn write_terms(&self, isa: Isa, f: usize, tensor: Option<Weights<'_>>, x: &Line, terms: &mut [Line]);

    /// `dx += Σ d ∂t/∂x`; `at` is the number of the embedded input and the learnt numbers in `t`, `d` the gradient with
    /// respect to the terms.
    fn by_input(&self, isa: Isa, at: (usize, Option<Weights<'_>>), x: &Line, d: &[Line], dx: &mut Line);
}

/// The layer's matrices, and the learnt numbers in `t`, if there are any.
fn tensors_of<'a>(tensors: [Option<Weights<'a>>; 2]) -> (Weights<'a>, Option<Weights<'a>>) {
    let (Some(first), second) = (tensors[0], tensors[1]) else { unreachable!("it has matrices") };
    second.map_or((first, None), |matrices| (matrices, Some(first)))
}

/// The terms of one input of one panel, followed by a 1.
fn terms_of<'t>(
    layer: &impl PerInput,
    isa: Isa,
    f: usize,
    own: Option<Weights<'_>>,
    x: &Line,
    to: &'t mut InputTerms,
) -> &'t [Line] {
    let terms = layer.terms();
    layer.write_terms(isa, f, own.map(|own| own.of(f)), x, &mut to[..terms]);
    to[terms] = Line::splat(1.0);
    &to[..=terms]
}

pub(super) fn forward(layer: &impl PerInput, pass: Forward<'_>) {
    let Forward { isa, samples, x, mut y, tensors, .. } = pass;
    let Some(x) = x else { unreachable!("it keeps its input") };
    let (matrices, own) = tensors_of(tensors);
    let (dim, copies) = layer.dim();
    let inputs = pass.inputs;
    let mut memory = [Line::ZERO; MOST_TERMS + 1];
    for p in 0..samples {
        let x = x.panel(p, 0..inputs);
        for InputPlace { input, number, first } in layer.embedded().places(inputs, dim) {
            let copied = if number.is_some() { copies } else { 1 };
            y.lines_mut(p, first..first + copied).fill(x[input]);
            let Some(f) = number else { continue };
            let terms = terms_of(layer, isa, f, own, &x[input], &mut memory);
            let terms = Panels { lines: terms, stride: terms.len() };
            let out = y.lines_mut(p, first + copies..first + dim);
            let rows = out.len();
            dense::forward(isa, matrices.of(f), terms, PanelsMut::new(out, rows, 1, rows), 1, false);
        }
    }
}

/// `W_fᵀ dy`: the gradient with respect to the terms of one input of one panel.
fn by_terms<'t>(isa: Isa, matrix: Weights<'_>, dy: &[Line], terms: usize, to: &'t mut InputTerms) -> &'t [Line] {
    let (dy, to) = (Panels { lines: dy, stride: dy.len() }, &mut to[..terms]);
    dense::backward_to_inputs(isa, matrix, terms, dy, PanelsMut::new(to, terms, 1, terms), 1, false);
    to
}

pub(super) fn backward(layer: &impl PerInput, pass: Backward<'_>) {
    let Backward { isa, samples, inputs, outputs, x_and_y, dy, mut dx, tensors, .. } = pass;
    let Some([x, _]) = x_and_y else { unreachable!("it looks back") };
    if matches!(dx, Errors::Unwanted) {
        return;
    }
    let (matrices, own) = tensors_of(tensors);
    let ((dim, copies), dy) = (layer.dim(), dy.read());
    let mut memory = [Line::ZERO; MOST_TERMS + 1];
    for p in 0..samples {
        let (x, dy) = (x.panel(p, 0..inputs), dy.panel(p, 0..outputs));
        for InputPlace { input, number, first } in layer.embedded().places(inputs, dim) {
            let mut d = [Line::ZERO];
            let copied = if number.is_some() { copies } else { 1 };
            dy[first..first + copied].iter().for_each(|dy| panel::add(isa, std::slice::from_ref(dy), &mut d));
            if let Some(f) = number {
                let by_terms =
                    by_terms(isa, matrices.of(f), &dy[first + copies..first + dim], layer.terms(), &mut memory);
                layer.by_input(isa, (f, own.map(|own| own.of(f))), &x[input], by_terms, &mut d[0]);
            }
            match &mut dx {
                Errors::Unwanted | Errors::InPlace => unreachable!("its input's gradient has a place of its own"),
                Errors::Write(dx) => dx.lines_mut(p, input..input + 1).copy_from_slice(&d),
                Errors::Add(dx) => panel::add(isa, &d, dx.lines_mut(p, input..input + 1)),
            }
        }
    }
}

/// The place of the embedded input `f`.
fn place_of(layer: &impl PerInput, inputs: usize, f: usize) -> InputPlace {
    let place = layer.embedded().places(inputs, layer.dim().0).find(|place| place.number == Some(f));
    place.unwrap_or_else(|| unreachable!("the tensors have one matrix for each embedded input"))
}

/// Computes the gradient with respect to some lines of some panels of one of the matrices, as one chain over all rows.
pub(super) fn gradient(layer: &impl PerInput, mut pass: Gradient<'_>) {
    let Some(dy) = pass.dy else { unreachable!("the gradient by its output is kept") };
    let (dim, copies) = layer.dim();
    let each = (dim - copies).div_ceil(LANES);
    let (f, out) = (pass.first_panel / each, pass.first_panel % each);
    let place = place_of(layer, pass.inputs, f);
    let own = pass.tensors[1].and(pass.tensors[0]);
    let outputs =
        place.first + copies + out * LANES..(place.first + copies + (out + pass.panels) * LANES).min(place.first + dim);
    let mut memory = [Line::ZERO; MOST_TERMS + 1];
    let mut transposed = vec![Line::ZERO; pass.panels * LANES];
    for p in 0..pass.samples() {
        let x = &pass.x.panel(p, place.input..place.input + 1)[0];
        let terms = terms_of(layer, pass.isa, f, own, x, &mut memory);
        let lines = &terms[pass.lines.clone()];
        let to = PanelsMut::new(&mut transposed, LANES, pass.panels, LANES);
        panel::transpose(pass.isa, dy.panel(p, outputs.clone()), to);
        let accumulate = !pass.first || p > 0;
        let extent = Extent { panels: pass.panels, rows: lines.len(), depth: LANES, accumulate };
        let (terms, errors) = (Panels { lines, stride: lines.len() }, Panels { lines: &transposed, stride: LANES });
        dense::backward_to_weights(pass.isa, terms, errors, pass.dw.from(0), extent);
    }
}

/// Calls `work` once for each panel, with the line of embedded input `f` and the gradient with respect to its terms.
pub(super) fn each_by_terms(
    layer: &impl PerInput,
    pass: &Gradient<'_>,
    f: usize,
    mut work: impl FnMut(&Line, &[Line]),
) {
    let (Some(dy), Some(matrices)) = (pass.dy, pass.tensors[1]) else { unreachable!("its terms have a tensor") };
    let ((dim, copies), place) = (layer.dim(), place_of(layer, pass.inputs, f));
    let outputs: Range<usize> = place.first + copies..place.first + dim;
    let mut memory = [Line::ZERO; MOST_TERMS + 1];
    for p in 0..pass.samples() {
        let d = by_terms(pass.isa, matrices.of(f), dy.panel(p, outputs.clone()), layer.terms(), &mut memory);
        work(&pass.x.panel(p, place.input..place.input + 1)[0], d);
    }
}

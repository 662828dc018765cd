//! Layer norm and RMS norm.

use toml::Table;

use super::fields::Fields;
use super::graph::{self, Given, Node, Nodes, Of};
use super::row::{Row, RowErrors, product};
use super::{Backward, Errors, Forward, Gradient, Kind, Needs, TensorForm, Width};
use crate::Result;
use crate::kernel::{LANES, Line};
use crate::nn::norm::NormKind;
use crate::nn::{self, Activation, panel_norm};

/// `y = gain · x̂ + shift`, where `x̂` is the normalised row; an RMS norm has no shift. The formulas are in
/// [`crate::nn::norm`].
#[derive(Debug, Clone, PartialEq)]
pub struct Norm {
    /// The kind of norm.
    pub norm: NormKind,
}

/// Lines kept for each panel: mean and inverse standard deviation.
const MOMENTS: usize = 2;
/// Features processed at a time; their sums are on the stack.
const FEATURES: usize = LANES;

impl Kind for Norm {
    fn read(fields: &mut Fields<'_>) -> Result<Self> {
        Ok(Norm { norm: fields.parse("norm")? })
    }

    fn write(&self, fields: &mut Table) {
        fields.insert("norm".into(), self.norm.to_string().into());
    }

    /// The gain is called `weight`, the shift `bias`.
    fn tensors(&self, inputs: Width, _next: Activation) -> Vec<TensorForm> {
        let mut tensors = vec![TensorForm::vector("weight", inputs.features, 1.0)];
        if self.norm.has_shift() {
            tensors.push(TensorForm::vector("bias", inputs.features, 0.0));
        }
        tensors
    }

    fn symbol(&self) -> &'static str {
        "n"
    }

    fn formula(&self, row: &Row<'_>) -> Option<String> {
        Some(format!("norm({})", row.name))
    }

    fn define(&self, row: &Row<'_>) -> Vec<f64> {
        let mut y = vec![0.0; row.x.len()];
        let [gain, shift] = [0, 1].map(|n| row.tensors.get(n).map(Vec::as_slice));
        nn::Normalisation::new(self.norm).forward(row.x, gain, shift, &mut y[..]);
        y
    }

    fn define_backward(&self, row: &Row<'_>, dy: &[f64]) -> RowErrors {
        let norm = nn::Normalisation::new(self.norm);
        let moments = norm.moments(row.x);
        let mut dx = vec![0.0; row.x.len()];
        norm.backward(row.x, &moments, Some(&row.tensors[0][..]), dy, &mut dx[..]);
        let normalised: Vec<f64> = row.x.iter().map(|x| moments.normalised(*x)).collect();
        let mut tensors = vec![product(dy, &normalised)];
        if self.norm.has_shift() {
            tensors.push(dy.to_vec());
        }
        RowErrors { dx, tensors, ..RowErrors::default() }
    }

    fn nodes(&self, given: Given, nodes: &mut Nodes) -> graph::GraphValue {
        let features = given.inputs.features;
        let normalised = nodes.add(Node::Normalise(given.x, nn::Normalisation::new(self.norm)));
        let y = nodes.scaled(normalised, given.vector(0, Of::Whole, features));
        if self.norm.has_shift() { nodes.shifted(y, given.vector(1, Of::Whole, features)) } else { y }
    }

    fn needs(&self, _inputs: usize, _training: bool) -> Needs {
        Needs { kept: MOMENTS, looks_back: true, ..Needs::default() }
    }

    fn forward(&self, pass: Forward<'_>) {
        let Forward { isa, samples, x, mut y, width, kept, tensors: [gain, shift], .. } = pass;
        let (Some(x), Some(mut moments), Some(gain)) = (x, kept, gain) else { unreachable!("a norm keeps its input") };
        for p in 0..samples {
            let (x, y, moments) = (x.panel(p, 0..width), y.lines_mut(p, 0..width), moments.lines_mut(p, 0..MOMENTS));
            panel_norm::forward(isa, self.norm, x, gain.panels.lines, shift.map(|s| s.panels.lines), y, moments);
        }
    }

    fn backward(&self, pass: Backward<'_>) {
        let Backward { isa, samples, outputs: width, x_and_y, dy, dx, kept, tensors: [gain, _], .. } = pass;
        let (Some([x, _]), Some(moments), Some(gain)) = (x_and_y, kept, gain) else {
            unreachable!("a norm keeps its input and its moments")
        };
        let (mut dx, add) = match dx {
            Errors::Unwanted => return,
            Errors::InPlace => unreachable!("a norm does not work in place"),
            Errors::Write(dx) => (dx, false),
            Errors::Add(dx) => (dx, true),
        };
        for p in 0..samples {
            let (x, moments) = (x.panel(p, 0..width), moments.panel(p, 0..MOMENTS));
            let (dy, dx) = (dy.read().panel(p, 0..width), dx.lines_mut(p, 0..width));
            panel_norm::backward(isa, self.norm, x, moments, gain.panels.lines, dy, (dx, add));
        }
    }

    /// `Σ dy · x̂` for gains, `Σ dy` for shifts. The sum runs over the panels in order for each lane, then over the lanes in
    /// order.
    fn gradient(&self, mut pass: Gradient<'_>) {
        let (Some(moments), Some(dy)) = (pass.kept, pass.dy) else { unreachable!("a norm keeps its moments") };
        let first_line = pass.lines.start;
        for row in pass.lines.clone() {
            let features = row * FEATURES..((row + 1) * FEATURES).min(pass.fan_out);
            let count = features.len();
            let (mut products, mut plain) = ([Line::ZERO; FEATURES], [Line::ZERO; FEATURES]);
            for p in 0..pass.samples() {
                panel_norm::accumulate_gradients(
                    pass.isa,
                    pass.x.panel(p, features.clone()),
                    moments.panel(p, 0..MOMENTS),
                    dy.panel(p, features.clone()),
                    &mut products[..count],
                    &mut plain[..count],
                );
            }
            let sums = if pass.tensor == 0 { &products } else { &plain };
            let line = &mut pass.dw.lines_mut(0, row - first_line..row - first_line + 1)[0];
            for (feature, sum) in sums.iter().enumerate() {
                let before = if pass.first { 0.0 } else { line.0[feature] };
                line.0[feature] = sum.0.iter().fold(before, |total, x| total + x);
            }
        }
    }
}

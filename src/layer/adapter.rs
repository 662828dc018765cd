//! Adapters: the per-member factors and shifts that make members differ although they share their matrices. Gorishniy et al.
//! 2025, <https://arxiv.org/abs/2410.24210>.

use std::sync::Arc;

use toml::{Table, Value};

use super::fields::Fields;
use super::graph::{self, Given, Nodes, Of};
use super::per_feature::{self, sum_products};
use super::row::{Row, RowErrors, product};
use super::scale::Scale;
use super::{Backward, Forward, Gradient, Group, Kind, Needs, Random, Start, TensorForm, Width};
use crate::Result;
use crate::kernel::Line;
use crate::nn::init::Distribution;
use crate::nn::{Activation, panel};
use crate::spec::unknown;

/// `y_k = r_k ⊙ x_k + b_k`: a factor and a shift for each feature of each member `k`. Without `shift`, `y_k = r_k ⊙ x_k`.
///
/// TabM's linear layer consists of an adapter, a linear layer without bias, and an adapter with a shift.
#[derive(Debug, Clone, PartialEq)]
pub struct Adapter {
    /// Initial factors.
    pub scale: Factors,
    /// Widths of runs of adjacent features that share one initial factor; if `None`, each feature draws its own.
    pub chunks: Option<Arc<[usize]>>,
    /// If present, there are shifts, initially uniform within `±bound` and equal for all members.
    pub shift: Option<f64>,
}

/// Initial factors of an adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Factors {
    /// 1.
    Ones,
    /// Standard normal.
    Normal,
    /// 1 or −1.
    Signs,
}

impl Factors {
    const NAMES: [(&'static str, Factors); 3] =
        [("ones", Factors::Ones), ("normal", Factors::Normal), ("signs", Factors::Signs)];
}

impl Adapter {
    /// An adapter without shifts.
    pub fn new(scale: Factors, chunks: Option<Arc<[usize]>>) -> Adapter {
        Adapter { scale, chunks, shift: None }
    }

    fn begin(&self) -> Start {
        let from = match self.scale {
            Factors::Ones => return Start::Filled(1.0),
            Factors::Normal => Distribution::Normal { std: 1.0 },
            Factors::Signs => Distribution::Signs,
        };
        Start::Random(Random { from, chunks: self.chunks.clone(), alike: false })
    }
}

impl Kind for Adapter {
    fn read(fields: &mut Fields<'_>) -> Result<Self> {
        let name = fields.word("scale", "ones")?;
        let Some((_, scale)) = Factors::NAMES.into_iter().find(|(known, _)| *known == name) else {
            return Err(fields.wrong(unknown("scale", &name, &Factors::NAMES.map(|(name, _)| name))));
        };
        let chunks = fields.runs("chunks")?;
        let at_least_0 = |bound: f64| bound.is_finite() && bound >= 0.0;
        let shift = fields.optional_number("shift", "a bound of at least 0", at_least_0)?;
        Ok(Adapter { scale, chunks, shift })
    }

    fn write(&self, fields: &mut Table) {
        if let Some((name, _)) = Factors::NAMES.iter().find(|(_, scale)| *scale == self.scale) {
            fields.insert("scale".into(), (*name).into());
        }
        if let Some(chunks) = &self.chunks {
            let widths = chunks.iter().map(|width| Value::Integer(*width as i64));
            fields.insert("chunks".into(), Value::Array(widths.collect()));
        }
        if let Some(bound) = self.shift {
            fields.insert("shift".into(), bound.into());
        }
    }

    fn is_per_member(&self) -> bool {
        true
    }

    fn misfit(&self, inputs: usize) -> Option<String> {
        let total = self.chunks.as_ref()?.iter().fold(0, |sum: usize, width| sum.saturating_add(*width));
        (total != inputs).then(|| format!("chunks: expected widths that make {inputs} features, found {total}"))
    }

    /// The factors are called `weight` and always decay; the shifts are called `bias`.
    fn tensors(&self, inputs: Width, _next: Activation) -> Vec<TensorForm> {
        let Width { features, members } = inputs;
        let mut factors = TensorForm::vector("weight", features, 1.0).stacked(members);
        factors.begin = self.begin();
        factors.groups = [Group { decays: Some(true), ..Group::default() }; 2];
        let mut tensors = vec![factors];
        if let Some(bound) = self.shift {
            let mut shifts = TensorForm::vector("bias", features, 0.0).stacked(members);
            let from = Distribution::Uniform { bound };
            shifts.begin = Start::Random(Random { from, chunks: None, alike: true });
            tensors.push(shifts);
        }
        tensors
    }

    fn define(&self, row: &Row<'_>) -> Vec<f64> {
        let mut y = product(&row.tensors[0], row.x);
        if let Some(shifts) = row.tensors.get(1) {
            y.iter_mut().zip(shifts).for_each(|(y, b)| *y += b);
        }
        y
    }

    fn define_backward(&self, row: &Row<'_>, dy: &[f64]) -> RowErrors {
        let dx = product(&row.tensors[0], dy);
        let mut tensors = vec![product(dy, row.x)];
        if self.shift.is_some() {
            tensors.push(dy.to_vec());
        }
        RowErrors { dx, tensors, ..RowErrors::default() }
    }

    fn nodes(&self, given: Given, nodes: &mut Nodes) -> graph::GraphValue {
        let features = given.inputs.features;
        let y = nodes.scaled(given.x, given.vector(0, Of::Member, features));
        if self.shift.is_some() { nodes.shifted(y, given.vector(1, Of::Member, features)) } else { y }
    }

    fn needs(&self, _inputs: usize, _training: bool) -> Needs {
        Needs { looks_back: true, ..Needs::default() }
    }

    fn forward(&self, pass: Forward<'_>) {
        let [_, Some(shifts)] = pass.tensors else { return per_feature::forward(&Scale, pass) };
        let Forward { isa, samples, members, x, mut y, width, tensors: [factors, _], .. } = pass;
        let (Some(x), Some(factors)) = (x, factors) else { unreachable!("it learns factors, and keeps its input") };
        for p in 0..samples {
            let [factors, shifts] = [factors, shifts].map(|tensor| tensor.of(p % members).panels.lines);
            panel::scale_and_shift(isa, factors, shifts, x.panel(p, 0..width), y.lines_mut(p, 0..width));
        }
    }

    fn backward(&self, pass: Backward<'_>) {
        per_feature::backward(&Scale, pass);
    }

    fn gradient(&self, pass: Gradient<'_>) {
        match pass.tensor {
            0 => per_feature::gradient(&Scale, pass),
            _ => sum_products(pass, |_, _, slope| slope.fill(Line::splat(1.0))),
        }
    }
}

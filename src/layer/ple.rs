//! Piecewise-linear embeddings of numbers: Gorishniy et al. 2022, <https://arxiv.org/abs/2203.05556>, in the later form
//! ("version B") of the authors' package `rtdl_num_embeddings`.

use std::sync::Arc;

use toml::{Table, Value};

use super::bins::{self, BinRule};
use super::fields::Fields;
use super::graph::{self, Given, Node, Nodes, Of, Operand};
use super::per_input::{self, Embedded, MOST_TERMS, PerInput};
use super::row::{Row, RowErrors};
use super::{Backward, Fit, Form, Forward, Gradient, Kind, Needs, Random, Start, TensorForm, Width};
use crate::Result;
use crate::kernel::{Isa, Job, Lanes, Line};
use crate::nn::Activation;
use crate::nn::dense::Weights;
use crate::nn::init::Distribution;
use crate::spec::unknown;

/// For each embedded input `x`, `y = w x + c + P e(x)`, where `y`, `w` and `c` have `dim` numbers. Other inputs are passed
/// on.
///
/// With edges `b_0 < … < b_T`, `e_t = (x − b_{t−1}) / (b_t − b_{t−1})`, clamped to `[0, 1]`; the first has no lower bound
/// and the last no upper bound. Initially `w` and `c` are uniform within `±1/√dim`, and `P` is 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Ple {
    /// The embedded inputs.
    pub embedded: Embedded,
    /// Features for each embedded input.
    pub dim: usize,
    /// The edges of the bins.
    pub bins: Bins,
}

/// The edges of the bins of an embedding.
#[derive(Debug, Clone, PartialEq)]
pub enum Bins {
    /// To be fitted to the training rows: the maximum number of bins, and the rule.
    Fitted(usize, BinRule),
    /// The edges for each embedded input, in ascending order; empty for an input that is constant.
    Edges(Arc<[Vec<f32>]>),
}

impl Bins {
    fn read(fields: &mut Fields<'_>) -> Result<Bins> {
        let expected = "a number of bins of 2 to 255, or for each input a list of rising edges";
        let by = fields.word("by", "quantiles")?;
        let found = fields.take("bins", "a number of bins")?;
        if let Some(count) = found.as_integer() {
            let Some((_, rule)) = BinRule::NAMES.into_iter().find(|(name, _)| *name == by) else {
                return Err(fields.wrong(unknown("by", &by, &BinRule::NAMES.map(|(name, _)| name))));
            };
            return match usize::try_from(count).ok().filter(|count| (2..MOST_TERMS).contains(count)) {
                Some(count) => Ok(Bins::Fitted(count, rule)),
                None => fields.mistaken("bins", expected, &found),
            };
        }
        let number = |edge: &Value| edge.as_float().or(edge.as_integer().map(|n| n as f64)).map(|x| x as f32);
        let edges = |item: &Value| item.as_array()?.iter().map(number).collect::<Option<Vec<f32>>>();
        let right = |edges: &Vec<f32>| {
            let rising = edges.is_sorted_by(|a, b| a < b) && edges.iter().all(|x| x.is_finite());
            rising && edges.len() != 1 && edges.len() <= MOST_TERMS
        };
        let all = found.as_array().and_then(|items| items.iter().map(edges).collect::<Option<Vec<_>>>());
        match all.filter(|all| all.iter().all(right)) {
            Some(all) => Ok(Bins::Edges(all.into())),
            None => fields.mistaken("bins", expected, &found),
        }
    }

    fn write(&self, fields: &mut Table) {
        let bins = match self {
            Bins::Fitted(count, rule) => {
                let name = BinRule::NAMES.iter().find(|(_, known)| known == rule).map_or("", |(name, _)| name);
                fields.insert("by".into(), name.into());
                Value::Integer(*count as i64)
            }
            Bins::Edges(all) => {
                let edges = |edges: &Vec<f32>| edges.iter().map(|x| Value::Float(f64::from(*x))).collect();
                Value::Array(all.iter().map(|one| Value::Array(edges(one))).collect())
            }
        };
        fields.insert("bins".into(), bins);
    }

    /// The largest number of bins of any input.
    fn most(&self) -> usize {
        match self {
            Bins::Fitted(count, _) => *count,
            Bins::Edges(all) => all.iter().map(|edges| edges.len().saturating_sub(1)).max().unwrap_or(0),
        }
    }

    /// The edges of the embedded input `f`.
    fn edges(&self, f: usize) -> &[f32] {
        match self {
            Bins::Edges(all) => &all[f],
            Bins::Fitted(..) => unreachable!("fitted before the network is built"),
        }
    }
}

/// `e(x)` for bin `t` (counted from 0), and its derivative.
fn piece(edges: &[f32], t: usize, x: f64) -> (f64, f64) {
    let (low, high) = (f64::from(edges[t]), f64::from(edges[t + 1]));
    let e = (x - low) / (high - low);
    let held = (t > 0 && e < 0.0) || (t + 2 < edges.len() && e > 1.0);
    if held { (e.clamp(0.0, 1.0), 0.0) } else { (e, 1.0 / (high - low)) }
}

impl Ple {
    /// Columns of a matrix: one for the input, then one for each bin.
    fn columns(&self) -> usize {
        1 + self.bins.most()
    }

    /// Adds the nodes that compute the terms `[x, e(x)]` of embedded input `f`.
    fn term_nodes(
        &self,
        (f, input): (usize, usize),
        x: graph::GraphValue,
        given: Given,
        nodes: &mut Nodes,
    ) -> graph::GraphValue {
        let (edges, bins) = (self.bins.edges(f), self.bins.most());
        let (mut below, mut factors, mut bounds) = (Vec::new(), Vec::new(), Vec::new());
        for t in 0..bins {
            let (low, high) = match edges.get(t..t + 2) {
                Some(ends) => (f64::from(ends[0]), f64::from(ends[1])),
                None => (0.0, f64::INFINITY), // this input has fewer bins than others
            };
            let least = if t > 0 { 0.0 } else { f64::NEG_INFINITY };
            let most = if t + 2 < edges.len() { 1.0 } else { f64::INFINITY };
            below.push(-low);
            factors.push(1.0 / (high - low));
            bounds.push((least, most));
        }
        let copies = nodes.add(Node::Select(given.x, vec![input; bins]));
        let distances = nodes.add(Node::Plus(copies, Operand::Numbers(below)));
        let shares = nodes.add(Node::Times(distances, Operand::Numbers(factors)));
        let held = nodes.add(Node::Hold(shares, bounds));
        nodes.add(Node::Join(vec![x, held]))
    }

    /// The terms `[x, e(x)]` of embedded input `f`, and their derivatives.
    fn define_terms(&self, f: usize, x: f64) -> (Vec<f64>, Vec<f64>) {
        let (edges, bins) = (self.bins.edges(f), self.bins.most());
        let (mut terms, mut slopes) = (vec![x], vec![1.0]);
        for t in 0..bins {
            let (e, slope) = if t + 1 < edges.len() { piece(edges, t, x) } else { (0.0, 0.0) };
            terms.push(e);
            slopes.push(slope);
        }
        (terms, slopes)
    }
}

impl Kind for Ple {
    fn read(fields: &mut Fields<'_>) -> Result<Self> {
        let embedded = Embedded::read(fields)?;
        Ok(Ple { dim: fields.width("dim")?, bins: Bins::read(fields)?, embedded })
    }

    fn write(&self, fields: &mut Table) {
        self.embedded.write(fields);
        fields.insert("dim".into(), (self.dim as i64).into());
        self.bins.write(fields);
    }

    fn outputs(&self, inputs: usize) -> usize {
        self.embedded.outputs(inputs, self.dim)
    }

    fn misfit(&self, inputs: usize) -> Option<String> {
        let count = self.embedded.count(inputs);
        let wrong = |all: &Arc<[Vec<f32>]>| format!("bins: expected edges of {count} inputs, found {}", all.len());
        let misfit = match &self.bins {
            Bins::Edges(all) if all.len() != count => Some(wrong(all)),
            _ => None,
        };
        self.embedded.misfit(inputs).or(misfit)
    }

    fn is_fitted(&self) -> bool {
        self.embedded.inputs.is_some() && matches!(self.bins, Bins::Edges(_))
    }

    fn fit(&mut self, rows: &Fit<'_>) {
        let inputs = self.embedded.inputs.get_or_insert_with(|| rows.numbers.into()).clone();
        if let Bins::Fitted(count, rule) = self.bins {
            self.bins = Bins::Edges(bins::fit(rule, count, &inputs, rows).into());
        }
    }

    /// One matrix for each embedded input, with columns for the input and its bins, and a bias.
    fn tensors(&self, inputs: Width, next: Activation) -> Vec<TensorForm> {
        let mut matrices = TensorForm::matrix(Form::Affine, self.columns(), self.dim, next);
        let bound = 1.0 / (self.dim as f64).sqrt();
        let random = Random { from: Distribution::Uniform { bound }, chunks: None, alike: false };
        matrices.begin = Start::Columns(1, random.clone());
        matrices.bias = Some(Start::Random(random));
        vec![matrices.stacked(self.embedded.count(inputs.features))]
    }

    fn drawn_before(&self) -> Option<Activation> {
        Some(Activation::Identity)
    }

    fn define(&self, row: &Row<'_>) -> Vec<f64> {
        let (columns, mut y) = (self.columns(), Vec::new());
        for place in self.embedded.places(row.x.len(), self.dim) {
            let x = row.x[place.input];
            let Some(f) = place.number else {
                y.push(x);
                continue;
            };
            let (terms, _) = self.define_terms(f, x);
            for j in f * self.dim..(f + 1) * self.dim {
                let weights = &row.tensors[0][j * columns..(j + 1) * columns];
                y.push(row.tensors[1][j] + weights.iter().zip(&terms).map(|(w, t)| w * t).sum::<f64>());
            }
        }
        y
    }

    fn define_backward(&self, row: &Row<'_>, dy: &[f64]) -> RowErrors {
        let (columns, mut dx) = (self.columns(), vec![0.0; row.x.len()]);
        let (mut by_matrix, mut by_bias) = (vec![0.0; row.tensors[0].len()], vec![0.0; row.tensors[1].len()]);
        for place in self.embedded.places(row.x.len(), self.dim) {
            let Some(f) = place.number else {
                dx[place.input] = dy[place.first];
                continue;
            };
            let (terms, slopes) = self.define_terms(f, row.x[place.input]);
            for (j, d) in (f * self.dim..).zip(&dy[place.first..place.first + self.dim]) {
                by_bias[j] = *d;
                for (t, at) in (j * columns..(j + 1) * columns).enumerate() {
                    by_matrix[at] = d * terms[t];
                    dx[place.input] += d * row.tensors[0][at] * slopes[t];
                }
            }
        }
        RowErrors { dx, tensors: vec![by_matrix, by_bias], ..RowErrors::default() }
    }

    fn nodes(&self, given: Given, nodes: &mut Nodes) -> graph::GraphValue {
        let parts = self.embedded.places(given.inputs.features, self.dim).map(|place| {
            let x = nodes.add(Node::Select(given.x, vec![place.input]));
            let Some(f) = place.number else { return x };
            let terms = self.term_nodes((f, place.input), x, given, nodes);
            let features = nodes.add(Node::Product(terms, given.matrix(0, Of::Number(f), (self.dim, self.columns()))));
            nodes.shifted(features, given.vector(1, Of::Number(f), self.dim))
        });
        let parts = parts.collect();
        nodes.add(Node::Join(parts))
    }

    fn needs(&self, _inputs: usize, _training: bool) -> Needs {
        Needs { looks_back: true, ..Needs::default() }
    }

    fn forward(&self, pass: Forward<'_>) {
        per_input::forward(self, pass);
    }

    fn backward(&self, pass: Backward<'_>) {
        per_input::backward(self, pass);
    }

    fn gradient(&self, pass: Gradient<'_>) {
        per_input::gradient(self, pass);
    }
}

impl PerInput for Ple {
    fn embedded(&self) -> &Embedded {
        &self.embedded
    }

    fn dim(&self) -> (usize, usize) {
        (self.dim, 0)
    }

    fn terms(&self) -> usize {
        self.columns()
    }

    fn write_terms(&self, isa: Isa, f: usize, _tensor: Option<Weights<'_>>, x: &Line, terms: &mut [Line]) {
        let edges = self.bins.edges(f);
        let bins = edges.len().saturating_sub(1);
        terms[0] = *x;
        isa.run(PieceTerms { edges, x, to: &mut terms[1..1 + bins] });
        terms[1 + bins..].fill(Line::ZERO);
    }

    fn by_input(&self, isa: Isa, (f, _): (usize, Option<Weights<'_>>), x: &Line, d: &[Line], dx: &mut Line) {
        isa.run(Slopes { edges: self.bins.edges(f), x, d, dx });
    }
}

/// `e(x)` of 16 samples.
struct PieceTerms<'a> {
    edges: &'a [f32],
    x: &'a Line,
    to: &'a mut [Line],
}

impl Job for PieceTerms<'_> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let (x, last) = (L::load(self.x), self.to.len().wrapping_sub(1));
        let (zero, one) = (L::broadcast(0.0), L::broadcast(1.0));
        for (t, line) in self.to.iter_mut().enumerate() {
            let (low, high) = (self.edges[t], self.edges[t + 1]);
            let mut e = (x - L::broadcast(low)) / L::broadcast(high - low);
            if t > 0 {
                e = e.max(zero);
            }
            if t < last {
                e = e.min(one);
            }
            e.store(line);
        }
    }
}

/// `dx += d_0 + Σ d_t e_t′(x)`.
struct Slopes<'a> {
    edges: &'a [f32],
    x: &'a Line,
    d: &'a [Line],
    dx: &'a mut Line,
}

impl Job for Slopes<'_> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let (x, zero) = (L::load(self.x), L::broadcast(0.0));
        let mut sum = L::load(self.dx) + L::load(&self.d[0]);
        let bins = self.edges.len().saturating_sub(1);
        for t in 0..bins {
            let (low, high) = (self.edges[t], self.edges[t + 1]);
            let mut slope = L::broadcast(1.0) / L::broadcast(high - low);
            if t > 0 {
                slope = L::select(x.lt(L::broadcast(low)), zero, slope);
            }
            if t + 1 < bins {
                slope = L::select(L::broadcast(high).lt(x), zero, slope);
            }
            sum = L::load(&self.d[1 + t]).mul_add(slope, sum);
        }
        sum.store(self.dx);
    }
}

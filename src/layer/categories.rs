//! Embeddings of categories, from one-hot inputs.

use std::sync::Arc;

use toml::{Table, Value};

use super::fields::{Fields, MOST_WIDTH};
use super::graph::{self, Given, Learnt, Node, Nodes, Of, Operand};
use super::levels::{self, Category, InputRange};
use super::row::{Row, RowErrors};
use super::{Backward, Errors, Forward, Gradient, Kind, Needs, TensorForm, Width};
use crate::Result;
use crate::kernel::gemm::Extent;
use crate::kernel::{Isa, LANES, Line, Panels, PanelsMut};
use crate::nn::Activation;
use crate::nn::dense::{self, Weights};
use crate::nn::panel;

/// For each run of one-hot inputs, `y = u E_0 + Σ x_i E_i` with `u = 1 − Σ x_i`. `E_i` is a learnt vector of `dim` numbers
/// for each level; `E_0` is the vector of levels that have no input. Other inputs are passed on. All vectors are initially
/// standard normal.
///
/// In training, the level is hidden in a random share `mask` of the rows, separately for each run, which trains `E_0` as the
/// vector of unknown levels.
#[derive(Debug, Clone, PartialEq)]
pub struct Categories {
    /// First input and width of each run, in ascending order.
    pub runs: Arc<[(usize, usize)]>,
    /// Features of each run.
    pub dim: usize,
    /// Share of the rows whose level is hidden in training, at least 0 and below 1.
    pub mask: f64,
}

/// Upper limit of the levels of a run.
const MOST_LEVELS: usize = 256;
/// Lines for the terms of a run.
type LevelTerms = [Line; MOST_LEVELS + 1];

impl Categories {
    fn places(&self, inputs: usize) -> impl Iterator<Item = InputRange> + '_ {
        let categories =
            self.runs.iter().map(|(first, width)| Category { first: *first, inputs: *width, levels: *width });
        levels::places(categories, inputs, self.dim)
    }

    /// Number of vectors in all tables together.
    fn rows(&self) -> usize {
        self.runs.iter().map(|(_, width)| width + 1).sum()
    }

    /// The terms of a run for one panel: `u`, then the inputs. Where the mask is 0, `u` is 1 and the inputs are 0.
    fn terms<'t>(&self, x: &[Line], mask: Option<&Line>, to: &'t mut LevelTerms) -> &'t [Line] {
        let to = &mut to[..=x.len()];
        to[1..].copy_from_slice(x);
        for lane in 0..LANES {
            if mask.is_some_and(|mask| mask.0[lane] == 0.0) {
                to[1..].iter_mut().for_each(|line| line.0[lane] = 0.0);
            }
            to[0].0[lane] = 1.0 - to[1..].iter().map(|line| line.0[lane]).sum::<f32>();
        }
        to
    }
}

/// `depth` rows of the tables, from row `row`.
fn from_row<'a>(weights: Weights<'a>, row: usize, depth: usize) -> Weights<'a> {
    let lines = &weights.panels.lines[row..];
    Weights { panels: Panels { lines, ..weights.panels }, depth, ..weights }
}

/// The gradient with respect to a run's inputs, given the gradient with respect to its terms: `dx_i = dt_i − du`, or 0 where
/// the mask is 0.
fn by_levels<'t>(isa: Isa, by_terms: &'t mut [Line], mask: Option<&Line>) -> &'t [Line] {
    let (unknown, by_levels) = by_terms.split_at_mut(1);
    for line in by_levels.iter_mut() {
        panel::subtract(isa, unknown, std::slice::from_mut(line));
        for lane in 0..LANES {
            if mask.is_some_and(|mask| mask.0[lane] == 0.0) {
                line.0[lane] = 0.0;
            }
        }
    }
    by_levels
}

impl Kind for Categories {
    fn read(fields: &mut Fields<'_>) -> Result<Self> {
        let expected = "runs [first input, width], rising, of 1 to 256 levels each";
        let found = fields.take("runs", "a list of runs")?;
        let whole = |n: &Value| n.as_integer().and_then(|n| usize::try_from(n).ok()).filter(|n| *n < MOST_WIDTH);
        let run = |item: &Value| match item.as_array()?.as_slice() {
            [first, width] => Some((whole(first)?, whole(width).filter(|w| (1..=MOST_LEVELS).contains(w))?)),
            _ => None,
        };
        let runs = found.as_array().and_then(|items| items.iter().map(run).collect::<Option<Vec<_>>>());
        let rising = |runs: &Vec<(usize, usize)>| runs.windows(2).all(|w| w[0].0 + w[0].1 <= w[1].0);
        let Some(runs) = runs.filter(|runs| !runs.is_empty() && rising(runs)) else {
            return fields.mistaken("runs", expected, &found);
        };
        let share = |mask: f64| (0.0..1.0).contains(&mask);
        let mask = fields.optional_number("mask", "a share of at least 0 and below 1", share)?.unwrap_or(0.0);
        Ok(Categories { runs: runs.into(), dim: fields.width("dim")?, mask })
    }

    fn write(&self, fields: &mut Table) {
        let number = |n: usize| Value::Integer(n as i64);
        let runs = self.runs.iter().map(|(first, width)| Value::Array(vec![number(*first), number(*width)]));
        fields.insert("runs".into(), Value::Array(runs.collect()));
        fields.insert("dim".into(), number(self.dim));
        fields.insert("mask".into(), self.mask.into());
    }

    fn without_chance(&mut self) {
        self.mask = 0.0;
    }

    fn outputs(&self, inputs: usize) -> usize {
        let within: usize = self.runs.iter().map(|(_, width)| width).sum();
        inputs.saturating_sub(within).saturating_add(self.runs.len().saturating_mul(self.dim))
    }

    fn misfit(&self, inputs: usize) -> Option<String> {
        let (first, width) = *self.runs.last()?;
        let message = || format!("runs: expected inputs below {inputs}, found {}", first + width - 1);
        (first + width > inputs).then(message)
    }

    fn tensors(&self, _inputs: Width, next: Activation) -> Vec<TensorForm> {
        vec![levels::table(self.rows(), self.dim, next)]
    }

    fn drawn_before(&self) -> Option<Activation> {
        Some(Activation::Identity)
    }

    fn define(&self, row: &Row<'_>) -> Vec<f64> {
        let (rows, mut y) = (self.rows(), Vec::new());
        for InputRange { inputs, category, .. } in self.places(row.x.len()) {
            let x = &row.x[inputs];
            let Some((_, first)) = category else {
                y.extend(x);
                continue;
            };
            let unknown = 1.0 - x.iter().sum::<f64>();
            for j in 0..self.dim {
                let table = &row.tensors[0][j * rows + first..];
                y.push(unknown * table[0] + x.iter().zip(&table[1..]).map(|(x, e)| x * e).sum::<f64>());
            }
        }
        y
    }

    fn define_backward(&self, row: &Row<'_>, dy: &[f64]) -> RowErrors {
        let (rows, mut dx) = (self.rows(), vec![0.0; row.x.len()]);
        let mut by_table = vec![0.0; row.tensors[0].len()];
        for InputRange { inputs, category, first } in self.places(row.x.len()) {
            let Some((_, start)) = category else {
                dx[inputs.clone()].copy_from_slice(&dy[first..first + inputs.len()]);
                continue;
            };
            let unknown = 1.0 - row.x[inputs.clone()].iter().sum::<f64>();
            for (j, d) in dy[first..first + self.dim].iter().enumerate() {
                let at = j * rows + start;
                by_table[at] = d * unknown;
                for (i, input) in inputs.clone().enumerate() {
                    by_table[at + 1 + i] = d * row.x[input];
                    dx[input] += d * (row.tensors[0][at + 1 + i] - row.tensors[0][at]);
                }
            }
        }
        RowErrors { dx, tensors: vec![by_table], ..RowErrors::default() }
    }

    fn nodes(&self, given: Given, nodes: &mut Nodes) -> graph::GraphValue {
        let (mut parts, rows) = (Vec::new(), self.rows());
        for InputRange { inputs, category, .. } in self.places(given.inputs.features) {
            let x = nodes.add(Node::Select(given.x, inputs.clone().collect()));
            let Some((_, first)) = category else {
                parts.push(x);
                continue;
            };
            let sum = nodes.add(Node::Sum(x));
            let minus_sum = nodes.add(Node::Times(sum, Operand::Number(-1.0)));
            let unknown = nodes.add(Node::Plus(minus_sum, Operand::Number(1.0)));
            let terms = nodes.add(Node::Join(vec![unknown, x]));
            let table = given.matrix(0, Of::Whole, (self.dim, rows));
            let own = Learnt { within: first..first + inputs.len() + 1, ..table };
            parts.push(nodes.add(Node::Product(terms, own)));
        }
        nodes.add(Node::Join(parts))
    }

    fn needs(&self, _inputs: usize, training: bool) -> Needs {
        let masks = training && self.mask > 0.0;
        let kept = if masks { self.runs.len() } else { 0 };
        Needs { looks_back: true, random: masks, kept, ..Needs::default() }
    }

    fn forward(&self, mut pass: Forward<'_>) {
        let (Some(x), [Some(weights), _]) = (pass.x, pass.tensors) else { unreachable!("it has tables and keeps x") };
        let mut memory = [Line::ZERO; MOST_LEVELS + 1];
        for p in 0..pass.samples {
            let masks = pass
                .kept
                .as_mut()
                .zip(pass.random)
                .map(|(kept, at)| levels::fill_masks(kept, at, (p, pass.members), (self.mask, self.runs.len())));
            for InputRange { inputs, category, first } in self.places(pass.inputs) {
                let x = x.panel(p, inputs);
                let Some((number, row)) = category else {
                    pass.y.lines_mut(p, first..first + x.len()).copy_from_slice(x);
                    continue;
                };
                let terms = self.terms(x, masks.map(|masks| &masks[number]), &mut memory);
                let table = from_row(weights, row, terms.len());
                let terms = Panels { lines: terms, stride: terms.len() };
                let out = pass.y.lines_mut(p, first..first + self.dim);
                dense::forward(pass.isa, table, terms, PanelsMut::new(out, self.dim, 1, self.dim), 1, false);
            }
        }
    }

    fn backward(&self, pass: Backward<'_>) {
        let Backward { isa, samples, inputs, outputs, x_and_y, dy, mut dx, kept, tensors, .. } = pass;
        let (Some(_), Some(weights)) = (x_and_y, tensors[0]) else { unreachable!("it has tables") };
        if matches!(dx, Errors::Unwanted) {
            return;
        }
        let (dy, mut memory) = (dy.read(), [Line::ZERO; MOST_LEVELS + 1]);
        for p in 0..samples {
            let dy = dy.panel(p, 0..outputs);
            for InputRange { inputs, category, first } in self.places(inputs) {
                let d = match category {
                    None => &dy[first..first + inputs.len()],
                    Some((number, row)) => {
                        let rows = inputs.len() + 1;
                        let by_terms = &mut memory[..rows];
                        let own = Panels { lines: &dy[first..first + self.dim], stride: self.dim };
                        let to = PanelsMut::new(by_terms, rows, 1, rows);
                        dense::backward_to_inputs(isa, from_row(weights, row, rows), rows, own, to, 1, false);
                        let mask = kept.map(|kept| &kept.panel(p, number..number + 1)[0]);
                        by_levels(isa, by_terms, mask)
                    }
                };
                match &mut dx {
                    Errors::Unwanted | Errors::InPlace => unreachable!("its input's gradient has a place of its own"),
                    Errors::Write(dx) => dx.lines_mut(p, inputs.clone()).copy_from_slice(d),
                    Errors::Add(dx) => panel::add(isa, d, dx.lines_mut(p, inputs.clone())),
                }
            }
        }
    }

    /// Computes the requested rows of the tables, run by run, each as one chain over all rows of the block.
    fn gradient(&self, mut pass: Gradient<'_>) {
        let Some(dy) = pass.dy else { unreachable!("the gradient by its output is kept") };
        let mut memory = [Line::ZERO; MOST_LEVELS + 1];
        let mut transposed = vec![Line::ZERO; pass.panels * LANES];
        let outputs = pass.first_panel * LANES..self.dim.min((pass.first_panel + pass.panels) * LANES);
        for InputRange { inputs, category, first } in self.places(pass.inputs) {
            let Some((number, row)) = category else { continue };
            // The part of the slot that belongs to this run's table.
            let own = pass.lines.start.max(row)..pass.lines.end.min(row + inputs.len() + 1);
            if own.is_empty() {
                continue;
            }
            for p in 0..pass.samples() {
                let mask = pass.kept.map(|kept| &kept.panel(p, number..number + 1)[0]);
                let terms = self.terms(pass.x.panel(p, inputs.clone()), mask, &mut memory);
                let terms = &terms[own.start - row..own.end - row];
                let to = PanelsMut::new(&mut transposed, LANES, pass.panels, LANES);
                panel::transpose(pass.isa, dy.panel(p, first + outputs.start..first + outputs.end), to);
                let accumulate = !pass.first || p > 0;
                let extent = Extent { panels: pass.panels, rows: terms.len(), depth: LANES, accumulate };
                let (terms, errors) =
                    (Panels { lines: terms, stride: terms.len() }, Panels { lines: &transposed, stride: LANES });
                dense::backward_to_weights(
                    pass.isa,
                    terms,
                    errors,
                    pass.dw.rows_from(own.start - pass.lines.start),
                    extent,
                );
            }
        }
    }
}

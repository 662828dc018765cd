//! Embeddings of categories, looked up by the number of the level.

use std::sync::Arc;

use toml::{Table, Value};

use super::fields::{Fields, MOST_WIDTH};
use super::graph::{self, Given, Learnt, Node, Nodes, Of};
use super::levels::{self, Category, InputRange};
use super::row::{Row, RowErrors};
use super::{Backward, Errors, Forward, Gradient, Kind, Needs, TensorForm, Width};
use crate::Result;
use crate::kernel::{Isa, LANES, Line, PanelsMut};
use crate::nn::dense::Weights;
use crate::nn::{Activation, panel};

/// For each column, `y = E_i`, where the input holds the level number `i`. There is a learnt vector of `dim` numbers for
/// each level from 1 on; `E_0` is used for any other number, that is for an unknown level. Other inputs are passed on. All
/// vectors are initially standard normal.
///
/// In training, a random share `mask` of the rows reads `E_0` instead, separately for each column, which trains `E_0` as the
/// vector of unknown levels.
#[derive(Debug, Clone, PartialEq)]
pub struct Lookup {
    /// Input and number of levels of each column, in ascending order of the inputs.
    pub columns: Arc<[(usize, usize)]>,
    /// Number of features for each column.
    pub dim: usize,
    /// Share of the rows whose level is hidden in training, at least 0 and below 1.
    pub mask: f64,
}

/// Upper limit of the levels of a column. Integers up to 2²⁴ are exact in single precision, so level numbers are too.
const MOST_LEVELS: usize = 1 << 20;

/// The level for a number: its integer part, or 0 if there is no such level.
fn level_of(x: f64, levels: usize) -> usize {
    let level = x as usize; // 0 for negative numbers and NaN
    if level <= levels { level } else { 0 }
}

impl Lookup {
    fn places(&self, inputs: usize) -> impl Iterator<Item = InputRange> + '_ {
        let categories =
            self.columns.iter().map(|(first, levels)| Category { first: *first, inputs: 1, levels: *levels });
        levels::places(categories, inputs, self.dim)
    }

    /// Number of vectors in all tables together.
    fn rows(&self) -> usize {
        self.columns.iter().map(|(_, levels)| levels + 1).sum()
    }

    /// The level of each sample of a column; 0 where the mask is 0.
    fn levels(&self, column: usize, x: &Line, mask: Option<&Line>) -> [usize; LANES] {
        let levels = self.columns[column].1;
        std::array::from_fn(|lane| match mask {
            Some(mask) if mask.0[lane] == 0.0 => 0,
            _ => level_of(f64::from(x.0[lane]), levels),
        })
    }
}

/// Writes one row of a table for each sample, transposed to lines of features.
fn look_up(isa: Isa, table: Weights<'_>, rows: [usize; LANES], y: &mut [Line]) {
    let mut features = [Line::ZERO; LANES];
    for (panel, y) in y.chunks_mut(LANES).enumerate() {
        let vectors = rows.map(|row| table.panels.panel(panel, row..row + 1)[0]);
        panel::transpose(isa, &vectors, PanelsMut::new(&mut features, LANES, 1, LANES));
        y.copy_from_slice(&features[..y.len()]);
    }
}

impl Kind for Lookup {
    fn read(fields: &mut Fields<'_>) -> Result<Self> {
        let expected = "columns [input, levels], rising, of 1 to 1048576 levels each";
        let found = fields.take("columns", "a list of columns")?;
        let whole = |n: &Value| n.as_integer().and_then(|n| usize::try_from(n).ok());
        let column = |item: &Value| match item.as_array()?.as_slice() {
            [input, levels] => {
                let levels = whole(levels).filter(|levels| (1..=MOST_LEVELS).contains(levels))?;
                Some((whole(input).filter(|input| *input < MOST_WIDTH)?, levels))
            }
            _ => None,
        };
        let columns = found.as_array().and_then(|items| items.iter().map(column).collect::<Option<Vec<_>>>());
        let rising = |columns: &Vec<(usize, usize)>| columns.is_sorted_by(|a, b| a.0 < b.0);
        let Some(columns) = columns.filter(|columns| !columns.is_empty() && rising(columns)) else {
            return fields.mistaken("columns", expected, &found);
        };
        let share = |mask: f64| (0.0..1.0).contains(&mask);
        let mask = fields.optional_number("mask", "a share of at least 0 and below 1", share)?.unwrap_or(0.0);
        Ok(Lookup { columns: columns.into(), dim: fields.width("dim")?, mask })
    }

    fn write(&self, fields: &mut Table) {
        let number = |n: usize| Value::Integer(n as i64);
        let columns = self.columns.iter().map(|(input, levels)| Value::Array(vec![number(*input), number(*levels)]));
        fields.insert("columns".into(), Value::Array(columns.collect()));
        fields.insert("dim".into(), number(self.dim));
        fields.insert("mask".into(), self.mask.into());
    }

    fn without_chance(&mut self) {
        self.mask = 0.0;
    }

    fn outputs(&self, inputs: usize) -> usize {
        let columns = self.columns.len();
        inputs.saturating_sub(columns).saturating_add(columns.saturating_mul(self.dim))
    }

    fn misfit(&self, inputs: usize) -> Option<String> {
        let last = self.columns.last()?.0;
        (last >= inputs).then(|| format!("columns: expected inputs below {inputs}, found {last}"))
    }

    fn tensors(&self, _inputs: Width, next: Activation) -> Vec<TensorForm> {
        vec![levels::table(self.rows(), self.dim, next)]
    }

    fn looks_up(&self) -> bool {
        true
    }

    fn drawn_before(&self) -> Option<Activation> {
        Some(Activation::Identity)
    }

    fn define(&self, row: &Row<'_>) -> Vec<f64> {
        let (rows, mut y) = (self.rows(), Vec::new());
        for InputRange { inputs, category, .. } in self.places(row.x.len()) {
            match category {
                None => y.extend(&row.x[inputs]),
                Some((column, first)) => {
                    let at = first + level_of(row.x[inputs.start], self.columns[column].1);
                    y.extend((0..self.dim).map(|j| row.tensors[0][j * rows + at]));
                }
            }
        }
        y
    }

    /// The gradient with respect to a level number is 0, because `y` is piecewise constant in it.
    fn define_backward(&self, row: &Row<'_>, dy: &[f64]) -> RowErrors {
        let (rows, mut dx) = (self.rows(), vec![0.0; row.x.len()]);
        let mut by_table = vec![0.0; row.tensors[0].len()];
        for InputRange { inputs, category, first } in self.places(row.x.len()) {
            match category {
                None => dx[inputs.clone()].copy_from_slice(&dy[first..first + inputs.len()]),
                Some((column, start)) => {
                    let at = start + level_of(row.x[inputs.start], self.columns[column].1);
                    (0..self.dim).for_each(|j| by_table[j * rows + at] = dy[first + j]);
                }
            }
        }
        RowErrors { dx, tensors: vec![by_table], ..RowErrors::default() }
    }

    fn nodes(&self, given: Given, nodes: &mut Nodes) -> graph::GraphValue {
        let table = given.matrix(0, Of::Whole, (self.dim, self.rows()));
        let parts = self.places(given.inputs.features).map(|InputRange { inputs, category, .. }| {
            let x = nodes.add(Node::Select(given.x, inputs.collect()));
            let Some((column, first)) = category else { return x };
            let own = Learnt { within: first..first + self.columns[column].1 + 1, ..table.clone() };
            nodes.add(Node::Lookup(x, own))
        });
        let parts = parts.collect();
        nodes.add(Node::Join(parts))
    }

    fn needs(&self, _inputs: usize, training: bool) -> Needs {
        let masks = training && self.mask > 0.0;
        let kept = if masks { self.columns.len() } else { 0 };
        Needs { random: masks, kept, ..Needs::default() }
    }

    fn forward(&self, mut pass: Forward<'_>) {
        let (Some(x), [Some(table), _]) = (pass.x, pass.tensors) else { unreachable!("it has a table and keeps x") };
        for p in 0..pass.samples {
            let masks = pass
                .kept
                .as_mut()
                .zip(pass.random)
                .map(|(kept, at)| levels::fill_masks(kept, at, (p, pass.members), (self.mask, self.columns.len())));
            for InputRange { inputs, category, first } in self.places(pass.inputs) {
                let x = x.panel(p, inputs);
                match category {
                    None => pass.y.lines_mut(p, first..first + x.len()).copy_from_slice(x),
                    Some((column, row)) => {
                        let levels = self.levels(column, &x[0], masks.map(|masks| &masks[column]));
                        let y = pass.y.lines_mut(p, first..first + self.dim);
                        look_up(pass.isa, table, levels.map(|level| row + level), y);
                    }
                }
            }
        }
    }

    fn backward(&self, pass: Backward<'_>) {
        let Backward { isa, samples, inputs, outputs, dy, mut dx, .. } = pass;
        if matches!(dx, Errors::Unwanted) {
            return;
        }
        let dy = dy.read();
        for p in 0..samples {
            let dy = dy.panel(p, 0..outputs);
            for InputRange { inputs, category, first } in self.places(inputs) {
                let d = category.is_none().then(|| &dy[first..first + inputs.len()]);
                match (&mut dx, d) {
                    (Errors::Unwanted | Errors::InPlace, _) => {
                        unreachable!("its input's gradient has a place of its own")
                    }
                    (Errors::Write(dx), Some(d)) => dx.lines_mut(p, inputs).copy_from_slice(d),
                    (Errors::Write(dx), None) => dx.lines_mut(p, inputs).fill(Line::ZERO),
                    (Errors::Add(dx), Some(d)) => panel::add(isa, d, dx.lines_mut(p, inputs)),
                    (Errors::Add(_), None) => {}
                }
            }
        }
    }

    /// Computes the requested rows of the tables. Each is the sum of the gradients of the samples that read it, added in the
    /// order of the rows.
    fn gradient(&self, mut pass: Gradient<'_>) {
        let Some(dy) = pass.dy else { unreachable!("the gradient by its output is kept") };
        if pass.first {
            let lines = 0..pass.lines.len();
            (0..pass.panels).for_each(|panel| pass.dw.lines_mut(panel, lines.clone()).fill(Line::ZERO));
        }
        let mut vectors = [Line::ZERO; LANES];
        for InputRange { inputs, category, first } in self.places(pass.inputs) {
            let Some((column, row)) = category else { continue };
            // The part of the slot that belongs to this column's table.
            let own = pass.lines.start.max(row)..pass.lines.end.min(row + self.columns[column].1 + 1);
            if own.is_empty() {
                continue;
            }
            for p in 0..pass.samples() {
                let mask = pass.kept.map(|kept| &kept.panel(p, column..column + 1)[0]);
                let rows = self.levels(column, &pass.x.panel(p, inputs.clone())[0], mask).map(|level| row + level);
                if !rows.iter().any(|row| own.contains(row)) {
                    continue;
                }
                for panel in 0..pass.panels {
                    let from = (pass.first_panel + panel) * LANES;
                    let outputs = first + from..first + self.dim.min(from + LANES);
                    panel::transpose(pass.isa, dy.panel(p, outputs), PanelsMut::new(&mut vectors, LANES, 1, LANES));
                    for (row, vector) in rows.iter().zip(&vectors).filter(|(row, _)| own.contains(row)) {
                        let at = row - pass.lines.start;
                        let sum = &mut pass.dw.lines_mut(panel, at..at + 1)[0];
                        sum.0.iter_mut().zip(&vector.0).for_each(|(sum, d)| *sum += d);
                    }
                }
            }
        }
    }
}

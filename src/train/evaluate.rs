//! Forward passes over whole data sets: losses and outputs, which are the same for any number of threads.

use std::sync::Mutex;

use super::forward::{SharedNet, forward};
use super::gather::{gather_inputs, gather_targets};
use super::loss::panel_loss;
use super::shared::Shared;
use super::team::{Member, Team};
use super::workspace::{SharedBuffer, Workspace};
use crate::data::{Dataset, Features, Targets};
use crate::kernel::{Isa, LANES, Line, panels};
use crate::layer::Program;
use crate::model::{Architecture, Layout};
use crate::nn::members::combine;
use crate::nn::{Link, Objective};
use crate::score::{Evaluation, Readout};

/// Rows of one block, over all members of the network; the team shares out blocks.
const EVALUATED_ROWS: usize = 256;

/// Rows of one block of a network with this many members.
pub(crate) fn block_rows(members: usize) -> usize {
    (EVALUATED_ROWS / members).next_multiple_of(LANES).max(LANES)
}

/// Runs forward passes. It works on a team of its own or a borrowed one, and keeps its memory between calls.
pub struct Evaluator {
    isa: Isa,
    program: Program,
    layout: Layout,
    workspaces: Vec<Mutex<Workspace>>,
    readout: Readout,
}

impl Evaluator {
    /// An evaluator for a network and a team of `threads` members.
    pub fn new(architecture: &Architecture, isa: Isa, threads: usize) -> Evaluator {
        let network = architecture.network();
        let program = network.program(false);
        let rows = block_rows(program.members());
        let workspaces = (0..threads).map(|_| Mutex::new(Workspace::new(&program, rows))).collect();
        Evaluator { isa, program, layout: Layout::of(&network), workspaces, readout: Readout::plain() }
    }

    /// From now on applies `readout` to all outputs, including those that the loss is computed from.
    pub fn read_out(&mut self, readout: Readout) {
        self.readout = readout;
    }

    /// The outputs for every row, row-major. Outputs of several members are combined so that the prediction from them by `link`
    /// is the mean of the members' predictions.
    ///
    /// # Panics
    /// If the team is larger than the evaluator was made for, or shapes disagree.
    pub fn outputs(&self, team: &Team, parameters: &mut [Line], features: &Features, link: Link) -> Vec<f32> {
        self.pass(team, parameters, (features, link), None).outputs
    }

    /// Outputs and mean loss.
    ///
    /// # Panics
    /// As [`Evaluator::outputs`].
    pub fn evaluate(&self, team: &Team, parameters: &mut [Line], objective: &Objective, data: &Dataset) -> Evaluation {
        let link = data.targets.link(objective.loss(), self.program.outputs());
        self.pass(team, parameters, (&data.features, link), Some((objective, data)))
    }

    /// The mean loss for outputs computed before, row-major: those of [`Evaluator::outputs`], or the mean of several networks.
    ///
    /// # Panics
    /// If their number does not match the rows of `data`.
    pub fn evaluate_outputs(&self, objective: &Objective, data: &Dataset, mut outputs: Vec<f32>) -> Evaluation {
        let (rows, width) = (data.rows(), self.program.outputs());
        assert_eq!(outputs.len(), rows * width, "outputs of {rows} rows");
        let (mut loss, mut weight) = (0.0, 0.0);
        for (p, kept) in outputs.chunks_mut(LANES * width).enumerate() {
            let numbers: Vec<u32> = (p * LANES..(p * LANES + kept.len() / width)).map(|row| row as u32).collect();
            let mut z = vec![Line::ZERO; width];
            for (lane, row) in kept.chunks_exact(width).enumerate() {
                z.iter_mut().zip(row).for_each(|(line, output)| line.0[lane] = *output);
            }
            let z = if self.readout.is_plain() { z } else { self.readout.of(&z) };
            for (lane, row) in kept.chunks_exact_mut(width).enumerate() {
                row.iter_mut().zip(&z).for_each(|(to, line)| *to = line.0[lane]);
            }
            loss += loss_of_panel(self.isa, objective, data, (&numbers, &z));
            weight += numbers.iter().map(|row| data.weight(*row)).sum::<f64>();
        }
        Evaluation { loss: loss / weight, outputs }
    }

    fn pass(
        &self,
        team: &Team,
        parameters: &mut [Line],
        (features, link): (&Features, Link),
        data: Option<(&Objective, &Dataset)>,
    ) -> Evaluation {
        let weight = data.map_or(1.0, |(_, d)| (0..features.rows() as u32).map(|row| d.weight(row)).sum());
        let Features::Blocks(blocks) = features else {
            let (losses, outputs) = self.rows(team, parameters, (features, link), data);
            return Evaluation { loss: losses.iter().sum::<f64>() / weight, outputs };
        };
        let (mut losses, mut outputs) = (Vec::new(), Vec::with_capacity(features.rows() * self.program.outputs()));
        let rows: Vec<u32> = (0..features.rows() as u32).collect();
        // Whole blocks, so that losses are added in the same order as if all rows were in memory.
        for rows in rows.chunks(blocks.window().next_multiple_of(block_rows(self.program.members()))) {
            let part = data.map(|(objective, data)| (objective, data.subset(rows)));
            let of_features = part.is_none().then(|| features.subset(rows));
            let objective = part.as_ref().map(|(objective, data)| (*objective, data));
            let features = of_features.as_ref().or(objective.map(|(_, data)| &data.features)).expect("one of the two");
            let (of_part, said) = self.rows(team, parameters, (features, link), objective);
            losses.extend(of_part);
            outputs.extend(said);
        }
        Evaluation { loss: losses.iter().sum::<f64>() / weight, outputs }
    }

    /// The losses of the blocks, and the outputs of the rows, for rows in memory.
    fn rows(
        &self,
        team: &Team,
        parameters: &mut [Line],
        (features, link): (&Features, Link),
        data: Option<(&Objective, &Dataset)>,
    ) -> (Vec<f64>, Vec<f32>) {
        let rows = features.rows();
        let block_rows = block_rows(self.program.members());
        let blocks = rows.div_ceil(block_rows);
        let mut losses = vec![0.0; blocks];
        let parameters = Shared::new(parameters);
        let net = SharedNet { isa: self.isa, program: &self.program, layout: &self.layout, parameters: &parameters };
        let mut outputs = vec![0.0; rows * net.outputs()];
        let lent = (Shared::new(&mut outputs), Shared::new(&mut losses));
        let readout = &self.readout;
        let pass = EvaluationPass { net, features, link, data, readout, block_rows, outputs: lent.0, losses: lent.1 };
        team.run(|member| {
            let mut workspace = self.workspaces[member.index].lock().unwrap_or_else(|e| e.into_inner());
            for block in member.share(blocks) {
                pass.block(member, &mut workspace, block);
            }
        });
        (losses, outputs)
    }
}

struct EvaluationPass<'a> {
    net: SharedNet<'a>,
    features: &'a Features,
    link: Link,
    block_rows: usize,
    data: Option<(&'a Objective, &'a Dataset)>,
    readout: &'a Readout,
    outputs: Shared<'a, f32>,
    losses: Shared<'a, f64>,
}

impl EvaluationPass<'_> {
    fn block(&self, member: Member<'_>, workspace: &mut Workspace, block: usize) {
        let workspace = workspace.lend();
        let first = block * self.block_rows;
        let rows: Vec<u32> =
            (first..(first + self.block_rows).min(self.features.rows())).map(|row| row as u32).collect();
        let (isa, width) = (self.net.isa, self.net.outputs());
        for (p, rows) in rows.chunks(LANES).enumerate() {
            let panel = workspace.values[0].lines_mut(member, p, 0..self.net.inputs());
            gather_inputs(isa, self.features, rows, panel);
        }
        forward(member, self.net, &workspace, (0..panels(rows.len()), 0), None);
        let last = &workspace.values[self.net.program.output];
        let kept = self.outputs.write(member, first * width..(first + rows.len()) * width);
        let (mut loss, mut combined) = (0.0, vec![Line::ZERO; width + self.net.program.members()]);
        for (p, (rows, kept)) in rows.chunks(LANES).zip(kept.chunks_mut(LANES * width)).enumerate() {
            let z = self.said(member, last, p, &mut combined);
            let changed: Vec<Line>;
            let z = if self.readout.is_plain() {
                z
            } else {
                changed = self.readout.of(z);
                &changed
            };
            for (lane, row) in kept.chunks_exact_mut(width).enumerate() {
                row.iter_mut().zip(z).for_each(|(to, line)| *to = line.0[lane]);
            }
            loss += self.panel_loss(rows, z);
        }
        self.losses.write(member, block..block + 1)[0] = loss;
    }

    /// The combined outputs of all members for one panel of rows. `memory` has a line for each output, and one for each member.
    fn said<'m>(&self, member: Member<'_>, last: &'m SharedBuffer<'_>, p: usize, memory: &'m mut [Line]) -> &'m [Line] {
        let width = self.net.outputs();
        if self.net.program.members() == 1 {
            return last.lines(member, p, 0..width);
        }
        let (out, scratch) = memory.split_at_mut(width);
        combine(self.net.isa, self.link, last.panels(member, p..p + 1), scratch, out);
        out
    }

    /// Sum of the losses of one panel, times the rows' weights; 0 if there are no targets.
    fn panel_loss(&self, rows: &[u32], z: &[Line]) -> f64 {
        let Some((objective, data)) = self.data else { return 0.0 };
        loss_of_panel(self.net.isa, objective, data, (rows, z))
    }
}

/// Sum of the losses of up to 16 rows with outputs `z`, times the rows' weights.
fn loss_of_panel(isa: Isa, objective: &Objective, data: &Dataset, (rows, z): (&[u32], &[Line])) -> f64 {
    let (mut label, mut scale) = (Line::ZERO, Line::ZERO);
    let mut values = vec![Line::ZERO; if matches!(data.targets, Targets::Classes { .. }) { 0 } else { z.len() }];
    gather_targets(&data.targets, rows, &mut label, &mut values);
    for (lane, row) in rows.iter().enumerate() {
        scale.0[lane] = data.weight(*row) as f32;
    }
    let mut gradient = vec![Line::ZERO; z.len()];
    panel_loss(isa, objective, z, data.targets.lanes(&label, &values), &scale, &mut gradient)
}

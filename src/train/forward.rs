//! Forward pass through a program of layers, for a run of sample panels.

use std::ops::Range;

use super::shared::Shared;
use super::team::Member;
use super::workspace::SharedWorkspace;
use crate::kernel::{Isa, LANES, Line, Panels, panels};
use crate::layer::{Forward, Op, Program, RandomAt};
use crate::model::{Layout, Tensor};
use crate::nn::dense::Weights;

/// A network whose parameters are read by all members of a team.
#[derive(Clone, Copy)]
pub(super) struct SharedNet<'a> {
    /// The instruction set of the kernels.
    pub(super) isa: Isa,
    /// The layers, in the order of execution.
    pub(super) program: &'a Program,
    /// Where each tensor is in the parameters.
    pub(super) layout: &'a Layout,
    /// The parameters.
    pub(super) parameters: &'a Shared<'a, Line>,
}

impl SharedNet<'_> {
    /// Inputs of the network.
    pub(super) fn inputs(&self) -> usize {
        self.program.inputs()
    }

    /// Outputs of the network.
    pub(super) fn outputs(&self) -> usize {
        self.program.outputs()
    }

    fn tensor(&self, member: Member<'_>, tensor: &Tensor) -> Weights<'_> {
        let lines = self.parameters.read(member, tensor.all_lines());
        let panels = Panels { lines, stride: tensor.stride };
        let Tensor { rows: depth, fan_out, each, .. } = *tensor;
        Weights { panels, depth, fan_out, stack: tensor.count(), each }
    }

    /// The tensors of a layer.
    pub(super) fn tensors(&self, member: Member<'_>, op: &Op) -> [Option<Weights<'_>>; 2] {
        match &self.layout.tensors[op.tensors.clone()] {
            [] => [None, None],
            [one] => [Some(self.tensor(member, one)), None],
            [one, other, ..] => [Some(self.tensor(member, one)), Some(self.tensor(member, other))],
        }
    }
}

/// Splitting the first layer pays for its two extra barriers only from this many lines of weights.
const SPLIT_LINES: usize = 512;

/// Whether a team of `members` shares out the first layer of a block of `rows` rows by outputs instead of by rows. Each member
/// then reads mostly weights that it updated itself, and a batch with few rows keeps many members busy. The inputs that it
/// fetches from other members are needed for the gradient of the weights anyway. It pays if more lines of weights are read than
/// lines of rows. No bit depends on it.
pub(crate) fn splits_first_layer(layout: &Layout, members: usize, rows: usize) -> bool {
    let first = &layout.tensors[0];
    members > 1 && first.fan_out > rows && first.panels * first.rows >= SPLIT_LINES
}

/// Computes some panels of outputs of the leading layers that can be shared out by outputs, for all `samples` panels of a
/// block.
pub(super) fn lead(
    member: Member<'_>,
    net: SharedNet<'_>,
    workspace: &SharedWorkspace<'_>,
    (samples, outputs): (usize, Range<usize>),
) {
    for n in 0..net.program.lead {
        through(member, net, workspace, n, (0..samples, outputs.clone()), None);
    }
}

/// Runs the panels `run` of a block through the network, starting at the layer `first`. `random` addresses the random numbers
/// of the block's first row.
pub(super) fn forward(
    member: Member<'_>,
    net: SharedNet<'_>,
    workspace: &SharedWorkspace<'_>,
    (run, first): (Range<usize>, usize),
    random: Option<RandomAt>,
) {
    for n in first..net.program.ops.len() {
        let outputs = 0..panels(net.program.ops[n].outputs);
        through(member, net, workspace, n, (run.clone(), outputs), random);
    }
}

/// Runs one layer for some panels of samples and some panels of outputs.
pub(super) fn through(
    member: Member<'_>,
    net: SharedNet<'_>,
    workspace: &SharedWorkspace<'_>,
    n: usize,
    (run, outputs): (Range<usize>, Range<usize>),
    random: Option<RandomAt>,
) {
    let op = &net.program.ops[n];
    let lines = outputs.start * LANES..op.outputs.min(outputs.end * LANES);
    if lines.is_empty() {
        return;
    }
    op.layer.kind().forward(Forward {
        isa: net.isa,
        samples: run.len() * op.members,
        members: op.members,
        inputs: op.inputs,
        x: (op.x != op.y).then(|| workspace.values[op.x].panels(member, run.clone())),
        side: op.side.map(|side| workspace.values[side].panels(member, run.clone())),
        width: lines.len(),
        y: workspace.values[op.y].rows_mut(member, run.clone(), op.line + lines.start..op.line + lines.end),
        outputs,
        kept: workspace.memory[n].kept.as_ref().map(|kept| kept.panels_mut(member, run.clone())),
        tensors: net.tensors(member, op),
        random: random.map(|at| RandomAt { position: at.position + run.start * LANES, layer: op.random, ..at }),
    });
}

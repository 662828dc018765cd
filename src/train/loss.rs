//! The loss of one panel of 16 rows, and the part of a step that computes it for the panels of a batch.

use std::ops::Range;

use super::batch::{Batch, Block};
use super::clock::{Clock, Phase};
use super::gather::gather_targets;
use super::worker::Worker;
use crate::data::Targets;
use crate::kernel::{Isa, Job, LANES, Lanes, Line};
use crate::nn::members::combine;
use crate::nn::panel::{LineColumn, LineColumnMut};
use crate::nn::{Link, Loss, Objective, RowTarget};

/// Targets of one panel.
#[derive(Clone, Copy)]
pub(super) enum PanelTargets<'a> {
    /// A class in each lane.
    Classes(&'a Line),
    /// A line for each output.
    Values(&'a [Line]),
}

impl Targets {
    /// The link from a row's outputs to predictions for these targets.
    pub(super) fn link(&self, loss: Loss, outputs: usize) -> Link {
        loss.link(outputs > 1 && matches!(self, Targets::Classes { .. }))
    }

    /// The targets of one panel, from the gathered lines.
    pub(super) fn lanes<'a>(&self, label: &'a Line, values: &'a [Line]) -> PanelTargets<'a> {
        match self {
            Targets::Classes { .. } => PanelTargets::Classes(label),
            Targets::Values { .. } => PanelTargets::Values(values),
        }
    }
}

/// The sum of the rows' losses, each times its lane of `scale`, added in lane order in `f64`. Writes the gradient by the
/// outputs `z`, scaled in the same way, to `d`. Lanes with scale 0 have gradient 0, whatever they hold.
pub(super) fn panel_loss(
    isa: Isa,
    objective: &Objective,
    z: &[Line],
    targets: PanelTargets<'_>,
    scale: &Line,
    d: &mut [Line],
) -> f64 {
    isa.run(PanelLoss { objective, z, targets, scale, d })
}

struct PanelLoss<'a> {
    objective: &'a Objective,
    z: &'a [Line],
    targets: PanelTargets<'a>,
    scale: &'a Line,
    d: &'a mut [Line],
}

impl Job for PanelLoss<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<L: Lanes>(self) -> f64 {
        let (z, mut d) = (LineColumn(self.z), LineColumnMut(self.d));
        let target: RowTarget<'_, L, LineColumn<'_>>;
        let values;
        match self.targets {
            PanelTargets::Classes(label) => target = RowTarget::Class(L::load(label)),
            PanelTargets::Values(lines) => {
                values = LineColumn(lines);
                target = RowTarget::Values(&values);
            }
        }
        let losses: L = self.objective.row(&z, &target, &mut d);
        let scale = L::load(self.scale);
        let zero = L::broadcast(0.0);
        let used = zero.lt(scale);
        for line in d.0.iter_mut() {
            L::select(used, L::load(line) * scale, zero).store(line);
        }
        let losses = losses.to_array();
        let weighted = losses.iter().zip(&self.scale.0).filter(|(_, scale)| **scale > 0.0);
        weighted.map(|(loss, scale)| f64::from(*loss) * f64::from(*scale)).sum()
    }
}

impl<C: Clock> Worker<'_, '_, C> {
    /// The loss of each panel and the gradient with respect to the network's outputs. The outputs are kept.
    pub(super) fn loss(&mut self, batch: &Batch<'_>, block: &Block<'_>, share: Range<usize>) {
        let shared = self.shared;
        for p in share {
            let mut loss = 0.0;
            let (mut targets, mut scale) = (Line::ZERO, Line::ZERO); // lanes without a row stay 0
            for m in 0..shared.net.program.members() {
                if m < batch.rows.owners() {
                    (targets, scale) = self.targets_of(batch, block, (p, m));
                }
                loss += self.loss_of_member((p, m), &targets, &scale);
            }
            shared.losses.write(self.member, block.start / LANES + p..block.start / LANES + p + 1)[0] = loss;
            self.keep_outputs(batch, block, p);
        }
        self.clock.mark(Phase::Loss);
    }

    /// Gathers the targets of a member's rows in panel `p`: labels, and the factors of the rows' losses. Values go to `self.targets`.
    fn targets_of(&mut self, batch: &Batch<'_>, block: &Block<'_>, (p, m): (usize, usize)) -> (Line, Line) {
        let (shared, rows) = (self.shared, block.panel(p, m));
        let (mut label, mut scale) = (Line::ZERO, Line::ZERO);
        gather_targets(&shared.data.targets, rows, &mut label, &mut self.targets);
        let position = block.start + p * LANES;
        let mean = batch.mean.of_member(shared.data, batch.rows, m);
        mean.fill(&mut scale.0[..rows.len()], (rows, position), shared.data, shared.net.program.members());
        (label, scale)
    }

    /// The loss of a member of the network on panel `p`; writes the gradient with respect to its outputs.
    fn loss_of_member(&self, (p, m): (usize, usize), label: &Line, scale: &Line) -> f64 {
        let (shared, program, width) = (self.shared, self.shared.net.program, self.shared.net.outputs());
        let panel = p * program.members() + m;
        let z = shared.workspace.values[program.output].lines(self.member, panel, 0..width);
        let d = shared.workspace.errors[program.d_output].lines_mut(self.member, panel, 0..width);
        let targets = shared.data.targets.lanes(label, &self.targets);
        panel_loss(shared.net.isa, &shared.settings.objective, z, targets, scale, d)
    }

    /// Keeps the outputs for panel `p`: those of all members combined, or of each member for its own rows.
    fn keep_outputs(&mut self, batch: &Batch<'_>, block: &Block<'_>, p: usize) {
        let (shared, width) = (self.shared, self.shared.net.outputs());
        let (members, owners) = (shared.net.program.members(), batch.rows.owners());
        let outputs = &shared.workspace.values[shared.net.program.output];
        let (first, rows) = (batch.position + block.start + p * LANES, block.panel(p, 0).len());
        let kept = shared.outputs.write(self.member, first * owners * width..(first + rows) * owners * width);
        for m in 0..owners {
            let said = if members == owners {
                outputs.lines(self.member, p * members + m, 0..width)
            } else {
                let (said, scratch) = self.said.split_at_mut(width);
                let link = shared.data.targets.link(shared.settings.objective.loss(), width);
                combine(shared.net.isa, link, outputs.panels(self.member, p..p + 1), scratch, said);
                said
            };
            for (lane, row) in kept.chunks_exact_mut(width).skip(m).step_by(owners).enumerate() {
                row.iter_mut().zip(said).for_each(|(to, line)| *to = line.0[lane]);
            }
        }
    }
}

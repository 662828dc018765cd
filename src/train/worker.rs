//! What the members of a team share while they train, and what each of them has for itself.

use std::ops::Range;

use super::clock::{Clock, Phase};
use super::forward::SharedNet;
use super::pieces::Work;
use super::preparation::SharedPreparation;
use super::settings::StepSettings;
use super::shared::Shared;
use super::sums::{Clipping, SlotSums};
use super::team::Member;
use super::workspace::SharedWorkspace;
use crate::data::Dataset;
use crate::kernel::Line;
use crate::model::{Layout, Slot};
use crate::optim::Carried;

/// All that the members of a team share while they train.
pub(super) struct SharedTraining<'a> {
    pub(super) net: SharedNet<'a>,
    pub(super) settings: &'a StepSettings,
    pub(super) data: &'a Dataset,
    pub(super) workspace: SharedWorkspace<'a>,
    pub(super) gradients: Shared<'a, Line>,
    pub(super) state: Vec<Shared<'a, Line>>,
    pub(super) average: Option<Shared<'a, Line>>,
    /// Memory of optimizers that look at whole tensors.
    pub(super) preparation: Option<SharedPreparation<'a>>,
    /// Loss of each panel of the batch, weights applied.
    pub(super) losses: Shared<'a, f64>,
    pub(super) sums: Shared<'a, SlotSums>,
    /// The network's outputs at each position of the epoch, row-major.
    pub(super) outputs: Shared<'a, f32>,
    /// Which pieces of the step's work are taken.
    pub(super) work: Work,
    /// The slots that each member owns, in the order of the parameters.
    pub(super) shares: &'a [Range<usize>],
    /// The same slots, those of each member in the order in which their gradients are computed; see [`visits`].
    pub(super) visits: &'a [usize],
}

/// All slots, those of each member reordered so that slots of the same rows of a tensor follow each other. The activations that
/// these rows are multiplied with then stay in the cache. Bits do not depend on the order.
pub(super) fn visits(layout: &Layout, shares: &[Range<usize>]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..layout.slots.len()).collect();
    for share in shares {
        order[share.clone()].sort_by_key(|n| {
            let slot = &layout.slots[*n];
            (slot.tensor, slot.rows.start, slot.panels.start)
        });
    }
    order
}

/// The state of one member of the team.
pub(super) struct Worker<'r, 'a, C> {
    pub(super) member: Member<'r>,
    pub(super) shared: &'r SharedTraining<'a>,
    /// Targets of the current panel, a line for each output.
    pub(super) targets: Vec<Line>,
    /// The combined outputs of all members of the network for the current panel: a line for each output, and one for each
    /// member.
    pub(super) said: Vec<Line>,
    /// Clip factors of the current step.
    pub(super) clipping: Clipping,
    /// What the rule carries from step to step, the same in every worker.
    pub(super) carried: Carried,
    /// Called when a phase of the step ends.
    pub(super) clock: C,
}

impl<'r, 'a, C: Clock> Worker<'r, 'a, C> {
    /// The worker of one member.
    pub(super) fn new(member: Member<'r>, shared: &'r SharedTraining<'a>, carried: Carried) -> Self {
        let targets = vec![Line::ZERO; shared.net.outputs()];
        let said = vec![Line::ZERO; shared.net.outputs() + shared.net.program.members()];
        Worker { member, shared, targets, said, clipping: Clipping::new(shared.net.layout), carried, clock: C::start() }
    }

    /// Waits for the other members.
    pub(super) fn barrier(&self) {
        self.member.barrier();
        self.clock.mark(Phase::Barrier);
    }

    /// This worker's slots and their numbers.
    pub(super) fn slots(&self) -> impl Iterator<Item = (usize, &Slot)> {
        let range = self.shared.shares[self.member.index].clone();
        range.clone().zip(&self.shared.net.layout.slots[range])
    }

    /// This worker's slots, with adjacent ones joined: an update is faster in the order of memory than slot by slot.
    pub(super) fn runs_of_slots(&self) -> impl Iterator<Item = Slot> {
        let own = &self.shared.net.layout.slots[self.shared.shares[self.member.index].clone()];
        let goes_on = |a: &Slot, b: &Slot| (a.tensor, &a.panels, a.rows.end) == (b.tensor, &b.panels, b.rows.start);
        own.chunk_by(goes_on).map(|slots| {
            let (first, last) = (&slots[0], &slots[slots.len() - 1]);
            Slot { tensor: first.tensor, panels: first.panels.clone(), rows: first.rows.start..last.rows.end }
        })
    }

    /// Calls `work` with the lines of a slot and whether they are weights. Biases are included with the weights unless they are
    /// kept `apart` or learn differently.
    pub(super) fn for_each_run(&self, slot: &Slot, apart: bool, mut work: impl FnMut(Range<usize>, bool)) {
        let tensor = &self.shared.net.layout.tensors[slot.tensor];
        let weights = tensor.weight_rows();
        let apart = apart || tensor.learns_apart;
        let split = if apart || weights <= slot.rows.start { weights } else { slot.rows.end };
        let split = split.clamp(slot.rows.start, slot.rows.end);
        for panel in slot.panels.clone() {
            for (rows, of_weights) in [(slot.rows.start..split, true), (split..slot.rows.end, false)] {
                if !rows.is_empty() {
                    work(tensor.lines(panel, rows), of_weights);
                }
            }
        }
    }
}

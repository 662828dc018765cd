//! One synchronised step of mini-batch training, as every member of the team runs it.
//!
//! Rows are shared out in whole panels of 16. Parameters are shared out in slots, which depend on the network alone. One member
//! computes the gradient of a slot over the whole batch in one chain, so bits do not depend on the number of members of the
//! team.

use std::ops::Range;

use super::backward;
use super::clock::{Clock, Phase};
use super::forward::{SharedNet, forward, lead, splits_first_layer};
use super::gather::{gather_inputs, gather_targets};
use super::loss::panel_loss;
use super::mean::Mean;
use super::pieces::{Cut, Work};
use super::preparation::SharedPreparation;
use super::rows::StepRows;
use super::settings::{StepFactors, StepSettings};
use super::shared::Shared;
use super::sums::{Clipping, SlotSums, StepStats};
use super::team::Member;
use super::workspace::SharedWorkspace;
use crate::data::Dataset;
use crate::kernel::{LANES, Line, panels};
use crate::layer::{Group, RandomAt};
use crate::model::{Layout, Slot};
use crate::nn::members::combine;
use crate::optim::per_tensor::AlongDirections;
use crate::optim::span::{Span, UpdateForm, finish_gradient, update};
use crate::optim::{Algorithm, Carried, Rule, VisitRule};

/// The most rows processed at once: larger batches run in blocks that continue the same sums.
pub(crate) const BLOCK_ROWS: usize = 1024;

/// The fewest rows of a block if members of the network share it, so that there are panels for several threads.
const FEWEST_ROWS: usize = 64;

/// Rows processed at once in a network with this many members. Bits do not depend on it.
pub(crate) fn block_rows(members: usize) -> usize {
    if members == 1 { BLOCK_ROWS } else { (BLOCK_ROWS / members).next_multiple_of(LANES).max(FEWEST_ROWS) }
}

/// Rows of one optimizer step.
#[derive(Clone, Copy)]
pub(super) struct Batch<'a> {
    /// The rows of each member of the network.
    pub(super) rows: StepRows<'a>,
    /// Position of the first of them in the epoch.
    pub(super) position: usize,
    /// Epoch, from 0.
    pub(super) epoch: u64,
    /// The weight of each row.
    pub(super) mean: Mean,
    /// Number of the optimizer step, from 1.
    pub(super) t: u64,
    /// Learning rate.
    pub(super) lr: f64,
    /// Factors of dropout and decay.
    pub(super) factors: StepFactors,
    /// The optimizer, with this step's momentum.
    pub(super) algorithm: Algorithm,
}

/// All that the members of a team share while they train.
pub(super) struct SharedRun<'a> {
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
    pub(super) run: &'r SharedRun<'a>,
    /// Targets of the current panel, a line for each output.
    targets: Vec<Line>,
    /// The combined outputs of all members of the network for the current panel: a line for each output, and one for each
    /// member.
    said: Vec<Line>,
    /// Clip factors of the current step.
    pub(super) clipping: Clipping,
    /// What the rule carries from step to step, the same in every worker.
    pub(super) carried: Carried,
    /// Called when a phase of the step ends.
    pub(super) clock: C,
}

impl<'r, 'a, C: Clock> Worker<'r, 'a, C> {
    /// The worker of one member.
    pub(super) fn new(member: Member<'r>, run: &'r SharedRun<'a>, carried: Carried) -> Self {
        let targets = vec![Line::ZERO; run.net.outputs()];
        let said = vec![Line::ZERO; run.net.outputs() + run.net.program.members()];
        Worker { member, run, targets, said, clipping: Clipping::new(run.net.layout), carried, clock: C::start() }
    }
}

/// One synchronised step. Every worker runs it; a barrier separates phases that must not overlap.
pub(super) fn step<C: Clock>(worker: &mut Worker<'_, '_, C>, batch: &Batch<'_>) -> StepStats {
    let stats = gradient(worker, batch);
    if stats.is_finite() {
        worker.update(batch);
    }
    worker.barrier();
    stats
}

/// Loss and gradient of a batch. The parameters are not changed yet.
fn gradient<C: Clock>(worker: &mut Worker<'_, '_, C>, batch: &Batch<'_>) -> StepStats {
    let most = block_rows(worker.run.net.program.members());
    let blocks = batch.rows.len().div_ceil(most);
    for number in 0..blocks {
        let (start, last) = (number * most, number + 1 == blocks);
        let block = Block { of: batch.rows, start, rows: most.min(batch.rows.len() - start), last };
        let done = worker.lead_by_outputs(&block); // of small batches
        worker.share_rows(&block, |worker, run| {
            if done == 0 {
                worker.gather(&block, run.clone());
            }
            worker.forward(batch, &block, (run.clone(), done));
            worker.loss(batch, &block, run.clone()); // a slot for each panel
            worker.backward_to_inputs(run); // dZ of every layer
        });
        worker.barrier();
        worker.backward_to_weights(batch, &block); // dW = dZ·Xᵀ slot by slot, over all rows: the reduction
        worker.barrier();
    }
    worker.add_in_order(batch) // loss and norms, the same in every worker
}

/// Rows that are processed at once, and where they start in the batch.
struct Block<'a> {
    /// The rows of the batch.
    of: StepRows<'a>,
    start: usize,
    /// How many there are.
    rows: usize,
    /// Whether this is the last block of the batch.
    last: bool,
}

impl Block<'_> {
    /// The rows of one panel, for a member of the network.
    fn panel(&self, p: usize, network_member: usize) -> &[u32] {
        let range = self.start + p * LANES..self.start + ((p + 1) * LANES).min(self.rows);
        self.of.of(network_member, range)
    }
}

impl<C: Clock> Worker<'_, '_, C> {
    pub(super) fn barrier(&self) {
        self.member.barrier();
        self.clock.mark(Phase::Barrier);
    }

    fn gather(&self, block: &Block<'_>, share: Range<usize>) {
        let (run, input) = (self.run, &self.run.workspace.values[0]);
        let members = run.net.program.input_members();
        for (p, m) in share.flat_map(|p| (0..members).map(move |m| (p, m))) {
            let panel = input.lines_mut(self.member, p * members + m, 0..run.net.inputs());
            gather_inputs(run.net.isa, &run.data.features, block.panel(p, m), panel);
        }
        self.clock.mark(Phase::Gather);
    }

    /// Computes the first layers, and their inputs, if the members share them out by outputs. Returns the number of layers
    /// done.
    fn lead_by_outputs(&self, block: &Block<'_>) -> usize {
        let (member, run, rows) = (self.member, self.run, block.rows);
        let lead_layers = run.net.program.lead;
        if lead_layers == 0 || !splits_first_layer(run.net.layout, member.count(), rows) {
            return 0;
        }
        self.gather(block, member.share(panels(rows)));
        self.barrier();
        let part = |owner| member.share_of(owner, run.net.layout.tensors[0].panels);
        run.work.outputs.each(member, part, Cut::Halves, |outputs| {
            lead(member, run.net, &run.workspace, (panels(rows), outputs));
        });
        self.clock.mark(Phase::Forward);
        self.barrier();
        lead_layers
    }

    /// Calls `work` for runs of whole panels of 16 rows.
    fn share_rows(&mut self, block: &Block<'_>, mut work: impl FnMut(&mut Self, Range<usize>)) {
        let (member, run) = (self.member, self.run);
        run.work.slots.refill(member); // no member takes slots before the next barrier
        let part = |owner| member.share_of(owner, panels(block.rows));
        run.work.rows.each(member, part, Cut::Halves, |panels| work(self, panels));
    }

    fn forward(&self, batch: &Batch<'_>, block: &Block<'_>, share: (Range<usize>, usize)) {
        let run = self.run;
        let position = batch.position + block.start;
        let random =
            RandomAt { seed: run.settings.seed, epoch: batch.epoch, position, layer: 0, factor: batch.factors.dropout };
        forward(self.member, run.net, &run.workspace, share, Some(random));
        self.clock.mark(Phase::Forward);
    }

    /// The loss of each panel and the gradient with respect to the network's outputs. The outputs are kept.
    fn loss(&mut self, batch: &Batch<'_>, block: &Block<'_>, share: Range<usize>) {
        let run = self.run;
        for p in share {
            let mut loss = 0.0;
            let (mut targets, mut scale) = (Line::ZERO, Line::ZERO); // lanes without a row stay 0
            for m in 0..run.net.program.members() {
                if m < batch.rows.owners() {
                    (targets, scale) = self.targets_of(batch, block, (p, m));
                }
                loss += self.loss_of_member((p, m), &targets, &scale);
            }
            run.losses.write(self.member, block.start / LANES + p..block.start / LANES + p + 1)[0] = loss;
            self.keep_outputs(batch, block, p);
        }
        self.clock.mark(Phase::Loss);
    }

    /// Gathers the targets of a member's rows in panel `p`: labels, and the factors of the rows' losses. Values go to `self.targets`.
    fn targets_of(&mut self, batch: &Batch<'_>, block: &Block<'_>, (p, m): (usize, usize)) -> (Line, Line) {
        let (run, rows) = (self.run, block.panel(p, m));
        let (mut label, mut scale) = (Line::ZERO, Line::ZERO);
        gather_targets(&run.data.targets, rows, &mut label, &mut self.targets);
        let position = block.start + p * LANES;
        let mean = batch.mean.of_member(run.data, batch.rows, m);
        mean.fill(&mut scale.0[..rows.len()], (rows, position), run.data, run.net.program.members());
        (label, scale)
    }

    /// The loss of a member of the network on panel `p`; writes the gradient with respect to its outputs.
    fn loss_of_member(&self, (p, m): (usize, usize), label: &Line, scale: &Line) -> f64 {
        let (run, program, width) = (self.run, self.run.net.program, self.run.net.outputs());
        let panel = p * program.members() + m;
        let z = run.workspace.values[program.output].lines(self.member, panel, 0..width);
        let d = run.workspace.errors[program.d_output].lines_mut(self.member, panel, 0..width);
        let targets = run.data.targets.lanes(label, &self.targets);
        panel_loss(run.net.isa, &run.settings.objective, z, targets, scale, d)
    }

    /// Keeps the outputs for panel `p`: those of all members combined, or of each member for its own rows.
    fn keep_outputs(&mut self, batch: &Batch<'_>, block: &Block<'_>, p: usize) {
        let (run, width) = (self.run, self.run.net.outputs());
        let (members, owners) = (run.net.program.members(), batch.rows.owners());
        let outputs = &run.workspace.values[run.net.program.output];
        let (first, rows) = (batch.position + block.start + p * LANES, block.panel(p, 0).len());
        let kept = run.outputs.write(self.member, first * owners * width..(first + rows) * owners * width);
        for m in 0..owners {
            let said = if members == owners {
                outputs.lines(self.member, p * members + m, 0..width)
            } else {
                let (said, scratch) = self.said.split_at_mut(width);
                let link = run.data.targets.link(run.settings.objective.loss(), width);
                combine(run.net.isa, link, outputs.panels(self.member, p..p + 1), scratch, said);
                said
            };
            for (lane, row) in kept.chunks_exact_mut(width).skip(m).step_by(owners).enumerate() {
                row.iter_mut().zip(said).for_each(|(to, line)| *to = line.0[lane]);
            }
        }
    }

    fn backward_to_inputs(&self, share: Range<usize>) {
        backward::to_inputs(self.member, self.run.net, &self.run.workspace, share);
        self.clock.mark(Phase::BackwardToInputs);
    }

    pub(super) fn slots(&self) -> impl Iterator<Item = (usize, &Slot)> {
        let range = self.run.shares[self.member.index].clone();
        range.clone().zip(&self.run.net.layout.slots[range])
    }

    /// This worker's slots, with adjacent ones joined: an update is faster in the order of memory than slot by slot.
    fn runs_of_slots(&self) -> impl Iterator<Item = Slot> {
        let own = &self.run.net.layout.slots[self.run.shares[self.member.index].clone()];
        let goes_on = |a: &Slot, b: &Slot| (a.tensor, &a.panels, a.rows.end) == (b.tensor, &b.panels, b.rows.start);
        own.chunk_by(goes_on).map(|slots| {
            let (first, last) = (&slots[0], &slots[slots.len() - 1]);
            Slot { tensor: first.tensor, panels: first.panels.clone(), rows: first.rows.start..last.rows.end }
        })
    }

    /// The gradients of slots, this worker's own first. After the last block also penalties, clipping by value, and sums for
    /// the norms, while the slot is in the cache.
    fn backward_to_weights(&self, batch: &Batch<'_>, block: &Block<'_>) {
        let (member, run) = (self.member, self.run);
        run.work.rows.refill(member); // no member takes rows before the next barrier
        run.work.outputs.refill(member);
        let part = |owner: usize| run.shares[owner].clone();
        run.work.slots.each(member, part, Cut::Singles, |places| {
            for number in &run.visits[places] {
                let slot = &run.net.layout.slots[*number];
                if run.net.layout.tensors[slot.tensor].frozen {
                    continue; // its gradient stays 0
                }
                let part = (block.rows, block.start == 0);
                backward::to_weights(member, run.net, &run.workspace, &run.gradients, slot, part);
                self.clock.mark(Phase::BackwardToWeights);
                if block.last {
                    run.sums.write(member, *number..number + 1)[0] = self.finish_gradient(batch, slot);
                    self.clock.mark(Phase::Norm);
                }
            }
        });
    }

    fn finish_gradient(&self, batch: &Batch<'_>, slot: &Slot) -> SlotSums {
        let run = self.run;
        let tensor = &run.net.layout.tensors[slot.tensor];
        let mut sums = SlotSums::default();
        self.for_each_run(slot, run.settings.treats_apart(), |lines, of_weights| {
            let params = run.net.parameters.read(self.member, lines.clone());
            let grads = run.gradients.write(self.member, lines);
            let group = tensor.group(of_weights);
            if group.frozen {
                return grads.fill(Line::ZERO);
            }
            let decay = group.decay * batch.factors.decay;
            let rule = run.settings.gradient_rule(of_weights, group, batch.mean.weight).times(decay);
            sums.add(of_weights, &finish_gradient(run.net.isa, &rule, params, grads), rule.norm);
        });
        sums
    }

    /// Calls `work` with the lines of a slot and whether they are weights. Biases are included with the weights unless they are
    /// kept `apart` or learn differently.
    pub(super) fn for_each_run(&self, slot: &Slot, apart: bool, mut work: impl FnMut(Range<usize>, bool)) {
        let tensor = &self.run.net.layout.tensors[slot.tensor];
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

    /// Adds all slots in slot order, in `f64`.
    fn add_in_order(&mut self, batch: &Batch<'_>) -> StepStats {
        let run = self.run;
        let losses = run.losses.read(self.member, 0..panels(batch.rows.len()));
        let sums = run.sums.read_all(self.member);
        let stats = self.clipping.measure(losses.iter().sum::<f64>(), sums, run.net.layout, run.settings);
        self.clock.mark(Phase::Norm);
        stats
    }

    /// The optimizer's own part of the step, by its kind.
    fn update(&mut self, batch: &Batch<'_>) {
        self.carried = match batch.algorithm {
            Algorithm::ElementWise(optimizer) => optimizer.visit(UpdateSlots { worker: self, batch }),
            Algorithm::PerTensor(optimizer) => {
                self.prepare(batch, optimizer); // gradients become directions
                UpdateSlots { worker: self, batch }.visit(AlongDirections)
            }
            // `full_batch` moves the parameters itself, once it knows the losses at several points.
            Algorithm::WholeNetwork(_) => return,
        };
    }
}

/// Updates a worker's slots; compiled for each rule.
struct UpdateSlots<'w, 'r, 'a, C> {
    worker: &'w Worker<'r, 'a, C>,
    batch: &'w Batch<'w>,
}

impl<C: Clock> VisitRule for UpdateSlots<'_, '_, '_, C> {
    /// What the rule carries to the next step.
    type Output = Carried;

    fn visit<const N: usize, U: Rule<N>>(self, rule: U) -> Carried {
        let UpdateSlots { worker, batch } = self;
        let (run, member, settings) = (worker.run, worker.member, worker.run.settings);
        let mut carried = worker.carried;
        let scalars = rule.at_step(batch.t, batch.lr, &mut carried); // once a step
        let average = settings.ema.map_or(0.0, |decay| if batch.t == 1 { 0.0 } else { decay });
        let apart = settings.treats_apart();
        let decay_of = |of_weights, group: &Group| settings.decay(of_weights, group, (batch.lr, batch.factors.decay));
        let usual = Group::default();
        let [of_weights, of_biases] = [true, false].map(|of_weights| decay_of(of_weights, &usual));
        for slot in worker.runs_of_slots() {
            worker.for_each_run(&slot, apart, |lines, is_weights| {
                let clip = worker.clipping.factor(slot.tensor, is_weights);
                let group = run.net.layout.tensors[slot.tensor].group(is_weights);
                let (own, decay) = if *group == usual {
                    (None, if is_weights { of_weights } else { of_biases })
                } else {
                    (Some(rule.at_rate(batch.t, batch.lr, group.rate, worker.carried)), decay_of(is_weights, group))
                };
                let span = Span {
                    params: run.net.parameters.write(member, lines.clone()),
                    grads: run.gradients.read(member, lines.clone()),
                    state: std::array::from_fn(|n| run.state[n].write(member, lines.clone())),
                    average: run.average.as_ref().map(|a| a.write(member, lines)),
                };
                update::<N, U>(
                    run.net.isa,
                    own.as_ref().unwrap_or(&scalars),
                    &UpdateForm { clip, decay, average },
                    span,
                );
            });
        }
        worker.clock.mark(Phase::Update);
        carried
    }
}

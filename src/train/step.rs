//! One synchronised step of mini-batch training, as every member of the team runs it.
//!
//! Rows are shared out in whole panels of 16. Parameters are shared out in slots, which depend on the network alone. One member
//! computes the gradient of a slot over the whole batch in one chain, so bits do not depend on the number of members of the
//! team.

use std::ops::Range;

use super::backward;
use super::batch::{Batch, Block, block_rows};
use super::clock::{Clock, Phase};
use super::forward::{forward, lead, splits_first_layer};
use super::gather::gather_inputs;
use super::pieces::Cut;
use super::sums::{SlotSums, StepStats};
use super::worker::Worker;
use crate::kernel::{Line, panels};
use crate::layer::{Group, RandomAt};
use crate::model::Slot;
use crate::optim::per_tensor::AlongDirections;
use crate::optim::span::{Span, UpdateForm, finish_gradient, update};
use crate::optim::{Algorithm, Carried, Rule, VisitRule};

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
    let most = block_rows(worker.shared.net.program.members());
    let blocks = batch.rows.len().div_ceil(most);
    for number in 0..blocks {
        let (start, last) = (number * most, number + 1 == blocks);
        let block = Block { of: batch.rows, start, rows: most.min(batch.rows.len() - start), last };
        let done = worker.lead_by_outputs(&block); // of small batches
        worker.share_rows(&block, |worker, panels| {
            if done == 0 {
                worker.gather(&block, panels.clone());
            }
            worker.forward(batch, &block, (panels.clone(), done));
            worker.loss(batch, &block, panels.clone()); // a slot for each panel
            worker.backward_to_inputs(panels); // dZ of every layer
        });
        worker.barrier();
        worker.backward_to_weights(batch, &block); // dW = dZ·Xᵀ slot by slot, over all rows: the reduction
        worker.barrier();
    }
    worker.add_in_order(batch) // loss and norms, the same in every worker
}

impl<C: Clock> Worker<'_, '_, C> {
    fn gather(&self, block: &Block<'_>, share: Range<usize>) {
        let (shared, input) = (self.shared, &self.shared.workspace.values[0]);
        let members = shared.net.program.input_members();
        for (p, m) in share.flat_map(|p| (0..members).map(move |m| (p, m))) {
            let panel = input.lines_mut(self.member, p * members + m, 0..shared.net.inputs());
            gather_inputs(shared.net.isa, &shared.data.features, block.panel(p, m), panel);
        }
        self.clock.mark(Phase::Gather);
    }

    /// Computes the first layers, and their inputs, if the members share them out by outputs. Returns the number of layers
    /// done.
    fn lead_by_outputs(&self, block: &Block<'_>) -> usize {
        let (member, shared, rows) = (self.member, self.shared, block.rows);
        let lead_layers = shared.net.program.lead;
        if lead_layers == 0 || !splits_first_layer(shared.net.layout, member.count(), rows) {
            return 0;
        }
        self.gather(block, member.share(panels(rows)));
        self.barrier();
        let part = |owner| member.share_of(owner, shared.net.layout.tensors[0].panels);
        shared.work.outputs.each(member, part, Cut::Halves, |outputs| {
            lead(member, shared.net, &shared.workspace, (panels(rows), outputs));
        });
        self.clock.mark(Phase::Forward);
        self.barrier();
        lead_layers
    }

    /// Calls `work` for runs of whole panels of 16 rows.
    fn share_rows(&mut self, block: &Block<'_>, mut work: impl FnMut(&mut Self, Range<usize>)) {
        let (member, shared) = (self.member, self.shared);
        shared.work.slots.refill(member); // no member takes slots before the next barrier
        let part = |owner| member.share_of(owner, panels(block.rows));
        shared.work.rows.each(member, part, Cut::Halves, |panels| work(self, panels));
    }

    fn forward(&self, batch: &Batch<'_>, block: &Block<'_>, share: (Range<usize>, usize)) {
        let shared = self.shared;
        let position = batch.position + block.start;
        let random = RandomAt {
            seed: shared.settings.seed,
            epoch: batch.epoch,
            position,
            layer: 0,
            factor: batch.factors.dropout,
        };
        forward(self.member, shared.net, &shared.workspace, share, Some(random));
        self.clock.mark(Phase::Forward);
    }

    fn backward_to_inputs(&self, share: Range<usize>) {
        backward::to_inputs(self.member, self.shared.net, &self.shared.workspace, share);
        self.clock.mark(Phase::BackwardToInputs);
    }

    /// The gradients of slots, this worker's own first. After the last block also penalties, clipping by value, and sums for
    /// the norms, while the slot is in the cache.
    fn backward_to_weights(&self, batch: &Batch<'_>, block: &Block<'_>) {
        let (member, shared) = (self.member, self.shared);
        shared.work.rows.refill(member); // no member takes rows before the next barrier
        shared.work.outputs.refill(member);
        let part = |owner: usize| shared.shares[owner].clone();
        shared.work.slots.each(member, part, Cut::Singles, |places| {
            for number in &shared.visits[places] {
                let slot = &shared.net.layout.slots[*number];
                if shared.net.layout.tensors[slot.tensor].frozen {
                    continue; // its gradient stays 0
                }
                let part = (block.rows, block.start == 0);
                backward::to_weights(member, shared.net, &shared.workspace, &shared.gradients, slot, part);
                self.clock.mark(Phase::BackwardToWeights);
                if block.last {
                    shared.sums.write(member, *number..number + 1)[0] = self.finish_gradient(batch, slot);
                    self.clock.mark(Phase::Norm);
                }
            }
        });
    }

    fn finish_gradient(&self, batch: &Batch<'_>, slot: &Slot) -> SlotSums {
        let shared = self.shared;
        let tensor = &shared.net.layout.tensors[slot.tensor];
        let mut sums = SlotSums::default();
        self.for_each_run(slot, shared.settings.treats_apart(), |lines, of_weights| {
            let params = shared.net.parameters.read(self.member, lines.clone());
            let grads = shared.gradients.write(self.member, lines);
            let group = tensor.group(of_weights);
            if group.frozen {
                return grads.fill(Line::ZERO);
            }
            let decay = group.decay * batch.factors.decay;
            let rule = shared.settings.gradient_rule(of_weights, group, batch.mean.weight).times(decay);
            sums.add(of_weights, &finish_gradient(shared.net.isa, &rule, params, grads), rule.norm);
        });
        sums
    }

    /// Adds all slots in slot order, in `f64`.
    fn add_in_order(&mut self, batch: &Batch<'_>) -> StepStats {
        let shared = self.shared;
        let losses = shared.losses.read(self.member, 0..panels(batch.rows.len()));
        let sums = shared.sums.read_all(self.member);
        let stats = self.clipping.measure(losses.iter().sum::<f64>(), sums, shared.net.layout, shared.settings);
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
        let (shared, member, settings) = (worker.shared, worker.member, worker.shared.settings);
        let mut carried = worker.carried;
        let scalars = rule.at_step(batch.t, batch.lr, &mut carried); // once a step
        let average = settings.ema.map_or(0.0, |decay| if batch.t == 1 { 0.0 } else { decay });
        let apart = settings.treats_apart();
        let decay_of = |of_weights, group: &Group| settings.decay(of_weights, group, batch.lr, batch.factors);
        let usual = Group::default();
        let [of_weights, of_biases] = [true, false].map(|of_weights| decay_of(of_weights, &usual));
        for slot in worker.runs_of_slots() {
            worker.for_each_run(&slot, apart, |lines, is_weights| {
                let clip = worker.clipping.factor(slot.tensor, is_weights);
                let group = shared.net.layout.tensors[slot.tensor].group(is_weights);
                let (own, decay) = if *group == usual {
                    (None, if is_weights { of_weights } else { of_biases })
                } else {
                    (Some(rule.at_rate(batch.t, batch.lr, group.rate, worker.carried)), decay_of(is_weights, group))
                };
                let span = Span {
                    params: shared.net.parameters.write(member, lines.clone()),
                    grads: shared.gradients.read(member, lines.clone()),
                    state: std::array::from_fn(|n| shared.state[n].write(member, lines.clone())),
                    average: shared.average.as_ref().map(|a| a.write(member, lines)),
                };
                update::<N, U>(
                    shared.net.isa,
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

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

impl<C: Clock> Worker<'_, '_, C> {
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

    fn backward_to_inputs(&self, share: Range<usize>) {
        backward::to_inputs(self.member, self.run.net, &self.run.workspace, share);
        self.clock.mark(Phase::BackwardToInputs);
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

//! Epochs of steps: what is asked for, how a member of the team goes through it, and what comes of it.

use std::sync::atomic::{AtomicBool, Ordering};

use super::batch::Batch;
use super::clock::{Clock, PhaseTimes};
use super::mean::Mean;
use super::record::{Recent, StepRecord};
use super::rows::StepRows;
use super::state::TrainState;
use super::step::step;
use super::sums::StepStats;
use super::team::Member;
use super::worker::{SharedTraining, Worker};
use crate::data::Dataset;
use crate::optim::Carried;
use crate::optim::span::sum_of_squares;

/// One pass over rows of a data set.
#[derive(Clone, Copy)]
pub struct EpochPlan<'a> {
    /// The data.
    pub data: &'a Dataset,
    /// Row numbers in the order of the epoch.
    pub order: &'a [u32],
    /// The order of each member of the network, as long as `order`, if the trainer was made for
    /// [`crate::layer::MemberRows::Own`]; else nothing.
    pub own_orders: &'a [Vec<u32>],
    /// Epoch, from 0.
    pub epoch: u64,
    /// Rows of a step.
    pub batch: usize,
    /// Learning rate of a step, counted from 1.
    pub lr: &'a (dyn Fn(u64) -> f64 + Sync),
    /// Momentum of a step, if the schedule changes it.
    pub momentum: &'a (dyn Fn(u64) -> Option<f64> + Sync),
    /// Called by one thread with the number of steps made: whether to stop before the next one.
    pub stop: &'a (dyn Fn(u64) -> bool + Sync),
    /// Training has converged when the gradient norm falls to this.
    pub tol_grad: Option<f64>,
    /// Steps between two records.
    pub log_steps: Option<u64>,
}

impl<'a> EpochPlan<'a> {
    /// A whole epoch, with the optimizer's momentum.
    pub fn new(
        data: &'a Dataset,
        order: &'a [u32],
        (epoch, batch): (u64, usize),
        lr: &'a (dyn Fn(u64) -> f64 + Sync),
    ) -> EpochPlan<'a> {
        EpochPlan {
            data,
            order,
            own_orders: &[],
            epoch,
            batch,
            lr,
            momentum: &|_| None,
            stop: &|_| false,
            tol_grad: None,
            log_steps: None,
        }
    }
}

/// Why an epoch ended early.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Halt {
    /// [`EpochPlan::stop`] returned true.
    Asked,
    /// The gradient norm fell to [`EpochPlan::tol_grad`].
    Converged,
    /// Loss or gradient stopped being finite. That step changed nothing.
    Diverged(StepStats),
}

/// The result of an epoch.
#[derive(Debug, Clone)]
pub struct EpochOutcome {
    /// Mean loss over the rows seen since the epoch began, each before the update of its step.
    pub loss: f64,
    /// Rows seen since then.
    pub rows: usize,
    /// Why it ended early, if it did.
    pub halt: Option<Halt>,
    /// Records of the steps made in this call.
    pub records: Vec<StepRecord>,
    /// The last steps.
    pub(crate) recent: Recent,
}

/// A member's position in an epoch: the part of the state that every member advances by itself, to the same values.
#[derive(Debug, Clone, Copy)]
pub(super) struct EpochPosition {
    /// Steps made.
    steps: u64,
    pub(super) carried: Carried,
    /// Of the epoch: rows seen, sum of their losses, sum of their weights.
    rows: usize,
    loss: f64,
    weight: f64,
}

impl EpochPosition {
    pub(super) fn of(state: &TrainState) -> EpochPosition {
        let TrainState { optimizer, epoch, .. } = state;
        let (rows, loss, weight) = (epoch.rows, epoch.loss, epoch.weight);
        EpochPosition { steps: optimizer.steps, carried: optimizer.carried, rows, loss, weight }
    }

    pub(super) fn put(self, state: &mut TrainState) {
        let TrainState { optimizer, epoch, .. } = state;
        (optimizer.steps, optimizer.carried) = (self.steps, self.carried);
        (epoch.rows, epoch.loss, epoch.weight) = (self.rows, self.loss, self.weight);
    }
}

/// Runs one member through an epoch; all members take the same decisions.
pub(super) fn epoch_of_member<C: Clock>(
    mut worker: Worker<'_, '_, C>,
    (plan, first): (&EpochPlan<'_>, usize),
    mut place: EpochPosition,
    asked: &[AtomicBool; 2],
) -> (EpochOutcome, EpochPosition, PhaseTimes) {
    let (member, shared) = (worker.member, worker.shared);
    let (mut halt, mut records, mut recent) = (None, Vec::new(), Recent::default());
    for rows in plan.order[place.rows - first..].chunks(plan.batch) {
        let made = place.steps;
        // The answer to this question was stored before the barriers of the last step, so all members read the same value.
        // Answers alternate between two places, so that none is overwritten before all members have read it.
        if asked[made as usize % 2].load(Ordering::Relaxed) {
            halt = Some(Halt::Asked);
            break;
        }
        if member.index == 0 {
            asked[(made as usize + 1) % 2].store((plan.stop)(made + 1), Ordering::Relaxed);
        }
        let t = made + 1;
        let rows = StepRows::new(rows, plan.own_orders, place.rows - first);
        let (mean, lr) = (Mean::new(shared.settings, plan.data, rows), (plan.lr)(t));
        let algorithm = shared.settings.optimizer.algorithm;
        let algorithm = (plan.momentum)(t).map_or(algorithm, |momentum| algorithm.with_momentum(momentum));
        let factors = shared.settings.schedules.at_step(t);
        let batch = Batch { rows, position: place.rows, epoch: plan.epoch, mean, t, lr, factors, algorithm };
        let logged = member.index == 0 && plan.log_steps.is_some_and(|every| t.is_multiple_of(every));
        let weight_norms = if logged { weight_norms(member, shared) } else { Vec::new() };
        let stats = step(&mut worker, &batch);
        if !stats.is_finite() {
            halt = Some(Halt::Diverged(stats));
            break;
        }
        recent.push(stats);
        place.steps = t;
        place.rows += rows.len();
        place.loss += stats.loss * mean.weight;
        place.weight += mean.weight;
        if logged {
            let layers = worker.clipping.layer_norms(shared.net.layout, weight_norms);
            records.push(StepRecord { step: t, stats, lr, layers });
        }
        if plan.tol_grad.is_some_and(|tol| stats.grad_norm <= tol) {
            halt = Some(Halt::Converged);
            break;
        }
    }
    place.carried = worker.carried;
    let outcome = EpochOutcome { loss: place.loss / place.weight, rows: place.rows, halt, records, recent };
    (outcome, place, worker.clock.times())
}

/// L2 norms of each layer's weights, biases left out.
pub(super) fn weight_norms(member: Member<'_>, shared: &SharedTraining<'_>) -> Vec<f64> {
    let net = shared.net;
    net.layout.weight_norms(|lines| sum_of_squares(net.isa, net.parameters.read(member, lines)))
}

//! A network in training: its parameters, all the memory of a step, and epochs of steps.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use super::batch::{Batch, block_rows};
use super::clock::{Clock, NoClock, PhaseTimes, Stopwatch};
use super::evaluate::Evaluator;
use super::forward::SharedNet;
use super::mean::Mean;
use super::pieces::Work;
use super::preparation::Preparation;
use super::record::{Recent, StepRecord};
use super::rows::StepRows;
use super::settings::{Largest, StepSettings};
use super::shared::Shared;
use super::state::TrainState;
use super::step::step;
use super::sums::{SlotSums, StepStats};
use super::team::{Member, Team};
use super::worker::{SharedTraining, Worker, visits};
use super::workspace::Workspace;
use crate::data::{Dataset, Features};
use crate::kernel::{Isa, Line, panels, zeroed};
use crate::layer::Program;
use crate::model::{Architecture, Parameters};
use crate::nn::Link;
use crate::optim::span::{sum_of_squares, write_between};
use crate::optim::{Algorithm, Carried};
use crate::score::{Evaluation, Readout};

/// A network in training. All memory is allocated here, before the first step.
pub struct Trainer {
    isa: Isa,
    team: Team,
    program: Program,
    settings: StepSettings,
    /// All that lasts from step to step; every step overwrites the rest.
    pub(crate) state: TrainState,
    pub(super) gradients: Vec<Line>,
    preparation: Option<Preparation>,
    workspace: Workspace,
    losses: Vec<f64>,
    sums: Vec<SlotSums>,
    shares: Vec<Range<usize>>,
    visits: Vec<usize>,
    evaluator: Evaluator,
}

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

impl Trainer {
    /// Prepares to train a network from the given parameters, with `threads` threads or fewer if the system grants fewer.
    /// `largest` limits the rows of a batch and of an epoch.
    pub fn new(
        architecture: &Architecture,
        parameters: Parameters,
        settings: StepSettings,
        (isa, threads): (Isa, usize),
        largest: Largest,
    ) -> Trainer {
        let lines = parameters.layout.lines;
        let learns = |tensor: usize| !parameters.layout.tensors[tensor].frozen;
        let program = architecture.network().training_program(&learns, settings.member_rows);
        let owners = program.input_members();
        let team = Team::new(threads);
        let threads = team.threads();
        let shares = parameters.layout.shares(threads);
        let algorithm = settings.optimizer.algorithm;
        let averages = settings.ema.is_some() || algorithm.evaluated_between().is_some();
        let preparation = match algorithm {
            Algorithm::PerTensor(optimizer) => Some(Preparation::new(optimizer, &parameters.layout, threads)),
            _ => None,
        };
        Trainer {
            isa,
            team,
            gradients: zeroed(lines),
            preparation,
            workspace: Workspace::new(&program, largest.batch.min(block_rows(program.members()))),
            program,
            losses: vec![0.0; panels(largest.batch)],
            sums: vec![SlotSums::default(); parameters.layout.slots.len()],
            visits: visits(&parameters.layout, &shares),
            shares,
            evaluator: Evaluator::new(architecture, isa, threads),
            state: TrainState::new(
                parameters,
                &settings.optimizer,
                averages,
                (largest.epoch, architecture.outputs * owners),
            ),
            settings,
        }
    }

    /// Optimizer steps so far.
    pub fn steps(&self) -> u64 {
        self.state.steps()
    }

    /// Number of members of the network that have rows of their own; 1 if all members share them.
    pub fn owners(&self) -> usize {
        self.program.input_members()
    }

    /// Threads of the team.
    pub fn threads(&self) -> usize {
        self.team.threads()
    }

    /// The network's outputs for each row of the last epoch, in the epoch's order, each before the update of its step. If members
    /// have rows of their own, the outputs of each member for its row at every position of the epoch.
    pub fn running_outputs(&self, rows: usize) -> &[f32] {
        &self.state.outputs[..rows * self.state.width]
    }

    /// The parameters as the last step left them.
    pub fn parameters(&self) -> &Parameters {
        &self.state.parameters
    }

    /// The parameters for validation, best weights and prediction: the average if there is one.
    pub fn evaluated_parameters(&self) -> &[Line] {
        match &self.state.average {
            Some(average) if self.state.steps() > 0 => average,
            _ => &self.state.parameters.lines,
        }
    }

    /// Whether all parameters, and all of their averages, are finite.
    pub fn is_finite(&self) -> bool {
        let finite = |lines: &[Line]| lines.iter().all(|line| line.0.iter().all(|x| x.is_finite()));
        finite(&self.state.parameters.lines) && finite(self.evaluated_parameters())
    }

    /// From now on applies `readout` to all evaluated outputs.
    pub fn read_out(&mut self, readout: Readout) {
        self.evaluator.read_out(readout);
    }

    /// Loss and outputs on a data set, by [`Trainer::evaluated_parameters`].
    pub fn evaluate(&mut self, data: &Dataset) -> Evaluation {
        let steps = self.state.steps();
        let parameters = match &mut self.state.average {
            Some(average) if steps > 0 => average,
            _ => &mut self.state.parameters.lines,
        };
        self.evaluator.evaluate(&self.team, parameters, &self.settings.objective, data)
    }

    /// Loss and outputs on a data set, by other parameters of the same layout.
    pub fn evaluate_with(&mut self, parameters: &mut [Line], data: &Dataset) -> Evaluation {
        self.evaluator.evaluate(&self.team, parameters, &self.settings.objective, data)
    }

    /// The outputs of other weights, row-major; see [`Evaluator::outputs`].
    ///
    /// # Panics
    /// If the rows do not have the network's number of inputs.
    pub fn outputs_with(&mut self, parameters: &mut [Line], features: &Features, link: Link) -> Vec<f32> {
        self.evaluator.outputs(&self.team, parameters, features, link)
    }

    /// Trains on one epoch, or on the rest of an epoch that [`EpochPlan::stop`] halted. Call it again with the same plan until
    /// the epoch ends for another reason.
    ///
    /// # Panics
    /// If the plan's batch or order is longer than the trainer was made for, if it does not have an order for each member that has rows
    /// of its own, or if L-BFGS is not given all rows as one batch.
    pub fn epoch(&mut self, plan: &EpochPlan<'_>) -> EpochOutcome {
        self.epoch_by_clock::<NoClock>(plan).0
    }

    /// As [`Trainer::epoch`], and measures the time of each thread in each phase of its steps. The clock costs some 200 ns a
    /// step.
    ///
    /// # Panics
    /// As [`Trainer::epoch`].
    pub fn timed_epoch(&mut self, plan: &EpochPlan<'_>) -> (EpochOutcome, Vec<PhaseTimes>) {
        self.epoch_by_clock::<Stopwatch>(plan)
    }

    fn epoch_by_clock<C: Clock>(&mut self, plan: &EpochPlan<'_>) -> (EpochOutcome, Vec<PhaseTimes>) {
        let owners = if plan.own_orders.is_empty() { 1 } else { plan.own_orders.len() };
        assert_eq!(owners, self.program.input_members(), "an order for each member that has rows of its own");
        let (outcome, times) = match (self.settings.optimizer.algorithm, &plan.data.features) {
            (Algorithm::WholeNetwork(_), _) => (self.minimise(plan), Vec::new()),
            (_, Features::Blocks(blocks)) => self.steps_by_windows::<C>(plan, blocks.window()),
            (Algorithm::ElementWise(_) | Algorithm::PerTensor(_), _) => self.make_steps::<C>(plan, 0),
        };
        if outcome.halt != Some(Halt::Asked) {
            self.state.epoch.finish();
        }
        (outcome, times)
    }

    /// Makes steps on rows in memory. The first of them is at position `first` of the epoch.
    pub(super) fn make_steps<C: Clock>(
        &mut self,
        plan: &EpochPlan<'_>,
        first: usize,
    ) -> (EpochOutcome, Vec<PhaseTimes>) {
        let made = self.state.steps();
        let start = EpochPosition::of(&self.state);
        let mut asked = [AtomicBool::new(false), AtomicBool::new(false)];
        *asked[made as usize % 2].get_mut() = (plan.stop)(made);
        let mut outcomes = self.with_shared(plan.data, |team, shared| {
            team.run(|member| {
                epoch_of_member::<C>(Worker::new(member, shared, start.carried), (plan, first), start, &asked)
            })
        });
        let times = outcomes.iter().map(|(_, _, times)| *times).collect();
        let (outcome, end, _) = outcomes.swap_remove(0);
        end.put(&mut self.state);
        let between = self.settings.optimizer.algorithm.evaluated_between();
        let TrainState { parameters, optimizer, average, .. } = &mut self.state;
        if let (Some(c), Some(average)) = (between, average) {
            write_between(self.isa, c, (&parameters.lines, &optimizer.tensors[0].lines), average);
        }
        (outcome, times)
    }

    /// Lends all memory to the team.
    pub(super) fn with_shared<R>(&mut self, data: &Dataset, work: impl FnOnce(&Team, &SharedTraining<'_>) -> R) -> R {
        let TrainState { parameters, optimizer, average, outputs, .. } = &mut self.state;
        let layout = parameters.layout.clone();
        let parameters = Shared::new(&mut parameters.lines);
        let net = SharedNet { isa: self.isa, program: &self.program, layout: &layout, parameters: &parameters };
        let moving = average.as_mut().filter(|_| self.settings.ema.is_some());
        let shared = SharedTraining {
            net,
            settings: &self.settings,
            data,
            workspace: self.workspace.lend(),
            gradients: Shared::new(&mut self.gradients),
            state: optimizer.tensors.iter_mut().map(|tensor| Shared::new(&mut tensor.lines)).collect(),
            average: moving.map(|a| Shared::new(a)),
            preparation: self.preparation.as_mut().map(Preparation::lend),
            losses: Shared::new(&mut self.losses),
            sums: Shared::new(&mut self.sums),
            outputs: Shared::new(outputs),
            work: Work::new(self.team.threads()),
            shares: &self.shares,
            visits: &self.visits,
        };
        work(&self.team, &shared)
    }
}

/// A member's position in an epoch: the part of the state that every member advances by itself, to the same values.
#[derive(Debug, Clone, Copy)]
struct EpochPosition {
    /// Steps made.
    steps: u64,
    carried: Carried,
    /// Of the epoch: rows seen, sum of their losses, sum of their weights.
    rows: usize,
    loss: f64,
    weight: f64,
}

impl EpochPosition {
    fn of(state: &TrainState) -> EpochPosition {
        let TrainState { optimizer, epoch, .. } = state;
        let (rows, loss, weight) = (epoch.rows, epoch.loss, epoch.weight);
        EpochPosition { steps: optimizer.steps, carried: optimizer.carried, rows, loss, weight }
    }

    fn put(self, state: &mut TrainState) {
        let TrainState { optimizer, epoch, .. } = state;
        (optimizer.steps, optimizer.carried) = (self.steps, self.carried);
        (epoch.rows, epoch.loss, epoch.weight) = (self.rows, self.loss, self.weight);
    }
}

/// Runs one member through an epoch; all members take the same decisions.
fn epoch_of_member<C: Clock>(
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

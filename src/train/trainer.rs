//! A network in training: its parameters, all that a step needs, and epochs of steps.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use super::clock::{Clock, NoClock, PhaseTimes, Stopwatch};
use super::evaluate::{Evaluation, Evaluator};
use super::forward::SharedNet;
use super::mean::Mean;
use super::pieces::Work;
use super::preparation::Preparation;
use super::settings::StepSettings;
use super::shared::Shared;
use super::step::{BLOCK_ROWS, Batch, SharedRun, Worker, step, visits};
use super::sums::{SlotSums, StepStats};
use super::team::{Member, Team};
use super::workspace::Workspace;
use crate::data::{Dataset, Features};
use crate::kernel::{Isa, LANES, Line, panels, zeroed};
use crate::layer::Program;
use crate::model::{Architecture, Parameters, Tensor};
use crate::optim::lbfgs::Minimizer;
use crate::optim::span::{sum_of_squares, write_between};
use crate::optim::{Algorithm, Carried};

/// A network in training; everything is allocated here, before the first step.
pub struct Trainer {
    isa: Isa,
    team: Team,
    program: Program,
    /// Outputs of the network.
    width: usize,
    settings: StepSettings,
    pub(super) parameters: Parameters,
    pub(super) gradients: Vec<Line>,
    state: Vec<Vec<Line>>,
    /// What is evaluated instead of the parameters: their moving average, or the one of Schedule-Free.
    average: Option<Vec<Line>>,
    preparation: Option<Preparation>,
    /// What the rule carries from step to step.
    carried: Carried,
    /// L-BFGS, which makes steps of its own.
    pub(super) minimizer: Option<Minimizer<f32>>,
    workspace: Workspace,
    losses: Vec<f64>,
    sums: Vec<SlotSums>,
    shares: Vec<Range<usize>>,
    visits: Vec<usize>,
    evaluator: Evaluator,
    pub(super) outputs: Vec<f32>,
    pub(super) steps: u64,
}

/// One pass over rows of a data set.
pub struct EpochPlan<'a> {
    /// The data.
    pub data: &'a Dataset,
    /// Row numbers in the order of the epoch.
    pub order: &'a [u32],
    /// Epoch, from 0.
    pub epoch: u64,
    /// Rows of a step.
    pub batch: usize,
    /// Learning rate of a step, counted from 1.
    pub lr: &'a (dyn Fn(u64) -> f64 + Sync),
    /// Momentum of a step, where the schedule moves it.
    pub momentum: &'a (dyn Fn(u64) -> Option<f64> + Sync),
    /// Asked by one thread, with the number of steps made, whether to stop before the next.
    pub stop: &'a (dyn Fn(u64) -> bool + Sync),
    /// Training has converged when the gradient norm falls to this.
    pub tol_grad: Option<f64>,
    /// A record is kept of every so many steps.
    pub log_steps: Option<u64>,
}

/// Why an epoch ended early.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Halt {
    /// [`EpochPlan::stop`] said so.
    Asked,
    /// The gradient norm fell to [`EpochPlan::tol_grad`].
    Converged,
    /// Loss or gradient stopped being finite; that step changed nothing.
    Diverged(StepStats),
}

/// A record of one step.
#[derive(Debug, Clone, PartialEq)]
pub struct StepRecord {
    /// Number of the step, from 1.
    pub step: u64,
    /// Loss and gradient norm.
    pub stats: StepStats,
    /// The learning rate used.
    pub lr: f64,
    /// L2 norm of the gradient of each linear layer, with its norm and projection.
    pub grad_norms: Vec<f64>,
    /// L2 norm of the weights of each linear layer before the update, biases left out.
    pub weight_norms: Vec<f64>,
}

/// What came of an epoch.
#[derive(Debug, Clone)]
pub struct EpochOutcome {
    /// Mean loss over the rows seen, each before the update of its step.
    pub loss: f64,
    /// Rows seen.
    pub rows: usize,
    /// Why it ended early.
    pub halt: Option<Halt>,
    /// Records of steps.
    pub records: Vec<StepRecord>,
}

impl Trainer {
    /// Prepares the training of a network from the given parameters with exactly `threads` threads; batches have up to
    /// `batch` rows, epochs up to `rows`.
    pub fn new(
        architecture: &Architecture,
        parameters: Parameters,
        settings: StepSettings,
        (isa, threads): (Isa, usize),
        (batch, rows): (usize, usize),
    ) -> Trainer {
        let lines = parameters.layout.lines;
        let program = architecture.network().program(true);
        let initial = settings.optimizer.algorithm.initial_state(settings.optimizer.lr);
        let shares = parameters.layout.shares(threads);
        let algorithm = settings.optimizer.algorithm;
        let averages = settings.ema.is_some() || algorithm.evaluated_between().is_some();
        let minimizer = match algorithm {
            Algorithm::WholeNetwork(options) => Some(Minimizer::new(options, lines * LANES)),
            _ => None,
        };
        let preparation = match algorithm {
            Algorithm::PerTensor(optimizer) => Some(Preparation::new(optimizer, &parameters.layout, threads)),
            _ => None,
        };
        Trainer {
            isa,
            team: Team::new(threads),
            width: architecture.outputs,
            gradients: zeroed(lines),
            state: initial.iter().map(|(_, value)| filled(lines, *value)).collect(),
            average: averages.then(|| zeroed(lines)),
            preparation,
            carried: Carried::default(),
            minimizer,
            workspace: Workspace::new(&program, batch.min(BLOCK_ROWS)),
            program,
            losses: vec![0.0; panels(batch)],
            sums: vec![SlotSums::default(); parameters.layout.slots.len()],
            visits: visits(&parameters.layout, &shares),
            shares,
            evaluator: Evaluator::new(architecture, isa, threads),
            outputs: vec![0.0; rows * architecture.outputs],
            settings,
            parameters,
            steps: 0,
        }
    }

    /// Optimizer steps so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Threads at work.
    pub fn threads(&self) -> usize {
        self.team.threads()
    }

    /// What the network said of each row of the last epoch, in the epoch's order, each before the update of its step.
    pub fn running_outputs(&self, rows: usize) -> &[f32] {
        &self.outputs[..rows * self.width]
    }

    /// The parameters as the last step left them.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The parameters that validation, best weights and prediction use: the average where there is one.
    pub fn evaluated_parameters(&self) -> &[Line] {
        match &self.average {
            Some(average) if self.steps > 0 => average,
            _ => &self.parameters.lines,
        }
    }

    /// Whether every parameter is finite, and every one of their average.
    pub fn is_finite(&self) -> bool {
        let finite = |lines: &[Line]| lines.iter().all(|line| line.0.iter().all(|x| x.is_finite()));
        finite(&self.parameters.lines) && finite(self.evaluated_parameters())
    }

    /// Loss and outputs on a data set, by [`Trainer::evaluated_parameters`].
    pub fn evaluate(&mut self, data: &Dataset) -> Evaluation {
        let parameters = match &mut self.average {
            Some(average) if self.steps > 0 => average,
            _ => &mut self.parameters.lines,
        };
        self.evaluator.evaluate(&self.team, parameters, &self.settings.objective, data)
    }

    /// Loss and outputs on a data set, by other parameters of the same layout.
    pub fn evaluate_with(&mut self, parameters: &mut [Line], data: &Dataset) -> Evaluation {
        self.evaluator.evaluate(&self.team, parameters, &self.settings.objective, data)
    }

    /// The outputs of other weights, row-major.
    ///
    /// # Panics
    /// If the rows have not the network's number of inputs.
    pub fn outputs_with(&mut self, parameters: &mut [Line], features: &Features) -> Vec<f32> {
        self.evaluator.outputs(&self.team, parameters, features)
    }

    /// Trains on one epoch.
    ///
    /// # Panics
    /// If the plan's batch or order is longer than what was prepared for, or L-BFGS is not given all rows as one batch.
    pub fn epoch(&mut self, plan: &EpochPlan<'_>) -> EpochOutcome {
        self.epoch_by_clock::<NoClock>(plan).0
    }

    /// The same, and how long each thread spent in each phase of its steps. The clock costs some 200 ns a step.
    ///
    /// # Panics
    /// As [`Trainer::epoch`].
    pub fn timed_epoch(&mut self, plan: &EpochPlan<'_>) -> (EpochOutcome, Vec<PhaseTimes>) {
        self.epoch_by_clock::<Stopwatch>(plan)
    }

    fn epoch_by_clock<C: Clock>(&mut self, plan: &EpochPlan<'_>) -> (EpochOutcome, Vec<PhaseTimes>) {
        if self.minimizer.is_some() {
            return (self.minimise(plan), Vec::new());
        }
        let start = (self.steps, self.carried);
        let mut asked = [AtomicBool::new(false), AtomicBool::new(false)];
        *asked[self.steps as usize % 2].get_mut() = (plan.stop)(self.steps);
        let mut outcomes = self.with_run(plan.data, |team, run| {
            team.run(|member| epoch_of_member::<C>(Worker::new(member, run, start.1), plan, start.0, &asked))
        });
        let times = outcomes.iter().map(|(_, _, times)| *times).collect();
        let (outcome, end, _) = outcomes.swap_remove(0);
        (self.steps, self.carried) = end;
        let between = self.settings.optimizer.algorithm.evaluated_between();
        if let (Some(c), Some(average)) = (between, &mut self.average) {
            write_between(self.isa, c, (&self.parameters.lines, &self.state[0]), average);
        }
        (outcome, times)
    }

    /// Lends everything to the team.
    pub(super) fn with_run<R>(&mut self, data: &Dataset, work: impl FnOnce(&Team, &SharedRun<'_>) -> R) -> R {
        let layout = self.parameters.layout.clone();
        let parameters = Shared::new(&mut self.parameters.lines);
        let net = SharedNet { isa: self.isa, program: &self.program, layout: &layout, parameters: &parameters };
        let moving = self.average.as_mut().filter(|_| self.settings.ema.is_some());
        let run = SharedRun {
            net,
            settings: &self.settings,
            data,
            workspace: self.workspace.share(),
            gradients: Shared::new(&mut self.gradients),
            state: self.state.iter_mut().map(|s| Shared::new(s)).collect(),
            average: moving.map(|a| Shared::new(a)),
            preparation: self.preparation.as_mut().map(Preparation::share),
            losses: Shared::new(&mut self.losses),
            sums: Shared::new(&mut self.sums),
            outputs: Shared::new(&mut self.outputs),
            work: Work::new(self.team.threads()),
            shares: &self.shares,
            visits: &self.visits,
        };
        work(&self.team, &run)
    }
}

/// Lines that all hold one number.
fn filled(lines: usize, value: f64) -> Vec<Line> {
    let mut state = zeroed(lines);
    if value != 0.0 {
        state.fill(Line::splat(value as f32));
    }
    state
}

/// One member's way through an epoch; all members take the same decisions. From and to the steps made so far, and to what the
/// rule carries on.
fn epoch_of_member<C: Clock>(
    mut worker: Worker<'_, '_, C>,
    plan: &EpochPlan<'_>,
    mut t: u64,
    asked: &[AtomicBool; 2],
) -> (EpochOutcome, (u64, Carried), PhaseTimes) {
    let (member, run) = (worker.member, worker.run);
    let mut outcome = EpochOutcome { loss: 0.0, rows: 0, halt: None, records: Vec::new() };
    let mut weight_seen = 0.0;
    for rows in plan.order.chunks(plan.batch) {
        // Whether to make this step was asked before the barriers of the last one, so all members read the same; the
        // answers alternate between two places, so that none is overwritten before all have read it.
        if asked[t as usize % 2].load(Ordering::Relaxed) {
            outcome.halt = Some(Halt::Asked);
            break;
        }
        if member.index == 0 {
            asked[(t as usize + 1) % 2].store((plan.stop)(t + 1), Ordering::Relaxed);
        }
        let mean = Mean::new(run.settings, plan.data, rows);
        let lr = (plan.lr)(t + 1);
        let algorithm = run.settings.optimizer.algorithm;
        let algorithm = (plan.momentum)(t + 1).map_or(algorithm, |momentum| algorithm.with_momentum(momentum));
        let batch = Batch { rows, position: outcome.rows, epoch: plan.epoch, mean, t: t + 1, lr, algorithm };
        let logged = member.index == 0 && plan.log_steps.is_some_and(|every| (t + 1).is_multiple_of(every));
        let weight_norms = if logged { weight_norms(member, run) } else { Vec::new() };
        let stats = step(&mut worker, &batch);
        if !stats.is_finite() {
            outcome.halt = Some(Halt::Diverged(stats));
            break;
        }
        t += 1;
        outcome.rows += rows.len();
        outcome.loss += stats.loss * mean.weight;
        weight_seen += mean.weight;
        if logged {
            let grad_norms = worker.clipping.layer_norms(run.net.layout);
            outcome.records.push(StepRecord { step: t, stats, lr, grad_norms, weight_norms });
        }
        if plan.tol_grad.is_some_and(|tol| stats.grad_norm <= tol) {
            outcome.halt = Some(Halt::Converged);
            break;
        }
    }
    outcome.loss /= weight_seen;
    (outcome, (t, worker.carried), worker.clock.times())
}

/// L2 norms of each linear layer's weights, biases left out.
pub(super) fn weight_norms(member: Member<'_>, run: &SharedRun<'_>) -> Vec<f64> {
    let net = run.net;
    let norm = |tensor: &Tensor| {
        let panel = |p| net.parameters.read(member, tensor.lines(p, 0..tensor.weight_rows()));
        (0..tensor.panels).map(|p| sum_of_squares(net.isa, panel(p))).sum::<f64>().sqrt()
    };
    net.layout.linear_layers().map(norm).collect()
}

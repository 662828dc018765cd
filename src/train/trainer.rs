//! A network in training: its parameters and all the memory of a step.

use std::ops::Range;
use std::sync::atomic::AtomicBool;

use super::batch::block_rows;
use super::clock::{Clock, NoClock, PhaseTimes, Stopwatch};
use super::epoch::{EpochOutcome, EpochPlan, EpochPosition, Halt, epoch_of_member};
use super::evaluate::Evaluator;
use super::forward::SharedNet;
use super::pieces::Work;
use super::preparation::Preparation;
use super::settings::{Largest, StepSettings};
use super::shared::Shared;
use super::state::TrainState;
use super::sums::SlotSums;
use super::team::Team;
use super::worker::{SharedTraining, Worker, visits};
use super::workspace::Workspace;
use crate::data::{Dataset, Features};
use crate::kernel::{Isa, Line, panels, zeroed};
use crate::layer::Program;
use crate::model::{Architecture, Parameters};
use crate::nn::Link;
use crate::optim::Algorithm;
use crate::optim::span::write_between;
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

//! Steps of L-BFGS. Each step asks the team for loss and gradient over all rows at several points along a line.

use super::batch::Batch;
use super::clock::NoClock;
use super::epoch::{EpochOutcome, EpochPlan, Halt, weight_norms};
use super::mean::Mean;
use super::record::{Recent, StepRecord};
use super::rows::StepRows;
use super::settings::StepFactors;
use super::step::step;
use super::sums::{LayerNorms, StepStats};
use super::trainer::Trainer;
use super::worker::Worker;
use crate::kernel::{LANES, Line};
use crate::optim::Carried;

/// Loss and gradient norm at one point, and the norms of each layer.
struct FullBatchLoss {
    stats: StepStats,
    layers: Vec<LayerNorms>,
}

impl Trainer {
    /// An epoch of L-BFGS: one step on all rows. The reported figures are those before the step. They are computed again even
    /// if the last search ended at this point, so no step depends on what a caller did between two epochs.
    ///
    /// # Panics
    /// If the rows are not one batch, or the trainer has another optimizer.
    pub(super) fn minimise(&mut self, plan: &EpochPlan<'_>) -> EpochOutcome {
        assert!(plan.batch >= plan.order.len(), "L-BFGS wants all rows in one batch");
        let mut outcome =
            EpochOutcome { loss: 0.0, rows: 0, halt: None, records: Vec::new(), recent: Recent::default() };
        if (plan.stop)(self.state.steps()) {
            outcome.halt = Some(Halt::Asked);
            return outcome;
        }
        let t = self.state.steps() + 1;
        let lr = (plan.lr)(t);
        let FullBatchLoss { stats, layers } = self.pass(plan);
        outcome.loss = stats.loss;
        outcome.recent.push(stats);
        if !stats.is_finite() {
            outcome.halt = Some(Halt::Diverged(stats));
            return outcome;
        }
        let said = self.state.outputs.clone();
        let mut x = vec![0.0; self.state.parameters.lines.len() * LANES];
        let mut g = x.clone();
        flatten(&self.state.parameters.lines, &mut x);
        flatten(&self.gradients, &mut g);
        let mut minimizer = self.state.optimizer.minimizer.take().expect("made for L-BFGS");
        let progress = minimizer.step(lr, &mut x, (stats.loss, &g), &mut |x: &[f32], g: &mut [f32]| {
            unflatten(x, &mut self.state.parameters.lines);
            let loss = self.pass(plan).stats.loss;
            flatten(&self.gradients, g);
            loss
        });
        self.state.optimizer.minimizer = Some(minimizer);
        unflatten(&x, &mut self.state.parameters.lines);
        self.state.outputs = said;
        if progress.moved {
            self.state.optimizer.steps = t;
            outcome.rows = plan.order.len();
            if plan.log_steps.is_some_and(|every| t.is_multiple_of(every)) {
                outcome.records.push(StepRecord { step: t, stats, lr, layers });
            }
        }
        if progress.diverged {
            outcome.halt = Some(Halt::Diverged(StepStats { loss: f64::INFINITY, ..stats }));
        } else if progress.converged || plan.tol_grad.is_some_and(|tol| stats.grad_norm <= tol) {
            outcome.halt = Some(Halt::Converged);
        }
        outcome
    }

    /// Loss and gradient at the current parameters.
    fn pass(&mut self, plan: &EpochPlan<'_>) -> FullBatchLoss {
        let t = self.state.steps() + 1;
        let passes = self.with_shared(plan.data, |team, shared| {
            let rows = StepRows::new(plan.order, plan.own_orders, 0);
            let (mean, algorithm) = (Mean::new(shared.settings, plan.data, rows), shared.settings.optimizer.algorithm);
            let batch =
                Batch { rows, position: 0, epoch: plan.epoch, mean, t, lr: 0.0, factors: StepFactors::NONE, algorithm };
            team.run(|member| {
                let mut worker = Worker::<NoClock>::new(member, shared, Carried::default());
                let stats = step(&mut worker, &batch);
                (member.index == 0).then(|| FullBatchLoss {
                    stats,
                    layers: worker.clipping.layer_norms(shared.net.layout, weight_norms(member, shared)),
                })
            })
        });
        passes.into_iter().flatten().next().expect("the first member answers")
    }
}

fn flatten(lines: &[Line], to: &mut [f32]) {
    lines.iter().zip(to.chunks_exact_mut(LANES)).for_each(|(line, to)| to.copy_from_slice(&line.0));
}

fn unflatten(from: &[f32], lines: &mut [Line]) {
    lines.iter_mut().zip(from.chunks_exact(LANES)).for_each(|(line, from)| line.0.copy_from_slice(from));
}

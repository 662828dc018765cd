//! A first check of a set-up: can the network memorise one batch?

use serde::Serialize;

use crate::data::Task;
use crate::layer::MemberRows;
use crate::metrics::{Detail, MetricName};
use crate::run::Plan;
use crate::score::{ScoredRows, Scorer};
use crate::train::{EpochPlan, Halt};
use crate::{Error, Result};

/// The most steps.
const STEPS: u64 = 1_000;
/// Fraction of the first loss below which a batch without classes counts as memorised.
const SHARE: f64 = 0.01;

/// The result of the check.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OverfitReport {
    /// Rows of the batch.
    pub rows: usize,
    /// Steps made.
    pub steps: u64,
    /// Loss before the first step.
    pub first_loss: f64,
    /// Loss at the end.
    pub last_loss: f64,
    /// Accuracy on the batch at the end, for classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<f64>,
    /// Whether every row is right; for numbers and labels, whether the loss has fallen below a hundredth.
    pub learnt: bool,
}

/// Trains on the first batch of the first epoch only, at a constant learning rate, without dropout and masks, until the batch
/// is memorised or 1,000 steps are made.
///
/// # Errors
/// [`Error::Diverged`] if the loss stops being finite.
pub fn overfit_batch(mut plan: Plan) -> Result<OverfitReport> {
    plan.architecture = plan.architecture.without_chance();
    plan.config.optimizer.member_rows = MemberRows::Shared; // there is one batch
    let data = &plan.prepared.train;
    let mut order = Vec::new();
    data.order(plan.config.seed, 0, plan.config.shuffle, &mut order);
    order.truncate(plan.batch);
    let mut trainer = plan.trainer(plan.batch)?;
    let scorer = Scorer::new(plan.prepared.preprocessing.target(), plan.loss);
    let by_class = matches!(plan.prepared.preprocessing.task(), Task::Binary | Task::Multiclass);
    let lr = plan.config.optimizer.spec.lr;
    let (mut first_loss, mut report) = (None, None);
    while trainer.steps() < STEPS {
        let outcome = trainer.epoch(&EpochPlan::new(data, &order, (trainer.steps(), plan.batch), &|_| lr));
        if let Some(Halt::Diverged(stats)) = outcome.halt {
            return Err(Error::Diverged { epoch: 1, step: trainer.steps() + 1, loss: stats.loss });
        }
        let first_loss = *first_loss.get_or_insert(outcome.loss);
        let outputs = trainer.running_outputs(order.len());
        let figures = scorer.figures(outputs, data, ScoredRows::Of(&order), outcome.loss, Detail::Running);
        let accuracy = figures.get(MetricName::Accuracy).filter(|_| by_class);
        let learnt = accuracy.map_or(outcome.loss <= SHARE * first_loss, |a| a >= 1.0);
        let (rows, steps) = (order.len(), trainer.steps());
        let last_loss = outcome.loss;
        let finished = report.insert(OverfitReport { rows, steps, first_loss, last_loss, accuracy, learnt });
        if finished.learnt {
            break;
        }
    }
    report.ok_or_else(|| Error::NoStep("there is no row to train on".to_owned()))
}

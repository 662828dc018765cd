//! The expected time and memory of a training run, from a sample of its steps.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::cross_validation::{fold_config, plan_of_fold};
use super::side_by_side::{share_threads, side_by_side};
use crate::Result;
use crate::data::{Dataset, Folds};
use crate::kernel::Line;
use crate::metrics::Detail;
use crate::room::peak;
use crate::run::Plan;
use crate::score::ScoredRows;
use crate::train::team::available_threads;
use crate::train::{EpochPlan, Trainer};

/// Time of the sample before anything is measured: memory is touched for the first time, and clocks rise.
const WARM_UP: Duration = Duration::from_millis(200);
/// Time of the measured steps, one step at least.
const SAMPLE: Duration = Duration::from_millis(600);
/// Copies of the parameters that a run has beside those of the sample: the kept ones, and those of the model's file.
const COPIES: usize = 2;
/// Rows whose evaluation is measured at most.
const MOST_EVALUATED: usize = 20_000;

/// The expected time and memory of a run.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Forecast {
    /// Seconds of training, if no network stops before its last epoch; those of a time limit at most, and always for a portfolio.
    pub seconds: f64,
    /// Seconds of an epoch of one network, validation included. Of a portfolio's first configuration.
    pub seconds_of_epoch: f64,
    /// Bytes of memory at the most. `None` if the system does not tell, and for a portfolio.
    pub peak_bytes: Option<f64>,
}

/// Makes steps of the run for a part of a second, as many networks at a time as the run would train, and measures them. `None` for
/// a portfolio without a time limit: which of its networks it would train is not known.
///
/// # Errors
/// As [`Plan::trainer`].
pub fn forecast(plan: &Plan, folds: Option<&Folds>) -> Result<Option<Forecast>> {
    let is_portfolio = plan.portfolio.is_some();
    if is_portfolio && plan.config.stopping.deadline.is_none() {
        return Ok(None);
    }
    let networks = plan.config.members.max(folds.map_or(0, Folds::len));
    let sharing = share_threads(plan.flops_per_step(), networks, plan.threads_asked.min(available_threads()));
    let at_once = if networks == 1 || plan.config.threads.exact { 1 } else { sharing.at_once };
    let numbers: Vec<usize> = (0..at_once).collect();
    let measured = side_by_side(at_once, &numbers, |number| {
        let mut config = fold_config(plan);
        let mut network = match folds {
            Some(folds) => plan_of_fold(plan, folds, *number, config)?,
            None => {
                config.seed = plan.config.seed.wrapping_add(*number as u64);
                Plan::over(config, plan.prepared.clone())?
            }
        };
        if networks > 1 && !plan.config.threads.exact {
            network.threads = sharing.threads;
        }
        seconds_of_epoch(&network)
    });
    let measured: Vec<f64> = measured.into_iter().collect::<Result<_>>()?;
    let seconds_of_epoch = measured.iter().sum::<f64>() / at_once as f64;
    let steps_per_epoch = plan.steps_per_epoch() as f64;
    let stopping = &plan.config.stopping;
    let most = stopping.steps.map_or(f64::INFINITY, |steps| steps as f64 / steps_per_epoch);
    let epochs = most.min(plan.epochs as f64);
    // After folds that are not averaged, a network is trained on all rows.
    let last = usize::from(folds.is_some() && plan.config.members == 1);
    let turns = networks.div_ceil(at_once) + last;
    let copies = (COPIES * at_once * size_of::<Line>() * plan.parameters.lines.len()) as f64;
    // Later configurations of a portfolio may be larger.
    let peak_bytes = if is_portfolio { None } else { peak().map(|bytes| bytes + copies) };
    let left =
        stopping.deadline.map_or(f64::INFINITY, |end| end.saturating_duration_since(Instant::now()).as_secs_f64());
    let seconds = if is_portfolio { left } else { left.min(turns as f64 * epochs * seconds_of_epoch) };
    Ok(Some(Forecast { seconds, seconds_of_epoch, peak_bytes }))
}

/// Seconds of an epoch: those of its steps, and of the figures after it.
fn seconds_of_epoch(plan: &Plan) -> Result<f64> {
    let mut trainer = plan.trainer(plan.rows_per_step())?;
    make_steps(plan, &mut trainer, WARM_UP);
    let (before, began) = (trainer.steps(), Instant::now());
    make_steps(plan, &mut trainer, SAMPLE);
    let of_step = began.elapsed().as_secs_f64() / (trainer.steps() - before).max(1) as f64;
    let of_steps = of_step * plan.steps_per_epoch() as f64;
    Ok(seconds_of_augmentation(plan) + of_steps + seconds_of_figures(plan, &mut trainer))
}

/// Seconds of changing the rows of an epoch.
fn seconds_of_augmentation(plan: &Plan) -> f64 {
    let (augment, train) = (plan.config.augment, &plan.prepared.train);
    if augment.is_none() {
        return 0.0;
    }
    let (form, mut rows) = (plan.row_form(), None);
    augment.epoch(train, &form, (plan.config.seed, 1), &mut rows); // makes the copy
    let began = Instant::now();
    augment.epoch(train, &form, (plan.config.seed, 2), &mut rows);
    began.elapsed().as_secs_f64()
}

/// Makes steps for some time, one at least; a step that diverges ends it.
fn make_steps(plan: &Plan, trainer: &mut Trainer, time: Duration) {
    let (data, options) = (&plan.prepared.train, &plan.config.optimizer);
    let total = plan.steps_per_epoch().saturating_mul(plan.epochs as u64);
    let (first, end) = (trainer.steps(), Instant::now() + time);
    let is_over = |made: u64| made > first && Instant::now() >= end;
    while !is_over(trainer.steps()) {
        let (epoch, made) = (trainer.state.epochs() as u64, trainer.steps());
        let orders = data.orders((plan.config.seed, epoch), plan.config.shuffle, trainer.owners());
        trainer.epoch(&EpochPlan {
            own_orders: &orders.own,
            momentum: &|t| options.schedule.momentum(t - 1, total),
            stop: &is_over,
            ..EpochPlan::new(data, &orders.shared, (epoch, plan.rows_per_step()), &|t| {
                options.schedule.rate(options.spec.lr, t - 1, total)
            })
        });
        if trainer.steps() == made {
            return;
        }
    }
}

/// Seconds of the figures after an epoch: the running ones of the training part, and those of the validation part.
fn seconds_of_figures(plan: &Plan, trainer: &mut Trainer) -> f64 {
    let (scorer, train) = (plan.scorer(), &plan.prepared.train);
    let timed = |rows: usize, seconds: f64| seconds * rows as f64 / rows.clamp(1, MOST_EVALUATED) as f64;
    let rows: Vec<u32> = (0..train.rows().min(MOST_EVALUATED) as u32).collect();
    let began = Instant::now();
    let outputs = &trainer.running_outputs(rows.len())[..rows.len() * plan.architecture.outputs];
    scorer.figures(outputs, train, ScoredRows::Of(&rows), 0.0, Detail::Running);
    let mut seconds = timed(train.rows(), began.elapsed().as_secs_f64());
    if let Some(val) = &plan.prepared.val {
        let first: Vec<u32> = (0..val.rows().min(MOST_EVALUATED) as u32).collect();
        let part: Dataset = val.subset(&first);
        let began = Instant::now();
        let outputs = trainer.evaluate(&part).outputs;
        scorer.report(&outputs, &part, ScoredRows::All, None, Detail::Full);
        seconds += timed(val.rows(), began.elapsed().as_secs_f64());
    }
    seconds
}

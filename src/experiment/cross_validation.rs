//! K-fold cross-validation: estimates how good settings are with K networks, each evaluated on rows that it was not trained
//! on.

use std::sync::Arc;
use std::time::Instant;

use super::side_by_side::{share_of_time, share_threads, side_by_side};
use super::training::Training;
use crate::Result;
use crate::config::{BatchSize, TrainConfig};
use crate::data::Folds;
use crate::predict::Predictor;
use crate::run::{CrossValidation, Figures, Finished, Fold, Plan};
use crate::score::HeldOut;
use crate::train::team::available_threads;

/// Trains one network for each fold, small ones in parallel, with the settings of `whole`, the plan for all rows: its batch
/// size, number of epochs and seed. Each fold gives the same bits as if it were trained alone. Returns the figures; also the
/// networks if the run is an ensemble.
///
/// After a signal no further fold is begun. A time limit is divided evenly between the rounds of parallel folds and the
/// network for all rows.
///
/// # Errors
/// If a preprocessing cannot be fitted, or options do not fit the data.
pub(super) fn cross_validate_with(
    whole: &Plan,
    folds: &Folds,
    training: &Training<'_, Fold>,
) -> Result<(CrossValidation, Vec<Finished>)> {
    let threads = whole.threads_asked.min(available_threads());
    let sharing = share_threads(whole.flops_per_step(), folds.len(), threads);
    let exact = whole.config.threads.exact;
    // Only an ensemble keeps the networks; otherwise each is dropped after its evaluation.
    let keep = whole.config.members > 1;
    let numbers: Vec<usize> = (0..folds.len()).collect();
    let at_once = if exact { 1 } else { sharing.at_once };
    let began = Instant::now();
    let end = if keep { end_of_networks(whole, folds.len())? } else { whole.config.stopping.deadline };
    let turns = folds.len().div_ceil(at_once) + 1; // the last turn is for the network for all rows
    let done = side_by_side(at_once, &numbers, |number| {
        // An ensemble does without the folds for which no time is left.
        let is_late = keep && *number >= at_once && end.is_some_and(|end| end <= Instant::now());
        if (is_late || training.each.was_interrupted()) && !(keep && (training.each.begun)(*number)) {
            return Ok(None);
        }
        let mut config = fold_config(whole);
        config.stopping.deadline = end.map(|end| share_of_time(began, end, (number / at_once + 1, turns)));
        let mut plan = plan_of_fold(whole, folds, *number, config)?;
        if !exact {
            plan.threads = sharing.threads;
        }
        let of = plan.fold_of(*number, folds.repeat_of(*number));
        let Some(finished) = (training.each.train)(*number, &mut plan)? else { return Ok(None) };
        let held_out = held_out(&plan, &finished, folds.repeat_of(*number))?;
        let network = keep.then(|| finished.clone());
        let Finished { summary, curve, .. } = finished;
        let fold = summary.of_fold(of, curve);
        (training.over)(&fold);
        Ok(Some(TrainedFold { fold, held_out, network }))
    });
    let done: Result<Vec<Option<TrainedFold>>> = done.into_iter().collect();
    Ok(joined(done?.into_iter().flatten()))
}

/// When the last of several networks must end, so that the figures of their average are there at the end of the time limit.
pub(super) fn end_of_networks(whole: &Plan, networks: usize) -> Result<Option<Instant>> {
    let Some(end) = whole.config.stopping.deadline else { return Ok(None) };
    let mut trainer = whole.trainer(whole.rows_per_step())?;
    Ok(Some(whole.end_of_training(&mut trainer, Figures::OfModel(networks), end)))
}

/// The plan of the network that leaves out one fold. Networks that one model holds share the form and the preprocessing of
/// `whole`; otherwise the preprocessing is fitted to the rows of the other folds.
pub(super) fn plan_of_fold(whole: &Plan, folds: &Folds, number: usize, config: TrainConfig) -> Result<Plan> {
    if whole.config.members == 1 && whole.portfolio.is_none() {
        return Plan::over(config, Arc::new(folds.prepare(number)?));
    }
    let prepared = folds.prepare_with(number, &whole.prepared.preprocessing)?;
    Plan::over_as(&whole.architecture, config, Arc::new(prepared))
}

/// The figures of all folds, with the outputs that were held out, and the networks that were kept.
fn joined(done: impl Iterator<Item = TrainedFold>) -> (CrossValidation, Vec<Finished>) {
    let (mut over, mut networks, mut held_out) = (Vec::new(), Vec::new(), None::<HeldOut>);
    for trained in done {
        over.push(trained.fold);
        networks.extend(trained.network);
        match (&mut held_out, trained.held_out) {
            (Some(all), Some(fold)) => all.join(fold),
            (none, fold) => *none = none.take().or(fold),
        }
    }
    (CrossValidation { held_out, ..CrossValidation::new(over) }, networks)
}

/// The result of one fold.
struct TrainedFold {
    fold: Fold,
    held_out: Option<HeldOut>,
    network: Option<Finished>,
}

/// The outputs of a fold's network on the rows held out, if it made a step. Only for the first repeat, so that each row occurs once.
fn held_out(plan: &Plan, finished: &Finished, repeat: usize) -> Result<Option<HeldOut>> {
    let Some(val) = plan.prepared.val.as_ref().filter(|_| repeat == 0 && finished.summary.steps > 0) else {
        return Ok(None);
    };
    let mut predictor = Predictor::new(&finished.model, plan.config.threads.isa, plan.threads)?;
    Ok(Some(predictor.held_out(val)))
}

/// Runs a cross-validation and returns the plan for all rows. That plan stops after the median of the folds' best epochs,
/// since it has no validation part. Each fold has its own preprocessing.
///
/// # Errors
/// If a preprocessing cannot be fitted, or options do not fit the data.
pub fn with_cross_validation(mut whole: Plan, folds: &Folds, training: &Training<'_, Fold>) -> Result<Plan> {
    let (cv, _) = cross_validate_with(&whole, folds, training)?;
    whole.last_epoch = cv.usual_epoch();
    whole.cv = Some(cv);
    Ok(whole)
}

/// The settings of a fold. Values that were derived for all rows (epochs, patience, batch size) are the same in each fold.
/// Requirements on the result apply only to the whole run, so they are removed.
pub(super) fn fold_config(whole: &Plan) -> TrainConfig {
    let mut config = whole.config.clone();
    config.cv = None;
    config.members = 1;
    config.stopping.epochs = Some(whole.epochs);
    config.stopping.patience = Some(whole.patience());
    config.stopping.fail_under = None;
    if config.optimizer.batch.follows_rows() {
        config.optimizer.batch = BatchSize::Rows(whole.batch);
    }
    config
}

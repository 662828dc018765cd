//! Ensembles: several networks for the same task, trained in parallel and averaged by one model.

use std::sync::Arc;
use std::time::Instant;

use super::cross_validation::{cross_validate_with, end_of_networks, fold_config};
use super::side_by_side::{share_of_time, share_threads, side_by_side};
use super::training::Training;
use crate::Result;
use crate::data::Folds;
use crate::run::{EnsembleMember, Finished, Fold, Plan};
use crate::train::team::available_threads;

/// Trains the networks of the ensemble `whole`, small ones in parallel. All use the same rows and the same preprocessing.
/// Network `M` has the seed of the run plus `M`, which determines its initial weights, the order of its rows and its
/// dropout. So network 0 is the one that a run without an ensemble trains.
///
/// After a signal no further network is begun; those that were begun before an interruption are continued from where they
/// were, so that they count. A time limit is divided evenly between the rounds of parallel networks.
///
/// # Errors
/// If options do not fit the data.
pub fn train_ensemble(
    whole: &Plan,
    training: &Training<'_, EnsembleMember>,
) -> Result<Vec<(EnsembleMember, Finished)>> {
    let members = whole.config.members;
    let threads = whole.threads_asked.min(available_threads());
    let sharing = share_threads(whole.flops_per_step(), members, threads);
    let exact = whole.config.threads.exact;
    let at_once = if exact { 1 } else { sharing.at_once };
    let began = Instant::now();
    let end = end_of_networks(whole, members)?;
    let numbers: Vec<usize> = (0..members).collect();
    let done = side_by_side(at_once, &numbers, |number| {
        let is_late = *number >= at_once && end.is_some_and(|end| end <= Instant::now());
        if (is_late || training.each.was_interrupted()) && !(training.each.begun)(*number) {
            return Ok(None);
        }
        let mut config = fold_config(whole);
        config.seed = whole.config.seed.wrapping_add(*number as u64);
        let turns = (*number / at_once + 1, members.div_ceil(at_once));
        config.stopping.deadline = end.map(|end| share_of_time(began, end, turns));
        let mut plan = Plan::over(config, Arc::clone(&whole.prepared))?;
        if !exact {
            plan.threads = sharing.threads;
        }
        let Some(finished) = (training.each.train)(*number, &mut plan)? else { return Ok(None) };
        let member = EnsembleMember::new(*number, None, &finished);
        (training.over)(&member);
        Ok(Some((member, finished)))
    });
    let done: Result<Vec<Option<(EnsembleMember, Finished)>>> = done.into_iter().collect();
    Ok(done?.into_iter().flatten().collect())
}

/// Trains the folds of a cross-validation as the networks of an ensemble. All use the preprocessing of `whole`, so one model
/// can hold them. Returns the plan with the cross-validation, and the networks.
///
/// # Errors
/// As [`super::with_cross_validation`].
pub fn ensemble_of_folds(
    mut whole: Plan,
    folds: &Folds,
    training: &Training<'_, Fold>,
) -> Result<(Plan, Vec<(EnsembleMember, Finished)>)> {
    let (cv, networks) = cross_validate_with(&whole, folds, training)?;
    whole.cv = Some(cv);
    let member =
        |(number, finished): (usize, Finished)| (EnsembleMember::new(number, Some(number + 1), &finished), finished);
    Ok((whole, networks.into_iter().enumerate().map(member).collect()))
}

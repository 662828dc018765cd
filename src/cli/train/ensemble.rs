//! `train --ensemble`: several networks, one model.

use gradlane::Result;
use gradlane::data::Folds;
use gradlane::experiment::{NetworkTraining, Training, ensemble_of_folds, train_ensemble};
use gradlane::run::{EnsembleMember, Finished, Plan};

use super::folds;
use super::watch::Watch;

/// Trains the networks; returns them and the plan with its cross-validation, if there is one.
///
/// # Errors
/// Options that do not fit the data.
pub fn trained(
    plan: Plan,
    of_folds: Option<&Folds>,
    each: NetworkTraining<'_>,
    watch: &Watch,
) -> Result<(Plan, Vec<(EnsembleMember, Finished)>)> {
    match of_folds {
        Some(of_folds) => ensemble_of_folds(plan, of_folds, &Training { each, over: &|fold| folds::over(watch, fold) }),
        None => {
            let over = |member: &EnsembleMember| watch.is_over(&member.event(), |seen, of| ended(member, seen, of));
            let trained = train_ensemble(&plan, &Training { each, over: &over })?;
            Ok((plan, trained))
        }
    }
}

fn ended(member: &EnsembleMember, seen: usize, of: usize) -> String {
    let how = folds::cut_short(member.stopped);
    format!("network {} is over, {seen} of {of}: best epoch {}{how}", member.member, member.best_epoch)
}

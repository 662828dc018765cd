//! A run of several networks: an ensemble, or the folds of a cross-validation followed by a network on all rows.

use std::path::Path;

use gradlane::Error;
use gradlane::data::Folds;
use gradlane::experiment::NetworkTraining;
use gradlane::path_text::to_text;
use gradlane::run::{Checkpoint, EnsembleMember, Finished, Interrupt, Networks, Plan, RunDirectory};

use super::super::exit::{Failure, Outcome};
use super::super::message;
use super::super::progress::{RunProgress, Style};
use super::super::shell::quoted_path;
use super::watch::Watch;
use super::{ensemble, folds, portfolio, told};

/// Trains the networks in a directory that has been begun, from their checkpoints if there are some, and prints the report.
///
/// # Errors
/// Those of training, and the signal that ended it.
pub fn run(
    plan: Plan,
    of_folds: Option<&Folds>,
    (directory, checkpoint): (RunDirectory, Option<Checkpoint>),
    interrupt: &Interrupt,
    (style, json): (Style, bool),
) -> Outcome {
    if let Some(of_folds) = of_folds.filter(|_| plan.portfolio.is_some()) {
        return portfolio::run(plan, of_folds, directory, interrupt, (style, json));
    }
    let path = directory.path().to_path_buf();
    let networks = Networks::open(&plan, &directory, interrupt)?;
    let resumable = plan.config.output.checkpoint_every.is_some();
    let goes_on = checkpoint.is_some() || networks.go_on();
    let watch = Watch::new(style, &plan, of_folds.map_or(plan.config.members, Folds::len));
    let train = |number: usize, plan: &mut Plan| {
        networks.train(number, plan, &mut |event| watch.observe(number, event)).map(Some)
    };
    let each = NetworkTraining { signal: interrupt.number(), train: &train, begun: &|number| networks.begun(number) };
    let trained = trained(plan, of_folds, each, &watch, json);
    let (plan, several) = match trained {
        Ok(trained) => trained,
        Err(failure) => {
            watch.finish(None);
            let by_signal = matches!(failure, Failure::Signal(_));
            if goes_on || resumable && by_signal {
                directory.leave();
                by_signal.then(|| tell_of_resume(&path));
            } else {
                directory.withdraw();
            }
            return Err(failure);
        }
    };
    let finished = match several {
        Some(trained) => {
            let finished = plan.run_ensemble(directory, (networks, trained), interrupt);
            watch.finish(finished.as_ref().ok().map(|finished| finished.summary.end_event()));
            finished.inspect_err(|error| say_how_to_go_on(error, goes_on, &path))?
        }
        None => {
            watch.finish(None);
            let mut progress = RunProgress::new(style, &plan);
            let networks = (networks, checkpoint.as_ref());
            let finished = plan.run_after_folds(directory, networks, interrupt, &mut |event| progress.observe(event));
            progress.finish(finished.as_ref().ok().map(|finished| finished.summary.end_event()));
            finished?
        }
    };
    told(&plan, &finished, &path, json)
}

/// Says how to go on after a signal that came before a step, if there is something to go on from.
pub fn say_how_to_go_on(error: &Error, goes_on: bool, path: &Path) {
    if goes_on && matches!(error.kind(), Error::Interrupted(_)) {
        tell_of_resume(path);
    }
}

fn tell_of_resume(path: &Path) {
    message::note(&format!("go on with: gradlane resume {}", quoted_path(&to_text(path))));
}

/// The networks of an ensemble, trained.
pub type Ensemble = Vec<(EnsembleMember, Finished)>;

/// Trains the networks of a plan: those of an ensemble, or none if a network on all rows follows the folds. The plan contains
/// the cross-validation, if there is one.
///
/// # Errors
/// Those of training, and a signal that ended the folds.
pub fn trained(
    plan: Plan,
    of_folds: Option<&Folds>,
    each: NetworkTraining<'_>,
    watch: &Watch,
    json: bool,
) -> Outcome<(Plan, Option<Ensemble>)> {
    match of_folds.filter(|_| plan.config.members == 1) {
        Some(of_folds) => Ok((folds::validated(plan, of_folds, each, watch, json)?, None)),
        None => {
            let (plan, trained) = ensemble::trained(plan, of_folds, each, watch)?;
            Ok((plan, Some(trained)))
        }
    }
}

/// Continues a run of several networks.
///
/// # Errors
/// As [`run`].
pub fn resume(
    plan: Plan,
    of_folds: Option<&Folds>,
    (mut directory, checkpoint): (RunDirectory, Option<Checkpoint>),
    interrupt: &Interrupt,
    how: (Style, bool),
) -> Outcome {
    if checkpoint.is_none() {
        directory.cut_to_start()?;
    }
    run(plan, of_folds, (directory, checkpoint), interrupt, how)
}

//! `train --ensemble`: several networks, one model.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::time::Instant;

use gradlane::Result;
use gradlane::data::Folds;
use gradlane::experiment::{ensemble_of_folds, train_ensemble};
use gradlane::run::{Finished, Interrupt, Member, Plan, RunDirectory, new_directory};

use super::super::exit::Outcome;
use super::super::message;
use super::super::progress::Style;
use super::{folds, outcome, report};

/// Trains the networks, and writes the run directory.
///
/// # Errors
/// Those of training, and the signal that ended it.
pub fn run(
    plan: Plan,
    of_folds: Option<&Folds>,
    (out, overwrite): (Option<PathBuf>, bool),
    interrupt: &Interrupt,
    (style, json): (Style, bool),
) -> Outcome {
    let signal = interrupt.number();
    let out = out.map_or_else(|| new_directory(""), Ok)?;
    let directory = RunDirectory::create(&out, overwrite)?;
    let began = Instant::now();
    let (plan, trained) = trained(plan, of_folds, signal, style)?;
    let finished = plan.run_ensemble(directory, trained, (began.elapsed().as_secs_f64(), interrupt))?;
    message::warn(&finished.summary.warnings[plan.prepared.warnings.len()..]);
    let reported = report(&plan, &finished, &out, json);
    outcome(&plan, &finished).and(reported)
}

/// The networks, trained, and the plan with its cross-validation, if there is one.
///
/// # Errors
/// Options that do not fit the data.
pub fn trained(
    plan: Plan,
    of_folds: Option<&Folds>,
    signal: &AtomicUsize,
    style: Style,
) -> Result<(Plan, Vec<(Member, Finished)>)> {
    match of_folds {
        Some(of_folds) => {
            let over = folds::teller(style, of_folds.len());
            ensemble_of_folds(plan, of_folds, signal, &|fold| over(fold))
        }
        None => {
            let (seen, of) = (Mutex::new(0), plan.config.members);
            let trained = train_ensemble(&plan, signal, &|member| {
                let mut seen = seen.lock().unwrap_or_else(|e| e.into_inner());
                *seen += 1;
                match style {
                    Style::None => {}
                    Style::Json => message::event(&member.event()),
                    Style::Bar | Style::Plain => message::note(&ended(member, *seen, of)),
                }
            })?;
            Ok((plan, trained))
        }
    }
}

fn ended(member: &Member, seen: usize, of: usize) -> String {
    let how = folds::cut_short(member.stopped);
    format!("network {} is over, {seen} of {of}: best epoch {}{how}", member.member, member.best_epoch)
}

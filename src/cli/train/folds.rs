//! The folds of `train --cv`.

use std::sync::atomic::Ordering;

use gradlane::data::Folds;
use gradlane::experiment::{NetworkTraining, Training, with_cross_validation};
use gradlane::metrics::{MetricName, MetricSet};
use gradlane::run::{CrossValidation, Fold, Plan};
use serde_json::Value;

use super::super::exit::{Failure, Outcome};
use super::super::judged;
use super::super::message;
use super::super::output::print;
use super::super::table;
use super::watch::Watch;

/// Trains the folds, and returns the plan for all rows.
///
/// # Errors
/// Those of training, and the signal that ended it, after the finished folds have been shown.
pub fn validated(plan: Plan, folds: &Folds, each: NetworkTraining<'_>, watch: &Watch, json: bool) -> Outcome<Plan> {
    let metric = plan.config.stopping.monitor.map(|monitor| monitor.metric);
    let plan = with_cross_validation(plan, folds, &Training { each, over: &|fold| over(watch, fold) })?;
    let number = each.signal.load(Ordering::Relaxed);
    if number == 0 {
        return Ok(plan);
    }
    let over: Vec<Fold> = plan.cv.into_iter().flat_map(|cv| cv.folds).filter(|fold| fold.stopped != "signal").collect();
    watch.finish(None);
    message::note(&format!("interrupted: {} of {} folds are over", over.len(), folds.len()));
    if !json && !over.is_empty() {
        print(&readable(&CrossValidation::new(over), metric))?;
    }
    Err(Failure::Signal(number))
}

/// Shows that a fold is finished. Its figures are known only when all folds are, since the others decide the epoch that they
/// belong to.
pub fn over(watch: &Watch, fold: &Fold) {
    watch.is_over(&without_figures(fold), |seen, of| ended(fold, seen, of));
}

fn without_figures(fold: &Fold) -> Value {
    let mut event = fold.event();
    if let Some(fields) = event.as_object_mut() {
        fields.shift_remove("val");
        fields.shift_remove("judged_epoch");
    }
    event
}

/// The text for a network that was not trained to its end.
pub(super) fn cut_short(stopped: &str) -> &'static str {
    match stopped {
        "diverged" => ", diverged",
        "signal" => ", interrupted",
        _ => "",
    }
}

fn ended(fold: &Fold, seen: usize, of: usize) -> String {
    let how = cut_short(fold.stopped);
    format!("fold {} is over, {seen} of {of}: best epoch {}{how}", fold.fold, fold.best_epoch)
}

/// `5 folds`, or `5 folds, 3 times`.
pub fn counted_folds(folds: usize, repeats: usize) -> String {
    if repeats > 1 { format!("{folds} folds, {repeats} times") } else { format!("{folds} folds") }
}

/// Figures in the table; JSON has all.
const SHOWN: [MetricName; 9] = [
    MetricName::Loss,
    MetricName::Accuracy,
    MetricName::F1,
    MetricName::Auroc,
    MetricName::Mcc,
    MetricName::Rmse,
    MetricName::Mae,
    MetricName::R2,
    MetricName::Mape,
];

/// The folds in rows, then mean, standard deviation and half the 95 % interval of the mean.
pub fn readable(cv: &CrossValidation, monitor: Option<MetricName>) -> String {
    let names: Vec<MetricName> =
        cv.mean.iter().map(|(name, _)| name).filter(|name| SHOWN.contains(name) || monitor == Some(*name)).collect();
    let words = ["fold", "rows", "best epoch", "judged after"].map(str::to_owned);
    let header: Vec<String> = words.into_iter().chain(names.iter().map(ToString::to_string)).collect();
    let figures = |set: &MetricSet| names.iter().map(|name| table::figure(set.get(*name))).collect::<Vec<_>>();
    let row = |first: [String; 4], set: &MetricSet| first.into_iter().chain(figures(set)).collect::<Vec<String>>();
    let mut rows: Vec<Vec<String>> = Vec::new();
    let repeats = cv.folds.iter().map(|fold| fold.repeat).max().unwrap_or(1);
    for fold in &cv.folds {
        let how = if fold.stopped == "diverged" { " (diverged)" } else { "" };
        let first = [
            format!("{}{how}", fold.fold),
            fold.val_rows.to_string(),
            fold.best_epoch.to_string(),
            fold.judged_epoch.to_string(),
        ];
        rows.push(row(first, &fold.val));
    }
    for (name, set) in [("mean", &cv.mean), ("sd", &cv.std), ("± 95 %", &cv.interval)] {
        rows.push(row([name.to_owned(), String::new(), String::new(), String::new()], set));
    }
    let undefined = |name: &&MetricName| cv.mean.get(**name).is_none();
    let reasons = judged::explained(names.iter().filter(undefined).copied());
    let folds = counted_folds(cv.folds.len() / repeats, repeats);
    format!("\ncross-validation, {folds}\n{}{reasons}", table::plain(&header, &rows))
}

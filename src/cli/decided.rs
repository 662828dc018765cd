//! The decisions of a model after training, in words.

use gradlane::data::Target;
use gradlane::model::{Decision, RowsOf};
use gradlane::run::RunSummary;

use super::table::counted;
use super::table::figure;

/// A line each for temperature and threshold, if the model has them: a label and a text.
pub fn choices(decision: &Decision, target: &Target) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    if let Some(of) = &decision.calibration {
        let (before, after) = (figure(Some(of.log_loss_before)), figure(Some(of.log_loss)));
        let rows = counted(of.rows as u64, "row");
        let temperature = figure(Some(of.temperature));
        facts.push(("calibrated", format!("temperature {temperature} (log_loss of {rows}: {before} → {after})")));
    }
    facts.extend(threshold(decision, target).map(|text| ("threshold", text)));
    facts
}

/// The same, and the basis of intervals.
pub fn facts(decision: &Decision, target: &Target) -> Vec<(&'static str, String)> {
    let mut facts = choices(decision, target);
    if let Some(of) = &decision.residuals {
        let (rows, part) = (counted(of.rows as u64, "row"), name_of(of.of));
        facts.push(("intervals", format!("by the residuals of {rows} of {part}")));
    }
    facts
}

/// When the positive class is predicted, if the threshold is not a half.
pub fn threshold(decision: &Decision, target: &Target) -> Option<String> {
    let of = decision.threshold.as_ref()?;
    let positive = target.classes.get(1)?;
    let why = match (of.metric, of.rows) {
        (Some(metric), Some(rows)) => format!(" (best {metric} on {})", counted(rows as u64, "row")),
        _ => String::new(),
    };
    Some(format!("\"{positive}\" above probability {}{why}", figure(Some(of.value))))
}

/// The name of the rows of residuals.
pub fn name_of(rows: RowsOf) -> &'static str {
    match rows {
        RowsOf::Test => "the test part",
        RowsOf::Folds => "the folds",
        RowsOf::Validation => "the validation part",
    }
}

/// The name of the rows that chose epochs, weights and so on.
pub fn name_of_held_out(summary: &RunSummary) -> &'static str {
    if summary.configurations.is_empty() { "validation" } else { "out of fold" }
}

/// A line about figures that are optimistic, because the validation rows chose something.
pub fn optimism(summary: &RunSummary) -> String {
    let rows = name_of_held_out(summary);
    match summary.val_chose.as_slice() {
        [] => String::new(),
        [one] => format!("{rows}: optimistic, as these rows chose the {one}\n"),
        [rest @ .., last] => format!("{rows}: optimistic, as these rows chose {} and {last}\n", rest.join(", ")),
    }
}

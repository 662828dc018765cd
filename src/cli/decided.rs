//! What a model decided after training, in words.

use gradlane::data::Target;
use gradlane::model::{Decision, RowsOf};
use gradlane::run::Summary;

use super::table::counted;
use super::table::figure;

/// A line each for temperature and threshold, where there are such: what it is called, and what is said of it.
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

/// The same, and what intervals rest on.
pub fn facts(decision: &Decision, target: &Target) -> Vec<(&'static str, String)> {
    let mut facts = choices(decision, target);
    if let Some(of) = &decision.residuals {
        let (rows, part) = (counted(of.rows as u64, "row"), name_of(of.of));
        facts.push(("intervals", format!("by the residuals of {rows} of {part}")));
    }
    facts
}

/// When the positive class is said, where that is not from a half on.
pub fn threshold(decision: &Decision, target: &Target) -> Option<String> {
    let of = decision.threshold.as_ref()?;
    let positive = target.classes.get(1)?;
    let why = match (of.metric, of.rows) {
        (Some(metric), Some(rows)) => format!(" (best {metric} on {})", counted(rows as u64, "row")),
        _ => String::new(),
    };
    Some(format!("\"{positive}\" above probability {}{why}", figure(Some(of.value))))
}

/// What the rows of residuals are called.
pub fn name_of(rows: RowsOf) -> &'static str {
    match rows {
        RowsOf::Test => "the test part",
        RowsOf::Folds => "the folds",
        RowsOf::Validation => "the validation part",
    }
}

/// What the rows are called by which epochs, weights and the like were chosen.
pub fn name_of_held_out(summary: &Summary) -> &'static str {
    if summary.configurations.is_empty() { "validation" } else { "out of fold" }
}

/// A line about figures that the validation rows flatter, since they chose something.
pub fn optimism(summary: &Summary) -> String {
    let rows = name_of_held_out(summary);
    match summary.val_chose.as_slice() {
        [] => String::new(),
        [one] => format!("{rows}: optimistic, as these rows chose the {one}\n"),
        [rest @ .., last] => format!("{rows}: optimistic, as these rows chose {} and {last}\n", rest.join(", ")),
    }
}

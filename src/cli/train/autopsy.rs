//! The report on a run that diverged.

use gradlane::fit::event_of;
use gradlane::run::{Autopsy, LargestGradient, TriedChange};

use super::super::message;
use super::super::table::{counted, figure};

/// Prints the result of an autopsy, as lines of text or as one event.
pub fn tell(autopsy: &Autopsy) {
    if message::is_json() {
        message::event(&event_of("divergence", autopsy));
    } else {
        lines(autopsy).iter().for_each(|line| message::line(line));
    }
}

fn lines(autopsy: &Autopsy) -> Vec<String> {
    let Autopsy { epoch, step, loss, grad_norm, tensor, largest, .. } = autopsy;
    let mut lines = vec![match (loss, grad_norm) {
        (Some(loss), None) => {
            format!("diverged in epoch {epoch}, step {step}: loss {loss:.4}, its gradient is not finite")
        }
        (None, _) => format!("diverged in epoch {epoch}, step {step}: the loss or the new weights are not finite"),
        (Some(loss), Some(norm)) => {
            format!("diverged in epoch {epoch}, step {step}: loss {loss:.4}, gradient {norm:.3e}")
        }
    }];
    let rows: Vec<String> = autopsy.rows.iter().map(u32::to_string).collect();
    let more = if autopsy.rows_of_batch > rows.len() { ", …" } else { "" };
    if !rows.is_empty() {
        lines.push(format!("  batch      {}: {}{more}", counted(autopsy.rows_of_batch as u64, "row"), rows.join(", ")));
    }
    if let Some(layer) = &autopsy.layer {
        lines.push(format!("  layer      {layer} is the first whose values single precision cannot hold"));
    }
    lines.push(format!("  weights    the largest is in {tensor}: {largest:.3e}"));
    if let Some(LargestGradient { tensor, size, row }) = &autopsy.largest_gradient {
        lines.push(format!("  gradient   the largest is by {tensor}, of row {row}: {size:.3e}"));
    }
    if !autopsy.before.is_empty() {
        let norms: Vec<String> = autopsy.before.iter().map(|before| format!("{:.2e}", before.grad_norm)).collect();
        lines.push(format!("  before     norms of the gradients: {}", norms.join(", ")));
    }
    for (n, cause) in autopsy.causes.iter().enumerate() {
        lines.push(format!("  {:<10} {}. {cause}", if n == 0 { "causes" } else { "" }, n + 1));
    }
    for (n, tried) in autopsy.tried.iter().enumerate() {
        lines.push(format!("  {:<10} {}", if n == 0 { "tried" } else { "" }, result(tried)));
    }
    lines
}

fn result(tried: &TriedChange) -> String {
    let TriedChange { change, steps, loss_before, loss_after, helped } = tried;
    let steps = counted(*steps, "step");
    match loss_after {
        None => format!("{change}: diverged too, after {steps}"),
        Some(after) => {
            let verdict = if *helped { "helps" } else { "does not help" };
            let (before, after) = (figure(Some(*loss_before)), figure(Some(*after)));
            format!("{change}: {verdict}, loss {before} → {after} in {steps}")
        }
    }
}

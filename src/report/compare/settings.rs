//! What was searched and what was chosen.

use maud::{Markup, html};

use crate::experiment::compare::records::OptimizerRecord;
use crate::experiment::compare::summary::{BestTrial, Summary};
use crate::experiment::compare::{Grouped, figure};
use crate::report::page::{table, texts};

pub(super) fn section(grouped: &Grouped<'_>, summary: &Summary) -> Markup {
    let protocol = grouped.protocol;
    let spaces: Vec<Vec<String>> = protocol.optimizers.iter().flat_map(space_rows).collect();
    html! {
        h2 { "Settings and spaces" }
        p {
            "Each optimizer was tuned on each problem with " (protocol.trials) " trials, spread evenly over the logarithm of \
             every dimension, and the trial with the lowest final validation loss was run again with " (protocol.seeds)
            " fresh seeds, and so were the optimizer's own defaults. At each number of a trial and at each seed all optimizers \
             begin with the same weights and see the rows in the same order, for the same number of steps."
        }
        (table("What was searched", &texts(&["optimizer", "defaults", "dimension", "from", "to"]), &spaces, &[1, 2]))
        (table(
            "What was chosen; an asterisk marks a value on an edge of its space",
            &texts(&["optimizer", "problem", "trial", "schedule", "values", "validation loss", "trials diverged"]),
            &chosen_rows(summary),
            &[1, 3, 4],
        ))
    }
}

fn space_rows(optimizer: &OptimizerRecord) -> Vec<Vec<String>> {
    let row = |dimension: &str, from: String, to: String| {
        vec![optimizer.name.clone(), optimizer.spec.clone(), dimension.to_owned(), from, to]
    };
    let dimensions =
        optimizer.space.iter().map(|d| row(&d.name, figure(Some(d.low)), figure(Some(d.high)))).collect::<Vec<_>>();
    [dimensions, vec![row("schedule", optimizer.schedules.join(", "), String::new())]].concat()
}

fn chosen_rows(summary: &Summary) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for (number, optimizer) in summary.optimizers.iter().enumerate() {
        for problem in &summary.problems {
            let result = &problem.results[number];
            let Some(best) = &result.best else { continue };
            rows.push(vec![
                optimizer.name.clone(),
                problem.name.clone(),
                (best.number + 1).to_string(),
                best.schedule.clone(),
                values(best),
                figure(best.val_loss),
                format!("{}/{}", result.diverged_trials, result.trials),
            ]);
        }
    }
    rows
}

/// `lr=0.03*, eps=1e-6`.
fn values(best: &BestTrial) -> String {
    let value = |(name, value): (&String, &f64)| {
        let edge = if best.edges.contains(name) { "*" } else { "" };
        format!("{name}={}{edge}", figure(Some(*value)))
    };
    best.values.iter().map(value).collect::<Vec<_>>().join(", ")
}

//! What was searched and what was chosen.

use maud::{Markup, html};

use crate::experiment::compare::records::OptimizerRecord;
use crate::experiment::compare::summary::{Chosen, ProblemResult, Summary};
use crate::experiment::compare::{Grouped, figure};
use crate::report::page::{table, texts};

pub(super) fn section(grouped: &Grouped<'_>, summary: &Summary) -> Markup {
    let protocol = grouped.protocol;
    let terms = protocol.terms;
    let spaces: Vec<Vec<String>> = protocol.optimizers.iter().flat_map(space_rows).collect();
    html! {
        h2 { "Settings and spaces" }
        p {
            "A study tries " (terms.trials) " settings: the optimizer's defaults, and points spread evenly over the logarithm of every \
             dimension. The best " (terms.finalist_count()) " by validation loss are run on " (terms.repeats)
            " more seeds each, and the one with the least mean is trained on " (terms.seeds) " fresh seeds. Each optimizer has "
            (terms.studies) " studies on each problem, with points and seeds of their own. Every run has the same number of steps, \
             and the step with the least validation loss counts. Regularisation is the same for all: none but that choice, and what \
             an optimizer's own rule does by default."
        }
        (table("What was searched", &texts(&["optimizer", "defaults", "dimension", "from", "to"]), &spaces, &[1, 2]))
        (table(
            "What was chosen; an asterisk marks a value on an edge of its space",
            &texts(&["optimizer", "problem", "study", "trial", "schedule", "values", "validation loss", "trials diverged"]),
            &chosen_rows(summary),
            &[1, 4, 5],
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
    let of = |problem: &str, result: &ProblemResult| -> Vec<Vec<String>> {
        let row = |chosen: &Chosen| {
            vec![
                result.optimizer.clone(),
                problem.to_owned(),
                (chosen.study + 1).to_string(),
                chosen.trial.to_string(),
                chosen.schedule.clone(),
                values(chosen),
                figure(chosen.val_loss),
                format!("{}/{}", result.diverged_trials, result.trials),
            ]
        };
        result.chosen.iter().map(row).collect()
    };
    let by_optimizer = (0..summary.optimizers.len()).flat_map(|number| {
        summary.problems.iter().flat_map(move |problem| of(&problem.name, &problem.results[number]))
    });
    by_optimizer.collect()
}

/// `lr=0.03*, eps=1e-6`, or that it is the defaults.
fn values(chosen: &Chosen) -> String {
    if chosen.trial == 0 {
        return "the defaults".to_owned();
    }
    let value = |(name, value): (&String, &f64)| {
        let edge = if chosen.edges.contains(name) { "*" } else { "" };
        format!("{name}={}{edge}", figure(Some(*value)))
    };
    chosen.values.iter().map(value).collect::<Vec<_>>().join(", ")
}

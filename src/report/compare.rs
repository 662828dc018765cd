//! The report of a comparison of optimizers: one page that can be sent around.

mod curves;
mod pairs;
mod pooled;
mod sensitivity;
mod settings;
#[cfg(test)]
mod tests;

use maud::{Markup, html};

use super::page::{page, table, texts};
use crate::Result;
use crate::experiment::compare::records::Record;
use crate::experiment::compare::summary::{FinalRuns, ProblemResult, Summary};
use crate::experiment::compare::{Grouped, count, figure, interval, summary_tables};

/// The report as HTML that asks for nothing from the network. The same records give the same bytes.
///
/// # Errors
/// [`crate::Error::Mismatch`] where the records do not belong together.
pub fn report_html(records: &[Record], summary: &Summary) -> Result<String> {
    let grouped = Grouped::new(records)?;
    let names: Vec<&str> = summary.optimizers.iter().map(|optimizer| optimizer.name.as_str()).collect();
    let title = format!("{}: optimizers compared", names.join(", "));
    let body = html! {
        (first_screen(&grouped, summary))
        main {
            section #pairs { (pairs::section(summary)) }
            section #pooled { (pooled::section(&grouped, summary)) }
            section #curves { (curves::section(&grouped, summary)) }
            section #sensitivity { (sensitivity::section(summary)) }
            section #problems { (problems(&grouped, summary)) }
            section #settings { (settings::section(&grouped, summary)) }
            section #repeat { (repeat(&grouped)) }
        }
    };
    Ok(page(&title, &body))
}

fn first_screen(grouped: &Grouped<'_>, summary: &Summary) -> Markup {
    let protocol = grouped.protocol;
    let overall = &summary_tables(summary)[0];
    html! {
        header {
            h1 { "Which optimizer is better?" }
            p.soft {
                (count(protocol.optimizers.len(), "optimizer")) " on " (count(protocol.problems.len(), "problem")) "; "
                (if protocol.terms.studies == 1 { "1 study".to_owned() } else { format!("{} studies", protocol.terms.studies) })
                " of " (count(protocol.terms.runs_of_study(), "run")) " each"
                @if protocol.quick { " (the quick form)" }
                "; gradlane " (protocol.version)
            }
            div.side.first {
                div {
                    div.verdict { @for sentence in summary.verdict.lines() { p { (sentence) } } }
                    (warnings(summary))
                }
                div {
                    (table("Over all problems", &overall.header, &overall.rows, &overall.words))
                    p.note {
                        "A study is one whole search for one optimizer on one problem. Normalised loss: interquartile mean of the \
                         test losses of all studies, 0 the best study of any optimizer on a problem, 1 the one in the middle. \
                         Better than, worse than: verdicts against the others. Speed score: 1 if an optimizer always needs the fewest \
                         steps to the target. In brackets, for description, where 95 % of resamples of the studies lie."
                    }
                    h3 { "What this cannot show" }
                    ul { @for caveat in &summary.caveats { li { (caveat) } } }
                }
            }
            nav aria-label="Sections" {
                a href="#pairs" { "Pairs" }
                a href="#pooled" { "All problems" }
                a href="#curves" { "Loss curves" }
                a href="#sensitivity" { "Learning rates" }
                a href="#problems" { "Each problem" }
                a href="#settings" { "Settings" }
                a href="#repeat" { "How to repeat it" }
            }
        }
    }
}

/// All warnings, in the open: a verdict is not to be read without them.
fn warnings(summary: &Summary) -> Markup {
    html! {
        @if !summary.warnings.is_empty() {
            div.warn {
                strong { (count(summary.warnings.len(), "warning")) ": what may be wrong with this comparison" }
                ul { @for warning in &summary.warnings { li { (warning) } } }
            }
        }
    }
}

fn problems(grouped: &Grouped<'_>, summary: &Summary) -> Markup {
    html! {
        h2 { "Each problem" }
        p.note {
            "Medians over studies, from six of them on with intervals of 95 % between two of the values, not corrected for their \
             number. Losses and scores are those at the step with the least validation loss. A run that diverged counts as \
             infinite, ∞. Seconds are steps times the cost of one, measured alone; their range is from the first quartile of both to \
             the third."
        }
        @for (number, record) in grouped.problems() {
            @let problem = &summary.problems[number];
            h3 { (record.name) }
            div.side { p {
                (record.description) ". Family: " (record.family.name()) ". Rows: " (record.rows[0]) " for training, " (record.rows[1]) " for validation, "
                (record.rows[2]) " for test. Network: " (widths(&record.layers)) "; " (record.steps) " steps of "
                (record.batch) " rows. "
                @match problem.target {
                    Some(target) => { "Target: validation loss " (figure(Some(target))) " (" (problem.target_source) ")." }
                    None => "There is no target.",
                }
            }
            div {
                (results(&record.name, &record.score, &problem.results))
                (to_target(&record.name, &problem.results))
            } }
        }
    }
}

fn widths(layers: &[usize]) -> String {
    layers.iter().map(usize::to_string).collect::<Vec<_>>().join("-")
}

fn results(problem: &str, score: &str, results: &[ProblemResult]) -> Markup {
    let rows: Vec<Vec<String>> = results
        .iter()
        .flat_map(|result| {
            let row = |what: &str, runs: &FinalRuns| {
                vec![
                    result.optimizer.clone(),
                    what.to_owned(),
                    interval(&runs.val_loss),
                    interval(&runs.test_loss),
                    if runs.test_score.value.is_none() { "–".to_owned() } else { interval(&runs.test_score) },
                    figure(runs.last_test_loss.value),
                    figure(runs.train_loss.value),
                    format!("{}/{}", runs.diverged, runs.runs),
                ]
            };
            [row("tuned", &result.tuned), row("untuned", &result.untuned)]
        })
        .collect();
    let score = format!("test {score}");
    let header = texts(&[
        "optimizer",
        "setting",
        "validation loss",
        "test loss",
        &score,
        "test loss, last step",
        "training loss",
        "diverged",
    ]);
    table(&format!("Figures on {problem}"), &header, &rows, &[1])
}

fn to_target(problem: &str, results: &[ProblemResult]) -> Markup {
    let range = |[low, high]: [Option<f64>; 2]| format!("{}–{}", figure(low), figure(high));
    let row = |result: &ProblemResult| {
        let to = &result.to_target;
        let seconds = match to.seconds {
            Some(seconds) => format!("{} ({})", figure(Some(seconds)), range(to.seconds_quartiles)),
            None => "∞".to_owned(),
        };
        vec![
            result.optimizer.clone(),
            format!("{}/{}", to.hits, to.of),
            if to.hits == 0 { figure(None) } else { format!("{} ({})", figure(to.steps), range(to.quartiles)) },
            figure(to.samples),
            to.step_us.map_or("–".to_owned(), |us| figure(Some(us))),
            seconds,
        ]
    };
    let header = texts(&["optimizer", "reached", "steps (quartiles)", "samples", "µs a step", "seconds (quartiles)"]);
    table(&format!("To the target on {problem}, tuned"), &header, &results.iter().map(row).collect::<Vec<_>>(), &[])
}

fn repeat(grouped: &Grouped<'_>) -> Markup {
    let protocol = grouped.protocol;
    html! {
        h2 { "How to repeat it" }
        pre { code { (protocol.command) } }
        p { "Made by gradlane " (protocol.version) " on " (protocol.machine) ". All figures but times come out the same." }
        p {
            "Every run is a line of runs.jsonl beside this page; gradlane compare --from DIR makes the page from it again, byte \
             for byte. The formulas and their sources are in docs/compare.md of gradlane's source."
        }
    }
}

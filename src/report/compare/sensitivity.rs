//! How much the learning rate matters.

use maud::{Markup, html};

use crate::experiment::compare::figure;
use crate::experiment::compare::records::searched_rate;
use crate::experiment::compare::summary::{ProblemResult, ProblemSummary, Summary};
use crate::report::page::{self, texts};
use crate::report::{AxisScale, Chart, ChartAxis, Series};
use crate::statistics::median;

/// Losses beyond so many times the median stand on the upper edge: one wild trial must not flatten the rest.
const FAR: f64 = 30.0;

pub(super) fn section(summary: &Summary) -> Markup {
    html! {
        h2 { "How much the learning rate matters" }
        p {
            "Least validation loss of every trial but the defaults against its learning rate, with momentum the effective one, \
             lr / (1 − momentum). Other hyperparameters and the schedule differ from \
             trial to trial, so points scatter; from 15 trials on, a line is the median of nine neighbours. A cross on the upper edge is a \
             trial that diverged."
        }
        div.charts { @for (number, record) in summary.problems.iter().enumerate() { (problem(number, record)) } }
    }
}

fn problem(number: usize, record: &ProblemSummary) -> Markup {
    let points = || record.results.iter().flat_map(|result| &result.sensitivity);
    let finite: Vec<f64> = points().filter_map(|point| point.val_loss).collect();
    let scale = if finite.iter().all(|loss| *loss > 0.0) { AxisScale::Log } else { AxisScale::Linear };
    let least = finite.iter().copied().fold(f64::INFINITY, f64::min);
    let most = finite.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let far = median(&finite).map(|median| FAR * median).filter(|far| scale == AxisScale::Log && *far < most);
    let chart = Chart {
        id: format!("sensitivity-{number}"),
        title: format!("Least validation loss against the learning rate on {}", record.name),
        description: description(record),
        x: ChartAxis::new("learning rate", AxisScale::Log),
        y: ChartAxis { ends: far.map(|far| (0.9 * least, far)), ..ChartAxis::new("least validation loss", scale) },
        series: record.results.iter().enumerate().map(|(colour, result)| series(colour, result)).collect(),
        levels: Vec::new(),
        spans: Vec::new(),
        span_name: String::new(),
    };
    let header = texts(&["optimizer", "learning rate", "schedule", "least validation loss"]);
    page::figure(&chart, (&record.name, ""), &header, &rows(record), &[2])
}

fn series(colour: usize, result: &ProblemResult) -> Series {
    let finite: Vec<(f64, f64)> =
        result.sensitivity.iter().filter_map(|point| point.val_loss.map(|loss| (point.lr, loss))).collect();
    let diverged = result.sensitivity.iter().filter(|point| point.val_loss.is_none());
    Series {
        name: result.optimizer.clone(),
        colour,
        line: running_median(&finite),
        marks: finite,
        off_scale: diverged.map(|point| point.lr).collect(),
        ..Series::default()
    }
}

/// Points from which on a running median says more than the points themselves.
const LEAST_POINTS: usize = 15;

/// The median of each point and up to four on either side; nothing for a few points, which it would only smear.
fn running_median(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    if points.len() < LEAST_POINTS {
        return Vec::new();
    }
    let at = |(i, (lr, loss)): (usize, &(f64, f64))| {
        let near = &points[i.saturating_sub(4)..(i + 5).min(points.len())];
        let losses: Vec<f64> = near.iter().map(|(_, loss)| *loss).collect();
        (*lr, median(&losses).unwrap_or(*loss))
    };
    points.iter().enumerate().map(at).collect()
}

fn description(record: &ProblemSummary) -> String {
    let of = |result: &ProblemResult| {
        let lrs: Vec<f64> = result.chosen.iter().filter_map(|chosen| searched_rate(&chosen.values)).collect();
        let lr = median(&lrs).map_or("no other than the defaults chosen".to_owned(), |lr| {
            format!("chosen rates around {}", figure(Some(lr)))
        });
        format!("{}: {lr}, {} of {} diverged", result.optimizer, result.diverged_trials, result.trials)
    };
    format!("{}.", record.results.iter().map(of).collect::<Vec<_>>().join("; "))
}

fn rows(record: &ProblemSummary) -> Vec<Vec<String>> {
    let of = |result: &ProblemResult| -> Vec<Vec<String>> {
        let row = |point: &crate::experiment::compare::summary::SensitivityPoint| {
            let loss = point.val_loss.map_or("diverged".to_owned(), |loss| figure(Some(loss)));
            vec![result.optimizer.clone(), figure(Some(point.lr)), point.schedule.clone(), loss]
        };
        result.sensitivity.iter().map(row).collect()
    };
    record.results.iter().flat_map(of).collect()
}

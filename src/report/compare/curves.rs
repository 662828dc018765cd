//! Validation loss against steps.

use maud::{Markup, html};

use crate::experiment::compare::records::Run;
use crate::experiment::compare::summary::Summary;
use crate::experiment::compare::{Grouped, figure};
use crate::report::page::{self, texts};
use crate::report::{AxisScale, Chart, ChartAxis, Series};
use crate::statistics::quantile;

/// First quartile, median and third quartile of the validation loss over runs, after these steps.
struct Quartiles {
    step: u64,
    values: [f64; 3],
}

pub(super) fn section(grouped: &Grouped<'_>, summary: &Summary) -> Markup {
    html! {
        h2 { "Loss curves" }
        p {
            "Validation loss of the final runs: their median, in a band from the first to the third quartile. The dashed line \
             is the target. A line ends where half of the runs have diverged. Steps are on a logarithmic axis, for a target may be \
             reached early."
        }
        div.charts { @for (number, _) in grouped.problems() { (problem(grouped, summary, number)) } }
    }
}

fn problem(grouped: &Grouped<'_>, summary: &Summary, number: usize) -> Markup {
    let curves: Vec<(&str, Vec<Quartiles>)> = grouped
        .optimizers()
        .map(|(optimizer, record)| {
            (record.name.as_str(), quartiles(&grouped.finals(number, optimizer).collect::<Vec<_>>()))
        })
        .collect();
    let name = &grouped.protocol.problems[number].name;
    let target = summary.problems[number].target;
    let chart = Chart {
        id: format!("curves-{number}"),
        title: format!("Validation loss on {name}"),
        description: description(&curves, target),
        x: ChartAxis::new("steps", AxisScale::Log),
        y: ChartAxis::new("validation loss", scale(&curves, target)),
        series: curves.iter().enumerate().map(|(number, (name, curve))| series(number, name, curve)).collect(),
        levels: target.into_iter().collect(),
        spans: Vec::new(),
        span_name: String::new(),
    };
    let header = texts(&["optimizer", "steps", "first quartile", "median", "third quartile"]);
    page::figure(&chart, (name, ""), &header, &rows(&curves), &[])
}

fn quartiles(runs: &[&Run]) -> Vec<Quartiles> {
    let mut steps: Vec<u64> = runs.iter().flat_map(|run| run.curve.iter().map(|point| point.step)).collect();
    steps.sort_unstable();
    steps.dedup();
    let at = |step: u64| {
        let value = |run: &&Run| {
            let point = run.curve.iter().find(|point| point.step == step);
            point.and_then(|point| point.val_loss).unwrap_or(f64::INFINITY)
        };
        let values: Vec<f64> = runs.iter().map(value).collect();
        Quartiles { step, values: [0.25, 0.5, 0.75].map(|q| quantile(&values, q).unwrap_or(f64::INFINITY)) }
    };
    steps.into_iter().map(at).collect()
}

fn series(colour: usize, name: &str, curve: &[Quartiles]) -> Series {
    Series {
        name: name.to_owned(),
        colour,
        line: curve.iter().map(|at| (at.step as f64, at.values[1])).collect(),
        band: curve.iter().map(|at| (at.step as f64, at.values[0], at.values[2])).collect(),
        ..Series::default()
    }
}

/// Logarithmic where every loss allows it.
fn scale(curves: &[(&str, Vec<Quartiles>)], target: Option<f64>) -> AxisScale {
    let mut values = curves.iter().flat_map(|(_, curve)| curve.iter().flat_map(|at| at.values)).chain(target);
    if values.all(|value| value > 0.0) { AxisScale::Log } else { AxisScale::Linear }
}

fn description(curves: &[(&str, Vec<Quartiles>)], target: Option<f64>) -> String {
    let end = |curve: &[Quartiles]| figure(curve.last().map(|at| at.values[1]));
    let ends: Vec<String> = curves.iter().map(|(name, curve)| format!("{name} {}", end(curve))).collect();
    let target = target.map(|target| format!(" The target is {}.", figure(Some(target)))).unwrap_or_default();
    format!("Lines fall from the first step to the last. Medians at the end: {}.{target}", ends.join(", "))
}

fn rows(curves: &[(&str, Vec<Quartiles>)]) -> Vec<Vec<String>> {
    let row = |name: &str, at: &Quartiles| {
        let [low, middle, high] = at.values.map(|value| figure(Some(value)));
        vec![name.to_owned(), at.step.to_string(), low, middle, high]
    };
    curves.iter().flat_map(|(name, curve)| curve.iter().map(|at| row(name, at))).collect()
}

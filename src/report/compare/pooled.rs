//! Charts over all problems.

use maud::{Markup, html};

use crate::experiment::compare::summary::{OptimizerSummary, Summary};
use crate::experiment::compare::{Grouped, TAU_MAX, figure};
use crate::report::page::{self, texts};
use crate::report::{AxisScale, Chart, ChartAxis, Series};
use crate::statistics::profile;

pub(super) fn section(grouped: &Grouped<'_>, summary: &Summary) -> Markup {
    let ratio = |ratio: &Option<f64>| figure(*ratio);
    let mut header = texts(&["optimizer", "score"]);
    header.extend(grouped.problems().map(|(_, problem)| problem.name.clone()));
    let profile_row = |optimizer: &OptimizerSummary| {
        let own = [optimizer.name.clone(), score(optimizer)];
        own.into_iter().chain(optimizer.ratios.iter().map(ratio)).collect::<Vec<String>>()
    };
    let profile_rows: Vec<Vec<String>> = summary.optimizers.iter().map(profile_row).collect();
    let gain_rows = summary.optimizers.iter().flat_map(|optimizer| {
        let row = |(k, loss): (usize, &f64)| vec![optimizer.name.clone(), k.to_string(), figure(Some(*loss))];
        optimizer.gains.iter().enumerate().map(row).collect::<Vec<_>>()
    });
    let profile_caption = "On which part of the problems an optimizer reaches the target within so many times the fewest steps of \
                           any. Steps are medians over final runs; a miss never counts. The score is the mean height.";
    let gain_caption = "What an optimizer gains by tuning: the expected validation loss of the better of its defaults and the \
                        best of so many other trials. 0 is the best trial of any optimizer on a problem, 1 the one in the \
                        middle; the mean over the problems.";
    html! {
        h2 { "All problems together" }
        div.charts {
            (page::figure(&profiles(summary), ("Performance profiles", profile_caption), &header, &profile_rows, &[]))
            (page::figure(
                &gains(summary),
                ("What tuning gains", gain_caption),
                &texts(&["optimizer", "trials beside the defaults", "normalised validation loss"]),
                &gain_rows.collect::<Vec<_>>(),
                &[],
            ))
        }
    }
}

fn score(optimizer: &OptimizerSummary) -> String {
    format!("{:.2}", optimizer.profile_score.value.unwrap_or(0.0))
}

fn profiles(summary: &Summary) -> Chart {
    let scores: Vec<String> = summary.optimizers.iter().map(|o| format!("{} {}", o.name, score(o))).collect();
    Chart {
        id: "profiles".to_owned(),
        title: "Performance profiles of the steps to target".to_owned(),
        description: format!("Step lines that rise from the left. Scores: {}.", scores.join(", ")),
        x: ChartAxis {
            ends: Some((1.0, TAU_MAX)),
            ..ChartAxis::new("steps over the fewest of any", AxisScale::Linear)
        },
        y: ChartAxis { ends: Some((-0.02, 1.04)), ..ChartAxis::new("part of the problems", AxisScale::Linear) },
        series: summary.optimizers.iter().enumerate().map(|(colour, o)| profile_series(colour, o)).collect(),
        levels: Vec::new(),
        spans: Vec::new(),
        span_name: String::new(),
    }
}

/// The profile as a line with corners.
fn profile_series(colour: usize, optimizer: &OptimizerSummary) -> Series {
    let ratios: Vec<f64> = optimizer.ratios.iter().map(|ratio| ratio.unwrap_or(f64::INFINITY)).collect();
    let mut corners: Vec<f64> = ratios.iter().copied().filter(|ratio| *ratio > 1.0 && *ratio < TAU_MAX).collect();
    corners.sort_by(f64::total_cmp);
    let mut line = vec![(1.0, profile(&ratios, 1.0))];
    for corner in corners {
        line.push((corner, line[line.len() - 1].1));
        line.push((corner, profile(&ratios, corner)));
    }
    line.push((TAU_MAX, profile(&ratios, TAU_MAX)));
    Series { name: optimizer.name.clone(), colour, line, ..Series::default() }
}

fn gains(summary: &Summary) -> Chart {
    let series = |(colour, optimizer): (usize, &OptimizerSummary)| {
        let line: Vec<(f64, f64)> = optimizer.gains.iter().enumerate().map(|(k, loss)| (k as f64, *loss)).collect();
        Series { name: optimizer.name.clone(), colour, marks: line.clone(), line, ..Series::default() }
    };
    let ends = summary.optimizers.iter().map(|o| {
        let at = |loss: Option<&f64>| figure(loss.copied());
        format!("{} from {} to {}", o.name, at(o.gains.first()), at(o.gains.last()))
    });
    Chart {
        id: "gains".to_owned(),
        title: "What tuning gains".to_owned(),
        description: format!("Lines fall with the trials: {}.", ends.collect::<Vec<_>>().join(", ")),
        x: ChartAxis::new("trials beside the defaults", AxisScale::Linear),
        y: ChartAxis::new("normalised validation loss", AxisScale::Linear),
        series: summary.optimizers.iter().enumerate().map(series).collect(),
        levels: Vec::new(),
        spans: Vec::new(),
        span_name: String::new(),
    }
}

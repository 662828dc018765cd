//! Charts over all problems.

use maud::{Markup, html};

use crate::experiment::compare::summary::{OptimizerSummary, Summary};
use crate::experiment::compare::{Grouped, TAU_MAX, figure};
use crate::experiment::statistics::profile;
use crate::report::page::{self, texts};
use crate::report::{Chart, ChartAxis, Scale, Series};

pub(super) fn section(grouped: &Grouped<'_>, summary: &Summary) -> Markup {
    let ratio = |ratio: &Option<f64>| figure(*ratio);
    let mut header = texts(&["optimizer", "score"]);
    header.extend(grouped.problems().map(|(_, problem)| problem.name.clone()));
    let profile_row = |optimizer: &OptimizerSummary| {
        let own = [optimizer.name.clone(), format!("{:.2}", optimizer.profile_score)];
        own.into_iter().chain(optimizer.ratios.iter().map(ratio)).collect::<Vec<String>>()
    };
    let profile_rows: Vec<Vec<String>> = summary.optimizers.iter().map(profile_row).collect();
    let best_rows = summary.optimizers.iter().flat_map(|optimizer| {
        let row = |(k, loss): (usize, &f64)| vec![optimizer.name.clone(), (k + 1).to_string(), figure(Some(*loss))];
        optimizer.expected_best.iter().enumerate().map(row).collect::<Vec<_>>()
    });
    let profile_caption = "On which part of the problems an optimizer reaches the target within so many times the fewest steps of \
                           any. Steps are medians over seeds; a miss never counts. The score is the mean height.";
    let best_caption = "How good the best of so many trials is on average: quality as a function of tuning effort. Validation \
                        losses, 0 the best trial of any optimizer on a problem, 1 the one in the middle; the mean over the \
                        problems.";
    html! {
        h2 { "All problems together" }
        div.charts {
            (page::figure(&profiles(summary), ("Performance profiles", profile_caption), &header, &profile_rows, &[]))
            (page::figure(
                &expected_best(summary),
                ("Expected best of so many trials", best_caption),
                &texts(&["optimizer", "trials", "expected best"]),
                &best_rows.collect::<Vec<_>>(),
                &[],
            ))
        }
    }
}

fn profiles(summary: &Summary) -> Chart {
    let scores: Vec<String> = summary.optimizers.iter().map(|o| format!("{} {:.2}", o.name, o.profile_score)).collect();
    Chart {
        id: "profiles".to_owned(),
        title: "Performance profiles of the steps to target".to_owned(),
        description: format!("Step lines that rise from the left. Scores: {}.", scores.join(", ")),
        x: ChartAxis { ends: Some((1.0, TAU_MAX)), ..ChartAxis::new("steps over the fewest of any", Scale::Linear) },
        y: ChartAxis { ends: Some((-0.02, 1.04)), ..ChartAxis::new("part of the problems", Scale::Linear) },
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

fn expected_best(summary: &Summary) -> Chart {
    let series = |(colour, optimizer): (usize, &OptimizerSummary)| {
        let line: Vec<(f64, f64)> =
            optimizer.expected_best.iter().enumerate().map(|(k, loss)| ((k + 1) as f64, *loss)).collect();
        Series { name: optimizer.name.clone(), colour, marks: line.clone(), line, ..Series::default() }
    };
    let ends = summary.optimizers.iter().map(|o| {
        let at = |loss: Option<&f64>| figure(loss.copied());
        format!("{} from {} to {}", o.name, at(o.expected_best.first()), at(o.expected_best.last()))
    });
    Chart {
        id: "expected-best".to_owned(),
        title: "Expected best of so many trials".to_owned(),
        description: format!("Lines fall with the trials: {}.", ends.collect::<Vec<_>>().join(", ")),
        x: ChartAxis::new("trials", Scale::Linear),
        y: ChartAxis::new("normalised validation loss", Scale::Linear),
        series: summary.optimizers.iter().enumerate().map(series).collect(),
        levels: Vec::new(),
        spans: Vec::new(),
        span_name: String::new(),
    }
}

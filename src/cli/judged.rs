//! Figures of a model as tables: for all rows, for each class, label or target, and the confusion of classes.

use std::collections::BTreeSet;

use gradlane::data::Task;
use gradlane::metrics::{ConfusionMatrix, Each, MetricName, MetricSet};
use gradlane::score::Judged;

use super::table::{figure, plain, with_text};

/// The most classes, labels or targets that are listed one by one, and for which a confusion matrix is shown.
const MOST_CLASSES: usize = 26;
/// The width of the widest confusion matrix, in characters.
const WIDEST: usize = 120;
/// Lines of a list that is shown in part.
const LINES: usize = 10;

/// Whether a metric is another average of one that is shown; JSON has it, tables omit it.
fn is_average(name: MetricName) -> bool {
    name.name().ends_with("_macro") || name.name().ends_with("_weighted")
}

/// The label of a metric, which names averages over several classes, labels or targets as such.
fn called(name: MetricName, judged: &Judged) -> String {
    use MetricName::{Auprc, Auroc, F1, Loss, Precision, Recall};
    let averaged = match judged.task {
        Task::Multiclass => matches!(name, F1 | Precision | Recall | Auroc | Auprc),
        Task::Multilabel => name != Loss,
        Task::Regression => judged.names.len() > 1 && name != Loss,
        Task::Binary => false,
    };
    match judged.task {
        _ if !averaged => name.to_string(),
        Task::Regression => format!("{name} (mean)"),
        _ => format!("{name} (macro)"),
    }
}

/// Figures of several parts or models in columns, a metric in each row. Averages over classes are labelled as such, and
/// undefined figures are explained below.
pub fn figures(columns: &[(&str, &MetricSet)], judged: &Judged) -> String {
    let header: Vec<String> = std::iter::once("").chain(columns.iter().map(|c| c.0)).map(str::to_owned).collect();
    let Some((_, first)) = columns.first() else { return String::new() };
    let names: Vec<MetricName> = first.iter().map(|(name, _)| name).filter(|name| !is_average(*name)).collect();
    let cell = |set: &MetricSet, name| if set.contains(name) { figure(set.get(name)) } else { String::new() };
    let row = |name: &MetricName| {
        let cells = columns.iter().map(|(_, set)| cell(set, *name));
        std::iter::once(called(*name, judged)).chain(cells).collect::<Vec<String>>()
    };
    let table = plain(&header, &names.iter().map(row).collect::<Vec<_>>());
    let undefined =
        |name: &&MetricName| columns.iter().any(|(_, set)| set.contains(**name) && set.get(**name).is_none());
    table + &explained(names.iter().filter(undefined).copied())
}

/// Why figures are undefined, a line for each reason; tables show them as `–`.
pub fn explained(names: impl Iterator<Item = MetricName>) -> String {
    let reasons: BTreeSet<(&str, &str)> = names.map(|name| (reason(name), name.name())).collect();
    let mut text = String::new();
    let mut reasons = reasons.into_iter().peekable();
    while let Some((reason, name)) = reasons.next() {
        let mut names = vec![name];
        while let Some((_, other)) = reasons.next_if(|(next, _)| *next == reason) {
            names.push(other);
        }
        text += &format!("– {}: undefined, {reason}\n", names.join(", "));
    }
    text
}

fn reason(name: MetricName) -> &'static str {
    match name {
        MetricName::Mape => "since a target is 0",
        MetricName::Auroc => "since a class or label has no rows, or all of them",
        MetricName::Auprc => "since a class or label has no rows",
        MetricName::R2 => "since there are fewer than two rows",
        _ => "since no row counts, or the value is not finite",
    }
}

/// The figures of each class, label or target; empty if there is only one.
pub fn each(judged: &Judged) -> String {
    let rows: Vec<(&String, &Each)> = judged.names.iter().zip(&judged.each).collect();
    let Some((_, first)) = rows.first().filter(|_| rows.len() > 1) else { return String::new() };
    let what = match judged.task {
        Task::Binary | Task::Multiclass => "class",
        Task::Multilabel => "label",
        Task::Regression => "target",
    };
    let counts = first.support.is_some();
    let metrics: Vec<MetricName> = first.figures.iter().map(|f| f.0).filter(|name| EACH.contains(name)).collect();
    let shown = worst(&rows);
    let header: Vec<String> = std::iter::once(what)
        .chain(["rows", "predicted"].into_iter().filter(|_| counts))
        .map(str::to_owned)
        .chain(metrics.iter().map(ToString::to_string))
        .collect();
    let line = |(name, each): &&(&String, &Each)| {
        let counts = [each.support, each.predicted].into_iter().flatten().map(count);
        let figures = metrics.iter().map(|name| figure(each.figures.get(*name)));
        std::iter::once((*name).clone()).chain(counts).chain(figures).collect::<Vec<String>>()
    };
    let table = plain(&header, &shown.iter().map(line).collect::<Vec<_>>());
    let undefined = |name: &MetricName| shown.iter().any(|(_, each)| each.figures.get(*name).is_none());
    let reasons = metrics.iter().copied().filter(undefined).map(|name| match name {
        MetricName::F1 | MetricName::Precision | MetricName::Recall => {
            format!("– {name}: undefined, since there is no row of the {what}, true or predicted\n")
        }
        name => explained(std::iter::once(name)),
    });
    let title = match judged.names.len() - shown.len() {
        0 => format!("each {what}"),
        _ => format!("each {what}: the {} of lowest f1 of {}; --json has all", shown.len(), judged.names.len()),
    };
    format!("{title}\n{table}{}", reasons.collect::<String>())
}

/// Figures of each class, label or target that the table shows; JSON has all.
const EACH: [MetricName; 9] = [
    MetricName::Accuracy,
    MetricName::F1,
    MetricName::Precision,
    MetricName::Recall,
    MetricName::Auroc,
    MetricName::Rmse,
    MetricName::Mae,
    MetricName::R2,
    MetricName::Mape,
];

/// All rows if there are few, otherwise those with the lowest F1.
fn worst<'a>(rows: &'a [(&'a String, &'a Each)]) -> Vec<&'a (&'a String, &'a Each)> {
    let mut shown: Vec<_> = rows.iter().collect();
    if rows.len() > MOST_CLASSES {
        let f1 = |each: &Each| each.figures.get(MetricName::F1).unwrap_or(f64::INFINITY);
        shown.sort_by(|a, b| f1(a.1).total_cmp(&f1(b.1)));
        shown.truncate(LINES);
    }
    shown
}

/// A weight of rows; whole numbers without decimals.
fn count(weight: f64) -> String {
    if weight.fract() == 0.0 { format!("{weight:.0}") } else { format!("{weight:.2}") }
}

/// The confusion of classes: the matrix, with true classes as rows and predicted ones as columns, if it fits; otherwise the
/// pairs that were confused most.
pub fn confusion(title: &str, judged: &Judged) -> String {
    let Some(matrix) = &judged.confusion else { return String::new() };
    if matrix.classes() <= MOST_CLASSES {
        let table = whole(&judged.names, matrix);
        if table.lines().all(|line| line.chars().count() <= WIDEST) {
            return format!("\n{title}\n{table}");
        }
    }
    let pairs = confused(&judged.names, matrix);
    if pairs.is_empty() {
        format!("\n{title}: no class is taken for another\n")
    } else {
        format!("\n{title}: most confused\n{pairs}")
    }
}

fn whole(classes: &[String], matrix: &ConfusionMatrix) -> String {
    let header: Vec<String> = std::iter::once("true \\ predicted".to_owned()).chain(classes.iter().cloned()).collect();
    let row = |(class, cells): (&String, &Vec<f64>)| {
        std::iter::once(class.clone()).chain(cells.iter().map(|cell| count(*cell))).collect::<Vec<String>>()
    };
    plain(&header, &classes.iter().zip(&matrix.nested()).map(row).collect::<Vec<_>>())
}

fn confused(classes: &[String], matrix: &ConfusionMatrix) -> String {
    let mut pairs: Vec<_> = matrix.pairs().into_iter().filter(|(t, p, weight)| t != p && *weight > 0.0).collect();
    pairs.sort_by(|a, b| b.2.total_cmp(&a.2));
    pairs.truncate(LINES);
    let header = ["true", "predicted", "rows", "of the class"].map(str::to_owned);
    let row = |(t, p, weight): &(usize, usize, f64)| {
        let share = format!("{:.1} %", 100.0 * weight / matrix.support(*t));
        vec![classes[*t].clone(), classes[*p].clone(), count(*weight), share]
    };
    if pairs.is_empty() {
        return String::new();
    }
    with_text(&header, &pairs.iter().map(row).collect::<Vec<_>>(), &[1])
}

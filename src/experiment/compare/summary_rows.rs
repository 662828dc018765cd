//! The summary as rows of tables, for the terminal.

use super::figure::{figure, p_value};
use super::summary::{PairVerdict, ProblemResult, Summary};

/// A table of texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SummaryTable {
    /// What it shows.
    pub title: String,
    /// Heads of the columns.
    pub header: Vec<String>,
    /// Rows, each as long as the header.
    pub rows: Vec<Vec<String>>,
    /// Numbers of the columns, besides the first, that hold words.
    pub words: Vec<usize>,
}

/// The optimizers over all problems, the pairs, and each optimizer on each problem.
pub fn summary_tables(summary: &Summary) -> Vec<SummaryTable> {
    let mut tables = vec![optimizers(summary)];
    if !summary.pairs.is_empty() {
        tables.push(pairs(summary));
    }
    tables.push(problems(summary));
    tables
}

fn optimizers(summary: &Summary) -> SummaryTable {
    let rows = summary.optimizers.iter().map(|optimizer| {
        let missed = optimizer.ratios.iter().filter(|ratio| ratio.is_none()).count();
        vec![
            optimizer.name.clone(),
            interval(&optimizer.normalised_loss),
            format!("{:.2}", optimizer.profile_score),
            missed.to_string(),
            optimizer.wins.to_string(),
            optimizer.losses.to_string(),
        ]
    });
    table(
        "over all problems",
        &["optimizer", "normalised loss", "speed score", "targets missed", "better than", "worse than"],
        rows.collect(),
        &[],
    )
}

fn pairs(summary: &Summary) -> SummaryTable {
    let rows = summary.pairs.iter().map(|pair| {
        vec![
            format!("{} / {}", pair.a, pair.b),
            match pair.verdict {
                PairVerdict::ABetter => format!("{} is better", pair.a),
                PairVerdict::BBetter => format!("{} is better", pair.b),
                PairVerdict::NoDifferenceShown => "no difference shown".to_owned(),
            },
            format!("{:+.2}", pair.effect),
            p_value(pair.p),
            p_value(pair.p_holm),
        ]
    });
    table("pairs, by final test loss as tuned", &["pair", "verdict", "effect", "p", "p (Holm)"], rows.collect(), &[1])
}

fn problems(summary: &Summary) -> SummaryTable {
    let row = |problem: &str, result: &ProblemResult| {
        let to_target = &result.to_target;
        vec![
            problem.to_owned(),
            result.optimizer.clone(),
            figure(result.tuned.test_loss.value),
            figure(result.untuned.test_loss.value),
            result.tuned.test_score.value.map_or("–".to_owned(), |score| figure(Some(score))),
            figure(to_target.steps),
            format!("{}/{}", to_target.hits, to_target.of),
            figure(to_target.seconds),
        ]
    };
    let rows = summary.problems.iter().flat_map(|problem| problem.results.iter().map(|r| row(&problem.name, r)));
    table(
        "on each problem: medians over seeds",
        &["problem", "optimizer", "test loss", "untuned", "test score", "steps to target", "reached", "seconds"],
        rows.collect(),
        &[1],
    )
}

/// `0.71 [0.6, 0.8]`.
fn interval(estimate: &super::summary::Estimate) -> String {
    let value = figure(estimate.value);
    match (estimate.low, estimate.high) {
        (None, None) => value,
        (low, high) => format!("{value} [{}, {}]", figure(low), figure(high)),
    }
}

fn table(title: &str, header: &[&str], rows: Vec<Vec<String>>, words: &[usize]) -> SummaryTable {
    let header = header.iter().map(|head| (*head).to_owned()).collect();
    SummaryTable { title: title.to_owned(), header, rows, words: words.to_vec() }
}

//! The summary as rows of tables, for the terminal and the report.

use super::figure::{figure, p_value};
use super::summary::{Estimate, Level, Pair, PairVerdict, ProblemPair, ProblemResult, Summary, Verdict};

/// A table of strings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SummaryTable {
    /// Title.
    pub title: String,
    /// Column headers.
    pub header: Vec<String>,
    /// Rows, each with as many cells as the header.
    pub rows: Vec<Vec<String>>,
    /// Numbers of the columns with text, besides the first.
    pub words: Vec<usize>,
}

/// All tables of a summary: the optimizers over all problems; for several optimizers, the tuned pairs, the numbers of
/// problems on which each is better (if any can be decided), and the pairs with defaults; and each optimizer on each
/// problem.
pub fn summary_tables(summary: &Summary) -> Vec<SummaryTable> {
    let mut tables = vec![optimizers(summary)];
    if !summary.pairs.is_empty() {
        tables.push(verdicts("as tuned", summary.pairs.iter().map(|pair| &pair.overall), Level::Overall));
        let decided = |pair: &Pair| pair.problems.iter().any(|on| on.verdict != PairVerdict::CannotDecide);
        if summary.problems.len() > 1 && summary.pairs.iter().any(decided) {
            tables.push(grid(summary));
        }
        tables.push(verdicts("with the optimizers' defaults", summary.untuned.iter(), Level::Untuned));
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
            optimizer.wins.to_string(),
            optimizer.losses.to_string(),
            speed(&optimizer.profile_score),
            missed.to_string(),
        ]
    });
    table(
        "over all problems",
        &["optimizer", "normalised loss", "better than", "worse than", "speed score", "targets missed"],
        rows.collect(),
        &[],
    )
}

/// A verdict in words.
pub fn verdict_text(verdict: PairVerdict, a: &str, b: &str) -> String {
    match verdict {
        PairVerdict::ABetter => format!("{a} is better"),
        PairVerdict::BBetter => format!("{b} is better"),
        PairVerdict::NoDifferenceShown => "no difference shown".to_owned(),
        PairVerdict::CannotDecide => "cannot decide".to_owned(),
    }
}

fn verdicts<'a>(what: &str, verdicts: impl Iterator<Item = &'a Verdict>, level: Level) -> SummaryTable {
    let row = |pair: &Verdict| {
        vec![
            format!("{} / {}", pair.a, pair.b),
            verdict_text(pair.verdict, &pair.a, &pair.b),
            format!("{:+.2}", pair.effect),
            p_value(pair.p),
            p_value(pair.p_holm),
        ]
    };
    table(
        &format!("pairs, by test loss over all problems, {what} (a verdict up to p (Holm) {})", level.alpha()),
        &["pair", "verdict", "effect", "p", "p (Holm)"],
        verdicts.map(row).collect(),
        &[1],
    )
}

/// For each pair of optimizers, the numbers of problems on which the first is better, not shown to differ, and worse.
fn grid(summary: &Summary) -> SummaryTable {
    let names: Vec<&str> = summary.optimizers.iter().map(|optimizer| optimizer.name.as_str()).collect();
    let cell = |row: &str, column: &str| {
        let is = |pair: &&Pair, a: &str, b: &str| pair.overall.a == a && pair.overall.b == b;
        let straight = summary.pairs.iter().find(|pair| is(pair, row, column));
        let turned = summary.pairs.iter().find(|pair| is(pair, column, row));
        let Some(pair) = straight.or(turned) else { return "·".to_owned() };
        let count = |wanted| pair.problems.iter().filter(|on| on.verdict == wanted).count();
        let (mut wins, mut losses) = (count(PairVerdict::ABetter), count(PairVerdict::BBetter));
        if straight.is_none() {
            (wins, losses) = (losses, wins);
        }
        match pair.problems.len() - wins - losses {
            ties if count(PairVerdict::CannotDecide) == ties && wins + losses == 0 => "cannot decide".to_owned(),
            ties => format!("{wins}–{ties}–{losses}"),
        }
    };
    let rows = names.iter().map(|row| {
        let cells = names.iter().map(|column| cell(row, column));
        std::iter::once((*row).to_owned()).chain(cells).collect()
    });
    let header: Vec<String> =
        std::iter::once("optimizer".to_owned()).chain(names.iter().map(|n| format!("against {n}"))).collect();
    SummaryTable {
        title: "problems on which an optimizer is better, not shown to differ, and worse, as tuned".to_owned(),
        header,
        rows: rows.collect(),
        words: Vec::new(),
    }
}

/// A pair on each problem: verdict, effect, quotient of the losses with its interval, and p.
pub fn pair_on_problems(pair: &Pair) -> SummaryTable {
    let Verdict { a, b, .. } = &pair.overall;
    let row = |on: &ProblemPair| {
        let ratio = Estimate { value: on.ratio, low: on.low, high: on.high };
        vec![
            on.problem.clone(),
            verdict_text(on.verdict, a, b),
            format!("{:+.2}", on.effect),
            interval(&ratio),
            p_value(on.p),
            p_value(on.p_holm),
        ]
    };
    let quotient = format!("loss of {a} / {b}");
    table(
        &format!("{a} and {b} on each problem, as tuned"),
        &["problem", "verdict", "effect", &quotient, "p", "p (Holm)"],
        pair.problems.iter().map(row).collect(),
        &[1],
    )
}

/// For every pair, the quotient of the losses on the only problem; `None` if there are several problems, or no pairs.
pub fn pairs_on_one_problem(summary: &Summary) -> Option<SummaryTable> {
    let [problem] = &summary.problems[..] else { return None };
    let row = |pair: &Pair| {
        let on = pair.problems.first()?;
        let ratio = Estimate { value: on.ratio, low: on.low, high: on.high };
        Some(vec![pair.overall.a.clone(), pair.overall.b.clone(), interval(&ratio), format!("{:+.2}", on.effect)])
    };
    let rows: Vec<Vec<String>> = summary.pairs.iter().filter_map(row).collect();
    let title =
        format!("how much one differs from the other on {}: the quotient of their test losses, as tuned", problem.name);
    (!rows.is_empty()).then(|| table(&title, &["first", "second", "loss of first / second", "effect"], rows, &[1]))
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
        "on each problem: medians over studies, at the step with the least validation loss",
        &["problem", "optimizer", "test loss", "untuned", "test score", "steps to target", "reached", "seconds"],
        rows.collect(),
        &[1],
    )
}

/// `0.71 [0.6, 0.8]`.
pub fn interval(estimate: &Estimate) -> String {
    let value = figure(estimate.value);
    match (estimate.low, estimate.high) {
        (None, None) => value,
        (low, high) => format!("{value} [{}, {}]", figure(low), figure(high)),
    }
}

/// `0.71 [0.60, 0.80]`.
fn speed(estimate: &Estimate) -> String {
    let value = estimate.value.unwrap_or(0.0);
    match (estimate.low, estimate.high) {
        (Some(low), Some(high)) => format!("{value:.2} [{low:.2}, {high:.2}]"),
        _ => format!("{value:.2}"),
    }
}

fn table(title: &str, header: &[&str], rows: Vec<Vec<String>>, words: &[usize]) -> SummaryTable {
    let header = header.iter().map(|head| (*head).to_owned()).collect();
    SummaryTable { title: title.to_owned(), header, rows, words: words.to_vec() }
}

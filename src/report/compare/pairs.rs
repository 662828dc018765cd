//! The verdicts, pair by pair.

use maud::{Markup, html};

use crate::experiment::compare::records::Family;
use crate::experiment::compare::summary::{Level, Pair, Summary};
use crate::experiment::compare::{pair_on_problems, pairs_on_one_problem, summary_tables};
use crate::report::page::{table, texts};

pub(super) fn section(summary: &Summary) -> Markup {
    let tables = summary_tables(summary);
    let verdicts = &tables[1..tables.len() - 1];
    html! {
        h2 { "Pair by pair" }
        @if summary.pairs.is_empty() {
            p { "There is one optimizer alone." }
        } @else {
            p {
                "Effect: on how much more of the pairs of studies the first has the lower test loss than the higher, from −1 to 1, \
                 the mean over the problems. p: over several problems the greater of a permutation test that deals the studies of both anew \
                 within each problem and of the same statistic by Student's t. p (Holm): the same corrected for the number of pairs. A \
                 verdict is given where it is small enough; the levels of all tables add up to the promise of the whole report. \
                 \"Cannot decide\" means that there are too few runs with a result: no result could have shown a difference, or, on \
                 single problems, that there are fewer than eight studies."
            }
            @for verdicts in verdicts { (table(&verdicts.title, &verdicts.header, &verdicts.rows, &verdicts.words)) }
            (on_problems(summary))
        }
    }
}

fn on_problems(summary: &Summary) -> Markup {
    let level = if summary.problems.len() == 1 { Level::Overall } else { Level::Problem };
    html! {
        h3 { "On single problems" }
        p {
            "The quotient of the test losses, with an interval. It is for optimizers whose losses differ by a factor alone. p is the greater \
             of a rank-sum test and of Yuen's test of the logarithms, corrected over all pairs and problems; a verdict is given up \
             to " (level.alpha()) ". An interval beside a verdict leaves out 1; those without one hold together at "
            (100.0 * (1.0 - level.alpha())) " %."
        }
        @if summary.problems.len() > 1 {
            (differences(summary))
            (families(summary))
        }
        @if let Some(sizes) = pairs_on_one_problem(summary) { (table(&sizes.title, &sizes.header, &sizes.rows, &sizes.words)) }
        @for pair in &summary.pairs {
            @let problems = pair_on_problems(pair);
            details {
                summary { (pair.overall.a) " and " (pair.overall.b) " on each problem" }
                (table(&problems.title, &problems.header, &problems.rows, &problems.words))
            }
        }
    }
}

fn name(pair: &Pair) -> String {
    format!("{} / {}", pair.overall.a, pair.overall.b)
}

/// Whether pairs differ on any problem.
fn differences(summary: &Summary) -> Markup {
    let row = |pair: &Pair| {
        let by_problem = pair.by_problem?;
        let text = if by_problem.differs { "they differ" } else { "no difference shown" };
        let [p, p_holm] = [by_problem.p, by_problem.p_holm].map(crate::experiment::compare::p_value);
        Some(vec![name(pair), text.to_owned(), p, p_holm])
    };
    let rows: Vec<Vec<String>> = summary.pairs.iter().filter_map(row).collect();
    let caption = format!(
        "Whether two differ on any problem: Fisher's combination of the p-values of all problems (a verdict up to p (Holm) {}, or by \
         one on a single problem)",
        Level::ByProblem.alpha()
    );
    html! { @if !rows.is_empty() { (table(&caption, &texts(&["pair", "verdict", "p", "p (Holm)"]), &rows, &[1])) } }
}

/// Mean effects by family.
fn families(summary: &Summary) -> Markup {
    let of: Vec<Family> = summary.pairs[0].families.iter().map(|effect| effect.family).collect();
    let mut header = texts(&["pair"]);
    header.extend(of.iter().map(|family| family.name().to_owned()));
    let row = |pair: &Pair| {
        let effects = pair.families.iter().map(|effect| format!("{:+.2}", effect.effect));
        std::iter::once(name(pair)).chain(effects).collect()
    };
    let rows: Vec<Vec<String>> = summary.pairs.iter().map(row).collect();
    html! { @if of.len() > 1 { (table("Mean effect by family of problems; for description", &header, &rows, &[])) } }
}

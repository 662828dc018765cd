//! Tables of what a comparison will do and what it found.

use gradlane::experiment::compare::records::{Dimension, OptimizerRecord};
use gradlane::experiment::compare::{Comparison, Contestant, Problem, Stage};

use super::super::table::counted;
use super::super::table::{plain, short, with_text};

fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}

/// A duration for people.
pub fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 1.0 => "1 s".to_owned(),
        s if s < 100.0 => format!("{s:.0} s"),
        s => format!("{:.0} min", s / 60.0),
    }
}

/// The stage of a study that runs belong to.
pub fn stage_name(stage: Stage) -> &'static str {
    match stage {
        Stage::Trial => "trials",
        Stage::Repeat => "repeats",
        Stage::Final => "finals",
    }
}

/// The number of runs, in one line.
pub fn outline(comparison: &Comparison) -> String {
    let (optimizers, problems) = (comparison.contestants.len(), comparison.problems.len());
    let terms = comparison.terms;
    let studies = if terms.studies == 1 { "1 study".to_owned() } else { format!("{} studies", terms.studies) };
    format!(
        "{} × {} × {studies} × ({} + {} repeated + {}) = {} runs, {} at a time",
        counted(optimizers as u64, "optimizer"),
        counted(problems as u64, "problem"),
        counted(terms.trials as u64, "trial"),
        terms.finalist_count() * terms.repeats,
        counted(terms.seeds as u64, "final seed"),
        comparison.runs(),
        comparison.threads
    )
}

/// All that is known before the first run.
pub fn plan(comparison: &Comparison, seconds: f64) -> String {
    let problems: Vec<Vec<String>> = comparison.problems.iter().map(problem).collect();
    let header = row(["problem", "family", "rows", "network", "batch", "steps", "target val_loss"]);
    let spaces: Vec<Vec<String>> = comparison.protocol().optimizers.iter().map(space).collect();
    let descriptions: Vec<Vec<String>> = comparison.problems.iter().map(|p| row([&p.name, &p.description])).collect();
    format!(
        "{}\n{}\n{}\n{}\nexpected: about {}\n",
        with_text(&row(["problem", "what it is"]), &descriptions, &[1]),
        plain(&header, &problems),
        with_text(
            &row(["optimizer", "defaults", "searched, evenly in the logarithm", "schedules"]),
            &spaces,
            &[1, 2, 3]
        ),
        outline(comparison),
        duration(seconds)
    )
}

fn problem(problem: &Problem) -> Vec<String> {
    let numbers =
        |numbers: &[usize], between: &str| numbers.iter().map(usize::to_string).collect::<Vec<_>>().join(between);
    let record = problem.record();
    let target = record.target.map_or_else(|| format!("that of {}, or of the first", Contestant::BASELINE), short);
    vec![
        record.name,
        record.family.name().to_owned(),
        numbers(&record.rows, " + "),
        numbers(&record.layers, "-"),
        record.batch.to_string(),
        record.steps.to_string(),
        target,
    ]
}

fn space(optimizer: &OptimizerRecord) -> Vec<String> {
    let dimension = |d: &Dimension| format!("{} {:e} to {:e}", d.name.replace("one_minus_", "1 − "), d.low, d.high);
    let space: Vec<String> = optimizer.space.iter().map(dimension).collect();
    let space = if space.is_empty() { "nothing".to_owned() } else { space.join(", ") };
    vec![optimizer.name.clone(), optimizer.spec.clone(), space, optimizer.schedules.join(", ")]
}

//! `gradlane data synth`: generated tables with known answers.

use clap::{Arg, ArgMatches, Command};
use gradlane::data::{SynthOptions, SynthProblem, synth};
use gradlane::{Error, Result};

use super::{destination, destination_args, save, target};
use crate::cli::exit::Outcome;
use crate::cli::{args, message};

/// The command line.
pub fn command() -> Command {
    let value = |name: &'static str, what: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(what).help(help).allow_hyphen_values(true)
    };
    let problem = Arg::new("problem").value_name("PROBLEM").required(true);
    let formulas: Vec<String> = SynthProblem::ALL.iter().map(|p| format!("  {p:<11}{}", p.formula())).collect();
    Command::new("synth")
        .about("Generate a table with a known answer")
        .after_help(format!(
            "Inputs are x0, x1, …; the label is class or y, the last column. D: inputs, e: noise times a normal number.\n\n{}\n\n\
             For example:  gradlane data synth spirals spirals.csv --rows 2000",
            formulas.join("\n")
        ))
        .arg(problem.help("xor, moons, circles, spirals, blobs, friedman1 or linear"))
        .args(destination_args())
        .arg(value("rows", "N", "Rows [1000]"))
        .arg(value("columns", "N", "Inputs of blobs [2], friedman1 [10], linear [20]"))
        .arg(value("classes", "N", "Classes of blobs [3]"))
        .arg(value(
            "noise",
            "X",
            "Standard deviation of the noise [xor 0, spirals 0.02, circles 0.05, moons and linear 0.1, blobs 0.3, friedman1 1]",
        ))
        .arg(args::flag_of("seed"))
}

/// Runs it.
pub fn run(matches: &ArgMatches) -> Outcome {
    let settings = args::settings(matches)?;
    let text = matches.get_one::<String>("problem").expect("the argument is required");
    let problem: SynthProblem = text.parse().map_err(|e| Error::Usage(format!("PROBLEM: {e}")))?;
    let noise = matches.get_one::<String>("noise").map(|text| number(text)).transpose()?;
    let recipe = SynthOptions {
        problem,
        rows: count(matches, "rows")?.unwrap_or(1000),
        columns: count(matches, "columns")?,
        classes: count(matches, "classes")?,
        noise,
        seed: args::seed(&settings)?,
    };
    let destination = destination(matches)?;
    save(&synth(&recipe)?, &destination, target(matches))?;
    let noise = recipe.noise.unwrap_or(problem.default_noise());
    message::note(&format!("{problem}: noise {noise}, seed {} (--noise, --seed)", recipe.seed));
    Ok(())
}

fn count(matches: &ArgMatches, name: &str) -> Result<Option<usize>> {
    let parse = |text: &String| {
        let wrong = || Error::Usage(format!("--{name}: expected a whole number, found \"{text}\""));
        text.parse().map_err(|_| wrong())
    };
    matches.get_one::<String>(name).map(parse).transpose()
}

fn number(text: &str) -> Result<f64> {
    text.parse().map_err(|_| Error::Usage(format!("--noise: expected a number, found \"{text}\"")))
}

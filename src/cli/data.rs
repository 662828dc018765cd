//! `gradlane data`: tables from one file to others.

mod convert;
mod split;

use clap::{Arg, ArgMatches, Command};
use gradlane::data::Format;
use gradlane::{Error, Result};

use super::exit::Outcome;
use super::{Verb, args, values};

const VERBS: &[Verb] =
    &[Verb { command: convert::command, run: convert::run }, Verb { command: split::command, run: split::run }];

/// The command line.
pub fn command() -> Command {
    Command::new("data")
        .about("Convert and split tables")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands(VERBS.iter().map(|verb| (verb.command)()))
}

/// Runs it.
pub fn run(matches: &ArgMatches) -> Outcome {
    let (name, matches) = matches.subcommand().expect("a verb is required");
    let verb = VERBS.iter().find(|verb| (verb.command)().get_name() == name).expect("every verb is in the table");
    (verb.run)(matches)
}

/// `--to FORMAT`.
fn to() -> Arg {
    let to = Arg::new("to")
        .long("to")
        .value_name("FORMAT")
        .help("Format to write: csv, tsv, jsonl, parquet, npy, npz or libsvm [by the name]")
        .help_heading("Output");
    values::offered(to, "to")
}

/// The format that [`to`] asks for.
///
/// # Errors
/// [`Error::Usage`] for a word that is none.
fn asked_format(matches: &ArgMatches) -> Result<Option<Format>> {
    let text = matches.get_one::<String>("to");
    let format = text.map(|text| args::value::<Format>("to", text)).transpose()?;
    match format {
        Some(Format::Auto) => Err(Error::Usage("--to auto: leave --to out to go by the name".to_owned())),
        format => Ok(format),
    }
}

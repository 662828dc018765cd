//! `gradlane config`: documents about configuration files.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command};
use gradlane::config::{commented_file, json_schema};
use gradlane::path_text::to_path;
use gradlane::{Error, atomic};

use super::args::of_paths;
use super::exit::Outcome;
use super::output::{print, print_json};
use super::{message, values};

const AFTER_HELP: &str = "\
A configuration file is TOML; its keys are the flags of train, with _ for -. An editor that knows the schema offers keys and \
explains them:  gradlane config schema > gradlane.schema.json";

/// The command line.
pub fn command() -> Command {
    let out =
        Arg::new("out").short('o').long("out").value_name("FILE.toml").help("Where it is written [standard output]");
    Command::new("config")
        .about("Print the schema of configuration files, or a file to begin with")
        .after_help(AFTER_HELP)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(Command::new("schema").about("Print a JSON schema of configuration files"))
        .subcommand(
            Command::new("init").about("Print a file with every option as a comment and its help").arg(of_paths(out)),
        )
}

/// Runs it.
pub fn run(matches: &ArgMatches) -> Outcome {
    match matches.subcommand() {
        Some(("init", matches)) => init(matches.get_one::<String>("out").map(|text| to_path(text))),
        _ => print_json(&json_schema(&values::of)),
    }
}

fn init(out: Option<PathBuf>) -> Outcome {
    let text = commented_file();
    let Some(path) = out else { return print(&text) };
    if path.exists() {
        let message = format!("--out {}: a file is there already: choose another name", path.display());
        return Err(Error::Usage(message).into());
    }
    atomic::write(&path, text.as_bytes())?;
    message::note(&format!("train with: gradlane train DATA -c {}", path.display()));
    Ok(())
}

//! The verbs: flags → checked configuration → one library call → report.

mod args;
mod bench;
mod brief;
mod choices;
mod compare;
mod completions;
mod config;
mod data;
mod deadline;
mod decided;
mod evaluate;
mod exit;
mod export;
mod inspect;
mod judged;
mod lr_find;
mod man;
mod message;
mod optimizers;
mod output;
mod predict;
mod progress;
mod resume;
mod shell;
mod signals;
mod table;
mod train;
mod tune;
mod values;
mod verify;
mod width;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{ArgMatches, Command};
use gradlane::kernel::Isa;
use gradlane::option_text;

use exit::Outcome;

/// A verb: its command line and its action.
struct Verb {
    command: fn() -> Command,
    run: fn(&ArgMatches) -> Outcome,
}

const VERBS: &[Verb] = &[
    Verb { command: train::command, run: train::run },
    Verb { command: resume::command, run: resume::run },
    Verb { command: verify::command, run: verify::run },
    Verb { command: predict::command, run: predict::run },
    Verb { command: evaluate::command, run: evaluate::run },
    Verb { command: inspect::command, run: inspect::run },
    Verb { command: export::command, run: export::run },
    Verb { command: data::command, run: data::run },
    Verb { command: lr_find::command, run: lr_find::run },
    Verb { command: tune::command, run: tune::run },
    Verb { command: compare::command, run: compare::run },
    Verb { command: bench::command, run: bench::run },
    Verb { command: config::command, run: config::run },
    Verb { command: completions::command, run: completions::run },
    Verb { command: man::command, run: man::run },
];

/// The most columns of the help, also on wider terminals.
const WIDEST_HELP: usize = 120;

/// The whole command line.
fn command() -> Command {
    let version = format!("{} ({})", env!("CARGO_PKG_VERSION"), Isa::detect().name());
    Command::new("gradlane")
        .about("Trains multilayer perceptrons on the CPU: tables and images in, one model file out")
        .version(version)
        .max_term_width(WIDEST_HELP)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .after_help("Start with:  gradlane train DATA        Then:  gradlane predict RUNDIR DATA")
        .subcommands(VERBS.iter().map(|verb| (verb.command)()))
}

/// Runs the program.
pub fn main() -> ExitCode {
    option_text::say_flags();
    let words: Vec<OsString> = std::env::args_os().collect();
    message::as_asked(&words, std::env::var_os("GRADLANE_PROGRESS").as_deref());
    let line = if brief::is_asked(&words) { brief::command(command()) } else { command() };
    let matches = match line.try_get_matches_from(words) {
        Ok(matches) => matches,
        Err(error) => return exit::of_usage(&error),
    };
    let (name, matches) = matches.subcommand().expect("a verb is required");
    let verb = VERBS.iter().find(|verb| (verb.command)().get_name() == name).expect("every verb is in the table");
    signals::survive_limits();
    match (verb.run)(matches) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => exit::of_failure(&failure),
    }
}

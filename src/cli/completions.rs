//! `gradlane completions`: a script that completes verbs and flags.

use clap::{Arg, ArgMatches, Command, value_parser};
use clap_complete::Shell;

use super::exit::Outcome;
use super::output::print_exactly;

/// The command line.
pub fn command() -> Command {
    Command::new("completions")
        .about("Print a script for a shell that completes verbs and flags")
        .after_help("For example:  gradlane completions bash > ~/.local/share/bash-completion/completions/gradlane")
        .arg(Arg::new("shell").value_name("SHELL").required(true).value_parser(value_parser!(Shell)).help("The shell"))
}

/// Runs it.
pub fn run(matches: &ArgMatches) -> Outcome {
    let shell = *matches.get_one::<Shell>("shell").expect("the shell is required");
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut super::command(), "gradlane", &mut script);
    print_exactly(&String::from_utf8_lossy(&script))
}

//! `gradlane man`: manual pages.

use clap::{Arg, ArgMatches, Command};
use clap_mangen::Man;
use gradlane::Error;

use super::VERBS;
use super::exit::Outcome;
use super::output::{of_stdout, print_exactly};

/// The command line.
pub fn command() -> Command {
    Command::new("man")
        .about("Print a manual page")
        .after_help("For example:  gradlane man train | man -l -")
        .arg(Arg::new("verb").value_name("VERB").help("A verb, for its own page [the program's page]"))
}

/// Runs it.
pub fn run(matches: &ArgMatches) -> Outcome {
    let page = match matches.get_one::<String>("verb") {
        None => super::command(),
        Some(verb) => page_of(verb)?,
    };
    let mut text = Vec::new();
    Man::new(page).render(&mut text).map_err(of_stdout)?;
    print_exactly(&String::from_utf8_lossy(&text))
}

/// The command line of a verb, under its full name.
fn page_of(verb: &str) -> Result<Command, Error> {
    let mut commands: Vec<Command> = VERBS.iter().map(|verb| (verb.command)()).collect();
    let names: Vec<String> = commands.iter().map(|command| command.get_name().to_owned()).collect();
    match names.iter().position(|name| name == verb) {
        Some(at) => {
            let name = format!("gradlane-{verb}");
            Ok(commands.swap_remove(at).name(name.clone()).bin_name(name.replacen('-', " ", 1)))
        }
        None => Err(Error::Usage(format!("man: there is no verb \"{verb}\"; the verbs are {}", names.join(", ")))),
    }
}

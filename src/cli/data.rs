//! `gradlane data`: conversions and examinations of tables.

mod convert;
mod pack;
mod split;
mod stats;
mod synth;

use std::io;
use std::path::Path;

use clap::{Arg, ArgMatches, Command};
use gradlane::atomic::AtomicFile;
use gradlane::data::{Destination, Format, Frame};
use gradlane::path_text::to_path;
use gradlane::{Error, Result};

use super::exit::Outcome;
use super::output::STDOUT;
use super::progress::thousands;
use super::signals::Signals;
use super::{Verb, args, message, values};

const VERBS: &[Verb] = &[
    Verb { command: convert::command, run: convert::run },
    Verb { command: pack::command, run: pack::run },
    Verb { command: split::command, run: split::run },
    Verb { command: stats::command, run: stats::run },
    Verb { command: synth::command, run: synth::run },
];

/// The command line.
pub fn command() -> Command {
    Command::new("data")
        .about("Convert, pack, split, examine and generate tables")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands(VERBS.iter().map(|verb| (verb.command)()))
}

/// Runs it.
pub fn run(matches: &ArgMatches) -> Outcome {
    let (name, matches) = matches.subcommand().expect("a verb is required");
    let verb = VERBS.iter().find(|verb| (verb.command)().get_name() == name).expect("every verb is in the table");
    // There is nothing to save, so a signal ends the program at once.
    let _signals = Signals::catch()?;
    (verb.run)(matches)
}

/// `--to FORMAT`.
fn to() -> Arg {
    let to = Arg::new("to")
        .long("to")
        .value_name("FORMAT")
        .help("Format to write: csv, tsv, jsonl, parquet, npy, npz, pack or libsvm [by the name]")
        .help_heading("Output");
    values::offered(to, "to")
}

/// The arguments that say where a table is written: OUT, or `--out` as for other verbs, and `--to`.
fn destination_args() -> [Arg; 3] {
    let target = Arg::new("target").value_name("OUT").required_unless_present("out");
    let out = Arg::new("out").short('o').long("out").value_name("OUT").conflicts_with("target");
    [
        args::of_paths(target).help("File to write, in the format that its name says, or - for stdout"),
        args::of_paths(out).help("The same as OUT").help_heading("Output"),
        to(),
    ]
}

/// The format that the argument [`to`] asks for.
///
/// # Errors
/// [`Error::Usage`] for an unknown format.
fn asked_format(matches: &ArgMatches) -> Result<Option<Format>> {
    let text = matches.get_one::<String>("to");
    let format = text.map(|text| args::value::<Format>("to", text)).transpose()?;
    match format {
        Some(Format::Auto) => Err(Error::Usage("--to auto: leave --to out to go by the name".to_owned())),
        format => Ok(format),
    }
}

/// The target of a table, as it is written on the command line; `-` is standard output.
fn target(matches: &ArgMatches) -> &str {
    let given = matches.get_one::<String>("target").or_else(|| matches.get_one::<String>("out"));
    given.expect("one of the two is required")
}

/// The destination of a table with its format.
///
/// # Errors
/// [`Error::Usage`] if neither `--to` nor the name determines the format.
fn destination(matches: &ArgMatches) -> Result<Destination> {
    let (target, asked) = (target(matches), asked_format(matches)?);
    if target == "-" && asked.is_none() {
        return Err(Error::Usage("standard output has no name that says a format: add --to FORMAT".to_owned()));
    }
    Destination::new(&to_path(target), asked)
}

/// Writes a table; to a file it is written completely or not at all. Reports what was written and what was lost.
///
/// # Errors
/// As [`Destination::write`].
fn save(frame: &Frame, destination: &Destination, target: &str) -> Outcome {
    if target == "-" {
        destination.write(frame, Path::new(STDOUT), &mut io::stdout())?;
    } else {
        let path = to_path(target);
        let mut file = AtomicFile::create(&path)?;
        destination.write(frame, &path, &mut file)?;
        file.finish()?;
    }
    destination.loss(frame).iter().for_each(|lost| message::note(lost));
    let (rows, columns) = (thousands(frame.rows as f64), frame.names.len());
    message::note(&format!("{target}: {rows} rows, {columns} columns, {}", destination.format()));
    Ok(())
}

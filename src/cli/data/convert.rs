//! `gradlane data convert`: a table in another format.

use std::io;
use std::path::Path;

use clap::{Arg, ArgMatches, Command};
use gradlane::Error;
use gradlane::atomic::{AtomicFile, check_file};
use gradlane::config::ApplyConfig;
use gradlane::data::{Destination, Frame};
use gradlane::path_text::to_path;

use super::{asked_format, to};
use crate::cli::exit::Outcome;
use crate::cli::output::{STDOUT, refuse, refuse_to_replace};
use crate::cli::progress::thousands;
use crate::cli::{args, message};

/// The command line.
pub fn command() -> Command {
    let from = Arg::new("source").value_name("IN").required(true);
    let into = Arg::new("target").value_name("OUT").required(true);
    Command::new("convert")
        .about("Write a table in another format")
        .after_help(
            "The name of OUT says the format: .csv, .tsv, .jsonl, .parquet, .npy, .npz, .libsvm; .gz or .zst behind it packs the file.\n\
             Numbers are written so that the same doubles are read again, dates in ISO 8601 or as the format's own type. What a \
             format cannot hold is refused, with the name of the column.\n\
             For example:  gradlane data convert penguins.csv penguins.parquet",
        )
        .arg(args::of_paths(from).help("File or folder to read, or - for stdin"))
        .arg(args::of_paths(into).help("File to write, or - for stdout"))
        .arg(to())
        .arg(args::verbose())
        .args(args::applying_flags().filter(|arg| arg.get_id() != "isa"))
        .args(["na", "dates"].map(args::flag_of))
}

/// Runs it.
pub fn run(matches: &ArgMatches) -> Outcome {
    let config = ApplyConfig::new(args::settings(matches)?)?;
    args::limit_pool(Some(config.isa_and_threads().1));
    let source = args::source(matches, "source")?;
    let target = matches.get_one::<String>("target").expect("the argument is required");
    let asked = asked_format(matches)?;
    if target == "-" && asked.is_none() {
        return Err(Error::Usage("standard output has no name that says a format: add --to FORMAT".to_owned()).into());
    }
    let path = to_path(target);
    let destination = Destination::new(&path, asked)?;
    if target != "-" {
        refuse_to_replace(&source, ("", &path))?;
        check_file(&path)?;
    }
    let frame = Frame::read(&source, &config.read)?;
    frame.notes.iter().for_each(|note| message::note(note));
    message::warn(&frame.warnings);
    refuse(&frame.warnings, config.strict, |message| Error::data(source.name(), message))?;
    if target == "-" {
        destination.write(&frame, Path::new(STDOUT), &mut io::stdout())?;
    } else {
        let mut file = AtomicFile::create(&path)?;
        destination.write(&frame, &path, &mut file)?;
        file.finish()?;
    }
    destination.loss(&frame).iter().for_each(|lost| message::note(lost));
    let (rows, columns) = (thousands(frame.rows as f64), frame.names.len());
    message::note(&format!("{target}: {rows} rows, {columns} columns, {}", destination.format()));
    Ok(())
}

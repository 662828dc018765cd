//! `gradlane data convert`: a table in another format.

use clap::{Arg, ArgMatches, Command};
use gradlane::Error;
use gradlane::atomic::check_file;
use gradlane::config::ApplyConfig;
use gradlane::data::Frame;
use gradlane::path_text::to_path;

use super::{destination, destination_args, save, target};
use crate::cli::exit::Outcome;
use crate::cli::output::{refuse, refuse_to_replace};
use crate::cli::{args, message};

/// The command line.
pub fn command() -> Command {
    let from = Arg::new("source").value_name("IN").required(true);
    Command::new("convert")
        .about("Write a table in another format")
        .after_help(
            "The name of OUT says the format: .csv, .tsv, .jsonl, .parquet, .npy, .npz, .pack, .libsvm; .gz or .zst behind it packs the file.\n\
             Numbers are written so that the same doubles are read again, dates in ISO 8601 or as the format's own type. What a \
             format cannot hold is refused, with the name of the column.\n\
             For example:  gradlane data convert penguins.csv penguins.parquet",
        )
        .arg(args::of_paths(from).help("File or folder to read, or - for stdin"))
        .args(destination_args())
        .arg(args::verbose())
        .args(args::applying_flags().filter(|arg| arg.get_id() != "isa"))
        .args(["na", "dates"].map(args::flag_of))
}

/// Runs it.
pub fn run(matches: &ArgMatches) -> Outcome {
    let config = ApplyConfig::new(args::settings(matches)?)?;
    args::limit_pool(Some(config.isa_and_threads().1));
    let source = args::source(matches, "source")?;
    let (target, destination) = (target(matches), destination(matches)?);
    if target != "-" {
        let path = to_path(target);
        refuse_to_replace(&source, ("", &path), "data are")?;
        check_file(&path)?;
    }
    let frame = Frame::read(&source, &config.read)?;
    frame.notes.iter().for_each(|note| message::note(note));
    message::warn(&frame.warnings);
    refuse(&frame.warnings, config.strict, |message| Error::data(source.name(), message))?;
    save(&frame, &destination, target)
}

//! `gradlane data pack`: tables as one file of binary columns.

use clap::{Arg, ArgAction, ArgMatches, Command};
use gradlane::Error;
use gradlane::atomic::check_file;
use gradlane::config::ApplyConfig;
use gradlane::data::{PackSize, Packer, Source};
use gradlane::path_text::to_path;

use crate::cli::exit::Outcome;
use crate::cli::output::{refuse, refuse_to_replace};
use crate::cli::progress::thousands;
use crate::cli::{args, message};

/// The command line.
pub fn command() -> Command {
    let files = Arg::new("source").value_name("FILE").required(true).num_args(1..).action(ArgAction::Append);
    let pack = Arg::new("target").short('o').long("out").value_name("NAME.pack").required(true);
    Command::new("pack")
        .about("Write tables as one pack, which is mapped into memory when it is read")
        .after_help(
            "A pack holds the columns as binary numbers. Every verb reads it, and trains to the same weights as on FILE.\n\
             Several files have the same columns, and their rows follow each other. FILE may be larger than memory: it is read \
             twice, and number columns are not held in memory.\n\
             For example:  gradlane data pack january.csv february.csv -o rows.pack",
        )
        .arg(args::of_paths(files).help("Files or folders to read, in this order"))
        .arg(args::of_paths(pack).help("File to write").help_heading("Output"))
        .arg(args::verbose())
        .args(args::applying_flags().filter(|arg| arg.get_id() != "isa"))
        .args(["na", "dates"].map(args::flag_of))
}

/// Runs it.
pub fn run(matches: &ArgMatches) -> Outcome {
    let config = ApplyConfig::new(args::settings(matches)?)?;
    args::limit_pool(Some(config.isa_and_threads().1));
    let words = matches.get_many::<String>("source").expect("the argument is required");
    let sources = words.map(|word| word.parse()).collect::<gradlane::Result<Vec<Source>>>()?;
    let path = args::path(matches, "target");
    if path == to_path("-") {
        return Err(Error::Usage("-o -: a pack is not written in one go: name a file".to_owned()).into());
    }
    sources.iter().try_for_each(|source| refuse_to_replace(source, ("-o ", &path), "data are"))?;
    check_file(&path)?;
    let packer = Packer::new(&sources, &config.read)?;
    packer.notes().iter().for_each(|note| message::note(note));
    message::warn(packer.warnings());
    refuse(packer.warnings(), config.strict, |message| Error::data(sources[0].name(), message))?;
    let PackSize { rows, columns, bytes } = packer.write(&path)?;
    let (rows, size) = (thousands(rows as f64), bytes as f64 / 1e6);
    message::note(&format!("{}: {rows} rows, {columns} columns, {size:.1} MB", path.display()));
    Ok(())
}

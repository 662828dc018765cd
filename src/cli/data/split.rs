//! `gradlane data split`: the parts of a table as files.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, ArgMatches, Command};
use gradlane::atomic::{AtomicFile, check_folder};
use gradlane::config::{SPLIT_KEYS, TableConfig};
use gradlane::data::{Destination, Frame, Partition, partition};
use gradlane::{Error, Result};

use super::{asked_format, to};
use crate::cli::exit::Outcome;
use crate::cli::output::{refuse, refuse_to_replace};
use crate::cli::progress::thousands;
use crate::cli::{args, message};

/// The command line.
pub fn command() -> Command {
    let folder = Arg::new("folder")
        .short('o')
        .long("out")
        .value_name("FOLDER")
        .required(true)
        .help("Folder for the files train, val and test; made if it is not there");
    let replace = Arg::new("replace").long("overwrite").action(ArgAction::SetTrue);
    Command::new("split")
        .about("Write the training, validation and test rows of a table as files")
        .after_help(
            "The rows are those that train deals to its parts with the same options and seed; rows without a label are in none.\n\
             For example:  gradlane data split penguins.csv --test 0.2 --split stratified -o parts",
        )
        .arg(args::data().required(true))
        .arg(args::of_paths(folder).help_heading("Output"))
        .arg(to())
        .arg(replace.help("Replace files of these names").help_heading("Output"))
        .arg(args::verbose())
        .args(SPLIT_KEYS.map(args::flag_of))
        .args(args::applying_flags().filter(|arg| arg.get_id() != "isa"))
        .args(["na", "dates", "seed"].map(args::flag_of))
}

/// Runs it.
pub fn run(matches: &ArgMatches) -> Outcome {
    let settings = args::settings(matches)?;
    let seed = args::seed(&settings)?;
    let config = TableConfig::new(settings, &SPLIT_KEYS)?;
    config.check_parts()?;
    args::limit_pool(config.engine.threads);
    let asked = asked_format(matches)?;
    let folder = args::path(matches, "folder");
    let data = &config.data.data;
    let extension = match asked {
        Some(format) => format.to_string(),
        None => own_extension(data.name()),
    };
    let file = |part: &str| folder.join(format!("{part}.{extension}"));
    let destination = Destination::new(&file("train"), asked)?;
    let parts = ["train", "val", "test"];
    parts.map(file).iter().try_for_each(|path| refuse_to_replace(data, ("", path), "data are"))?;
    if let Some(there) = parts.map(file).into_iter().find(|path| path.exists() && !matches.get_flag("replace")) {
        let message = format!("{} is there: choose another folder, or --overwrite", there.display());
        return Err(Error::Usage(message).into());
    }
    check_folder(&folder)?;
    let Partition { frame, split, notes, warnings } = partition(&config.data, seed)?;
    notes.iter().for_each(|note| message::note(note));
    message::warn(&warnings);
    refuse(&warnings, config.data.strict, |message| Error::data(data.name(), message))?;
    fs::create_dir_all(&folder).map_err(|e| Error::io(&folder, e))?;
    let rows = [split.train, split.val, split.test];
    let there = parts.iter().zip(&rows).filter(|(_, rows)| !rows.is_empty());
    let written: Vec<WrittenPart> = there
        .map(|(part, rows)| WrittenPart::write(file(part), &frame.select(rows), &destination))
        .collect::<Result<_>>()?;
    written.into_iter().try_for_each(WrittenPart::finish)?;
    // A part of an earlier split would hold rows of these.
    for (path, _) in parts.map(file).into_iter().zip(&rows).filter(|(path, rows)| rows.is_empty() && path.exists()) {
        fs::remove_file(&path).map_err(|e| Error::io(&path, e))?;
        message::note(&format!("{}: removed, as this split has no such rows", path.display()));
    }
    destination.loss(&frame).iter().for_each(|lost| message::note(lost));
    Ok(())
}

/// The format and compression in a file's name; `csv` if it has none, or one that cannot be written.
fn own_extension(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let bare = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
    let extension = bare.rsplit_once('.').map(|(stem, _)| name[stem.len() + 1..].to_owned());
    let known = |extension: &String| Destination::new(Path::new(&format!("part.{extension}")), None).is_ok();
    extension.filter(known).unwrap_or_else(|| "csv".to_owned())
}

/// A part that is written to a temporary file.
struct WrittenPart {
    path: PathBuf,
    rows: usize,
    file: AtomicFile,
}

impl WrittenPart {
    fn write(path: PathBuf, frame: &Frame, destination: &Destination) -> Result<Self> {
        let mut file = AtomicFile::create(&path)?;
        destination.write(frame, &path, &mut file)?;
        Ok(Self { path, rows: frame.rows, file })
    }

    fn finish(self) -> Result<()> {
        self.file.finish()?;
        message::note(&format!("{}: {} rows", self.path.display(), thousands(self.rows as f64)));
        Ok(())
    }
}

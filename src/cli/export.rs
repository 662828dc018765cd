//! `gradlane export`: a model in another form.

use std::io::{self, BufWriter};
use std::path::Path;

use clap::{Arg, ArgMatches, Command};
use gradlane::atomic::AtomicFile;
use gradlane::export::{ExportForm, export};
use gradlane::model::Model;
use gradlane::model::file::MODEL_FILE;
use gradlane::path_text::to_path;
use gradlane::{Error, Result};

use super::args;
use super::exit::Outcome;
use super::message;
use super::output::STDOUT;
use super::signals::Signals;

/// The command line.
pub fn command() -> Command {
    let form = Arg::new("to")
        .long("to")
        .value_name("FORM")
        .value_parser(ExportForm::ALL.map(ExportForm::name))
        .hide_possible_values(true)
        .help("onnx, c, npz or json [by the name of FILE]");
    let file = Arg::new("file").short('o').long("out").value_name("FILE").required(true);
    Command::new("export")
        .about("Write a model in another form: ONNX, C, NumPy, JSON")
        .after_help(
            "onnx  The whole model from raw columns, one input for each: for ONNX Runtime and its like\n\
             c     The whole model from raw columns as one file of C99 that needs only the standard library\n\
             npz   The weights as NumPy arrays\n\
             json  The weights and all that prediction needs besides",
        )
        .arg(args::model())
        .arg(form)
        .arg(args::of_paths(file.help("Where it is written; - is standard output")))
}

/// Runs it.
pub fn run(matches: &ArgMatches) -> Outcome {
    let _signals = Signals::catch()?;
    let path = to_path(matches.get_one::<String>("file").expect("the argument is required"));
    let form = form(matches.get_one::<String>("to"), &path)?;
    let from = args::path(matches, "model");
    let model = Model::load(&from)?;
    let notes = if path == Path::new("-") {
        export(&model, form, (&mut BufWriter::new(io::stdout().lock()), Path::new(STDOUT)))?
    } else {
        let model_file = if from.is_dir() { from.join(MODEL_FILE) } else { from };
        if path.canonicalize().is_ok_and(|path| model_file.canonicalize().is_ok_and(|model| model == path)) {
            let message =
                format!("--out {}: the model is there, and would be lost: choose another file", path.display());
            return Err(Error::Usage(message).into());
        }
        let mut file = AtomicFile::create(&path)?;
        let notes = export(&model, form, (&mut BufWriter::new(&mut file), &path))?;
        file.finish()?;
        notes
    };
    notes.iter().for_each(|note| message::note(note));
    Ok(())
}

/// The form that the user asked for, or that the file's name implies.
fn form(asked: Option<&String>, path: &Path) -> Result<ExportForm> {
    if let Some(asked) = asked {
        return asked.parse();
    }
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let known = ExportForm::ALL.into_iter().find(|form| form.name().eq_ignore_ascii_case(ending));
    known.ok_or_else(|| {
        let message = format!("{}: its name says no form: add --to onnx, c, npz or json", path.display());
        Error::Usage(message)
    })
}

//! `gradlane inspect`: describes a model, a run or a data file.

mod data;
mod importance;
mod model;

pub use data::readable;

use std::path::Path;

use clap::{Arg, ArgAction, ArgMatches, Command};
use gradlane::config::ApplyConfig;
use gradlane::data::{Source, describe};
use gradlane::experiment::permutation_importance;
use gradlane::model::Model;
use gradlane::path_text::to_text;
use gradlane::predict::Predictor;
use gradlane::run::{is_run, read_summary};
use gradlane::{Error, Result};
use serde_json::json;

use super::args;
use super::exit::Outcome;
use super::message;
use super::output::{print, print_json, refuse};
use super::signals::Signals;

/// The command line.
pub fn command() -> Command {
    let target = Arg::new("subject").value_name("MODEL|RUNDIR|DATA").required(true);
    let json = Arg::new("json").long("json").help("Print one JSON object").action(ArgAction::SetTrue);
    let importance = Arg::new("importance")
        .long("importance")
        .value_name("DATA")
        .help("Of a model: how much each column matters on these labelled rows, by permutation");
    Command::new("inspect")
        .about("Show what a model, a run or a data file is")
        .after_help(
            "--importance permutes each raw column among the rows, 5 times, and shows how much the accuracy drops (R² of\n\
             a regression): mean and standard deviation of the drops.",
        )
        .arg(args::of_paths(target).help("Run directory, .safetensors file, data file, folder of MNIST's layout, or - for data on stdin"))
        .arg(args::of_paths(importance).help_heading("Output"))
        .arg(json.help_heading("Output"))
        .args(args::applying_flags())
        .args(["na", "dates"].map(args::flag_of))
        .arg(args::flag_of("seed"))
}

/// Runs it.
pub fn run(matches: &ArgMatches) -> Outcome {
    let settings = args::settings(matches)?;
    let seed = args::seed(&settings)?;
    let config = ApplyConfig::new(settings)?;
    // There is nothing to save, so a signal ends the program at once.
    let _signals = Signals::catch()?;
    args::limit_pool(Some(config.isa_and_threads().1));
    let subject = args::source(matches, "subject")?;
    let importance = matches.get_one::<String>("importance").map(|data| data.parse::<Source>()).transpose()?;
    let json = matches.get_flag("json");
    match &subject {
        Source::Path(path) if holds_model(path)? => inspect_model(path, importance.as_ref(), seed, &config, json),
        _ if importance.is_some() => {
            let message = format!("--importance needs a model, and {} is data", subject.as_written());
            Err(Error::Usage(message).into())
        }
        _ => {
            let description = describe(&subject, &config.read)?;
            if !json {
                description.notes.iter().for_each(|note| message::note(note));
            }
            message::warn(&description.warnings);
            refuse(&description.warnings, config.strict, |message| Error::data(subject.name(), message))?;
            if json { print_json(&description) } else { print(&data::readable(&description)) }
        }
    }
}

/// Whether a path is a model or a run rather than data, judged by its content.
fn holds_model(path: &Path) -> Result<bool> {
    if path.is_dir() { Ok(is_run(path)) } else { gradlane::model::file::is_model_file(path) }
}

fn inspect_model(path: &Path, importance: Option<&Source>, seed: u64, config: &ApplyConfig, json: bool) -> Outcome {
    let model = Model::load(path)?;
    let description = model.describe();
    let summary = read_summary(path)?;
    let measured = match importance {
        None => None,
        Some(source) => {
            let (isa, threads) = config.isa_and_threads();
            let mut predictor = Predictor::new(&model, isa, threads)?;
            Some(permutation_importance(&model, &mut predictor, (source, &config.read), seed)?)
        }
    };
    if json {
        let mut object = json!(description);
        object["path"] = json!(to_text(path));
        if let Some(summary) = summary {
            object["summary"] = summary;
        }
        if let Some(measured) = measured {
            object["importance"] = json!(measured);
        }
        return print_json(&object);
    }
    let mut text = model::readable(path, &description, summary.as_ref());
    if let Some(measured) = &measured {
        text += &importance::readable(measured);
    }
    print(&text)
}

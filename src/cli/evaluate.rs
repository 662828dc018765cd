//! `gradlane evaluate`: a model's figures on rows whose truth is known.

use clap::{Arg, ArgAction, ArgMatches, Command};
use gradlane::Error;
use gradlane::config::ApplyConfig;
use gradlane::data::prepare_for;
use gradlane::metrics::ConfusionMatrix;
use gradlane::predict::{Judged, Predictor};
use serde_json::json;

use super::args;
use super::exit::Outcome;
use super::output::{print, print_json, refuse, warn};
use super::table;

/// The command line.
pub fn command() -> Command {
    let json = Arg::new("json").long("json").help("Print one JSON object").action(ArgAction::SetTrue);
    Command::new("evaluate")
        .about("Measure a trained model on labelled rows")
        .after_help("Rows are weighted by the model's weight column where the data have it.")
        .arg(args::model())
        .arg(args::data().required(true))
        .arg(json.help_heading("Output"))
        .arg(args::part())
        .args(args::applying_flags())
}

/// Runs it.
pub fn run(matches: &ArgMatches) -> Outcome {
    let config = ApplyConfig::new(args::settings(matches)?)?;
    args::limit_pool(Some(config.isa_and_threads().1));
    let source = args::source(matches, "data")?;
    let model = args::load_model(matches, &source)?;
    let preprocessing = &model.card.preprocessing;
    let labelled = prepare_for(preprocessing, &source, &config.read, args::part_of(matches, &source)?)?;
    warn(&labelled.warnings);
    refuse(&labelled.warnings, config.strict, Error::Mismatch)?;
    let (isa, threads) = config.isa_and_threads();
    let judged = Predictor::new(&model, isa, threads)?.judge(&labelled.dataset);
    let rows = labelled.dataset.rows();
    if matches.get_flag("json") {
        return print_json(&json!({"rows": rows, "metrics": judged.figures, "warnings": labelled.warnings}));
    }
    print(&readable(rows, &judged, preprocessing.class_names()))
}

fn readable(rows: usize, judged: &Judged, classes: &[String]) -> String {
    let mut text = format!("{rows} rows\n\n{}", table::figures(&[("value", &judged.figures)]));
    let confusion = judged.confusion.as_ref().map(ConfusionMatrix::nested);
    if let Some(cells) = confusion.filter(|cells| cells.len() <= table::MOST_CLASSES) {
        text += &format!("\nconfusion\n{}", table::confusion(classes, &cells));
    }
    text
}

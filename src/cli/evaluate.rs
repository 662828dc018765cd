//! `gradlane evaluate`: the figures of a model on rows with known truth.

use clap::{Arg, ArgAction, ArgMatches, Command};
use gradlane::config::{ApplyConfig, number_loss};
use gradlane::data::{Task, prepare_for};
use gradlane::metrics::calibration::BINS;
use gradlane::model::{Decision, Model};
use gradlane::predict::{Judged, Predictor};
use gradlane::run::{Baseline, ConstantBaseline, doubts};
use gradlane::score::Scorer;
use gradlane::{Error, Warning};
use serde_json::{Value, json};

use super::args;
use super::decided;
use super::exit::Outcome;
use super::judged;
use super::message;
use super::output::{print, print_json, refuse};
use super::signals::Signals;
use super::table::figure;

const AFTER_HELP: &str = "\
Rows are weighted by the model's weight column where the data have it. Rows of classes that training did not have count as \
errors; loss, log_loss, brier and areas are over the other rows.";

/// The command line.
pub fn command() -> Command {
    let json = Arg::new("json").long("json").help("Print one JSON object").action(ArgAction::SetTrue);
    Command::new("evaluate")
        .about("Measure a trained model on labelled rows")
        .after_help(AFTER_HELP)
        .arg(args::model())
        .arg(args::data().required(true))
        .arg(json.help_heading("Output"))
        .arg(args::verbose())
        .arg(args::part())
        .args(args::applying_flags())
}

/// Runs it.
pub fn run(matches: &ArgMatches) -> Outcome {
    let config = ApplyConfig::new(args::settings(matches)?)?;
    // There is nothing to save, so a signal ends the program at once.
    let _signals = Signals::catch()?;
    args::limit_pool(Some(config.isa_and_threads().1));
    let source = args::source(matches, "data")?;
    let model = args::load_model(matches, &source)?;
    let preprocessing = &model.card.preprocessing;
    let labelled = prepare_for(
        preprocessing,
        &source,
        &config.read,
        args::part_of(matches, &source)?,
        number_loss(model.card.loss),
    )?;
    if matches.get_flag("verbose") {
        labelled.notes.iter().for_each(|note| message::note(note));
    }
    message::warn(&labelled.warnings);
    refuse(&labelled.warnings, config.strict, Error::Mismatch)?;
    let (isa, threads) = config.isa_and_threads();
    let judged = Predictor::new(&model, isa, threads)?.judge(&labelled.dataset, labelled.strangers.as_ref());
    let scorer = Scorer::new(preprocessing.target(), model.card.loss);
    let (data, strangers) = (&labelled.dataset, labelled.strangers.as_ref());
    let constant = (data.rows() > 0).then(|| ConstantBaseline::new(&scorer, data, data, strangers));
    let doubts = constant.iter().flat_map(|constant| doubts(&judged, constant, "the data")).collect::<Vec<_>>();
    message::warn(&doubts);
    if matches.get_flag("json") {
        let warnings: Vec<Warning> = labelled.warnings.into_iter().chain(doubts).collect();
        return print_json(&as_json(&judged, constant, &model.card.decision, &warnings));
    }
    print(&readable(&judged, constant.as_ref(), &model))
}

fn as_json(judged: &Judged, constant: Option<ConstantBaseline>, decision: &Decision, warnings: &[Warning]) -> Value {
    let mut all = json!({"rows": judged.rows, "metrics": judged.figures});
    let parts = [
        ("unknown_class_rows", (judged.unknown_rows > 0).then(|| json!(judged.unknown_rows))),
        ("confusion", judged.confusion_json()),
        (judged.each_key(), Some(judged.each_json())),
        ("calibration_error", judged.calibration_error.map(|error| json!(error))),
        ("decision", (!decision.is_plain()).then(|| decision.to_json())),
        ("baseline", constant.map(|constant| Baseline::of_constant(constant).to_json())),
        ("warnings", Some(json!(warnings))),
    ];
    if let Some(all) = all.as_object_mut() {
        all.extend(parts.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
    }
    all
}

/// The kind of calibration error.
fn form_of_error(task: Task) -> String {
    let of = match task {
        Task::Multiclass => "the probability of the predicted class beside the share of hits",
        Task::Multilabel => "the probability of each label beside its share, all labels together",
        _ => "the probability of the positive class beside its share",
    };
    format!("ECE, {of}, {BINS} bins of equal width")
}

fn readable(judged: &Judged, constant: Option<&ConstantBaseline>, model: &Model) -> String {
    let mut columns = vec![("value", &judged.figures)];
    columns.extend(constant.map(|constant| (constant.name, &constant.figures)));
    let mut text = format!("{} rows\n\n{}", judged.rows, judged::figures(&columns, judged));
    if let Some(constant) = constant {
        text += &match &constant.class {
            Some(class) => format!("{}: what saying \"{class}\" for every row would give\n", constant.name),
            None if constant.name == "mean" => "mean: what saying the mean of these rows would give\n".to_owned(),
            None => "majority: what saying the commoner value of each label would give\n".to_owned(),
        };
    }
    if let Some(error) = judged.calibration_error {
        text += &format!("calibration error {}: {}\n", figure(Some(error)), form_of_error(judged.task));
    }
    for (name, what) in decided::facts(&model.card.decision, model.card.preprocessing.target()) {
        text += &format!("{name:<12}{what}\n");
    }
    let each = judged::each(judged);
    if !each.is_empty() {
        text += &format!("\n{each}");
    }
    text + &judged::confusion("confusion", judged)
}

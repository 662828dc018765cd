//! `gradlane predict`: a model's predictions for raw rows, as CSV.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use clap::{Arg, ArgAction, ArgMatches, Command};
use gradlane::atomic::AtomicFile;
use gradlane::config::ApplyConfig;
use gradlane::data::{Packing, RowReader, Source, Task};
use gradlane::model::file::MODEL_FILE;
use gradlane::model::{Model, Residuals};
use gradlane::nn::Loss;
use gradlane::path_text::to_path;
use gradlane::predict::{Answers, PredictionTable, Predictor, write_predictions};
use gradlane::{Error, Result, Warning, WarningKind};
use serde_json::json;

use super::args;
use super::decided;
use super::exit::Outcome;
use super::message;
use super::output::{STDOUT, print_json, refuse, refuse_to_replace};
use super::signals::Signals;

/// The command line.
pub fn command() -> Command {
    let switch = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).help(help).help_heading("Output").action(ArgAction::SetTrue)
    };
    let keep = Arg::new("keep")
        .long("keep")
        .value_name("COLUMNS")
        .help("Columns of the input to copy, before the predictions");
    let interval = Arg::new("interval")
        .long("interval")
        .value_name("P")
        .help("Of a regression: add lower and upper, between which the truth lies with probability P, e.g. 0.9")
        .help_heading("Output");
    let file =
        Arg::new("file").short('o').long("out").value_name("FILE").help("Where the CSV is written [standard output]");
    Command::new("predict")
        .about("Predict raw rows with a trained model")
        .after_help(
            "Writes CSV: a column prediction with a class name or a number; several targets or labels have a column each.\n\
             Columns are matched by name, in any order; a label column is ignored.\n\
             Probabilities of a classifier that was trained with a loss of numbers (mse, mae, …) are the nearest ones to its \
             outputs: at least 0, and 1 in all.\n\
             --interval takes the absolute residuals of the test part (split conformal prediction), which chose nothing; without a \
             test part those of the folds of --cv or of the validation part, with a warning where these rows chose the epoch.",
        )
        .arg(args::model())
        .arg(args::data().required(true))
        .arg(switch("proba", "Add proba_<class> columns: the probability of each class or label"))
        .arg(interval)
        .arg(keep.action(ArgAction::Append).help_heading("Output"))
        .arg(args::of_paths(file.help_heading("Output")))
        .arg(switch("no-header", "Leave out the line that names the columns"))
        .arg(switch("json", "Print rows and warnings as one JSON object; the CSV needs -o FILE then"))
        .arg(args::verbose())
        .arg(args::part())
        .args(args::applying_flags())
}

/// The compression of the file of predictions, which must be neither the data nor the model.
fn beside(file: &Path, (matches, source): (&ArgMatches, &Source)) -> Result<Packing> {
    let model = args::path(matches, "model");
    let model = if model.is_dir() { model.join(MODEL_FILE) } else { model };
    refuse_to_replace(source, ("--out ", file), "data are")?;
    refuse_to_replace(&Source::Path(model), ("--out ", file), "model is")?;
    Packing::of_csv(file)
}

/// Runs it.
pub fn run(matches: &ArgMatches) -> Outcome {
    let config = ApplyConfig::new(args::settings(matches)?)?;
    // There is nothing to save, so a signal ends the program at once.
    let _signals = Signals::catch()?;
    args::limit_pool(Some(config.isa_and_threads().1));
    let source = args::source(matches, "data")?;
    let keep: Vec<String> = matches.get_many::<String>("keep").into_iter().flatten().cloned().collect();
    let interval = matches.get_one::<String>("interval").map(|text| level(text)).transpose()?;
    let json = matches.get_flag("json");
    let file = matches.get_one::<String>("file").filter(|file| *file != "-").map(|text| to_path(text));
    if json && file.is_none() {
        let message = "--json takes standard output: say where the predictions go with -o FILE";
        return Err(Error::Usage(message.to_owned()).into());
    }
    let packing = file.as_deref().map_or(Ok(Packing::None), |file| beside(file, (matches, &source)))?;
    let model = args::load_model(matches, &source)?;
    let (isa, threads) = config.isa_and_threads();
    let mut predictor = Predictor::new(&model, isa, threads)?;
    let preprocessing = &model.card.preprocessing;
    let (answers, doubt) = answers(&model, matches.get_flag("proba"), interval)?;
    let table = PredictionTable { answers, header: !matches.get_flag("no-header") };
    let mut rows = RowReader::open(preprocessing, &source, &config.read, args::part_of(matches, &source)?, &keep)?;
    if matches.get_flag("verbose") {
        rows.notes().iter().for_each(|note| message::note(note));
    }
    let mut write = |out: &mut dyn Write, place: &Path| {
        write_predictions(&mut predictor, &mut rows, preprocessing.inputs(), &table, (out, place))
    };
    let Some(path) = file else {
        let written = write(&mut BufWriter::new(io::stdout().lock()), Path::new(STDOUT))?;
        return heed(&warnings(&rows, written, doubt), config.strict);
    };
    let mut file = AtomicFile::create(&path)?;
    let written = packing.pack(&mut file, |out| Ok(write(out, &path))).map_err(|e| Error::io(&path, e))??;
    let warnings = warnings(&rows, written, doubt);
    heed(&warnings, config.strict)?;
    file.finish()?;
    if json { print_json(&json!({"rows": written, "warnings": warnings})) } else { Ok(()) }
}

/// The warnings about the rows, of which so many were predicted, and the doubt about the answers.
fn warnings(rows: &RowReader<'_>, written: u64, doubt: Option<Warning>) -> Vec<Warning> {
    let none = (written == 0).then(|| Warning::new(WarningKind::Other, "there are no rows: nothing is predicted"));
    rows.warnings().into_iter().chain(none).chain(doubt).collect()
}

/// The probability of `--interval`.
fn level(text: &str) -> Result<f64> {
    let level = text.parse::<f64>().ok().filter(|level| *level > 0.0 && *level < 1.0);
    level.ok_or_else(|| Error::Usage(format!("--interval: expected a probability between 0 and 1, found \"{text}\"")))
}

/// The columns of answers, and a warning if intervals may be too narrow.
fn answers(model: &Model, probabilities: bool, interval: Option<f64>) -> Result<(Answers<'_>, Option<Warning>)> {
    let (target, decision) = (model.card.preprocessing.target(), &model.card.decision);
    if let Some(threshold) = decided::threshold(decision, target) {
        message::note(&format!("threshold: {threshold}"));
    }
    if probabilities && target.task == Task::Regression {
        message::note("--proba: a regression has no probabilities, and nothing is added (--interval adds bounds)");
    }
    let answers = Answers::new(target, probabilities).with_threshold(decision.threshold());
    let Some(level) = interval else { return Ok((answers, None)) };
    let mismatch = |what: String| Error::Mismatch(format!("--interval {level}: {what}"));
    if target.task != Task::Regression {
        let task = target.task;
        return Err(mismatch(format!("intervals are for numbers, and the model's task is {task}: see --proba")));
    }
    let Some(residuals) = &decision.residuals else {
        return Err(mismatch(
            "the model holds no residuals: train it with --test 0.1, --cv 5 or --valid 0.1".to_owned(),
        ));
    };
    let (part, found, needed) = (decided::name_of(residuals.of), residuals.rows, Residuals::rows_for(level));
    let half_widths = residuals.half_widths(level).ok_or_else(|| {
        mismatch(format!("needs the residuals of {needed} rows at least, and the model holds {found}, of {part}"))
    })?;
    let doubt = residuals.chose.then(|| {
        let message = format!(
            "the intervals are optimistic: they rest on residuals of {part}, whose rows chose the epoch, so less than {level} of \
             the truths may lie within; a model trained with --test 0.1 has residuals of rows that chose nothing"
        );
        Warning::new(WarningKind::OptimisticIntervals, message)
    });
    let least = if model.card.loss == Loss::Poisson { 0.0 } else { f64::NEG_INFINITY };
    Ok((answers.with_intervals(half_widths, least), doubt))
}

/// Prints how the rows differ from those of training; with `--strict` that is an error.
fn heed(warnings: &[Warning], strict: bool) -> Outcome {
    message::warn(warnings);
    Ok(refuse(warnings, strict, Error::Mismatch)?)
}

//! `gradlane predict`: a model's predictions for raw rows, as CSV.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use clap::{Arg, ArgAction, ArgMatches, Command};
use gradlane::atomic::AtomicFile;
use gradlane::config::ApplyConfig;
use gradlane::data::{RowReader, Source};
use gradlane::path_text::to_path;
use gradlane::predict::{PredictionTable, Predictor, write_predictions};
use gradlane::{Error, Warning};
use serde_json::json;

use super::args;
use super::exit::Outcome;
use super::message;
use super::output::{STDOUT, print_json, refuse};

/// The command line.
pub fn command() -> Command {
    let switch = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).help(help).help_heading("Output").action(ArgAction::SetTrue)
    };
    let keep = Arg::new("keep")
        .long("keep")
        .value_name("COLUMNS")
        .help("Columns of the input to copy, before the predictions");
    let file =
        Arg::new("file").short('o').long("out").value_name("FILE").help("Where the CSV is written [standard output]");
    Command::new("predict")
        .about("Predict raw rows with a trained model")
        .after_help(
            "Writes CSV: a column prediction with a class name or a number; several targets or labels have a column each.\n\
             Columns are matched by name, in any order; a label column is ignored.\n\
             Probabilities of a classifier that was trained with a loss of numbers (mse, mae, …) are the nearest ones to its \
             outputs: at least 0, and 1 in all.",
        )
        .arg(args::model())
        .arg(args::data().required(true))
        .arg(switch("proba", "Add proba_<class> columns: the probability of each class or label"))
        .arg(keep.action(ArgAction::Append).help_heading("Output"))
        .arg(args::of_paths(file.help_heading("Output")))
        .arg(switch("no-header", "Leave out the line that names the columns"))
        .arg(switch("json", "Print rows and warnings as one JSON object; the CSV needs -o FILE then"))
        .arg(args::verbose())
        .arg(args::part())
        .args(args::applying_flags())
}

/// Runs it.
pub fn run(matches: &ArgMatches) -> Outcome {
    let config = ApplyConfig::new(args::settings(matches)?)?;
    args::limit_pool(Some(config.isa_and_threads().1));
    let source = args::source(matches, "data")?;
    let keep: Vec<String> = matches.get_many::<String>("keep").into_iter().flatten().cloned().collect();
    let table = PredictionTable { probabilities: matches.get_flag("proba"), header: !matches.get_flag("no-header") };
    let json = matches.get_flag("json");
    let file = matches.get_one::<String>("file").filter(|file| *file != "-").map(|text| to_path(text));
    if json && file.is_none() {
        let message = "--json takes standard output: say where the predictions go with -o FILE";
        return Err(Error::Usage(message.to_owned()).into());
    }
    let model = args::load_model(matches, &source)?;
    let (isa, threads) = config.isa_and_threads();
    let mut predictor = Predictor::new(&model, isa, threads)?;
    let preprocessing = &model.card.preprocessing;
    let mut rows = RowReader::open(preprocessing, &source, &config.read, args::part_of(matches, &source)?, &keep)?;
    if matches.get_flag("verbose") {
        rows.notes().iter().for_each(|note| message::note(note));
    }
    let mut write = |out: &mut dyn Write, place: &Path| {
        let network = (preprocessing.target(), preprocessing.inputs());
        write_predictions(&mut predictor, &mut rows, network, &table, (out, place))
    };
    let Some(path) = file else {
        write(&mut BufWriter::new(io::stdout().lock()), Path::new(STDOUT))?;
        return heed(&rows.warnings(), config.strict);
    };
    if let Source::Path(data) = &source
        && is_same_file(&path, data)
    {
        let message = format!("--out {}: the data are there, and would be lost: choose another file", path.display());
        return Err(Error::Usage(message).into());
    }
    let mut file = AtomicFile::create(&path)?;
    let written = write(&mut file, &path)?;
    let warnings = rows.warnings();
    heed(&warnings, config.strict)?;
    file.finish()?;
    if json { print_json(&json!({"rows": written, "warnings": warnings})) } else { Ok(()) }
}

fn is_same_file(a: &Path, b: &Path) -> bool {
    let whole = |path: &Path| path.canonicalize().ok().filter(|path| path.is_file());
    whole(a).is_some_and(|a| whole(b) == Some(a))
}

/// Says how the rows differ from those of training; with `--strict` that is an error.
fn heed(warnings: &[Warning], strict: bool) -> Outcome {
    message::warn(warnings);
    Ok(refuse(warnings, strict, Error::Mismatch)?)
}

//! `gradlane tune`: the search for good settings.

mod progress;

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use clap::{Arg, ArgAction, ArgMatches, Command};
use gradlane::config::{TUNE, deadline};
use gradlane::experiment::tune::{Budget, Found, Space, Trial, TuneDirectory, TuneProtocol, Tuner, rungs};
use gradlane::fit::{DataPart, Watched};
use gradlane::path_text::{to_path, to_text};
use gradlane::run::{Finished, Interrupt, Plan};
use gradlane::{Error, Result};
use serde_json::json;
use toml::{Table, Value};

use super::args;
use super::choices;
use super::deadline::Deadline;
use super::exit::{Failure, Outcome};
use super::message;
use super::output::{heed, print, print_json};
use super::progress::Style;
use super::shell::{predict_with, quoted_path};
use super::signals::Signals;
use super::table;
use super::table::counted;
use progress::SearchProgress;

const AFTER_HELP: &str = "\
Trial 1 has the defaults of `train --preset plain`, or of a --preset that is given; the others are quasi-random points of the space. All are trained for a ninth \
of the epochs, the better third for three times as long, and of these again the better third for all epochs (successive \
halving, https://arxiv.org/abs/1502.07943); fewer than nine trials are halved less often. The best figure wins, also where \
its training was a shorter one. Options that are given are fixed, \
and not searched. For a budget in trials the result does not depend on the number of threads, nor on interruptions. \
Three quarters of a --time-limit are for the search, the rest for training with the best.

The space is a TOML file; --dry-run prints the default one. Its keys are options of the network and its optimizer, and \
width and depth of the hidden layers, and lr_factor (times the optimizer's own rate):

  batch = [16, 32, 64]              one of these
  dropout = { linear = [0, 0.5] }   a number
  lr = { log = [1e-4, 1e-1] }       a number, its logarithm evenly spread
  depth = { int = [1, 4] }          a whole number
  width = { log_int = [16, 512] }   a whole number, its logarithm evenly spread

DIR holds tune.toml (what is searched), trials.jsonl (every trial), best.toml (for `train -c`), and best, the run of it.";

/// A validation part with fewer rows is reported as small: its accuracy has a standard error of up to 3.5 points.
const FEW_ROWS: usize = 200;

/// The most trials that are shown.
const SHOWN: usize = 10;

/// The command line.
pub fn command() -> Command {
    let option = |name: &'static str, value: &'static str, help: &str| {
        Arg::new(name).long(name).value_name(value).help(help.to_owned()).help_heading("Search")
    };
    Command::new("tune")
        .about("Search for good settings, and train with the best")
        .after_help(AFTER_HELP)
        .arg(args::data())
        .arg(option(
            "budget",
            "N|TIME",
            &format!("Settings to try, or how long to search: 27, 10m [{}]", Budget::default()),
        ))
        .arg(args::of_paths(option("space", "FILE", "What to search [see --dry-run]")))
        .arg(
            Arg::new("decides")
                .long("monitor")
                .alias("metric")
                .value_name("METRIC")
                .help("What decides, of the validation part or the folds [accuracy or loss]")
                .help_heading("Search"),
        )
        .arg(args::of_paths(option("resume", "DIR", "Go on with a search; what it was about need not be repeated")))
        .arg(
            Arg::new("no-retrain")
                .long("no-retrain")
                .action(ArgAction::SetTrue)
                .help("Do not train with the best settings at the end")
                .help_heading("Search"),
        )
        .args(args::flags_for(TUNE))
        .mut_arg("cv", |arg| arg.help("Judge each setting on K folds, which take the place of --valid"))
        .mut_arg("epochs", |arg| arg.help("Epochs of a full run [auto: 20, or 4,000 steps, at most 500]"))
        .mut_arg("json", |arg| arg.help("Print the result as one JSON object"))
        .mut_arg("overwrite", |arg| arg.help("Replace a search that is there"))
        .mut_arg("dry_run", |arg| arg.help("Read and check everything, print space and budget, do not train"))
        .arg(args::of_paths(
            Arg::new("directory")
                .short('o')
                .long("out")
                .value_name("DIR")
                .conflicts_with("resume")
                .help("Where the search is written [runs/tune-<date-time>]")
                .help_heading("Run"),
        ))
        .arg(args::config())
}

/// What the user asked for.
struct Asked {
    tuner: Tuner,
    budget: Budget,
    resume: Option<PathBuf>,
    /// The directory of a new search, if it was given.
    out: Option<PathBuf>,
    json: bool,
    style: Style,
    retrain: bool,
}

/// Runs it.
pub fn run(matches: &ArgMatches) -> Outcome {
    let signals = Signals::catch()?;
    let given = args::settings(matches)?;
    if let Some(table) = choices::asked(&given)? {
        return print(&table);
    }
    let (quiet, dry_run) = (given.switch("quiet")?, given.switch("dry_run")?);
    let asked = asked(matches, given, quiet)?;
    asked.tuner.check(asked.budget)?;
    introduced(&asked, quiet)?;
    if dry_run {
        return planned(&asked);
    }
    let signal = signals.hold();
    let protocol = asked.tuner.protocol();
    let directory = match &asked.resume {
        Some(path) => TuneDirectory::resume(path, &protocol, asked.budget)?,
        None => TuneDirectory::create(asked.out.as_deref(), &protocol, asked.budget)?,
    };
    let shown = SearchProgress::new(asked.style, asked.tuner.metric());
    let found = asked.tuner.search(&directory, asked.budget, signal.number(), &|progress| shown.observe(progress));
    shown.finish();
    let found = found?;
    let number = signal.number().load(Ordering::Relaxed);
    let Some(best) = found.trials.first() else {
        return if number != 0 {
            Err(Failure::Signal(number))
        } else {
            Err(Error::NoStep("the time was up before the first trial: allow more".to_owned()).into())
        };
    };
    if best.value.is_none() {
        return Err(without_a_value(&found, asked.tuner.metric(), directory.path()));
    }
    let plan = asked.tuner.plan(&found, best)?;
    directory.write_best(&plan)?;
    let retrained = retrained(&asked, plan, &directory, &signal)?;
    let reported = report(&asked, &found, best, &directory, retrained.as_ref());
    match signal.number().load(Ordering::Relaxed) {
        0 => reported,
        number => Err(Failure::Signal(number)),
    }
}

/// The failure of a search in which no trial has a value.
fn without_a_value(found: &Found, metric: Watched, directory: &Path) -> Failure {
    let place = directory.display();
    if !found.trials.iter().all(|trial| trial.stopped == "diverged") {
        return Error::Mismatch(format!("{metric} is undefined in every trial: see {place}")).into();
    }
    if found.stopped == "time" {
        let ended = counted(found.trials.len() as u64, "trial");
        return Error::NoStep(format!("the time was up after {ended}, which diverged, see {place}: allow more")).into();
    }
    Failure::AllDiverged(format!("every trial diverged, see {place}: try a smaller --lr, or --clip-norm 1"))
}

/// Prints decisions and warnings.
fn introduced(asked: &Asked, quiet: bool) -> Result<()> {
    if !quiet {
        let (plan, metric) = (asked.tuner.base(), asked.tuner.metric());
        plan.prepared.notes.iter().for_each(|note| message::note(note));
        message::note(&format!("epochs: {} in a full run (--epochs changes it)", plan.epochs));
        message::note(&format!("metric: {metric} decides (--monitor changes it)"));
    }
    heed(asked.tuner.base())?;
    if let Some(few) = asked.tuner.validation_rows().filter(|rows| *rows < FEW_ROWS && !quiet) {
        message::note(&format!(
            "note: a validation part of {} tells good settings from lucky ones poorly; --cv 5 uses all rows for it",
            counted(few as u64, "row")
        ));
    }
    Ok(())
}

/// Reads flags, an earlier search, space and data.
fn asked(matches: &ArgMatches, given: gradlane::config::Settings, quiet: bool) -> Result<Asked> {
    let text = |id: &str| matches.get_one::<String>(id);
    let resume = text("resume").map(|text| to_path(text));
    let earlier = resume.as_deref().map(TuneProtocol::read).transpose()?;
    let (json, overwrite) = (given.switch("json")?, given.switch("overwrite")?);
    let style = if quiet { Style::None } else { Style::of(given.text("progress").as_deref())? };
    let (mut settings, mut budget, mut metric) = (gradlane::config::Settings::new(), Budget::default(), None);
    if let (Some((protocol, before)), Some(path)) = (&earlier, &resume) {
        settings = protocol.settings(path);
        budget = *before;
        metric = Some(protocol.metric()?);
    }
    settings.extend(given);
    if let Some(text) = text("budget") {
        budget = args::value("budget", text)?;
    }
    if let Some(text) = text("decides") {
        metric = Some(of_validation(text)?);
    }
    let space = match (text("space"), &earlier, &resume) {
        (Some(file), _, _) => Space::read(&to_path(file))?,
        (None, Some((protocol, _)), Some(path)) => protocol.space(path)?,
        _ => Space::standard(&settings),
    };
    let out = text("directory").map(|text| to_path(text));
    match &resume {
        Some(path) => TuneDirectory::refuse_while_written(path)?,
        None => TuneDirectory::check(out.as_deref(), overwrite)?,
    }
    let threads = settings.text("threads").and_then(|threads| threads.parse().ok());
    args::limit_pool(threads);
    let reading = Deadline::watch(deadline(&settings)?);
    let tuner = Tuner::new(settings, space, metric)?;
    reading.reading_is_over();
    Ok(Asked { tuner, budget, resume, out, json, style, retrain: !matches.get_flag("no-retrain") })
}

/// Reads a metric of the validation part; `accuracy` means `val_accuracy`.
fn of_validation(text: &str) -> Result<Watched> {
    match text.parse::<Watched>() {
        Ok(watched) => Ok(watched),
        Err(_) => text
            .parse()
            .map(|metric| Watched { part: DataPart::Val, metric })
            .map_err(|e| Error::Usage(format!("--monitor: {e}"))),
    }
}

/// Prints space and budget of a search that is not made.
fn planned(asked: &Asked) -> Outcome {
    let (tuner, epochs) = (&asked.tuner, asked.tuner.base().epochs);
    let space = tuner.space().to_table();
    if asked.json {
        return print_json(&json!({
            "metric": tuner.metric().to_string(),
            "budget": asked.budget.to_string(),
            "epochs": epochs,
            "folds": tuner.folds(),
            "space": space,
        }));
    }
    let mut text =
        format!("# what decides: {}, {}\n", tuner.metric(), counted(tuner.folds() as u64, "run") + " a trial");
    match asked.budget {
        Budget::Time(_) => text += &format!("# budget: {} of nine trials after nine\n", asked.budget),
        Budget::Trials(trials) => {
            for rung in rungs(trials, epochs) {
                text += &format!(
                    "# {}, {} each\n",
                    counted(rung.trials as u64, "trial"),
                    counted(rung.epochs as u64, "epoch")
                );
            }
        }
    }
    print(&(text + &space.to_string()))
}

/// Runs the best settings, unless the user does not want it or a signal has come.
fn retrained(asked: &Asked, plan: Plan, directory: &TuneDirectory, signal: &Interrupt) -> Result<Option<Finished>> {
    if !asked.retrain || signal.number().load(Ordering::Relaxed) != 0 {
        return Ok(None);
    }
    if asked.style != Style::None {
        message::note("training with the best settings");
    }
    asked.tuner.retrain(plan, directory, signal, &mut |_| {})
}

fn report(
    asked: &Asked,
    found: &Found,
    best: &Trial,
    directory: &TuneDirectory,
    retrained: Option<&Finished>,
) -> Outcome {
    let metric = asked.tuner.metric();
    let edges = asked.tuner.edges(best);
    edges.iter().for_each(|edge| message::note(&format!("note: {edge}")));
    if best.trial == 1 && found.tried > 1 {
        let preset = asked.tuner.base().config.preset.unwrap_or("plain");
        message::note(&format!(
            "note: trial 1 won, which has the options that are given, and otherwise the defaults of --preset {preset}"
        ));
    }
    let full = asked.tuner.base().epochs;
    if best.epochs < full && found.trials.iter().any(|trial| trial.epochs == full) {
        message::note(&format!(
            "note: {} were better than {full}, so best.toml has them",
            counted(best.epochs as u64, "epoch")
        ));
    }
    if asked.json {
        return print_json(&json!({
            "stopped": found.stopped,
            "metric": metric.to_string(),
            "tried": found.tried,
            "trials": found.trials.len(),
            "made": found.made,
            "seconds": found.seconds,
            "best": best,
            "top": &found.trials[..found.trials.len().min(SHOWN)],
            "notes": edges,
            "directory": to_text(directory.path()),
            "config": to_text(&directory.best()),
            "retrained": retrained.map(|finished| &finished.summary),
        }));
    }
    let mut text = format!("\n{}", trials(&found.trials, metric));
    let stopped = if found.stopped == "budget" { String::new() } else { format!(" (stopped: {})", found.stopped) };
    let (settings, made) = (counted(found.tried as u64, "setting"), counted(found.made as u64, "trial"));
    text += &format!("\n{settings}, {made} in {:.1} s{stopped}\n", found.seconds);
    let value = table::figure(best.value);
    text += &format!("best    trial {}, {metric} {value}: {}\n", best.trial, directory.best().display());
    text += &match retrained {
        None => what_next(found, directory),
        Some(finished) => model(asked, directory, finished),
    };
    print(&text)
}

/// The commands that continue after a search without a model.
fn what_next(found: &Found, directory: &TuneDirectory) -> String {
    let mut text = format!("train with: gradlane train -c {}\n", quoted_path(&to_text(&directory.best())));
    if found.stopped == "signal" {
        text += &format!("go on with: gradlane tune --resume {}\n", quoted_path(&to_text(directory.path())));
    }
    text
}

/// The text about the model of the best settings.
fn model(asked: &Asked, directory: &TuneDirectory, finished: &Finished) -> String {
    let run = directory.retrained();
    let mut text = String::new();
    if let Some(test) = &finished.summary.test {
        let name = asked.tuner.metric().metric;
        text += &format!("test    test_{name} {}\n", table::figure(test.get(name)));
    }
    text += &format!("model   {}\n", run.join("model.safetensors").display());
    text += &format!("weights {}\n", finished.summary.weights_sha256);
    text + &predict_with(&run, &asked.tuner.base().config.data)
}

/// The best trials and their settings.
fn trials(trials: &[Trial], metric: Watched) -> String {
    let shown = &trials[..trials.len().min(SHOWN)];
    let mut chosen: Vec<&String> = Vec::new();
    for name in shown.iter().flat_map(|trial| trial.settings.keys()) {
        if !chosen.contains(&name) {
            chosen.push(name);
        }
    }
    let mut header = vec!["trial".to_owned(), "epochs".to_owned(), metric.to_string()];
    if metric.metric != gradlane::metrics::MetricName::Loss {
        header.push("val_loss".to_owned());
    }
    let figures = header.len();
    header.extend(chosen.iter().map(|name| (*name).clone()));
    let row = |trial: &Trial| {
        let std = trial.std.as_ref().filter(|_| trial.value.is_some());
        let deviation = std.and_then(|std| std.get(metric.metric));
        let spread = deviation.map_or(String::new(), |std| format!(" ± {}", table::figure(Some(std))));
        let mut cells = vec![trial.trial.to_string(), trial.epochs.to_string(), table::figure(trial.value) + &spread];
        if figures > 3 {
            cells.push(table::figure(trial.val.get(gradlane::metrics::MetricName::Loss)));
        }
        cells.extend(chosen.iter().map(|name| setting(&trial.settings, name)));
        cells
    };
    let text: Vec<usize> = (figures..header.len()).collect();
    table::with_text(&header, &shown.iter().map(row).collect::<Vec<_>>(), &text)
}

/// A setting of a trial; a dash if the search did not change it.
fn setting(settings: &Table, name: &str) -> String {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Float(number) if *number != 0.0 && number.abs() < 1e-3 => format!("{number:e}"),
        other => other.to_string(),
    };
    match settings.get(name) {
        None => "–".to_owned(),
        Some(Value::Array(items)) => items.iter().map(text).collect::<Vec<_>>().join(","),
        Some(value) => text(value),
    }
}

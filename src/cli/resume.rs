//! `gradlane resume`: continues an interrupted run.

use std::path::Path;

use clap::{Arg, ArgMatches, Command};
use gradlane::config::{SettingOrigin, Settings, TrainConfig};
use gradlane::fit::DataPart;
use gradlane::metrics::MetricSet;
use gradlane::path_text::to_text;
use gradlane::run::{CONFIG_FILE, Checkpoint, Plan, RunDirectory, read_summary};
use gradlane::{Error, Result};
use serde_json::Value;

use super::args::{self, of_paths};
use super::exit::Outcome;
use super::output::{heed, print, print_json};
use super::progress::Style;
use super::shell::quoted_path;
use super::signals::Signals;
use super::{message, table, train};

const AFTER_HELP: &str = "\
A run that was killed, or that a signal or --time-limit ended, goes on from its last checkpoint, in the middle of an epoch too, \
and ends with the weights and figures of a run that was never interrupted. The time before counts into --time-limit. A run \
that is over prints its summary.

--epochs N prolongs a run that is over, as one run of N epochs would have been where its rate was constant or followed a \
metric, and dropout and decay had no schedule; otherwise at the rate of its last step, or by --schedule over all N epochs. A \
run with --cv or --ensemble goes on network by network, but is not prolonged.";

/// The options of training that this verb takes; all others come from the run.
const OPTIONS: [&str; 11] = [
    "epochs",
    "schedule",
    "time_limit",
    "threads",
    "exact_threads",
    "isa",
    "checkpoint_every",
    "progress",
    "quiet",
    "verbose",
    "json",
];

/// The command line.
pub fn command() -> Command {
    let run = Arg::new("run").value_name("RUNDIR").required(true).help("Directory of the run");
    Command::new("resume")
        .about("Go on with a run that was interrupted, or prolong one")
        .after_help(AFTER_HELP)
        .arg(of_paths(run))
        .args(OPTIONS.map(args::flag_of))
        .mut_arg("epochs", |arg| arg.value_name("N").help("Prolong the run to so many epochs"))
        .mut_arg("schedule", |arg| arg.help("With --epochs: the schedule over all epochs [the rate of the last step]"))
        .mut_arg("checkpoint_every", |arg| {
            arg.help("Save the state: every 500steps, every 30s, or none [the run's own]")
        })
}

/// Runs it.
pub fn run(matches: &ArgMatches) -> Outcome {
    let path = args::path(matches, "run");
    let mut given = args::settings(matches)?;
    // The environment may be meant for the next run; this run keeps its network and data.
    given.retain(|name, origin| *origin == SettingOrigin::Flag || name == "threads");
    let (prolongs, schedule_given) = (given.has("epochs"), given.has("schedule"));
    let before = read_summary(&path)?.and_then(|summary| summary["stopped"].as_str().map(str::to_owned));
    check(&path, before.as_deref(), &given)?;
    let (quiet, verbose, json) = (given.switch("quiet")?, given.switch("verbose")?, given.switch("json")?);
    let style = if quiet { Style::None } else { Style::of(given.text("progress").as_deref())? };
    let lost_newer = RunDirectory::has_lost_successor(&path);
    let lost_repetition = lost_newer && before.as_deref() == Some("diverged") && repeats_if_it_diverges(&path)?;
    if lost_newer && !lost_repetition {
        message::caution("a newer run was begun here and broke off before its first checkpoint: this is the older one");
    }
    match over(&path)? {
        Some(summary) if !(prolongs || lost_repetition) => return report(&path, &summary, json),
        _ if !prolongs && (lost_repetition || RunDirectory::has_only_begun(&path)) => {
            let what = if lost_repetition { "the repetition after a divergence" } else { "the run" };
            return begin_anew(&path, given, (style, json), what);
        }
        _ => {}
    }
    let signals = Signals::catch()?;
    let (directory, mut checkpoint) = RunDirectory::reopen(&path)?;
    let config = config((&directory, checkpoint.as_mut()), given, prolongs)?;
    let several = config.members > 1 || config.cv.is_some();
    let (plan, folds) = train::planned_in_time(config)?;
    if !quiet && verbose {
        train::notes(&plan, true);
    }
    heed(&plan)?;
    plan.check_initial(&directory)?;
    if !quiet {
        say_what_is_left(&plan);
    }
    if prolongs {
        say_how_it_goes_on(&plan, schedule_given || quiet, before.as_deref());
    }
    let signal = signals.hold();
    if several {
        return train::several::resume(plan, folds.as_ref(), (directory, checkpoint), &signal, (style, json));
    }
    let checkpoint = checkpoint.ok_or_else(|| Error::data(&path, "expected a checkpoint, found none"))?;
    let mut directory = Some(directory);
    train::train(plan, &path, &signal, (style, json), &mut |plan, observe| match directory.take() {
        Some(directory) => plan.go_on(directory, &checkpoint, &signal, observe),
        None => plan.run(RunDirectory::create(&path, true)?, &signal, observe), // after a divergence
    })
}

/// Prints the report of a run that is over.
fn report(path: &Path, summary: &Value, json: bool) -> Outcome {
    let mut folds = summary["cv"]["folds"].as_array().into_iter().flatten();
    if folds.any(|fold| matches!(fold["stopped"].as_str(), Some("time" | "signal"))) {
        message::caution(
            "the time was up in some folds, and no run goes on with them: train anew with a longer --time-limit",
        );
    }
    if json { print_json(summary) } else { print(&told(path, summary)) }?;
    still_required(path, summary)
}

/// Prints which configurations of a portfolio the run still has.
fn say_what_is_left(plan: &Plan) {
    let Some(portfolio) = &plan.portfolio else { return };
    let names: Vec<&str> = portfolio.entries.iter().map(|entry| entry.name).collect();
    message::note(&format!("configurations: {}; what was left out for want of time stays out", names.join(", ")));
}

/// Refuses another schedule for a run that only goes on, and to prolong a run that more epochs cannot prolong. `stopped` says what
/// ended it.
fn check(path: &Path, stopped: Option<&str>, given: &Settings) -> Result<()> {
    let message = match (given.has("epochs"), stopped) {
        (false, _) if given.has("schedule") => {
            "--schedule: a run that goes on keeps its own; it may change with --epochs N, which prolongs the run"
        }
        (true, Some("steps")) => {
            "--epochs: the run made as many steps as --steps allows; for more, train with -c RUNDIR/config.toml --steps N"
        }
        (true, Some(_)) if !RunDirectory::has_checkpoint(path) => {
            "--epochs: a run of several networks, or one without checkpoints, cannot be prolonged: train with -c RUNDIR/config.toml \
             --epochs N"
        }
        _ => return Ok(()),
    };
    Err(Error::Usage(message.to_owned()))
}

/// Whether a run is repeated with a change when it diverges.
fn repeats_if_it_diverges(path: &Path) -> Result<bool> {
    Ok(config_of(path, Settings::new())?.output.retry)
}

/// The configuration in a run directory with the options given now.
fn config_of(path: &Path, given: Settings) -> Result<TrainConfig> {
    let mut settings = Settings::new();
    settings.add_file(&path.join(CONFIG_FILE))?;
    settings.extend(given);
    TrainConfig::new(settings)
}

/// Trains a run again from the start, by its configuration alone; `what` broke off.
fn begin_anew(path: &Path, given: Settings, (style, json): (Style, bool), what: &str) -> Outcome {
    if !given.switch("quiet")? {
        message::note(&format!("{what} broke off before its first checkpoint: the run begins anew"));
    }
    let config = config_of(path, given)?;
    let signals = Signals::catch()?;
    let planned = train::planned_in_time(config)?;
    heed(&planned.0)?;
    let signal = signals.hold();
    train::from_the_start(planned, RunDirectory::create(path, true)?, &signal, (style, json))
}

/// Lets the run continue beyond its end, which only a run of one network can.
fn prolong(checkpoint: Option<&mut Checkpoint>, config: &mut TrainConfig, schedule_given: bool) -> Result<()> {
    let Some(checkpoint) = checkpoint else {
        let message = "--epochs: a run of several networks cannot be prolonged; train anew with gradlane train -c RUNDIR/config.toml \
                       --epochs N";
        return Err(Error::Usage(message.to_owned()));
    };
    checkpoint.prolong(config, schedule_given)
}

/// Prints at which rate a run is prolonged, and what may end it at once.
fn say_how_it_goes_on(plan: &Plan, rate_is_known: bool, stopped: Option<&str>) {
    let options = &plan.config.optimizer;
    if !rate_is_known {
        message::note(&format!(
            "rate: {}, {} (--schedule gives another over all epochs)",
            options.spec.lr, options.schedule
        ));
    }
    if let Some(stopped) = stopped.filter(|stopped| !matches!(*stopped, "epochs" | "signal" | "time" | "diverged")) {
        message::caution(&format!(
            "the run was stopped by {stopped}, which still holds: if it makes no step, train with other options by -c RUNDIR/config.toml"
        ));
    }
}

/// The configuration of the run with the options given now; the time that the run has taken is subtracted from its limit.
fn config(
    (directory, checkpoint): (&RunDirectory, Option<&mut Checkpoint>),
    given: Settings,
    prolongs: bool,
) -> Result<TrainConfig> {
    let schedule_given = given.has("schedule");
    let mut settings = Settings::new();
    settings.add_file(&directory.config())?;
    settings.extend(given);
    let mut config = TrainConfig::new(settings)?;
    let checkpoint = checkpoint.filter(|_| config.members == 1 && config.cv.is_none());
    let spent = checkpoint.as_ref().map_or_else(|| directory.time_of_networks(), |checkpoint| Ok(checkpoint.time()))?;
    config.stopping.spend(spent)?;
    if prolongs {
        prolong(checkpoint, &mut config, schedule_given)?;
    }
    Ok(config)
}

/// The summary of a finished run, if no other run waits in its directory.
fn over(path: &Path) -> Result<Option<Value>> {
    let is_over = |summary: &Value| !matches!(summary["stopped"].as_str(), Some("signal" | "time"));
    let successor = RunDirectory::has_interrupted_successor(path);
    Ok(read_summary(path)?.filter(|summary| is_over(summary) && !successor))
}

/// Applies the requirement of `--fail-under` to a finished run.
fn still_required(path: &Path, summary: &Value) -> Outcome {
    let file = path.join(CONFIG_FILE);
    if !file.is_file() {
        return Ok(());
    }
    let mut settings = Settings::new();
    settings.add_file(&file)?;
    let Some(goal) = TrainConfig::new(settings)?.stopping.fail_under else { return Ok(()) };
    let figures = match goal.watched.part {
        DataPart::Train => &summary["train"],
        DataPart::Val if summary["val"].is_null() => &summary["cv"]["mean"],
        DataPart::Val => &summary["val"],
        DataPart::Test => &summary["test"],
    };
    let figures: Option<MetricSet> = serde_json::from_value(figures.clone()).ok();
    train::required(goal, figures.as_ref())
}

/// A finished run in a few lines.
fn told(path: &Path, summary: &Value) -> String {
    let number = |key: &str| summary[key].as_u64().unwrap_or(0);
    let text = |key: &str| summary[key].as_str().unwrap_or("unknown").to_owned();
    let counted = |key: &str, noun: &str| table::counted(number(key), noun);
    let (stopped, epochs, steps) = (text("stopped"), counted("epochs", "epoch"), counted("steps", "step"));
    let mut told = format!(
        "the run is over (stopped: {stopped}): {epochs}, {steps}, {} kept\nmodel   {}\nweights {}\n",
        table::kept_weights_of(summary),
        path.join("model.safetensors").display(),
        text("weights_sha256"),
    );
    if RunDirectory::has_checkpoint(path) {
        told += &format!("prolong it with: gradlane resume {} --epochs N\n", quoted_path(&to_text(path)));
    }
    told
}

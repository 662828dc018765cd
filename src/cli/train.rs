//! `gradlane train`: from data to a run directory.

mod autopsy;
pub(super) mod ensemble;
pub(super) mod folds;
pub(super) mod portfolio;
pub(super) mod several;
pub(super) mod watch;

use std::path::Path;
use std::sync::atomic::Ordering;

use clap::{ArgMatches, Command};
use gradlane::config::{Settings, TrainConfig};
use gradlane::data::{Folds, Task};
use gradlane::experiment::{Forecast, forecast};
use gradlane::fit::{DataPart, Event, Goal, Patience, Stopped};
use gradlane::metrics::MetricSet;
use gradlane::path_text::to_path;
use gradlane::run::{
    Baseline, Finished, Interrupt, OverfitReport, Plan, RUNS, RunDirectory, RunSummary, is_another_run, new_directory,
    overfit_batch as learn_one_batch, trace as traced,
};
use gradlane::{Error, Result};
use serde_json::json;

use super::args;
use super::choices;
use super::deadline::Deadline;
use super::decided;
use super::exit::{Failure, Outcome};
use super::judged;
use super::message;
use super::output::{heed, print, print_json};
use super::progress::{RunProgress, Style, thousands};
use super::shell::predict_with;
use super::signals::Signals;
use super::table::{self, counted};

const AFTER_HELP: &str = "\
Every option is also a key of --config FILE.toml (with _ for -) and a variable GRADLANE_<KEY>.

--cv K trains K networks, each on all folds but the one it is judged on, with a preprocessing of its own, and then the \
network that is kept, on all rows but those of --test, for as many epochs as were best in the median fold. A fold is \
judged after the epoch that is the median of the other folds' best ones, so its own rows choose nothing; requirements on \
val_ figures are for the mean of the folds, of which the 95 % interval is Nadeau and Bengio's. A --time-limit is shared out among the folds and that network.

--ensemble N trains N networks with the seeds S, S + 1, … on the same rows, small ones side by side, and averages their \
probabilities (numbers of a regression) in one model. With --cv K its networks are those of the K folds, which then share the \
preprocessing of all rows, and no other network is trained.";

/// The command line.
pub fn command() -> Command {
    Command::new("train")
        .about("Train a network and write a run directory")
        .after_help(AFTER_HELP)
        .arg(args::data())
        .args(args::training_flags())
        .arg(args::config())
}

/// Runs it.
pub fn run(matches: &ArgMatches) -> Outcome {
    let settings = args::settings(matches)?;
    if let Some(table) = choices::asked(&settings)? {
        return print(&table);
    }
    let mode = Mode::of(&settings)?;
    let style = Style::of(settings.text("progress").as_deref())?;
    let style = if mode.quiet { Style::None } else { style };
    let config = TrainConfig::by_data(settings)?;
    mode.check(&config)?;
    warn_of_prolonged(matches);
    let Mode { json, dry_run, overfit_batch, trace, .. } = mode;
    let signals = Signals::catch()?;
    let (out, overwrite) = (config.output.out.clone(), config.output.overwrite);
    if !(dry_run || overfit_batch || trace) {
        RunDirectory::check(out.as_deref().unwrap_or(Path::new(RUNS)), overwrite)?;
    }
    let (plan, folds) = planned_in_time(config)?;
    if !mode.quiet {
        // A dry run prints the plan itself.
        notes(&plan, mode.verbose && (json || !dry_run));
    }
    heed(&plan)?;
    if trace {
        return print(&traced(&plan)?);
    }
    if dry_run {
        return print(&planned(&plan, folds.as_ref(), json)?);
    }
    if overfit_batch {
        return overfit(plan, json);
    }
    let signal = signals.hold();
    let out = out.map_or_else(|| new_directory(""), Ok)?;
    let directory = RunDirectory::create(&out, overwrite)?;
    from_the_start((plan, folds), directory, &signal, (style, json))
}

/// Reads the data within the time limit, and plans the run.
pub(super) fn planned_in_time(config: TrainConfig) -> Result<(Plan, Option<Folds>)> {
    args::limit_pool(config.threads.threads);
    let reading = Deadline::watch(config.stopping.deadline);
    let planned = Plan::with_folds(config)?;
    reading.reading_is_over();
    Ok(planned)
}

/// Warns about the configuration of a run that was prolonged, which a run from the start does not repeat.
fn warn_of_prolonged(matches: &ArgMatches) {
    let Ok(Some(file)) = matches.try_get_one::<String>("config") else { return };
    if std::fs::read_to_string(to_path(file)).is_ok_and(|config| is_another_run(&config)) {
        message::caution(&format!(
            "{file} is of a run that was prolonged at another rate or schedule: a run from the start has other weights"
        ));
    }
}

/// Trains one network or several into a new run directory, and prints the report.
pub(super) fn from_the_start(
    (plan, folds): (Plan, Option<Folds>),
    mut directory: RunDirectory,
    signal: &Interrupt,
    (style, json): (Style, bool),
) -> Outcome {
    if plan.config.members > 1 || folds.is_some() {
        plan.begin(&mut directory)?;
        return several::run(plan, folds.as_ref(), (directory, None), signal, (style, json));
    }
    let path = directory.path().to_path_buf();
    let mut directory = Some(directory);
    train(plan, &path, signal, (style, json), &mut |plan, observe| {
        let into = directory.take().map_or_else(|| RunDirectory::create(&path, true), Ok)?;
        plan.run(into, signal, observe)
    })
}

/// Trains a plan once, and tells of each event.
type Attempt<'a> = dyn FnMut(&Plan, &mut dyn FnMut(&Event<'_>)) -> Result<Finished> + 'a;

/// How often a run that diverged is repeated.
const RETRIES: usize = 3;

/// Trains one network into the run directory `path` by `attempt`, and again with a change if it diverges and that is asked for;
/// prints the report.
pub(super) fn train(
    mut plan: Plan,
    path: &Path,
    signal: &Interrupt,
    (style, json): (Style, bool),
    attempt: &mut Attempt<'_>,
) -> Outcome {
    let mut retries = if plan.config.output.retry { RETRIES } else { 0 };
    loop {
        let mut progress = RunProgress::new(style, &plan);
        progress.start(&plan);
        let finished = attempt(&plan, &mut |event| progress.observe(event));
        progress.finish(finished.as_ref().ok().map(|finished| finished.summary.end_event()));
        let finished = finished?;
        let change = finished.summary.divergence.as_ref().and_then(|found| {
            autopsy::tell(found);
            found.best_change()
        });
        let Some(change) = change.filter(|_| retries > 0 && signal.number().load(Ordering::Relaxed) == 0) else {
            return told(&plan, &finished, path, json);
        };
        retries -= 1;
        message::note(&format!("retry: anew with {change}"));
        plan = plan.changed(change)?;
    }
}

/// What to do, and how much to print.
struct Mode {
    quiet: bool,
    verbose: bool,
    json: bool,
    dry_run: bool,
    overfit_batch: bool,
    trace: bool,
}

impl Mode {
    fn of(settings: &Settings) -> Result<Mode> {
        Ok(Mode {
            quiet: settings.switch("quiet")?,
            verbose: settings.switch("verbose")?,
            json: settings.switch("json")?,
            dry_run: settings.switch("dry_run")?,
            overfit_batch: settings.switch("overfit_batch")?,
            trace: settings.switch("trace")?,
        })
    }

    /// Refuses contradictory options.
    fn check(&self, config: &TrainConfig) -> Result<()> {
        if self.trace && self.json {
            return Err(Error::Usage("--trace prints text: leave out --json".to_owned()));
        }
        if config.members > 1 && (self.overfit_batch || self.trace) {
            let message = "--ensemble trains several networks: leave it out with --overfit-batch and --trace";
            return Err(Error::Usage(message.to_owned()));
        }
        if config.cv.is_some() && (self.overfit_batch || self.trace) {
            return Err(Error::Usage("--cv trains folds: leave it out with --overfit-batch and --trace".to_owned()));
        }
        Ok(())
    }
}

/// Prints the decisions of the plan, with the flags that change them.
pub(super) fn notes(plan: &Plan, verbose: bool) {
    for note in plan.prepared.notes.iter().chain(&plan.notes) {
        message::note(note);
    }
    if verbose {
        described(plan).lines().for_each(message::note);
    }
}

/// The plan in a few lines.
fn described(plan: &Plan) -> String {
    let prepared = &plan.prepared;
    let rows = |data: Option<&gradlane::data::Dataset>| data.map_or(0, gradlane::data::Dataset::rows);
    let widths: Vec<String> = plan.architecture.widths().iter().map(usize::to_string).collect();
    let (train, val, test) = (prepared.train.rows(), rows(prepared.val.as_ref()), rows(prepared.test.as_ref()));
    let options = &plan.config.optimizer;
    let networks = match plan.config.members {
        1 => String::new(),
        members => format!(", {members} such networks averaged"),
    };
    let validation = plan.config.cv.map_or(format!("{val} validation"), |count| {
        format!("in {}", folds::counted_folds(count.folds, count.repeats))
    });
    let monitor = match (plan.config.cv, plan.config.stopping.monitor) {
        (None, _) => plan.monitor().to_string(),
        (Some(_), Some(asked)) => format!("{asked}, in each fold"),
        (Some(_), None) if matches!(prepared.preprocessing.task(), Task::Binary | Task::Multiclass) => {
            "val_accuracy, or val_loss where a class has few rows, in each fold".to_owned()
        }
        (Some(_), None) => "val_loss, in each fold".to_owned(),
    };
    let portfolio = plan.config.portfolio.as_ref().map(|all| format!("presets     {}\n", all.names().join(", ")));
    let lines = [
        format!("rows        {train} train, {validation}, {test} test"),
        format!("network     {}, {} parameters{networks}", widths.join("-"), plan.parameters.layout.parameters()),
        format!("loss        {}", plan.loss),
        format!("optimizer   {}, lr {}, schedule {}", options.spec, options.spec.lr, options.schedule),
        format!("epochs      {} of {} steps, batch {}", plan.epochs, plan.steps_per_epoch(), plan.batch),
        format!("monitor     {monitor}"),
        format!("threads     {} of {}, {}", plan.threads, plan.threads_asked, plan.config.threads.isa.name()),
    ]
    .map(|line| line + "\n");
    portfolio.into_iter().chain(lines).collect()
}

/// The plan with the expected time and memory, as an event or in a few lines.
fn planned(plan: &Plan, folds: Option<&Folds>, json: bool) -> Result<String> {
    let expected = forecast(plan, folds)?;
    if json {
        let mut event = plan.start_event();
        event["expected"] = json!(expected);
        return Ok(format!("{event}\n"));
    }
    Ok(described(plan) + &expected.map_or(String::new(), |expected| in_lines(plan, &expected)))
}

/// A time with two digits or three.
fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 0.01 => format!("{:.2} ms", s * 1e3),
        s if s < 1.0 => format!("{:.0} ms", s * 1e3),
        s if s < 10.0 => format!("{s:.1} s"),
        s if s < 100.0 => format!("{s:.0} s"),
        s if s < 6000.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

/// The expected time and memory.
fn in_lines(plan: &Plan, expected: &Forecast) -> String {
    let stopping = &plan.config.stopping;
    let ends_early = plan.patience() != Patience::Never
        || stopping.target.is_some()
        || stopping.deadline.is_some()
        || plan.config.cv.is_some();
    let most = if ends_early { " at most" } else { "" };
    let [all, epoch] = [expected.seconds, expected.seconds_of_epoch].map(duration);
    let memory = match expected.peak_bytes {
        None => String::new(),
        Some(bytes) if bytes < 1e8 => "memory      below 100 MB\n".to_owned(),
        Some(bytes) => format!("memory      about {:.0} MB\n", bytes / 1e6),
    };
    format!("time        about {all}{most}, {epoch} an epoch\n{memory}")
}

fn overfit(plan: Plan, json: bool) -> Outcome {
    let report = learn_one_batch(plan)?;
    if json {
        print_json(&report)?;
    } else {
        print(&overfitted(&report))?;
    }
    if report.learnt {
        return Ok(());
    }
    let message = "the network did not learn one batch by heart: try a larger --lr, more --hidden, or look at the data";
    Err(Error::Unmet(message.to_owned()).into())
}

fn overfitted(report: &OverfitReport) -> String {
    let accuracy = report.accuracy.map_or(String::new(), |a| format!(", accuracy {}", table::figure(Some(a))));
    let (first, last) = (table::figure(Some(report.first_loss)), table::figure(Some(report.last_loss)));
    let OverfitReport { rows, steps, learnt, .. } = report;
    let verdict = if *learnt { "The network learns one batch by heart: the set-up can learn.\n" } else { "" };
    format!("{rows} rows, {steps} steps: loss {first} → {last}{accuracy}\n{verdict}")
}

/// Prints the result to standard output.
pub(super) fn report(plan: &Plan, finished: &Finished, path: &Path, json: bool) -> Outcome {
    let summary = &finished.summary;
    if json {
        return print_json(summary);
    }
    print(&readable(plan, finished, path))
}

fn readable(plan: &Plan, finished: &Finished, path: &Path) -> String {
    let summary = &finished.summary;
    let monitor = plan.config.stopping.monitor.map(|monitor| monitor.metric);
    let networks = match summary.members.len() {
        0 => String::new(),
        members => format!("{members} networks averaged: "),
    };
    let mut text = summary.cv.as_ref().map_or(String::new(), |cv| folds::readable(cv, monitor));
    text += &results(summary);
    let why = match summary.stopped {
        "epochs" => String::new(),
        reason => format!(" (stopped: {reason})"),
    };
    let kept = table::kept_weights(summary.members.len(), summary.best_epoch as u64);
    text += &format!(
        "\n{networks}{}, {} in {:.2} s{why}, {} rows/s on {}; {kept} kept\n",
        counted(summary.epochs as u64, "epoch"),
        counted(summary.steps, "step"),
        summary.seconds,
        thousands(summary.samples_per_s),
        counted(summary.threads as u64, "thread"),
    );
    if !finished.saved {
        return text + &format!("nothing is saved: the older run in {} stays as it was\n", path.display());
    }
    let decision = &finished.model.card.decision;
    for (name, what) in decided::choices(decision, plan.prepared.preprocessing.target()) {
        text += &format!("{name:<12}{what}\n");
    }
    text += &format!("model   {}\n", path.join("model.safetensors").display());
    text += &format!("weights {}\n", summary.weights_sha256);
    text + &predict_with(path, &plan.config.data)
}

/// The figures of the parts and the baselines, those of each class, label or target, and the confusion.
fn results(summary: &RunSummary) -> String {
    let held_out = decided::name_of_held_out(summary);
    let parts = [("train", summary.train.as_ref()), (held_out, summary.val.as_ref()), ("test", summary.test.as_ref())];
    let mut columns: Vec<_> = parts.into_iter().filter_map(|(name, set)| Some((name, set?))).collect();
    let (judged, part) = (&summary.judged.judged, summary.judged.in_words());
    if let Some(baseline) = &summary.baseline {
        columns.push((baseline.constant.name, &baseline.constant.figures));
        columns.extend(baseline.linear.as_ref().map(|linear| ("linear", linear)));
    }
    let mut text = format!("\n{}{}", judged::figures(&columns, judged), decided::optimism(summary));
    if let Some(Baseline { constant, linear, .. }) = &summary.baseline {
        let says = match &constant.class {
            Some(class) => format!("\"{class}\" for every row"),
            None if judged.task == Task::Regression => "the mean for every row".to_owned(),
            None => "the commoner value of each label for every row".to_owned(),
        };
        let linear = if linear.is_some() { "; linear: a linear model" } else { "" };
        text += &format!("{}: {says}{linear}; on {part}\n", constant.name);
    }
    let each = judged::each(judged);
    if !each.is_empty() {
        text += &format!("\n{part}, {each}");
    }
    text + &judged::confusion(&format!("confusion, {}", part.trim_start_matches("the ")), judged)
}

/// The exit status of the run, beside its report.
pub(super) fn outcome(plan: &Plan, finished: &Finished) -> Outcome {
    match finished.stopped {
        Stopped::Diverged { step, loss } => {
            let summary = &finished.summary;
            let epoch = summary.divergence.as_ref().map_or(summary.epochs.max(1), |found| found.epoch);
            return Err(Error::Diverged { epoch, step, loss }.into());
        }
        Stopped::Signal(number) => return Err(Failure::Signal(number)),
        _ => {}
    }
    let Some(goal) = plan.config.stopping.fail_under else { return Ok(()) };
    let summary = &finished.summary;
    let figures = match goal.watched.part {
        DataPart::Train => summary.train.as_ref(),
        DataPart::Val => summary.val.as_ref().or(summary.cv.as_ref().map(|cv| &cv.mean)),
        DataPart::Test => summary.test.as_ref(),
    };
    required(goal, figures)
}

/// Prints the report of a finished run.
///
/// # Errors
/// The failure of the run, which takes precedence over an error in writing the report.
pub(super) fn told(plan: &Plan, finished: &Finished, path: &Path, json: bool) -> Outcome {
    message::warn(&finished.summary.warnings[plan.prepared.warnings.len()..]);
    if finished.summary.train.is_none() {
        message::note("--time-limit has no time for the figures of the training part: they are left out");
    }
    let reported = report(plan, finished, path, json);
    outcome(plan, finished).and(reported)
}

/// Refuses figures that do not meet `--fail-under`.
pub(super) fn required(goal: Goal, figures: Option<&MetricSet>) -> Outcome {
    if figures.is_some_and(|figures| goal.is_met(figures)) {
        return Ok(());
    }
    let found = table::figure(figures.and_then(|f| f.get(goal.watched.metric)));
    Err(Error::Unmet(format!("--fail-under {goal} was missed: {} is {found}", goal.watched)).into())
}

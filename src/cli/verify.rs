//! `gradlane verify`: repeats a run and checks that it gives the same result.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;

use clap::{Arg, ArgMatches, Command};
use gradlane::Result;
use gradlane::config::{SettingOrigin, Settings, TrainConfig};
use gradlane::data::Folds;
use gradlane::experiment::NetworkTraining;
use gradlane::fit::Event;
use gradlane::path_text::to_text;
use gradlane::run::{Difference, Finished, Interrupt, Plan, Recorded, RecordedEvents, TrainedPortfolio};
use serde_json::{Value, json};

use super::args::{self, of_paths};
use super::exit::{Failure, Outcome};
use super::message;
use super::output::{print, print_json};
use super::progress::{RunProgress, Style};
use super::signals::Signals;
use super::table::counted;
use super::train::watch::Watch;
use super::train::{portfolio, several};

const AFTER_HELP: &str = "\
Reads the data again, trains again with the options in RUNDIR/config.toml, and compares each step, each epoch, the weights, the \
model's file and the figures with those of the run, to the bit. Prints SAME, or DIFFERENT with the first difference of each kind, and then \
exits with 13. Nothing in RUNDIR is changed.

A run that a signal or --time-limit ended is repeated for the steps that it made. Where the data are others than those of the \
run, nothing is trained. Any number of threads gives the same bits, and so do AVX2 and AVX-512; --isa portable and other versions of the \
program may not, which is then said.";

/// The options of training that this verb takes; all others come from the run.
const OPTIONS: [&str; 6] = ["threads", "exact_threads", "isa", "progress", "quiet", "json"];

/// The command line.
pub fn command() -> Command {
    let run = Arg::new("run").value_name("RUNDIR").required(true).help("Directory of the run");
    Command::new("verify")
        .about("Repeat a run, and say whether it comes to the same")
        .after_help(AFTER_HELP)
        .arg(of_paths(run))
        .args(OPTIONS.map(args::flag_of))
        .mut_arg("json", |arg| arg.help("Print the verdict and all differences as one JSON object"))
}

/// Runs it.
pub fn run(matches: &ArgMatches) -> Outcome {
    let mut given = args::settings(matches)?;
    // The environment may be meant for the next run; this run keeps its network and data.
    given.retain(|name, origin| *origin == SettingOrigin::Flag || name == "threads");
    let (quiet, json) = (given.switch("quiet")?, given.switch("json")?);
    let style = if quiet { Style::None } else { Style::of(given.text("progress").as_deref())? };
    // There is nothing to save, so a signal ends the program at once.
    let _signals = Signals::catch()?;
    let path = args::path(matches, "run");
    let recorded = Recorded::read(&path)?;
    let config = config(&recorded, given)?;
    args::limit_pool(config.threads.threads);
    let (mut plan, folds) = Plan::with_folds(config)?;
    recorded.check(&plan)?;
    recorded.doubts(&plan).iter().for_each(|doubt| message::caution(doubt));
    let changed = recorded.changed_data(&plan).or_else(|| recorded.changed_split(&plan));
    let (finished, differences) = match changed.or_else(|| recorded.changed_initial(&plan)) {
        Some(changed) => (None, vec![changed]),
        None => {
            plan.last_step = recorded.cut_short_at();
            let (finished, differences) = repeat(plan, folds.as_ref(), &recorded, style)?;
            (Some(finished), differences)
        }
    };
    if json {
        print_json(&as_json(&to_text(&path), finished.as_ref(), &differences))
    } else {
        print(&told(finished.as_ref(), &differences))
    }?;
    match differences.first() {
        None => Ok(()),
        Some(first) => Err(Failure::Different(format!("the run is not repeated: {first}"))),
    }
}

/// The configuration of the run with the options given now, without a time limit.
fn config(recorded: &Recorded, given: Settings) -> Result<TrainConfig> {
    let mut settings = Settings::new();
    settings.add_file(&recorded.config())?;
    settings.retain(|name, _| name != "time_limit");
    settings.extend(given);
    TrainConfig::new(settings)
}

/// Trains again and compares.
fn repeat(
    plan: Plan,
    of_folds: Option<&Folds>,
    recorded: &Recorded,
    style: Style,
) -> Outcome<(Finished, Vec<Difference>)> {
    let nothing = Interrupt::default();
    let signal = nothing.number();
    let mut events = recorded.events()?;
    let mut plan = plan;
    if let Some(of_folds) = of_folds.filter(|_| plan.portfolio.is_some()) {
        let trained = repeat_portfolio(&plan, of_folds, &mut events, (signal, style))?;
        let finished = plan.repeat_portfolio(trained)?;
        let mut differences = Vec::from_iter(events.first_difference()?);
        differences.extend(recorded.differences(&finished));
        return Ok((finished, differences));
    }
    if plan.config.members > 1 || of_folds.is_some() {
        let (with_cv, trained) = repeat_networks(plan, of_folds, (recorded, &mut events), (signal, style))?;
        if let Some(trained) = trained {
            let finished = with_cv.repeat_ensemble(trained)?;
            let mut differences = Vec::from_iter(events.first_difference()?);
            differences.extend(recorded.differences(&finished));
            return Ok((finished, differences));
        }
        plan = with_cv;
    }
    let mut progress = RunProgress::new(style, &plan);
    progress.start(&plan);
    let finished = plan.repeat(signal, &mut |event| {
        events.hold(event);
        progress.observe(event);
    });
    progress.finish(None);
    let finished = finished?;
    let mut differences = Vec::from_iter(events.first_difference()?);
    differences.extend(recorded.differences(&finished));
    Ok((finished, differences))
}

/// Trains the networks of a run of several again, and compares their events with the recorded ones.
fn repeat_networks(
    plan: Plan,
    of_folds: Option<&Folds>,
    (recorded, events): (&Recorded, &mut RecordedEvents),
    (signal, style): (&AtomicUsize, Style),
) -> Outcome<(Plan, Option<several::Ensemble>)> {
    let watch = Watch::new(style, &plan, of_folds.map_or(plan.config.members, Folds::len));
    let of_networks = OfNetworks::default();
    let train = |number: usize, plan: &mut Plan| {
        if !recorded.limit(number, plan) {
            return Ok(None);
        }
        plan.train(signal, &mut |event| of_networks.keep(&watch, number, event)).map(Some)
    };
    let trained =
        several::trained(plan, of_folds, NetworkTraining { signal, train: &train, begun: &|_| false }, &watch, true)?;
    watch.finish(None);
    events.hold_networks(of_networks.in_order())?;
    Ok(trained)
}

/// The same for a run of several configurations.
fn repeat_portfolio(
    plan: &Plan,
    of_folds: &Folds,
    events: &mut RecordedEvents,
    (signal, style): (&AtomicUsize, Style),
) -> Result<TrainedPortfolio> {
    let configurations = plan.portfolio.as_ref().map_or(0, |portfolio| portfolio.entries.len());
    let watch = Watch::new(style, plan, configurations * of_folds.len());
    let of_networks = OfNetworks::default();
    let train = |number: usize, plan: &mut Plan| {
        plan.train(signal, &mut |event| of_networks.keep(&watch, number, event)).map(Some)
    };
    let trained = portfolio::trained(
        plan,
        of_folds,
        NetworkTraining { signal, train: &train, begun: &|_| false },
        &watch,
        &|_, _| Ok(()),
    )?;
    watch.finish(None);
    events.hold_networks(of_networks.in_order())?;
    Ok(trained)
}

/// The events of several networks, collected in any order.
#[derive(Default)]
struct OfNetworks(Mutex<BTreeMap<usize, Vec<Value>>>);

impl OfNetworks {
    fn keep(&self, watch: &Watch, number: usize, event: &Event<'_>) {
        let mut all = self.0.lock().unwrap_or_else(|e| e.into_inner());
        all.entry(number).or_default().push(watch.named(number, event));
        watch.observe(number, event);
    }

    /// The events in order, one network after the other.
    fn in_order(self) -> impl Iterator<Item = Value> {
        self.0.into_inner().unwrap_or_else(|e| e.into_inner()).into_values().flatten()
    }
}

fn verdict(differences: &[Difference]) -> &'static str {
    if differences.is_empty() { "SAME" } else { "DIFFERENT" }
}

fn as_json(path: &str, finished: Option<&Finished>, differences: &[Difference]) -> Value {
    let of = |what: &dyn Fn(&Finished) -> Value| finished.map_or(Value::Null, what);
    json!({
        "verdict": verdict(differences),
        "run_dir": path,
        "epochs": of(&|finished| finished.summary.epochs.into()),
        "steps": of(&|finished| finished.summary.steps.into()),
        "weights_sha256": of(&|finished| finished.summary.weights_sha256.as_str().into()),
        "differences": differences,
    })
}

fn told(finished: Option<&Finished>, differences: &[Difference]) -> String {
    let repeated = match finished {
        None => "the data have changed, so nothing was trained".to_owned(),
        Some(finished) => {
            let summary = &finished.summary;
            let (epochs, steps) = (counted(summary.epochs as u64, "epoch"), counted(summary.steps, "step"));
            format!("{epochs}, {steps}, weights {}", summary.weights_sha256)
        }
    };
    let mut text = format!("{}: {repeated}\n", verdict(differences));
    differences.iter().for_each(|difference| text += &format!("{difference}\n"));
    text
}

//! `gradlane bench`: the speed of training steps on this machine, and what limits it.

mod saved;
mod tables;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::{Arg, ArgAction, ArgMatches, Command};
use gradlane::config::{BenchConfig, BenchOptions};
use gradlane::machine::{BenchRun, BenchTask, ScalingModel, Together, Widths, Workload, bench, threads_at_work};
use gradlane::train::team::available_threads;
use gradlane::{Error, Result, atomic};

use super::args;
use super::choices;
use super::exit::{Failure, Outcome};
use super::message;
use super::output::{print, print_json};
use super::signals::Signals;
use super::values;

const AFTER_HELP: &str = "\
Workloads: iris, digits, mnist, mnist-128, wide, tabular, deep, huge.

Figures are of the median epoch after a warm-up, over complete steps: shuffled gather, forward, loss, backward, clip, \
update. The roofline is the least time that the FMA peak and the memory allow the network and its update, both measured in \
the same run; 100 % of it would be perfect.";

/// Default rows of a mini-batch and of an epoch.
const BATCH: usize = 32;
const ROWS: usize = 16_384;

/// The command line.
pub fn command() -> Command {
    let option = |name: &'static str, value: &'static str, help: &str| {
        Arg::new(name).long(name.replace('_', "-")).value_name(value).help(help.to_owned()).help_heading("Work")
    };
    let engine = |name: &'static str, value: &'static str, help: &str| option(name, value, help).help_heading("Engine");
    let offered = |arg: Arg| {
        let name = arg.get_id().to_string();
        values::offered(arg, &name)
    };
    let output = |name: &'static str, help: &'static str| Arg::new(name).long(name).help(help).help_heading("Output");
    Command::new("bench")
        .about("Time training steps beside what the machine allows")
        .after_help(AFTER_HELP)
        .arg(
            offered(option("workload", "NAME", "Named workloads, with spaces or commas between them [all eight]"))
                .num_args(1..)
                .action(ArgAction::Append)
                .value_delimiter(','),
        )
        .arg(option("layers", "WIDTHS", "A network instead: 784,128,10").conflicts_with("workload"))
        .arg(option("batch", "N", &format!("Rows of its mini-batch [{BATCH}]")).requires("layers"))
        .arg(option("rows", "N", &format!("Rows of its epoch [{ROWS}]")).requires("layers"))
        .arg(option("task", "TASK", "What it learns: classify or regress [classify]").requires("layers"))
        .arg(offered(option("optimizer", "SPEC", "As in train: sgd, momentum, rmsprop, adam, … [adam]")))
        .arg(offered(option("dialect", "LIBRARY", "Whose equations: torch, keras or sklearn [torch]")))
        .arg(
            option("clip_norm", "X[:1|2|inf]", "Bound of the whole gradient's norm, or none [1]")
                .allow_hyphen_values(true),
        )
        .arg(option("epochs", "N", "Epochs to time [5, and on for 0.3 s at least]"))
        .arg(engine("threads", "N,…", "Threads at most, one run for each [1 and all CPUs]").short('j'))
        .arg(
            Arg::new("exact_threads")
                .long("exact-threads")
                .help("Use exactly that many threads, however small the work of a step")
                .help_heading("Engine")
                .action(ArgAction::SetTrue),
        )
        .arg(offered(engine("isa", "ISA", "Kernels: auto, portable, avx2 or avx512 [auto]")))
        .arg(
            output("explain", "Where the time of a step goes; without --json also how it would scale with cores")
                .action(ArgAction::SetTrue),
        )
        .arg(output("json", "Print one JSON object a run, one a line").action(ArgAction::SetTrue))
        .arg(output("save", "Write the runs to a file").value_name("FILE"))
        .arg(output("against", "Compare with the runs of such a file").value_name("FILE").conflicts_with("json"))
}

/// Runs it.
pub fn run(matches: &ArgMatches) -> Outcome {
    let settings = args::settings(matches)?;
    if let Some(table) = choices::asked(&settings)? {
        return print(&table);
    }
    let config = BenchConfig::new(settings)?;
    let workloads = workloads(matches)?;
    let file = |id: &str| matches.get_one::<String>(id).map(Path::new);
    let earlier = file("against").map(saved::read).transpose()?;
    let json = matches.get_flag("json");
    let options = BenchOptions { explain: matches.get_flag("explain"), ..config.options };
    file("save").map(atomic::check_file).transpose()?;
    let signal = Signals::catch()?.hold();
    let mut runs = Vec::new();
    let end = time_all(&workloads, &config.threads, &options, signal.number(), |run| {
        runs.push(run.clone());
        if json { print_json(run) } else { Ok(()) }
    });
    if let Err(Failure::Signal(_)) = end {
        let all = workloads.len() * config.threads.len();
        message::note(&format!("interrupted: {} of {all} runs are done", runs.len()));
    }
    // However it ended, finished runs are saved.
    if let Some(path) = file("save").filter(|_| !runs.is_empty()) {
        saved::write(path, &runs)?;
    }
    let shown = if json || runs.is_empty() { Ok(()) } else { show(&runs, earlier.as_deref()) };
    end.and(shown)?;
    if options.explain && !json {
        explain_scaling(&workloads, &options, &runs, signal.number())?;
    }
    Ok(())
}

/// Prints the tables of all runs, and the explanation of each.
fn show(runs: &[BenchRun], earlier: Option<&[BenchRun]>) -> Outcome {
    print(&tables::runs(runs))?;
    if let Some(earlier) = earlier {
        print(&tables::against(runs, earlier))?;
    }
    runs.iter().try_for_each(|run| print(&tables::profile(run)))
}

/// Ends with a failure if a signal has come.
fn heed(signal: &AtomicUsize) -> Outcome {
    match signal.load(Ordering::Relaxed) {
        0 => Ok(()),
        number => Err(Failure::Signal(number)),
    }
}

/// Times each workload with each number of threads and passes the runs on. A run that would use as many threads as an earlier
/// one is skipped. A signal ends it after the current run.
fn time_all(
    workloads: &[Workload],
    limits: &[usize],
    options: &BenchOptions,
    signal: &AtomicUsize,
    mut pass_on: impl FnMut(&BenchRun) -> Outcome,
) -> Outcome {
    for workload in workloads {
        let mut runs: Vec<BenchRun> = Vec::new();
        for &limit in limits {
            let threads = threads_at_work(workload, limit, options);
            let run = if let Some(same) = runs.iter().find(|run| run.threads_used == threads) {
                BenchRun { threads: limit, ..same.clone() }
            } else {
                let run = bench(workload, limit, options)
                    .inspect_err(|_| message::note(&format!("{} failed", workload.name)))?;
                warn_of_noise(&run);
                message::note(&tables::progress(&run));
                run
            };
            pass_on(&run)?;
            runs.push(run);
            heed(signal)?;
        }
    }
    Ok(())
}

/// The workloads that the flags ask for; by default all named ones.
fn workloads(matches: &ArgMatches) -> Result<Vec<Workload>> {
    let text = |id: &str| matches.get_one::<String>(id);
    if let Some(names) = matches.get_many::<String>("workload") {
        let mut workloads = Vec::new();
        for name in names {
            let workload = Workload::named(name)?;
            if !workloads.contains(&workload) {
                workloads.push(workload);
            }
        }
        return Ok(workloads);
    }
    let Some(layers) = text("layers") else { return Ok(Workload::all()) };
    let widths: Widths = args::value("layers", layers)?;
    let task = text("task").map_or(Ok(BenchTask::Classify), |task| args::value("task", task))?;
    Ok(vec![Workload::custom(widths, count(matches, "batch", BATCH)?, count(matches, "rows", ROWS)?, task)?])
}

/// A whole number above 0.
fn count(matches: &ArgMatches, id: &str, default: usize) -> Result<usize> {
    let Some(text) = matches.get_one::<String>(id) else { return Ok(default) };
    // Row numbers have 32 bits.
    let wrong = || Error::Usage(format!("--{id}: expected a whole number from 1 to {}, found \"{text}\"", u32::MAX));
    text.replace('_', "").parse::<u32>().ok().filter(|n| *n > 0).map(|n| n as usize).ok_or_else(wrong)
}

fn warn_of_noise(run: &BenchRun) {
    let warn =
        |what: &str| message::caution(&format!("{} on {}: {what}", run.workload, tables::threads(run.threads_used)));
    if let Some(waited) = run.waited.filter(|_| run.is_crowded()) {
        warn(&format!(
            "threads waited {:.0} % of the time for a CPU: other programs or a limit keep it from them",
            waited * 100.0
        ));
    } else if let Some(stolen) = run.stolen.filter(|_| run.is_robbed()) {
        warn(&format!("the host of this virtual machine gave {:.0} % of the CPU time to others", stolen * 100.0));
    } else if run.is_noisy() {
        warn(&format!(
            "the middle half of the epochs spreads over {:.0} % of the median: the machine has other work, or --epochs are \
             too few",
            run.spread() * 100.0
        ));
    }
}

/// The prediction for machines with more cores, from costs measured on this one.
fn explain_scaling(workloads: &[Workload], options: &BenchOptions, runs: &[BenchRun], signal: &AtomicUsize) -> Outcome {
    let Some(together) = Together::measure(available_threads()) else {
        return print("\nOn one core nothing can be said of how steps scale.\n");
    };
    if together.is_disturbed() {
        return print("\nno prediction: other programs kept a core busy while barriers were timed\n");
    }
    let predict = |workload| {
        heed(signal)?;
        Ok(ScalingModel::measure(workload, options, together)?.predict(workload))
    };
    let predictions = workloads.iter().map(predict).collect::<Outcome<Vec<_>>>()?;
    print(&tables::scaling(&predictions, together, runs))
}

//! `gradlane compare`: compares optimizers, on built-in problems or on the user's data.

mod conclusion;
mod flags;
mod progress;
mod tables;
mod work;

use std::path::Path;

use clap::{Arg, ArgAction, ArgMatches, Command};
use gradlane::Error;
use gradlane::atomic::check_folder;
use gradlane::config::{COMPARE, COMPARISON};
use gradlane::config::{SettingOrigin, Settings, names_for};
use gradlane::experiment::compare::records::Record;
use gradlane::experiment::compare::{Comparison, Journal, RUNS_FILE, Terms, default_names, names};
use gradlane::path_text::to_path;
use gradlane::run::{RUNS, new_directory};

use super::args;
use super::choices;
use super::exit::{Failure, Outcome};
use super::message;
use super::output::{print, print_json};
use super::progress::Style;
use super::signals::Signals;
use super::values;
use conclusion::{Printed, conclude, rebuild};
use flags::HELP;
use progress::ComparisonProgress;

/// The command line.
pub fn command() -> Command {
    let flags = names_for(COMPARE).into_iter().chain(names_for(COMPARISON)).map(|name| {
        let help = HELP.iter().find(|(flag, _)| *flag == name);
        help.map_or_else(|| args::flag_of(name), |(_, help)| args::flag_of(name).help(*help))
    });
    let all = names();
    let (default, full) = all.split_at(default_names().len());
    let problems = format!("Problems: {}; with --full also {}.", default.join(", "), full.join(", "));
    let outline = "The unit is a study: one search for one optimizer on one problem. It tries the optimizer's defaults and points \
                   of a space of its own (options in SPEC are fixed, the others are searched), repeats the best of them, and \
                   trains the winner on fresh seeds. Options of data and network are for DATA; built-in problems have their \
                   own.";
    Command::new("compare")
        .about("Compare optimizers fairly: same problems, same budgets, independent searches, one report")
        .after_help(format!("{problems}\n\n{outline}"))
        .arg(
            args::data().num_args(0..).help("Data sets to compare on, as in train; without any, the built-in problems"),
        )
        .args(own_arguments())
        .args(flags)
}

/// Arguments that decide what is compared.
const WORK: [&str; 9] = ["data", "contestant", "problem", "studies", "trials", "seeds", "goal", "quick", "full"];

/// The options that no other verb has.
fn own_arguments() -> [Arg; 10] {
    let option = |name: &'static str, value: &'static str, help: &str| {
        Arg::new(name).long(name).value_name(value).help(help.to_owned()).help_heading("Comparison")
    };
    let usual = Terms::full(0);
    let switch = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).help(help).help_heading("Comparison").action(ArgAction::SetTrue)
    };
    let optimizers = option("optimizer", "[NAME=]SPEC", "An optimizer; repeat for more [sgd, momentum, rmsprop, adam]");
    let problems = option("problem", "NAME", "A built-in problem; repeat for more [those of the default form]");
    let from = option("from", "DIR", "Make summary and report anew from the runs of an earlier comparison");
    let resume = option("resume", "DIR", "Go on with a comparison; what it was about need not be repeated");
    [
        values::offered(optimizers.id("contestant").action(ArgAction::Append), "optimizer"),
        values::offered(problems.action(ArgAction::Append), "problem"),
        option(
            "studies",
            "N",
            &format!(
                "Independent searches for each optimizer and problem [{}; more for many optimizers or problems]",
                usual.studies
            ),
        ),
        option("trials", "N", &format!("Settings that a study tries, the defaults among them [{}]", usual.trials)),
        option("seeds", "N", &format!("Fresh seeds of the setting that a study chooses [{}]", usual.seeds)),
        option("target", "METRIC", "Validation loss to reach, e.g. 'val_loss<=0.3'").id("goal"),
        switch("quick", "A first answer within a minute: three problems, 4 studies of 9 runs"),
        switch("full", "The larger built-in problems too").conflicts_with_all(["quick", "problem", "data"]),
        args::of_paths(from)
            .conflicts_with_all(WORK)
            .conflicts_with_all(names_for(COMPARE))
            .conflicts_with_all(["threads", "seed", "isa", "dry_run"]),
        args::of_paths(resume).conflicts_with_all(WORK).conflicts_with_all(names_for(COMPARE)).conflicts_with_all([
            "from",
            "seed",
            "isa",
            "dry_run",
            "out",
            "overwrite",
        ]),
    ]
}

/// Runs it.
pub fn run(matches: &ArgMatches) -> Outcome {
    let mut settings = args::settings(matches)?;
    if matches.get_many::<String>("contestant").into_iter().flatten().any(|text| text == "help") {
        settings.set("optimizer", "help".into(), SettingOrigin::Flag);
    }
    if let Some(table) = choices::asked(&settings)? {
        return print(&table);
    }
    let [quiet, json, dry_run, overwrite] = ["quiet", "json", "dry_run", "overwrite"].map(|name| settings.switch(name));
    let (quiet, json, dry_run, overwrite) = (quiet?, json?, dry_run?, overwrite?);
    let style = Style::of(settings.text("progress").as_deref())?;
    let style = if quiet { Style::None } else { style };
    let out = settings.text("out").map(|text| to_path(&text));
    if let Some(from) = matches.get_one::<String>("from") {
        return rebuild(&to_path(from), out.as_deref(), overwrite, Printed { json, quiet });
    }
    if let Some(path) = matches.get_one::<String>("resume") {
        return resume(&to_path(path), settings, (style, json, quiet));
    }
    if !dry_run {
        match &out {
            Some(out) => Journal::check(out, overwrite)?,
            None => check_folder(Path::new(RUNS))?,
        }
    }
    let work = work::Request::new(matches, settings)?;
    args::limit_pool(Some(work.threads));
    let (comparison, notes) = work.prepare()?;
    if !quiet {
        notes.iter().for_each(|note| message::note(note));
    }
    comparison.check()?;
    if dry_run {
        return tell_plan(&comparison, json);
    }
    let out = out.map_or_else(|| new_directory("compare-"), Ok)?;
    let journal = Journal::create(&out, overwrite)?;
    if !quiet {
        message::note(&tables::outline(&comparison));
    }
    run_all(&comparison, (journal, &[]), &out, style)?;
    // The summary is made from the file, not from memory, so `--from` gives the same.
    conclude(&out, &out, Printed { json, quiet })
}

/// Continues a comparison with its original command and the options given now.
fn resume(path: &Path, given: Settings, (style, json, quiet): (Style, bool, bool)) -> Outcome {
    let (journal, records) = Journal::reopen(path)?;
    let command_line = match records.first() {
        Some(Record::Protocol(protocol)) => protocol.command.clone(),
        _ => String::new(),
    };
    let unreadable = || Error::data(path.join(RUNS_FILE), "expected the command of the comparison in its protocol");
    let words = shlex::split(&command_line).filter(|words| words.len() > 1).ok_or_else(unreadable)?;
    let matches = command().try_get_matches_from(&words[1..]).map_err(|_| unreadable())?;
    let mut settings = args::settings(&matches)?;
    settings.extend(given);
    let work = work::Request::new(&matches, settings)?;
    args::limit_pool(Some(work.threads));
    let (comparison, _) = work.prepare()?;
    let comparison = Comparison { command: command_line, ..comparison };
    comparison.check_records(&records)?;
    if !quiet {
        message::note(&tables::outline(&comparison));
    }
    run_all(&comparison, (journal, &records), path, style)?;
    conclude(path, path, Printed { json, quiet })
}

/// Makes all runs and records each when it ends.
///
/// # Errors
/// Those of training and writing, and [`Failure::Signal`] after the number of finished runs is reported.
fn run_all(comparison: &Comparison, (mut journal, there): (Journal, &[Record]), out: &Path, style: Style) -> Outcome {
    let signal = Signals::catch()?.hold();
    let mut progress = ComparisonProgress::new(style, comparison);
    let finished = comparison.run_from(there, signal.number(), &mut |record, at| {
        journal.write(record)?;
        progress.observe(record, at);
        Ok(())
    });
    let done = progress.finish();
    if finished? {
        return Ok(());
    }
    let (runs, all) = (out.join(RUNS_FILE), comparison.runs());
    message::note(&format!(
        "interrupted: {} keeps {done} of {all} runs; --resume {} goes on, --from makes a report of them",
        runs.display(),
        out.display()
    ));
    Err(Failure::Signal(signal.number().load(std::sync::atomic::Ordering::Relaxed)))
}

/// Prints what would run, and for how long.
fn tell_plan(comparison: &Comparison, json: bool) -> Outcome {
    let expected = comparison.expected_seconds(&comparison.step_costs()?);
    if !json {
        return print(&tables::plan(comparison, expected));
    }
    print_json(&serde_json::json!({
        "protocol": comparison.protocol(),
        "runs": comparison.runs(),
        "expected_seconds": expected,
    }))
}

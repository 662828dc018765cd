//! `gradlane lr-find`: a learning-rate range test.

mod picture;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use clap::{Arg, ArgMatches, Command};
use gradlane::config::SWEEP;
use gradlane::config::TrainConfig;
use gradlane::data::{Loaded, PartFrom, Source};
use gradlane::experiment::{LrFind, Sweep, check_sweeps, lr_find};
use gradlane::path_text::{to_path, to_text};
use gradlane::run::new_file;
use gradlane::{Error, Result, atomic};
use serde_json::json;

use super::args;
use super::choices;
use super::exit::Outcome;
use super::message;
use super::output::{print, print_json, refuse, refuse_to_replace};
use super::shell::quoted;
use super::signals::Signals;
use super::table::counted;

const AFTER_HELP: &str = "\
Trains networks of several seeds side by side while the learning rate grows from step to step, and looks at the median of \
their losses, smoothed (L. N. Smith 2017, https://arxiv.org/abs/1506.01186). The band begins where the loss has made a \
twentieth of its fall and ends where it is lowest, just before it rises. What is recommended is a quarter of the latter rate.";

/// Default rates of the first and the last step.
const FROM: f64 = 1e-6;
const TO: f64 = 10.0;
/// Default and smallest number of steps of a sweep.
const STEPS: u64 = 300;
const LEAST_STEPS: u64 = 20;
/// Default number of seeds.
const SEEDS: usize = 3;

/// The command line.
pub fn command() -> Command {
    let option = |name: &'static str, value: &'static str, help: &str| {
        Arg::new(name)
            .long(name)
            .value_name(value)
            .help(help.to_owned())
            .help_heading("Sweep")
            .allow_hyphen_values(true)
    };
    let steps = format!("Steps of each network [{STEPS}]");
    Command::new("lr-find")
        .about("Find a learning rate: let it grow and see where the loss falls")
        .after_help(AFTER_HELP)
        .arg(args::data())
        .arg(option("from", "RATE", &format!("Rate of the first step [{FROM:e}]")))
        .arg(option("to", "RATE", &format!("Rate of the last step [{TO}]")))
        .arg(option("seeds", "N", &format!("Networks, of different initial weights and orders of rows [{SEEDS}]")))
        .args(args::flags_for(SWEEP))
        .mut_arg("steps", |arg| arg.help(steps).help_heading("Sweep"))
        .mut_arg("json", |arg| arg.help("Print one JSON object"))
        .arg(args::of_paths(
            Arg::new("plot")
                .short('o')
                .long("out")
                .value_name("FILE.svg")
                .help("Where the plot is written [runs/lr-find-<date-time>.svg]")
                .help_heading("Run"),
        ))
        .arg(args::config())
}

/// Refuses a plot that would replace a file that is read.
fn refuse_to_replace_inputs(matches: &ArgMatches, config: &TrainConfig, plot: &Path) -> Result<()> {
    refuse_to_replace(&config.data.data, ("-o ", plot), "data are")?;
    let parts = [Some(&config.data.valid), config.data.test.as_ref()];
    let files =
        parts.into_iter().flatten().filter_map(|part| if let PartFrom::File(file) = part { Some(file) } else { None });
    files.into_iter().try_for_each(|file| refuse_to_replace(file, ("-o ", plot), "data are"))?;
    let settings = matches.get_one::<String>("config").map(|file| to_path(file));
    for file in settings.into_iter().chain(config.model.init_from.clone()) {
        refuse_to_replace(&Source::Path(file), ("-o ", plot), "input is")?;
    }
    Ok(())
}

/// Runs it.
pub fn run(matches: &ArgMatches) -> Outcome {
    let settings = args::settings(matches)?;
    if let Some(table) = choices::asked(&settings)? {
        return print(&table);
    }
    let (quiet, as_json) = (settings.switch("quiet")?, settings.switch("json")?);
    let mut config = TrainConfig::by_data(settings)?;
    config.refuse_portfolio()?;
    let left_open = config.of_tables.take().is_some();
    check_sweeps(&config)?;
    let sweep = sweep(matches, &config)?;
    // There is nothing to save, so a signal ends the program at once.
    let _signals = Signals::catch()?;
    args::limit_pool(config.threads.threads);
    if let Some(plot) = matches.get_one::<String>("plot") {
        refuse_to_replace_inputs(matches, &config, &to_path(plot))?;
    }
    let loaded = Loaded::read(&config.data)?;
    let sketch = loaded.sketch();
    let mut config = config.for_task(sketch.task);
    config.stopping.steps = None;
    config.stopping.fail_under = None;
    config.stopping.target = None;
    config.stopping.monitor = None;
    let prepared = Arc::new(loaded.prepare(&config.data, config.seed)?);
    if !quiet {
        prepared.notes.iter().for_each(|note| message::note(note));
        let steps = counted(sweep.steps as u64, "step");
        message::note(&format!(
            "sweeps: {} of {steps}, {} (--seeds, --steps)",
            sweep.seeds,
            config.optimizer.spec.algorithm.name()
        ));
    }
    message::warn(&prepared.warnings);
    refuse(&prepared.warnings, config.data.strict, |message| Error::data(config.data.data.name(), message))?;
    let found = lr_find(&config, &prepared, sweep)?;
    let plot = match matches.get_one::<String>("plot") {
        Some(text) => to_path(text),
        None => new_file("lr-find-", ".svg")?,
    };
    doubt(&found);
    write_plot(&plot, &picture::chart(&found).svg_file())?;
    if as_json {
        let mut object = json!(found);
        object["optimizer"] = json!(config.optimizer.spec.to_string());
        object["plot"] = json!(to_text(&plot));
        return print_json(&object);
    }
    print(&readable(&found, &plot, &command_with(matches, &found, left_open && sketch.is_table)))
}

/// The recommendations of the single seeds.
fn seeds(found: &LrFind) -> String {
    let [least, greatest] = match found.range() {
        Some((least, greatest)) if found.by_seed.len() > 1 => [least, greatest].map(picture::rate),
        _ => return String::new(),
    };
    format!(" ({least} to {greatest} by single seeds)")
}

/// Warns if the recommendation depends on the seed.
fn doubt(found: &LrFind) {
    if found.seeds_disagree() && found.recommended.is_some() {
        let (fall, of) = (found.by_seed.iter().flatten().count(), found.by_seed.len());
        let what = if fall < of { format!(": the loss falls for {fall} of {of}") } else { seeds(found) };
        message::caution(&format!("the seeds disagree{what}; try more --seeds or --steps, or a larger --batch"));
    }
}

fn write_plot(path: &Path, svg: &str) -> Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(|e| Error::io(folder, e))?;
    }
    atomic::write(path, svg.as_bytes())
}

/// The sweep that the flags ask for.
fn sweep(matches: &ArgMatches, config: &TrainConfig) -> Result<Sweep> {
    let rate = |name: &str, default: f64| {
        let Some(text) = matches.get_one::<String>(name) else { return Ok(default) };
        let wrong = || Error::Usage(format!("--{name}: expected a number above 0, found \"{text}\""));
        text.parse::<f64>().ok().filter(|x| *x > 0.0 && x.is_finite()).ok_or_else(wrong)
    };
    let (from, to) = (rate("from", FROM)?, rate("to", TO)?);
    if from >= to {
        return Err(Error::Usage(format!("--from {from} must be below --to {to}")));
    }
    let seeds = match matches.get_one::<String>("seeds") {
        None => SEEDS,
        Some(text) => {
            let wrong = || Error::Usage(format!("--seeds: expected a whole number of 1 to 1000, found \"{text}\""));
            text.parse().ok().filter(|n| (1..=1000).contains(n)).ok_or_else(wrong)?
        }
    };
    let steps = config.stopping.steps.unwrap_or(STEPS);
    if !(LEAST_STEPS..=1_000_000).contains(&steps) {
        return Err(Error::Usage(format!("--steps: expected {LEAST_STEPS} to 1,000,000 for a sweep, found {steps}")));
    }
    Ok(Sweep { from, to, steps: steps as usize, seeds })
}

/// The command that trains with the recommended rate and all options given here. `plain` says that `train` alone would choose
/// another network than the one examined.
fn command_with(matches: &ArgMatches, found: &LrFind, plain: bool) -> Option<String> {
    let rate = found.recommended?;
    let mut words = vec!["gradlane".to_owned(), "train".to_owned()];
    words.extend(matches.get_one::<String>("data").cloned());
    if let Some(file) = matches.get_one::<String>("config") {
        words.extend(["-c".to_owned(), file.clone()]);
    }
    let mut given = args::given_flags(matches).into_iter();
    while let Some(flag) = given.next() {
        match flag.as_str() {
            "--steps" => drop(given.next()), // the sweep's
            "--json" | "--quiet" => {}
            _ => words.push(flag),
        }
    }
    if plain {
        words.extend(["--preset", "plain"].map(str::to_owned));
    }
    words.extend(["--lr".to_owned(), picture::rate(rate)]);
    Some(words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "))
}

fn readable(found: &LrFind, plot: &Path, command: &Option<String>) -> String {
    let mut text = format!("\n{}\n", picture::text(found));
    match (&found.band, found.recommended, command) {
        (Some(band), Some(rate), Some(command)) => {
            let [low, high, rate] = [band.low, band.high, rate].map(picture::rate);
            text += &format!("band         {low} to {high}\nrecommended  {rate}{}\n", seeds(found));
            text += &format!("plot         {}\n", plot.display());
            text += &format!("train with: {command}\n");
        }
        _ => {
            text += &format!("plot         {}\n", plot.display());
            text += "The loss falls nowhere by more than a hundredth: nothing to recommend. Try other --from and --to, more \
                     --steps, or look at the data.\n";
        }
    }
    text
}

//! From the command line to a comparison.

use clap::ArgMatches;
use gradlane::config::{ApplyConfig, COMPARE, COMPARISON, SettingOrigin, Settings, TrainConfig, find};
use gradlane::data::Source;
use gradlane::experiment::compare::{
    Comparison, Contestant, Problem, QUICK, Terms, default_names, find_mnist, names, problem, studies_for,
};
use gradlane::fit::{DataPart, Goal};
use gradlane::kernel::Isa;
use gradlane::metrics::MetricName;
use gradlane::run::Plan;
use gradlane::{Error, Result, spec};

use super::super::args;
use super::super::output::heed;
use super::super::shell::quoted;

/// The optimizers that are compared by default.
const OPTIMIZERS: [&str; 4] = ["sgd", "momentum", "rmsprop", "adam"];
/// Fractions of the user's rows for validation and for test.
const SHARE: &str = "0.15";
/// The problem that needs files.
const MNIST: &str = "mnist";

/// What the flags ask for, checked before any file is opened.
pub struct Request {
    contestants: Vec<Contestant>,
    terms: Terms,
    quick: bool,
    full: bool,
    /// Whether to choose the number of studies that verdicts on single problems need.
    count_studies: bool,
    target: Option<f64>,
    data: Vec<TrainConfig>,
    /// Names of built-in problems that the user gave.
    named: Vec<String>,
    isa: Isa,
    /// Number of runs at a time.
    pub threads: usize,
    notes: Vec<String>,
}

impl Request {
    /// Parses and checks flags.
    ///
    /// # Errors
    /// [`Error::Usage`] naming the flag.
    pub fn new(matches: &ArgMatches, settings: Settings) -> Result<Request> {
        let texts = |id: &str| matches.get_many::<String>(id).into_iter().flatten();
        let quick = matches.get_flag("quick");
        let seed = args::seed(&settings)?;
        let default = if quick { Terms::quick(seed) } else { Terms::full(seed) };
        let terms = Terms {
            studies: count(matches, "studies", default.studies)?,
            trials: count(matches, "trials", default.trials)?,
            seeds: count(matches, "seeds", default.seeds)?,
            ..default
        };
        let named: Vec<String> = texts("problem").cloned().collect();
        if let Some(unknown) = named.iter().find(|name| !names().contains(&name.as_str())) {
            return Err(spec::unknown("problem", unknown, &names()));
        }
        refuse_idle(&settings, texts("data").next().is_some())?;
        let data = texts("data").map(|data| config(&settings, data)).collect::<Result<Vec<_>>>()?;
        let (isa, threads) = ApplyConfig::new(settings)?.isa_and_threads();
        let target = matches.get_one::<String>("goal").map(|text| target(text)).transpose()?;
        let work = Request {
            contestants: contestants(texts("contestant").map(String::as_str).collect())?,
            terms,
            quick,
            full: matches.get_flag("full"),
            count_studies: !quick && matches.get_one::<String>("studies").is_none(),
            target,
            data,
            named,
            isa,
            threads,
            notes: Vec::new(),
        };
        Ok(work)
    }

    /// Reads and makes the problems; also returns notes for the user.
    ///
    /// # Errors
    /// Errors in reading the user's data.
    pub fn prepare(mut self) -> Result<(Comparison, Vec<String>)> {
        let mut problems: Vec<Problem> = Vec::new();
        for config in std::mem::take(&mut self.data) {
            let name = free_name(&config.data.data, &problems, &self.named);
            let plan = Plan::new(config)?;
            heed(&plan)?;
            let (problem, notes) = Problem::planned(&plan, name)?;
            self.notes.extend(notes.into_iter().map(|note| format!("{}: {note}", problem.name)));
            problems.push(problem);
        }
        let mnist = find_mnist();
        for name in self.built_in(problems.is_empty(), mnist.is_some()) {
            problems.push(problem(&name, mnist.as_deref())?);
        }
        if let Some(target) = self.target {
            for problem in &mut problems {
                (problem.target, problem.target_source) = (Some(target), "--target".to_owned());
            }
        }
        if self.count_studies {
            self.terms.studies = studies_for(self.contestants.len(), problems.len());
        }
        let comparison = Comparison {
            problems,
            contestants: self.contestants,
            terms: self.terms,
            quick: self.quick,
            command: command(),
            isa: self.isa,
            threads: self.threads,
        };
        Ok((comparison, self.notes))
    }

    /// Names of the built-in problems: those the user gave, or all if there is nothing else.
    fn built_in(&mut self, alone: bool, mnist: bool) -> Vec<String> {
        if !self.named.is_empty() {
            let mut once: Vec<String> = Vec::new();
            self.named.iter().for_each(|name| {
                if !once.contains(name) {
                    once.push(name.clone());
                }
            });
            return once;
        }
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        if !alone {
            return Vec::new();
        }
        if self.quick {
            return owned(&QUICK);
        }
        if !self.full {
            return owned(&default_names());
        }
        if mnist {
            return owned(&names());
        }
        self.notes.push("mnist is left out: no folder datasets/mnist with its files is at hand".to_owned());
        names().into_iter().filter(|name| *name != MNIST).map(str::to_owned).collect()
    }
}

/// The options of training for one data set.
fn config(settings: &Settings, data: &str) -> Result<TrainConfig> {
    let source: Source = data.parse()?;
    let mut settings = settings.clone();
    settings.set("data", data.into(), SettingOrigin::Flag);
    settings.set_default("valid", SHARE.into());
    // A folder with MNIST's layout has its own test part.
    if !source.is_folder() {
        settings.set_default("test", SHARE.into());
    }
    let config = TrainConfig::new(settings)?;
    config.refuse_portfolio()?;
    Ok(config)
}

/// Refuses options, including those from the environment, that would have no effect or only a part of their effect.
fn refuse_idle(settings: &Settings, has_data: bool) -> Result<()> {
    for (name, given) in settings.names() {
        let is_for = |uses| find(name).is_some_and(|key| key.is_for(uses));
        if is_for(COMPARE) && !has_data {
            return Err(Error::Usage(format!(
                "{given} is for DATA: built-in problems have their own data, network and steps"
            )));
        }
        if !is_for(COMPARE) && !is_for(COMPARISON) && name != "data" {
            return Err(Error::Usage(format!(
                "{given}: a comparison does not take it, for every optimizer is tuned and trained alike; unset it, and fix \
                 options of an optimizer in its own specification, as in --optimizer adam:beta2=0.95"
            )));
        }
    }
    Ok(())
}

fn contestants(texts: Vec<&str>) -> Result<Vec<Contestant>> {
    let texts = if texts.is_empty() { OPTIMIZERS.to_vec() } else { texts };
    let contestants = texts.into_iter().map(str::parse).collect::<Result<Vec<Contestant>>>()?;
    Contestant::check_names(&contestants)?;
    Ok(contestants)
}

/// A whole number above 0.
fn count(matches: &ArgMatches, id: &str, default: usize) -> Result<usize> {
    let Some(text) = matches.get_one::<String>(id) else { return Ok(default) };
    let wrong = || Error::Usage(format!("--{id}: expected a whole number of at least 1, found \"{text}\""));
    text.replace('_', "").parse().ok().filter(|n| *n > 0).ok_or_else(wrong)
}

/// The validation loss of `val_loss<=0.3`.
fn target(text: &str) -> Result<f64> {
    let goal: Goal = text.parse().map_err(|e| Error::Usage(format!("--target: {e}")))?;
    let of_loss = goal.watched.part == DataPart::Val && goal.watched.metric == MetricName::Loss;
    if of_loss && !text.contains('>') {
        return Ok(goal.value);
    }
    Err(Error::Usage(format!(
        "--target {text}: what runs are to reach is a validation loss that falls, for that is what is followed and tuned; use \
         'val_loss<=0.3'"
    )))
}

/// The file's name without its extensions, with a number appended if it exists already.
fn free_name(source: &Source, problems: &[Problem], named: &[String]) -> String {
    let file = source.name().file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = file.trim_matches(['<', '>', '.']).split('.').next().unwrap_or_default();
    let stem = if stem.is_empty() { "data" } else { stem };
    let free = |name: &String| !named.contains(name) && problems.iter().all(|problem| problem.name != *name);
    let numbered = (2..).map(|number| format!("{stem}-{number}"));
    std::iter::once(stem.to_owned()).chain(numbered).find(free).unwrap_or_else(|| stem.to_owned())
}

/// The command in shell syntax.
fn command() -> String {
    let words = std::env::args_os().skip(1).map(|word| quoted(&word.to_string_lossy()));
    std::iter::once("gradlane".to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}

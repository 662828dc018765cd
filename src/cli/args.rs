//! Flags made from the table of options, and settings read from flags.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, ValueHint};
use gradlane::config::{Key, READ, SettingOrigin, Settings, keys, names_for};
use gradlane::data::{Part, Source};
use gradlane::model::Model;
use gradlane::model::file::{MODEL_FILE, is_model_file};
use gradlane::option_text::flag;
use gradlane::path_text::{self, to_path};
use gradlane::train::team::{available_threads, limit_global_pool};
use gradlane::{Error, Result};
use toml::Value;

use super::{message, values};

/// Options whose values may be file names.
const PATHS: [&str; 4] = ["valid", "test", "init_from", "out"];

/// Makes an argument accept any file name, as text that [`to_path`] reads.
pub fn of_paths(arg: Arg) -> Arg {
    arg.value_hint(ValueHint::AnyPath)
        .value_parser(OsStringValueParser::new().map(|word| path_text::of_argument(&word)))
}

/// The flag of an option.
fn arg(key: &'static Key) -> Arg {
    let arg = Arg::new(key.name)
        .long(flag(key.name).trim_start_matches('-').to_owned())
        .help(key.help)
        .help_heading(key.group.title());
    let arg = if PATHS.contains(&key.name) {
        of_paths(arg)
    } else if key.value.is_some() {
        values::offered(arg.value_hint(ValueHint::Other), key.name)
    } else {
        arg
    };
    let arg = match key.name {
        "threads" => arg.short('j'),
        "out" => arg.short('o'),
        "quiet" => arg.short('q'),
        "verbose" => arg.short('v'),
        _ => arg,
    };
    match key.value {
        None => arg.action(ArgAction::SetTrue),
        Some(name) if key.repeated => arg.action(ArgAction::Append).value_name(name).allow_hyphen_values(true),
        Some(name) => arg.action(ArgAction::Set).value_name(name).allow_hyphen_values(true),
    }
}

/// The flags of all options of training.
pub fn training_flags() -> impl Iterator<Item = Arg> {
    keys().map(arg)
}

/// The flags of the options of training that have all of these uses.
pub fn flags_for(uses: u8) -> impl Iterator<Item = Arg> {
    keys().filter(move |key| key.is_for(uses)).map(arg)
}

/// The options of training that were given as flags, in the form of a command line.
pub fn given_flags(matches: &ArgMatches) -> Vec<String> {
    let mut words = Vec::new();
    for key in keys() {
        let known = matches.ids().any(|id| id.as_str() == key.name);
        if !known || matches.value_source(key.name) != Some(ValueSource::CommandLine) {
            continue;
        }
        let flag = flag(key.name);
        match key.value {
            None => words.push(flag),
            Some(_) => {
                for value in matches.get_many::<String>(key.name).into_iter().flatten() {
                    words.extend([flag.clone(), value.clone()]);
                }
            }
        }
    }
    words
}

/// The flag of one option, for other verbs that take it.
pub fn flag_of(name: &str) -> Arg {
    arg(gradlane::config::find(name).expect("the name is in the table of options"))
}

/// `DATA`.
pub fn data() -> Arg {
    let data = Arg::new("data")
        .value_name("DATA")
        .help("File (CSV, JSONL, Parquet, NPY, NPZ, pack, libsvm, IDX; .gz, .zst), folder or - for stdin");
    of_paths(data)
}

/// `-c FILE.toml`.
pub fn config() -> Arg {
    let config = Arg::new("config")
        .short('c')
        .long("config")
        .value_name("FILE.toml")
        .help("Options from a file; flags and GRADLANE_* variables win over it")
        .help_heading("Run");
    of_paths(config)
}

/// The settings from file, environment and flags; later ones override earlier ones.
///
/// # Errors
/// Those of reading the file.
pub fn settings(matches: &ArgMatches) -> Result<Settings> {
    let mut settings = Settings::new();
    if let Ok(Some(file)) = matches.try_get_one::<String>("config") {
        settings.add_file(&to_path(file))?;
    }
    if let Some(threads) = std::env::var("RAYON_NUM_THREADS").ok().filter(|n| n.parse::<u32>().is_ok_and(|n| n > 0)) {
        settings.set_default("threads", threads.into());
    }
    let mut unknown = Vec::new();
    for variable in settings.add_environment(std::env::vars_os()) {
        if variable != "GRADLANE_FIXTURES" {
            unknown.push(variable);
        }
    }
    for id in matches.ids().map(|id| id.as_str()) {
        if matches.value_source(id) != Some(ValueSource::CommandLine) {
            continue;
        }
        let key = gradlane::config::find(id);
        let value = match key {
            Some(key) if key.value.is_none() => Value::Boolean(true),
            Some(_) => strings(matches, id),
            None if id == "data" => strings(matches, id),
            None => continue,
        };
        settings.set(id, value, SettingOrigin::Flag);
    }
    message::set_json(settings.text("progress").as_deref() == Some("json"));
    message::set_full(settings.switch("verbose").unwrap_or(false));
    for variable in unknown {
        message::caution(&format!("{variable} is no option of gradlane and is ignored"));
    }
    Ok(settings)
}

/// The seed, for a verb without other options of training.
///
/// # Errors
/// [`gradlane::Error::Usage`] if it is not a whole number.
pub fn seed(settings: &Settings) -> Result<u64> {
    let Some(text) = settings.text("seed") else { return Ok(0) };
    let wrong = || gradlane::Error::Usage(format!("--seed: expected a whole number, found \"{text}\""));
    text.parse().map_err(|_| wrong())
}

/// One text, or several as an array.
fn strings(matches: &ArgMatches, id: &str) -> Value {
    let mut all: Vec<String> = matches.get_many::<String>(id).into_iter().flatten().cloned().collect();
    match all.len() {
        1 => Value::String(all.remove(0)),
        _ => Value::Array(all.into_iter().map(Value::String).collect()),
    }
}

/// `MODEL`.
pub fn model() -> Arg {
    of_paths(
        Arg::new("model").value_name("MODEL").required(true).help("Run directory, or a .safetensors file of gradlane"),
    )
}

/// The model of the argument [`model`], to be applied to the rows of a source.
///
/// # Errors
/// [`Error::Usage`] if model and data are given in the wrong order, and those of [`Model::load`].
pub fn load_model(matches: &ArgMatches, source: &Source) -> Result<Model> {
    let path = path(matches, "model");
    let data = to_path(&source.as_written());
    let is_model = |path: &Path| path.join(MODEL_FILE).is_file() || is_model_file(path).unwrap_or(false);
    if !is_model(&path) && is_model(&data) {
        let (model, data) = (data.display(), path.display());
        return Err(Error::Usage(format!(
            "MODEL comes before DATA, and {model} is the model here: try {model} {data}"
        )));
    }
    Model::load(&path)
}

/// Flags of verbs that read data in the way that a model requires: reading of files, threads, instruction set.
pub fn applying_flags() -> impl Iterator<Item = Arg> {
    // The model decides markers of missing values and forms of dates.
    let of_model = ["na", "dates"];
    names_for(READ).into_iter().filter(move |name| !of_model.contains(name)).chain(["threads", "isa"]).map(flag_of)
}

/// `-v` of verbs that apply a model.
pub fn verbose() -> Arg {
    flag_of("verbose").help("How the file was read, and every warning whole").help_heading("Output")
}

/// `--part train|test`.
pub fn part() -> Arg {
    Arg::new("part")
        .long("part")
        .value_name("PART")
        .value_parser(["train", "test"])
        .default_value("test")
        .hide_possible_values(true)
        .hide_default_value(true)
        .help("Part of a folder of MNIST's layout: train or test [test]")
        .help_heading("Data")
}

/// The part of a folder that the argument [`part`] selects.
///
/// # Errors
/// [`Error::Usage`] if the source is not a folder and so has no parts.
pub fn part_of(matches: &ArgMatches, source: &Source) -> Result<Part> {
    let given = matches.get_one::<String>("part").map(String::as_str);
    if given.is_some() && matches.value_source("part") == Some(ValueSource::CommandLine) && !source.is_folder() {
        let what = source.as_written();
        return Err(Error::Usage(format!(
            "--part is for a folder of MNIST's layout, and {what} is none: leave it out"
        )));
    }
    Ok(match given {
        Some("train") => Part::Train,
        _ => Part::Test,
    })
}

/// The value of an option that does not affect training.
///
/// # Errors
/// What is wrong with it, after the name of its flag.
pub fn value<T: FromStr<Err = Error>>(name: &str, text: &str) -> Result<T> {
    text.parse().map_err(|e| Error::Usage(format!("--{name}: {e}")))
}

/// A required path.
pub fn path(matches: &ArgMatches, id: &str) -> PathBuf {
    to_path(matches.get_one::<String>(id).expect("the argument is required"))
}

/// `DATA`, if it is required.
///
/// # Errors
/// If the name is empty.
pub fn source(matches: &ArgMatches, id: &str) -> Result<Source> {
    matches.get_one::<String>(id).expect("the argument is required").parse()
}

/// Limits rayon's global pool, which reads and prepares data, to the allowed threads.
pub fn limit_pool(threads: Option<usize>) {
    limit_global_pool(threads.unwrap_or_else(available_threads));
}

//! Values of an option that a shell can complete.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Command};
use gradlane::config::{BEST, PRESETS};
use gradlane::experiment::compare;
use gradlane::machine::Workload;
use gradlane::nn::init::Init;
use gradlane::nn::{Activation, Loss};
use gradlane::optim::catalogue;
use gradlane::optim::schedule::Schedule;

/// The words that an option takes; other values may be possible, such as numbers, or options after a colon.
pub fn of(option: &str) -> Vec<String> {
    let with_help = |names: Vec<&'static str>| [names, vec!["help"]].concat();
    let words = match option {
        "task" => vec!["auto", "regression", "binary", "multiclass", "multilabel"],
        "valid" | "test" => vec!["none"],
        "split" => vec!["stratified", "random"],
        "shuffle" => vec!["rows", "blocks"],
        "scale" => vec!["standard", "minmax", "robust", "none"],
        "impute" => vec!["median", "mean", "most_frequent", "zero"],
        "class_weight" => vec!["balanced"],
        "balance" => vec!["none", "over", "under"],
        "format" => vec!["auto", "csv", "tsv", "jsonl", "parquet", "npy", "npz", "pack", "libsvm", "idx"],
        "to" => vec!["csv", "tsv", "jsonl", "parquet", "npy", "npz", "pack", "libsvm"],
        "delimiter" => vec!["comma", "semicolon", "tab", "pipe", "space"],
        "header" => vec!["yes", "no", "auto"],
        "quote" => vec!["none"],
        "encoding" => {
            vec!["utf-8", "latin1", "windows-1251", "windows-1252", "utf-16le", "utf-16be", "shift_jis", "gbk"]
        }
        "decimal" => vec![".", ",", "auto"],
        "dates" => vec!["auto", "text"],
        "hidden" => vec!["none"],
        "activation" | "output_activation" => with_help(Activation::ALL.iter().map(|a| a.name()).collect()),
        "preset" => with_help(PRESETS.iter().map(|preset| preset.name).chain([BEST]).collect()),
        "portfolio" => PRESETS.iter().map(|preset| preset.name).collect(),
        "bias_init" => vec!["scheme", "normal", "he+5"],
        "norm" => vec!["none", "layer", "rms"],
        "init" => with_help(Init::formulas().map(|(name, _)| name).collect()),
        "loss" => with_help([vec!["auto"], Loss::ALL.iter().map(|loss| loss.name()).collect()].concat()),
        "optimizer" => with_help(catalogue::names()),
        "dialect" => vec!["torch", "keras", "sklearn"],
        "schedule" => with_help(Schedule::formulas().map(|(name, ..)| name).collect()),
        "dropout_schedule" | "decay_schedule" => {
            with_help(Schedule::formulas().map(|(name, ..)| name).filter(|name| *name != "plateau").collect())
        }
        "batch" => vec!["full", "auto"],
        "epochs" | "threads" => vec!["auto"],
        "patience" => vec!["auto", "none"],
        "isa" => vec!["auto", "portable", "avx2", "avx512"],
        "problem" => compare::names(),
        "workload" => Workload::names(),
        "progress" => vec!["auto", "bar", "plain", "json", "none"],
        _ => Vec::new(),
    };
    words.into_iter().map(str::to_owned).collect()
}

/// Accepts any text, and gives a shell the known values.
#[derive(Debug, Clone)]
struct Suggested(Vec<PossibleValue>);

impl TypedValueParser for Suggested {
    type Value = String;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.0.iter().cloned()))
    }
}

/// Makes a shell complete the words of an option, if it has some; the help does not list them again.
pub fn offered(arg: Arg, option: &str) -> Arg {
    let words = of(option);
    if words.is_empty() {
        return arg;
    }
    arg.value_parser(Suggested(words.into_iter().map(PossibleValue::new).collect())).hide_possible_values(true)
}

#[cfg(test)]
mod tests {
    use gradlane::config::{SettingOrigin, Settings, TrainConfig, keys};
    use toml::Value;

    use super::{BEST, of};

    #[test]
    fn every_word_is_taken() {
        let mut words = 0;
        for key in keys() {
            let takes_no_help = of(key.name).into_iter().filter(|word| word != "help");
            // These require options after a colon.
            let alone =
                takes_no_help.filter(|word| !["piecewise", "exponential", "inverse_time"].contains(&word.as_str()));
            for word in alone {
                let mut settings = Settings::new();
                settings.set("data", "x.csv".into(), SettingOrigin::Flag);
                let word = if key.name == "dates" { format!("day={word}") } else { word };
                settings.set(key.name, Value::String(word.clone()), SettingOrigin::Flag);
                if word == "sklearn" && key.name == "dialect" {
                    settings.set("optimizer", "adam".into(), SettingOrigin::Flag);
                }
                if key.name == "portfolio" {
                    settings.set("preset", BEST.into(), SettingOrigin::Flag);
                }
                if key.name.ends_with("_schedule") {
                    settings.set("dropout", 0.1.into(), SettingOrigin::Flag);
                    settings.set("weight_decay", 0.1.into(), SettingOrigin::Flag);
                }
                let refused = TrainConfig::new(settings).err().map(|error| error.to_string());
                let unfit = word == "avx512" || word == "avx2";
                assert!(refused.is_none() || unfit, "--{} {word}: {refused:?}", key.name);
                words += 1;
            }
        }
        assert!(words > 80, "{words}");
    }
}

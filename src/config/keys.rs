//! Every option of training in one table, which flags, help and the checks of configuration files are made from.

mod data;
mod model;
mod running;
mod training;

use super::key::Key;

/// The table, by what the options are about.
const PARTS: [&[Key]; 4] = [data::KEYS, model::KEYS, training::KEYS, running::KEYS];

/// All options of training, in the order of the help.
pub fn keys() -> impl Iterator<Item = &'static Key> {
    PARTS.into_iter().flatten()
}

/// The option with this key.
pub fn find(name: &str) -> Option<&'static Key> {
    keys().find(|key| key.name == name)
}

/// Names of the options for some uses, in the order of the table.
pub fn names_for(uses: u8) -> Vec<&'static str> {
    keys().filter(|key| key.is_for(uses)).map(|key| key.name).collect()
}

#[cfg(test)]
mod tests {
    use toml::Value;

    use super::super::{SettingOrigin, Settings, TrainConfig};
    use super::*;

    /// Options whose default depends on the data, on other options or on the time; the help describes it in words.
    const IN_WORDS: [&str; 12] = [
        "label",
        "positive",
        "delimiter",
        "comment",
        "thousands",
        "na",
        "dates",
        "init",
        "dialect",
        "lr",
        "monitor",
        "preset",
    ];
    /// Options whose default is resolved only once the data are known; `tests/cli/config.rs` trains with these.
    const BY_THE_DATA: [&str; 6] = ["test", "scale", "impute", "one_hot", "encoding", "quote"];
    /// Options that have an effect only together with another option.
    const NEEDED: [(&str, (&str, &str)); 2] =
        [("embed_above", ("category_embedding", "4")), ("embed_levels", ("category_embedding", "4"))];

    fn configured(given: &[(&str, &str)]) -> String {
        let mut settings = Settings::new();
        settings.set("data", "x.csv".into(), SettingOrigin::Flag);
        for (name, value) in given {
            settings.set(name, Value::String((*value).to_owned()), SettingOrigin::Flag);
        }
        TrainConfig::new(settings).map(|config| format!("{config:?}")).unwrap_or_else(|e| e.to_string())
    }

    /// An option set to the default of its help must give the same configuration as no option.
    #[test]
    fn the_help_says_the_defaults_that_count() {
        let mut checked = 0;
        for key in keys().filter(|key| ![&IN_WORDS[..], &BY_THE_DATA, &["out"]].concat().contains(&key.name)) {
            let Some((_, default)) = key.help.strip_suffix(']').and_then(|help| help.rsplit_once(" [")) else {
                continue;
            };
            let default = default.split([';', ':']).next().unwrap_or_default();
            let needed = NEEDED.iter().find(|(name, _)| *name == key.name).map(|(_, needed)| *needed);
            let without: Vec<_> = needed.into_iter().collect();
            let with = [&without[..], &[(key.name, default)]].concat();
            let (with, without) = (configured(&with), configured(&without));
            // The factor 1 is the default, but giving it lists the layers one by one.
            let with = if key.name == "bias_lr" { with.replace("bias_lr: Some(1.0)", "bias_lr: None") } else { with };
            assert_eq!(with, without, "--{} {default}", key.name);
            checked += 1;
        }
        assert!(checked > 35, "{checked}");
    }
}

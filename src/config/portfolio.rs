//! `--preset best`: several presets, trained on the same folds, as one configuration.

use toml::{Table, Value};

use super::key::{DATA, OptionGroup};
use super::keys::find;
use super::presets::{BEST, PRESETS, preset};
use super::settings::Settings;
use super::train::{Portfolio, PortfolioEntry, TrainConfig};
use crate::data::Task;
use crate::option_text::setting;
use crate::spec::unknown;
use crate::{Error, Result};

/// The presets that [`BEST`] trains, in this order, as far as time allows.
pub const PORTFOLIO: [&str; 6] = ["realmlp", "mlp-ple", "realmlp-wide", "tabm-mini-small", "realmlp-s", "tabm-mini"];

/// Options of the data that the presets decide, or that folds replace.
const OF_PRESETS: [&str; 6] = ["scale", "one_hot", "binary_column", "clamp", "valid", "shuffle"];
/// Options of stopping, and modes, that fit only a single network.
const OF_ONE: [&str; 6] = ["steps", "target", "tol_loss", "tol_grad", "overfit_batch", "trace"];
/// Options for the place and the display of a run, which are not part of the configuration that repeats it.
const OF_THE_COMMAND: [&str; 8] =
    ["out", "overwrite", "progress", "quiet", "verbose", "json", "dry_run", "on_divergence"];

impl Portfolio {
    /// The configuration of a portfolio, from settings whose preset is [`BEST`].
    ///
    /// # Errors
    /// [`Error::Option`], or [`Error::Usage`] that names a variable or a file, for options that the presets decide, for unknown
    /// presets, and for errors in the other options.
    pub(super) fn config(mut settings: Settings) -> Result<TrainConfig> {
        settings.take_text("preset");
        let names = names(&mut settings)?;
        if let Some((name, _)) = settings.names().find(|(name, _)| is_of_presets(name)) {
            let of_cv = match name {
                "valid" => format!(": its folds are the validation part ({})", setting("cv", "K")),
                "shuffle" => ": folds are prepared in memory".to_owned(),
                _ => String::new(),
            };
            let message = format!(
                "{} trains presets that decide this themselves{of_cv}; leave it out, or name one preset, such as realmlp",
                setting("preset", BEST)
            );
            return Err(settings.wrong(name, &message));
        }
        if settings.text("on_divergence").as_deref() == Some("retry") {
            let message =
                format!("retry needs a single network, and {} trains several: use stop", setting("preset", BEST));
            return Err(settings.wrong("on_divergence", &message));
        }
        let given = settings.table();
        let entry = |name: &&'static str| -> Result<PortfolioEntry> {
            let of = |task| {
                let mut settings = settings.clone();
                preset(name)?.fill(&mut settings, task);
                if task == Task::Regression {
                    // All share the range that their mean is kept within.
                    settings.set_default("clamp", Value::Boolean(true));
                }
                TrainConfig::typed(settings)
            };
            let of_numbers = Some(Box::new(of(Task::Regression)?));
            let config = TrainConfig { preset: Some(name), of_numbers, ..of(Task::Binary)? };
            Ok(PortfolioEntry { name, config })
        };
        let asked = names.as_deref().unwrap_or(&PORTFOLIO);
        let entries: Vec<PortfolioEntry> = asked.iter().map(entry).collect::<Result<_>>()?;
        if entries[0].config.cv.is_some_and(|count| count.repeats > 1) {
            let message = format!("{} deals the rows once: give {}", setting("preset", BEST), setting("cv", "K"));
            return Err(Error::Usage(message).of("cv"));
        }
        let mut config = entries[0].config.clone();
        config.data.preset = Some(BEST);
        let (is_open, began) = (names.is_none(), settings.began);
        Ok(TrainConfig { portfolio: Some(Box::new(Portfolio { entries, is_open, began, given })), ..config })
    }

    /// Whether the user gave an option.
    pub fn gives(&self, name: &str) -> bool {
        self.given.contains_key(name)
    }

    /// The names of its presets.
    pub fn names(&self) -> Vec<&'static str> {
        self.entries.iter().map(|entry| entry.name).collect()
    }

    /// Adds the options that repeat it to those of the data; `config` is the first entry's.
    pub(super) fn write(&self, config: &TrainConfig, table: &mut Table) {
        OF_PRESETS.iter().for_each(|name| drop(table.remove(*name)));
        for (name, value) in &self.given {
            let of_data = find(name).is_none_or(|key| key.is_for(DATA));
            let own = ["cv", "time_limit"].contains(&name.as_str());
            if !of_data && !own && !OF_THE_COMMAND.contains(&name.as_str()) {
                table.insert(name.clone(), value.clone());
            }
        }
        table.insert("preset".to_owned(), BEST.into());
        let names = self.names().into_iter().map(Value::from).collect();
        table.insert("portfolio".to_owned(), Value::Array(names));
        if let Some(limit) = config.stopping.time_limit {
            table.insert("time_limit".to_owned(), format!("{}s", limit.as_secs_f64()).into());
        }
    }
}

impl TrainConfig {
    /// Refuses [`BEST`] for verbs that need a single network.
    ///
    /// # Errors
    /// [`Error::Option`].
    pub fn refuse_portfolio(&self) -> Result<()> {
        match self.portfolio {
            None => Ok(()),
            Some(_) => {
                let message = "it is for gradlane train: name one of its presets".to_owned();
                Err(Error::Usage(message).of_value("preset", BEST))
            }
        }
    }
}

/// Whether each preset decides an option for itself.
fn is_of_presets(name: &str) -> bool {
    let group = find(name).map(|key| key.group);
    matches!(group, Some(OptionGroup::Model | OptionGroup::Optimizer))
        || OF_PRESETS.contains(&name)
        || OF_ONE.contains(&name)
}

/// The presets that the user lists, each once.
fn names(settings: &mut Settings) -> Result<Option<Vec<&'static str>>> {
    let given = settings.clone();
    let Some(words) = settings.take_list("portfolio") else { return Ok(None) };
    let wrong = |e: Error| given.wrong("portfolio", &e.to_string());
    let mut names: Vec<&'static str> = Vec::new();
    for name in words.iter().map(|name| name.trim()) {
        let known = PRESETS.iter().map(|preset| preset.name).collect::<Vec<_>>();
        let Some(name) = known.iter().find(|known| **known == name) else {
            return Err(wrong(unknown("preset", name, &known)));
        };
        if names.contains(name) {
            return Err(wrong(Error::Usage(format!("{name} is there twice"))));
        }
        names.push(name);
    }
    Ok(Some(names))
}

#[cfg(test)]
mod tests {
    use super::super::SettingOrigin;
    use super::*;

    fn configured(given: &[(&str, &str)]) -> Result<TrainConfig> {
        let mut settings = Settings::new();
        settings.set("data", "x.csv".into(), SettingOrigin::Flag);
        settings.set("preset", BEST.into(), SettingOrigin::Flag);
        given.iter().for_each(|(name, value)| settings.set(name, (*value).into(), SettingOrigin::Flag));
        TrainConfig::new(settings)
    }

    #[test]
    fn every_entry_has_its_own_options_and_those_that_are_given() {
        let config = configured(&[("epochs", "3"), ("portfolio", "tabm-mini,realmlp")]).unwrap();
        let portfolio = config.portfolio.as_ref().unwrap();
        assert_eq!(portfolio.names(), ["tabm-mini", "realmlp"]);
        assert!(!portfolio.is_open && portfolio.entries.iter().all(|entry| entry.config.stopping.epochs == Some(3)));
        let of_numbers = config.for_task(Task::Regression).portfolio.unwrap();
        assert!(of_numbers.entries.iter().all(|entry| entry.config.data.clamp), "they share the range of the target");
        assert_eq!(of_numbers.entries[1].config.optimizer.spec.lr, 0.2);
        assert_eq!(configured(&[]).unwrap().portfolio.unwrap().names(), PORTFOLIO);
    }

    #[test]
    fn what_presets_decide_is_refused() {
        for (name, value, reason) in [
            ("lr", "0.1", "lr: `preset = best` trains presets"),
            ("hidden", "8", "hidden: "),
            ("ensemble", "4", "ensemble: "),
            ("scale", "minmax", "scale: "),
            ("valid", "0.2", "(`cv = K`)"),
            ("steps", "9", "steps: "),
            ("cv", "3x2", "give `cv = K`"),
            ("portfolio", "realmlp,realmpl", "did you mean"),
            ("portfolio", "realmlp,realmlp", "twice"),
            ("portfolio", "best", "preset"),
        ] {
            let message = configured(&[(name, value)]).unwrap_err().to_string();
            assert!(message.contains(reason), "{message}");
        }
    }
}

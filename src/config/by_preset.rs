//! The configuration that settings and their preset make.

use toml::Value;

use super::presets::{BEST, preset};
use super::settings::Settings;
use super::train::{OfTables, Portfolio, TrainConfig};
use crate::data::Task;
use crate::option_text::setting;
use crate::{Error, Result};

/// The preset of a table if the user does not choose the network.
const OF_TABLES: &str = "realmlp";
/// Options that give a table a single network if the user does not choose the network: they set the number of networks, or the
/// length of training.
const SINGLE: [&str; 10] =
    ["ensemble", "cv", "members", "epochs", "steps", "target", "tol_loss", "tol_grad", "log_steps", "on_divergence"];
/// Options that describe the user's own network or way of training, and modes that show a plain network.
const OWN: [&str; 12] = [
    "network",
    "hidden",
    "activation",
    "norm",
    "residual",
    "init",
    "init_from",
    "optimizer",
    "dialect",
    "loss",
    "trace",
    "overfit_batch",
];

impl TrainConfig {
    /// Parses and checks settings, before any data file is opened.
    ///
    /// # Errors
    /// [`Error::Option`]; [`Error::Usage`] that names a variable, a file and its key, or several options.
    pub fn new(mut settings: Settings) -> Result<TrainConfig> {
        if settings.text("preset").as_deref() == Some(BEST) {
            return Portfolio::config(settings);
        }
        if settings.has("portfolio") {
            let message = format!("it lists the presets of {}: give both", setting("preset", BEST));
            return Err(Error::Usage(message).of("portfolio"));
        }
        let Some(name) = settings.take_text("preset") else { return TrainConfig::typed(settings) };
        let preset = preset(&name).map_err(|e| e.of("preset"))?;
        let of = |task| {
            let mut settings = settings.clone();
            preset.fill(&mut settings, task);
            let mut config = TrainConfig::typed(settings)?;
            config.data.preset = Some(preset.name).filter(|_| preset.prepares_columns());
            Ok(config)
        };
        let of_numbers = if preset.depends_on_task() { Some(Box::new(of(Task::Regression)?)) } else { None };
        Ok(TrainConfig { preset: Some(preset.name), of_numbers, ..of(Task::Binary)? })
    }

    /// The same, but the data may decide the preset: a table gets the preset of tables if no option describes a network or a
    /// way to train it.
    ///
    /// # Errors
    /// As [`TrainConfig::new`].
    pub fn by_data(mut settings: Settings) -> Result<TrainConfig> {
        let mut config = TrainConfig::new(settings.clone())?;
        if !settings.has("preset") && !OWN.iter().any(|name| settings.has(name)) {
            if settings.text("epochs").as_deref() == Some("auto") {
                settings.take_text("epochs");
            }
            let epochs_open = !settings.has("epochs") && !settings.has("steps");
            settings.set_default("preset", Value::String(OF_TABLES.to_owned()));
            let networks_open = !SINGLE.iter().any(|name| settings.has(name));
            config.of_tables =
                Some(Box::new(OfTables { config: TrainConfig::new(settings)?, epochs_open, networks_open }));
        }
        Ok(config)
    }
}

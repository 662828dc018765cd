//! Presets: named lists of ordinary options, with lower priority than any other source; and the configurations made from them.

use toml::Value;

use super::portfolio::{BEST, Portfolio};
use super::settings::Settings;
use super::train::{OfTables, TrainConfig};
use crate::data::Task;
use crate::option_text::setting;
use crate::spec::unknown;
use crate::{Error, Result};

/// A named list of options.
pub struct Preset {
    /// The name.
    pub name: &'static str,
    /// Its source.
    pub about: &'static str,
    /// Options for all tasks.
    pub options: &'static [(&'static str, &'static str)],
    /// Options for classes.
    pub classes: &'static [(&'static str, &'static str)],
    /// Options for numbers.
    pub numbers: &'static [(&'static str, &'static str)],
}

/// The options that all forms of RealMLP share.
macro_rules! realmlp {
    ($($more:expr),* $(,)?) => {
        &[
            ("ntk", "true"),
            ("bias_lr", "0.1"),
            ("schedule", "coslog:cycles=4"),
            ("batch", "256"),
            ("epochs", "256"),
            ("patience", "none"),
            ("scale", "robust_clip"),
            ("binary_column", "true"),
            $($more),*
        ]
    };
}

/// The options that the forms of TabM share with a network with its embeddings.
macro_rules! tabm {
    ($($more:expr),* $(,)?) => {
        &[
            ("optimizer", "adam"),
            ("schedule", "const"),
            ("clip_norm", "1"),
            ("batch", "by-rows"),
            ("epochs", "500"),
            ("patience", "16"),
            ("scale", "quantile"),
            $($more),*
        ]
    };
}

/// All presets.
pub const PRESETS: [Preset; 8] = [
    Preset { name: "plain", about: "the defaults of every option", options: &[], classes: &[], numbers: &[] },
    Preset {
        name: "realmlp",
        about: "RealMLP-TD: Holzmüller et al. 2024, https://arxiv.org/abs/2407.04491",
        options: realmlp![
            ("hidden", "256,256,256"),
            ("input_scale", "6"),
            ("optimizer", "adam:beta2=0.95"),
            ("embed", "pbld:frequencies=16,dim=4,sigma=0.1,lr=0.1"),
            ("category_embedding", "8"),
            ("embed_above", "8"),
            ("parametric_activation", "0.1"),
            ("dropout", "0.15"),
            ("dropout_schedule", "flat_cos"),
            ("weight_decay", "0.02"),
            ("decay_schedule", "flat_cos"),
            ("init", "std"),
            ("bias_init", "he+5"),
        ],
        classes: &[("activation", "selu"), ("lr", "0.04"), ("label_smoothing", "0.1")],
        numbers: &[("activation", "mish"), ("lr", "0.2"), ("clamp", "true")],
    },
    Preset {
        name: "realmlp-s",
        about: "RealMLP-TD-S, the simple form of the same",
        options: realmlp![
            ("hidden", "256,256,256"),
            ("input_scale", "6"),
            ("optimizer", "adam:beta2=0.95"),
            ("init", "lecun_normal"),
            ("bias_init", "normal"),
            ("zero_output", "true"),
        ],
        classes: &[("activation", "selu"), ("lr", "0.04"), ("label_smoothing", "0.1")],
        numbers: &[("activation", "mish"), ("lr", "0.07")],
    },
    Preset {
        name: "tabm",
        about: "TabM with piecewise-linear embeddings: Gorishniy et al. 2025, https://arxiv.org/abs/2410.24210",
        options: tabm![
            ("members", "tabm:32"),
            ("hidden", "512,512"),
            ("embed", "ple:bins=48,dim=16"),
            ("dropout", "0.1"),
            ("lr", "0.002"),
            ("weight_decay", "0.0003"),
        ],
        classes: &[],
        numbers: &[],
    },
    Preset {
        name: "tabm-mini",
        about: "TabM-mini with piecewise-linear embeddings, as TabArena runs it",
        options: tabm![
            ("members", "tabm-mini:32"),
            ("hidden", "512,512,512"),
            ("embed", "ple:bins=48,dim=16"),
            ("dropout", "0.1"),
            ("lr", "0.002"),
            ("weight_decay", "0.0003"),
        ],
        classes: &[],
        numbers: &[],
    },
    Preset {
        name: "realmlp-wide",
        about: "RealMLP as AutoGluon 1.6 sets it, with more waves and dropout; one network, one rate for all layers",
        options: realmlp![
            ("hidden", "256,256,256,256"),
            ("activation", "mish"),
            ("input_scale", "4.97"),
            ("optimizer", "adam:beta2=0.9556"),
            ("lr", "0.0283"),
            ("embed", "pbld:frequencies=64,dim=8,sigma=0.108,lr=0.0718"),
            ("category_embedding", "16"),
            ("embed_above", "5"),
            ("parametric_activation", "0.1"),
            ("dropout", "0.465"),
            ("dropout_schedule", "flat_cos"),
            ("weight_decay", "0.0413"),
            ("decay_schedule", "flat_cos"),
            ("init", "std"),
            ("bias_init", "he+5"),
        ],
        classes: &[("label_smoothing", "0.056")],
        numbers: &[("clamp", "true")],
    },
    Preset {
        name: "tabm-mini-small",
        about: "TabM-mini with 208 units and fine pieces: r124 of AutoGluon's portfolio",
        options: tabm![
            ("members", "tabm-mini:32"),
            ("hidden", "208,208"),
            ("embed", "ple:bins=109,dim=16"),
            ("lr", "0.000422"),
            ("weight_decay", "0.00014"),
        ],
        classes: &[],
        numbers: &[],
    },
    Preset {
        name: "mlp-ple",
        about: "A multilayer perceptron on numbers in pieces: Gorishniy et al. 2022, https://arxiv.org/abs/2203.05556",
        options: tabm![
            ("hidden", "256,256,256"),
            ("embed", "ple:bins=32,dim=16"),
            ("dropout", "0.1"),
            ("lr", "0.001"),
            ("weight_decay", "0.0003"),
        ],
        classes: &[],
        numbers: &[],
    },
];

/// Options that refine another option and have no effect if that is switched off.
const FOLLOWERS: [(&str, &str); 3] =
    [("dropout_schedule", "dropout"), ("decay_schedule", "weight_decay"), ("embed_above", "category_embedding")];

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

/// The preset with a name.
///
/// # Errors
/// [`crate::Error::Usage`] for an unknown name, with the nearest one as a suggestion.
pub fn preset(name: &str) -> Result<&'static Preset> {
    let found = PRESETS.iter().find(|preset| preset.name == name);
    let known: Vec<&str> = PRESETS.iter().map(|preset| preset.name).chain([BEST]).collect();
    found.ok_or_else(|| unknown("preset", name, &known))
}

impl Preset {
    /// Whether some options depend on the task.
    pub fn depends_on_task(&self) -> bool {
        !self.classes.is_empty() || !self.numbers.is_empty()
    }

    /// Sets the options that no other source has set.
    pub(super) fn fill(&self, settings: &mut Settings, task: Task) {
        let own = if task == Task::Regression { self.numbers } else { self.classes };
        let off = |name: &str| settings.is_off(name);
        let idle: Vec<&str> = FOLLOWERS.iter().filter(|(_, of)| off(of)).map(|(name, _)| *name).collect();
        for (name, value) in self.options.iter().chain(own).filter(|(name, _)| !idle.contains(name)) {
            let value = match *value {
                "true" => Value::Boolean(true),
                text => Value::String(text.to_owned()),
            };
            settings.set_default(name, value);
        }
    }
}

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
            TrainConfig::typed(settings)
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

    /// The configuration for a task.
    pub fn for_task(mut self, task: Task) -> TrainConfig {
        let portfolio = self.portfolio.take().map(|portfolio| Box::new(portfolio.for_task(task)));
        match self.of_numbers.take() {
            Some(of_numbers) if task == Task::Regression => {
                TrainConfig { preset: self.preset, portfolio, ..*of_numbers }
            }
            _ => TrainConfig { portfolio, ..self },
        }
    }
}

//! Presets: named lists of ordinary options, with lower priority than any other source.

use toml::Value;

use super::settings::Settings;
use crate::Result;
use crate::data::Task;
use crate::spec::unknown;

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

/// The preset that consists of several others.
pub const BEST: &str = "best";

/// All presets but [`BEST`].
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

    /// Whether it decides how the columns of a table are prepared.
    pub(super) fn prepares_columns(&self) -> bool {
        self.options.iter().any(|(name, _)| *name == "scale")
    }

    /// Sets the options that no other source has set.
    pub(super) fn fill(&self, settings: &mut Settings, task: Task) {
        let own = if task == Task::Regression { self.numbers } else { self.classes };
        let off = |name: &str| settings.is_off(name);
        // A network from a file has its own dropout, or none.
        let off = |name: &str| off(name) || name == "dropout" && settings.has("network");
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

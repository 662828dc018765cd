//! Initial weights: the distribution of each scheme. The draws are in `draw`.

mod draw;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Activation;
use crate::spec::Spec;
use crate::{Error, Result};

pub use draw::Distribution;

/// A scheme for initial weights. `n_in` and `n_out` are a layer's fan-in and fan-out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Uniform with variance `gain² · 2 / (n_in + n_out)`: Glorot & Bengio 2010,
    /// <https://proceedings.mlr.press/v9/glorot10a.html>.
    GlorotUniform,
    /// Normal with the same variance.
    GlorotNormal,
    /// Uniform with variance `gain² / n_in`, gain √2 (`√(2 / (1 + slope²))` for leaky ReLU): He et al. 2015,
    /// <https://arxiv.org/abs/1502.01852>.
    HeUniform,
    /// Normal with the same variance.
    HeNormal,
    /// Uniform with variance `gain² / n_in`, gain 1: LeCun et al. 1998.
    LecunUniform,
    /// Normal with the same variance.
    LecunNormal,
    /// `gain` times a random matrix with orthonormal rows, or with orthonormal columns if there are more rows than
    /// columns: Saxe et al. 2014,
    /// <https://arxiv.org/abs/1312.6120>.
    Orthogonal,
    /// Normal, followed by a scaling of each output to standard deviation 1 over the training rows: Holzmüller et al.
    /// 2024, <https://arxiv.org/abs/2407.04491>.
    Std,
    /// All weights 0.
    Zeros,
    /// PyTorch's `Linear`: weights and biases uniform within `±1/√n_in`.
    TorchDefault,
    /// scikit-learn's default: weights and biases uniform within `±√(6 / (n_in + n_out))`; for the sigmoid, 2 replaces
    /// 6.
    Sklearn,
}

impl Scheme {
    fn formula(self) -> &'static str {
        match self {
            Scheme::GlorotUniform => "uniform, variance gain² · 2 / (n_in + n_out)  [gain=1]",
            Scheme::GlorotNormal => "normal, the same variance  [gain=1, truncated=false]",
            Scheme::HeUniform => "uniform, variance gain² / n_in  [gain=√2, fan_out=false]",
            Scheme::HeNormal => "normal, the same variance  [gain=√2, fan_out=false, truncated=false]",
            Scheme::LecunUniform => "uniform, variance gain² / n_in  [gain=1, fan_out=false]",
            Scheme::LecunNormal => "normal, the same variance  [gain=1, fan_out=false, truncated=false]",
            Scheme::Orthogonal => "gain times a random matrix with orthonormal rows or columns  [gain=1]",
            Scheme::Std => "normal, and each output then scaled to deviation 1 over the training rows",
            Scheme::Zeros => "all 0",
            Scheme::TorchDefault => "PyTorch's Linear: weights and biases uniform within ±1/√n_in",
            Scheme::Sklearn => "weights and biases uniform within ±√(6 / (n_in + n_out)); 2 for 6 under the sigmoid",
        }
    }
}

/// How the weights of a layer are initialised: a scheme with its options.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Init {
    scheme: Scheme,
    gain: Option<f64>,
    by_fan_out: bool,
    truncated: bool,
}

impl Init {
    const SCHEMES: [(&'static str, Scheme); 11] = [
        ("glorot_uniform", Scheme::GlorotUniform),
        ("glorot_normal", Scheme::GlorotNormal),
        ("he_uniform", Scheme::HeUniform),
        ("he_normal", Scheme::HeNormal),
        ("lecun_uniform", Scheme::LecunUniform),
        ("lecun_normal", Scheme::LecunNormal),
        ("orthogonal", Scheme::Orthogonal),
        ("std", Scheme::Std),
        ("zeros", Scheme::Zeros),
        ("torch_default", Scheme::TorchDefault),
        ("sklearn", Scheme::Sklearn),
    ];

    /// The names of the schemes, each with its formula and options.
    pub fn formulas() -> impl Iterator<Item = (&'static str, &'static str)> {
        Self::SCHEMES.into_iter().map(|(name, scheme)| (name, scheme.formula()))
    }

    /// The scheme with its default gain.
    pub fn new(scheme: Scheme) -> Self {
        Init { scheme, gain: None, by_fan_out: false, truncated: false }
    }

    /// The default for an activation: He's normal scheme for ReLU and activations of a similar shape, Glorot's uniform
    /// scheme for all others.
    pub fn default_for(activation: Activation) -> Self {
        Self::new(match activation {
            Activation::Relu
            | Activation::LeakyRelu { .. }
            | Activation::Elu { .. }
            | Activation::Gelu
            | Activation::GeluTanh
            | Activation::Silu
            | Activation::Mish
            | Activation::Relu6 => Scheme::HeNormal,
            _ => Scheme::GlorotUniform,
        })
    }

    /// The scheme.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The distribution of the weights `[fan_out, fan_in]` of a layer that is followed by `activation`.
    pub fn weights(&self, fan_out: usize, fan_in: usize, activation: Activation) -> Distribution {
        let (n_in, n_out) = (fan_in as f64, fan_out as f64);
        let fan = if self.by_fan_out { n_out } else { n_in };
        let gain = |default: f64| self.gain.unwrap_or(default);
        let glorot = gain(1.0) / ((n_in + n_out) / 2.0).sqrt();
        let he = gain(he_gain(activation)) / fan.sqrt();
        let lecun = gain(1.0) / fan.sqrt();
        match self.scheme {
            Scheme::GlorotUniform => Distribution::uniform_with_std(glorot),
            Scheme::GlorotNormal => self.normal(glorot),
            Scheme::HeUniform => Distribution::uniform_with_std(he),
            Scheme::HeNormal => self.normal(he),
            Scheme::LecunUniform => Distribution::uniform_with_std(lecun),
            Scheme::LecunNormal | Scheme::Std => self.normal(lecun),
            Scheme::Orthogonal => Distribution::Orthogonal { gain: gain(1.0) },
            Scheme::Zeros => Distribution::Zeros,
            Scheme::TorchDefault => Distribution::Uniform { bound: 1.0 / n_in.sqrt() },
            Scheme::Sklearn => {
                let numerator = if activation == Activation::Sigmoid { 2.0 } else { 6.0 };
                Distribution::Uniform { bound: (numerator / (n_in + n_out)).sqrt() }
            }
        }
    }

    /// The distribution of the biases: 0, except for the schemes of PyTorch and scikit-learn, which draw biases like
    /// weights.
    pub fn biases(&self, fan_out: usize, fan_in: usize, activation: Activation) -> Distribution {
        match self.scheme {
            Scheme::TorchDefault | Scheme::Sklearn => self.weights(fan_out, fan_in, activation),
            _ => Distribution::Zeros,
        }
    }

    fn normal(&self, std: f64) -> Distribution {
        if self.truncated { Distribution::TruncatedNormal { std } } else { Distribution::Normal { std } }
    }

    fn name(&self) -> &'static str {
        Self::SCHEMES.iter().find(|(_, scheme)| *scheme == self.scheme).map_or("", |(name, _)| name)
    }
}

/// The gain that preserves the variance of the signal through a rectifier: `√(2 / (1 + slope²))`. The slope is 0 except
/// for leaky ReLU.
fn he_gain(activation: Activation) -> f64 {
    let slope = if let Activation::LeakyRelu { slope } = activation { slope } else { 0.0 };
    (2.0 / slope.mul_add(slope, 1.0)).sqrt()
}

impl fmt::Display for Init {
    /// The scheme's name and the given options.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gain = self.gain.map(|gain| format!("gain={gain}"));
        let fan = self.by_fan_out.then(|| "fan_out=true".to_owned());
        let truncated = self.truncated.then(|| "truncated=true".to_owned());
        let options: Vec<String> = [gain, fan, truncated].into_iter().flatten().collect();
        f.write_str(self.name())?;
        if options.is_empty() { Ok(()) } else { write!(f, ":{}", options.join(",")) }
    }
}

impl FromStr for Init {
    type Err = Error;

    /// Parses `he_normal`, `glorot_uniform:gain=1.5`, `he_normal:fan_out=true`, `lecun_normal:truncated=true`. A
    /// truncated normal is cut at two standard deviations, as in Keras.
    fn from_str(text: &str) -> Result<Self> {
        let mut spec = Spec::parse("initialisation", text)?;
        let Some((_, scheme)) = Self::SCHEMES.into_iter().find(|(name, _)| *name == spec.name) else {
            return Err(spec.unknown_name(&Self::SCHEMES.map(|(name, _)| name)));
        };
        let mut init = Self::new(scheme);
        if !matches!(scheme, Scheme::Zeros | Scheme::TorchDefault | Scheme::Sklearn) {
            init.gain = spec.number("gain", "a number above 0", |g| g.is_finite() && g > 0.0)?;
        }
        if matches!(scheme, Scheme::HeUniform | Scheme::HeNormal | Scheme::LecunUniform | Scheme::LecunNormal) {
            init.by_fan_out = spec.switch("fan_out")?.unwrap_or(false);
        }
        if matches!(scheme, Scheme::GlorotNormal | Scheme::HeNormal | Scheme::LecunNormal) {
            init.truncated = spec.switch("truncated")?.unwrap_or(false);
        }
        spec.finish()?;
        Ok(init)
    }
}

impl TryFrom<String> for Init {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Init> for String {
    fn from(init: Init) -> String {
        init.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_options_survive_a_round_trip() {
        let names = Init::SCHEMES.map(|(name, _)| name.to_owned());
        let more = ["orthogonal:gain=1.5", "he_normal:gain=2,fan_out=true,truncated=true"].map(str::to_owned);
        for text in names.into_iter().chain(more) {
            let init: Init = text.parse().unwrap();
            assert_eq!(init.to_string(), text);
            assert_eq!(serde_json::from_str::<Init>(&serde_json::to_string(&init).unwrap()).unwrap(), init);
        }
        assert!("he_norml".parse::<Init>().unwrap_err().to_string().contains("did you mean \"he_normal\"?"));
        for text in ["zeros:gain=2", "he_uniform:truncated=true", "glorot_normal:fan_out=true", "he_normal:gain=0"] {
            assert!(text.parse::<Init>().is_err(), "{text}");
        }
    }

    #[test]
    fn defaults_follow_the_activation() {
        for (activation, init) in [("relu", "he_normal"), ("silu", "he_normal"), ("tanh", "glorot_uniform")] {
            assert_eq!(Init::default_for(activation.parse().unwrap()).to_string(), init, "{activation}");
        }
    }
}

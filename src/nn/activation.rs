//! Activation functions, chosen by name.
//!
//! The formulas are in [`functions`]. [`Activation::visit`] maps an activation to its formula; call it once, outside a
//! loop.

pub mod functions;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::kernel::Real;
use crate::spec::Spec;
use crate::{Error, Result};
use functions::{self as f, Function};

/// An activation, applied element by element.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Activation {
    /// [`functions::Identity`].
    Identity,
    /// [`functions::Relu`].
    Relu,
    /// [`functions::LeakyRelu`].
    LeakyRelu {
        /// Factor for negative inputs, at least 0; 0.01 by default.
        slope: f64,
    },
    /// [`functions::Elu`].
    Elu {
        /// The limit at −∞ is `−alpha`; at least 0, 1 by default.
        alpha: f64,
    },
    /// [`functions::Selu`].
    Selu,
    /// [`functions::Gelu`].
    Gelu,
    /// [`functions::GeluTanh`].
    GeluTanh,
    /// [`functions::Silu`].
    Silu,
    /// [`functions::Mish`].
    Mish,
    /// [`functions::Softplus`].
    Softplus,
    /// [`functions::Sigmoid`].
    Sigmoid,
    /// [`functions::Tanh`].
    Tanh,
    /// [`functions::HardSigmoid`].
    HardSigmoid,
    /// [`functions::HardTanh`].
    HardTanh,
    /// [`functions::Relu6`].
    Relu6,
    /// [`functions::Softsign`].
    Softsign,
}

/// A computation on an activation's formula. It is compiled separately for each formula.
pub trait Visit {
    /// Result of the computation.
    type Output;
    /// Runs the computation with this formula.
    fn visit<F: Function>(self, function: F) -> Self::Output;
}

impl Activation {
    /// Every activation, with its default parameter.
    pub const ALL: [Activation; 16] = [
        Activation::Identity,
        Activation::Relu,
        Activation::LeakyRelu { slope: 0.01 },
        Activation::Elu { alpha: 1.0 },
        Activation::Selu,
        Activation::Gelu,
        Activation::GeluTanh,
        Activation::Silu,
        Activation::Mish,
        Activation::Softplus,
        Activation::Sigmoid,
        Activation::Tanh,
        Activation::HardSigmoid,
        Activation::HardTanh,
        Activation::Relu6,
        Activation::Softsign,
    ];

    /// The name, without its parameter.
    pub fn name(self) -> &'static str {
        match self {
            Activation::Identity => "identity",
            Activation::Relu => "relu",
            Activation::LeakyRelu { .. } => "leaky_relu",
            Activation::Elu { .. } => "elu",
            Activation::Selu => "selu",
            Activation::Gelu => "gelu",
            Activation::GeluTanh => "gelu_tanh",
            Activation::Silu => "silu",
            Activation::Mish => "mish",
            Activation::Softplus => "softplus",
            Activation::Sigmoid => "sigmoid",
            Activation::Tanh => "tanh",
            Activation::HardSigmoid => "hard_sigmoid",
            Activation::HardTanh => "hard_tanh",
            Activation::Relu6 => "relu6",
            Activation::Softsign => "softsign",
        }
    }

    /// The formula as text, with its parameter and the default.
    pub fn formula(self) -> &'static str {
        match self {
            Activation::Identity => "x",
            Activation::Relu => "max(0, x)",
            Activation::LeakyRelu { .. } => "x if x > 0, else slope x  [slope=0.01]",
            Activation::Elu { .. } => "x if x > 0, else alpha (eˣ − 1)  [alpha=1]",
            Activation::Selu => "1.0507 x if x > 0, else 1.0507 · 1.6733 (eˣ − 1)",
            Activation::Gelu => "x Φ(x), Φ the normal distribution function",
            Activation::GeluTanh => "x/2 (1 + tanh(√(2/π) (x + 0.044715 x³)))",
            Activation::Silu => "x / (1 + e⁻ˣ)",
            Activation::Mish => "x tanh(ln(1 + eˣ))",
            Activation::Softplus => "ln(1 + eˣ)",
            Activation::Sigmoid => "1 / (1 + e⁻ˣ)",
            Activation::Tanh => "tanh x",
            Activation::HardSigmoid => "min(max(0, x + 3), 6) / 6",
            Activation::HardTanh => "min(max(−1, x), 1)",
            Activation::Relu6 => "min(max(0, x), 6)",
            Activation::Softsign => "x / (1 + |x|)",
        }
    }

    /// Calls `visitor` with this activation's formula.
    #[inline(always)]
    pub fn visit<V: Visit>(self, visitor: V) -> V::Output {
        match self {
            Activation::Identity => visitor.visit(f::Identity),
            Activation::Relu => visitor.visit(f::Relu),
            Activation::LeakyRelu { slope } => visitor.visit(f::LeakyRelu { slope }),
            Activation::Elu { alpha } => visitor.visit(f::Elu { alpha }),
            Activation::Selu => visitor.visit(f::Selu),
            Activation::Gelu => visitor.visit(f::Gelu),
            Activation::GeluTanh => visitor.visit(f::GeluTanh),
            Activation::Silu => visitor.visit(f::Silu),
            Activation::Mish => visitor.visit(f::Mish),
            Activation::Softplus => visitor.visit(f::Softplus),
            Activation::Sigmoid => visitor.visit(f::Sigmoid),
            Activation::Tanh => visitor.visit(f::Tanh),
            Activation::HardSigmoid => visitor.visit(f::HardSigmoid),
            Activation::HardTanh => visitor.visit(f::HardTanh),
            Activation::Relu6 => visitor.visit(f::Relu6),
            Activation::Softsign => visitor.visit(f::Softsign),
        }
    }

    /// `y = f(x)`. For a loop, use [`Activation::visit`], which selects the formula once.
    pub fn value<R: Real>(self, x: R) -> R {
        struct Value<R>(R);
        impl<R: Real> Visit for Value<R> {
            type Output = R;
            #[inline(always)]
            fn visit<F: Function>(self, function: F) -> R {
                function.value(self.0)
            }
        }
        self.visit(Value(x))
    }

    /// `f′(x)`, given `x` and `y = f(x)`. `x` is ignored unless [`Activation::derivative_uses_input`] is true.
    pub fn derivative<R: Real>(self, x: R, y: R) -> R {
        struct Derivative<R>(R, R);
        impl<R: Real> Visit for Derivative<R> {
            type Output = R;
            #[inline(always)]
            fn visit<F: Function>(self, function: F) -> R {
                function.derivative(self.0, self.1)
            }
        }
        self.visit(Derivative(x, y))
    }

    /// Whether the derivative reads the pre-activation `x`. If not, `x` need not be kept for the backward pass.
    pub fn derivative_uses_input(self) -> bool {
        struct Uses;
        impl Visit for Uses {
            type Output = bool;
            fn visit<F: Function>(self, _: F) -> bool {
                F::DERIVATIVE_USES_INPUT
            }
        }
        self.visit(Uses)
    }
}

impl fmt::Display for Activation {
    /// The name, and the parameter if it differs from the default.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Activation::LeakyRelu { slope } if *slope != 0.01 => write!(f, ":slope={slope}"),
            Activation::Elu { alpha } if *alpha != 1.0 => write!(f, ":alpha={alpha}"),
            _ => Ok(()),
        }
    }
}

impl FromStr for Activation {
    type Err = Error;

    /// Reads `relu`, `elu:alpha=0.5`, `leaky_relu:slope=0.2`.
    fn from_str(text: &str) -> Result<Self> {
        let mut spec = Spec::parse("activation", text)?;
        let Some(mut activation) = Self::ALL.into_iter().find(|a| a.name() == spec.name) else {
            return Err(spec.unknown_name(&Self::ALL.map(Self::name)));
        };
        let not_negative = |v: f64| v.is_finite() && v >= 0.0;
        match &mut activation {
            Activation::LeakyRelu { slope } => {
                *slope = spec.number("slope", "a number of at least 0", not_negative)?.unwrap_or(*slope);
            }
            Activation::Elu { alpha } => {
                *alpha = spec.number("alpha", "a number of at least 0", not_negative)?.unwrap_or(*alpha);
            }
            _ => {}
        }
        spec.finish()?;
        Ok(activation)
    }
}

impl TryFrom<String> for Activation {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Activation> for String {
    fn from(activation: Activation) -> String {
        activation.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_parameters_survive_a_round_trip() {
        let texts = Activation::ALL.iter().map(ToString::to_string).chain(["elu:alpha=0.5".into()]);
        for text in texts.chain(["leaky_relu:slope=0.2".to_owned()]) {
            let activation: Activation = text.parse().unwrap();
            assert_eq!(activation.to_string(), text);
            let json = serde_json::to_string(&activation).unwrap();
            assert_eq!(json, format!("\"{text}\""));
            assert_eq!(serde_json::from_str::<Activation>(&json).unwrap(), activation);
        }
    }

    #[test]
    fn an_unknown_name_suggests_the_nearest() {
        let message = "rellu".parse::<Activation>().unwrap_err().to_string();
        assert!(message.contains("unknown activation \"rellu\": did you mean \"relu\"?"), "{message}");
        assert!("relu:slope=1".parse::<Activation>().is_err());
        assert!("elu:alpha=-1".parse::<Activation>().is_err());
    }

    #[test]
    fn derivatives_read_the_input_only_if_they_declare_it() {
        for activation in Activation::ALL {
            for x in [-2.5, -0.25, 0.75, 4.0] {
                let y = activation.value(x);
                let (with, without) = (activation.derivative(x, y), activation.derivative(f64::NAN, y));
                assert_eq!(without.is_nan(), activation.derivative_uses_input(), "{activation} at {x}");
                assert!(without.is_nan() || without == with, "{activation} at {x}");
            }
        }
    }
}

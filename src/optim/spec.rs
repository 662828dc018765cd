//! The choice of an optimizer, by name and options.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::rule::{Decay, Rule};
use super::{Adam, RmsProp, Sgd, adam, rmsprop, sgd};
use crate::spec::Spec;
use crate::{Error, Result};

/// Which formula moves the parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Algorithm {
    /// [`Sgd`].
    Sgd(Sgd),
    /// [`RmsProp`].
    RmsProp(RmsProp),
    /// [`Adam`]; weight decay is part of the gradient.
    Adam(Adam),
    /// [`Adam`]; weight decay is beside the gradient.
    AdamW(Adam),
}

/// Something to do with an optimizer's rule, compiled for each rule by itself.
pub trait VisitRule {
    /// What comes of it.
    type Output;
    /// Does it.
    fn visit<const N: usize, U: Rule<N>>(self, rule: U) -> Self::Output;
}

impl Algorithm {
    /// Calls `visitor` with the rule that has just the state these options need.
    #[inline(always)]
    pub fn visit<V: VisitRule>(self, visitor: V) -> V::Output {
        match self {
            Algorithm::Sgd(sgd) if sgd.momentum == 0.0 => visitor.visit(sgd::Plain),
            Algorithm::Sgd(sgd) => visitor.visit(sgd::Momentum(sgd)),
            Algorithm::RmsProp(rms) => match (rms.centered, rms.momentum != 0.0) {
                (false, false) => visitor.visit(rmsprop::Plain(rms)),
                (false, true) => visitor.visit(rmsprop::Momentum(rms)),
                (true, false) => visitor.visit(rmsprop::Centered(rms)),
                (true, true) => visitor.visit(rmsprop::CenteredMomentum(rms)),
            },
            Algorithm::Adam(adam) | Algorithm::AdamW(adam) if adam.amsgrad => visitor.visit(adam::AmsGrad(adam)),
            Algorithm::Adam(adam) | Algorithm::AdamW(adam) => visitor.visit(adam::Plain(adam)),
        }
    }

    /// The same optimizer with another momentum; for Adam that is `β₁`. One without momentum stays as it is, for it keeps
    /// no state for it.
    pub fn with_momentum(self, momentum: f64) -> Self {
        match self {
            Algorithm::Sgd(sgd) if sgd.momentum != 0.0 => Algorithm::Sgd(Sgd { momentum, ..sgd }),
            Algorithm::RmsProp(rms) if rms.momentum != 0.0 => Algorithm::RmsProp(RmsProp { momentum, ..rms }),
            Algorithm::Adam(adam) => Algorithm::Adam(Adam { beta1: momentum, ..adam }),
            Algorithm::AdamW(adam) => Algorithm::AdamW(Adam { beta1: momentum, ..adam }),
            without => without,
        }
    }

    /// Whether there is a momentum that a schedule can move.
    pub fn has_momentum(self) -> bool {
        match self {
            Algorithm::Sgd(sgd) => sgd.momentum != 0.0,
            Algorithm::RmsProp(rms) => rms.momentum != 0.0,
            Algorithm::Adam(_) | Algorithm::AdamW(_) => true,
        }
    }

    /// Numbers of state for each parameter.
    pub fn slots(self) -> usize {
        struct Slots;
        impl VisitRule for Slots {
            type Output = usize;
            fn visit<const N: usize, U: Rule<N>>(self, _: U) -> usize {
                N
            }
        }
        self.visit(Slots)
    }

    /// Whether the optimizer's own weight decay is beside the gradient rather than part of it.
    pub fn decays_decoupled(self) -> bool {
        matches!(self, Algorithm::AdamW(_))
    }

    /// The name without options.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Sgd(_) => "sgd",
            Algorithm::RmsProp(_) => "rmsprop",
            Algorithm::Adam(_) => "adam",
            Algorithm::AdamW(_) => "adamw",
        }
    }
}

/// An optimizer with its own learning rate and weight decay, as `--optimizer` names it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OptimizerSpec {
    /// The formula and its options.
    pub algorithm: Algorithm,
    /// Learning rate where nothing else says one; 0.01 for SGD and RMSprop, 0.001 for Adam and AdamW by default.
    pub lr: f64,
    /// The library's own decay `λ` of weights and biases; 0.01 for AdamW by default, else 0.
    pub weight_decay: f64,
}

impl OptimizerSpec {
    /// Every name.
    pub const NAMES: [&'static str; 6] = ["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"];

    /// The optimizer `name` with its default options; `momentum` and `nesterov` are SGD with a momentum of 0.9.
    fn with_defaults(name: &str) -> Option<Self> {
        let heavy = Sgd { momentum: 0.9, ..Sgd::default() };
        let (algorithm, lr, weight_decay) = match name {
            "sgd" => (Algorithm::Sgd(Sgd::default()), 1e-2, 0.0),
            "momentum" => (Algorithm::Sgd(heavy), 1e-2, 0.0),
            "nesterov" => (Algorithm::Sgd(Sgd { nesterov: true, ..heavy }), 1e-2, 0.0),
            "rmsprop" => (Algorithm::RmsProp(RmsProp::default()), 1e-2, 0.0),
            "adam" => (Algorithm::Adam(Adam::default()), 1e-3, 0.0),
            "adamw" => (Algorithm::AdamW(Adam::default()), 1e-3, 1e-2),
            _ => return None,
        };
        Some(OptimizerSpec { algorithm, lr, weight_decay })
    }

    /// The decay that the library's rule makes of `weight_decay` at learning rate `lr`.
    pub fn decay(&self, weight_decay: f64, lr: f64) -> Decay {
        if self.algorithm.decays_decoupled() {
            Decay::decoupled(weight_decay, lr)
        } else {
            Decay::coupled(weight_decay)
        }
    }

    /// The options that differ from the defaults of [`Algorithm::name`], as `key=value`.
    fn options(&self) -> Vec<String> {
        let mut options = Vec::new();
        let mut number = |key: &str, value: f64, default: f64| {
            if value != default {
                options.push(format!("{key}={value}"));
            }
        };
        let defaults = Self::with_defaults(self.algorithm.name()).unwrap_or(*self);
        number("lr", self.lr, defaults.lr);
        let switch = match self.algorithm {
            Algorithm::Sgd(sgd) => {
                number("momentum", sgd.momentum, 0.0);
                number("dampening", sgd.dampening, 0.0);
                sgd.nesterov.then_some("nesterov=true")
            }
            Algorithm::RmsProp(rms) => {
                let default = RmsProp::default();
                number("alpha", rms.alpha, default.alpha);
                number("eps", rms.eps, default.eps);
                number("momentum", rms.momentum, default.momentum);
                rms.centered.then_some("centered=true")
            }
            Algorithm::Adam(adam) | Algorithm::AdamW(adam) => {
                let default = Adam::default();
                number("beta1", adam.beta1, default.beta1);
                number("beta2", adam.beta2, default.beta2);
                number("eps", adam.eps, default.eps);
                adam.amsgrad.then_some("amsgrad=true")
            }
        };
        number("weight_decay", self.weight_decay, defaults.weight_decay);
        options.extend(switch.map(str::to_owned));
        options
    }
}

/// A number within `0..1`, if the specification gives one.
fn fraction(spec: &mut Spec<'_>, key: &'static str, value: &mut f64) -> Result<()> {
    *value = spec.number(key, "at least 0 and below 1", |v| (0.0..1.0).contains(&v))?.unwrap_or(*value);
    Ok(())
}

/// A finite number above 0, if the specification gives one.
fn positive(spec: &mut Spec<'_>, key: &'static str, value: &mut f64) -> Result<()> {
    *value = spec.number(key, "a number above 0", |v| v.is_finite() && v > 0.0)?.unwrap_or(*value);
    Ok(())
}

impl FromStr for OptimizerSpec {
    type Err = Error;

    /// Reads `adam`, `adam:beta2=0.95,eps=1e-8`, `sgd:momentum=0.9,nesterov=true`, `nesterov`.
    fn from_str(text: &str) -> Result<Self> {
        let mut spec = Spec::parse("optimizer", text)?;
        let mut optimizer = Self::with_defaults(spec.name).ok_or_else(|| spec.unknown_name(&Self::NAMES))?;
        positive(&mut spec, "lr", &mut optimizer.lr)?;
        let not_negative = |v: f64| v.is_finite() && v >= 0.0;
        if let Some(decay) = spec.number("weight_decay", "a number of at least 0", not_negative)? {
            optimizer.weight_decay = decay;
        }
        match &mut optimizer.algorithm {
            Algorithm::Sgd(sgd) => read_sgd(&mut spec, sgd)?,
            Algorithm::RmsProp(rms) => {
                fraction(&mut spec, "alpha", &mut rms.alpha)?;
                positive(&mut spec, "eps", &mut rms.eps)?;
                fraction(&mut spec, "momentum", &mut rms.momentum)?;
                rms.centered = spec.switch("centered")?.unwrap_or(false);
            }
            Algorithm::Adam(adam) | Algorithm::AdamW(adam) => {
                fraction(&mut spec, "beta1", &mut adam.beta1)?;
                fraction(&mut spec, "beta2", &mut adam.beta2)?;
                positive(&mut spec, "eps", &mut adam.eps)?;
                adam.amsgrad = spec.switch("amsgrad")?.unwrap_or(false);
            }
        }
        spec.finish()?;
        Ok(optimizer)
    }
}

fn read_sgd(spec: &mut Spec<'_>, sgd: &mut Sgd) -> Result<()> {
    fraction(spec, "momentum", &mut sgd.momentum)?;
    if let Some(dampening) = spec.number("dampening", "within 0 and 1", |v| (0.0..=1.0).contains(&v))? {
        sgd.dampening = dampening;
    }
    sgd.nesterov = spec.switch("nesterov")?.unwrap_or(sgd.nesterov);
    if sgd.nesterov && (sgd.momentum == 0.0 || sgd.dampening != 0.0) {
        return Err(Error::Usage(format!(
            "optimizer \"{}\": nesterov needs a momentum above 0 and no dampening, found momentum={}, dampening={}",
            spec.name, sgd.momentum, sgd.dampening
        )));
    }
    if sgd.dampening != 0.0 && sgd.momentum == 0.0 {
        return Err(Error::Usage(format!(
            "optimizer \"{}\": dampening needs a momentum above 0: try momentum=0.9",
            spec.name
        )));
    }
    Ok(())
}

impl fmt::Display for OptimizerSpec {
    /// The name, and the options that are not the defaults.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.algorithm.name())?;
        let options = self.options();
        if options.is_empty() { Ok(()) } else { write!(f, ":{}", options.join(",")) }
    }
}

impl TryFrom<String> for OptimizerSpec {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<OptimizerSpec> for String {
    fn from(spec: OptimizerSpec) -> String {
        spec.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_options_survive_a_round_trip() {
        let texts = [
            "sgd",
            "sgd:momentum=0.9,dampening=0.5",
            "sgd:lr=0.5,momentum=0.9,nesterov=true",
            "rmsprop",
            "rmsprop:alpha=0.9,eps=0.0001,momentum=0.5,weight_decay=0.1,centered=true",
            "adam",
            "adam:beta1=0.8,beta2=0.95,eps=0.001,amsgrad=true",
            "adamw:lr=0.1,weight_decay=0",
        ];
        for text in texts {
            let spec: OptimizerSpec = text.parse().unwrap();
            assert_eq!(spec.to_string(), text);
            assert_eq!(serde_json::from_str::<OptimizerSpec>(&serde_json::to_string(&spec).unwrap()).unwrap(), spec);
        }
        assert_eq!("momentum".parse::<OptimizerSpec>().unwrap().to_string(), "sgd:momentum=0.9");
        assert_eq!("nesterov".parse::<OptimizerSpec>().unwrap().to_string(), "sgd:momentum=0.9,nesterov=true");
        assert_eq!(
            "nesterov:momentum=0.5".parse::<OptimizerSpec>().unwrap().to_string(),
            "sgd:momentum=0.5,nesterov=true"
        );
    }

    #[test]
    fn state_is_as_large_as_the_options_need() {
        let cases = [
            ("sgd", 0),
            ("momentum", 1),
            ("nesterov", 1),
            ("rmsprop", 1),
            ("rmsprop:momentum=0.9", 2),
            ("rmsprop:centered=true", 2),
            ("rmsprop:momentum=0.9,centered=true", 3),
            ("adam", 2),
            ("adamw:amsgrad=true", 3),
        ];
        for (text, slots) in cases {
            assert_eq!(text.parse::<OptimizerSpec>().unwrap().algorithm.slots(), slots, "{text}");
        }
    }

    #[test]
    fn wrong_names_keys_and_values_are_refused() {
        let message = |text: &str| text.parse::<OptimizerSpec>().unwrap_err().to_string();
        assert!(message("adamm").contains("did you mean \"adam\"?"));
        assert!(message("adam:beta=0.9").contains("did you mean \"beta1\"?"));
        assert!(message("rmsprop:centred=true").contains("did you mean \"centered\"?"));
        assert!(message("adam:beta2=1").contains("beta2 must be at least 0 and below 1, found \"1\""));
        for text in ["sgd:nesterov=true", "sgd:dampening=0.1", "nesterov:dampening=0.1", "adam:eps=0", "sgd:lr=NaN"] {
            assert!(text.parse::<OptimizerSpec>().is_err(), "{text}");
        }
    }
}

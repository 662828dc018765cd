//! The choice of an optimizer by name and options.

use std::fmt;
use std::str::FromStr;

use super::algorithm::Algorithm;
use super::catalogue;
use super::dialect::Dialect;
use super::entry::Entry;
use super::field::{Field, Range};
use super::optimizer::OwnDecay;
use super::per_tensor::TensorRule;
use super::rule::Decay;
use crate::spec::Spec;
use crate::{Error, Result};

/// An optimizer with its own learning rate and weight decay, as `--optimizer` and `--dialect` name it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OptimizerSpec {
    /// The formula and its options.
    pub algorithm: Algorithm,
    /// The learning rate unless another one is given.
    pub lr: f64,
    /// The library's own decay `λ` of weights and biases.
    pub weight_decay: f64,
    /// The library whose rules the whole step follows; with `None` the equations are PyTorch's.
    pub dialect: Option<Dialect>,
}

impl OptimizerSpec {
    /// An optimizer with its defaults in a dialect; `None` if the dialect's library lacks it.
    pub fn defaults(entry: &Entry<Algorithm>, dialect: Option<Dialect>) -> Option<Self> {
        let (algorithm, lr, weight_decay) = entry.defaults(dialect)?;
        Some(OptimizerSpec { algorithm, lr, weight_decay, dialect })
    }

    /// Reads `adam`, `adam:beta2=0.95,eps=1e-8`, `sgd:momentum=0.9,nesterov=true`, `nesterov` in a dialect.
    ///
    /// # Errors
    /// [`Error::Usage`] for an unknown name, for one that the dialect's library lacks, and for wrong options.
    pub fn parse(text: &str, dialect: Option<Dialect>) -> Result<Self> {
        let mut spec = Spec::parse("optimizer", text)?;
        let entry = catalogue::find(spec.name).ok_or_else(|| spec.unknown_name(&catalogue::names()))?;
        let mut optimizer = Self::defaults(entry, dialect).ok_or_else(|| lacking(entry, dialect))?;
        for field in optimizer.fields() {
            field.read(&mut spec)?;
        }
        match optimizer.algorithm.contradiction() {
            Some(reason) => Err(Error::Usage(format!("optimizer \"{}\": {reason}", spec.name))),
            None => spec.finish().map(|()| optimizer),
        }
    }

    /// The options with their keys.
    fn fields(&mut self) -> Vec<Field<'_>> {
        // scikit-learn has an L2 penalty instead.
        let decays = self.algorithm.own_decay() != OwnDecay::None && self.dialect != Some(Dialect::Sklearn);
        let mut fields = vec![Field::new("lr", &mut self.lr, Range::POSITIVE)];
        fields.extend(self.algorithm.fields());
        if decays {
            fields.push(Field::new("weight_decay", &mut self.weight_decay, Range::NOT_NEGATIVE));
        }
        fields
    }

    /// Every option as `key=value`.
    pub fn options(mut self) -> Vec<String> {
        self.fields().iter().filter_map(Field::text).collect()
    }

    /// The library's own decay of weights, or of biases, gains and shifts, at learning rate `lr`.
    pub fn own_decay(&self, of_weights: bool, lr: f64) -> Decay {
        let of_vectors = match self.algorithm {
            Algorithm::PerTensor(optimizer) if !of_weights => optimizer.decay_of_vectors(lr),
            _ => None,
        };
        of_vectors.unwrap_or_else(|| self.decay(self.weight_decay, lr))
    }

    /// The decay by `weight_decay` in the library's rule at learning rate `lr`.
    pub fn decay(&self, weight_decay: f64, lr: f64) -> Decay {
        match self.algorithm.own_decay() {
            OwnDecay::InDirection => Decay::in_direction(weight_decay),
            OwnDecay::Decoupled => Decay::decoupled(weight_decay, lr),
            _ if self.dialect == Some(Dialect::Keras) => Decay::decoupled(weight_decay, lr),
            OwnDecay::Coupled | OwnDecay::None => Decay::coupled(weight_decay),
        }
    }
}

/// The error for an optimizer that a dialect's library lacks.
fn lacking(entry: &Entry<Algorithm>, dialect: Option<Dialect>) -> Error {
    let dialect = dialect.map_or("this", Dialect::name);
    let others: Vec<String> = entry.dialects().map(|dialect| dialect.to_string()).collect();
    let others = if others.is_empty() { String::new() } else { format!("in the dialect {} or ", others.join(", ")) };
    Error::Usage(format!("{dialect} has no optimizer \"{}\": use it {others}without a dialect", entry.name))
}

impl FromStr for OptimizerSpec {
    type Err = Error;

    /// Reads an optimizer without a dialect: see [`OptimizerSpec::parse`].
    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text, None)
    }
}

impl fmt::Display for OptimizerSpec {
    /// The name, and the options that differ from the dialect's defaults; the dialect's name is not included.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.algorithm.name();
        let defaults = catalogue::find(name).and_then(|entry| Self::defaults(entry, self.dialect));
        let defaults = defaults.map(Self::options).unwrap_or_default();
        let options: Vec<String> = self.options().into_iter().filter(|option| !defaults.contains(option)).collect();
        f.write_str(name)?;
        if options.is_empty() { Ok(()) } else { write!(f, ":{}", options.join(",")) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::catalogue::CATALOGUE;
    use super::*;

    #[test]
    fn names_and_options_survive_a_round_trip() {
        let texts = [
            "sgd",
            "sgd:momentum=0.9,dampening=0.5",
            "sgd:lr=0.5,momentum=0.9,nesterov=true",
            "rmsprop",
            "rmsprop:alpha=0.9,eps=1e-4,momentum=0.5,centered=true,weight_decay=0.1",
            "adam",
            "adam:beta1=0.8,beta2=0.95,eps=0.001,amsgrad=true",
            "adamw:lr=0.1,weight_decay=0",
            "nadam:momentum_decay=0.02,decoupled_weight_decay=true",
            "radam:beta2=0.99",
            "adamax:eps=0.01",
            "adagrad:initial_accumulator_value=0.1,lr_decay=0.5",
            "adadelta:rho=0.8,eps=1e-4",
            "rprop:eta_minus=0.4,eta_plus=1.3,step_min=0.001,step_max=1",
            "lion:lr=0.01,beta1=0.95",
            "schedulefree:warmup_steps=100,r=0.5,weight_decay=0.1",
            "lamb:eps_root=1e-4,weight_decay=0.01",
            "muon:nesterov=false,ns_steps=4,adam_lr_ratio=0.5,adjust_lr=match_rms_adamw,adam_amsgrad=true",
            "lbfgs:history_size=10,tolerance_change=0",
        ];
        for text in texts {
            let spec: OptimizerSpec = text.parse().unwrap();
            assert_eq!(spec.to_string(), text);
        }
        assert_eq!("momentum".parse::<OptimizerSpec>().unwrap().to_string(), "sgd:momentum=0.9");
        assert_eq!("nesterov".parse::<OptimizerSpec>().unwrap().to_string(), "sgd:momentum=0.9,nesterov=true");
        assert_eq!(
            "momentum:momentum=0".parse::<OptimizerSpec>().unwrap(),
            "sgd".parse().unwrap(),
            "a momentum of 0 is none"
        );
        assert_eq!(
            "nesterov:momentum=0.5".parse::<OptimizerSpec>().unwrap().to_string(),
            "sgd:momentum=0.5,nesterov=true"
        );
    }

    #[test]
    fn every_optimizer_of_every_dialect_survives_a_round_trip() {
        let dialects = [None, Some(Dialect::Torch), Some(Dialect::Keras), Some(Dialect::Sklearn)];
        for (entry, dialect) in CATALOGUE.iter().flat_map(|entry| dialects.map(|dialect| (entry, dialect))) {
            let Some(defaults) = OptimizerSpec::defaults(entry, dialect) else {
                let message = OptimizerSpec::parse(entry.name, dialect).unwrap_err().to_string();
                assert!(message.contains("has no optimizer") && message.contains("without a dialect"), "{message}");
                continue;
            };
            assert_eq!(OptimizerSpec::parse(entry.name, dialect).unwrap(), defaults, "{}", entry.name);
            // Every option, given and then shown: the keys in the help are those that are read.
            let name = defaults.algorithm.name();
            let all = format!("{name}:{}", defaults.options().join(","));
            assert_eq!(OptimizerSpec::parse(&all, dialect).unwrap(), defaults, "{all}");
            let other = OptimizerSpec { lr: 0.123, ..defaults };
            assert_eq!(OptimizerSpec::parse(&other.to_string(), dialect).unwrap(), other, "{other}");
        }
    }

    #[test]
    fn dialects_have_their_own_defaults_and_options() {
        let parse = |text: &str, dialect| OptimizerSpec::parse(text, Some(dialect));
        assert_eq!(parse("adam", Dialect::Keras).unwrap().options()[3], "eps=1e-7");
        assert_eq!(parse("sgd", Dialect::Sklearn).unwrap().options(), ["lr=0.001", "momentum=0.9", "nesterov=true"]);
        assert!(parse("sgd:momentum=0", Dialect::Sklearn).is_ok(), "no momentum is plain descent there");
        assert!(parse("sgd:dampening=0.1", Dialect::Keras).is_err());
        assert!(parse("adam:amsgrad=true", Dialect::Sklearn).is_err());
        let message = parse("lion", Dialect::Sklearn).unwrap_err().to_string();
        assert_eq!(message, "sklearn has no optimizer \"lion\": use it in the dialect keras or without a dialect");
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
            ("amsgrad", 3),
            ("adagrad", 1),
            ("lion", 1),
            ("rprop", 2),
            ("schedulefree", 2),
            ("lamb", 2),
            ("muon", 2),
            ("muon:adam_amsgrad=true", 3),
            ("lbfgs", 0),
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
        assert!(message("muon:rms_rate=0.1").contains("adjust_lr=match_rms_adamw"));
        assert!("muon:adjust_lr=match_rms_adamw,rms_rate=0.1".parse::<OptimizerSpec>().is_ok());
        assert!(message("rmsprop:centred=true").contains("did you mean \"centered\"?"));
        assert!(message("adam:beta2=1").contains("beta2 must be at least 0 and below 1, found \"1\""));
        for text in [
            "sgd:nesterov=true",
            "sgd:dampening=0.1",
            "nesterov:dampening=0.1",
            "adam:eps=0",
            "adam:eps=1e-50",
            "sgd:lr=NaN",
            "rprop:step_min=60",
            "schedulefree:beta1=0",
            "muon:ns_steps=2.5",
            "muon:adjust_lr=rms",
            "lbfgs:history_size=0",
            "lbfgs:weight_decay=0.1",
        ] {
            assert!(text.parse::<OptimizerSpec>().is_err(), "{text}");
        }
    }
}

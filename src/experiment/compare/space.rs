//! Where the hyperparameters of each optimizer are searched.

use super::records::Dimension;
use crate::experiment::quasi_random::log_uniform;
use crate::optim::Algorithm;

/// A hyperparameter that is searched evenly in the logarithm of a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Axis {
    /// The key of `--optimizer`.
    pub key: &'static str,
    /// What the number says of it.
    pub number: Number,
    /// Least searched number.
    pub low: f64,
    /// Greatest.
    pub high: f64,
}

/// The number that is searched for a hyperparameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// Its value.
    Value,
    /// `1 − value`: a momentum of 0.99 is as far from 0.9 as 0.9 from 0.
    Complement,
    /// `value · (1 − dampening) / (1 − momentum)`: how far a lasting gradient moves the weights in a step. The best
    /// effective rate hardly depends on the momentum; the best rate does.
    Effective,
}

const fn plain(key: &'static str, low: f64, high: f64) -> Axis {
    Axis { key, number: Number::Value, low, high }
}

const fn complement(key: &'static str, low: f64, high: f64) -> Axis {
    Axis { key, number: Number::Complement, low, high }
}

/// SGD in all its forms: up to rates that diverge on most problems.
const SGD_LR: Axis = plain("lr", 1e-3, 3.0);
/// The same for those with momentum: at each point of the space they share it with sgd.
const MOMENTUM_LR: Axis = Axis { number: Number::Effective, ..SGD_LR };
/// Rates of optimizers that divide by the size of the gradient.
///
/// With the greatest `eps` they are the plain one with a rate of up to `0.3 / 0.1 = 3`, as far as sgd's space reaches.
const ADAPTIVE_LR: Axis = plain("lr", 1e-4, 3e-1);
/// A large `eps` makes an adaptive optimizer the plain one with the rate `lr / eps`, which the corner of the space with
/// the greatest `lr` and `eps` reaches: so sgd is a limit of rmsprop here, and momentum one of adam (Choi et al. 2019).
const EPS: Axis = plain("eps", 1e-8, 1e-1);
const BETA1: Axis = complement("beta1", 1e-2, 1.0);
const BETA2: Axis = complement("beta2", 3e-4, 1e-1);
const ADAM: &[Axis] = &[ADAPTIVE_LR, BETA1, BETA2, EPS];

/// Spaces by the optimizer's name, the learning rate first: of all that can learn from batches.
///
/// A momentum or `beta1` of 0 is the edge of its axis, so momentum holds sgd, and adam holds rmsprop but for its bias
/// correction; nesterov and schedulefree are not defined there and end before. What adds up all squares, as adagrad, or
/// divides by them in its rate too, as adadelta, needs higher rates; steps of lion have full size in every coordinate,
/// those of muon in every direction, and want lower or similar ones.
const SPACES: &[(&str, &[Axis])] = &[
    ("sgd", &[SGD_LR]),
    ("momentum", &[MOMENTUM_LR, complement("momentum", 1e-2, 1.0)]),
    ("nesterov", &[MOMENTUM_LR, complement("momentum", 1e-2, 0.9)]),
    ("rmsprop", &[ADAPTIVE_LR, complement("alpha", 1e-3, 0.5), EPS]),
    ("adam", ADAM),
    ("amsgrad", ADAM),
    ("adamw", &[ADAPTIVE_LR, BETA1, BETA2, EPS]),
    ("nadam", ADAM),
    ("radam", ADAM),
    ("adamax", ADAM),
    ("adagrad", &[plain("lr", 1e-3, 1.0), plain("eps", 1e-10, 1e-1)]),
    ("adadelta", &[plain("lr", 1e-1, 1e2), complement("rho", 1e-3, 0.5), plain("eps", 1e-8, 1e-2)]),
    ("lion", &[plain("lr", 1e-5, 1e-2), BETA1, complement("beta2", 1e-3, 1e-1)]),
    ("schedulefree", &[plain("lr", 1e-4, 3e-1), complement("beta1", 1e-2, 0.5), BETA2, EPS]),
    ("lamb", &[plain("lr", 1e-4, 3e-1), BETA1, BETA2, plain("eps", 1e-8, 1e-2)]),
    ("muon", &[plain("lr", 1e-4, 3e-1), complement("momentum", 1e-2, 0.5), plain("adam_lr_ratio", 3e-2, 3.0)]),
];

/// The whole space of an optimizer by its name; empty for one that is not compared.
pub fn axes(name: &str) -> &'static [Axis] {
    SPACES.iter().find(|(known, _)| *known == name).map_or(&[], |(_, axes)| axes)
}

/// The schedules of a space, last that of `gradlane train`. An optimizer whose average does a falling rate's work keeps
/// its rate, as its authors mean it.
pub fn schedules(algorithm: Algorithm) -> &'static [&'static str] {
    if algorithm.prefers_constant_rate() { &["const"] } else { &["const", "cosine:warmup=0.05", "cosine"] }
}

/// The number at `u` in `0..1` of a range that is searched evenly in its logarithm, to four digits.
pub(super) fn number_at(u: f64, low: f64, high: f64) -> f64 {
    four_digits(log_uniform(u, low, high))
}

impl Axis {
    /// What is searched, as reports name it.
    pub fn dimension(&self) -> Dimension {
        let name = match self.number {
            Number::Value => self.key.to_owned(),
            Number::Complement => format!("one_minus_{}", self.key),
            Number::Effective => format!("effective_{}", self.key),
        };
        Dimension { name, low: self.low, high: self.high }
    }

    /// The searched number at `u` in `0..1`.
    pub fn at(&self, u: f64) -> f64 {
        number_at(u, self.low, self.high)
    }

    /// The value that a searched number stands for, where momentum makes a lasting gradient `gain` times as large.
    pub fn value(&self, number: f64, gain: f64) -> f64 {
        match self.number {
            Number::Value => number,
            // Four digits of a number above 10⁻⁴ end at the eighth decimal; what comes later is rounding.
            Number::Complement => ((1.0 - number) * 1e8).round() / 1e8,
            Number::Effective => four_digits(number / gain),
        }
    }
}

fn four_digits(number: f64) -> f64 {
    format!("{number:.3e}").parse().expect("a number was written")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::OptimizerSpec;
    use crate::optim::catalogue::CATALOGUE;

    #[test]
    fn every_optimizer_of_batches_has_a_space_that_holds_its_defaults() {
        for entry in CATALOGUE {
            let defaults: OptimizerSpec = entry.name.parse().unwrap();
            assert_eq!(axes(entry.name).is_empty(), defaults.algorithm.needs_full_batch(), "{}", entry.name);
            let options = defaults.options();
            let momentum = options.iter().find_map(|o| o.strip_prefix("momentum=")?.parse::<f64>().ok());
            for (place, axis) in axes(entry.name).iter().enumerate() {
                assert_eq!(axis.key == "lr", place == 0, "{}: the rate is first", entry.name);
                let option = |option: &String| option.strip_prefix(axis.key)?.strip_prefix('=')?.parse::<f64>().ok();
                let value = options.iter().find_map(option).unwrap_or_else(|| panic!("{} of {options:?}", axis.key));
                let number = match axis.number {
                    Number::Value => value,
                    Number::Complement => 1.0 - value,
                    Number::Effective => value / (1.0 - momentum.unwrap()),
                };
                assert!((axis.low * 0.999..=axis.high).contains(&number), "{}: {number} of {axis:?}", entry.name);
            }
        }
    }

    #[test]
    fn numbers_are_short_and_complements_exact() {
        let beta1 = complement("beta1", 1e-2, 1.0);
        assert_eq!((beta1.at(0.0), beta1.at(0.5)), (0.01, 0.1));
        assert_eq!((beta1.value(0.1414, 1.0), beta1.value(1.0, 1.0)), (0.8586, 0.0));
        assert_eq!(complement("beta2", 3e-4, 0.1).value(0.0003001, 1.0), 0.9996999);
        assert_eq!(plain("eps", 1e-8, 0.1).value(1.234e-8, 10.0), 1.234e-8);
        assert_eq!((MOMENTUM_LR.value(1.283, 10.0), MOMENTUM_LR.value(1.283, 1.0)), (0.1283, 1.283));
    }
}

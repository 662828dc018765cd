//! Search spaces of the optimizers' hyperparameters.

use super::records::Dimension;
use crate::experiment::quasi_random::log_uniform;
use crate::optim::Algorithm;

/// A hyperparameter, which is searched log-uniformly in a number that determines it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Axis {
    /// Its key in `--optimizer`.
    pub key: &'static str,
    /// How the number determines the hyperparameter.
    pub number: Number,
    /// Smallest searched number.
    pub low: f64,
    /// Largest searched number.
    pub high: f64,
}

/// The number that is searched in place of a hyperparameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// The value itself.
    Value,
    /// `1 − value`. On this scale a momentum of 0.99 is as far from 0.9 as 0.9 is from 0.
    Complement,
    /// `value · (1 − dampening) / (1 − momentum)`: the effective learning rate, that is the step made by a constant gradient
    /// of size 1. The best effective rate hardly depends on the momentum; the best plain rate does.
    Effective,
}

const fn plain(key: &'static str, low: f64, high: f64) -> Axis {
    Axis { key, number: Number::Value, low, high }
}

const fn complement(key: &'static str, low: f64, high: f64) -> Axis {
    Axis { key, number: Number::Complement, low, high }
}

/// Learning rates of SGD, up to values that diverge on most problems.
const SGD_LR: Axis = plain("lr", 1e-3, 3.0);
/// Effective learning rates of SGD with momentum, the same range as for sgd.
const MOMENTUM_LR: Axis = Axis { number: Number::Effective, ..SGD_LR };
/// Learning rates of optimizers that divide by the size of the gradient.
///
/// With the largest `eps` they approach SGD with a learning rate of up to `0.3 / 0.1 = 3`, the upper end of sgd's space.
const ADAPTIVE_LR: Axis = plain("lr", 1e-4, 3e-1);
/// With a large `eps`, an adaptive optimizer approaches its non-adaptive form with the learning rate `lr / eps`. The corner
/// of the space with the largest `lr` and `eps` covers this. So in these spaces sgd is a limit of rmsprop, and momentum a
/// limit of adam (Choi et al. 2019).
const EPS: Axis = plain("eps", 1e-8, 1e-1);
const BETA1: Axis = complement("beta1", 1e-2, 1.0);
const BETA2: Axis = complement("beta2", 3e-4, 1e-1);
const ADAM: &[Axis] = &[ADAPTIVE_LR, BETA1, BETA2, EPS];

/// Search spaces by the optimizer's name, for all optimizers that can use mini-batches. The learning rate comes first.
///
/// A momentum or `beta1` of 0 is an end of its axis. So the space of momentum contains sgd, and that of adam contains
/// rmsprop except for the bias correction. nesterov and schedulefree are not defined at 0; their axes end before it.
/// adagrad, which accumulates all squares, and adadelta, whose rate is relative, need higher rates. lion makes steps of full
/// size in every coordinate and muon in every direction; they need lower or similar rates.
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

/// The search space of an optimizer, given its name; empty for an optimizer that is not compared.
pub fn axes(name: &str) -> &'static [Axis] {
    SPACES.iter().find(|(known, _)| *known == name).map_or(&[], |(_, axes)| axes)
}

/// The searched schedules; the last is the default of `gradlane train`. An optimizer whose averaging replaces a falling
/// learning rate has only the constant one, as its authors intend.
pub fn schedules(algorithm: Algorithm) -> &'static [&'static str] {
    if algorithm.prefers_constant_rate() { &["const"] } else { &["const", "cosine:warmup=0.05", "cosine"] }
}

/// The number at `u` in `0..1` of a log-uniform range, rounded to four digits.
pub(super) fn number_at(u: f64, low: f64, high: f64) -> f64 {
    four_digits(log_uniform(u, low, high))
}

impl Axis {
    /// The dimension for records and reports.
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

    /// The value of the hyperparameter for a searched number, where momentum amplifies a constant gradient by `gain`.
    pub fn value(&self, number: f64, gain: f64) -> f64 {
        match self.number {
            Number::Value => number,
            // A number above 10⁻⁴ with four digits ends at the eighth decimal; further decimals are rounding errors.
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
    fn every_mini_batch_optimizer_has_a_space_that_contains_its_defaults() {
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
    fn numbers_have_four_digits_and_complements_are_exact() {
        let beta1 = complement("beta1", 1e-2, 1.0);
        assert_eq!((beta1.at(0.0), beta1.at(0.5)), (0.01, 0.1));
        assert_eq!((beta1.value(0.1414, 1.0), beta1.value(1.0, 1.0)), (0.8586, 0.0));
        assert_eq!(complement("beta2", 3e-4, 0.1).value(0.0003001, 1.0), 0.9996999);
        assert_eq!(plain("eps", 1e-8, 0.1).value(1.234e-8, 10.0), 1.234e-8);
        assert_eq!((MOMENTUM_LR.value(1.283, 10.0), MOMENTUM_LR.value(1.283, 1.0)), (0.1283, 1.283));
    }
}

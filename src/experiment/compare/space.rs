//! Where the hyperparameters of each optimizer are searched.

use super::records::Dimension;
use crate::experiment::quasi_random::log_uniform;

/// A hyperparameter that is searched evenly in its logarithm, or in that of its distance from 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Axis {
    /// The key of `--optimizer`.
    pub key: &'static str,
    /// Whether `1 − value` is what is searched: a momentum of 0.99 is as far from 0.9 as 0.9 from 0.
    pub complement: bool,
    /// Least searched number.
    pub low: f64,
    /// Greatest.
    pub high: f64,
}

const fn plain(key: &'static str, low: f64, high: f64) -> Axis {
    Axis { key, complement: false, low, high }
}

const fn complement(key: &'static str, low: f64, high: f64) -> Axis {
    Axis { key, complement: true, low, high }
}

/// SGD in all its forms: up to rates that diverge on most problems.
const SGD_LR: Axis = plain("lr", 1e-3, 3.0);
/// Rates of optimizers that divide by the size of the gradient.
const ADAPTIVE_LR: Axis = plain("lr", 1e-4, 1e-1);
/// A large `eps` makes an adaptive optimizer the plain one with the rate `lr / eps`, which the corner of the space with
/// the greatest `lr` and `eps` reaches: so sgd is a limit of rmsprop here, and momentum one of adam (Choi et al. 2019).
const EPS: Axis = plain("eps", 1e-8, 1e-1);
const BETA1: Axis = complement("beta1", 2e-2, 1.0);
const BETA2: Axis = complement("beta2", 3e-4, 1e-1);

/// Spaces by the optimizer's name, the learning rate first.
///
/// A momentum or `beta1` of 0 is the edge of its axis, so momentum holds sgd, and adam holds rmsprop but for its bias
/// correction; nesterov is not defined there and ends before.
const SPACES: [(&str, &[Axis]); 6] = [
    ("sgd", &[SGD_LR]),
    ("momentum", &[SGD_LR, complement("momentum", 1e-2, 1.0)]),
    ("nesterov", &[SGD_LR, complement("momentum", 1e-2, 0.9)]),
    ("rmsprop", &[ADAPTIVE_LR, complement("alpha", 1e-3, 0.5), EPS]),
    ("adam", &[ADAPTIVE_LR, BETA1, BETA2, EPS]),
    ("adamw", &[ADAPTIVE_LR, BETA1, BETA2, EPS, plain("weight_decay", 1e-4, 1.0)]),
];

/// Other optimizers are searched in their learning rate alone, so far to either side of its default.
const REACH: f64 = 100.0;

/// The whole space of an optimizer by its name.
pub fn axes(name: &str, default_lr: f64) -> Vec<Axis> {
    match SPACES.iter().find(|(known, _)| *known == name) {
        Some((_, axes)) => axes.to_vec(),
        None => vec![plain("lr", default_lr / REACH, default_lr * REACH)],
    }
}

impl Axis {
    /// What is searched, as reports name it.
    pub fn dimension(&self) -> Dimension {
        let name = if self.complement { format!("one_minus_{}", self.key) } else { self.key.to_owned() };
        Dimension { name, low: self.low, high: self.high }
    }

    /// The searched number at `u` in `0..1`, to four digits.
    pub fn at(&self, u: f64) -> f64 {
        let digits = format!("{:.3e}", log_uniform(u, self.low, self.high));
        digits.parse().expect("a number was written")
    }

    /// The option of `--optimizer` that a searched number stands for.
    pub fn option(&self, number: f64) -> String {
        // Four digits of a number above 10⁻⁴ end at the eighth decimal; what comes later is rounding.
        let value = if self.complement { ((1.0 - number) * 1e8).round() / 1e8 } else { number };
        format!("{}={value}", self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_hold_the_defaults_of_their_optimizers() {
        let cases = [
            ("sgd", "lr", 1e-2),
            ("momentum", "one_minus_momentum", 0.1),
            ("rmsprop", "lr", 1e-2),
            ("rmsprop", "one_minus_alpha", 1e-2),
            ("rmsprop", "eps", 1e-8),
            ("adam", "lr", 1e-3),
            ("adam", "one_minus_beta1", 0.1),
            ("adam", "one_minus_beta2", 1e-3),
            ("adamw", "weight_decay", 1e-2),
        ];
        for (name, dimension, default) in cases {
            let found = axes(name, 1.0).iter().map(Axis::dimension).find(|d| d.name == dimension);
            let found = found.unwrap_or_else(|| panic!("{name} has no {dimension}"));
            assert!((found.low..=found.high).contains(&default), "{name}: {found:?}");
        }
        let unknown = axes("another", 0.5);
        assert_eq!((unknown[0].low, unknown[0].high), (0.005, 50.0));
    }

    #[test]
    fn numbers_are_short_and_complements_exact() {
        let beta1 = complement("beta1", 2e-2, 1.0);
        assert_eq!((beta1.at(0.0), beta1.at(0.5)), (0.02, 0.1414));
        assert_eq!(beta1.option(0.1414), "beta1=0.8586");
        assert_eq!(beta1.option(1.0), "beta1=0");
        assert_eq!(complement("beta2", 3e-4, 0.1).option(0.0003001), "beta2=0.9996999");
        assert_eq!(plain("eps", 1e-8, 0.1).option(1.234e-8), "eps=0.00000001234");
    }
}

//! An optimizer in a comparison: its name, the options that the user fixed, and its search space.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::records::OptimizerRecord;
use super::space::{Axis, axes, schedules};
use crate::optim::OptimizerSpec;
use crate::spec::Spec;
use crate::{Error, Result};

/// An optimizer given as `[NAME=]SPEC`. Options in `SPEC` are fixed; all others in its search space are searched.
#[derive(Debug, Clone, PartialEq)]
pub struct Contestant {
    /// Name in tables.
    pub name: String,
    /// Name of the optimizer, without options.
    optimizer: String,
    /// Fixed options, by key.
    given: Vec<(String, String)>,
    /// The specification with all searched options at their defaults.
    default: String,
    /// The search space.
    axes: Vec<Axis>,
    /// Schedules of the trials. The last is that of the defaults.
    schedules: &'static [&'static str],
}

impl Contestant {
    /// The optimizer whose runs set the target on the user's data, if it is compared.
    pub const BASELINE: &str = "momentum";

    /// Number of dimensions of the search space.
    pub fn dimensions(&self) -> usize {
        self.axes.len()
    }

    /// The optimizer with its fixed options and all others at their defaults, as `--optimizer` reads it.
    pub fn default_spec(&self) -> &str {
        &self.default
    }

    /// Schedules of the trials: constant, cosine after a warm-up, and cosine. If an optimizer averages weights in place of a
    /// falling rate, only constant.
    pub fn schedules(&self) -> &'static [&'static str] {
        self.schedules
    }

    /// The default schedule of `gradlane train` for this optimizer.
    pub fn default_schedule(&self) -> &'static str {
        self.schedules[self.schedules.len() - 1]
    }

    /// The optimizer at a point of `[0, 1]^dimensions`, as `--optimizer` reads it, and the searched numbers by name.
    pub fn at(&self, point: &[f64]) -> (String, BTreeMap<String, f64>) {
        let numbers: Vec<f64> = self.axes.iter().zip(point).map(|(axis, u)| axis.at(*u)).collect();
        let gain = self.gain(&numbers);
        let given = self.given.iter().map(|(key, value)| format!("{key}={value}"));
        let searched = self.axes.iter().zip(&numbers).map(|(axis, n)| format!("{}={}", axis.key, axis.value(*n, gain)));
        let options: Vec<String> = given.chain(searched).collect();
        let names = self.axes.iter().map(|axis| axis.dimension().name);
        (spec(&self.optimizer, &options), names.zip(numbers).collect())
    }

    /// `(1 − dampening) / (1 − momentum)` at a point: the factor by which momentum amplifies a constant gradient.
    fn gain(&self, numbers: &[f64]) -> f64 {
        let given = |key| self.given.iter().find(|(known, _)| known == key)?.1.parse::<f64>().ok();
        let searched = self.axes.iter().zip(numbers).find(|(axis, _)| axis.key == "momentum");
        let momentum = searched.map(|(axis, number)| axis.value(*number, 1.0)).or_else(|| given("momentum"));
        (1.0 - given("dampening").unwrap_or(0.0)) / (1.0 - momentum.unwrap_or(0.0))
    }

    /// Its record in `runs.jsonl`.
    pub fn record(&self) -> OptimizerRecord {
        OptimizerRecord {
            name: self.name.clone(),
            spec: self.default.clone(),
            space: self.axes.iter().map(Axis::dimension).collect(),
            schedules: self.schedules.iter().map(|schedule| (*schedule).to_owned()).collect(),
        }
    }

    /// Checks that no two contestants have the same name.
    ///
    /// # Errors
    /// [`Error::Option`].
    pub fn check_names(contestants: &[Contestant]) -> Result<()> {
        for (number, contestant) in contestants.iter().enumerate() {
            let name = &contestant.name;
            if contestants[..number].iter().any(|other| other.name == *name) {
                let spec = &contestant.default;
                let message = format!("two are named \"{name}\"; write NAME={spec} for another name");
                return Err(Error::Usage(message).of("optimizer"));
            }
        }
        Ok(())
    }
}

/// `name:option,option`.
fn spec(name: &str, options: &[String]) -> String {
    if options.is_empty() { name.to_owned() } else { format!("{name}:{}", options.join(",")) }
}

fn refuse_full_batch(optimizer: &OptimizerSpec) -> Result<()> {
    let name = optimizer.algorithm.name();
    match optimizer.algorithm.needs_full_batch() {
        true => {
            let message = format!(
                "it needs all rows in each step, and a comparison gives every optimizer the same batches and steps; leave it \
                 out, or try it alone: gradlane train DATA --optimizer {name}"
            );
            Err(Error::Usage(message).of_value("optimizer", name))
        }
        false => Ok(()),
    }
}

impl FromStr for Contestant {
    type Err = Error;

    /// Reads `adam`, `adam:beta2=0.95` or `slow=adam:lr=1e-4`. Returns an error for an optimizer that needs all rows in each
    /// step.
    fn from_str(text: &str) -> Result<Contestant> {
        // An `=` before the first colon ends a name; later ones belong to options.
        let head = text.split(':').next().unwrap_or(text);
        let (name, rest) = match head.split_once('=') {
            Some((name, _)) => (name.trim(), &text[name.len() + 1..]),
            None => (text.trim(), text),
        };
        let parsed: OptimizerSpec = rest.parse()?;
        if name.is_empty() {
            let message = "expected a name before the =, found none".to_owned();
            return Err(Error::Usage(message).of_value("optimizer", format_args!("\"{text}\"")));
        }
        refuse_full_batch(&parsed)?;
        let spec = Spec::parse("optimizer", rest)?;
        let fixed = |key: &str| spec.remaining().iter().any(|(known, _)| *known == key);
        // sgd with a momentum has the search space of momentum.
        let known = if spec.name == "sgd" && fixed("momentum") { "momentum" } else { spec.name };
        let free = axes(known).iter().copied().filter(|axis| !fixed(axis.key)).collect();
        let contestant = Contestant {
            name: name.to_owned(),
            optimizer: spec.name.to_owned(),
            given: spec.remaining().iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            default: parsed.to_string(),
            axes: free,
            schedules: schedules(parsed.algorithm),
        };
        // The fixed options must be valid with all searched numbers at their smallest, and with all at their largest.
        for corner in [0.0, 1.0] {
            contestant.at(&vec![corner; contestant.dimensions()]).0.parse::<OptimizerSpec>()?;
        }
        Ok(contestant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contestant(text: &str) -> Contestant {
        text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
    }

    fn searched(text: &str) -> Vec<String> {
        contestant(text).record().space.into_iter().map(|dimension| dimension.name).collect()
    }

    #[test]
    fn a_name_may_precede_the_specification() {
        let names = |text: &str| (contestant(text).name, contestant(text).default);
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(names("adam"), pair("adam", "adam"));
        assert_eq!(names("momentum"), pair("momentum", "sgd:momentum=0.9"));
        assert_eq!(names("adam:beta2=0.95"), pair("adam:beta2=0.95", "adam:beta2=0.95"));
        assert_eq!(names("mine=adam:beta2=0.95"), pair("mine", "adam:beta2=0.95"));
        for wrong in ["=adam", "mine=adan", "adam:beta3=1", "a=b=adam"] {
            assert!(wrong.parse::<Contestant>().is_err(), "{wrong}");
        }
        let twice = [contestant("adam"), contestant("sgd"), contestant("adam")];
        assert!(Contestant::check_names(&twice).unwrap_err().to_string().contains("NAME=adam"));
    }

    #[test]
    fn a_searched_rate_is_the_effective_rate_under_momentum() {
        let rate = |text: &str, point: &[f64]| -> f64 {
            let spec: OptimizerSpec = contestant(text).at(point).0.parse().unwrap();
            spec.options().iter().find_map(|option| option.strip_prefix("lr=")?.parse().ok()).unwrap()
        };
        assert_eq!(rate("sgd", &[1.0]), 3.0);
        assert_eq!(rate("momentum", &[1.0, 1.0]), 3.0, "no momentum");
        assert_eq!(rate("momentum", &[1.0, 0.0]), 0.03, "a momentum of 0.99");
        assert_eq!(rate("momentum:momentum=0.9", &[1.0]), 0.3);
        assert_eq!(rate("sgd:momentum=0.9", &[1.0]), 0.3);
        assert_eq!(rate("momentum:momentum=0.5,dampening=0.5", &[1.0]), 3.0);
    }

    #[test]
    fn full_batch_optimizers_are_refused_and_averaging_ones_keep_a_constant_rate() {
        for name in ["rprop", "a=lbfgs:history_size=5"] {
            let message = name.parse::<Contestant>().unwrap_err().to_string();
            assert!(message.contains("all rows in each step") && message.contains("leave it out"), "{message}");
        }
        let (averaging, other) = (contestant("schedulefree"), contestant("adam"));
        assert_eq!((averaging.schedules(), averaging.default_schedule()), (&["const"][..], "const"));
        assert_eq!(
            (other.schedules(), other.default_schedule()),
            (&["const", "cosine:warmup=0.05", "cosine"][..], "cosine")
        );
    }

    #[test]
    fn given_options_are_fixed_and_the_others_searched() {
        assert_eq!(searched("sgd"), ["lr"]);
        assert_eq!(searched("sgd:momentum=0.8"), ["effective_lr"]);
        assert_eq!(searched("momentum"), ["effective_lr", "one_minus_momentum"]);
        assert_eq!(searched("momentum:lr=0.1"), ["one_minus_momentum"]);
        assert_eq!(searched("adam"), ["lr", "one_minus_beta1", "one_minus_beta2", "eps"]);
        assert_eq!(searched("adam:beta2=0.95"), ["lr", "one_minus_beta1", "eps"]);
        assert_eq!(searched("a=adam:lr=0.1,beta1=0.9,beta2=0.9,eps=1e-8"), [""; 0]);
        let (spec, values) = contestant("adam:beta2=0.95").at(&[0.0, 1.0, 0.0]);
        let parsed: OptimizerSpec = spec.parse().unwrap();
        assert_eq!(parsed.to_string(), "adam:lr=1e-4,beta1=0,beta2=0.95", "of {spec}");
        assert_eq!(values.len(), 3);
    }
}

//! An optimizer that is compared: its name, what the user fixed of it, and what is searched.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::records::OptimizerRecord;
use super::space::{Axis, axes, schedules};
use crate::optim::OptimizerSpec;
use crate::spec::Spec;
use crate::{Error, Result};

/// An optimizer as `[NAME=]SPEC` says it. Options that `SPEC` gives are fixed, all others of its space are searched.
#[derive(Debug, Clone, PartialEq)]
pub struct Contestant {
    /// The name in tables.
    pub name: String,
    /// The optimizer's name, options excluded.
    optimizer: String,
    /// Options that are given, by key.
    given: Vec<(String, String)>,
    /// All values set, the searched ones to their defaults.
    default: String,
    /// What is searched.
    axes: Vec<Axis>,
    /// Schedules of its trials, that of its defaults last.
    schedules: &'static [&'static str],
}

impl Contestant {
    /// The optimizer that gives user data their target, where it is compared.
    pub const BASELINE: &str = "momentum";

    /// Dimensions of the search.
    pub fn dimensions(&self) -> usize {
        self.axes.len()
    }

    /// The optimizer with its own defaults, as `--optimizer` reads it.
    pub fn default_spec(&self) -> &str {
        &self.default
    }

    /// Schedules of its trials: constant, cosine and cosine after a warm-up, or the constant one alone for an optimizer that averages instead.
    pub fn schedules(&self) -> &'static [&'static str] {
        self.schedules
    }

    /// The schedule that `gradlane train` gives it.
    pub fn default_schedule(&self) -> &'static str {
        self.schedules[self.schedules.len() - 1]
    }

    /// The optimizer at a point of `[0, 1)^dimensions`, as `--optimizer` reads it, and the searched numbers by name.
    pub fn at(&self, point: &[f64]) -> (String, BTreeMap<String, f64>) {
        let numbers: Vec<f64> = self.axes.iter().zip(point).map(|(axis, u)| axis.at(*u)).collect();
        let gain = self.gain(&numbers);
        let given = self.given.iter().map(|(key, value)| format!("{key}={value}"));
        let searched = self.axes.iter().zip(&numbers).map(|(axis, n)| format!("{}={}", axis.key, axis.value(*n, gain)));
        let options: Vec<String> = given.chain(searched).collect();
        let names = self.axes.iter().map(|axis| axis.dimension().name);
        (spec(&self.optimizer, &options), names.zip(numbers).collect())
    }

    /// `(1 − dampening) / (1 − momentum)` at a point: how many times its own size a lasting gradient comes to.
    fn gain(&self, numbers: &[f64]) -> f64 {
        let given = |key| self.given.iter().find(|(known, _)| known == key)?.1.parse::<f64>().ok();
        let searched = self.axes.iter().zip(numbers).find(|(axis, _)| axis.key == "momentum");
        let momentum = searched.map(|(axis, number)| axis.value(*number, 1.0)).or_else(|| given("momentum"));
        (1.0 - given("dampening").unwrap_or(0.0)) / (1.0 - momentum.unwrap_or(0.0))
    }

    /// What `runs.jsonl` says of it.
    pub fn record(&self) -> OptimizerRecord {
        OptimizerRecord {
            name: self.name.clone(),
            spec: self.default.clone(),
            space: self.axes.iter().map(Axis::dimension).collect(),
            schedules: self.schedules.iter().map(|schedule| (*schedule).to_owned()).collect(),
        }
    }

    /// Refuses two of the same name.
    ///
    /// # Errors
    /// [`Error::Usage`].
    pub fn check_names(contestants: &[Contestant]) -> Result<()> {
        for (number, contestant) in contestants.iter().enumerate() {
            let name = &contestant.name;
            if contestants[..number].iter().any(|other| other.name == *name) {
                let message = format!("--optimizer: two are named \"{name}\"; write NAME={name} for another name");
                return Err(Error::Usage(message));
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
        true => Err(Error::Usage(format!(
            "--optimizer {name}: it needs all rows in each step, and a comparison gives every optimizer the same batches \
             and steps; leave it out, or try it alone: gradlane train DATA --optimizer {name}"
        ))),
        false => Ok(()),
    }
}

impl FromStr for Contestant {
    type Err = Error;

    /// Reads `adam`, `adam:beta2=0.95`, `slow=adam:lr=1e-4`. An optimizer that needs all rows in each step is refused.
    fn from_str(text: &str) -> Result<Contestant> {
        // An `=` before the first colon is the end of a name; those after it belong to options.
        let head = text.split(':').next().unwrap_or(text);
        let (name, rest) = match head.split_once('=') {
            Some((name, _)) => (name.trim(), &text[name.len() + 1..]),
            None => (text.trim(), text),
        };
        let parsed: OptimizerSpec = rest.parse()?;
        if name.is_empty() {
            return Err(Error::Usage(format!("--optimizer \"{text}\": expected a name before the =, found none")));
        }
        refuse_full_batch(&parsed)?;
        let spec = Spec::parse("optimizer", rest)?;
        let fixed = |key: &str| spec.remaining().iter().any(|(known, _)| *known == key);
        // sgd with a momentum is momentum.
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
        // What is given must go with all that is searched, to the corners.
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
    fn names_stand_before_the_specification() {
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
    fn a_searched_rate_is_how_far_a_lasting_gradient_moves() {
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
    fn optimizers_of_full_batches_are_refused_and_averages_keep_their_rate() {
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

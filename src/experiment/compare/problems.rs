//! Problems: a data set with its network, its budget of steps and the loss to reach.

mod generated;
mod larger;
mod mnist;
mod parts;
mod shipped;
mod targets;

use std::path::Path;

use crate::data::Dataset;
use crate::kernel::Isa;
use crate::metrics::MetricName;
use crate::model::recipe::Biases;
use crate::model::{Architecture, Parameters};
use crate::nn::init::Init;
use crate::optim::OptimizerSpec;
use crate::run::fingerprint_of;
use crate::score::Scorer;
use crate::train::{DataPass, Largest, StepSettings, Trainer};
use crate::{Error, Result, spec};

use super::records::{Family, ProblemRecord};
pub use mnist::find_mnist;

/// Even parts of a run, each with a point of its curve at its end.
const PARTS: u64 = 20;
/// Points before the end of the first part: each at so many times the steps of the one before, from the first one.
const FIRST_POINT: f64 = 1.0 / 500.0;
const EARLY_RATIO: f64 = 1.5;

/// How a network begins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Initial {
    /// Scheme of the weights; by each layer's activation where `None`.
    pub scheme: Option<Init>,
    /// Whether the outputs are those of a regression, which begin small: see [`Parameters::initial`].
    pub regression: bool,
}

/// A data set with its network and budget: everything of a run but optimizer, schedule and seed.
#[derive(Clone)]
pub struct Problem {
    /// Short name, unique in a comparison.
    pub name: String,
    /// One sentence.
    pub description: String,
    /// What decides on it.
    pub family: Family,
    /// Rows that are learnt from.
    pub train: Dataset,
    /// Rows that choose settings.
    pub val: Dataset,
    /// Rows that nothing depends on.
    pub test: Dataset,
    /// The network.
    pub architecture: Architecture,
    /// Its initial weights.
    pub initial: Initial,
    /// Objective, penalties and clipping; optimizer and seed are each run's own.
    pub step: StepSettings,
    /// Rows of a step.
    pub batch: usize,
    /// Steps of a run.
    pub steps: u64,
    /// What outputs mean.
    pub scorer: Scorer,
    /// The figure beside the loss.
    pub score: MetricName,
    /// Validation loss to reach, where it is known before the runs.
    pub target: Option<f64>,
    /// Where it is from, in words.
    pub target_source: String,
}

/// How a problem is made.
struct BuiltIn {
    name: &'static str,
    make: fn(&'static str) -> Result<Problem>,
}

/// The problems of the default form, in the order of reports: by family.
const DEFAULT: &[BuiltIn] = &[
    BuiltIn { name: "ill_conditioned", make: generated::ill_conditioned },
    BuiltIn { name: "badly_scaled", make: generated::badly_scaled },
    BuiltIn { name: "deep_narrow", make: generated::deep_narrow },
    BuiltIn { name: "residual", make: generated::residual },
    BuiltIn { name: "digits_autoencoder", make: shipped::digits_autoencoder },
    BuiltIn { name: "noisy_labels", make: generated::noisy_labels },
    BuiltIn { name: "sparse", make: generated::sparse },
    BuiltIn { name: "imbalance", make: generated::imbalance },
    BuiltIn { name: "credit", make: shipped::credit },
    BuiltIn { name: "breast_cancer", make: shipped::breast_cancer },
    BuiltIn { name: "diabetes", make: shipped::diabetes },
    BuiltIn { name: "digits", make: shipped::digits },
];

/// Further problems of the full form: larger ones.
const FULL: &[BuiltIn] = &[
    BuiltIn { name: "wide", make: larger::wide },
    BuiltIn { name: "deep", make: larger::deep },
    BuiltIn { name: "normalised", make: larger::normalised },
    BuiltIn { name: "large_table", make: larger::large_table },
];

/// The problem that needs MNIST's files, in the full form.
const MNIST: &str = "mnist";

/// The problems of the quick form, one of each family: a badly scaled valley, noisy labels, few images.
pub const QUICK: [&str; 3] = ["ill_conditioned", "noisy_labels", "digits"];

/// Names of the problems of the default form.
pub fn default_names() -> Vec<&'static str> {
    DEFAULT.iter().map(|built_in| built_in.name).collect()
}

/// Names of all problems: those of the default form, then the larger ones, of which the last needs MNIST's files.
pub fn names() -> Vec<&'static str> {
    DEFAULT.iter().chain(FULL).map(|built_in| built_in.name).chain([MNIST]).collect()
}

/// The problem of this name; `mnist` is the folder of MNIST's files, which only the problem of that name needs.
///
/// # Errors
/// [`Error::Usage`] for an unknown name; it offers the nearest. [`Error::Io`] where MNIST is not at hand, and what reading
/// its files finds wrong.
pub fn problem(name: &str, mnist: Option<&Path>) -> Result<Problem> {
    let mut problem = match DEFAULT.iter().chain(FULL).find(|built_in| built_in.name == name) {
        Some(built_in) => (built_in.make)(built_in.name)?,
        None if name == MNIST => mnist::problem(MNIST, mnist)?,
        None => return Err(spec::unknown("problem", name, &names())),
    };
    if let Some(target) = targets::of(name) {
        (problem.target, problem.target_source) = (Some(target.val_loss), target.source());
    }
    Ok(problem)
}

impl Problem {
    /// A trainer on one thread, with the initial weights of a seed; between two points of a curve it takes at most the
    /// rows of that many steps.
    pub fn trainer(&self, optimizer: OptimizerSpec, seed: u64, isa: Isa, most_rows: usize) -> Trainer {
        let Initial { scheme, regression } = self.initial;
        let mut parameters = Parameters::initial(&self.architecture, scheme, regression, seed);
        let pass = DataPass { init: scheme, biases: Biases::Scheme, seed };
        pass.apply(&self.architecture, isa, &self.train.features, &mut parameters);
        let settings = StepSettings { optimizer, seed, ..self.step.clone() };
        Trainer::new(
            &self.architecture,
            parameters,
            settings,
            (isa, 1),
            Largest { batch: self.batch, epoch: most_rows },
        )
    }

    /// Steps at whose ends a run is evaluated: 20 evenly apart, the last one the run's, and some 8 before the first of them, for
    /// a target may be reached early.
    pub fn points(&self) -> Vec<u64> {
        let early = std::iter::successors(Some(FIRST_POINT), |part| Some(part * EARLY_RATIO));
        let early = early.take_while(|part| *part < 0.9 / PARTS as f64).map(|part| (part * self.steps as f64) as u64);
        let even = (1..=PARTS).map(|k| (k * self.steps).div_ceil(PARTS));
        let mut points: Vec<u64> = early.filter(|step| *step > 0).chain(even).collect();
        points.sort_unstable();
        points.dedup();
        points
    }

    /// Rows between two points of a curve at most.
    pub fn most_rows(&self) -> usize {
        let points = self.points();
        let steps = points.iter().scan(0, |last, point| Some(point - std::mem::replace(last, *point))).max();
        steps.unwrap_or(0) as usize * self.batch
    }

    /// What `runs.jsonl` says of it.
    pub fn record(&self) -> ProblemRecord {
        ProblemRecord {
            name: self.name.clone(),
            description: self.description.clone(),
            family: self.family,
            rows: [&self.train, &self.val, &self.test].map(Dataset::rows),
            layers: self.architecture.widths(),
            batch: self.batch,
            steps: self.steps,
            target: self.target,
            target_source: self.target_source.clone(),
            score: self.score.name().to_owned(),
            data: (self.family == Family::Yours).then(|| {
                let parts = [&self.train, &self.val, &self.test].map(Some);
                fingerprint_of(parts, &[])
            }),
        }
    }

    /// Finds what makes a comparison on it impossible.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if a part has no rows.
    pub fn check(&self) -> Result<()> {
        let parts = [("validation", "--valid", &self.val), ("test", "--test", &self.test)];
        match parts.into_iter().find(|(_, _, data)| data.rows() == 0) {
            Some((part, flag, _)) => Err(Error::Mismatch(format!(
                "{}: settings are chosen on validation rows and reported on test rows, and there is no {part} part: see \
                 {flag}",
                self.name
            ))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Features;

    #[test]
    fn the_forms_hold_enough_problems_of_each_family() {
        let families = |names: Vec<&str>| -> Vec<usize> {
            let of = |name: &str| problem(name, None).unwrap().family;
            let all: Vec<Family> = names.into_iter().filter(|name| *name != MNIST).map(of).collect();
            assert!(all.windows(2).all(|pair| pair[0] as usize <= pair[1] as usize) || all.len() > 12, "{all:?}");
            Family::ALL.map(|family| all.iter().filter(|other| **other == family).count()).to_vec()
        };
        assert_eq!(families(default_names()), [5, 4, 3, 0]);
        assert_eq!(families(QUICK.to_vec()), [1, 1, 1, 0]);
        assert_eq!(families(names()).iter().sum::<usize>(), 16);
    }

    #[test]
    fn every_problem_is_whole() {
        for name in names().into_iter().filter(|name| *name != MNIST) {
            let problem = problem(name, None).unwrap();
            problem.check().unwrap();
            assert!(problem.batch <= problem.train.rows() && problem.steps >= 100, "{name}");
            for data in [&problem.train, &problem.val, &problem.test] {
                assert_eq!(data.features.cols(), problem.architecture.inputs, "{name}");
                assert_eq!(data.features.rows(), data.rows(), "{name}");
                let Features::F32 { values, .. } = &data.features else { panic!("{name}: tables are numbers") };
                assert!(values.iter().all(|x| x.is_finite() && x.abs() < 100.0), "{name}");
            }
            assert_eq!(problem.architecture.activations.len(), problem.architecture.hidden.len(), "{name}");
            let target = problem.target.unwrap_or_else(|| panic!("{name} has no target in targets.toml"));
            assert!(target > 0.0 && problem.target_source.contains("20 runs"), "{name}");
        }
        assert!(QUICK.iter().all(|name| names().contains(name)));
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest() {
        let message = problem("digit", None).err().map(|e| e.to_string()).unwrap_or_default();
        assert!(message.contains("did you mean \"digits\"?") && message.contains("ill_conditioned"), "{message}");
    }

    #[test]
    fn points_end_with_the_run() {
        let mut problem = problem("ill_conditioned", None).unwrap();
        for steps in [1, 3, 19, 20, 21, 999, 3000] {
            problem.steps = steps;
            let points = problem.points();
            assert_eq!(*points.last().unwrap(), steps);
            assert!(points.windows(2).all(|pair| pair[0] < pair[1]) && points[0] > 0, "{points:?}");
            assert!(points.len() as u64 >= steps.min(PARTS) && points.len() < 30, "{points:?}");
        }
        problem.steps = 2_000;
        assert_eq!(problem.points()[..10], [4, 6, 9, 13, 20, 30, 45, 68, 100, 200]);
    }
}

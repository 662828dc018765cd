//! Problems: data sets, each with a network, a budget of steps and a target loss.

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
use crate::option_text::option;
use crate::run::fingerprint_of;
use crate::score::Scorer;
use crate::train::{DataPass, Largest, StepSettings, Trainer};
use crate::{Error, Result, spec};

use super::records::{Family, ProblemRecord};
pub use mnist::find_mnist;

/// Number of equal parts of a run. The curve has a point at the end of each.
const PARTS: u64 = 20;
/// Points before the end of the first part: the first at this share of the steps, each further one at `EARLY_RATIO` times
/// the previous.
const FIRST_POINT: f64 = 1.0 / 500.0;
const EARLY_RATIO: f64 = 1.5;

/// Initial values of a network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Initial {
    /// Scheme of the weights; if `None`, it depends on each layer's activation.
    pub scheme: Option<Init>,
    /// Whether the task is a regression, whose output layer begins small: see [`Parameters::initial`].
    pub regression: bool,
}

/// A data set with its network and budget: everything that defines a run, except optimizer, schedule and seed.
#[derive(Clone)]
pub struct Problem {
    /// Short name, unique in a comparison.
    pub name: String,
    /// One sentence.
    pub description: String,
    /// The kind of difficulty.
    pub family: Family,
    /// Training rows.
    pub train: Dataset,
    /// Validation rows, by which settings are chosen.
    pub val: Dataset,
    /// Test rows, which influence no choice.
    pub test: Dataset,
    /// The network.
    pub architecture: Architecture,
    /// Its initial weights.
    pub initial: Initial,
    /// Objective, penalties and clipping. Each run replaces optimizer and seed.
    pub step: StepSettings,
    /// Batch size.
    pub batch: usize,
    /// Number of steps of a run.
    pub steps: u64,
    /// Converts outputs to metrics.
    pub scorer: Scorer,
    /// The metric reported beside the loss.
    pub score: MetricName,
    /// Target validation loss, if it is known before the runs.
    pub target: Option<f64>,
    /// Origin of the target, as text.
    pub target_source: String,
}

/// A built-in problem.
struct BuiltIn {
    name: &'static str,
    make: fn(&'static str) -> Result<Problem>,
}

/// The problems of the default form, in the order of reports, by family.
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

/// Further, larger problems of the full form.
const FULL: &[BuiltIn] = &[
    BuiltIn { name: "wide", make: larger::wide },
    BuiltIn { name: "deep", make: larger::deep },
    BuiltIn { name: "normalised", make: larger::normalised },
    BuiltIn { name: "large_table", make: larger::large_table },
];

/// The problem of the full form that needs MNIST's files.
const MNIST: &str = "mnist";

/// The problems of the quick form, one of each family: an ill-conditioned regression, noisy labels, few images.
pub const QUICK: [&str; 3] = ["ill_conditioned", "noisy_labels", "digits"];

/// Names of the problems of the default form.
pub fn default_names() -> Vec<&'static str> {
    DEFAULT.iter().map(|built_in| built_in.name).collect()
}

/// Names of all problems: those of the default form, then the larger ones. The last needs MNIST's files.
pub fn names() -> Vec<&'static str> {
    DEFAULT.iter().chain(FULL).map(|built_in| built_in.name).chain([MNIST]).collect()
}

/// The problem of this name. `mnist` is the folder with MNIST's files, which only the problem `mnist` needs.
///
/// # Errors
/// [`Error::Usage`] for an unknown name, with the nearest one; [`Error::Io`] if MNIST is not found; errors in MNIST's files.
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
    /// A trainer on one thread with the initial weights of a seed. `most_rows` limits the rows between two points of a
    /// curve; see [`Problem::most_rows`].
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

    /// The steps after which a run is evaluated: 20 at equal distances, of which the last ends the run, and about 8 before
    /// the first of them, since a target may be reached early.
    pub fn points(&self) -> Vec<u64> {
        let early = std::iter::successors(Some(FIRST_POINT), |part| Some(part * EARLY_RATIO));
        let early = early.take_while(|part| *part < 0.9 / PARTS as f64).map(|part| (part * self.steps as f64) as u64);
        let even = (1..=PARTS).map(|k| (k * self.steps).div_ceil(PARTS));
        let mut points: Vec<u64> = early.filter(|step| *step > 0).chain(even).collect();
        points.sort_unstable();
        points.dedup();
        points
    }

    /// The largest number of rows between two points of a curve.
    pub fn most_rows(&self) -> usize {
        let points = self.points();
        let steps = points.iter().scan(0, |last, point| Some(point - std::mem::replace(last, *point))).max();
        steps.unwrap_or(0) as usize * self.batch
    }

    /// Its record in `runs.jsonl`.
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

    /// Checks that a comparison is possible on this problem.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if the validation or test part has no rows.
    pub fn check(&self) -> Result<()> {
        let parts = [("validation", "valid", &self.val), ("test", "test", &self.test)];
        match parts.into_iter().find(|(_, _, data)| data.rows() == 0) {
            Some((part, name, _)) => Err(Error::Mismatch(format!(
                "{}: settings are chosen on validation rows and reported on test rows, and there is no {part} part: see \
                 {}",
                self.name,
                option(name)
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
    fn the_forms_have_the_stated_number_of_problems_of_each_family() {
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
    fn every_problem_is_consistent() {
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

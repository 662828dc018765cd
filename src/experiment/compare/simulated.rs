//! Simulated records of comparisons, with the properties of real ones: skewed noise, problems of different difficulty, runs
//! that diverge.

use std::collections::BTreeMap;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp1, StandardNormal};

use super::protocol::{finalists, winner};
use super::records::{
    Dimension, Family, OptimizerRecord, Point, ProblemRecord, Protocol, Record, Run, Stage, StepCost, Terms,
};
use crate::rng::{self, stream};

/// The parameters of a simulated comparison.
#[derive(Debug, Clone)]
pub(crate) struct Simulated {
    /// Name, specification, and shift of the log losses in standard deviations over studies; a larger shift is worse.
    pub optimizers: Vec<(&'static str, &'static str, f64)>,
    pub problems: usize,
    pub studies: usize,
    pub trials: usize,
    /// Probability that a study's final runs diverge.
    pub diverging: f64,
    /// Whether problems have a target.
    pub targets: bool,
}

pub(crate) const FOUR: [(&str, &str, f64); 4] =
    [("sgd", "sgd", 0.0), ("momentum", "sgd:momentum=0.9", 0.0), ("rmsprop", "rmsprop", 0.0), ("adam", "adam", 0.0)];
const NAMES: [&str; 8] = ["digits", "credit", "wine", "ravine", "deep", "sparse", "noisy", "rare"];
const STEPS: u64 = 2_000;

impl Simulated {
    pub fn tied() -> Simulated {
        Simulated { optimizers: FOUR.to_vec(), problems: 8, studies: 8, trials: 12, diverging: 0.01, targets: true }
    }

    /// Log loss of a study, from a skewed distribution; infinite if it diverged.
    fn log_loss(&self, problem: usize, shift: f64, rng: &mut ChaCha8Rng) -> f64 {
        let sd = 0.02 * (1 + problem) as f64;
        let normal: f64 = StandardNormal.sample(rng);
        // An exponential variable has mean 1 and standard deviation 1.
        let skewed: f64 = Distribution::<f64>::sample(&Exp1, rng) - 1.0;
        let log_loss = -(problem as f64) / 3.0 + sd * ((normal + skewed) * 0.5_f64.sqrt() + shift);
        if rng.random_bool(self.diverging) { f64::INFINITY } else { log_loss }
    }

    /// All records of one comparison.
    pub fn records(&self, seed: u64) -> Vec<Record> {
        let mut rng = stream(seed, rng::Purpose::Synthetic, 77, 0);
        let protocol = self.protocol();
        let terms = protocol.terms;
        let mut records = vec![Record::Protocol(protocol)];
        for (problem, problem_name) in NAMES.iter().enumerate().take(self.problems) {
            for (number, (name, _, shift)) in self.optimizers.iter().enumerate() {
                let median = 40.0 + 12.0 * number as f64;
                records.push(Record::StepCost(StepCost {
                    problem: (*problem_name).to_owned(),
                    optimizer: (*name).to_owned(),
                    median,
                    quartiles: [0.95 * median, 1.1 * median],
                }));
                for study in 0..self.studies {
                    let log_loss = self.log_loss(problem, *shift, &mut rng);
                    records.extend(
                        self.study(&terms, (problem, number, study), log_loss, &mut rng).into_iter().map(Record::Run),
                    );
                }
            }
        }
        records
    }

    /// The runs of one study whose final runs end at `log_loss`.
    fn study(
        &self,
        terms: &Terms,
        (problem, optimizer, study): (usize, usize, usize),
        log_loss: f64,
        rng: &mut ChaCha8Rng,
    ) -> Vec<Run> {
        let (name, spec, _) = self.optimizers[optimizer];
        let run = Run {
            problem: NAMES[problem].to_owned(),
            optimizer: name.to_owned(),
            study,
            stage: Stage::Trial,
            trial: 0,
            repeat: 0,
            seed: 0,
            spec: spec.to_owned(),
            schedule: "const".to_owned(),
            values: BTreeMap::new(),
            diverged: false,
            curve: Vec::new(),
            best_step: None,
            val_loss: None,
            test_loss: None,
            test_score: None,
            last_test_loss: None,
            seconds: 0.8,
        };
        let speed = 3.0 + optimizer as f64;
        let middle = libm::exp(-(problem as f64) / 3.0);
        let mut runs = vec![with_end(run.clone(), 1.3 * middle * libm::exp(0.02 * rng.random::<f64>()), speed)];
        runs.extend((1..self.trials).map(|trial| self.trial(&run, trial, middle, rng)));
        let repeated: Vec<Run> = finalists(&runs, terms.finalist_count())
            .into_iter()
            .flat_map(|trial| (0..terms.repeats).map(move |repeat| (trial, repeat)))
            .map(|(trial, repeat)| {
                let tried: Run = runs[trial].clone();
                let loss = tried.best_val_loss() * libm::exp(0.01 * rng.random::<f64>());
                with_end(Run { stage: Stage::Repeat, repeat, seed: 1 + repeat as u64, ..tried }, loss, speed)
            })
            .collect();
        let trials: Vec<&Run> = runs.iter().collect();
        let winner = winner(&trials, &repeated.iter().collect::<Vec<_>>(), terms.finalist_count()).unwrap_or(0);
        let chosen = runs[winner].clone();
        runs.extend(repeated);
        let loss = libm::exp(log_loss);
        let last = |repeat| Run { stage: Stage::Final, repeat, seed: 10 + repeat as u64, ..chosen.clone() };
        runs.extend((0..terms.seeds).map(|repeat| with_end(last(repeat), loss, speed)));
        runs
    }

    /// A trial. The loss is lowest at one learning rate, and diverges far above it.
    fn trial(&self, run: &Run, trial: usize, middle: f64, rng: &mut ChaCha8Rng) -> Run {
        let place = (trial as f64 + 0.5) / self.trials as f64;
        let lr = libm::exp(libm::log(1e-4) + place * libm::log(1e4));
        let values = BTreeMap::from([("lr".to_owned(), lr), ("eps".to_owned(), 1e-8 * libm::pow(1e7, rng.random()))]);
        let noise: f64 = StandardNormal.sample(rng);
        let loss = middle * libm::exp(8.0 * (place - 0.6) * (place - 0.6) + 0.02 * noise);
        let schedule = if trial.is_multiple_of(2) { "const" } else { "cosine" };
        let spec = format!("{}:lr={lr}", run.spec.split(':').next().unwrap_or_default());
        let trial = Run { trial, schedule: schedule.to_owned(), spec, values, ..run.clone() };
        with_end(trial, if place > 0.85 { f64::INFINITY } else { loss }, 4.0)
    }

    fn protocol(&self) -> Protocol {
        let problem = |number: usize| ProblemRecord {
            name: NAMES[number].to_owned(),
            description: format!("The simulated problem number {}.", number + 1),
            family: Family::ALL[number % 3],
            rows: [1_000, 200, 300],
            layers: vec![20, 64, 64, 5],
            batch: 32,
            steps: STEPS,
            target: self.targets.then(|| libm::exp(-(number as f64) / 3.0 + 0.02)),
            target_source: if self.targets { "simulated".to_owned() } else { String::new() },
            score: "accuracy".to_owned(),
            data: None,
        };
        let dimension = |name: &str, low: f64, high: f64| Dimension { name: name.to_owned(), low, high };
        let space = |name: &str| match name {
            "momentum" => vec![dimension("effective_lr", 1e-4, 3.0), dimension("one_minus_momentum", 0.01, 1.0)],
            "adam" => vec![
                dimension("lr", 1e-5, 1.0),
                dimension("one_minus_beta1", 0.01, 1.0),
                dimension("one_minus_beta2", 1e-4, 0.5),
                dimension("eps", 1e-8, 0.1),
            ],
            "rmsprop" => vec![dimension("lr", 1e-4, 1.0), dimension("one_minus_alpha", 1e-3, 0.5)],
            _ => vec![dimension("lr", 1e-4, 1.0)],
        };
        let optimizer = |(name, spec, _): &(&str, &str, f64)| OptimizerRecord {
            name: (*name).to_owned(),
            spec: (*spec).to_owned(),
            space: space(name),
            schedules: vec!["const".to_owned(), "cosine".to_owned()],
        };
        Protocol {
            version: "0.1.0".to_owned(),
            command: "gradlane compare".to_owned(),
            quick: self.studies < 8,
            terms: Terms { studies: self.studies, trials: self.trials, ..Terms::full(0) },
            machine: "simulated".to_owned(),
            problems: (0..self.problems).map(problem).collect(),
            optimizers: self.optimizers.iter().map(optimizer).collect(),
        }
    }
}

/// A run whose curve falls with this speed and ends at this loss; for an infinite loss it diverges half way.
fn with_end(run: Run, loss: f64, speed: f64) -> Run {
    let diverged = loss.is_infinite();
    let end = if diverged { 1.0 } else { loss };
    let points = if diverged { 10 } else { 20 };
    let point = |n: u64| {
        let part = n as f64 / 20.0;
        let loss = end * (1.0 + 2.0 * (libm::exp(-speed * part) - libm::exp(-speed)));
        Point { step: n * STEPS / 20, train_loss: Some(0.9 * loss), val_loss: Some(loss) }
    };
    let finite = |value: f64| Some(value).filter(|_| !diverged);
    Run {
        diverged,
        curve: (1..=points).map(point).collect(),
        best_step: (!diverged).then_some(STEPS),
        val_loss: finite(loss),
        test_loss: finite(1.1 * loss),
        test_score: finite(libm::exp(-loss)),
        last_test_loss: finite(1.1 * loss),
        ..run
    }
}

//! Records of comparisons that never took place, with the traits of real ones: skewed noise, seeds that all optimizers
//! share, problems of different difficulty, runs that diverge.

use std::collections::BTreeMap;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp1, StandardNormal};

use super::records::{Dimension, OptimizerRecord, Point, ProblemRecord, Protocol, Purpose, Record, Run, StepCost};
use crate::rng::{self, stream};

/// What is simulated.
#[derive(Debug, Clone)]
pub(crate) struct Simulated {
    /// Name, specification, and how much higher its log losses are, in standard deviations over seeds.
    pub optimizers: Vec<(&'static str, &'static str, f64)>,
    pub problems: usize,
    pub seeds: usize,
    pub trials: usize,
    /// Chance that a final run diverges.
    pub diverging: f64,
    /// Whether problems come with a target.
    pub targets: bool,
}

pub(crate) const FOUR: [(&str, &str, f64); 4] =
    [("sgd", "sgd", 0.0), ("momentum", "sgd:momentum=0.9", 0.0), ("rmsprop", "rmsprop", 0.0), ("adam", "adam", 0.0)];
const NAMES: [&str; 8] = ["digits", "credit", "wine", "ravine", "deep", "sparse", "noisy", "rare"];
const STEPS: u64 = 2_000;

impl Simulated {
    pub fn tied() -> Simulated {
        Simulated { optimizers: FOUR.to_vec(), problems: 8, seeds: 10, trials: 15, diverging: 0.01, targets: true }
    }

    /// Final log losses of each optimizer on a problem, over the seeds. All share half the variance, that of the seed; the
    /// other half is their own and skewed. Exchangeable but for the shifts.
    pub fn final_losses(&self, problem: usize, rng: &mut ChaCha8Rng) -> Vec<Vec<f64>> {
        let mut losses = vec![Vec::new(); self.optimizers.len()];
        let sd = 0.02 * (1 + problem) as f64;
        for _ in 0..self.seeds {
            let shared: f64 = StandardNormal.sample(rng);
            for ((_, _, shift), losses) in self.optimizers.iter().zip(&mut losses) {
                // An exponential has mean and standard deviation 1.
                let own: f64 = Distribution::<f64>::sample(&Exp1, rng) - 1.0;
                let log_loss = -(problem as f64) / 3.0 + sd * ((shared + own) * 0.5_f64.sqrt() + shift);
                let diverged = rng.random_bool(self.diverging);
                losses.push(if diverged { f64::INFINITY } else { libm::exp(log_loss) });
            }
        }
        losses
    }

    /// All records of one comparison.
    pub fn records(&self, seed: u64) -> Vec<Record> {
        let mut rng = stream(seed, rng::Purpose::Synthetic, 77, 0);
        let mut records = vec![Record::Protocol(self.protocol())];
        for (problem, problem_name) in NAMES.iter().enumerate().take(self.problems) {
            let losses = self.final_losses(problem, &mut rng);
            for (number, (name, spec, _)) in self.optimizers.iter().enumerate() {
                let median = 40.0 + 12.0 * number as f64;
                records.push(Record::StepCost(StepCost {
                    problem: (*problem_name).to_owned(),
                    optimizer: (*name).to_owned(),
                    median,
                    quartiles: [0.95 * median, 1.1 * median],
                }));
                let run = Run {
                    problem: (*problem_name).to_owned(),
                    optimizer: (*name).to_owned(),
                    purpose: Purpose::Tuning,
                    number: 0,
                    seed: 0,
                    spec: (*spec).to_owned(),
                    schedule: "const".to_owned(),
                    values: BTreeMap::new(),
                    diverged: false,
                    curve: Vec::new(),
                    val_loss: None,
                    test_loss: None,
                    test_score: None,
                    seconds: 0.8,
                };
                let middle = libm::exp(-(problem as f64) / 3.0);
                records.extend((0..self.trials).map(|n| Record::Run(self.trial(&run, n, middle, &mut rng))));
                let best = run.clone();
                for (n, loss) in losses[number].iter().enumerate() {
                    let seed = 500_000 + n as u64;
                    let tuned = Run { purpose: Purpose::Tuned, number: n, seed, ..best.clone() };
                    records.push(Record::Run(with_end(tuned, *loss, 3.0 + number as f64)));
                    let untuned = Run { purpose: Purpose::Untuned, number: n, seed, ..best.clone() };
                    records.push(Record::Run(with_end(untuned, loss * 1.3, 2.0 + number as f64)));
                }
            }
        }
        records
    }

    /// A loss that is lowest at a learning rate of its own and diverges far above it.
    fn trial(&self, run: &Run, number: usize, middle: f64, rng: &mut ChaCha8Rng) -> Run {
        let place = (number as f64 + 0.5) / self.trials as f64;
        let lr = libm::exp(libm::log(1e-4) + place * libm::log(1e4));
        let values = BTreeMap::from([("lr".to_owned(), lr), ("eps".to_owned(), 1e-8 * libm::pow(1e7, rng.random()))]);
        let noise: f64 = StandardNormal.sample(rng);
        let loss = middle * libm::exp(8.0 * (place - 0.6) * (place - 0.6) + 0.02 * noise);
        let schedule = if number.count_ones().is_multiple_of(2) { "const" } else { "cosine" };
        let trial = Run { number, schedule: schedule.to_owned(), values, ..run.clone() };
        with_end(trial, if place > 0.85 { f64::INFINITY } else { loss }, 4.0)
    }

    fn protocol(&self) -> Protocol {
        let problem = |number: usize| ProblemRecord {
            name: NAMES[number].to_owned(),
            description: format!("The simulated problem number {}.", number + 1),
            rows: [1_000, 200, 300],
            layers: vec![20, 64, 64, 5],
            batch: 32,
            steps: STEPS,
            target: self.targets.then(|| libm::exp(-(number as f64) / 3.0 + 0.02)),
            target_source: if self.targets { "simulated".to_owned() } else { String::new() },
            score: "accuracy".to_owned(),
        };
        let dimension = |name: &str, low: f64, high: f64| Dimension { name: name.to_owned(), low, high };
        let extra = |name: &str| match name {
            "momentum" => vec![dimension("one_minus_momentum", 0.01, 1.0)],
            "adam" => vec![dimension("one_minus_beta1", 0.02, 1.0), dimension("eps", 1e-8, 0.1)],
            _ => Vec::new(),
        };
        let optimizer = |(name, spec, _): &(&str, &str, f64)| OptimizerRecord {
            name: (*name).to_owned(),
            spec: (*spec).to_owned(),
            space: [vec![dimension("lr", 1e-4, 1.0)], extra(name)].concat(),
            schedules: vec!["const".to_owned(), "cosine".to_owned()],
        };
        Protocol {
            version: "0.1.0".to_owned(),
            command: "gradlane compare".to_owned(),
            quick: self.seeds < 6,
            trials: self.trials,
            seeds: self.seeds,
            machine: "simulated".to_owned(),
            problems: (0..self.problems).map(problem).collect(),
            optimizers: self.optimizers.iter().map(optimizer).collect(),
        }
    }
}

/// A run that ends at this loss, its curve falling at this speed; an infinite loss diverges half way.
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
        val_loss: finite(loss),
        test_loss: finite(1.1 * loss),
        test_score: finite(libm::exp(-loss)),
        ..run
    }
}

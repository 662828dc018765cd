//! The cost of one step, measured on one thread, for the optimizers in turn, with no other runs active.

use std::time::{Duration, Instant};

use super::contestant::Contestant;
use super::problems::Problem;
use super::records::StepCost;
use super::train_once::RowStream;
use crate::Result;
use crate::kernel::Isa;
use crate::optim::OptimizerSpec;
use crate::statistics::quantile_of_sorted;
use crate::train::{EpochPlan, Trainer};

/// Upper limit of the steps of one measurement.
const MOST_STEPS: usize = 256;
/// Warm-up steps before the first measurement.
const WARM_UP: usize = 8;
/// Learning rate while steps are timed. It does not influence the cost, and nothing diverges.
const LR: f64 = 1e-9;

/// The effort of a measurement.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// Number of rounds. In each, every optimizer is measured once.
    pub rounds: usize,
    /// Approximate duration of one measurement.
    pub part: Duration,
}

impl Effort {
    /// About 0.2 seconds for each optimizer.
    pub const FULL: Effort = Effort { rounds: 21, part: Duration::from_millis(10) };
    /// Enough to estimate the duration of a comparison.
    pub const QUICK: Effort = Effort { rounds: 9, part: Duration::from_millis(4) };
}

/// The costs on one problem.
#[derive(Debug, Clone)]
pub struct StepCosts {
    /// The cost of a step of each optimizer, in order.
    pub steps: Vec<StepCost>,
    /// Seconds of all evaluations in one run.
    pub evaluation_s: f64,
}

impl StepCosts {
    /// The expected seconds of a run of each optimizer, if no other run is active.
    pub fn run_seconds(&self, problem: &Problem) -> Vec<f64> {
        let steps = problem.steps as f64 * 1e-6;
        self.steps.iter().map(|cost| cost.median * steps + self.evaluation_s).collect()
    }

    /// Measures the costs, each optimizer with its defaults.
    ///
    /// # Errors
    /// [`crate::Error::Usage`] if an optimizer cannot be read.
    pub fn measure(problem: &Problem, contestants: &[Contestant], isa: Isa, effort: Effort) -> Result<StepCosts> {
        let mut stream = RowStream::new(problem.train.rows(), 0);
        let mut order = Vec::new();
        stream.take(MOST_STEPS * problem.batch, &mut order);
        let (mut trainers, mut fewest_seconds) = (Vec::new(), f64::INFINITY);
        for contestant in contestants {
            let optimizer: OptimizerSpec = contestant.default_spec().parse()?;
            let mut trainer = problem.trainer(optimizer, 0, isa, order.len());
            let seconds = time_steps(problem, &mut trainer, &order[..WARM_UP * problem.batch]);
            fewest_seconds = fewest_seconds.min(seconds / WARM_UP as f64);
            trainers.push((trainer, Vec::with_capacity(effort.rounds)));
        }
        // The same number of steps for each, so that the fixed cost of a measurement has the same weight for all.
        let steps = ((effort.part.as_secs_f64() / fewest_seconds.max(1e-9)) as usize).clamp(1, MOST_STEPS);
        for round in 0..effort.rounds {
            // Rotate the order, so that no optimizer always follows the same other one.
            let count = trainers.len();
            for place in 0..count {
                let (trainer, times) = &mut trainers[(place + round) % count];
                let seconds = time_steps(problem, trainer, &order[..steps * problem.batch]);
                times.push(seconds / steps as f64 * 1e6);
            }
        }
        let evaluation_s = trainers.first_mut().map_or(0.0, |(trainer, ..)| time_evaluations(problem, trainer));
        let cost = |(contestant, (_, mut times)): (&Contestant, (Trainer, Vec<f64>))| {
            times.sort_by(f64::total_cmp);
            StepCost {
                problem: problem.name.clone(),
                optimizer: contestant.name.clone(),
                median: quantile_of_sorted(&times, 0.5),
                quartiles: [quantile_of_sorted(&times, 0.25), quantile_of_sorted(&times, 0.75)],
            }
        };
        Ok(StepCosts { steps: contestants.iter().zip(trainers).map(cost).collect(), evaluation_s })
    }
}

/// The seconds of the steps on these rows.
fn time_steps(problem: &Problem, trainer: &mut Trainer, order: &[u32]) -> f64 {
    let plan = EpochPlan {
        data: &problem.train,
        order,
        own_orders: &[],
        epoch: 0,
        batch: problem.batch,
        lr: &|_| LR,
        momentum: &|_| None,
        stop: &|_| false,
        tol_grad: None,
        log_steps: None,
    };
    let began = Instant::now();
    trainer.epoch(&plan);
    began.elapsed().as_secs_f64()
}

/// The seconds of a run's evaluations: validation at each point, test at the end.
fn time_evaluations(problem: &Problem, trainer: &mut Trainer) -> f64 {
    let mut seconds = |data| {
        let began = Instant::now();
        trainer.evaluate(data);
        began.elapsed().as_secs_f64()
    };
    seconds(&problem.val) * problem.points().len() as f64 + seconds(&problem.test)
}

#[cfg(test)]
mod tests {
    use super::super::problems::problem;
    use super::*;

    #[test]
    fn costs_are_positive_and_in_order() {
        let problem = problem("diabetes", None).unwrap();
        let contestants: Vec<Contestant> = ["sgd", "adam"].map(|text| text.parse().unwrap()).to_vec();
        let effort = Effort { rounds: 4, part: Duration::from_micros(200) };
        let costs = StepCosts::measure(&problem, &contestants, Isa::detect(), effort).unwrap();
        let names: Vec<&str> = costs.steps.iter().map(|cost| cost.optimizer.as_str()).collect();
        assert_eq!(names, ["sgd", "adam"]);
        for (cost, seconds) in costs.steps.iter().zip(costs.run_seconds(&problem)) {
            let [low, high] = cost.quartiles;
            assert!(0.0 < low && low <= cost.median && cost.median <= high, "{cost:?}");
            assert!(seconds > cost.median * 1e-6 * problem.steps as f64, "evaluations take time too");
        }
    }
}

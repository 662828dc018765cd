//! Records that cannot be of one comparison: repeated, impossible, or in contradiction with each other.

use std::collections::HashMap;

use super::records::{OptimizerRecord, ProblemRecord, Protocol, Purpose, Record, Run, StepCost};

/// A searched value may lie outside its range by so large a share, for its logarithm is drawn.
const SLACK: f64 = 1e-9;

/// What the records so far say, to hold the next one against.
#[derive(Debug, Default)]
pub(super) struct Checker {
    problems: HashMap<String, ProblemRecord>,
    optimizers: HashMap<String, OptimizerRecord>,
    /// Runs of each purpose that there are at most; none before the protocol.
    runs: Option<[usize; 2]>,
    /// Lines of runs by problem, optimizer, purpose and number.
    seen: HashMap<(String, String, Purpose, usize), usize>,
    costs: HashMap<(String, String), usize>,
    /// The seed of a problem's final runs of one number, and its line.
    seeds: HashMap<(String, bool, usize), (u64, usize)>,
    /// Setting of the final runs of a problem and optimizer.
    settings: HashMap<(String, String, Purpose), Setting>,
}

/// The setting of a run, and its line.
#[derive(Debug)]
struct Setting {
    spec: String,
    schedule: String,
    line: usize,
}

impl Checker {
    /// What is wrong with the record on a line, if anything is; else it counts for those that follow.
    pub(super) fn fault(&mut self, record: &Record, line: usize) -> Option<String> {
        match record {
            Record::Protocol(protocol) => self.protocol(protocol),
            Record::Run(run) => self.run(run, line),
            Record::StepCost(cost) => self.cost(cost, line),
        }
    }

    fn protocol(&mut self, protocol: &Protocol) -> Option<String> {
        if self.runs.is_some() {
            return Some("this is a second protocol: the file holds two comparisons".to_owned());
        }
        self.runs = Some([protocol.trials, protocol.seeds]);
        self.problems = protocol.problems.iter().map(|p| (p.name.clone(), p.clone())).collect();
        self.optimizers = protocol.optimizers.iter().map(|o| (o.name.clone(), o.clone())).collect();
        None
    }

    fn run(&mut self, run: &Run, line: usize) -> Option<String> {
        let Some(problem) = self.problems.get(&run.problem) else {
            return Some(format!("the protocol has no problem \"{}\"", run.problem));
        };
        let Some(optimizer) = self.optimizers.get(&run.optimizer) else {
            return Some(format!("the protocol has no optimizer \"{}\"", run.optimizer));
        };
        let [trials, seeds] = self.runs.unwrap_or_default();
        let most = if run.purpose == Purpose::Tuning { trials } else { seeds };
        if run.number >= most {
            return Some(format!("run number {}, but the protocol has {most} from 0 on", run.number));
        }
        impossible(run, problem, optimizer).or_else(|| self.contradiction(run, line))
    }

    /// A run that is there already, or that has not what its like have.
    fn contradiction(&mut self, run: &Run, line: usize) -> Option<String> {
        let key = (run.problem.clone(), run.optimizer.clone(), run.purpose, run.number);
        if let Some(earlier) = self.seen.insert(key, line) {
            return Some(format!("the same run stands on line {earlier} too"));
        }
        let is_final = run.purpose != Purpose::Tuning;
        let shared = (run.problem.clone(), is_final, run.number);
        let (seed, earlier) = *self.seeds.entry(shared).or_insert((run.seed, line));
        if is_final && seed != run.seed {
            return Some(format!("seed {}, but runs of one number share it, and line {earlier} has {seed}", run.seed));
        }
        if is_final {
            let place = (run.problem.clone(), run.optimizer.clone(), run.purpose);
            let own = || Setting { spec: run.spec.clone(), schedule: run.schedule.clone(), line };
            let Setting { spec, schedule, line } = self.settings.entry(place).or_insert_with(own);
            if (&*spec, &*schedule) != (&run.spec, &run.schedule) {
                return Some(format!("another setting than the final run on line {line}: {spec} there"));
            }
        }
        None
    }

    fn cost(&mut self, cost: &StepCost, line: usize) -> Option<String> {
        let [low, high] = cost.quartiles;
        if !(cost.median > 0.0 && low > 0.0 && low <= cost.median && cost.median <= high) {
            return Some("impossible cost of a step: the median is above 0 and between the quartiles".to_owned());
        }
        let earlier = self.costs.insert((cost.problem.clone(), cost.optimizer.clone()), line);
        earlier.map(|earlier| format!("the cost of this step stands on line {earlier} too"))
    }
}

/// Values that no run can have.
fn impossible(run: &Run, problem: &ProblemRecord, optimizer: &OptimizerRecord) -> Option<String> {
    let steps: Vec<u64> = run.curve.iter().map(|point| point.step).collect();
    if !steps.windows(2).all(|pair| pair[0] < pair[1]) || steps.iter().any(|step| *step > problem.steps) {
        return Some(format!("impossible curve: its steps rise, up to the {} of the problem", problem.steps));
    }
    if !run.diverged && run.val_loss.is_some() && steps.last().is_some_and(|step| *step < problem.steps) {
        return Some(format!("the curve ends before step {}, but the run did not diverge", problem.steps));
    }
    let share = ["accuracy", "auroc", "f1"].contains(&problem.score.as_str());
    if run.test_score.is_some_and(|score| share && !(0.0..=1.0).contains(&score))
        || run.seconds.is_nan()
        || run.seconds < 0.0
    {
        return Some(format!("impossible figures: {} {:?}, seconds {}", problem.score, run.test_score, run.seconds));
    }
    let outside = optimizer.space.iter().find(|dimension| {
        let value = run.values.get(&dimension.name);
        let (low, high) = (dimension.low * (1.0 - SLACK), dimension.high * (1.0 + SLACK));
        run.purpose != Purpose::Untuned && value.is_some_and(|value| !(low..=high).contains(value))
    })?;
    Some(format!("{} lies outside the space {} to {}", outside.name, outside.low, outside.high))
}

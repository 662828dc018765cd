//! Validation of records: finds records that cannot belong to one comparison, because they are repeated, impossible or
//! contradictory.

use std::collections::{BTreeMap, HashMap};

use super::figure::figure;
use super::protocol::{MOST, Stage, StudySeeds, finalists, winner};
use super::records::{Dimension, OptimizerRecord, ProblemRecord, Protocol, Record, Run, StepCost, Terms};
use super::space::number_at;
use crate::experiment::quasi_random::point;
use crate::optim::OptimizerSpec;

/// The most seconds of a run.
const MOST_SECONDS: f64 = 1e9;

/// The state of the records so far, with which the next one is compared.
#[derive(Debug, Default)]
pub(super) struct Checker {
    problems: HashMap<String, ProblemRecord>,
    optimizers: HashMap<String, OptimizerRecord>,
    /// `None` before the protocol.
    terms: Option<Terms>,
    /// The runs of each study so far, without their curves, and their line numbers.
    studies: HashMap<(String, String, usize), Vec<(Run, usize)>>,
    costs: HashMap<(String, String), usize>,
}

impl Checker {
    /// Returns a message if the record on this line is wrong. Otherwise the record is added to the state.
    pub(super) fn fault(&mut self, record: &Record, line: usize) -> Option<String> {
        match record {
            Record::Protocol(protocol) => self.protocol(protocol),
            Record::Run(run) => self.run(run, line),
            Record::StepCost(cost) => self.cost(cost, line),
        }
    }

    fn protocol(&mut self, protocol: &Protocol) -> Option<String> {
        if self.terms.is_some() {
            return Some("this is a second protocol: the file holds two comparisons".to_owned());
        }
        let Terms { studies, trials, finalists, repeats, seeds, .. } = protocol.terms;
        if [studies, trials, finalists, repeats, seeds].into_iter().any(|number| number > MOST) {
            return Some(format!("expected at most {MOST} studies, trials, finalists, repeats and seeds, found more"));
        }
        self.terms = Some(protocol.terms);
        let names = [
            protocol.problems.iter().map(|p| &p.name).collect::<Vec<&String>>(),
            protocol.optimizers.iter().map(|o| &o.name).collect(),
        ];
        for names in names {
            if let Some(twice) = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
                return Some(format!("the protocol has \"{}\" twice", twice.1));
            }
        }
        let mut ranges = protocol.optimizers.iter().flat_map(|of| of.space.iter().map(move |range| (&of.name, range)));
        let is_range = |range: &Dimension| 0.0 < range.low && range.low <= range.high && range.high.is_finite();
        if let Some((of, range)) = ranges.find(|(_, range)| !is_range(range)) {
            let Dimension { name, low, high } = range;
            return Some(format!("expected a range above 0 for {name} of {of}, found {low} to {high}"));
        }
        self.problems = protocol.problems.iter().map(|p| (p.name.clone(), p.clone())).collect();
        self.optimizers = protocol.optimizers.iter().map(|o| (o.name.clone(), o.clone())).collect();
        None
    }

    fn run(&mut self, run: &Run, line: usize) -> Option<String> {
        let Some(terms) = self.terms else { return Some("the protocol is to come before the runs".to_owned()) };
        let (problem, optimizer) = match self.named(&run.problem, &run.optimizer) {
            Ok(found) => found,
            Err(fault) => return Some(fault),
        };
        let repeats = match run.stage {
            Stage::Trial => 1,
            Stage::Repeat => terms.repeats,
            Stage::Final => terms.seeds,
        };
        let counts =
            [("study", run.study, terms.studies), ("trial", run.trial, terms.trials), ("repeat", run.repeat, repeats)];
        if let Some((what, number, most)) = counts.into_iter().find(|(_, number, most)| number >= most) {
            return Some(format!("{what} {number}, but the protocol has {most} from 0 on"));
        }
        let seeds = StudySeeds::new(&terms, &run.problem, &run.optimizer, run.study);
        let seed = seeds.of(run.stage, run.repeat);
        if run.seed != seed {
            return Some(format!("seed {}, but that of this run is {seed}", run.seed));
        }
        if run.trial == 0 && (!run.values.is_empty() || run.spec != optimizer.spec) {
            return Some(format!("trial 0 has other values than the defaults, {}", optimizer.spec));
        }
        if let Some(fault) = other_setting(run, optimizer, seeds.points).or_else(|| impossible(run, problem)) {
            return Some(fault);
        }
        let study = self.studies.entry((run.problem.clone(), run.optimizer.clone(), run.study)).or_default();
        let fault = contradiction(run, study);
        study.push((Run { curve: Vec::new(), ..run.clone() }, line));
        fault.or_else(|| wrong_choice(study, terms))
    }

    /// A problem and an optimizer of the protocol, or the message that there is none of that name.
    fn named(&self, problem: &str, optimizer: &str) -> Result<(&ProblemRecord, &OptimizerRecord), String> {
        let missing = |what: &str, name: &str| format!("the protocol has no {what} \"{name}\"");
        let problem = self.problems.get(problem).ok_or_else(|| missing("problem", problem))?;
        let optimizer = self.optimizers.get(optimizer).ok_or_else(|| missing("optimizer", optimizer))?;
        Ok((problem, optimizer))
    }

    fn cost(&mut self, cost: &StepCost, line: usize) -> Option<String> {
        if let Err(fault) = self.named(&cost.problem, &cost.optimizer) {
            return Some(fault);
        }
        let [low, high] = cost.quartiles;
        if !(cost.median > 0.0 && low > 0.0 && low <= cost.median && cost.median <= high && high.is_finite()) {
            return Some("impossible cost of a step: the median is above 0 and between the quartiles".to_owned());
        }
        let earlier = self.costs.insert((cost.problem.clone(), cost.optimizer.clone()), line);
        earlier.map(|earlier| format!("the cost of this step stands on line {earlier} too"))
    }
}

/// A message if a run is a duplicate, or contradicts the other runs of its study.
fn contradiction(run: &Run, study: &[(Run, usize)]) -> Option<String> {
    for (other, line) in study {
        let same_stage = other.stage == run.stage;
        if same_stage && (other.trial, other.repeat) == (run.trial, run.repeat) {
            return Some(format!("the same run stands on line {line} too"));
        }
        if other.trial == run.trial && (&other.spec, &other.schedule) != (&run.spec, &run.schedule) {
            return Some(format!("another setting than the same trial on line {line}: {} there", other.spec));
        }
        if run.stage == Stage::Final && same_stage && other.trial != run.trial {
            return Some(format!("trial {}, but the study chose trial {} on line {line}", run.trial, other.trial));
        }
    }
    None
}

/// A message if the repeats and final runs of a study are not those that follow from its trials and repeats, in whatever
/// order they are recorded.
fn wrong_choice(study: &[(Run, usize)], terms: Terms) -> Option<String> {
    let of = |stage: Stage| study.iter().filter(move |(run, _)| run.stage == stage);
    let runs = |stage: Stage| -> Vec<&Run> { of(stage).map(|(run, _)| run).collect() };
    let (trials, repeats) = (runs(Stage::Trial), runs(Stage::Repeat));
    if trials.len() < terms.trials {
        return None;
    }
    let count = terms.finalist_count();
    let chosen = finalists(trials.iter().copied(), count);
    if let Some((run, line)) = of(Stage::Repeat).find(|(run, _)| !chosen.contains(&run.trial)) {
        return Some(format!(
            "trial {} is repeated on line {line}, but the best trials of the study are {chosen:?}",
            run.trial
        ));
    }
    if repeats.len() < count * terms.repeats {
        return None;
    }
    let winner = winner(&trials, &repeats, count);
    let (run, line) = of(Stage::Final).find(|(run, _)| winner != Some(run.trial))?;
    let winner = winner.map_or("none".to_owned(), |winner| winner.to_string());
    Some(format!(
        "trial {} is trained as the best on line {line}, but the best one of the study is {winner}",
        run.trial
    ))
}

/// A message if a run's setting is not the one that the study tries at this number.
fn other_setting(run: &Run, optimizer: &OptimizerRecord, seed: u64) -> Option<String> {
    let OptimizerRecord { space, schedules, .. } = optimizer;
    // `momentum` is another name for sgd with momentum.
    let algorithm = |spec: &str| spec.parse::<OptimizerSpec>().ok().map(|spec| spec.algorithm.name());
    let number = run.trial.checked_sub(1)?; // trial 0 has the defaults, not a point of the space
    let point = point(space.len() + 1, number, seed);
    let expected: BTreeMap<String, f64> =
        space.iter().zip(&point).map(|(of, u)| (of.name.clone(), number_at(*u, of.low, of.high))).collect();
    let schedule = schedules.get((point[space.len()] * schedules.len() as f64) as usize)?;
    let right =
        run.values == expected && run.schedule == *schedule && algorithm(&run.spec) == algorithm(&optimizer.spec);
    (!right).then(|| {
        let name = &optimizer.name;
        format!(
            "trial {} of this study has {name} at {expected:?} with schedule {schedule}, and the line another setting",
            run.trial
        )
    })
}

/// A message if a run has impossible values.
fn impossible(run: &Run, problem: &ProblemRecord) -> Option<String> {
    let steps: Vec<u64> = run.curve.iter().map(|point| point.step).collect();
    if !steps.windows(2).all(|pair| pair[0] < pair[1]) || steps.iter().any(|step| *step > problem.steps) {
        return Some(format!("impossible curve: its steps rise, up to the {} of the problem", problem.steps));
    }
    if !run.diverged && steps.last().is_none_or(|step| *step < problem.steps) {
        return Some(format!("the curve ends before step {}, but the run did not diverge", problem.steps));
    }
    let best = run.curve.iter().filter(|point| point.val_loss.is_some());
    let best = best.min_by(|a, b| a.val_loss.unwrap_or(f64::INFINITY).total_cmp(&b.val_loss.unwrap_or(f64::INFINITY)));
    let best = best.filter(|_| !run.diverged);
    if (run.best_step, run.val_loss) != (best.map(|best| best.step), best.and_then(|best| best.val_loss)) {
        return Some("best_step and val_loss are not those of the least validation loss of the curve".to_owned());
    }
    let losses = || run.curve.iter().flat_map(|point| [point.train_loss, point.val_loss]).flatten();
    if losses().any(|loss| loss < 0.0) {
        return Some("impossible curve: a loss is below 0".to_owned());
    }
    if run.diverged && steps.last() == Some(&problem.steps) && run.curve.iter().all(|point| point.val_loss.is_some()) {
        return Some("the curve is whole and finite, but the run is said to have diverged".to_owned());
    }
    impossible_figure(run, problem)
}

/// A message if a figure of a run is impossible, by itself or beside the others.
fn impossible_figure(run: &Run, problem: &ProblemRecord) -> Option<String> {
    let (least, most) = match problem.score.as_str() {
        "accuracy" | "auroc" | "auprc" | "f1" => (0.0, 1.0),
        "rmse" => (0.0, f64::INFINITY),
        _ => (f64::NEG_INFINITY, f64::INFINITY),
    };
    let figures = [
        ("test_loss", run.test_loss, (0.0, f64::INFINITY)),
        ("last_test_loss", run.last_test_loss, (0.0, f64::INFINITY)),
        ("test_score", run.test_score, (least, most)),
        ("seconds", Some(run.seconds), (0.0, MOST_SECONDS)),
    ];
    for (name, value, (least, most)) in figures {
        if value.is_some_and(|value| !(least..=most).contains(&value)) {
            let (least, value) = (figure(Some(least)), figure(value));
            let range = match most.is_finite() {
                true => format!("from {least} to {}", figure(Some(most))),
                false => format!("of at least {least}"),
            };
            return Some(format!("impossible figure: expected {name} {range}, found {value}"));
        }
    }
    let given = [("test_loss", run.test_loss), ("test_score", run.test_score)];
    if let Some((name, value)) = given.into_iter().find(|(_, value)| run.diverged && value.is_some()) {
        return Some(format!("impossible figure: {name} {} of a run that diverged", figure(value)));
    }
    if run.best_step == Some(problem.steps) && run.test_loss != run.last_test_loss {
        let (best, last) = (figure(run.test_loss), figure(run.last_test_loss));
        return Some(format!("impossible figures: test_loss {best} and last_test_loss {last} of the same weights"));
    }
    None
}

//! Runs a comparison: several runs in parallel, recorded in a fixed order.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::contestant::Contestant;
use super::in_order::{InOrder, Ledger, Observe, Progress, lock};
use super::jobs::{Address, RunJob, Study};
use super::problems::Problem;
use super::protocol::{MOST, Stage, StudySeeds, Terms, settings};
use super::records::{ProblemRecord, Protocol, Record, Run};
use super::step_cost::{Effort, StepCosts};
use super::train_once::train_once;
use crate::experiment::side_by_side;
use crate::kernel::Isa;
use crate::machine::processor;
use crate::{Error, Result};

/// A comparison that is ready to run.
pub struct Comparison {
    /// The problems.
    pub problems: Vec<Problem>,
    /// The optimizers.
    pub contestants: Vec<Contestant>,
    /// The number of runs of each kind.
    pub terms: Terms,
    /// Whether this is the quick form.
    pub quick: bool,
    /// The command that repeats it.
    pub command: String,
    /// Instruction set of the kernels.
    pub isa: Isa,
    /// Number of runs at a time, each on one thread.
    pub threads: usize,
}

impl Comparison {
    /// Returns an error if two problems have the same data, because these would count twice.
    fn check_data(&self) -> Result<()> {
        let records: Vec<ProblemRecord> = self.problems.iter().map(Problem::record).collect();
        for (at, record) in records.iter().enumerate() {
            let same = |other: &&ProblemRecord| record.data.is_some() && other.data == record.data;
            if let Some(other) = records[..at].iter().find(same) {
                return Err(Error::Usage(format!(
                    "{} and {} hold the same rows, which would count as two problems: leave one out",
                    other.name, record.name
                )));
            }
        }
        Ok(())
    }

    /// Checks the comparison before it is run.
    ///
    /// # Errors
    /// [`Error::Option`] for equal names or a number out of range, [`Error::Usage`] for equal data; [`Error::Mismatch`] for a
    /// problem without validation or test rows.
    pub fn check(&self) -> Result<()> {
        Contestant::check_names(&self.contestants)?;
        self.check_data()?;
        let Terms { studies, trials, seeds, .. } = self.terms;
        for (option, count) in [("studies", studies), ("trials", trials), ("seeds", seeds)] {
            if !(1..=MOST).contains(&count) {
                return Err(Error::Usage(format!("expected a number of 1 to {MOST}, found {count}")).of(option));
            }
        }
        self.problems.iter().try_for_each(Problem::check)
    }

    /// All runs.
    pub fn runs(&self) -> usize {
        self.problems.len() * self.contestants.len() * self.terms.runs()
    }

    /// The protocol, which is the first record.
    pub fn protocol(&self) -> Protocol {
        Protocol {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            command: self.command.clone(),
            quick: self.quick,
            terms: self.terms,
            machine: format!("{}, {} runs at a time, {}", processor(), self.threads, self.isa.name()),
            problems: self.problems.iter().map(Problem::record).collect(),
            optimizers: self.contestants.iter().map(Contestant::record).collect(),
        }
    }

    /// Measures the cost of a step on each problem, with the effort of the form.
    ///
    /// # Errors
    /// As [`StepCosts::measure`].
    pub fn step_costs(&self) -> Result<Vec<StepCosts>> {
        let effort = if self.quick { Effort::QUICK } else { Effort::FULL };
        self.problems.iter().map(|problem| StepCosts::measure(problem, &self.contestants, self.isa, effort)).collect()
    }

    /// The expected seconds of all runs, from the costs of their steps.
    pub fn expected_seconds(&self, costs: &[StepCosts]) -> f64 {
        let of_problem = |(problem, costs): (&Problem, &StepCosts)| costs.run_seconds(problem).iter().sum::<f64>();
        let one_of_each: f64 = self.problems.iter().zip(costs).map(of_problem).sum();
        one_of_each * self.terms.runs() as f64 / self.threads.max(1) as f64
    }

    /// Makes all runs and passes every record to `observe`: the protocol, the costs of steps, then for each problem the
    /// trials of all studies, the repeats of their finalists, and their final runs. Except for times, the records and their
    /// order do not depend on the number of threads. Returns `false` if `signal` ended it early.
    ///
    /// # Errors
    /// Errors of `observe`, and specifications that cannot be read.
    pub fn run(&self, signal: &AtomicUsize, observe: &mut Observe<'_>) -> Result<bool> {
        self.run_from(&[], signal, observe)
    }

    /// Checks that records belong to this comparison.
    ///
    /// # Errors
    /// [`Error::Mismatch`].
    pub fn check_records(&self, records: &[Record]) -> Result<()> {
        let Some(Record::Protocol(recorded)) = records.first() else { return Ok(()) };
        let own = self.protocol();
        if recorded.version != own.version {
            let message =
                format!("the comparison was begun by version {}, and this is {}", recorded.version, own.version);
            return Err(Error::Mismatch(message));
        }
        let portable = |machine: &str| machine.ends_with("portable");
        if portable(&recorded.machine) != portable(&own.machine) {
            let message =
                format!("the comparison was begun with other kernels ({}): others give other bits", recorded.machine);
            return Err(Error::Mismatch(message));
        }
        if (Protocol { machine: recorded.machine.clone(), ..own }) != *recorded {
            let message = "the data or the options of the comparison are not those that it was begun with: restore them, or begin anew";
            return Err(Error::Mismatch(message.to_owned()));
        }
        Ok(())
    }

    /// Like [`Comparison::run`], but does not repeat runs whose records are in `there`. All records are passed to `observe`,
    /// including those.
    ///
    /// # Errors
    /// As [`Comparison::run`].
    pub fn run_from(&self, there: &[Record], signal: &AtomicUsize, observe: &mut Observe<'_>) -> Result<bool> {
        let runs = there.iter().filter_map(|record| if let Record::Run(run) = record { Some(run) } else { None });
        let there: HashMap<Address, &Run> = runs.map(|run| (Address::of(run), run)).collect();
        let nothing = Progress { done: 0, runs: self.runs(), share: 0.0 };
        observe(&Record::Protocol(self.protocol()), nothing)?;
        let costs = self.step_costs()?;
        for cost in costs.iter().flat_map(|costs| &costs.steps) {
            observe(&Record::StepCost(cost.clone()), nothing)?;
        }
        let all = self.expected_seconds(&costs) * self.threads.max(1) as f64;
        let mut ledger = Ledger { observe, progress: nothing, seconds: 0.0, all, failure: None };
        for (problem, costs) in self.problems.iter().zip(&costs) {
            let seconds = costs.run_seconds(problem);
            let studies = self.studies(problem);
            let mut runs: Vec<Run> = Vec::new();
            for stage in [Stage::Trial, Stage::Repeat, Stage::Final] {
                let jobs: Vec<RunJob> =
                    studies.iter().flat_map(|study| study.jobs(stage, &self.terms, &runs)).collect();
                match self.make((problem, &there), &jobs, &seconds, signal, &mut ledger)? {
                    Some(made) => runs.extend(made),
                    None => return Ok(false),
                }
            }
        }
        Ok(true)
    }

    /// The studies of a problem, optimizer by optimizer.
    fn studies(&self, problem: &Problem) -> Vec<Study> {
        let of_optimizer = |(contestant, c): (usize, &Contestant)| {
            let study = |number| {
                let seeds = StudySeeds::new(&self.terms, &problem.name, &c.name, number);
                let settings = settings(c, self.terms.trials, seeds.points);
                Study { contestant, optimizer: c.name.clone(), number, settings, seeds }
            };
            (0..self.terms.studies).map(study).collect::<Vec<Study>>()
        };
        self.contestants.iter().enumerate().flat_map(of_optimizer).collect()
    }

    /// Makes runs in parallel; `None` after a signal.
    fn make(
        &self,
        (problem, there): (&Problem, &HashMap<Address<'_>, &Run>),
        jobs: &[RunJob],
        seconds: &[f64],
        signal: &AtomicUsize,
        ledger: &mut Ledger<'_, '_>,
    ) -> Result<Option<Vec<Run>>> {
        let numbered: Vec<(usize, &RunJob)> = jobs.iter().enumerate().collect();
        let in_order = Mutex::new(InOrder::new(ledger));
        let results = side_by_side(self.threads, &numbered, |(place, job)| {
            if signal.load(Ordering::Relaxed) != 0 || lock(&in_order).ledger.failure.is_some() {
                return Ok(None);
            }
            let known = there.get(&self.address(problem, job)).map(|run| (*run).clone());
            let run = known.map_or_else(|| self.run_of(problem, job, signal), |run| Ok(Some(run)))?;
            if let Some(run) = &run {
                lock(&in_order).put(*place, run.clone(), seconds[job.contestant]);
            }
            Ok(run)
        });
        if let Some(failure) = ledger.failure.take() {
            return Err(failure);
        }
        results.into_iter().collect()
    }

    fn address<'a>(&'a self, problem: &'a Problem, job: &RunJob) -> Address<'a> {
        let optimizer = &self.contestants[job.contestant].name;
        Address { of: (&problem.name, optimizer), place: (job.study, job.stage, job.trial, job.repeat), seed: job.seed }
    }

    fn run_of(&self, problem: &Problem, job: &RunJob, signal: &AtomicUsize) -> Result<Option<Run>> {
        let outcome = train_once(problem, &job.setting, job.seed, self.isa, signal)?;
        Ok(outcome.map(|outcome| Run {
            problem: problem.name.clone(),
            optimizer: self.contestants[job.contestant].name.clone(),
            study: job.study,
            stage: job.stage,
            trial: job.trial,
            repeat: job.repeat,
            seed: job.seed,
            spec: job.setting.spec.clone(),
            schedule: job.setting.schedule.clone(),
            values: job.setting.values.clone(),
            diverged: outcome.diverged,
            curve: outcome.curve,
            best_step: outcome.best_step,
            val_loss: outcome.val_loss,
            test_loss: outcome.test_loss,
            test_score: outcome.test_score,
            last_test_loss: outcome.last_test_loss,
            seconds: outcome.seconds,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::problems::problem;
    use super::*;

    fn tiny(threads: usize) -> Comparison {
        Comparison {
            problems: vec![Problem { steps: 20, ..problem("diabetes", None).unwrap() }],
            contestants: ["a=adam", "b=adam", "sgd"].map(|text| text.parse().unwrap()).to_vec(),
            terms: Terms { studies: 2, trials: 4, finalists: 2, repeats: 1, seeds: 2, seed: 0 },
            quick: true,
            command: "gradlane compare".to_owned(),
            isa: Isa::detect(),
            threads,
        }
    }

    fn runs(comparison: &Comparison) -> Vec<Run> {
        let mut runs = Vec::new();
        let finished = comparison.run(&AtomicUsize::new(0), &mut |record, progress| {
            if let Record::Run(run) = record {
                runs.push(Run { seconds: 0.0, ..run.clone() });
                assert_eq!(progress.done, runs.len());
            }
            Ok(())
        });
        assert!(finished.unwrap());
        runs
    }

    #[test]
    fn runs_do_not_depend_on_threads_or_on_other_optimizers() {
        let comparison = tiny(1);
        let found = runs(&comparison);
        assert_eq!(found.len(), comparison.runs());
        assert_eq!(found, runs(&tiny(3)));
        let of = |runs: &[Run], name: &str| -> Vec<Run> {
            runs.iter().filter(|run| run.optimizer == name).cloned().collect()
        };
        let alone = Comparison { contestants: vec!["b=adam".parse().unwrap()], ..tiny(2) };
        assert_eq!(runs(&alone), of(&found, "b"));
        let shared =
            |stage: Stage| -> Vec<u64> { found.iter().filter(|run| run.stage == stage).map(|run| run.seed).collect() };
        let distinct = |seeds: Vec<u64>| seeds.into_iter().collect::<std::collections::BTreeSet<u64>>().len();
        // Three optimizers with two studies each: one seed for all trials, one for all repeats, two for the final runs.
        assert_eq!([Stage::Trial, Stage::Repeat, Stage::Final].map(|stage| distinct(shared(stage))), [6, 6, 12]);
    }

    #[test]
    fn each_study_repeats_its_best_trials_and_chooses_one() {
        let found = runs(&tiny(2));
        for (name, study) in [("a", 0), ("a", 1), ("sgd", 0), ("sgd", 1)] {
            let of = |stage| -> Vec<&Run> {
                found.iter().filter(|r| r.optimizer == name && r.study == study && r.stage == stage).collect()
            };
            let (trials, repeats, finals) = (of(Stage::Trial), of(Stage::Repeat), of(Stage::Final));
            assert_eq!([trials.len(), repeats.len(), finals.len()], [4, 2, 2]);
            assert!(trials[0].values.is_empty() && trials[0].spec == name.replace('a', "adam"));
            assert!(trials[1..].iter().all(|run| !run.values.is_empty()));
            let mut by_loss: Vec<(f64, usize)> = trials.iter().map(|run| (run.best_val_loss(), run.trial)).collect();
            by_loss.sort_by(|a, b| a.0.total_cmp(&b.0));
            let mut repeated: Vec<usize> = repeats.iter().map(|run| run.trial).collect();
            assert_eq!(repeated, [by_loss[0].1, by_loss[1].1]);
            repeated.retain(|number| *number == finals[0].trial);
            assert_eq!(repeated.len(), 1, "the chosen setting is a finalist");
            let means = [0, 1].map(|at| by_loss[at].0 + repeats[at].best_val_loss());
            let chosen = if means[0] <= means[1] { by_loss[0].1 } else { by_loss[1].1 };
            assert!(finals.iter().all(|run| run.trial == chosen && run.spec == trials[chosen].spec));
            assert_ne!(finals[0].seed, finals[1].seed);
        }
    }

    #[test]
    fn recorded_runs_are_not_made_again() {
        let comparison = tiny(2);
        let mut records = Vec::new();
        let all = |record: &Record, _: Progress| {
            records.push(record.clone());
            Ok(())
        };
        assert!(comparison.run(&AtomicUsize::new(0), &mut { all }).unwrap());
        let half = &records[..records.len() / 2];
        comparison.check_records(half).unwrap();
        let mut again = Vec::new();
        let told = |record: &Record, _: Progress| {
            again.push(record.clone());
            Ok(())
        };
        assert!(comparison.run_from(half, &AtomicUsize::new(0), &mut { told }).unwrap());
        let without_time = |records: &[Record]| -> Vec<Run> {
            let runs = records.iter().filter_map(|r| if let Record::Run(run) = r { Some(run) } else { None });
            runs.map(|run| Run { seconds: 0.0, ..run.clone() }).collect()
        };
        assert_eq!(without_time(&again), without_time(&records));
        // Recorded runs keep their recorded time, to the bit.
        let made = half.iter().filter(|record| matches!(record, Record::Run(_))).count();
        let runs = |records: &[Record]| -> Vec<Record> {
            records.iter().filter(|r| matches!(r, Record::Run(_))).cloned().collect()
        };
        assert_eq!(runs(&again)[..made], runs(half)[..]);
        let other = Comparison { terms: Terms { trials: 5, ..comparison.terms }, ..tiny(2) };
        assert!(matches!(other.check_records(half), Err(Error::Mismatch(_))));
    }

    #[test]
    fn a_signal_or_an_error_ends_the_comparison() {
        let signal = AtomicUsize::new(0);
        let mut seen = 0;
        let finished = tiny(2).run(&signal, &mut |record, _| {
            seen += usize::from(matches!(record, Record::Run(_)));
            signal.store(2, Ordering::Relaxed);
            Ok(())
        });
        assert_eq!((finished.unwrap(), seen), (false, 0));
        let full = tiny(2).run(&AtomicUsize::new(0), &mut |record, _| match record {
            Record::Run(_) => Err(Error::NoStep("planted".to_owned())),
            _ => Ok(()),
        });
        assert!(full.unwrap_err().to_string().contains("planted"));
    }

    #[test]
    fn equal_names_and_empty_parts_are_refused() {
        let mut comparison = tiny(1);
        comparison.check().unwrap();
        comparison.problems[0].val = comparison.problems[0].val.subset(&[]);
        assert!(comparison.check().unwrap_err().to_string().contains("`valid`"));
        comparison = tiny(1);
        comparison.contestants[1].name = "a".to_owned();
        assert!(comparison.check().is_err());
        comparison = tiny(1);
        comparison.terms.trials = 0;
        assert!(comparison.check().unwrap_err().to_string().starts_with("trials: "));
    }
}

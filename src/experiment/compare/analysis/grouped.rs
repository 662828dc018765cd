//! Records grouped by problem, optimizer and study.

use std::collections::BTreeMap;

use crate::experiment::compare::records::{
    OptimizerRecord, ProblemRecord, Protocol, Record, Run, Stage, StepCost, Terms,
};
use crate::{Error, Result};

/// The records of a comparison, grouped by problem, optimizer and study.
#[derive(Debug)]
pub struct Grouped<'a> {
    /// The request.
    pub protocol: &'a Protocol,
    studies: BTreeMap<(usize, usize), Vec<StudyRuns<'a>>>,
    costs: BTreeMap<(usize, usize), &'a StepCost>,
}

/// The runs of one study. Each stage is sorted by trial and repeat.
#[derive(Debug, Default)]
pub struct StudyRuns<'a> {
    /// Number of the study.
    pub number: usize,
    /// The trials; the first are the defaults.
    pub trials: Vec<&'a Run>,
    /// Runs of the finalists with further seeds.
    pub repeats: Vec<&'a Run>,
    /// Runs of the chosen setting with fresh seeds.
    pub finals: Vec<&'a Run>,
}

impl<'a> StudyRuns<'a> {
    /// The score of the study: the mean test loss of its final runs; infinite if one diverged. `None` until all have ended.
    pub fn score(&self, terms: &Terms) -> Option<f64> {
        let sum: f64 = self.finals.iter().map(|run| run.best_test_loss()).sum();
        (self.finals.len() == terms.seeds).then(|| sum / terms.seeds as f64)
    }

    /// The test loss of the defaults; infinite if they diverged. `None` before they were tried.
    pub fn untuned_score(&self) -> Option<f64> {
        self.defaults().map(Run::best_test_loss)
    }

    /// The trial of the defaults.
    pub fn defaults(&self) -> Option<&'a Run> {
        self.trials.iter().find(|run| run.trial == 0).copied()
    }

    fn runs(&self) -> usize {
        self.trials.len() + self.repeats.len() + self.finals.len()
    }
}

impl<'a> Grouped<'a> {
    /// Groups records.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if there is not exactly one protocol, or a record names a problem or an optimizer that the
    /// protocol does not have.
    pub fn new(records: &'a [Record]) -> Result<Grouped<'a>> {
        let protocols = records.iter().filter_map(|r| if let Record::Protocol(p) = r { Some(p) } else { None });
        let [protocol] = protocols.collect::<Vec<_>>()[..] else {
            let message = "runs.jsonl: expected one record of kind \"protocol\"; was the file cut or put together?";
            return Err(Error::Mismatch(message.to_owned()));
        };
        let mut grouped = Grouped { protocol, studies: BTreeMap::new(), costs: BTreeMap::new() };
        for record in records {
            match record {
                Record::Protocol(_) => {}
                Record::Run(run) => grouped.add(run)?,
                Record::StepCost(cost) => {
                    let place = grouped.place(&cost.problem, &cost.optimizer)?;
                    grouped.costs.insert(place, cost);
                }
            }
        }
        for study in grouped.studies.values_mut().flatten() {
            for runs in [&mut study.trials, &mut study.repeats, &mut study.finals] {
                runs.sort_by_key(|run| (run.trial, run.repeat));
            }
        }
        Ok(grouped)
    }

    fn add(&mut self, run: &'a Run) -> Result<()> {
        let place = self.place(&run.problem, &run.optimizer)?;
        let studies = self.studies.entry(place).or_default();
        let at = match studies.binary_search_by_key(&run.study, |study| study.number) {
            Ok(at) => at,
            Err(at) => {
                studies.insert(at, StudyRuns { number: run.study, ..StudyRuns::default() });
                at
            }
        };
        match run.stage {
            Stage::Trial => studies[at].trials.push(run),
            Stage::Repeat => studies[at].repeats.push(run),
            Stage::Final => studies[at].finals.push(run),
        }
        Ok(())
    }

    fn place(&self, problem: &str, optimizer: &str) -> Result<(usize, usize)> {
        let unknown = |what: &str, name: &str| {
            Error::Mismatch(format!("runs.jsonl: the {what} \"{name}\" of a record is not in its protocol"))
        };
        let problem_at = self.protocol.problems.iter().position(|p| p.name == problem);
        let optimizer_at = self.protocol.optimizers.iter().position(|o| o.name == optimizer);
        Ok((
            problem_at.ok_or_else(|| unknown("problem", problem))?,
            optimizer_at.ok_or_else(|| unknown("optimizer", optimizer))?,
        ))
    }

    /// The problems with their numbers.
    pub fn problems(&self) -> impl Iterator<Item = (usize, &'a ProblemRecord)> {
        self.protocol.problems.iter().enumerate()
    }

    /// The optimizers with their numbers.
    pub fn optimizers(&self) -> impl Iterator<Item = (usize, &'a OptimizerRecord)> {
        self.protocol.optimizers.iter().enumerate()
    }

    /// The studies of an optimizer on a problem that have begun, sorted by number.
    pub fn studies(&self, problem: usize, optimizer: usize) -> &[StudyRuns<'a>] {
        self.studies.get(&(problem, optimizer)).map_or(&[], Vec::as_slice)
    }

    /// The trials of all studies of an optimizer on a problem.
    pub fn trials(&self, problem: usize, optimizer: usize) -> impl Iterator<Item = &'a Run> {
        self.studies(problem, optimizer).iter().flat_map(|study| study.trials.iter().copied())
    }

    /// The final runs of all studies of an optimizer on a problem.
    pub fn finals(&self, problem: usize, optimizer: usize) -> impl Iterator<Item = &'a Run> {
        self.studies(problem, optimizer).iter().flat_map(|study| study.finals.iter().copied())
    }

    /// The scores of the finished studies of an optimizer on a problem.
    pub fn scores(&self, problem: usize, optimizer: usize) -> Vec<f64> {
        self.studies(problem, optimizer).iter().filter_map(|study| study.score(&self.protocol.terms)).collect()
    }

    /// The scores of an optimizer's defaults on a problem, one for each study.
    pub fn untuned_scores(&self, problem: usize, optimizer: usize) -> Vec<f64> {
        self.studies(problem, optimizer).iter().filter_map(StudyRuns::untuned_score).collect()
    }

    /// Number of requested runs that are missing.
    pub fn missing_runs(&self) -> usize {
        let all = self.protocol.problems.len() * self.protocol.optimizers.len() * self.protocol.terms.runs();
        all.saturating_sub(self.studies.values().flatten().map(StudyRuns::runs).sum())
    }

    /// The cost of a step.
    pub fn cost(&self, problem: usize, optimizer: usize) -> Option<&'a StepCost> {
        self.costs.get(&(problem, optimizer)).copied()
    }
}

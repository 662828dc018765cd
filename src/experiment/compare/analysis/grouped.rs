//! Records by what they belong to.

use std::collections::HashMap;

use crate::experiment::compare::records::{OptimizerRecord, ProblemRecord, Protocol, Purpose, Record, Run, StepCost};
use crate::{Error, Result};

/// The records of a comparison by problem, optimizer and purpose.
#[derive(Debug)]
pub struct Grouped<'a> {
    /// What was asked for.
    pub protocol: &'a Protocol,
    runs: HashMap<(usize, usize, Purpose), Vec<&'a Run>>,
    costs: HashMap<(usize, usize), &'a StepCost>,
}

impl<'a> Grouped<'a> {
    /// Sorts records; runs of one group stand in the order of their numbers.
    ///
    /// # Errors
    /// [`Error::Mismatch`] where the protocol is missing, or a record names a problem or an optimizer that the protocol
    /// does not have.
    pub fn new(records: &'a [Record]) -> Result<Grouped<'a>> {
        let protocols = records.iter().filter_map(|r| if let Record::Protocol(p) = r { Some(p) } else { None });
        let [protocol] = protocols.collect::<Vec<_>>()[..] else {
            let message = "runs.jsonl: expected one record of kind \"protocol\"; was the file cut or put together?";
            return Err(Error::Mismatch(message.to_owned()));
        };
        let mut grouped = Grouped { protocol, runs: HashMap::new(), costs: HashMap::new() };
        for record in records {
            match record {
                Record::Protocol(_) => {}
                Record::Run(run) => {
                    let (problem, optimizer) = grouped.place(&run.problem, &run.optimizer)?;
                    grouped.runs.entry((problem, optimizer, run.purpose)).or_default().push(run);
                }
                Record::StepCost(cost) => {
                    let place = grouped.place(&cost.problem, &cost.optimizer)?;
                    grouped.costs.insert(place, cost);
                }
            }
        }
        grouped.runs.values_mut().for_each(|runs| runs.sort_by_key(|run| run.number));
        Ok(grouped)
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

    /// The runs of a problem, an optimizer and a purpose.
    pub fn runs(&self, problem: usize, optimizer: usize, purpose: Purpose) -> &[&'a Run] {
        self.runs.get(&(problem, optimizer, purpose)).map_or(&[], Vec::as_slice)
    }

    /// What a step costs.
    pub fn cost(&self, problem: usize, optimizer: usize) -> Option<&'a StepCost> {
        self.costs.get(&(problem, optimizer)).copied()
    }
}

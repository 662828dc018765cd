//! The studies of a comparison, and the runs that each of them is made of.

use super::protocol::{Setting, Stage, StudySeeds, finalists, winner};
use super::records::{Run, Terms};

/// The identity of a run.
#[derive(PartialEq, Eq, Hash)]
pub(super) struct Address<'a> {
    /// Problem and optimizer.
    pub(super) of: (&'a str, &'a str),
    /// Study, stage, trial and repeat.
    pub(super) place: (usize, Stage, usize, usize),
    pub(super) seed: u64,
}

impl Address<'_> {
    pub(super) fn of(run: &Run) -> Address<'_> {
        Address {
            of: (&run.problem, &run.optimizer),
            place: (run.study, run.stage, run.trial, run.repeat),
            seed: run.seed,
        }
    }
}

/// One study of one optimizer on one problem.
pub(super) struct Study {
    pub(super) contestant: usize,
    pub(super) optimizer: String,
    pub(super) number: usize,
    /// The settings of the trials; the first are the defaults.
    pub(super) settings: Vec<Setting>,
    pub(super) seeds: StudySeeds,
}

impl Study {
    /// The runs of a stage. `runs` has the runs of the earlier stages, of all studies of the problem.
    pub(super) fn jobs(&self, stage: Stage, terms: &Terms, runs: &[Run]) -> Vec<RunJob> {
        let own = |stage: Stage| -> Vec<&Run> {
            let is_own = |run: &&Run| run.optimizer == self.optimizer && run.study == self.number && run.stage == stage;
            runs.iter().filter(is_own).collect()
        };
        let (tried, repeats) = match stage {
            Stage::Trial => ((0..self.settings.len()).collect(), 1),
            Stage::Repeat => (finalists(own(Stage::Trial), terms.finalist_count()), terms.repeats),
            Stage::Final => {
                let winner = winner(&own(Stage::Trial), &own(Stage::Repeat), terms.finalist_count());
                (winner.into_iter().collect::<Vec<usize>>(), terms.seeds)
            }
        };
        let job = |trial: usize, repeat| RunJob {
            contestant: self.contestant,
            study: self.number,
            stage,
            trial,
            repeat,
            seed: self.seeds.of(stage, repeat),
            setting: self.settings[trial].clone(),
        };
        tried
            .into_iter()
            .flat_map(|trial| (0..repeats).map(move |repeat| (trial, repeat)))
            .map(|(t, r)| job(t, r))
            .collect()
    }
}

/// A run that is to be made.
pub(super) struct RunJob {
    pub(super) contestant: usize,
    pub(super) study: usize,
    pub(super) stage: Stage,
    pub(super) trial: usize,
    pub(super) repeat: usize,
    pub(super) seed: u64,
    pub(super) setting: Setting,
}

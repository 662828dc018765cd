//! Which runs a study makes: settings, seeds, and how the best are chosen.

use std::collections::BTreeMap;

use rand::Rng;

use super::contestant::Contestant;
use super::records::Run;
pub use super::records::{Stage, Terms};
use crate::experiment::quasi_random::points;
use crate::rng::{Purpose, stream};

/// Studies, trials and seeds at most: far more than any machine can run.
pub const MOST: usize = 10_000;

/// What a run is trained with.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// The optimizer, as `--optimizer` reads it.
    pub spec: String,
    /// The schedule, as `--schedule` reads it.
    pub schedule: String,
    /// The searched numbers by name; none for the defaults.
    pub values: BTreeMap<String, f64>,
}

impl Terms {
    /// The default form.
    pub const fn full(seed: u64) -> Terms {
        Terms { studies: 8, trials: 12, finalists: 3, repeats: 2, seeds: 2, seed }
    }

    /// The quick form.
    pub const fn quick(seed: u64) -> Terms {
        Terms { studies: 4, trials: 6, finalists: 2, repeats: 1, seeds: 1, seed }
    }

    /// Finalists of a study: no more than there are trials, and none where a single trial leaves nothing to choose.
    pub fn finalist_count(&self) -> usize {
        if self.trials < 2 { 0 } else { self.finalists.min(self.trials) }
    }

    /// Runs of one study.
    pub fn runs_of_study(&self) -> usize {
        self.trials + self.finalist_count() * self.repeats + self.seeds
    }

    /// Runs of one optimizer on one problem.
    pub fn runs(&self) -> usize {
        self.studies * self.runs_of_study()
    }
}

/// The random numbers of one study. They depend on the seed of the comparison, on the names of problem and optimizer and
/// on the number of the study, so no two studies share a point of the space or the seed of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct StudySeeds {
    /// Seed of the points that are tried.
    pub points: u64,
    /// Seed of all trials: they begin with the same weights and see the rows in the same order.
    pub trials: u64,
    /// Seeds of the repeats, the same for all finalists.
    pub repeats: Vec<u64>,
    /// Seeds of the final runs.
    pub finals: Vec<u64>,
}

impl StudySeeds {
    /// Those of study `number` of an optimizer on a problem.
    pub fn new(terms: &Terms, problem: &str, optimizer: &str, number: usize) -> StudySeeds {
        let mut rng = stream(terms.seed, Purpose::Study, fnv1a(&[problem, optimizer]), number as u64);
        let mut next = || u64::from(rng.next_u32());
        StudySeeds {
            points: next(),
            trials: next(),
            repeats: (0..terms.repeats).map(|_| next()).collect(),
            finals: (0..terms.seeds).map(|_| next()).collect(),
        }
    }

    /// The seed of a run of this stage.
    pub fn of(&self, stage: Stage, repeat: usize) -> u64 {
        match stage {
            Stage::Trial => self.trials,
            Stage::Repeat => self.repeats[repeat],
            Stage::Final => self.finals[repeat],
        }
    }
}

/// The hash FNV-1a of the texts, each with its end: Fowler, Noll & Vo, RFC 9923.
fn fnv1a(texts: &[&str]) -> u64 {
    let bytes = texts.iter().flat_map(|text| text.bytes().chain([0xFF]));
    bytes.fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3))
}

/// The optimizer's own defaults, with the schedule of `gradlane train`.
pub fn defaults(contestant: &Contestant) -> Setting {
    Setting {
        spec: contestant.default_spec().to_owned(),
        schedule: contestant.default_schedule().to_owned(),
        values: BTreeMap::new(),
    }
}

/// The settings that a study tries: the defaults, then `trials - 1` points spread evenly over the space. The last
/// coordinate of a point chooses the schedule.
pub fn settings(contestant: &Contestant, trials: usize, points_seed: u64) -> Vec<Setting> {
    let dimensions = contestant.dimensions();
    let setting = |point: &Vec<f64>| {
        let (spec, values) = contestant.at(&point[..dimensions]);
        let schedules = contestant.schedules();
        let schedule = schedules[(point[dimensions] * schedules.len() as f64) as usize];
        Setting { spec, schedule: schedule.to_owned(), values }
    };
    let points = points(dimensions + 1, trials.saturating_sub(1), points_seed);
    std::iter::once(defaults(contestant)).chain(points.iter().map(setting)).take(trials).collect()
}

/// Numbers of the `count` trials with the least validation loss, the best first, the earlier of equal ones first. A trial
/// that diverged is the worst.
pub fn finalists<'a>(trials: impl IntoIterator<Item = &'a Run>, count: usize) -> Vec<usize> {
    let mut trials: Vec<&Run> = trials.into_iter().collect();
    trials.sort_by(|a, b| a.best_val_loss().total_cmp(&b.best_val_loss()).then(a.trial.cmp(&b.trial)));
    trials.iter().take(count).map(|run| run.trial).collect()
}

/// The number of the setting that a study chooses: of the finalists that with the least mean validation loss over its trial
/// and its repeats, the better trial of equal ones; the best trial where there are no finalists. `None` without trials.
pub fn winner(trials: &[&Run], repeats: &[&Run], count: usize) -> Option<usize> {
    let finalists = finalists(trials.iter().copied(), count.max(1));
    let mean = |number: &usize| {
        let runs = trials.iter().chain(repeats).filter(|run| run.trial == *number);
        let losses: Vec<f64> = runs.map(|run| run.best_val_loss()).collect();
        losses.iter().sum::<f64>() / losses.len() as f64
    };
    finalists.into_iter().min_by(|a, b| mean(a).total_cmp(&mean(b)))
}

#[cfg(test)]
mod tests;

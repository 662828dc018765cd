//! The protocol of a study: its settings and seeds, and how the best settings are chosen.

use std::collections::BTreeMap;

use rand::Rng;

use super::contestant::Contestant;
use super::records::Run;
pub use super::records::{Stage, Terms};
use crate::experiment::quasi_random::points;
use crate::rng::{Purpose, stream};

/// Upper limit of the numbers of studies, trials and seeds: far more than any machine can run.
pub const MOST: usize = 10_000;

/// The setting of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// The optimizer, as `--optimizer` reads it.
    pub spec: String,
    /// The schedule, as `--schedule` reads it.
    pub schedule: String,
    /// The searched numbers by name; empty for the defaults.
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

    /// Finalists of a study: at most the number of trials, and none if there is only one trial.
    pub fn finalist_count(&self) -> usize {
        if self.trials < 2 { 0 } else { self.finalists.min(self.trials) }
    }

    /// Number of runs of one study.
    pub fn runs_of_study(&self) -> usize {
        self.trials + self.finalist_count() * self.repeats + self.seeds
    }

    /// Number of runs of one optimizer on one problem.
    pub fn runs(&self) -> usize {
        self.studies * self.runs_of_study()
    }
}

/// The seeds of one study. They depend on the seed of the comparison, the names of problem and optimizer, and the number of
/// the study. So studies do not share points of the space or seeds of runs.
#[derive(Debug, Clone, PartialEq)]
pub struct StudySeeds {
    /// Seed of the tried points.
    pub points: u64,
    /// Seed of all trials, which have the same initial weights and the same order of rows.
    pub trials: u64,
    /// Seeds of the repeats, the same for all finalists.
    pub repeats: Vec<u64>,
    /// Seeds of the final runs.
    pub finals: Vec<u64>,
}

impl StudySeeds {
    /// The seeds of study `number` of an optimizer on a problem.
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

/// The FNV-1a hash of the texts, each followed by the byte 0xFF: Fowler, Noll & Vo, RFC 9923.
fn fnv1a(texts: &[&str]) -> u64 {
    let bytes = texts.iter().flat_map(|text| text.bytes().chain([0xFF]));
    bytes.fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3))
}

/// The optimizer's defaults, with the schedule of `gradlane train`.
pub fn defaults(contestant: &Contestant) -> Setting {
    Setting {
        spec: contestant.default_spec().to_owned(),
        schedule: contestant.default_schedule().to_owned(),
        values: BTreeMap::new(),
    }
}

/// The settings that a study tries: the defaults, then `trials - 1` quasi-random points of the space. The last coordinate of
/// a point chooses the schedule.
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

/// Numbers of the `count` trials with the lowest validation loss, best first; of equal ones, the earlier first. Trials that
/// diverged come last.
pub fn finalists<'a>(trials: impl IntoIterator<Item = &'a Run>, count: usize) -> Vec<usize> {
    let mut trials: Vec<&Run> = trials.into_iter().collect();
    trials.sort_by(|a, b| a.best_val_loss().total_cmp(&b.best_val_loss()).then(a.trial.cmp(&b.trial)));
    trials.iter().take(count).map(|run| run.trial).collect()
}

/// The number of the setting that a study chooses: among the finalists, the one with the lowest mean validation loss over
/// its trial and repeats; of equal ones, the one with the better trial. If `count` is 0, the best trial. `None` without
/// trials.
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

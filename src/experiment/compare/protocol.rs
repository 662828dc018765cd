//! Which runs a comparison makes: seeds, trials, and how the best trial is chosen.

use std::collections::BTreeMap;

use super::contestant::Contestant;
pub use super::records::Purpose;
use super::records::Run;
use crate::experiment::quasi_random::points;

/// Trials and seeds at most, so that seeds of different purposes stay apart.
pub const MOST: usize = 10_000;
/// Seeds that belong to one `--seed`.
const SEEDS: u64 = 1_000_000;
/// The first of final runs among them; tuning begins at 0.
const FINAL: u64 = 500_000;

/// How much is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Tuning runs for each optimizer and problem.
    pub trials: usize,
    /// Final runs for each optimizer and problem, of the tuned and of the untuned setting each.
    pub seeds: usize,
    /// Where all seeds begin.
    pub seed: u64,
}

/// What a run is trained with.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// The optimizer, as `--optimizer` reads it.
    pub spec: String,
    /// The schedule, as `--schedule` reads it.
    pub schedule: String,
    /// The searched numbers by name.
    pub values: BTreeMap<String, f64>,
}

impl Terms {
    /// Trials and seeds where nothing else is said.
    pub const fn full(seed: u64) -> Terms {
        Terms { trials: 15, seeds: 10, seed }
    }

    /// Those of the quick form.
    pub const fn quick(seed: u64) -> Terms {
        Terms { trials: 5, seeds: 3, seed }
    }

    /// Runs of one optimizer on one problem.
    pub fn runs(&self) -> usize {
        self.trials + 2 * self.seeds
    }

    /// Seed of the run of this purpose and number, whatever problem and optimizer: no final run has the seed of a trial.
    pub fn seed_of(&self, purpose: Purpose, number: usize) -> u64 {
        let first = self.seed.wrapping_mul(SEEDS);
        let offset = if purpose == Purpose::Tuning { 0 } else { FINAL };
        first.wrapping_add(offset + number as u64)
    }

    /// The settings to try. Optimizers share the coordinates that their spaces have in common by position.
    pub fn trials(&self, contestant: &Contestant) -> Vec<Setting> {
        let points = points(contestant.dimensions(), self.trials, self.seed);
        let setting = |(number, point): (usize, &Vec<f64>)| {
            let (spec, values) = contestant.at(point);
            Setting { spec, schedule: schedule(contestant.schedules(), number).to_owned(), values }
        };
        points.iter().enumerate().map(setting).collect()
    }

    /// The optimizer's own defaults, with the schedule of `gradlane train`.
    pub fn untuned(contestant: &Contestant) -> Setting {
        Setting {
            spec: contestant.default_spec().to_owned(),
            schedule: contestant.default_schedule().to_owned(),
            values: BTreeMap::new(),
        }
    }
}

/// The schedule of a trial: of two in a row, one of each where there are two. The turn is that of Thue and Morse, by the
/// number of ones in binary; plain alternation would follow the last binary digit, which also decides the half of the axis
/// in which a Halton point lies, so one schedule would see small learning rates alone.
fn schedule(schedules: &[&'static str], trial: usize) -> &'static str {
    schedules[trial.count_ones() as usize % schedules.len()]
}

/// The trial with the lowest final validation loss, the first of equal ones; one that diverged only where all did. `None`
/// where there are no trials.
pub fn best<'a>(trials: impl IntoIterator<Item = &'a Run>) -> Option<&'a Run> {
    trials.into_iter().min_by(|a, b| a.final_val_loss().total_cmp(&b.final_val_loss()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::compare::records::searched_rate;

    #[test]
    fn seeds_of_trials_and_final_runs_are_apart() {
        let mut seen = std::collections::HashSet::new();
        for seed in [0, 1, 2] {
            let terms = Terms { trials: MOST, seeds: MOST, seed };
            for n in 0..MOST {
                assert!(
                    seen.insert(terms.seed_of(Purpose::Tuning, n)) && seen.insert(terms.seed_of(Purpose::Tuned, n))
                );
                assert_eq!(terms.seed_of(Purpose::Tuned, n), terms.seed_of(Purpose::Untuned, n), "pairs");
            }
        }
    }

    #[test]
    fn schedules_share_trials_and_learning_rates_evenly() {
        let trials = Terms { trials: 16, seeds: 1, seed: 0 }.trials(&"sgd".parse().unwrap());
        let of = |schedule: &str| -> Vec<f64> {
            trials.iter().filter(|t| t.schedule == schedule).map(|t| t.values["lr"]).collect()
        };
        for lrs in ["const", "cosine"].map(of) {
            assert_eq!(lrs.len(), 8);
            let middle = (1e-3f64 * 3.0).sqrt();
            assert_eq!(lrs.iter().filter(|lr| **lr < middle).count(), 4, "{lrs:?}");
        }
    }

    #[test]
    fn optimizers_share_the_points_of_their_common_dimensions() {
        let terms = Terms::full(3);
        let of = |text: &str| terms.trials(&text.parse().unwrap());
        let (sgd, momentum) = (of("sgd"), of("momentum"));
        assert_eq!((sgd.len(), momentum.len()), (15, 15));
        for (a, b) in sgd.iter().zip(&momentum) {
            assert_eq!((a.values["lr"], &a.schedule), (b.values["effective_lr"], &b.schedule));
            assert_eq!(searched_rate(&a.values), searched_rate(&b.values));
        }
        assert_eq!(of("a=adam"), of("b=adam"));
        assert_eq!(Terms { trials: 5, ..terms }.trials(&"sgd".parse().unwrap()), sgd[..5]);
        assert_ne!(of("sgd"), Terms::full(4).trials(&"sgd".parse().unwrap()));
    }

    #[test]
    fn the_best_trial_has_not_diverged() {
        let run = |number: usize, val_loss: Option<f64>, diverged: bool| Run {
            problem: "p".to_owned(),
            optimizer: "o".to_owned(),
            purpose: Purpose::Tuning,
            number,
            seed: 0,
            spec: "sgd".to_owned(),
            schedule: "const".to_owned(),
            values: BTreeMap::new(),
            diverged,
            curve: Vec::new(),
            val_loss,
            test_loss: None,
            test_score: None,
            seconds: 0.0,
        };
        let trials = [run(0, None, true), run(1, Some(2.0), false), run(2, Some(1.0), false), run(3, Some(1.0), false)];
        let number = |trials: &[Run]| best(trials).map(|run| run.number);
        assert_eq!(number(&trials), Some(2));
        assert_eq!(number(&[run(0, Some(0.1), true), run(1, Some(9.0), false)]), Some(1));
        assert_eq!(number(&[run(0, None, true), run(1, None, true)]), Some(0));
        assert_eq!(number(&[]), None);
    }
}

use std::collections::HashSet;

use super::*;

fn contestant(text: &str) -> Contestant {
    text.parse().unwrap()
}

fn run(stage: Stage, trial: usize, val_loss: Option<f64>) -> Run {
    Run {
        problem: "p".to_owned(),
        optimizer: "o".to_owned(),
        study: 0,
        stage,
        trial,
        repeat: 0,
        seed: 0,
        spec: "sgd".to_owned(),
        schedule: "const".to_owned(),
        values: BTreeMap::new(),
        diverged: val_loss.is_none(),
        curve: Vec::new(),
        best_step: None,
        val_loss,
        test_loss: None,
        test_score: None,
        last_test_loss: None,
        seconds: 0.0,
    }
}

#[test]
fn studies_share_neither_points_nor_seeds() {
    let mut seen = HashSet::new();
    for seed in [0, 1] {
        for problem in ["digits", "credit"] {
            for optimizer in ["adam", "sgd"] {
                for number in 0..50 {
                    let study = StudySeeds::new(&Terms::full(seed), problem, optimizer, number);
                    let all = [vec![study.points, study.trials], study.repeats, study.finals].concat();
                    assert!(all.into_iter().all(|seed| seen.insert(seed)), "{problem} {optimizer} {number}");
                }
            }
        }
    }
    // The texts are separated: "ab" + "c" differs from "a" + "bc".
    assert_ne!(fnv1a(&["ab", "c"]), fnv1a(&["a", "bc"]));
    // One step on from the published value for the bytes of "a", 0xAF63_DC4C_8601_EC8C; computed in Python.
    assert_eq!(fnv1a(&["a"]), 0x089B_C907_B544_C769);
}

#[test]
fn the_defaults_are_the_first_trial_and_fewer_trials_are_a_prefix() {
    let adam = contestant("adam");
    let many = settings(&adam, 12, 7);
    assert_eq!(many.len(), 12);
    assert_eq!(many[0], defaults(&adam));
    assert_eq!((many[0].spec.as_str(), many[0].schedule.as_str()), ("adam", "cosine"));
    assert_eq!(settings(&adam, 5, 7), many[..5]);
    assert_eq!(settings(&adam, 0, 7), []);
    assert_ne!(settings(&adam, 12, 8)[1..], many[1..]);
    assert!(many[1..].iter().all(|setting| setting.values.len() == 4));
}

#[test]
fn schedules_are_evenly_distributed_over_the_trials() {
    let settings = settings(&contestant("sgd"), 31, 3);
    for schedule in contestant("sgd").schedules() {
        let count = settings[1..].iter().filter(|setting| setting.schedule == *schedule).count();
        assert!((9..=11).contains(&count), "{schedule}: {count} of 30");
    }
    let averaging = self::settings(&contestant("schedulefree"), 10, 3);
    assert!(averaging.iter().all(|setting| setting.schedule == "const"));
}

#[test]
fn finalists_are_the_best_trials() {
    let losses = [None, Some(2.0), Some(1.0), Some(1.0), Some(3.0)];
    let trials: Vec<Run> = losses.iter().enumerate().map(|(n, loss)| run(Stage::Trial, n, *loss)).collect();
    assert_eq!(finalists(&trials, 3), [2, 3, 1]);
    assert_eq!(finalists(&trials, 9), [2, 3, 1, 4, 0]);
    assert_eq!(finalists([], 3), [0; 0]);
}

#[test]
fn the_winner_has_the_least_mean() {
    let trials = [Some(1.0), Some(1.2), Some(5.0)];
    let trials: Vec<Run> = trials.iter().enumerate().map(|(n, loss)| run(Stage::Trial, n, *loss)).collect();
    let trials: Vec<&Run> = trials.iter().collect();
    let repeats =
        [run(Stage::Repeat, 0, Some(2.0)), run(Stage::Repeat, 1, Some(1.1)), run(Stage::Repeat, 2, Some(0.1))];
    let repeats: Vec<&Run> = repeats.iter().collect();
    assert_eq!(
        winner(&trials, &repeats, 2),
        Some(1),
        "the lucky trial is worse on a further seed; the third is no finalist"
    );
    assert_eq!(winner(&trials, &[], 2), Some(0));
    assert_eq!(winner(&trials, &[], 0), Some(0));
    assert_eq!(winner(&[], &[], 3), None);
    let diverged = [run(Stage::Repeat, 1, None), run(Stage::Repeat, 0, Some(9.0))];
    assert_eq!(winner(&trials, &diverged.iter().collect::<Vec<_>>(), 2), Some(0));
}

#[test]
fn runs_are_counted() {
    assert_eq!((Terms::full(0).runs_of_study(), Terms::full(0).runs()), (20, 160));
    assert_eq!((Terms::quick(0).runs_of_study(), Terms::quick(0).runs()), (9, 36));
    assert_eq!(Terms { trials: 1, ..Terms::full(0) }.runs_of_study(), 3);
    assert_eq!(Terms { trials: 2, ..Terms::full(0) }.runs_of_study(), 8);
}

//! Runs every example program. The programs assert their claims themselves.

#[allow(dead_code, reason = "`main` takes minutes")]
#[path = "../examples/compare_bank.rs"]
mod compare_bank;
#[allow(dead_code, reason = "`main` takes minutes")]
#[path = "../examples/compare_targets.rs"]
mod compare_targets;
#[path = "../examples/line_fit.rs"]
mod line_fit;
#[path = "../examples/logistic_unit.rs"]
mod logistic_unit;
#[path = "../examples/worked_example.rs"]
mod worked_example;

#[test]
fn the_worked_example_runs() {
    worked_example::main();
}

#[test]
fn the_line_fit_example_runs() {
    line_fit::main();
}

#[test]
fn the_logistic_unit_example_runs() {
    logistic_unit::main();
}

#[test]
fn a_derived_target_is_near_the_committed_one() {
    use gradlane::experiment::compare::{Problem, problem};
    // With fewer settings and steps the derived target is higher. It cannot be far below the committed one, since the
    // minimum is the same.
    let problem = Problem { steps: 6_000, ..problem("ill_conditioned", None).unwrap() };
    let derived = compare_targets::derive(&problem, 8, 3).unwrap();
    let committed = problem.target.unwrap();
    assert_eq!((derived.medians.len(), derived.medians[2]), (5, derived.val_loss), "half of the steps");
    assert!((committed * 0.9..0.5).contains(&derived.val_loss), "{} for {committed}", derived.val_loss);
    assert!(!derived.setting.values.is_empty());
}

#[test]
fn a_bank_has_the_planned_number_of_entries() {
    use gradlane::experiment::compare::{Problem, problem};
    let problem = Problem { steps: 30, ..problem("diabetes", None).unwrap() };
    let entries = compare_bank::record(&problem, "adam").unwrap();
    assert_eq!(entries.len(), 40 + 200 + 100 * 4);
}

#[test]
fn every_example_is_run_here() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".rs"))
        .collect();
    names.sort();
    assert_eq!(
        names,
        ["compare_bank.rs", "compare_targets.rs", "line_fit.rs", "logistic_unit.rs", "worked_example.rs"]
    );
}

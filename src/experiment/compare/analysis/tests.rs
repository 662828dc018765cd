use super::analyse;
use crate::experiment::compare::records::{Record, Run, Stage};
use crate::experiment::compare::simulated::{FOUR, Simulated};
use crate::experiment::compare::summary::{PairVerdict, ProblemResult, Summary};
use crate::experiment::compare::summary_tables;

fn small() -> Simulated {
    Simulated { problems: 3, studies: 8, trials: 5, diverging: 0.0, ..Simulated::tied() }
}

fn runs(records: &mut [Record]) -> impl Iterator<Item = &mut Run> {
    records.iter_mut().filter_map(|record| if let Record::Run(run) = record { Some(run) } else { None })
}

fn result<'a>(summary: &'a Summary, problem: usize, optimizer: &str) -> &'a ProblemResult {
    summary.problems[problem].results.iter().find(|result| result.optimizer == optimizer).unwrap()
}

#[test]
fn one_optimizer_under_two_names_is_no_difference() {
    let mut simulated = Simulated { diverging: 0.1, ..small() };
    simulated.optimizers = vec![FOUR[0], FOUR[3], ("also_adam", "adam", 0.0)];
    let mut records = simulated.records(1);
    let adams: Vec<Run> = runs(&mut records).filter(|run| run.optimizer == "adam").map(|run| run.clone()).collect();
    for (run, adam) in runs(&mut records).filter(|run| run.optimizer == "also_adam").zip(adams) {
        *run = Run { optimizer: "also_adam".to_owned(), ..adam };
    }
    let summary = analyse(&records).unwrap();
    let pair =
        summary.pairs.iter().map(|pair| &pair.overall).find(|pair| pair.a == "adam" && pair.b == "also_adam").unwrap();
    assert_eq!((pair.effect, pair.p, pair.p_holm, pair.verdict), (0.0, 1.0, 1.0, PairVerdict::NoDifferenceShown));
    assert_eq!(summary.optimizers[1].normalised_loss, summary.optimizers[2].normalised_loss);
}

#[test]
fn the_order_of_records_does_not_matter_and_json_keeps_all() {
    let records = small().records(2);
    let mut shuffled = records.clone();
    shuffled[1..].reverse();
    let summary = analyse(&records).unwrap();
    assert_eq!(analyse(&shuffled).unwrap(), summary);
    let text = serde_json::to_string(&summary).unwrap();
    assert_eq!(serde_json::from_str::<Summary>(&text).unwrap(), summary);
}

#[test]
fn a_clear_difference_is_a_verdict_in_words() {
    let mut simulated = Simulated::tied();
    simulated.optimizers[0].2 = 5.0;
    let summary = analyse(&simulated.records(3)).unwrap();
    assert!(summary.any_difference);
    let sgd = &summary.optimizers[0];
    assert_eq!((sgd.wins, sgd.losses), (0, 3));
    let start = "As tuned: momentum, rmsprop and adam are each better than sgd; no difference is shown between momentum and rmsprop";
    assert!(summary.verdict.starts_with(start), "{}", summary.verdict);
    assert!(summary.verdict.contains("8 problems, with 8 studies of each optimizer on each"), "{}", summary.verdict);
    assert!(sgd.normalised_loss.low > summary.optimizers[1].normalised_loss.high, "{:?}", summary.optimizers);
    for pair in &summary.pairs {
        let is_sgd = pair.overall.a == "sgd";
        assert_eq!(pair.by_problem.unwrap().differs, is_sgd);
        // A study that diverged can prevent the verdict on its problem.
        let better = pair.problems.iter().filter(|on| on.verdict == PairVerdict::BBetter).count();
        assert_eq!(better >= 4, is_sgd, "{pair:?}");
    }
}

/// One optimizer is better on every second problem and worse on the others.
#[test]
fn differences_that_cancel_are_reported_by_problem() {
    let mut simulated = Simulated { diverging: 0.0, ..Simulated::tied() };
    simulated.optimizers.truncate(2);
    let mut records = simulated.records(3);
    for run in runs(&mut records).filter(|run| run.optimizer == "sgd" && run.stage == Stage::Final) {
        let better = ["digits", "wine", "deep", "noisy"].contains(&run.problem.as_str());
        run.test_loss = run.test_loss.map(|loss| loss * if better { 0.3 } else { 3.0 });
    }
    let summary = analyse(&records).unwrap();
    assert!(!summary.any_difference);
    let pair = &summary.pairs[0];
    assert_eq!((pair.overall.verdict, pair.overall.effect), (PairVerdict::NoDifferenceShown, 0.0));
    assert!(pair.by_problem.unwrap().differs);
    for on in &pair.problems {
        let better = ["digits", "wine", "deep", "noisy"].contains(&on.problem.as_str());
        assert_eq!(on.verdict, if better { PairVerdict::ABetter } else { PairVerdict::BBetter });
        let (low, high) = (on.low.unwrap(), on.high.unwrap());
        assert!(if better { high < 1.0 } else { low > 1.0 }, "{on:?}");
    }
    let words = "sgd and momentum differ by problem: sgd is better on digits, wine, deep and noisy, momentum is better on credit,";
    assert!(summary.verdict.contains(words), "{}", summary.verdict);
}

#[test]
fn equal_optimizers_show_no_difference() {
    let summary = analyse(&small().records(4)).unwrap();
    assert!(!summary.any_difference);
    let start = "As tuned: no difference is shown between sgd, momentum, rmsprop and adam.";
    assert!(summary.verdict.starts_with(start), "{}", summary.verdict);
}

#[test]
fn few_runs_cannot_decide() {
    let tiny = Simulated { problems: 1, studies: 3, ..small() };
    let summary = analyse(&tiny.records(5)).unwrap();
    // 2 of the 20 ways to divide six studies, for each of 6 pairs.
    assert_eq!((summary.power.studies, summary.power.smallest_p), (3, 6.0 * (2.0 / 20.0)));
    assert_eq!(summary.power.detectable_effect, None);
    assert!(summary.pairs.iter().all(|pair| pair.overall.verdict == PairVerdict::CannotDecide));
    assert!(summary.untuned.iter().all(|pair| pair.verdict == PairVerdict::CannotDecide));
    assert!(
        summary.verdict.starts_with("As tuned: too few runs with a result to decide between sgd, momentum"),
        "{}",
        summary.verdict
    );
    assert!(summary.caveats.iter().any(|c| c.contains("cannot show a difference")), "{:?}", summary.caveats);
    let quick = Simulated { problems: 3, studies: 4, ..small() };
    let summary = analyse(&quick.records(5)).unwrap();
    assert!(summary.power.detectable_effect.is_some_and(|effect| effect > 0.5));
    assert!(summary.pairs.iter().all(|pair| pair.overall.verdict == PairVerdict::NoDifferenceShown));
    let single = || summary.pairs.iter().flat_map(|pair| &pair.problems);
    assert!(single().all(|on| on.verdict == PairVerdict::CannotDecide));
    assert!(summary.pairs.iter().all(|pair| pair.by_problem.is_none()));
    assert!(summary.caveats[0].contains("quick form: 3 problems and 4 studies of 13 runs"), "{:?}", summary.caveats);
}

#[test]
fn optimizers_that_always_diverge_cannot_be_told_apart() {
    let mut records = small().records(6);
    for run in runs(&mut records).filter(|run| ["sgd", "adam"].contains(&run.optimizer.as_str())) {
        run.diverged = true;
    }
    let summary = analyse(&records).unwrap();
    let verdict = |a: &str, b: &str| {
        let pair = summary.pairs.iter().find(|pair| pair.overall.a == a && pair.overall.b == b).unwrap();
        pair.overall.verdict
    };
    assert_eq!(verdict("sgd", "adam"), PairVerdict::CannotDecide);
    assert_eq!(verdict("sgd", "momentum"), PairVerdict::BBetter);
    assert!(summary.warnings.iter().any(|w| w.starts_with("Every trial of sgd diverged on digits, credit and wine")));
}

#[test]
fn an_optimizer_worse_than_its_special_case_is_warned_about() {
    let mut simulated = Simulated::tied();
    simulated.optimizers[3].2 = 5.0;
    let warnings = analyse(&simulated.records(6)).unwrap().warnings;
    for special in ["momentum", "rmsprop"] {
        let start = format!("adam is worse than {special}");
        assert!(warnings.iter().any(|w| w.starts_with(&start) && w.contains("too short")), "{warnings:?}");
    }
    assert!(!warnings.iter().any(|w| w.starts_with("momentum is worse")), "{warnings:?}");
}

#[test]
fn the_studies_needed_for_single_problems_grow_with_the_number_of_tests() {
    use super::studies_for;
    // With eight studies the smallest p is 2 / C(16, 8), which allows 96 tests at 1.5 %.
    assert_eq!(
        [studies_for(4, 12), studies_for(4, 16), studies_for(4, 17), studies_for(5, 12), studies_for(1, 1)],
        [8, 8, 9, 9, 8]
    );
}

#[test]
fn a_narrower_space_causes_no_warning_about_special_cases() {
    let mut simulated = Simulated::tied();
    simulated.optimizers[3].2 = 5.0;
    let mut records = simulated.records(6);
    let Record::Protocol(protocol) = &mut records[0] else { panic!("the protocol comes first") };
    let adam = &mut protocol.optimizers[3].space;
    adam.iter_mut().find(|dimension| dimension.name == "lr").unwrap().high = 0.1;
    let warnings = analyse(&records).unwrap().warnings;
    assert!(!warnings.iter().any(|w| w.contains("adam is worse than")), "{warnings:?}");
}

#[test]
fn bests_on_edges_are_warned_about() {
    let mut records = small().records(7);
    for run in runs(&mut records).filter(|run| run.optimizer == "sgd" && run.trial > 0) {
        run.values.insert("lr".to_owned(), 0.99);
    }
    for run in runs(&mut records).filter(|run| run.optimizer == "sgd" && run.stage == Stage::Final && run.trial == 0) {
        // The chosen setting must not be the defaults.
        (run.trial, run.values) = (1, [("lr".to_owned(), 0.99)].into());
    }
    let summary = analyse(&records).unwrap();
    assert!(result(&summary, 0, "sgd").chosen.iter().all(|chosen| chosen.edges == ["lr"]));
    let warning = summary.warnings.iter().find(|w| w.starts_with("The best lr of sgd lies on an edge")).unwrap();
    assert!(warning.contains("1e-4 to 1") && warning.contains("on digits, credit and wine"), "{warning}");
    assert!(!summary.warnings.iter().any(|w| w.contains("rmsprop lies")), "{:?}", summary.warnings);
}

#[test]
fn the_expected_loss_falls_with_the_number_of_trials() {
    let summary = analyse(&small().records(12)).unwrap();
    for optimizer in &summary.optimizers {
        assert_eq!(optimizer.gains.len(), 5, "the defaults, then four more trials");
        assert!(optimizer.gains.windows(2).all(|pair| pair[1] <= pair[0]), "{:?}", optimizer.gains);
        assert!(optimizer.gains[4] < optimizer.gains[0]);
    }
}

#[test]
fn one_trial_and_one_study_give_neither_caveat_nor_interval() {
    let summary = analyse(&Simulated { studies: 1, trials: 1, ..small() }.records(14)).unwrap();
    assert!(!summary.caveats.iter().any(|caveat| caveat.contains("as tuned is above")), "{:?}", summary.caveats);
    assert!(summary.optimizers.iter().all(|of| of.profile_score.low.is_none()), "{:?}", summary.optimizers);
}

#[test]
fn a_speed_score_has_an_interval_around_it() {
    let summary = analyse(&Simulated::tied().records(13)).unwrap();
    for optimizer in &summary.optimizers {
        let super::Estimate { value: Some(value), low: Some(low), high: Some(high) } = optimizer.profile_score else {
            panic!("{optimizer:?}")
        };
        assert!(low <= value && value <= high && (0.0..=1.0).contains(&low) && high <= 1.0, "{optimizer:?}");
    }
}

#[test]
fn a_missing_target_is_the_median_of_tuned_momentum() {
    let summary = analyse(&Simulated { targets: false, studies: 5, ..small() }.records(8)).unwrap();
    for problem in 0..3 {
        let momentum = result(&summary, problem, "momentum");
        assert_eq!(summary.problems[problem].target, momentum.tuned.val_loss.value);
        // Of five studies, the median one and the two below it reach the median loss, each with both runs.
        assert_eq!((momentum.to_target.hits, momentum.to_target.of), (6, 10));
    }
    assert!(summary.problems[0].target_source.contains("final runs of momentum"));
}

#[test]
fn misses_are_infinite_in_medians() {
    let mut records = small().records(9);
    let steps = [Some(300), Some(100), None, Some(200)].repeat(4);
    let sgd = |run: &Run| run.problem == "digits" && run.optimizer == "sgd" && run.stage == Stage::Final;
    for (run, hit) in runs(&mut records).filter(|run| sgd(run)).zip(steps) {
        let point = |step| crate::experiment::compare::records::Point {
            step,
            train_loss: None,
            val_loss: Some(if hit.is_some_and(|hit| step >= hit) { 0.0 } else { 1e9 }),
        };
        run.curve = (1..=5).map(|n| point(100 * n)).collect();
    }
    let summary = analyse(&records).unwrap();
    let to_target = result(&summary, 0, "sgd").to_target;
    assert_eq!((to_target.hits, to_target.of, to_target.steps), (12, 16, Some(250.0)));
    assert_eq!(to_target.quartiles, [Some(175.0), to_target.quartiles[1]]);
    // Epochs follow each other without a gap, so every step has 32 rows.
    assert_eq!(to_target.samples, Some(250.0 * 32.0));
    assert_eq!(to_target.seconds, Some(250.0 * 40.0 * 1e-6));
    assert_eq!(to_target.seconds_quartiles[0], Some(175.0 * 38.0 * 1e-6));
}

#[test]
fn an_unfinished_comparison_is_reported_without_verdicts() {
    let records = small().records(10);
    for kept in [1, 2, 10, 40, 300, records.len() - 1] {
        let summary = analyse(&records[..kept]).unwrap();
        assert!(summary.warnings.iter().any(|w| w.contains("not finished")), "{kept}: {:?}", summary.warnings);
        assert!(!summary_tables(&summary).is_empty());
        assert!(!summary.any_difference);
        assert!(summary.pairs.iter().all(|pair| pair.overall.verdict == PairVerdict::CannotDecide));
    }
}

#[test]
fn records_that_do_not_belong_together_are_refused() {
    let mut records = small().records(11);
    assert!(analyse(&records[1..]).unwrap_err().to_string().contains("\"protocol\""));
    let Record::Run(run) = records.iter().find(|r| matches!(r, Record::Run(_))).unwrap().clone() else {
        unreachable!()
    };
    records.push(Record::Run(Run { problem: "other".to_owned(), ..run }));
    assert!(analyse(&records).unwrap_err().to_string().contains("problem \"other\""));
}

#[test]
fn tables_have_a_cell_for_each_column() {
    let summary = analyse(&small().records(12)).unwrap();
    let tables = summary_tables(&summary);
    assert_eq!(tables.iter().map(|table| table.rows.len()).collect::<Vec<_>>(), [4, 6, 4, 6, 12]);
    for table in tables {
        assert!(table.rows.iter().all(|row| row.len() == table.header.len()), "{table:?}");
    }
}

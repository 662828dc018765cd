use super::analyse;
use crate::experiment::compare::records::{Purpose, Record, Run};
use crate::experiment::compare::simulated::{FOUR, Simulated};
use crate::experiment::compare::summary::{PairVerdict, ProblemResult, Summary};
use crate::experiment::compare::summary_tables;

fn small() -> Simulated {
    Simulated { problems: 3, seeds: 4, trials: 5, diverging: 0.0, ..Simulated::tied() }
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
    let pair = summary.pairs.iter().find(|pair| pair.a == "adam" && pair.b == "also_adam").unwrap();
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
    assert!(summary.verdict.starts_with("momentum, rmsprop and adam are each better than sgd."), "{}", summary.verdict);
    assert!(summary.verdict.contains("8 problems with 10 seeds each"), "{}", summary.verdict);
    assert!(sgd.normalised_loss.low > summary.optimizers[1].normalised_loss.high, "{:?}", summary.optimizers);
}

#[test]
fn nothing_but_chance_is_no_difference() {
    let summary = analyse(&small().records(4)).unwrap();
    assert!(!summary.any_difference);
    assert!(summary.verdict.starts_with("No difference is shown between sgd, momentum, rmsprop and adam."));
}

#[test]
fn few_runs_say_what_they_cannot_show() {
    let tiny = Simulated { problems: 1, seeds: 3, ..small() };
    let summary = analyse(&tiny.records(5)).unwrap();
    // 2 / 2³ for each of 6 pairs.
    assert_eq!((summary.power.paired_runs, summary.power.smallest_p, summary.power.detectable_sd), (3, 1.0, None));
    assert!(summary.caveats.iter().any(|c| c.contains("no difference can be shown at all")), "{:?}", summary.caveats);
    let quick = Simulated { problems: 3, seeds: 3, ..small() };
    let summary = analyse(&quick.records(5)).unwrap();
    assert_eq!(summary.power.smallest_p, 6.0 * 2.0 / 512.0);
    assert!(summary.caveats[0].contains("quick form: 3 problems, 5 trials and 3 seeds"), "{:?}", summary.caveats);
}

#[test]
fn an_optimizer_below_its_special_case_was_tuned_too_little() {
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
fn bests_on_edges_are_warned_about() {
    let mut records = small().records(7);
    for run in runs(&mut records).filter(|run| run.purpose == Purpose::Tuning && run.optimizer == "sgd") {
        run.val_loss = run.val_loss.map(|_| 1.0 / run.values["lr"]);
        run.diverged = false;
    }
    let summary = analyse(&records).unwrap();
    let best = result(&summary, 0, "sgd").best.as_ref().unwrap();
    // The last trial but those that diverged has the greatest learning rate, though the space goes on: not an edge.
    assert!(best.edges.is_empty(), "{best:?}");
    for run in runs(&mut records).filter(|run| run.purpose == Purpose::Tuning && run.optimizer == "sgd") {
        run.val_loss = Some(1.0 / run.values["lr"]);
    }
    let summary = analyse(&records).unwrap();
    assert_eq!(result(&summary, 0, "sgd").best.as_ref().unwrap().edges, ["lr"]);
    let warning = summary.warnings.iter().find(|w| w.starts_with("The best lr of sgd lies on an edge")).unwrap();
    assert!(warning.contains("digits (") && warning.contains(" and wine ("), "{warning}");
}

#[test]
fn a_missing_target_is_the_median_of_tuned_momentum() {
    let summary = analyse(&Simulated { targets: false, seeds: 5, ..small() }.records(8)).unwrap();
    for problem in 0..3 {
        let momentum = result(&summary, problem, "momentum");
        assert_eq!(summary.problems[problem].target, momentum.tuned.val_loss.value);
        // The middle run of five and the two below it reach their own median.
        assert_eq!((momentum.to_target.hits, momentum.to_target.of), (3, 5));
    }
    assert!(summary.problems[0].target_source.contains("tuned runs of momentum"));
}

#[test]
fn misses_are_infinite_in_medians() {
    let mut records = small().records(9);
    let steps = [Some(300), Some(100), None, Some(200)];
    let sgd = |run: &Run| run.problem == "digits" && run.optimizer == "sgd" && run.purpose == Purpose::Tuned;
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
    assert_eq!((to_target.hits, to_target.of, to_target.steps), (3, 4, Some(250.0)));
    assert_eq!(to_target.quartiles, [Some(175.0), None]);
    // Epochs follow each other without a gap: every step has 32 rows.
    assert_eq!(to_target.samples, Some(250.0 * 32.0));
    assert_eq!(to_target.seconds, Some(250.0 * 40.0 * 1e-6));
}

#[test]
fn a_comparison_that_was_ended_early_is_still_told() {
    let records = small().records(10);
    for kept in [1, 2, 10, 40, records.len() - 1] {
        let summary = analyse(&records[..kept]).unwrap();
        assert!(summary.warnings.iter().any(|w| w.contains("not finished")), "{kept}: {:?}", summary.warnings);
        assert!(!summary_tables(&summary).is_empty());
        assert!(!summary.any_difference);
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
    assert_eq!(tables.iter().map(|table| table.rows.len()).collect::<Vec<_>>(), [4, 6, 12]);
    for table in tables {
        assert!(table.rows.iter().all(|row| row.len() == table.header.len()), "{table:?}");
    }
}

//! Real comparisons of an optimizer with itself. A false claim must not be more frequent than promised.

use std::sync::atomic::AtomicUsize;

use super::analyse;
use super::problems::{Problem, problem};
use super::records::{Record, Terms};
use super::runner::Comparison;
use super::summary::{PairVerdict, Summary};
use crate::kernel::Isa;
use crate::train::team::available_threads;

/// Problems with much random variation after so few steps.
const PROBLEMS: [&str; 4] = ["breast_cancer", "credit", "diabetes", "noisy_labels"];
const STEPS: u64 = 100;
const REPORTS: u64 = 100;

/// Whether a report claims any difference in any table.
fn claims(summary: &Summary) -> bool {
    let claimed = |verdict: PairVerdict| matches!(verdict, PairVerdict::ABetter | PairVerdict::BBetter);
    let pair = |pair: &super::summary::Pair| {
        claimed(pair.overall.verdict)
            || pair.by_problem.is_some_and(|by_problem| by_problem.differs)
            || pair.problems.iter().any(|on| claimed(on.verdict))
    };
    summary.pairs.iter().any(pair) || summary.untuned.iter().any(|pair| claimed(pair.verdict))
}

fn report(seed: u64) -> Summary {
    let short = |name: &&str| Problem { steps: STEPS, ..problem(name, None).expect("a built-in problem") };
    let comparison = Comparison {
        problems: PROBLEMS.iter().map(short).collect(),
        contestants: ["a=adam", "b=adam"].map(|text| text.parse().expect("an optimizer")).to_vec(),
        terms: Terms::full(seed),
        quick: true,
        command: "gradlane compare".to_owned(),
        isa: Isa::detect(),
        threads: available_threads(),
    };
    let mut records: Vec<Record> = Vec::new();
    let finished = comparison.run(&AtomicUsize::new(0), &mut |record, _| {
        records.push(record.clone());
        Ok(())
    });
    assert!(finished.expect("all runs are made"));
    analyse(&records).expect("the records are whole")
}

/// The expected number of false claims in 100 reports is at most five. At that rate, ten or more occur with probability
/// 1/35.
#[test]
#[ignore = "takes minutes"]
fn adam_against_itself_is_no_difference() {
    let claimed: Vec<u64> = (0..REPORTS).filter(|seed| claims(&report(*seed))).collect();
    println!("{} of {REPORTS} reports of adam against itself claim something: seeds {claimed:?}", claimed.len());
    assert!(claimed.len() < 10, "{claimed:?}");
}

//! Records the results of many settings of four optimizers on the built-in problems of `gradlane compare`, for the
//! simulation that measures how often its verdicts are wrong.
//!
//! ```text
//! cargo run --release --example compare_bank | gzip -9 > tests/data/compare_bank.csv.gz
//! ```
//!
//! To record only some problems, append `--` and their names. Each optimizer has 200 random settings of its space and its
//! defaults on each problem. Every setting is run with one seed, the better half of them with four more seeds, and the
//! defaults with 40 seeds. The losses are those at the step with the lowest validation loss; they are empty if the run
//! diverged. No comparison uses the same points and seeds. This takes about as long as four comparisons.

use std::io::Write;
use std::sync::atomic::AtomicUsize;

use gradlane::experiment::compare::{
    Contestant, Problem, RunOutcome, Setting, default_names, defaults, problem, settings, train_once,
};
use gradlane::experiment::side_by_side;
use gradlane::kernel::Isa;
use gradlane::train::team::available_threads;
use gradlane::{Error, Result};

/// Optimizers that are recorded.
const OPTIMIZERS: [&str; 4] = ["sgd", "momentum", "rmsprop", "adam"];
/// Number of random settings for each optimizer.
const SETTINGS: usize = 200;
/// Number of seeds for the better half of the settings, and below for the defaults.
const SEEDS: u64 = 5;
const DEFAULT_SEEDS: u64 = 40;
/// Seed of the points and first seed of the runs. Comparisons use only seeds of 32 bits.
const FIRST_SEED: u64 = 1 << 40;

/// A run: the number of its setting (0 for the defaults), the number of its seed, and its outcome.
pub struct Entry {
    setting: usize,
    seed: u64,
    outcome: RunOutcome,
}

/// Makes the runs of one optimizer on a problem.
pub fn record(problem: &Problem, name: &str) -> Result<Vec<Entry>> {
    let contestant: Contestant = name.parse()?;
    let mut all = settings(&contestant, SETTINGS + 1, FIRST_SEED);
    all[0] = defaults(&contestant);
    let first: Vec<(usize, u64)> =
        (0..DEFAULT_SEEDS).map(|seed| (0, seed)).chain((1..=SETTINGS).map(|setting| (setting, 0))).collect();
    let mut entries = run(problem, &all, &first)?;
    let mut order: Vec<&Entry> = entries.iter().filter(|entry| entry.setting > 0).collect();
    let loss = |entry: &Entry| entry.outcome.val_loss.unwrap_or(f64::INFINITY);
    order.sort_by(|a, b| loss(a).total_cmp(&loss(b)));
    let better: Vec<(usize, u64)> =
        order[..SETTINGS / 2].iter().flat_map(|e| (1..SEEDS).map(|seed| (e.setting, seed))).collect();
    entries.extend(run(problem, &all, &better)?);
    Ok(entries)
}

fn run(problem: &Problem, all: &[Setting], jobs: &[(usize, u64)]) -> Result<Vec<Entry>> {
    let never = AtomicUsize::new(0);
    let entries = side_by_side(available_threads(), jobs, |(setting, seed)| {
        let outcome = train_once(problem, &all[*setting], FIRST_SEED + seed, Isa::detect(), &never)?;
        Ok(outcome.map(|outcome| Entry { setting: *setting, seed: *seed, outcome }))
    });
    Ok(entries.into_iter().collect::<Result<Vec<Option<Entry>>>>()?.into_iter().flatten().collect())
}

/// Prints the table.
pub fn main() -> Result<()> {
    let mut out = std::io::stdout().lock();
    let wrong = |e| Error::io("standard output", e);
    writeln!(out, "problem,optimizer,setting,seed,val_loss,test_loss").map_err(wrong)?;
    let asked: Vec<String> = std::env::args().skip(1).collect();
    for name in default_names().into_iter().filter(|name| asked.is_empty() || asked.iter().any(|a| a == name)) {
        let problem = problem(name, None)?;
        for optimizer in OPTIMIZERS {
            let began = std::time::Instant::now();
            for Entry { setting, seed, outcome } in record(&problem, optimizer)? {
                let loss = |loss: Option<f64>| loss.map(|loss| format!("{loss:.5e}")).unwrap_or_default();
                let (val, test) = (loss(outcome.val_loss), loss(outcome.test_loss));
                writeln!(out, "{name},{optimizer},{setting},{seed},{val},{test}").map_err(wrong)?;
            }
            out.flush().map_err(wrong)?;
            eprintln!("{name} {optimizer}: {:.0} s", began.elapsed().as_secs_f64());
        }
    }
    Ok(())
}

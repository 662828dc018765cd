//! Derives the losses to reach on the built-in problems of `gradlane compare`.
//!
//! ```text
//! cargo run --release --example compare_targets > targets.toml
//! mv targets.toml src/experiment/compare/problems/
//! ```
//!
//! The rule, after MLCommons AlgoPerf: 40 settings each of nesterov and of adamw without decay, well beyond what a
//! comparison tries, are run for half of a problem's steps. (Decay lowers the validation loss of a small data
//! set by other means than minimising, and optimizers without it would all miss.) The best by final validation loss is
//! run again with 20 fresh seeds; the median of their final validation losses is the target. Points and seeds are such as
//! no comparison uses. With MNIST's files in `datasets/mnist` its problem is among them.

use std::sync::atomic::AtomicUsize;

use gradlane::experiment::compare::{
    Contestant, Outcome, Problem, Setting, Terms, find_mnist, names, problem, train_once,
};
use gradlane::experiment::side_by_side;
use gradlane::experiment::statistics::median;
use gradlane::kernel::Isa;
use gradlane::train::team::available_threads;
use gradlane::{Error, Result};

/// Whose settings are tried: none of those that are compared unless the user says so.
const OPTIMIZERS: [&str; 2] = ["nesterov", "adamw:weight_decay=0"];
/// Settings of each, and final runs.
const TRIALS: usize = 40;
const SEEDS: usize = 20;
/// First seeds of trials and of final runs; comparisons use others.
const TRIAL_SEED: u64 = 900_000;
const FINAL_SEED: u64 = 950_000;
/// Seed of the points in the space.
const POINTS_SEED: u64 = 950_000;

/// The target of one problem and the setting that reached it.
pub struct Target {
    /// Validation loss.
    pub val_loss: f64,
    /// Of the best setting.
    pub setting: Setting,
}

/// Derives a target from `trials` settings of each optimizer and `seeds` final runs.
pub fn derive(problem: &Problem, trials: usize, seeds: usize) -> Result<Target> {
    let problem = Problem { steps: problem.steps / 2, ..problem.clone() };
    let terms = Terms { trials, seeds, seed: POINTS_SEED };
    let contestants = OPTIMIZERS.iter().map(|name| name.parse()).collect::<Result<Vec<Contestant>>>()?;
    let settings: Vec<Setting> = contestants.iter().flat_map(|contestant| terms.trials(contestant)).collect();

    let numbered: Vec<(u64, &Setting)> =
        settings.iter().enumerate().map(|(i, s)| (TRIAL_SEED + (i % trials) as u64, s)).collect();
    let losses = losses(&problem, &numbered)?;
    let best = (0..settings.len()).min_by(|a, b| losses[*a].total_cmp(&losses[*b])).expect("there are trials");

    let again: Vec<(u64, &Setting)> = (0..seeds as u64).map(|i| (FINAL_SEED + i, &settings[best])).collect();
    let val_loss = median(&self::losses(&problem, &again)?).expect("there are final runs");
    Ok(Target { val_loss, setting: settings[best].clone() })
}

/// Final validation losses, infinite where a run diverged.
fn losses(problem: &Problem, runs: &[(u64, &Setting)]) -> Result<Vec<f64>> {
    let never = AtomicUsize::new(0);
    let outcomes = side_by_side(available_threads(), runs, |(seed, setting)| {
        train_once(problem, setting, *seed, Isa::detect(), &never)
    });
    let loss = |outcome: Option<Outcome>| outcome.and_then(|o| o.val_loss).unwrap_or(f64::INFINITY);
    outcomes.into_iter().map(|outcome| outcome.map(loss)).collect()
}

/// Prints the table.
pub fn main() -> Result<()> {
    let mnist = find_mnist();
    println!("# Made by examples/compare_targets.rs, which states the rule. Not to be changed by hand.");
    for name in names() {
        let problem = match problem(name, mnist.as_deref()) {
            Err(Error::Io { .. }) => {
                eprintln!("{name}: its files are not at hand, left out");
                continue;
            }
            problem => problem?,
        };
        let began = std::time::Instant::now();
        let Target { val_loss, setting } = derive(&problem, TRIALS, SEEDS)?;
        eprintln!("{name}: {val_loss:.6} in {:.1} s", began.elapsed().as_secs_f64());
        println!("\n[{name}]\nval_loss = {val_loss:?}");
        println!("optimizer = \"{}\"\nschedule = \"{}\"", setting.spec, setting.schedule);
    }
    Ok(())
}

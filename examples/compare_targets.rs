//! Derives the target losses of the built-in problems of `gradlane compare`.
//!
//! ```text
//! cargo run --release --example compare_targets > targets.toml
//! mv targets.toml src/experiment/compare/problems/
//! ```
//!
//! To derive only some targets, append `--` and the names of problems.
//!
//! The rule: 40 settings each of nesterov and of adamw without decay, many more than a comparison tries, are run for a
//! problem's steps. (Weight decay lowers the validation loss of a small data set by regularisation, so optimizers without it
//! would all miss the target.) The best setting by final validation loss is run again with 20 fresh seeds. The target is the
//! median of their validation losses after half of the steps. So a well-tuned optimizer reaches it in about half of the
//! budget, and a slightly worse one still has the other half. No comparison uses the same points and seeds. The problem
//! `mnist` is included if MNIST's files are found. The medians after other parts of the steps are printed to standard error.

use std::sync::atomic::AtomicUsize;

use gradlane::experiment::compare::{
    Contestant, Problem, RunOutcome, Setting, find_mnist, names, problem, settings, train_once,
};
use gradlane::experiment::side_by_side;
use gradlane::kernel::Isa;
use gradlane::statistics::median;
use gradlane::train::team::available_threads;
use gradlane::{Error, Result};

/// The optimizers whose settings are tried. By default a comparison includes neither.
const OPTIMIZERS: [&str; 2] = ["nesterov", "adamw:weight_decay=0"];
/// Number of settings for each optimizer, and below of final runs.
const TRIALS: usize = 40;
const SEEDS: usize = 20;
/// First seeds of trials and of final runs, and the seed of the points. Comparisons use only seeds of 32 bits.
const TRIAL_SEED: u64 = 1 << 41;
const FINAL_SEED: u64 = 1 << 42;
const POINTS_SEED: u64 = 1 << 41;

/// Twentieths of the steps after which losses are printed. The target is the loss at the middle one.
const TOLD: [u64; 5] = [5, 8, 10, 12, 20];
const PARTS: u64 = 20;

/// The target of one problem and the setting that reached it.
pub struct Target {
    /// Validation loss.
    pub val_loss: f64,
    /// The best setting.
    pub setting: Setting,
    /// Medians of its validation losses at the points of `TOLD`.
    pub medians: Vec<f64>,
}

/// Derives a target from `trials` settings of each optimizer and `seeds` final runs.
pub fn derive(problem: &Problem, trials: usize, seeds: usize) -> Result<Target> {
    let contestants = OPTIMIZERS.iter().map(|name| name.parse()).collect::<Result<Vec<Contestant>>>()?;
    // The first settings are the defaults; they are left out.
    let tried = |contestant: &Contestant| settings(contestant, trials + 1, POINTS_SEED).split_off(1);
    let settings: Vec<Setting> = contestants.iter().flat_map(tried).collect();

    let numbered: Vec<(u64, &Setting)> =
        settings.iter().enumerate().map(|(i, s)| (TRIAL_SEED + (i % trials) as u64, s)).collect();
    let curves = curves(problem, &numbered)?;
    let points = problem.points();
    let place = |part: u64| points.iter().position(|step| *step == (part * problem.steps).div_ceil(PARTS));
    let last = points.len() - 1;
    let best = (0..settings.len()).min_by(|a, b| at(&curves[*a], last).total_cmp(&at(&curves[*b], last)));
    let setting = settings[best.expect("there are trials")].clone();

    let again: Vec<(u64, &Setting)> = (0..seeds as u64).map(|i| (FINAL_SEED + i, &setting)).collect();
    let curves = self::curves(problem, &again)?;
    let median_at = |point| median(&curves.iter().map(|curve| at(curve, point)).collect::<Vec<_>>());
    let medians: Vec<f64> = TOLD.into_iter().filter_map(|part| median_at(place(part)?)).collect();
    Ok(Target { val_loss: medians[TOLD.len() / 2], setting, medians })
}

/// The validation loss at a point of a curve; infinite if the run diverged before.
fn at(curve: &[f64], point: usize) -> f64 {
    curve.get(point).copied().unwrap_or(f64::INFINITY)
}

/// The validation losses of each run; shorter for a run that diverged.
fn curves(problem: &Problem, runs: &[(u64, &Setting)]) -> Result<Vec<Vec<f64>>> {
    let never = AtomicUsize::new(0);
    let outcomes = side_by_side(available_threads(), runs, |(seed, setting)| {
        train_once(problem, setting, *seed, Isa::detect(), &never)
    });
    let losses = |outcome: Option<RunOutcome>| {
        let curve = outcome.map(|outcome| outcome.curve).unwrap_or_default();
        curve.iter().map(|point| point.val_loss.unwrap_or(f64::INFINITY)).collect()
    };
    outcomes.into_iter().map(|outcome| outcome.map(losses)).collect()
}

/// Prints the table.
pub fn main() -> Result<()> {
    let mnist = find_mnist();
    println!("# Made by examples/compare_targets.rs, which states the rule. Not to be changed by hand.");
    let asked: Vec<String> = std::env::args().skip(1).collect();
    for name in names().into_iter().filter(|name| asked.is_empty() || asked.iter().any(|asked| asked == name)) {
        let problem = match problem(name, mnist.as_deref()) {
            Err(Error::Io { .. }) => {
                eprintln!("{name}: its files are not at hand, left out");
                continue;
            }
            problem => problem?,
        };
        let began = std::time::Instant::now();
        let Target { val_loss, setting, medians } = derive(&problem, TRIALS, SEEDS)?;
        let told: Vec<String> =
            TOLD.iter().zip(&medians).map(|(part, loss)| format!("{} % {loss:.5}", part * 5)).collect();
        eprintln!("{name}: {} in {:.0} s", told.join(", "), began.elapsed().as_secs_f64());
        println!("\n[{name}]\nval_loss = {val_loss:?}");
        println!("optimizer = \"{}\"\nschedule = \"{}\"", setting.spec, setting.schedule);
    }
    Ok(())
}

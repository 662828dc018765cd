//! The tables of `bench`.

use gradlane::machine::{BenchRun, Limit, PhaseShare, Prediction, Together};
use gradlane::train::Phase;

use crate::cli::progress::thousands;
use crate::cli::table;

/// Threads used, and the limit if it differs.
fn of_limit(run: &BenchRun) -> String {
    if run.threads_used == run.threads {
        run.threads.to_string()
    } else {
        format!("{} of {}", run.threads_used, run.threads)
    }
}

/// `2 threads`.
pub fn threads(number: usize) -> String {
    format!("{number} thread{}", if number == 1 { "" } else { "s" })
}

/// Microseconds with three or four significant digits.
fn micros(us: f64) -> String {
    match us {
        us if us < 10.0 => format!("{us:.2}"),
        us if us < 1_000.0 => format!("{us:.1}"),
        us => thousands(us),
    }
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// One line for a run, while others are still to come.
pub fn progress(run: &BenchRun) -> String {
    format!("{}, {}: {} µs/step", run.workload, threads(run.threads_used), micros(run.us_per_step))
}

/// The runs, one in each row.
pub fn runs(runs: &[BenchRun]) -> String {
    let header =
        ["workload", "network", "threads", "µs/step", "±", "samples/s", "GFLOP/s", "roofline", "speed-up", "MB"];
    let row = |run: &BenchRun| {
        let one = runs.iter().find(|other| other.threads_used == 1 && same_work(run, other));
        let speed_up = one.map(|one| format!("{:.2} ×", one.us_per_step / run.us_per_step));
        vec![
            run.workload.clone(),
            network(run),
            of_limit(run),
            micros(run.us_per_step),
            percent(run.spread() / 2.0),
            thousands(run.samples_per_s),
            format!("{:.1}", run.gflops),
            percent(run.roofline),
            speed_up.unwrap_or("–".to_owned()),
            run.peak_rss_mb.map_or("–".to_owned(), thousands),
        ]
    };
    let rows: Vec<_> = runs.iter().map(row).collect();
    format!("{}\n{}", table::with_text(&header.map(str::to_owned), &rows, &[1]), footer(runs))
}

/// What all runs have in common, and the peak rates they are compared with.
fn footer(runs: &[BenchRun]) -> String {
    let Some(first) = runs.first() else { return String::new() };
    let mut text = format!(
        "{}, {}, {}; ± half the interquartile range of epochs; MB: peak memory\n",
        first.optimizer, first.precision, first.isa
    );
    let mut numbers: Vec<usize> = runs.iter().map(|run| run.threads_used).collect();
    numbers.sort_unstable();
    numbers.dedup();
    for number in numbers {
        let of = |figure: fn(&BenchRun) -> f64| {
            let values = || runs.iter().filter(|run| run.threads_used == number).map(figure);
            range(values().fold(f64::INFINITY, f64::min), values().fold(0.0, f64::max))
        };
        let (peak, memory) = (of(|run| run.peaks.fma_peak_gflops), of(|run| run.peaks.memory_gb_per_s));
        text +=
            &format!("peaks of {}: {peak} GFLOP/s, {memory} GB/s where the optimizer's state lies\n", threads(number));
    }
    text
}

fn range(least: f64, most: f64) -> String {
    if least.round() == most.round() { format!("{most:.0}") } else { format!("{least:.0} to {most:.0}") }
}

/// `784-128-10 b32`.
fn network(run: &BenchRun) -> String {
    let widths: Vec<String> = run.layers.iter().map(usize::to_string).collect();
    format!("{} b{}", widths.join("-"), run.batch)
}

fn same_work(a: &BenchRun, b: &BenchRun) -> bool {
    (&a.workload, &a.layers, a.batch) == (&b.workload, &b.layers, b.batch)
}

/// Each run beside the earlier one of the same work.
pub fn against(runs: &[BenchRun], earlier: &[BenchRun]) -> String {
    let header = ["workload", "threads", "earlier µs", "now µs", "earlier / now", "verdict"].map(str::to_owned);
    let found = |run: &BenchRun| earlier.iter().rfind(|other| run.compares_with(other));
    let row = |run: &BenchRun| {
        let cell = |text: &dyn Fn(&BenchRun) -> String| found(run).map_or("–".to_owned(), text);
        vec![
            run.workload.clone(),
            of_limit(run),
            cell(&|other| micros(other.us_per_step)),
            micros(run.us_per_step),
            cell(&|other| format!("{:.2} ×", other.us_per_step / run.us_per_step)),
            cell(&|other| verdict(other, run).to_owned()),
        ]
    };
    let rows: Vec<_> = runs.iter().map(row).collect();
    let mut text = format!("\n{}", table::with_text(&header, &rows, &[5]));
    if runs.iter().any(|run| found(run).is_none()) {
        text += "–: no earlier run of this work with these options, kernels and threads\n";
    }
    let elsewhere = |run: &BenchRun| found(run).filter(|other| other.processor != run.processor);
    if let Some(other) = runs.iter().find_map(elsewhere) {
        text += &format!("earlier runs are of another processor: {}\n", other.processor);
    }
    text
}

/// The verdict from the interquartile ranges of the epochs.
fn verdict(earlier: &BenchRun, now: &BenchRun) -> &'static str {
    if now.us_per_step_p75 < earlier.us_per_step_p25 {
        "faster"
    } else if now.us_per_step_p25 > earlier.us_per_step_p75 {
        "slower"
    } else {
        "within noise"
    }
}

/// The time of each phase of a run's steps.
pub fn profile(run: &BenchRun) -> String {
    let Some(profile) = &run.explain else { return String::new() };
    let header = ["phase", "µs", "share", "limit"].map(str::to_owned);
    let row = |part: &PhaseShare| vec![part.phase.name().to_owned(), micros(part.us), percent(part.share), limit(part)];
    let rows: Vec<_> = profile.phases.iter().map(row).collect();
    let title = format!("{} on {}, {} µs a step", run.workload, threads(run.threads_used), micros(run.us_per_step));
    let mut text = format!("\n{title}\n{}", table::with_text(&header, &rows, &[3]));
    if let Some(together) = profile.together.filter(|together| !together.is_disturbed()) {
        text += &costs(together);
    }
    text
}

fn costs(together: Together) -> String {
    let (number, barrier, line) = (threads(together.threads), together.barrier_ns, together.line_ns);
    format!("{number}: {barrier:.0} ns a barrier, {line:.1} ns a cache line that another core has just written\n")
}

fn limit(part: &PhaseShare) -> String {
    let name = match part.limit {
        Limit::Compute => "compute",
        Limit::Memory => "memory",
        Limit::Latency => "latency",
    };
    let Some(of_peak) = part.of_peak.map(percent) else { return name.to_owned() };
    match part.phase {
        Phase::Forward | Phase::BackwardToInputs | Phase::BackwardToWeights => {
            format!("{name}: {of_peak} of the FMA peak")
        }
        Phase::Barrier => format!("{name}: barriers alone {of_peak}, else waiting for the slowest"),
        _ => format!("{name}: {of_peak} of the bandwidth"),
    }
}

/// The predicted scaling of steps.
pub fn scaling(predictions: &[Prediction], together: Together, runs: &[BenchRun]) -> String {
    let Some(first) = predictions.first() else { return String::new() };
    let here = together.threads;
    let mut header = vec!["workload".to_owned(), "1 core".to_owned(), format!("{here}: model"), format!("{here}: run")];
    header.extend(first.cores.iter().map(|(cores, _)| format!("{cores} cores")));
    header.extend(["best".to_owned(), "-j auto".to_owned()]);
    let row = |prediction: &Prediction| {
        let run = runs.iter().find(|run| run.workload == prediction.workload && run.threads_used == here);
        let mut row = vec![prediction.workload.clone(), micros(prediction.one_us), micros(prediction.here.1)];
        row.push(run.map_or("–".to_owned(), |run| micros(run.us_per_step)));
        row.extend(prediction.cores.iter().map(|(_, us)| micros(*us)));
        row.push(format!("{} on {}", micros(prediction.best.1), prediction.best.0));
        row.push(prediction.auto.to_string());
        row
    };
    let rows: Vec<_> = predictions.iter().map(row).collect();
    format!(
        "\nprediction, not measured: µs a step with a thread on each core, from one thread's phases and the costs here\n{}\
         {}best: the threads beyond which nothing is gained; -j auto: the most that train would use\n",
        table::plain(&header, &rows),
        costs(together),
    )
}

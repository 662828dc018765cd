//! Trains gradlane's workloads with other Rust libraries and prints a line of JSON, as `gradlane bench --json` does.
//!
//! Usage: `gradlane-peers PEER WORKLOAD THREADS [EPOCHS]`. `PEER` is `candle` or `burn`. The optimizer is always Adam
//! with gradient clipping.

mod burn_mlp;
mod candle_mlp;

use std::error::Error;
use std::time::Instant;

use gradlane::data::{Dataset, Features, Targets, epoch_order};
use gradlane::machine::Workload;

/// A workload's rows as plain slices.
struct Rows<'a> {
    workload: &'a Workload,
    inputs: &'a [f32],
    targets: &'a Targets,
}

impl<'a> Rows<'a> {
    fn new(workload: &'a Workload, data: &'a Dataset) -> Rows<'a> {
        let Features::F32 { values, .. } = &data.features else { unreachable!("generated inputs are numbers") };
        Rows { workload, inputs: values, targets: &data.targets }
    }
}

/// Learning rate of Adam, and the upper limit of the gradient's norm.
const LR: f64 = 1e-3;
const CLIP_NORM: f64 = 1.0;

/// Median seconds of an epoch, after one warm-up epoch. `epoch` is called with the order of the rows.
fn time_epochs(
    rows: usize,
    epochs: usize,
    mut epoch: impl FnMut(&[u32]) -> Result<(), Box<dyn Error>>,
) -> Result<f64, Box<dyn Error>> {
    let (mut order, mut seconds) = (Vec::new(), Vec::new());
    for number in 0..=epochs {
        let start = Instant::now();
        epoch_order(rows, 0, number as u64, true, &mut order);
        epoch(&order)?;
        seconds.push(start.elapsed().as_secs_f64());
    }
    seconds.remove(0);
    seconds.sort_by(f64::total_cmp);
    Ok(seconds[seconds.len() / 2])
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [peer, name, threads, more @ ..] = args.as_slice() else {
        return Err("usage: gradlane-peers PEER WORKLOAD THREADS [EPOCHS]".into());
    };
    let threads: usize = threads.parse()?;
    let epochs: usize = more.first().map_or(Ok(3), |n| n.parse())?;
    // All of these libraries use rayon's global thread pool.
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
    let workload = Workload::named(name)?;
    let data = workload.data();
    let rows = Rows::new(&workload, &data);
    let seconds = match peer.as_str() {
        "candle" => candle_mlp::seconds(&rows, epochs)?,
        "burn" => burn_mlp::seconds(&rows, epochs, burn::tensor::Device::flex())?,
        other => return Err(format!("unknown peer {other}: candle, burn").into()),
    };
    let line = serde_json::json!({
        "peer": peer,
        "workload": name,
        "threads": threads,
        "optimizer": "adam",
        "samples_per_s": (workload.rows as f64 / seconds).round(),
        "us_per_step": seconds * 1e6 / workload.steps() as f64,
    });
    println!("{line}");
    Ok(())
}

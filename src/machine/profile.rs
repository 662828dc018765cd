//! The time of each phase of a step, and the limit of each phase.

use serde::{Deserialize, Serialize};

use super::peaks::{Footprint, Peaks, Together};
use super::workloads::Workload;
use crate::model::Layout;
use crate::train::team::available_threads;
use crate::train::{BLOCK_ROWS, Phase, splits_first_layer};

/// The limit of a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Limit {
    /// The FMA peak of the cores.
    Compute,
    /// The memory that holds the optimizer's state.
    Memory,
    /// The phase has too little work for either limit: start-up, waiting and other instructions dominate.
    Latency,
}

/// Compute or memory is the limit of a phase if it reaches this fraction of the peak.
const HELD: f64 = 0.4;

/// One phase of a step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PhaseShare {
    /// The phase.
    pub phase: Phase,
    /// Microseconds of a step that a thread spends in the phase, the mean over the threads.
    pub us: f64,
    /// Fraction of the step.
    pub share: f64,
    /// The limit of the phase.
    pub limit: Limit,
    /// For matrix products, the fraction of the FMA peak. For passes over parameters, the fraction of the bandwidth. For
    /// barriers, the fraction that barriers alone would cost; the rest is waiting for the slowest member. `None` for the loss,
    /// for the gather, whose rows are elsewhere in memory, and for barriers that were disturbed during their measurement.
    pub of_peak: Option<f64>,
}

/// All phases of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// The phases in order.
    pub phases: Vec<PhaseShare>,
    /// The cost of barriers and cache lines for these threads.
    pub together: Option<Together>,
}

/// Number of barriers of a step: one before the weight gradients of each block and one after them, one after the update, and
/// two around the first layer of a block if it is shared out by outputs.
pub(super) fn barriers(layout: &Layout, batch: usize, threads: usize) -> usize {
    let split = |rows: usize| if splits_first_layer(layout, threads, rows) { 2 } else { 0 };
    (0..batch).step_by(BLOCK_ROWS).map(|start| 2 + split(BLOCK_ROWS.min(batch - start))).sum::<usize>() + 1
}

impl Profile {
    /// A profile from the mean `seconds` of each phase, in the order of [`Phase::ALL`]. They were measured with clocks, which
    /// take time themselves, so only their proportions count. `us_per_step` is the time without clocks.
    pub(super) fn new(
        workload: &Workload,
        footprint: Footprint,
        seconds: &[f64; Phase::ALL.len()],
        us_per_step: f64,
        (threads, peaks): (usize, Peaks),
    ) -> Profile {
        let together = Together::measure(threads);
        let total: f64 = seconds.iter().sum();
        let turns = (threads as f64 / available_threads() as f64).max(1.0); // of more threads than CPUs
        let phase = |(phase, seconds): (Phase, &f64)| {
            let share = seconds / total;
            let us = share * us_per_step;
            let (limit, of_peak) = held(phase, (us, turns), workload, footprint, peaks, together);
            PhaseShare { phase, us, share, limit, of_peak }
        };
        Profile { phases: Phase::ALL.into_iter().zip(seconds).map(phase).collect(), together }
    }
}

/// The limit of a phase of `us` microseconds in each thread, and how near it comes. `turns` threads share a CPU.
fn held(
    phase: Phase,
    (us, turns): (f64, f64),
    workload: &Workload,
    footprint: Footprint,
    peaks: Peaks,
    together: Option<Together>,
) -> (Limit, Option<f64>) {
    let near = |peak: Limit, of: f64| (if of >= HELD { peak } else { Limit::Latency }, Some(of));
    let compute =
        |flops: f64| near(Limit::Compute, flops * workload.batch as f64 / (us * turns * 1e3) / peaks.fma_peak_gflops);
    let memory = |bytes: f64| near(Limit::Memory, bytes / (us * turns * 1e3) / peaks.memory_gb_per_s);
    let weights = |layers: &[usize]| layers.windows(2).map(|pair| 2.0 * (pair[0] * pair[1]) as f64).sum::<f64>();
    match phase {
        _ if us == 0.0 => (Limit::Latency, None),
        Phase::Forward | Phase::BackwardToWeights => compute(weights(&workload.layers)),
        Phase::BackwardToInputs => compute(weights(&workload.layers[1..])),
        Phase::Norm => memory((4 * footprint.parameters) as f64),
        Phase::Update => memory(footprint.bytes_moved()),
        Phase::Gather | Phase::Loss => (Limit::Latency, None),
        Phase::Barrier => {
            let layout = Layout::new(&workload.architecture());
            let count = |t: Together| barriers(&layout, workload.batch, t.threads) as f64;
            let alone = together.filter(|t| !t.is_disturbed()).map(|t| count(t) * t.barrier_ns / 1e3 / us);
            (Limit::Latency, alone.map(|of| of.min(1.0)))
        }
    }
}

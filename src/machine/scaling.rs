//! Predicts how the time of a step would scale on a machine with more cores than this one.

use super::bench::Subject;
use super::peaks::Together;
use super::profile::barriers;
use super::workloads::Workload;
use crate::Result;
use crate::config::BenchOptions;
use crate::kernel::panels;
use crate::layer::MemberRows;
use crate::model::{Layout, Slot};
use crate::statistics::quantile_of_sorted;
use crate::train::team::useful_threads;
use crate::train::{BLOCK_ROWS, Phase, splits_first_layer};

/// Numbers of cores to predict for.
pub const CORES: [usize; 3] = [8, 16, 64];
/// Numbers of threads of which the best is chosen.
const CANDIDATES: [usize; 13] = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96];
/// More threads are worth it only if they save at least this fraction of the time.
const WORTH: f64 = 0.02;

/// A model of a step's time on `T` threads, each on a core of its own:
///
/// `t(T) = R · r(T) + F · f(T) + S · s(T) + n · b · T / T₀ + ℓ(T) · c`
///
/// - `R`: time on one thread of the phases shared out by rows (gather, forward, loss, backward to inputs); `r(T)` is the
///   largest share of a thread, `⌈P / T⌉ / P` for the `P` panels of 16 rows of a block. A batch of 32 has two panels, so
///   beyond two threads this part gains nothing.
/// - `F`: time on one thread of the first layer's forward pass where it is shared out by outputs, as in small batches: the
///   part of the forward pass that its weights are of all weights. `f(T)` is `⌈Q / T⌉ / Q` for its `Q` panels of 16 outputs.
///   Elsewhere it is part of `R`.
/// - `S`: time on one thread of the phases shared out by slots of parameters (weight gradients, norm, update); `s(T)` is
///   the largest share that [`Layout::shares`] deals out.
/// - `n` barriers of a step, `b` the cost of one on the `T₀` threads of this machine. All members count up on one cache
///   line, one after the other, so the cost grows with `T`.
/// - `ℓ(T)`: cache lines that a thread reads after others have written them: the weights before forward, inputs and error
///   signals of its slots before the weight gradients, a line for each slot's sums; of all these `(T − 1) / T` were
///   written elsewhere. `c` is the cost of one such line, not hidden behind arithmetic: an upper bound.
///
/// `R` and `S` are measured, so they include how near one core comes to its peak. The model leaves out work stealing, lower
/// clock rates when many cores work, the bandwidth of memory in the update, several sockets, and SMT.
#[derive(Debug, Clone)]
pub struct ScalingModel {
    layout: Layout,
    batch: usize,
    rows_us: f64,
    first_us: f64,
    slots_us: f64,
    together: Together,
}

/// The prediction for a workload.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// Name of the workload.
    pub workload: String,
    /// Measured µs of a step on one thread.
    pub one_us: f64,
    /// Threads of this machine and µs on them, to compare with the measurement of `bench`.
    pub here: (usize, f64),
    /// Numbers of cores, and predicted µs of a step with one thread on each.
    pub cores: Vec<(usize, f64)>,
    /// The number of threads beyond which the time no longer falls, and µs with them.
    pub best: (usize, f64),
    /// The number of threads that `-j auto` would use on the largest machine; it limits threads that would not help.
    pub auto: usize,
}

impl ScalingModel {
    /// Measures a workload on one thread.
    ///
    /// # Errors
    /// As [`super::bench()`].
    pub fn measure(workload: &Workload, options: &BenchOptions, together: Together) -> Result<ScalingModel> {
        let mut subject = Subject::new(workload, 1, options);
        let us_per_step = quantile_of_sorted(&subject.time_steps(options.epochs)?, 0.5);
        // Clocks take time themselves, so only the proportions of their times count.
        let seconds = subject.phases()?;
        let total: f64 = seconds.iter().sum();
        let us = |phases: &[Phase]| phases.iter().map(|phase| seconds[*phase as usize] / total * us_per_step).sum();
        let weights: usize = workload.layers.windows(2).map(|pair| pair[0] * pair[1]).sum();
        let first_us = us(&[Phase::Forward]) * (workload.layers[0] * workload.layers[1]) as f64 / weights as f64;
        Ok(ScalingModel {
            layout: Layout::new(&workload.architecture()),
            batch: workload.batch,
            rows_us: us(&[Phase::Gather, Phase::Forward, Phase::Loss, Phase::BackwardToInputs]) - first_us,
            first_us,
            slots_us: us(&[Phase::BackwardToWeights, Phase::Norm, Phase::Update, Phase::Barrier]),
            together,
        })
    }

    /// Predicted µs of a step.
    pub fn us_per_step(&self, threads: usize) -> f64 {
        if threads == 1 {
            return self.rows_us + self.first_us + self.slots_us;
        }
        let barrier_us = self.together.barrier_ns / 1e3 * threads as f64 / self.together.threads as f64;
        let shares = self.layout.shares(threads);
        let members = shares.iter().map(|share| &self.layout.slots[share.clone()]);
        let most_lines = members.clone().map(|slots| self.foreign_lines(slots, threads)).fold(0.0, f64::max);
        let work = |slots: &[Slot]| slots.iter().map(|s| s.panels.len() * s.rows.len()).sum::<usize>();
        let most_work = members.map(work).max().unwrap_or(0) as f64 / work(&self.layout.slots) as f64;
        let of_rows = self.largest_share_of_rows(threads);
        let of_outputs = self.layout.tensors[0].panels;
        let of_first =
            if self.splits(threads) { of_outputs.div_ceil(threads) as f64 / of_outputs as f64 } else { of_rows };
        self.rows_us * of_rows
            + self.first_us * of_first
            + self.slots_us * most_work
            + barriers(&self.layout, self.batch, threads) as f64 * barrier_us
            + most_lines * self.together.line_ns / 1e3
    }

    /// Whether the first layer is shared out by outputs.
    fn splits(&self, threads: usize) -> bool {
        splits_first_layer(&self.layout, threads, self.batch.min(BLOCK_ROWS))
    }

    /// Panels of the busiest thread, divided by all panels of the batch.
    fn largest_share_of_rows(&self, threads: usize) -> f64 {
        let blocks = |f: &dyn Fn(usize) -> usize| -> usize {
            (0..self.batch).step_by(BLOCK_ROWS).map(|start| f(panels(BLOCK_ROWS.min(self.batch - start)))).sum()
        };
        blocks(&|panels| panels.div_ceil(threads)) as f64 / blocks(&|panels| panels) as f64
    }

    /// Cache lines that the owner of `slots` reads after other members have written them.
    fn foreign_lines(&self, slots: &[Slot], threads: usize) -> f64 {
        // If the first layer is split, a thread's outputs are, except at the ends, the slots that it updates.
        let skipped = usize::from(self.splits(threads));
        let weights: usize = self.layout.tensors.iter().skip(skipped).map(|t| t.panels * t.rows).sum();
        let panels_of_rows = panels(self.batch);
        let of_tensor = |number: usize| {
            let mine = || slots.iter().filter(move |slot| slot.tensor == number);
            let span = |range: fn(&Slot) -> &std::ops::Range<usize>| {
                let (first, last) = (mine().map(|s| range(s).start).min(), mine().map(|s| range(s).end).max());
                last.zip(first).map_or(0, |(last, first)| last - first)
            };
            (span(|s| &s.rows) + 16 * span(|s| &s.panels)) * panels_of_rows
        };
        let signals: usize = (0..self.layout.tensors.len()).map(of_tensor).sum();
        let lines = weights + signals + self.layout.slots.len();
        lines as f64 * (threads - 1) as f64 / threads as f64
    }

    /// The whole prediction.
    pub fn predict(&self, workload: &Workload) -> Prediction {
        let largest = CORES[CORES.len() - 1];
        let tried: Vec<(usize, f64)> =
            CANDIDATES.iter().filter(|t| **t <= largest).map(|t| (*t, self.us_per_step(*t))).collect();
        let fastest = tried.iter().map(|(_, us)| *us).fold(f64::INFINITY, f64::min);
        let best = tried.iter().find(|(_, us)| *us <= fastest * (1.0 + WORTH)).expect("the fastest is among them");
        let here = self.together.threads;
        let flops = workload.architecture().flops_per_sample(MemberRows::Shared) * workload.batch as f64;
        Prediction {
            workload: workload.name.clone(),
            one_us: self.us_per_step(1),
            here: (here, self.us_per_step(here)),
            cores: CORES.map(|cores| (cores, self.us_per_step(cores))).to_vec(),
            best: *best,
            auto: useful_threads(flops, largest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(name: &str, together: Together) -> (Workload, ScalingModel) {
        let workload = Workload::named(name).unwrap();
        let layout = Layout::new(&workload.architecture());
        let batch = workload.batch;
        (workload, ScalingModel { layout, batch, rows_us: 40.0, first_us: 20.0, slots_us: 40.0, together })
    }

    #[test]
    fn threads_that_cost_nothing_scale_until_the_panels_run_out() {
        let free = Together { threads: 2, barrier_ns: 0.0, line_ns: 0.0 };
        let (_, mnist) = model("mnist", free); // two panels of rows
        assert_eq!(mnist.us_per_step(1), 100.0);
        let slots = |threads| mnist.us_per_step(threads) - 20.0 - 20.0 / threads as f64; // eight panels of outputs
        assert!((slots(2) / 20.0 - 1.0).abs() < 0.05 && slots(8) < 40.0 / 8.0 * 1.2, "{} {}", slots(2), slots(8));
        let (_, huge) = model("huge", free); // 64 panels
        assert!((huge.us_per_step(64) / (100.0 / 64.0) - 1.0).abs() < 0.1);
    }

    #[test]
    fn costs_of_working_together_end_the_scaling() {
        let dear = Together { threads: 2, barrier_ns: 500.0, line_ns: 10.0 };
        let (workload, iris) = model("iris", dear);
        let prediction = iris.predict(&workload);
        assert!(prediction.best.0 < 8, "{prediction:?}");
        assert!(prediction.cores.windows(2).all(|pair| pair[0].1 < pair[1].1), "{prediction:?}");
        // Rows and the first layer are one panel each and gain nothing; three barriers of 0.5 µs are added.
        assert!(iris.us_per_step(2) > 60.0 + 1.5, "{prediction:?}");
        assert_eq!(prediction.here.0, 2);
    }
}

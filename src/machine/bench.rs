//! How fast a network trains on this machine: whole epochs of steps are timed and compared with the machine's peak rates.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::memory;
use super::peaks::{Footprint, Peaks, processor};
use super::profile::Profile;
use super::steal::CpuTime;
use super::waiting::Waits;
use super::workloads::{BenchTask, Workload};
use crate::config::BenchOptions;
use crate::data::{Dataset, epoch_order};
use crate::layer::MemberRows;
use crate::model::Parameters;
use crate::nn::Objective;
use crate::optim::Dialect;
use crate::statistics::quantile_of_sorted;
use crate::train::team::{available_threads, threads_within};
use crate::train::{EpochOutcome, EpochPlan, Halt, Largest, Phase, PhaseTimes, StepSettings, Trainer};
use crate::{Error, Result};

/// The fewest epochs if no number is given.
const EPOCHS: usize = 5;
/// The shortest time that the epochs take if no number is given.
const LEAST: Duration = Duration::from_millis(300);
/// The most epochs, however short they are.
const MOST_EPOCHS: usize = 1_000;
/// A run is noisy if the interquartile range of its epochs is more than this fraction of the median.
const NOISY: f64 = 0.10;
/// The fraction of the time that threads may wait for a CPU, or that the host may take away, before a run is reported.
const CROWDED: f64 = 0.05;

/// Figures of one workload with one number of threads: those of the median epoch.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BenchRun {
    /// Name of the workload.
    pub workload: String,
    /// Inputs, hidden widths, outputs.
    pub layers: Vec<usize>,
    /// Rows of a step.
    pub batch: usize,
    /// Rows of an epoch.
    pub rows: usize,
    /// The task.
    pub task: BenchTask,
    /// The most threads.
    pub threads: usize,
    /// Threads used: as many as the work of a step keeps busy, unless the number is exact.
    pub threads_used: usize,
    /// Whether the number of threads is exact.
    pub exact_threads: bool,
    /// The optimizer.
    pub optimizer: String,
    /// The dialect, which decides whose equations the optimizer has.
    pub dialect: String,
    /// Bound of the gradient's norm, such as `1:2`, or `none`.
    pub clip_norm: String,
    /// Number type of weights and activations.
    pub precision: String,
    /// The instruction set of the kernels.
    pub isa: String,
    /// The system's name of the processor.
    pub processor: String,
    /// Version of gradlane.
    pub version: String,
    /// Rows a second.
    pub samples_per_s: f64,
    /// Microseconds of a step, including the time to shuffle the epoch's rows.
    pub us_per_step: f64,
    /// 10⁹ floating-point operations a second, counted as `6·W − 2·W₁` for each sample.
    pub gflops: f64,
    /// `(operations / FMA peak + bytes of the update / memory bandwidth) / time` of a step; 1 is the bound. The operations do
    /// not include products that an optimizer computes itself, as Muon does.
    pub roofline: f64,
    /// Peak resident memory of the process during the run, in 10⁶ bytes, if the system reports it.
    pub peak_rss_mb: Option<f64>,
    /// Epochs timed.
    pub epochs: usize,
    /// Lower quartile over the epochs of [`BenchRun::us_per_step`].
    pub us_per_step_p25: f64,
    /// Upper quartile.
    pub us_per_step_p75: f64,
    /// Fraction of the time during which threads waited for a CPU, if the system reports it and there is a CPU for each thread.
    pub waited: Option<f64>,
    /// Fraction of the requested CPU time that the host gave to other guests, if the system reports it.
    pub stolen: Option<f64>,
    /// Peak rates of the machine just before and after the run.
    #[serde(flatten)]
    pub peaks: Peaks,
    /// The time of each phase of a step.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub explain: Option<Profile>,
}

impl BenchRun {
    /// Interquartile range of the epochs divided by their median.
    pub fn spread(&self) -> f64 {
        (self.us_per_step_p75 - self.us_per_step_p25) / self.us_per_step
    }

    /// Whether epochs differ so much that the figures are unreliable.
    pub fn is_noisy(&self) -> bool {
        self.spread() > NOISY
    }

    /// Whether other programs took CPUs away, perhaps steadily, so that the epochs do not differ.
    pub fn is_crowded(&self) -> bool {
        self.waited.is_some_and(|part| part > CROWDED)
    }

    /// Whether the host of a virtual machine gave its CPU time to other guests.
    pub fn is_robbed(&self) -> bool {
        self.stolen.is_some_and(|part| part > CROWDED)
    }

    /// Whether another run did the same work under the same conditions, so that times can be compared.
    pub fn compares_with(&self, other: &BenchRun) -> bool {
        fn key(run: &BenchRun) -> impl PartialEq {
            let of_step = (&run.workload, &run.layers, run.batch, run.rows, run.task);
            let of_rule = (&run.optimizer, &run.dialect, &run.clip_norm);
            (of_step, of_rule, (&run.precision, &run.isa), (run.threads, run.exact_threads))
        }
        key(self) == key(other)
    }
}

/// The number of threads that a workload uses if up to `limit` are allowed.
pub fn threads_at_work(workload: &Workload, limit: usize, options: &BenchOptions) -> usize {
    let flops_per_step = workload.architecture().flops_per_sample(MemberRows::Shared) * workload.batch as f64;
    threads_within(limit, options.exact_threads, flops_per_step)
}

/// Times a workload with up to `limit` threads.
///
/// # Errors
/// [`Error::Diverged`] if the loss stops being finite.
pub fn bench(workload: &Workload, limit: usize, options: &BenchOptions) -> Result<BenchRun> {
    let threads = threads_at_work(workload, limit, options);
    let footprint = footprint(workload, options);
    let before = Peaks::measure(options.isa, threads, footprint);
    let fresh = memory::reset_peak();
    let mut subject = Subject::new(workload, threads, options);
    let start = Disturbance::watch();
    let steps_us = subject.time_steps(options.epochs)?;
    let (waited, stolen) = start.parts(threads);
    let peak_rss_mb = memory::peak_mb().filter(|_| fresh);
    let times = if options.explain { Some(subject.phases()?) } else { None };
    drop(subject);
    let peaks = before.max(Peaks::measure(options.isa, threads, footprint));

    let us_per_step = |q| quantile_of_sorted(&steps_us, q);
    let us = us_per_step(0.5);
    let samples_per_s = workload.rows as f64 / (us * workload.steps() as f64 / 1e6);
    let flops = workload.architecture().flops_per_sample(MemberRows::Shared);
    let bound_us = flops * workload.rows as f64 / workload.steps() as f64 / (peaks.fma_peak_gflops * 1e3)
        + footprint.bytes_moved() / (peaks.memory_gb_per_s * 1e3);
    Ok(BenchRun {
        workload: workload.name.clone(),
        layers: workload.layers.clone(),
        batch: workload.batch,
        rows: workload.rows,
        task: workload.task,
        threads: limit,
        threads_used: threads,
        exact_threads: options.exact_threads,
        optimizer: options.optimizer.to_string(),
        dialect: options.optimizer.dialect.unwrap_or(Dialect::Torch).to_string(),
        clip_norm: options.clip_norm.map_or("none".to_owned(), |(most, norm)| format!("{most}:{norm}")),
        precision: "f32".to_owned(),
        isa: options.isa.name().to_owned(),
        processor: processor(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        samples_per_s,
        us_per_step: us,
        gflops: flops * samples_per_s / 1e9,
        roofline: bound_us / us,
        peak_rss_mb,
        epochs: steps_us.len(),
        us_per_step_p25: us_per_step(0.25),
        us_per_step_p75: us_per_step(0.75),
        waited,
        stolen,
        peaks,
        explain: times.map(|times| Profile::new(workload, footprint, &times, us, (threads, peaks))),
    })
}

/// Measures from its creation how long threads were kept from a CPU.
struct Disturbance {
    start: Instant,
    waits: Option<Waits>,
    cpu_time: Option<CpuTime>,
}

impl Disturbance {
    fn watch() -> Disturbance {
        Disturbance { start: Instant::now(), waits: Waits::now(), cpu_time: CpuTime::now() }
    }

    /// [`BenchRun::waited`] and [`BenchRun::stolen`] of a run with this many threads.
    fn parts(&self, threads: usize) -> (Option<f64>, Option<f64>) {
        let thread_seconds = self.start.elapsed().as_secs_f64() * threads as f64;
        let waits = Waits::now().zip(self.waits.as_ref()).filter(|_| threads <= available_threads());
        let waited = waits.map(|(now, before)| now.since(before).as_secs_f64() / thread_seconds);
        let stolen = CpuTime::now().zip(self.cpu_time).and_then(|(now, before)| now.stolen_since(before));
        (waited, stolen)
    }
}

/// The memory that an update of this workload reads and writes.
fn footprint(workload: &Workload, options: &BenchOptions) -> Footprint {
    let parameters = workload.architecture().linear_parameters();
    Footprint { parameters, states: 1 + options.optimizer.algorithm.slots() }
}

/// A network that is timed.
pub(super) struct Subject<'a> {
    workload: &'a Workload,
    data: Dataset,
    trainer: Trainer,
    lr: f64,
    order: Vec<u32>,
    epoch: u64,
}

impl<'a> Subject<'a> {
    pub(super) fn new(workload: &'a Workload, threads: usize, options: &BenchOptions) -> Subject<'a> {
        let settings = StepSettings {
            clip_norm: options.clip_norm,
            ..StepSettings::plain(
                Objective::new(workload.loss(), 0.0).expect("any loss goes without label smoothing"),
                options.optimizer,
            )
        };
        let architecture = workload.architecture();
        let parameters = Parameters::init(&architecture, None, 0);
        let largest = Largest { batch: workload.batch, epoch: workload.rows };
        let trainer = Trainer::new(&architecture, parameters, settings, (options.isa, threads), largest);
        Subject { workload, data: workload.data(), trainer, lr: options.optimizer.lr, order: Vec::new(), epoch: 0 }
    }

    /// Microseconds of a step in each of some epochs, in ascending order, after a warm-up that is not counted.
    pub(super) fn time_steps(&mut self, epochs: Option<usize>) -> Result<Vec<f64>> {
        self.time_epoch()?;
        let (start, steps) = (Instant::now(), self.workload.steps() as f64);
        let mut steps_us = Vec::new();
        let enough = |done: usize| match epochs {
            Some(epochs) => done >= epochs,
            None => done >= EPOCHS && (start.elapsed() >= LEAST || done >= MOST_EPOCHS),
        };
        while !enough(steps_us.len()) {
            steps_us.push(self.time_epoch()? * 1e6 / steps);
        }
        steps_us.sort_by(f64::total_cmp);
        Ok(steps_us)
    }

    /// Seconds of one epoch.
    fn time_epoch(&mut self) -> Result<f64> {
        let start = Instant::now();
        self.run_epoch(|trainer, plan| (trainer.epoch(plan), ()))?;
        Ok(start.elapsed().as_secs_f64())
    }

    /// Mean seconds that a thread spends in each phase of a step, in the order of [`Phase::ALL`]. They are those of the median
    /// epoch, by their sum, of as many epochs as take [`LEAST`].
    pub(super) fn phases(&mut self) -> Result<[f64; Phase::ALL.len()]> {
        let part = 1.0 / (self.trainer.threads() * self.workload.steps()) as f64;
        let (start, mut epochs) = (Instant::now(), Vec::new());
        while epochs.is_empty() || start.elapsed() < LEAST {
            let threads = self.run_epoch(|trainer, plan| trainer.timed_epoch(plan))?;
            let mean = |phase: usize| threads.iter().map(|times: &PhaseTimes| times[phase].as_secs_f64() * part).sum();
            let seconds: [f64; Phase::ALL.len()] = std::array::from_fn(mean);
            epochs.push((seconds.iter().sum::<f64>(), seconds));
        }
        epochs.sort_by(|a, b| a.0.total_cmp(&b.0));
        Ok(epochs[epochs.len() / 2].1)
    }

    /// Trains one epoch in an order of its own.
    fn run_epoch<T>(&mut self, train: impl Fn(&mut Trainer, &EpochPlan<'_>) -> (EpochOutcome, T)) -> Result<T> {
        let lr = self.lr;
        epoch_order(self.workload.rows, 0, self.epoch, true, &mut self.order);
        let plan = EpochPlan {
            data: &self.data,
            order: &self.order,
            own_orders: &[],
            epoch: self.epoch,
            batch: self.workload.batch,
            lr: &|_| lr,
            momentum: &|_| None,
            stop: &|_| false,
            tol_grad: None,
            log_steps: None,
        };
        self.epoch += 1;
        let (outcome, result) = train(&mut self.trainer, &plan);
        match outcome.halt {
            Some(Halt::Diverged(stats)) => {
                let (epoch, step) = (self.epoch as usize, self.trainer.steps() + 1);
                Err(Error::Diverged { epoch, step, loss: stats.loss })
            }
            _ => Ok(result),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Isa;
    use crate::optim::clip::NormType;

    fn options() -> BenchOptions {
        let optimizer = "adam".parse().unwrap();
        let clip_norm = Some((1.0, NormType::L2));
        BenchOptions { optimizer, clip_norm, epochs: Some(3), isa: Isa::detect(), exact_threads: true, explain: true }
    }

    #[test]
    fn figures_agree_with_each_other() {
        let workload = Workload::custom("4,8,3".parse().unwrap(), 16, 250, BenchTask::Classify).unwrap();
        let run = bench(&workload, 2, &options()).unwrap();
        assert_eq!((run.epochs, run.threads_used, run.layers.as_slice()), (3, 2, &[4, 8, 3][..]));
        // An epoch has 250 rows in 16 steps; a row costs 6 · (4·8 + 8·3) − 2 · 4·8 = 272 operations.
        let epoch_s = run.us_per_step * 16.0 / 1e6;
        let close = |a: f64, b: f64| (a / b - 1.0).abs() < 1e-9;
        assert!(close(run.samples_per_s, 250.0 / epoch_s), "{run:?}");
        assert!(close(run.gflops, 272.0 * run.samples_per_s / 1e9), "{run:?}");
        assert!(run.us_per_step_p25 <= run.us_per_step && run.us_per_step <= run.us_per_step_p75);
        // 67 parameters: gradients are read; weights and two moments are read and written.
        let bound = 272.0 * 250.0 / 16.0 / run.peaks.fma_peak_gflops + 67.0 * 28.0 / run.peaks.memory_gb_per_s;
        assert!(close(run.roofline, bound / 1e3 / run.us_per_step), "{run:?}");
        let other =
            |clip_norm: &str, threads_used| BenchRun { clip_norm: clip_norm.to_owned(), threads_used, ..run.clone() };
        assert_eq!(run.clip_norm, "1:2");
        assert!(run.compares_with(&other("1:2", 1)) && !run.compares_with(&other("none", 2)));
        let shares: f64 = run.explain.unwrap().phases.iter().map(|phase| phase.share).sum();
        assert!(close(shares, 1.0));
    }

    #[test]
    fn a_small_step_takes_one_thread_unless_told_otherwise() {
        let workload = Workload::custom("4,8,3".parse().unwrap(), 16, 64, BenchTask::Classify).unwrap();
        let options = BenchOptions { exact_threads: false, explain: false, ..options() };
        let run = bench(&workload, 2, &options).unwrap();
        assert_eq!((run.threads, run.threads_used), (2, 1));
    }

    #[test]
    fn divergence_is_an_error() {
        let workload = Workload::custom("4,8,1".parse().unwrap(), 16, 64, BenchTask::Regress).unwrap();
        let options = BenchOptions { optimizer: "sgd:lr=1e30".parse().unwrap(), clip_norm: None, ..options() };
        assert!(matches!(bench(&workload, 1, &options), Err(Error::Diverged { .. })));
    }
}

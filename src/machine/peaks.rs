//! Measured peak rates of the machine, the bounds that a step is compared with.
//!
//! All figures are for `threads` threads working at once. A rate is the best of several short runs, since interruptions only
//! make a run slower, never faster.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::kernel::measure::{CHAINS, fma_chains, sweep};
use crate::kernel::{Isa, LANES, Line, zeroed};
use crate::train::team::{Member, Team};

/// How long one run takes.
const RUN: Duration = Duration::from_millis(20);
/// Number of runs, of which the best counts.
const RUNS: usize = 3;

/// Peak rates of all threads together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Peaks {
    /// Multiply-adds in registers, in 10⁹ floating-point operations a second.
    pub fma_peak_gflops: f64,
    /// Passes over memory like those of an update, in 10⁹ bytes a second.
    pub memory_gb_per_s: f64,
}

/// The cost of synchronisation between threads.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Together {
    /// Number of threads.
    pub threads: usize,
    /// One barrier, ns.
    pub barrier_ns: f64,
    /// Reading one cache line of many that another core has just written, ns.
    pub line_ns: f64,
}

/// The memory that an update reads and writes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Footprint {
    /// Parameters.
    pub parameters: usize,
    /// Arrays that are read and written: the parameters, and the state that the optimizer keeps for each.
    pub states: usize,
}

impl Footprint {
    /// Bytes that one update moves: gradients are read; states are read and written.
    pub fn bytes_moved(self) -> f64 {
        (4 * self.parameters * (1 + 2 * self.states)) as f64
    }
}

impl Peaks {
    /// Measures both rates. The buffers for the memory's rate are as large as the update's, so they are in the same cache
    /// level.
    pub fn measure(isa: Isa, threads: usize, footprint: Footprint) -> Peaks {
        let team = Team::new(threads);
        Peaks { fma_peak_gflops: fma_peak(&team, isa) / 1e9, memory_gb_per_s: bandwidth(&team, isa, footprint) / 1e9 }
    }

    /// The better of two measurements, for each rate.
    pub fn max(self, other: Peaks) -> Peaks {
        Peaks {
            fma_peak_gflops: self.fma_peak_gflops.max(other.fma_peak_gflops),
            memory_gb_per_s: self.memory_gb_per_s.max(other.memory_gb_per_s),
        }
    }
}

/// The work of one member of the team, and its start and end.
struct MemberWork {
    done: f64,
    start: Instant,
    end: Instant,
}

impl MemberWork {
    /// Repeats `work`, which returns the amount done, for [`RUN`] in every member at once.
    fn of(member: Member<'_>, mut work: impl FnMut() -> f64) -> MemberWork {
        member.barrier();
        let start = Instant::now();
        let mut done = 0.0;
        while start.elapsed() < RUN {
            done += work();
        }
        MemberWork { done, start, end: Instant::now() }
    }

    /// The work a second of all members, from the first start to the last end: where they outnumber the CPUs they take turns.
    fn rate_of_all<'a>(members: impl Iterator<Item = &'a MemberWork> + Clone) -> f64 {
        let (start, end) = (members.clone().map(|m| m.start).min(), members.clone().map(|m| m.end).max());
        let seconds = end.zip(start).map_or(f64::INFINITY, |(end, start)| (end - start).as_secs_f64());
        members.map(|m| m.done).sum::<f64>() / seconds
    }
}

/// The system's name of the processor.
pub(crate) fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    model.map_or(std::env::consts::ARCH, |(_, name)| name.trim()).to_owned()
}

/// Floating-point operations a second. CPUs differ in their registers, so the best number of chains is searched.
fn fma_peak(team: &Team, isa: Isa) -> f64 {
    let run =
        |chains| MemberWork::rate_of_all(team.run(|member| MemberWork::of(member, || fma_chains(isa, chains))).iter());
    CHAINS.into_iter().flat_map(|chains| [chains; RUNS]).map(run).fold(0.0, f64::max)
}

/// Bytes a second of passes over each thread's part of the footprint.
fn bandwidth(team: &Team, isa: Isa, footprint: Footprint) -> f64 {
    let lines = footprint.parameters.div_ceil(LANES).div_ceil(team.threads());
    let moved = Footprint { parameters: lines * LANES, ..footprint }.bytes_moved();
    let members = team.run(|member| {
        let gradients = vec![Line::splat(1e-3); lines];
        let mut states: Vec<Vec<Line>> = (0..footprint.states).map(|_| zeroed(lines)).collect();
        let mut run = || {
            MemberWork::of(member, || {
                sweep(isa, &gradients, &mut states);
                moved
            })
        };
        [(); RUNS].map(|()| run())
    });
    (0..RUNS).map(|run| MemberWork::rate_of_all(members.iter().map(|runs| &runs[run]))).fold(0.0, f64::max)
}

/// If a barrier takes longer than this (ns), a thread was descheduled.
const DISTURBED_NS: f64 = 10_000.0;

impl Together {
    /// Whether threads had to share a core during the measurement. Nothing can be predicted from it then.
    pub fn is_disturbed(&self) -> bool {
        self.barrier_ns > DISTURBED_NS
    }

    /// Measures the cost of barriers and cache lines for `threads` threads; `None` for one thread, which has neither.
    pub fn measure(threads: usize) -> Option<Together> {
        if threads < 2 {
            return None;
        }
        let team = Team::new(threads);
        Some(Together { threads, barrier_ns: barrier_cost(&team), line_ns: line_cost(&team) })
    }
}

/// Barriers in a run: so few that some runs are not interrupted.
const BARRIERS: usize = 200;
/// Number of runs of barriers, of which the best counts.
const BARRIER_RUNS: usize = 30;

/// ns of one barrier if all members arrive at the same time.
fn barrier_cost(team: &Team) -> f64 {
    let times = team.run(|member| {
        let mut best = Duration::MAX;
        for _ in 0..BARRIER_RUNS {
            member.barrier();
            let start = Instant::now();
            (0..BARRIERS).for_each(|_| member.barrier());
            best = best.min(start.elapsed());
        }
        best
    });
    ns(times.into_iter().max().unwrap_or_default()) / BARRIERS as f64
}

/// A cache line with one number.
#[repr(align(64))]
struct CounterLine(AtomicU32);

/// Lines that one core sends to another at a time: 32 KiB, so that they are still in the writer's own cache.
const SENT: usize = 512;
/// Number of times they are sent.
const SENDINGS: usize = 200;

/// ns for each line, when the second member reads what the first has just written. It is the median, because the best time is
/// that of two threads that happen to share a core.
fn line_cost(team: &Team) -> f64 {
    let lines: Vec<CounterLine> = (0..SENT).map(|_| CounterLine(AtomicU32::new(0))).collect();
    let times = team.run(|member| {
        let mut times = Vec::with_capacity(SENDINGS);
        for round in 0..SENDINGS {
            if member.index == 0 {
                lines.iter().for_each(|line| line.0.store(round as u32, Ordering::Relaxed));
            }
            member.barrier();
            if member.index == 1 {
                let start = Instant::now();
                let sum = lines.iter().fold(0u32, |sum, line| sum.wrapping_add(line.0.load(Ordering::Relaxed)));
                std::hint::black_box(sum);
                times.push(start.elapsed());
            }
            member.barrier();
        }
        times.sort_unstable();
        times.get(SENDINGS / 2).copied()
    });
    ns(times[1].expect("the second member read")) / SENT as f64
}

fn ns(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_costs_are_positive_and_finite() {
        let footprint = Footprint { parameters: 1000, states: 3 };
        assert_eq!(footprint.bytes_moved(), 28_000.0);
        let peaks = Peaks::measure(Isa::detect(), 2, footprint);
        let together = Together::measure(2).expect("two threads work together");
        for figure in [peaks.fma_peak_gflops, peaks.memory_gb_per_s, together.barrier_ns, together.line_ns] {
            assert!(figure.is_finite() && figure > 0.0, "{peaks:?} {together:?}");
        }
        assert_eq!(Together::measure(1), None);
    }

    #[test]
    fn members_that_take_turns_are_no_faster_than_one() {
        let start = Instant::now();
        let turn = |n: u32| MemberWork { done: 10.0, start: start + RUN * n, end: start + RUN * (n + 1) };
        let (alone, turns) = ([turn(0)], [turn(0), turn(1), turn(2)]);
        assert_eq!(MemberWork::rate_of_all(alone.iter()), 10.0 / RUN.as_secs_f64());
        assert!((MemberWork::rate_of_all(turns.iter()) / MemberWork::rate_of_all(alone.iter()) - 1.0).abs() < 1e-9);
        let together = [turn(0), turn(0)];
        assert_eq!(MemberWork::rate_of_all(together.iter()), 20.0 / RUN.as_secs_f64());
    }
}

//! Profiling of a step: a clock that every worker carries, and that compiles to nothing unless it is asked for.

use std::cell::Cell;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// A phase of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Copying rows into panels of 16 samples.
    Gather,
    /// Forward pass of all layers.
    Forward,
    /// Loss, and its gradient by the outputs.
    Loss,
    /// The error signals of all layers.
    BackwardToInputs,
    /// The weight gradients: the sum over the batch.
    BackwardToWeights,
    /// Penalties, clipping by value, norms, clip factors.
    Norm,
    /// The optimizer.
    Update,
    /// Barriers: the wait for the slowest worker, and the barrier itself.
    Barrier,
}

impl Phase {
    /// All phases, in the order of a step.
    pub const ALL: [Phase; 8] = [
        Phase::Gather,
        Phase::Forward,
        Phase::Loss,
        Phase::BackwardToInputs,
        Phase::BackwardToWeights,
        Phase::Norm,
        Phase::Update,
        Phase::Barrier,
    ];

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Gather => "gather",
            Phase::Forward => "forward",
            Phase::Loss => "loss",
            Phase::BackwardToInputs => "backward to inputs",
            Phase::BackwardToWeights => "backward to weights",
            Phase::Norm => "norm",
            Phase::Update => "update",
            Phase::Barrier => "barriers",
        }
    }
}

/// Time that one worker spent in each phase, in the order of [`Phase::ALL`].
pub type PhaseTimes = [Duration; Phase::ALL.len()];

/// A worker calls it at the end of each phase.
pub(super) trait Clock {
    /// A clock that starts now.
    fn start() -> Self;
    /// Adds the time since the last mark to `phase`.
    fn mark(&self, phase: Phase);
    /// The time of each phase so far.
    fn times(&self) -> PhaseTimes;
}

/// Compiles to nothing; training uses this one.
pub(super) struct NoClock;

impl Clock for NoClock {
    #[inline(always)]
    fn start() -> NoClock {
        NoClock
    }
    #[inline(always)]
    fn mark(&self, _: Phase) {}
    fn times(&self) -> PhaseTimes {
        PhaseTimes::default()
    }
}

/// Reads the time at every mark, about 25 ns each.
pub(super) struct Stopwatch {
    last: Cell<Instant>,
    times: Cell<PhaseTimes>,
}

impl Clock for Stopwatch {
    fn start() -> Stopwatch {
        Stopwatch { last: Cell::new(Instant::now()), times: Cell::default() }
    }

    fn mark(&self, phase: Phase) {
        let now = Instant::now();
        let mut times = self.times.get();
        times[phase as usize] += now - self.last.replace(now);
        self.times.set(times);
    }

    fn times(&self) -> PhaseTimes {
        self.times.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_to_the_phase_that_ends() {
        let clock = Stopwatch::start();
        std::thread::sleep(Duration::from_millis(2));
        clock.mark(Phase::Forward);
        clock.mark(Phase::Update);
        let times = clock.times();
        assert!(times[Phase::Forward as usize] >= Duration::from_millis(2));
        assert!(times[Phase::Update as usize] < times[Phase::Forward as usize]);
        assert_eq!(times[Phase::Gather as usize], Duration::ZERO);
        assert!(Phase::ALL.iter().enumerate().all(|(number, phase)| *phase as usize == number));
    }
}

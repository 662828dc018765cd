//! The threads of a step: a rayon pool, one broadcast for many steps, and a barrier that is fast while all members run.

mod barrier;
mod pool;
pub(super) mod sync;

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::kernel::FlushDenormals;
use barrier::Barrier;
pub use pool::limit_global_pool;

/// Threads that work on one mini-batch together.
pub struct Team {
    pool: Option<rayon::ThreadPool>,
    threads: usize,
    barrier: Barrier,
}

/// One thread of a team, inside [`Team::run`].
#[derive(Clone, Copy)]
pub struct Member<'a> {
    /// Number of this member, from 0.
    pub index: usize,
    team: &'a Team,
}

impl Team {
    /// A team of `threads` members: at least one, and fewer if the system grants fewer threads. If there are more members than
    /// CPUs, members that wait do not spin.
    pub fn new(threads: usize) -> Team {
        let pool = (threads > 1).then(|| pool::granted(threads, "gradlane")).flatten();
        let threads = pool.as_ref().map_or(1, rayon::ThreadPool::current_num_threads);
        Team { pool, threads, barrier: Barrier::new(threads, threads > available_threads()) }
    }

    /// Number of members.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Runs `work` once in every member, with denormals flushed, and returns the results in member order.
    ///
    /// # Panics
    /// If a member panics. The others then leave at their next barrier, and the panic is propagated.
    pub fn run<R: Send>(&self, work: impl Fn(Member<'_>) -> R + Sync) -> Vec<R> {
        let member = |index: usize| {
            let _flush = FlushDenormals::new();
            let result = catch_unwind(AssertUnwindSafe(|| work(Member { index, team: self })));
            if result.is_err() {
                self.barrier.poison();
            }
            result
        };
        let results = match &self.pool {
            None => vec![member(0)],
            Some(pool) => pool.broadcast(|context| member(context.index())),
        };
        results.into_iter().map(|r| r.unwrap_or_else(|panic| resume_unwind(panic))).collect()
    }
}

impl Member<'_> {
    /// Number of members.
    pub fn count(&self) -> usize {
        self.team.threads
    }

    /// Waits for all members. All of them see what was written before the barrier.
    ///
    /// # Panics
    /// If another member panicked.
    pub fn barrier(&self) {
        self.team.barrier.wait();
    }

    /// This member's range of `n` items: contiguous, and as equal as possible.
    pub fn share(&self, n: usize) -> Range<usize> {
        self.share_of(self.index, n)
    }

    /// The range of the member `index`.
    pub(super) fn share_of(&self, index: usize, n: usize) -> Range<usize> {
        let count = self.count();
        index * n / count..(index + 1) * n / count
    }

    /// How many barriers this team has passed. Two accesses with a barrier between them see different numbers.
    #[cfg(debug_assertions)]
    pub(super) fn phase(&self) -> usize {
        self.team.barrier.passed()
    }
}

/// CPUs that this process may use; CPU affinity and cgroup limits are respected.
pub fn available_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Work of a step, in floating-point operations, that each thread needs to be worth its barriers and the weights that it
/// fetches from other cores. With less than twice this work, two threads were at best as fast as one.
const FLOPS_PER_THREAD: f64 = 1.8e6;

/// As many threads as the work of a step keeps busy: at least one, at most `most`.
pub fn useful_threads(flops_per_step: f64, most: usize) -> usize {
    most.clamp(1, ((flops_per_step / FLOPS_PER_THREAD) as usize).max(1))
}

/// Threads for such steps if the user allows `limit`. With `exact` that many, otherwise no more than are useful and no more
/// than there are CPUs.
pub fn threads_within(limit: usize, exact: bool, flops_per_step: f64) -> usize {
    if exact { limit } else { useful_threads(flops_per_step, limit.min(available_threads())) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    #[test]
    fn nobody_passes_a_barrier_before_all_have_come() {
        for threads in [1, 2, 3, 8] {
            let team = Team::new(threads);
            let counter = AtomicUsize::new(0);
            team.run(|member| {
                for round in 1..=200 {
                    counter.fetch_add(1, Ordering::Relaxed);
                    member.barrier();
                    assert_eq!(counter.load(Ordering::Relaxed), round * threads);
                    member.barrier();
                }
            });
        }
    }

    #[test]
    fn shares_cover_everything_once() {
        for threads in [1, 2, 3, 8] {
            let shares = Team::new(threads).run(|member| member.share(13));
            assert_eq!(shares.into_iter().flatten().collect::<Vec<_>>(), (0..13).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_panic_frees_the_others_whether_they_sleep_or_not() {
        for delay in [Duration::ZERO, Duration::from_millis(5)] {
            for threads in [2, 3] {
                let outcome = catch_unwind(AssertUnwindSafe(|| {
                    Team::new(threads).run(|member| {
                        if member.index == 1 {
                            std::thread::sleep(delay);
                            panic!("planted");
                        }
                        member.barrier();
                    })
                }));
                assert!(outcome.is_err());
            }
        }
    }

    #[test]
    fn nobody_works_on_with_a_team_that_has_lost_a_member() {
        for threads in [2, 3] {
            let (team, passed) = (Team::new(threads), AtomicUsize::new(0));
            for lost in [1, threads] {
                let outcome = catch_unwind(AssertUnwindSafe(|| {
                    team.run(|member| {
                        assert!(member.index != lost, "planted");
                        member.barrier();
                        passed.fetch_add(1, Ordering::Relaxed);
                    })
                }));
                assert!(outcome.is_err());
            }
            assert_eq!(passed.load(Ordering::Relaxed), 0);
        }
    }
}

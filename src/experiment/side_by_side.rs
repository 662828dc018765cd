//! Parallel execution of independent work items, one on each thread.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use crate::train::team::useful_threads;

/// Calls `work` with every item, on up to `threads` threads at a time, and returns the results in the order of the items.
///
/// Items are started in order, each on the next free thread, so put the longest first. Several small networks train faster
/// in this way, each on one thread, than one after the other on all threads. Since no bit of a training run depends on its
/// threads, each gives the same result as alone.
///
/// If `work` panics, after the other threads have finished.
pub fn side_by_side<I: Sync, R: Send>(threads: usize, items: &[I], work: impl Fn(&I) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let (done, results) = mpsc::channel();
    let take_and_work = |done: mpsc::Sender<(usize, R)>| {
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(n) else { return };
            done.send((n, work(item))).expect("results are kept until all are done");
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.clamp(1, items.len().max(1)))
            .map_while(|_| {
                let done = done.clone();
                // The system may refuse to start threads; the started ones then do all the work.
                thread::Builder::new().spawn_scoped(scope, || take_and_work(done)).ok()
            })
            .collect();
        if workers.is_empty() {
            take_and_work(done.clone());
        }
        for worker in workers {
            worker.join().unwrap_or_else(|panic| resume_unwind(panic));
        }
    });
    drop(done);
    let mut results: Vec<(usize, R)> = results.into_iter().collect();
    results.sort_by_key(|(n, _)| *n);
    results.into_iter().map(|(_, result)| result).collect()
}

/// The latest end of turn `turn` of `turns`, counted from 1, if the time from `began` to `end` is divided evenly.
pub fn share_of_time(began: Instant, end: Instant, (turn, turns): (usize, usize)) -> Instant {
    began + end.saturating_duration_since(began).mul_f64(turn as f64 / turns as f64)
}

/// The assignment of threads to runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sharing {
    /// Number of runs at a time.
    pub at_once: usize,
    /// Number of threads of each run.
    pub threads: usize,
}

/// From this many floating-point operations in a step, some milliseconds on one core, a run gets all threads. Below that,
/// one thread for each run uses the machine better, because there are no barriers. Above it, barriers cost little, and
/// running one network at a time needs memory and caches for only one.
const LARGE_STEP: f64 = 5e8;

/// Assigns up to `threads` threads to `runs` runs with about `flops_per_step` each. As many small runs as there are threads
/// run in parallel, with the remaining threads divided between them; large runs follow one another.
pub fn share_threads(flops_per_step: f64, runs: usize, threads: usize) -> Sharing {
    let at_once = if flops_per_step < LARGE_STEP { runs.clamp(1, threads.max(1)) } else { 1 };
    Sharing { at_once, threads: useful_threads(flops_per_step, threads / at_once) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_the_order_of_the_items() {
        let items: Vec<u64> = (0..100).collect();
        for threads in [0, 1, 3, 200] {
            let squares = side_by_side(threads, &items, |n| n * n);
            assert_eq!(squares, items.iter().map(|n| n * n).collect::<Vec<_>>(), "{threads} threads");
        }
        assert!(side_by_side(2, &[], |n: &u64| *n).is_empty());
    }

    #[test]
    fn small_runs_share_the_threads_and_large_ones_take_turns() {
        assert_eq!(share_threads(1e5, 5, 2), Sharing { at_once: 2, threads: 1 });
        assert_eq!(share_threads(1e5, 3, 16), Sharing { at_once: 3, threads: 1 }, "the work of a step keeps one busy");
        assert_eq!(share_threads(1e8, 3, 16), Sharing { at_once: 3, threads: 5 });
        assert_eq!(share_threads(1e10, 5, 16), Sharing { at_once: 1, threads: 16 });
        assert_eq!(share_threads(1e5, 0, 0), Sharing { at_once: 1, threads: 1 });
    }

    #[test]
    fn items_overlap_in_time() {
        let meeting = std::sync::Barrier::new(2);
        side_by_side(2, &[0, 1], |_| meeting.wait().is_leader()); // would block forever if they ran one after the other
    }

    #[test]
    #[should_panic(expected = "planted")]
    fn a_panic_is_passed_on() {
        side_by_side(2, &[0, 1, 2], |n| assert!(*n != 1, "planted"));
    }
}

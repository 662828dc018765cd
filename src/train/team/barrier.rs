//! A barrier that members pass in a fraction of a microsecond while all of them run; if one is descheduled, the others sleep.

use super::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use super::sync::{Condvar, LOOKS, Mutex, Padded, PoisonError, hint, thread};

/// The place where the members of a team wait for each other.
pub(super) struct Barrier {
    members: usize,
    /// There are more members than CPUs, so a member that waits yields at once: another member needs the CPU.
    crowded: bool,
    arrived: Padded<AtomicUsize>,
    generation: Padded<AtomicUsize>,
    /// Members that sleep or are about to.
    asleep: Padded<AtomicUsize>,
    poisoned: AtomicBool,
    /// Held from a member's last check until it sleeps.
    lock: Mutex<()>,
    changed: Condvar,
}

impl Barrier {
    /// A barrier for this many members.
    pub(super) fn new(members: usize, crowded: bool) -> Barrier {
        Barrier {
            members,
            crowded,
            arrived: Padded(AtomicUsize::new(0)),
            generation: Padded(AtomicUsize::new(0)),
            asleep: Padded(AtomicUsize::new(0)),
            poisoned: AtomicBool::new(false),
            lock: Mutex::new(()),
            changed: Condvar::new(),
        }
    }

    /// How often all members have passed it.
    #[cfg(debug_assertions)]
    pub(super) fn passed(&self) -> usize {
        self.generation.0.load(Ordering::Acquire)
    }

    /// Called when a member panics: members that wait here, or arrive later, panic too. A single member waits for nobody.
    pub(super) fn poison(&self) {
        self.poisoned.store(self.members > 1, Ordering::SeqCst);
        self.wake();
    }

    /// Waits for all members. All of them see what was written before the barrier.
    ///
    /// # Panics
    /// If another member panicked.
    pub(super) fn wait(&self) {
        let generation = self.generation.0.load(Ordering::Acquire);
        self.check();
        if self.arrived.0.fetch_add(1, Ordering::AcqRel) + 1 == self.members {
            self.arrived.0.store(0, Ordering::Relaxed);
            self.generation.0.store(generation.wrapping_add(1), Ordering::SeqCst);
            return self.wake();
        }
        let mut looks = 0;
        while self.generation.0.load(Ordering::Acquire) == generation {
            self.check();
            if self.crowded {
                thread::yield_now();
            } else if looks < LOOKS {
                hint::spin_loop();
                looks += 1;
            } else {
                self.sleep(generation);
            }
        }
    }

    fn check(&self) {
        assert!(!self.poisoned.load(Ordering::Acquire), "another thread of the team panicked");
    }

    /// Sleeps until the generation changes or a member panics.
    fn sleep(&self, generation: usize) {
        let stays = || self.generation.0.load(Ordering::SeqCst) == generation && !self.poisoned.load(Ordering::SeqCst);
        // Incremented before the last check, while `wake` reads the count after its change: one of the two sees the other.
        self.asleep.0.fetch_add(1, Ordering::SeqCst);
        let mut guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        while stays() {
            guard = self.changed.wait(guard).unwrap_or_else(PoisonError::into_inner);
        }
        drop(guard);
        self.asleep.0.fetch_sub(1, Ordering::SeqCst);
    }

    fn wake(&self) {
        if self.asleep.0.load(Ordering::SeqCst) > 0 {
            drop(self.lock.lock()); // no member is between its last check and its sleep
            self.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    #[test]
    fn the_last_to_arrive_wakes_those_that_sleep() {
        const MEMBERS: usize = 4;
        let (barrier, passed) = (Barrier::new(MEMBERS, false), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 1..MEMBERS {
                scope.spawn(|| {
                    barrier.wait();
                    passed.fetch_add(1, Ordering::Relaxed);
                });
            }
            let start = Instant::now();
            while barrier.asleep.0.load(Ordering::SeqCst) < MEMBERS - 1 {
                assert!(start.elapsed() < Duration::from_secs(60), "nobody goes to sleep");
                std::thread::yield_now();
            }
            assert_eq!(passed.load(Ordering::Relaxed), 0);
            barrier.wait();
        });
        assert_eq!((passed.load(Ordering::Relaxed), barrier.asleep.0.load(Ordering::SeqCst)), (MEMBERS - 1, 0));
    }

    #[test]
    fn no_waking_is_lost_around_the_moment_of_falling_asleep() {
        let barrier = Barrier::new(2, false);
        std::thread::scope(|scope| {
            scope.spawn(|| (0..400).for_each(|_| barrier.wait()));
            for round in 0..400u64 {
                let start = Instant::now();
                while start.elapsed() < Duration::from_nanos(round * 250) {} // up to 100 µs late
                barrier.wait();
            }
        });
    }
}

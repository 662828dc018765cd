//! A barrier that members pass in a fraction of a microsecond when all of them run, and sleep at when one of them does not.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

use super::Padded;

/// Looks before a member goes to sleep: some 30 µs, longer than most phases are uneven. One that sleeps lets the kernel move
/// another member onto its CPU whose own was taken by somebody else; one that yielded would hand that CPU to whoever wants it.
const LOOKS: usize = 2_000;

/// Where the members of a team wait for each other.
pub(super) struct Barrier {
    members: usize,
    /// More members than CPUs: a member that waits yields at once, for another one has work.
    crowded: bool,
    arrived: Padded<AtomicUsize>,
    generation: Padded<AtomicUsize>,
    /// Members that sleep, or are about to.
    asleep: Padded<AtomicUsize>,
    poisoned: AtomicBool,
    /// Held between a last look and falling asleep, and while waking.
    lock: Mutex<()>,
    changed: Condvar,
}

impl Barrier {
    /// A barrier of so many members.
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

    /// How often all members have met here.
    #[cfg(debug_assertions)]
    pub(super) fn passed(&self) -> usize {
        self.generation.0.load(Ordering::Acquire)
    }

    /// A member panicked: whoever waits here, or comes later, panics too.
    pub(super) fn poison(&self) {
        self.poisoned.store(true, Ordering::SeqCst);
        self.wake();
    }

    /// Waits until every member is here. What was written before it is seen by all after it.
    ///
    /// # Panics
    /// If another member panicked.
    pub(super) fn wait(&self) {
        let generation = self.generation.0.load(Ordering::Acquire);
        if self.arrived.0.fetch_add(1, Ordering::AcqRel) + 1 == self.members {
            self.arrived.0.store(0, Ordering::Relaxed);
            self.generation.0.store(generation.wrapping_add(1), Ordering::SeqCst);
            return self.wake();
        }
        let mut looks = 0;
        while self.generation.0.load(Ordering::Acquire) == generation {
            assert!(!self.poisoned.load(Ordering::Acquire), "another thread of the team panicked");
            if self.crowded {
                std::thread::yield_now();
            } else if looks < LOOKS {
                std::hint::spin_loop();
                looks += 1;
            } else {
                self.sleep(generation);
            }
        }
    }

    /// Sleeps until the generation is another, or a member has panicked.
    fn sleep(&self, generation: usize) {
        let stays = || self.generation.0.load(Ordering::SeqCst) == generation && !self.poisoned.load(Ordering::SeqCst);
        // Counted before the last look, as `wake` counts after the change: one of them sees the other.
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
            let _guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
            self.changed.notify_all();
        }
    }
}

//! Early termination of a run.

use std::sync::atomic::AtomicUsize;
use std::sync::{Mutex, MutexGuard};

/// The signal that ends a run, and a lock that is held while its model is saved.
#[derive(Debug, Default)]
pub struct Interrupt {
    number: AtomicUsize,
    save: Mutex<()>,
}

impl Interrupt {
    /// The signal's number; 0 while there is none.
    pub fn number(&self) -> &AtomicUsize {
        &self.number
    }

    /// Waits for a save in progress. No save starts while the guard lives.
    pub fn save(&self) -> MutexGuard<'_, ()> {
        self.save.lock().unwrap_or_else(|e| e.into_inner())
    }
}

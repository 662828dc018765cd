//! Early termination of a run.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};

/// The signal that ends a run, and a lock that is held while its model is saved.
#[derive(Debug, Default)]
pub struct Interrupt {
    number: AtomicUsize,
    save: Mutex<()>,
    saved: Mutex<Option<PathBuf>>,
}

impl Interrupt {
    /// The signal's number; 0 while there is none.
    pub fn number(&self) -> &AtomicUsize {
        &self.number
    }

    /// Whether there is a signal.
    pub fn came(&self) -> bool {
        self.number.load(Ordering::SeqCst) != 0
    }

    /// Notes the directory of a run whose model is saved, so that the run may end at any moment; `None` before that, and when all
    /// is written.
    pub(super) fn note_saved(&self, run: Option<&Path>) {
        *self.saved.lock().unwrap_or_else(|e| e.into_inner()) = run.map(Path::to_path_buf);
    }

    /// The directory of the run, from the time when its model is saved until all is written.
    pub fn saved(&self) -> Option<PathBuf> {
        self.saved.lock().unwrap_or_else(|e| e.into_inner()).clone()
    }

    /// Waits for a save in progress. No save starts while the guard lives.
    pub fn save(&self) -> MutexGuard<'_, ()> {
        self.save.lock().unwrap_or_else(|e| e.into_inner())
    }
}

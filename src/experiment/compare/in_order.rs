//! Passes the records of runs that are made in parallel to an observer, in a fixed order.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use super::records::{Record, Run};
use crate::{Error, Result};

/// The progress of a comparison.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Number of runs that have ended.
    pub done: usize,
    /// All runs.
    pub runs: usize,
    /// Their share of the total expected time.
    pub share: f64,
}

/// A callback that receives the records in order, each as soon as all records before it are available.
pub type Observe<'a> = dyn FnMut(&Record, Progress) -> Result<()> + Send + 'a;

/// Passes records to the observer and counts them.
pub(super) struct Ledger<'a, 'b> {
    pub(super) observe: &'a mut Observe<'b>,
    pub(super) progress: Progress,
    /// Expected seconds of the runs that have ended; `all` has those of all runs.
    pub(super) seconds: f64,
    pub(super) all: f64,
    pub(super) failure: Option<Error>,
}

impl Ledger<'_, '_> {
    pub(super) fn record(&mut self, run: Run, seconds: f64) {
        self.seconds += seconds;
        self.progress.done += 1;
        self.progress.share = (self.seconds / self.all).min(1.0);
        if self.failure.is_none() {
            self.failure = (self.observe)(&Record::Run(run), self.progress).err();
        }
    }
}

/// Holds runs back until all runs before them have ended.
pub(super) struct InOrder<'a, 'b, 'c> {
    pub(super) next: usize,
    pub(super) waiting: BTreeMap<usize, (Run, f64)>,
    pub(super) ledger: &'a mut Ledger<'b, 'c>,
}

impl<'a, 'b, 'c> InOrder<'a, 'b, 'c> {
    /// None have ended.
    pub(super) fn new(ledger: &'a mut Ledger<'b, 'c>) -> InOrder<'a, 'b, 'c> {
        InOrder { next: 0, waiting: BTreeMap::new(), ledger }
    }

    pub(super) fn put(&mut self, place: usize, run: Run, seconds: f64) {
        self.waiting.insert(place, (run, seconds));
        while let Some((run, seconds)) = self.waiting.remove(&self.next) {
            self.next += 1;
            self.ledger.record(run, seconds);
        }
    }
}

/// Locks a mutex, even if it is poisoned: a panic in another thread ends the comparison anyway.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

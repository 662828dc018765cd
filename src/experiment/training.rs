//! The callbacks with which several networks are trained.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::Result;
use crate::run::{Finished, Plan};

/// Trains the network with this number, counted from 0; `None` if it is left out.
pub type TrainNetwork<'a> = dyn Fn(usize, &mut Plan) -> Result<Option<Finished>> + Sync + 'a;

/// How each of several networks is trained.
#[derive(Clone, Copy)]
pub struct NetworkTraining<'a> {
    /// The number of the signal received, after which no network is begun; 0 if there was none.
    pub signal: &'a AtomicUsize,
    /// Trains one network, or continues it.
    pub train: &'a TrainNetwork<'a>,
    /// Whether the network with this number was begun before and can be continued. It then counts, however late it is.
    pub begun: &'a (dyn Fn(usize) -> bool + Sync),
}

impl NetworkTraining<'_> {
    /// Whether there was a signal.
    pub(super) fn was_interrupted(&self) -> bool {
        self.signal.load(Ordering::Relaxed) != 0
    }
}

/// The callbacks with which several networks are trained; `T` describes a finished network.
pub struct Training<'a, T> {
    /// How each is trained.
    pub each: NetworkTraining<'a>,
    /// Called when a network is finished. Networks may finish in any order.
    pub over: &'a (dyn Fn(&T) + Sync),
}

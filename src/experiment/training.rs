//! The callbacks with which several networks are trained.

use std::sync::atomic::AtomicUsize;

use crate::Result;
use crate::run::{Finished, Plan};

/// Trains the network with this number, counted from 0; `None` if it is left out.
pub type TrainNetwork<'a> = dyn Fn(usize, &mut Plan) -> Result<Option<Finished>> + Sync + 'a;

/// The callbacks with which several networks are trained; `T` describes a finished network.
pub struct Training<'a, T> {
    /// The number of the signal received, after which no network is begun; 0 if there was none.
    pub signal: &'a AtomicUsize,
    /// Trains one network.
    pub train: &'a TrainNetwork<'a>,
    /// Called when a network is finished. Networks may finish in any order.
    pub over: &'a (dyn Fn(&T) + Sync),
}

//! How each of several networks is trained, and who is told.

use std::sync::atomic::AtomicUsize;

use crate::Result;
use crate::run::{Finished, Plan};

/// Trains a network of this number, from 0; none where it is left out.
pub type TrainNetwork<'a> = dyn Fn(usize, &mut Plan) -> Result<Option<Finished>> + Sync + 'a;

/// How each of several networks is trained, and who is told of a network that is over, a `T`, in whatever order they end.
pub struct Training<'a, T> {
    /// Holds the number of the signal after which no network is begun; 0 until then.
    pub signal: &'a AtomicUsize,
    /// Trains one.
    pub train: &'a TrainNetwork<'a>,
    /// Is told of it.
    pub over: &'a (dyn Fn(&T) + Sync),
}

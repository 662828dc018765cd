//! Training: epochs, the synchronised step, its threads, stopping rules and events.

mod shared;
pub mod team;

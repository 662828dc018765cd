//! The time of the figures after training, which a time limit includes.

use std::time::{Duration, Instant};

use super::plan::Plan;
use crate::data::Dataset;
use crate::train::Trainer;

/// Rows whose outputs are timed.
const TIMED: usize = 1024;
/// The share of the time left that is kept for figures at most.
const MOST: f64 = 0.6;

impl Plan {
    /// When training must end, so that the figures of `networks` such networks are there at `end`. `trainer` has such a network.
    pub fn end_of_training(&self, trainer: &mut Trainer, networks: usize, end: Instant) -> Instant {
        let time = self.time_of_figures(trainer).mul_f64(networks as f64);
        let left = end.saturating_duration_since(Instant::now());
        end - time.min(left.mul_f64(MOST))
    }

    /// The time for the outputs that are computed after the last step of a network.
    fn time_of_figures(&self, trainer: &mut Trainer) -> Duration {
        let prepared = &self.prepared;
        let rows: Vec<u32> = (0..prepared.train.rows().min(TIMED) as u32).collect();
        let part = prepared.train.subset(&rows);
        trainer.evaluate(&part); // touches the memory
        let began = Instant::now();
        trainer.evaluate(&part);
        let of_row = began.elapsed().as_secs_f64() / rows.len().max(1) as f64;
        let count = |part: &Option<Dataset>| part.as_ref().map_or(0, Dataset::rows);
        // Held-out parts are looked at to decide and to judge, and the validation part once more at the end of the epoch.
        let outputs = prepared.judged_train().rows() + 3 * count(&prepared.val) + 2 * count(&prepared.test);
        Duration::from_secs_f64(of_row * outputs as f64)
    }
}

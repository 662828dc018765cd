//! The time of the figures after training, which a time limit includes.

use std::time::{Duration, Instant};

use super::plan::Plan;
use crate::data::Dataset;
use crate::train::Trainer;

/// Rows whose outputs are timed.
const TIMED: usize = 1024;
/// The share of the time left that is kept for figures at most.
const MOST: f64 = 0.6;

/// The figures after training.
#[derive(Debug, Clone, Copy)]
pub enum Figures {
    /// Those of a model of so many networks: on all parts.
    OfModel(usize),
    /// Those of one of several networks, before they make one model: on the validation part, or without one on the training part.
    OfOneOfSeveral,
}

impl Plan {
    /// When training must end, so that these figures are there at `end`. `trainer` has such a network.
    pub fn end_of_training(&self, trainer: &mut Trainer, figures: Figures, end: Instant) -> Instant {
        let time = self.time_of_figures(trainer, figures);
        let left = end.saturating_duration_since(Instant::now());
        end - time.min(left.mul_f64(MOST))
    }

    /// The time for the outputs that are computed after the last step of a network.
    fn time_of_figures(&self, trainer: &mut Trainer, figures: Figures) -> Duration {
        let prepared = &self.prepared;
        let rows: Vec<u32> = (0..prepared.train.rows().min(TIMED) as u32).collect();
        let part = prepared.train.subset(&rows);
        trainer.evaluate(&part); // touches the memory
        let began = Instant::now();
        trainer.evaluate(&part);
        let of_row = began.elapsed().as_secs_f64() / rows.len().max(1) as f64;
        let count = |part: &Option<Dataset>| part.as_ref().map_or(0, Dataset::rows);
        let (val, test) = (count(&prepared.val), count(&prepared.test));
        // The validation part is looked at once more at the end of the epoch, and a model's held-out parts to decide and to judge.
        let outputs = match figures {
            Figures::OfOneOfSeveral if val > 0 => 2 * val,
            Figures::OfOneOfSeveral => prepared.judged_train().rows(),
            Figures::OfModel(networks) => networks * (prepared.judged_train().rows() + 3 * val + 2 * test),
        };
        Duration::from_secs_f64(of_row * outputs as f64)
    }
}

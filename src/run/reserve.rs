//! The time of the figures after training, which a time limit includes.

use std::time::{Duration, Instant};

use super::plan::Plan;
use crate::data::{Dataset, Prepared, Strangers};
use crate::fit::DataPart;
use crate::train::Trainer;

/// Rows whose outputs are timed: first so many, and then more, until the time is long enough to go by.
const FIRST: usize = 64;
const TIMED: usize = 1024;
const LONG_ENOUGH: Duration = Duration::from_millis(20);
/// The share of the time left that is kept for figures at most.
const MOST: f64 = 0.6;
/// The figures of the training part are left out if they would take so many times the time left, and this much longer.
const DOUBT: f64 = 3.0;
const SLACK: Duration = Duration::from_secs(1);

/// The figures after training.
#[derive(Debug, Clone, Copy)]
pub enum Figures {
    /// Those of a model of so many networks: on all parts.
    OfModel(usize),
    /// Those of one of several networks, before they make one model: on the validation part, or without one on the training part.
    OfOneOfSeveral,
}

impl Plan {
    /// When training must end, so that these figures are there at `end`. `trainer` has such a network. Where there is no time for
    /// those of the training part, only the others count.
    pub fn end_of_training(&self, trainer: &mut Trainer, figures: Figures, end: Instant) -> Instant {
        let of_row = self.time_of_a_row(trainer);
        let most = end.saturating_duration_since(Instant::now()).mul_f64(MOST);
        let prepared = &self.prepared;
        let count = |part: &Option<Dataset>| part.as_ref().map_or(0, Dataset::rows);
        let (train, val, test) = (prepared.judged_train().rows(), count(&prepared.val), count(&prepared.test));
        // The validation part is looked at once more at the end of the epoch, and a model's held-out parts to decide and to judge.
        let (held_out, training) = match figures {
            Figures::OfOneOfSeveral if val > 0 => (2 * val, 0),
            Figures::OfOneOfSeveral => (0, train),
            Figures::OfModel(networks) => (networks * (3 * val + 2 * test), networks * train),
        };
        let time = |outputs: usize| Duration::from_secs_f64(of_row * outputs as f64);
        let all = time(held_out + training);
        end - if all <= most { all } else { time(held_out).min(most) }
    }

    /// Seconds for the outputs for one row.
    fn time_of_a_row(&self, trainer: &mut Trainer) -> f64 {
        let mut timed = |rows: usize| {
            let rows: Vec<u32> = (0..self.prepared.train.rows().min(rows) as u32).collect();
            let part = self.prepared.train.subset(&rows);
            let began = Instant::now();
            trainer.evaluate(&part);
            (began.elapsed(), rows.len().max(1))
        };
        timed(FIRST); // touches the memory
        let mut rows = FIRST;
        loop {
            let (time, of) = timed(rows);
            if rows >= TIMED || time >= LONG_ENOUGH {
                return time.as_secs_f64() / of as f64;
            }
            rows *= 4;
        }
    }

    /// The figures of the validation part, and those of the training part, unless a time limit has no time for them. `judge` computes
    /// the figures of a part.
    pub(super) fn judged_parts<T>(
        &self,
        prepared: &Prepared,
        mut judge: impl FnMut(&Dataset, Option<&Strangers>) -> T,
    ) -> (Option<T>, Option<T>) {
        let began = Instant::now();
        let val = prepared.val.as_ref().map(|val| judge(val, prepared.val_strangers.as_ref()));
        let train = prepared.judged_train();
        let ratio = prepared.val.as_ref().map_or(0.0, |val| train.rows() as f64 / val.rows().max(1) as f64);
        let stopping = &self.config.stopping;
        let is_required = stopping.fail_under.is_some_and(|goal| goal.watched.part == DataPart::Train);
        let is_too_long = |end: Instant| {
            began.elapsed().mul_f64(ratio) > end.saturating_duration_since(Instant::now()).mul_f64(DOUBT) + SLACK
        };
        let judges = is_required || !stopping.deadline.is_some_and(is_too_long);
        (judges.then(|| judge(train, None)), val)
    }
}

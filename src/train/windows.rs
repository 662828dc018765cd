//! Epochs over rows that stay in a pack: a window of some batches is loaded and trained on, then the next one.

use super::clock::{Clock, PhaseTimes};
use super::epoch::{EpochOutcome, EpochPlan};
use super::trainer::Trainer;
use crate::data::Dataset;

impl Trainer {
    /// Steps on rows that stay in a pack, window by window. Bits do not depend on the size of a window.
    pub(super) fn steps_by_windows<C: Clock>(
        &mut self,
        plan: &EpochPlan<'_>,
        window: usize,
    ) -> (EpochOutcome, Vec<PhaseTimes>) {
        let mut so_far: Option<(EpochOutcome, Vec<PhaseTimes>)> = None;
        loop {
            let at = self.state.epoch.rows;
            let end = end_of_window(at, window, plan.batch, plan.order.len());
            let (data, order) = loaded(plan.data, &plan.order[at..end]);
            let (mut outcome, mut times) = self.make_steps::<C>(&EpochPlan { data: &data, order: &order, ..*plan }, at);
            if let Some((earlier, spent)) = so_far {
                outcome.records.splice(0..0, earlier.records);
                let mut recent = earlier.recent;
                recent.extend(&outcome.recent);
                outcome.recent = recent;
                let both = |(a, b): (PhaseTimes, PhaseTimes)| std::array::from_fn(|phase| a[phase] + b[phase]);
                times = spent.into_iter().zip(times).map(both).collect();
            }
            if outcome.halt.is_some() || end == plan.order.len() {
                return (outcome, times);
            }
            so_far = Some((outcome, times));
        }
    }
}

/// Loads some rows in the order of the file, which is the fastest, and returns the place of each of `rows` among them.
fn loaded(data: &Dataset, rows: &[u32]) -> (Dataset, Vec<u32>) {
    let mut by_place: Vec<u32> = (0..rows.len() as u32).collect();
    by_place.sort_unstable_by_key(|at| rows[*at as usize]);
    let sorted: Vec<u32> = by_place.iter().map(|at| rows[*at as usize]).collect();
    let mut order = vec![0; rows.len()];
    (0..).zip(&by_place).for_each(|(place, at)| order[*at as usize] = place);
    (data.subset(&sorted), order)
}

/// The position in the epoch where the rows that are loaded together from `at` end: after whole batches, at least one, and
/// within the window of the epoch that contains `at`. Rows too few for another batch are included.
fn end_of_window(at: usize, window: usize, batch: usize, rows: usize) -> usize {
    let ends = |number: usize| number.saturating_mul(window) / batch * batch;
    let mut number = at / window + 1;
    while ends(number) <= at {
        number += 1;
    }
    if ends(number) + batch > rows { rows } else { ends(number) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_end_at_whole_batches() {
        let ends = |window: usize, batch: usize, rows: usize| {
            let (mut at, mut ends) = (0, Vec::new());
            while at < rows {
                at = end_of_window(at, window, batch, rows);
                ends.push(at);
            }
            ends
        };
        assert_eq!(ends(256, 50, 630), [250, 500, 630]);
        assert_eq!(ends(256, 300, 630), [300, 630]);
        assert_eq!(ends(256, 256, 512), [256, 512]);
        assert_eq!(ends(64, 1, 65), [64, 65]);
        assert_eq!(ends(100, 10, 5), [5]);
        // When steps continue in the middle of a window, it ends where it would have ended.
        assert_eq!([0, 50, 200, 250].map(|at| end_of_window(at, 256, 50, 630)), [250, 250, 250, 500]);
    }
}

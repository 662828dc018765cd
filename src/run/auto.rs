//! Batch size and number of epochs if the user gives none.

use crate::config::BatchSize;

/// The default number of steps.
const AUTO_STEPS: u64 = 4_000;
/// The fewest and the most epochs chosen for it.
const AUTO_EPOCHS: (u64, u64) = (20, 500);
/// The largest and the smallest batch chosen by default, and the fewest steps that an epoch should have.
const AUTO_BATCH: (usize, usize) = (128, 16);
const AUTO_STEPS_PER_EPOCH: usize = 8;

/// The batch size for a number of rows: 128, halved down to 16 while an epoch has fewer than 8 steps.
fn auto_batch(rows: usize) -> usize {
    let (mut batch, least) = AUTO_BATCH;
    while batch > least && rows.div_ceil(batch) < AUTO_STEPS_PER_EPOCH {
        batch /= 2;
    }
    batch
}

/// Numbers of rows below which the authors of TabM use a batch of this size; above the last, the largest batch.
const BY_ROWS: [(usize, usize); 5] = [(2_800, 32), (4_500, 64), (6_400, 128), (32_000, 256), (108_000, 512)];
const LARGEST_BY_ROWS: usize = 1024;

fn batch_by_rows(rows: usize) -> usize {
    BY_ROWS.into_iter().find(|(below, _)| rows < *below).map_or(LARGEST_BY_ROWS, |(_, batch)| batch)
}

/// The number of epochs that gives 4,000 steps, between 20 and 500.
pub(super) fn auto_epochs(steps_per_epoch: u64) -> usize {
    AUTO_STEPS.div_ceil(steps_per_epoch.max(1)).clamp(AUTO_EPOCHS.0, AUTO_EPOCHS.1) as usize
}

/// The batch size for this number of training rows.
pub(super) fn batch_of(asked: BatchSize, rows: usize) -> usize {
    match asked {
        BatchSize::Rows(n) => n.min(rows),
        BatchSize::Full => rows,
        BatchSize::Auto => auto_batch(rows).min(rows),
        BatchSize::ByRows => batch_by_rows(rows).min(rows),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_and_epochs_follow_the_number_of_rows() {
        let batches: Vec<usize> = [50, 135, 600, 897, 54_000].into_iter().map(auto_batch).collect();
        assert_eq!(batches, [16, 16, 64, 128, 128]);
        let by_rows: Vec<usize> = [50, 2_799, 2_800, 31_999, 108_000].into_iter().map(batch_by_rows).collect();
        assert_eq!(by_rows, [32, 32, 64, 256, 1024]);
        assert_eq!([1, 9, 100, 422].map(auto_epochs), [500, 445, 40, 20]);
    }
}

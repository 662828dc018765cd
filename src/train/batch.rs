//! The rows of a step, and the blocks in which they go through the network.

use super::mean::Mean;
use super::rows::StepRows;
use super::settings::StepFactors;
use crate::kernel::LANES;
use crate::optim::Algorithm;

/// The most rows processed at once: larger batches run in blocks that continue the same sums.
pub(crate) const BLOCK_ROWS: usize = 1024;

/// The fewest rows of a block if members of the network share it, so that there are panels for several threads.
const FEWEST_ROWS: usize = 64;

/// Rows processed at once in a network with this many members. Bits do not depend on it.
pub(crate) fn block_rows(members: usize) -> usize {
    if members == 1 { BLOCK_ROWS } else { (BLOCK_ROWS / members).next_multiple_of(LANES).max(FEWEST_ROWS) }
}

/// Rows of one optimizer step.
#[derive(Clone, Copy)]
pub(super) struct Batch<'a> {
    /// The rows of each member of the network.
    pub(super) rows: StepRows<'a>,
    /// Position of the first of them in the epoch.
    pub(super) position: usize,
    /// Epoch, from 0.
    pub(super) epoch: u64,
    /// The weight of each row.
    pub(super) mean: Mean,
    /// Number of the optimizer step, from 1.
    pub(super) t: u64,
    /// Learning rate.
    pub(super) lr: f64,
    /// Factors of dropout and decay.
    pub(super) factors: StepFactors,
    /// The optimizer, with this step's momentum.
    pub(super) algorithm: Algorithm,
}

/// Rows that are processed at once, and where they start in the batch.
pub(super) struct Block<'a> {
    /// The rows of the batch.
    pub(super) of: StepRows<'a>,
    /// Position of the first of them in the batch.
    pub(super) start: usize,
    /// How many there are.
    pub(super) rows: usize,
    /// Whether this is the last block of the batch.
    pub(super) last: bool,
}

impl Block<'_> {
    /// The rows of one panel, for a member of the network.
    pub(super) fn panel(&self, p: usize, network_member: usize) -> &[u32] {
        let range = self.start + p * LANES..self.start + ((p + 1) * LANES).min(self.rows);
        self.of.of(network_member, range)
    }
}

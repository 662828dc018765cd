//! The rows of a step: the same for all members of the network, or for each member its own.

use std::ops::Range;

/// The rows of a step.
#[derive(Clone, Copy)]
pub(super) struct StepRows<'a> {
    /// Row numbers in the data set, for members that share them.
    shared: &'a [u32],
    /// The order of each member, if members have orders of their own; empty otherwise.
    own: &'a [Vec<u32>],
    /// Position of the step's first row in these orders.
    first: usize,
}

impl<'a> StepRows<'a> {
    /// The rows `shared`; or, if `own` is not empty, as many rows of each order from position `first` on.
    pub(super) fn new(shared: &'a [u32], own: &'a [Vec<u32>], first: usize) -> StepRows<'a> {
        StepRows { shared, own, first }
    }

    /// Number of rows of each member.
    pub(super) fn len(&self) -> usize {
        self.shared.len()
    }

    /// Number of members that have rows of their own; 1 if they share them.
    pub(super) fn owners(&self) -> usize {
        self.own.len().max(1)
    }

    /// Some rows of a member of the network.
    pub(super) fn of(&self, member: usize, range: Range<usize>) -> &'a [u32] {
        match self.own.get(member) {
            Some(order) => &order[self.first + range.start..self.first + range.end],
            None => &self.shared[range],
        }
    }
}

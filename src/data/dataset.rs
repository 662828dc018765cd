//! Prepared data for training: features, targets and weights of rows.

use std::ops::Range;

use super::blocks::Blocks;
use super::order::{Orders, epoch_order, member_order};
use super::targets::{Targets, chosen};
use crate::option_text::{option, setting};
use crate::room::{available, size};
use crate::{Error, Result};

/// Allocations of up to this many bytes are not compared with the available memory.
const NEGLIGIBLE: f64 = 1e8;

/// Allocates `rows · inputs` numbers, all 0.
///
/// # Errors
/// [`Error::Memory`] if memory does not suffice. Without this check, the system could end the process.
pub(super) fn inputs_of_zeros(rows: usize, inputs: usize) -> Result<Vec<f32>> {
    let needed = size_of::<f32>() as f64 * rows as f64 * inputs as f64;
    match available().filter(|_| needed > NEGLIGIBLE).map(|room| room.max(0.0)) {
        Some(room) if room < needed => Err(Error::Memory(format!(
            "{inputs} inputs of {rows} rows need {} of memory, and {} can be had: use a smaller {}, or {}",
            size(needed),
            size(room),
            option("one_hot"),
            setting("shuffle", "blocks")
        ))),
        _ => Ok(vec![0.0; rows * inputs]),
    }
}

/// The inputs of the network, row-major `[rows, cols]`.
#[derive(Debug, Clone, PartialEq)]
pub enum Features {
    /// Prepared numbers.
    F32 {
        /// `rows · cols` values.
        values: Vec<f32>,
        /// Inputs of the network.
        cols: usize,
    },
    /// Bytes of images. They are stored as bytes and multiplied by `scale` when a batch is gathered.
    U8 {
        /// `rows · cols` values.
        values: Vec<u8>,
        /// Inputs of the network.
        cols: usize,
        /// Factor from byte to input, 1/255 for images.
        scale: f32,
    },
    /// Rows of a pack that are prepared when they are needed.
    Blocks(Blocks),
}

/// Rows ready for training or evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// Inputs.
    pub features: Features,
    /// Targets of the same rows.
    pub targets: Targets,
    /// Weight of each row, including its class weight; `None` if all are 1.
    pub weights: Option<Vec<f32>>,
}

impl Features {
    /// Inputs of the network.
    pub fn cols(&self) -> usize {
        match self {
            Features::F32 { cols, .. } | Features::U8 { cols, .. } => *cols,
            Features::Blocks(blocks) => blocks.cols(),
        }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        match self {
            Features::F32 { values, cols } => values.len() / cols.max(&1),
            Features::U8 { values, cols, .. } => values.len() / cols.max(&1),
            Features::Blocks(blocks) => blocks.rows(),
        }
    }

    /// A copy in memory of the given rows, in the given order.
    ///
    /// # Panics
    /// If a row does not exist.
    pub fn subset(&self, rows: &[u32]) -> Features {
        match self {
            Features::F32 { values, cols } => Features::F32 { values: chosen(values, *cols, rows), cols: *cols },
            Features::U8 { values, cols, scale } => {
                Features::U8 { values: chosen(values, *cols, rows), cols: *cols, scale: *scale }
            }
            Features::Blocks(blocks) => Features::F32 { values: blocks.gather(rows), cols: blocks.cols() },
        }
    }

    /// The given ranges of inputs, for all rows.
    ///
    /// # Panics
    /// If an input does not exist, or the rows are in a pack.
    pub fn inputs(&self, ranges: &[Range<usize>]) -> Features {
        let cols = ranges.iter().map(Range::len).sum();
        match self {
            Features::F32 { values, cols: all } => Features::F32 { values: ranged(values, *all, ranges), cols },
            Features::U8 { values, cols: all, scale } => {
                Features::U8 { values: ranged(values, *all, ranges), cols, scale: *scale }
            }
            Features::Blocks(_) => unreachable!("rows for networks of several forms are in memory"),
        }
    }
}

impl Dataset {
    /// Weight of a row.
    pub fn weight(&self, row: u32) -> f64 {
        self.weights.as_ref().map_or(1.0, |weights| f64::from(weights[row as usize]))
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.targets.rows()
    }

    /// Writes the order of an epoch, counted from 0, to `out`. With `shuffled`, it is random (by blocks, if the rows
    /// are in a pack); otherwise it is the order of the rows.
    pub fn order(&self, seed: u64, epoch: u64, shuffled: bool, out: &mut Vec<u32>) {
        match &self.features {
            Features::Blocks(blocks) if shuffled => blocks.order(seed, epoch, out),
            _ => epoch_order(self.rows(), seed, epoch, shuffled, out),
        }
    }

    /// The orders of an epoch, counted from 0. `owners` is the number of members that have an order of their own; 1 if
    /// all members share one.
    ///
    /// # Panics
    /// If there are several orders and the rows are in a pack.
    pub fn orders(&self, (seed, epoch): (u64, u64), shuffled: bool, owners: usize) -> Orders {
        let mut shared = Vec::new();
        self.order(seed, epoch, shuffled, &mut shared);
        if owners == 1 {
            return Orders { shared, own: Vec::new() };
        }
        assert!(!matches!(self.features, Features::Blocks(_)), "rows of a pack have one order");
        let of_member = |member: u64| {
            let mut order = Vec::new();
            member_order(self.rows(), (seed, epoch, member), shuffled, &mut order);
            order
        };
        Orders { own: (0..owners as u64).map(of_member).collect(), shared }
    }

    /// A copy in memory of the given rows, in the given order.
    ///
    /// # Panics
    /// If a row does not exist.
    pub fn subset(&self, rows: &[u32]) -> Dataset {
        Dataset {
            features: self.features.subset(rows),
            targets: self.targets.subset(rows),
            weights: self.weights.as_ref().map(|weights| chosen(weights, 1, rows)),
        }
    }
}

/// The given columns of a row-major matrix.
fn ranged<T: Copy>(values: &[T], cols: usize, ranges: &[Range<usize>]) -> Vec<T> {
    let row = |row: &'_ [T]| ranges.iter().flat_map(|range| row[range.clone()].to_vec()).collect::<Vec<T>>();
    values.chunks_exact(cols.max(1)).flat_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subset_keeps_rows_together() {
        let features = Features::U8 { values: vec![1, 2, 3, 4, 5, 6], cols: 2, scale: 0.5 };
        let targets = Targets::Classes { labels: vec![7, 8, 9], classes: 10 };
        let subset = Dataset { features, targets, weights: Some(vec![0.1, 0.2, 0.3]) }.subset(&[2, 0, 2]);
        assert_eq!(subset.features, Features::U8 { values: vec![5, 6, 1, 2, 5, 6], cols: 2, scale: 0.5 });
        assert_eq!(subset.targets, Targets::Classes { labels: vec![9, 7, 9], classes: 10 });
        assert_eq!(subset.weights, Some(vec![0.3, 0.1, 0.3]));
    }
}

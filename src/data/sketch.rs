//! The size of data.

use super::task::Task;

/// The size of data, before anything is fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sketch {
    /// The task.
    pub task: Task,
    /// Whether the data are a table and not images.
    pub is_table: bool,
    /// Number of rows with a target, in all parts of the file.
    pub rows: usize,
    /// Number of columns of numbers and dates that may be features.
    pub numbers: usize,
    /// Number of text columns that may be features.
    pub categories: usize,
    /// Number of the network's outputs.
    pub outputs: usize,
}

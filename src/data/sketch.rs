//! How large data are.

use super::task::Task;

/// The size of data, before anything is fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sketch {
    /// What is learnt.
    pub task: Task,
    /// Whether it is a table, and not images.
    pub is_table: bool,
    /// Rows that have a target, of all parts that the file holds.
    pub rows: usize,
    /// Columns of numbers and dates that the network may see.
    pub numbers: usize,
    /// Those of text.
    pub categories: usize,
    /// Outputs of the network.
    pub outputs: usize,
}

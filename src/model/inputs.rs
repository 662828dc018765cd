//! Which inputs of a network belong together, and what they hold.

/// Inputs that come from one column, or from a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Run {
    /// A number.
    Number,
    /// So many inputs that belong together: a one-hot category, a mark of missing values, a wave of a date.
    Plain(usize),
    /// The number of a level, of so many.
    Level(usize),
}

impl Run {
    /// How many inputs it has.
    pub fn inputs(self) -> usize {
        match self {
            Run::Number | Run::Level(_) => 1,
            Run::Plain(inputs) => inputs,
        }
    }
}

/// The inputs that hold numbers, rising.
pub fn numbers(runs: &[Run]) -> Vec<usize> {
    let mut first = 0;
    let number = |run: &Run| {
        first += run.inputs();
        (*run == Run::Number).then_some(first - 1)
    };
    runs.iter().filter_map(number).collect()
}

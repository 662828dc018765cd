//! Which inputs of a network belong together, and what they hold.

/// Inputs that come from one column, or from a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputRun {
    /// A number.
    Number,
    /// This many inputs that belong together: a one-hot category, a mark of missing values, a wave of a date.
    Plain(usize),
    /// The number of a level, and the number of levels.
    Level(usize),
}

impl InputRun {
    /// The number of inputs.
    pub fn inputs(self) -> usize {
        match self {
            InputRun::Number | InputRun::Level(_) => 1,
            InputRun::Plain(inputs) => inputs,
        }
    }
}

/// The inputs that hold numbers, in ascending order.
pub fn numbers(runs: &[InputRun]) -> Vec<usize> {
    let mut first = 0;
    let number = |run: &InputRun| {
        first += run.inputs();
        (*run == InputRun::Number).then_some(first - 1)
    };
    runs.iter().filter_map(number).collect()
}

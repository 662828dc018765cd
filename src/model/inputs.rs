//! Which inputs of a network belong together, and what they hold.

/// Inputs that come from one column, or from a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputSpan {
    /// A number.
    Number,
    /// This many inputs that belong together: a one-hot category, a mark of missing values, a wave of a date.
    Plain(usize),
    /// The number of a level, and the number of levels.
    Level(usize),
}

impl InputSpan {
    /// The number of inputs.
    pub fn inputs(self) -> usize {
        match self {
            InputSpan::Number | InputSpan::Level(_) => 1,
            InputSpan::Plain(inputs) => inputs,
        }
    }
}

/// The inputs that hold numbers, in ascending order.
pub fn numbers(spans: &[InputSpan]) -> Vec<usize> {
    let mut first = 0;
    let number = |span: &InputSpan| {
        first += span.inputs();
        (*span == InputSpan::Number).then_some(first - 1)
    };
    spans.iter().filter_map(number).collect()
}

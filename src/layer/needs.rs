//! Widths of values between layers, and what a layer needs in memory.

/// The width of a value between two layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Width {
    /// Features of each member.
    pub features: usize,
    /// Number of members; 1 before they begin.
    pub members: usize,
}

impl Width {
    /// `features` features of a value without members.
    pub const fn of(features: usize) -> Width {
        Width { features, members: 1 }
    }

    /// Features of all members together.
    pub fn total(self) -> usize {
        self.features.saturating_mul(self.members)
    }
}

/// What a layer needs in memory, and how it treats what it is given.
#[derive(Debug, Clone, Copy, Default)]
pub struct Needs {
    /// Whether the layer exists only in training.
    pub only_in_training: bool,
    /// Whether `forward` draws random numbers.
    pub random: bool,
    /// Whether `y` may overwrite `x`, because the layer does not read `x` later.
    pub overwrites_x: bool,
    /// Whether `backward` reads `y`, so no later layer may overwrite it.
    pub keeps_y: bool,
    /// Whether `backward` reads `x` or `y`.
    pub looks_back: bool,
    /// How `backward` uses `dy`.
    pub dy: UseOfDy,
    /// Lines for each panel that are kept from `forward` to `backward`, besides `x` and `y`.
    pub kept: usize,
    /// Whether a transposed copy of `dy`, with outputs in lanes, is kept for the gradient of a matrix.
    pub transposed: bool,
    /// Whether that copy is stored separately for each member.
    pub by_members: bool,
    /// Whether threads may divide the layer's outputs among them instead of its rows.
    pub by_outputs: ByOutputs,
}

/// How a layer's `backward` uses `dy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UseOfDy {
    /// Reads it; `dx` has its own memory.
    #[default]
    Reads,
    /// Reads it; `dx` equals `dy`.
    HandsOn,
    /// Overwrites it with `dx`.
    Changes,
}

/// Whether threads may divide a layer's outputs among them instead of its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ByOutputs {
    /// Not at all.
    #[default]
    No,
    /// An output needs all inputs, so only if the layer is the first of the network.
    First,
    /// Each output needs only the input of the same number.
    Elementwise,
}

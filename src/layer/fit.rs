//! The training rows, to which layers are fitted before the network is built.

/// The training rows as layers see them.
pub struct Fit<'a> {
    /// Inputs that hold numbers, in ascending order. The others are one-hot inputs of categories, marks of missing values
    /// and the like.
    pub numbers: &'a [usize],
    /// The values of an input.
    pub column: &'a (dyn Fn(usize) -> Vec<f32> + Sync),
    /// The targets.
    pub targets: Goals<'a>,
}

/// The targets, as a decision tree sees them.
#[derive(Clone, Copy)]
pub enum Goals<'a> {
    /// A class for each row, below `classes`.
    Classes {
        /// The class of each row.
        labels: &'a [u32],
        /// How many classes there are.
        classes: usize,
    },
    /// `cols` numbers for each row.
    Values {
        /// The numbers, row-major.
        values: &'a [f32],
        /// Numbers for each row.
        cols: usize,
    },
}

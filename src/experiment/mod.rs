//! Questions that take many runs of a model.

mod importance;

pub use importance::{ColumnImportance, Importance, permutation_importance};

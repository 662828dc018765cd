//! Weights that rows can have.

/// Positive weights of rows: sums of their products with losses stay within single precision.
pub(super) const LEAST_WEIGHT: f64 = 1e-20;
pub(super) const MOST_WEIGHT: f64 = 1e20;

/// Whether a row can have this weight.
pub(super) fn is_weight(weight: f64) -> bool {
    weight == 0.0 || (LEAST_WEIGHT..=MOST_WEIGHT).contains(&weight)
}

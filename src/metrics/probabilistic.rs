//! How well probabilities fit the truth.

use super::{weight_of, weighted_mean};

/// `−ln p`, with `p` clamped between `2⁻⁵²` and `1 − 2⁻⁵²`, so that a row that is certain and wrong costs 36.04 and not
/// infinity. NaN stays NaN.
pub fn surprise(p: f64) -> f64 {
    -libm::log(p.clamp(f64::EPSILON, 1.0 - f64::EPSILON))
}

/// Log-loss of two classes: the weighted mean of `−ln p` of the class that was true, `p` clipped as in [`surprise`].
///
/// - `truth`: whether the row is of class 1
/// - `probabilities`: of class 1
pub fn binary_log_loss(truth: &[bool], probabilities: &[f64], weights: Option<&[f64]>) -> f64 {
    let rows = truth.iter().zip(probabilities).enumerate();
    weighted_mean(rows.map(|(row, (&t, &p))| (surprise(if t { p } else { 1.0 - p }), weight_of(weights, row))))
}

/// Brier score of two classes: the weighted mean of `(p − t)²`, 0 to 1. Brier 1950,
/// <https://doi.org/10.1175/1520-0493(1950)078%3C0001:VOFEIT%3E2.0.CO;2>, halved.
pub fn binary_brier(truth: &[bool], probabilities: &[f64], weights: Option<&[f64]>) -> f64 {
    let rows = truth.iter().zip(probabilities).enumerate();
    weighted_mean(rows.map(|(row, (&t, &p))| {
        let error = p - f64::from(t);
        (error * error, weight_of(weights, row))
    }))
}

/// Log-loss of several classes: the weighted mean of `−ln p` of the true class, clipped as in [`surprise`].
///
/// - `truth`: classes `[rows]`
/// - `probabilities`: `[rows, classes]`
///
/// # Panics
/// If a class is not below `classes`.
pub fn log_loss(classes: usize, truth: &[u32], probabilities: &[f64], weights: Option<&[f64]>) -> f64 {
    let rows = truth.iter().zip(probabilities.chunks_exact(classes)).enumerate();
    weighted_mean(rows.map(|(row, (&t, p))| (surprise(p[t as usize]), weight_of(weights, row))))
}

/// Brier score of several classes: the weighted mean of `Σ_c (p_c − t_c)²`, 0 to 2. Shapes as in [`log_loss`].
///
/// # Panics
/// If a class is not below `classes`.
pub fn brier(classes: usize, truth: &[u32], probabilities: &[f64], weights: Option<&[f64]>) -> f64 {
    let rows = truth.iter().zip(probabilities.chunks_exact(classes)).enumerate();
    weighted_mean(rows.map(|(row, (&t, p))| (squared_distance(p.iter().copied(), t as usize), weight_of(weights, row))))
}

/// `Σ_c (p_c − t_c)²` of one row whose class is `truth`.
pub(super) fn squared_distance(probabilities: impl Iterator<Item = f64>, truth: usize) -> f64 {
    let errors = probabilities.enumerate().map(|(class, p)| p - f64::from(class == truth));
    errors.map(|error| error * error).sum()
}

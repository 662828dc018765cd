//! How good predictions are: figures of classes, rankings, probabilities and numbers.
//!
//! Everything here is a pure function of predictions, targets and row weights, in `f64`, with scikit-learn's definitions. A
//! figure that is 0/0 without an agreed value is NaN in these functions, `None` in a [`MetricSet`] and `null` in JSON.

pub mod areas;
pub mod calibration;
pub mod classification;
pub mod fscore;
pub(crate) mod name;
pub mod probabilistic;
pub mod ranking;
pub mod regression;
pub mod report;
pub mod scores;
pub(crate) mod set;
pub mod threshold;

pub use classification::{ConfusionMatrix, whole_matrix};
pub use name::MetricName;
pub use report::{Detail, Each, Predictions, Report, UnknownRows, evaluate, report};
pub use scores::Scores;
pub use set::MetricSet;

/// The weight of row `row`: 1 if there are no weights.
fn weight_of(weights: Option<&[f64]>, row: usize) -> f64 {
    weights.map_or(1.0, |w| w[row])
}

/// `Σ wᵢ vᵢ / Σ wᵢ` over pairs `(vᵢ, wᵢ)`; NaN if the weights add up to 0.
fn weighted_mean(pairs: impl Iterator<Item = (f64, f64)>) -> f64 {
    let (sum, total) = pairs.fold((0.0, 0.0), |(sum, total), (value, weight)| (sum + value * weight, total + weight));
    sum / total
}

/// The plain mean; NaN for an empty list.
pub fn mean(values: &[f64]) -> f64 {
    weighted_mean(values.iter().map(|&v| (v, 1.0)))
}

//! Trained models on raw rows: predictions as a user reads them, and figures where the truth is known.

mod answers;
mod average;
mod predictor;
mod stream;

pub use crate::score::Judged;
pub use answers::Answers;
pub use average::mean_outputs;
pub use predictor::{Predicted, Predictor};
pub use stream::{PredictionTable, write_predictions};

//! Prediction of raw rows with trained models: predictions in the user's terms, and figures where the truth is known.

mod answers;
mod average;
mod predictor;
mod stream;

pub use crate::score::Judged;
pub use answers::Answers;
pub use average::mean_outputs;
pub use predictor::{Predicted, Predictor};
pub use stream::{PredictionTable, write_predictions};

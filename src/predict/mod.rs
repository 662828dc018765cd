//! Trained models on raw rows: predictions as a user reads them, and figures where the truth is known.

mod answers;
mod predictor;
mod stream;

pub use answers::Answers;
pub use predictor::{Judged, Predicted, Predictor};
pub use stream::{PredictionTable, write_predictions};

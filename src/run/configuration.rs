//! The record of one of several configurations, in the run's summary and its events.

use serde::Serialize;
use serde_json::Value;

use crate::fit::event_of;
use crate::model::Calibration;

/// A configuration that is not used.
pub struct LeftOut {
    /// Its preset.
    pub name: &'static str,
    /// Why not, in a few words.
    pub why: String,
}

/// The record of one configuration, in the summary and in events.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Configuration {
    /// Its preset.
    pub configuration: &'static str,
    /// Its networks.
    pub networks: usize,
    /// Cost of its out-of-fold predictions, calibrated: log-loss, or RMSE in standard deviations of the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out_of_fold: Option<f64>,
    /// Its weight.
    pub weight: f64,
    /// The temperature of its logits, and the rows it was fitted to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
    /// Seconds of training.
    pub seconds: f64,
    /// Why it was left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<String>,
}

impl Configuration {
    /// The record of a configuration that was left out.
    pub(super) fn left_out(of: &LeftOut) -> Configuration {
        Configuration {
            configuration: of.name,
            networks: 0,
            out_of_fold: None,
            weight: 0.0,
            calibration: None,
            seconds: 0.0,
            left_out: Some(of.why.clone()),
        }
    }

    /// As a line of `events.jsonl`.
    pub fn event(&self) -> Value {
        event_of("configuration", self)
    }
}

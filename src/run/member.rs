//! One network of several that a run trains, as its summary and its events tell of it.

use serde::Serialize;
use serde_json::Value;

use crate::fit::event_of;
use crate::metrics::MetricSet;

/// One network of an ensemble, trained.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EnsembleMember {
    /// Its number, from 0, as in the names of its tensors.
    pub member: usize,
    /// Its number among all networks that were trained, from 0, as events name it; of a portfolio.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<usize>,
    /// The preset that it has of a portfolio.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration: Option<&'static str>,
    /// Its seed.
    pub seed: u64,
    /// The fold, from 1, that it did not learn from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fold: Option<usize>,
    /// Why training stopped.
    pub stopped: &'static str,
    /// Epochs begun.
    pub epochs: usize,
    /// Optimizer steps.
    pub steps: u64,
    /// The epoch whose weights are kept.
    pub best_epoch: usize,
    /// Its figures on the validation part, or on its fold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub val: Option<MetricSet>,
    /// Seconds of training.
    pub seconds: f64,
    /// Hash of its weights, as if it stood alone.
    pub weights_sha256: String,
}

impl EnsembleMember {
    /// As one object of `events.jsonl`.
    pub fn event(&self) -> Value {
        event_of("member", self)
    }
}

//! The record of one of several networks of a run, in its summary and its events.

use serde::Serialize;
use serde_json::Value;

use crate::fit::event_of;
use crate::metrics::MetricSet;

/// A trained network of an ensemble.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EnsembleMember {
    /// Its number, from 0, as in the names of its tensors.
    pub member: usize,
    /// For a portfolio: its number among all trained networks, from 0, as in events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<usize>,
    /// For a portfolio: its preset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration: Option<&'static str>,
    /// Its seed.
    pub seed: u64,
    /// The fold, from 1, that it did not learn from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fold: Option<usize>,
    /// Why training stopped.
    pub stopped: &'static str,
    /// Epochs that were started.
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
    /// Hash of its weights, as for a single network.
    pub weights_sha256: String,
}

impl EnsembleMember {
    /// As a line of `events.jsonl`.
    pub fn event(&self) -> Value {
        event_of("member", self)
    }
}

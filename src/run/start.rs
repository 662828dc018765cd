//! The first event of a run: what it is, and everything that its repetition must have in common with it.

use serde_json::{Value, json};

use super::plan::Plan;
use crate::data::Dataset;

impl Plan {
    /// The first event of the run.
    pub fn start_event(&self) -> Value {
        let rows = |data: Option<&Dataset>| data.map(Dataset::rows);
        let prepared = &self.prepared;
        json!({
            "event": "start",
            "version": env!("CARGO_PKG_VERSION"),
            "task": prepared.preprocessing.task(),
            "rows": {
                "train": prepared.train.rows(),
                "val": rows(prepared.val.as_ref()),
                "test": rows(prepared.test.as_ref()),
            },
            "parameters": self.parameters.layout.parameters(),
            "epochs": self.epochs,
            "batch": self.batch,
            "steps_per_epoch": self.steps_per_epoch(),
            "threads": self.threads,
            "threads_asked": self.threads_asked,
            "isa": self.config.threads.isa.name(),
            "seed": self.config.seed,
        })
    }

    /// The event as the run records it, with the hash of its data.
    pub(super) fn start_event_with(&self, data: &str) -> Value {
        let mut event = self.start_event();
        event["data_sha256"] = data.into();
        event
    }
}

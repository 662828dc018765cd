//! The first event of a run: what it is, and everything that its repetition must have in common with it.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde_json::{Value, json};

use super::difference::Difference;
use super::directory::RunDirectory;
use super::files::EVENTS_FILE;
use super::plan::Plan;
use crate::data::Dataset;
use crate::{Error, Result};

/// The hash of the first weights, if a file gave them.
const INITIAL: &str = "initial_weights_sha256";

/// The first event in a file.
///
/// # Errors
/// [`Error::Io`].
pub(super) fn first_event(path: &Path) -> Result<Value> {
    let mut line = String::new();
    let read = File::open(path).and_then(|file| BufReader::new(file).read_line(&mut line));
    read.map_err(|e| Error::io(path, e))?;
    Ok(serde_json::from_str(&line).unwrap_or_default())
}

/// Whether the file that gave the first weights of a run has others now. `start` is the run's first event.
pub(super) fn changed_initial(start: &Value, plan: &Plan) -> Option<Difference> {
    let recorded = start[INITIAL].as_str()?;
    let (path, found) = (plan.config.model.init_from.as_ref()?, plan.parameters.sha256());
    (recorded != found).then(|| Difference {
        place: path.display().to_string(),
        what: "sha256 of the weights".to_owned(),
        recorded: recorded.into(),
        found: found.into(),
    })
}

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
        if self.config.model.init_from.is_some() {
            event[INITIAL] = self.parameters.sha256().into();
        }
        event
    }

    /// Refuses to go on with a run whose first weights came from a file that has others now.
    ///
    /// # Errors
    /// [`Error::Mismatch`]; [`Error::Io`] if the events cannot be read.
    pub fn check_initial(&self, directory: &RunDirectory) -> Result<()> {
        match changed_initial(&first_event(&directory.folder().join(EVENTS_FILE))?, self) {
            Some(changed) => Err(Error::Mismatch(format!(
                "{}: these are not the weights that the run began with: restore the file, or train anew",
                changed.place
            ))),
            None => Ok(()),
        }
    }
}

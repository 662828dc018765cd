//! The files of a run directory, by name.

use std::path::Path;

use serde_json::Value;

use crate::model::file::MODEL_FILE;
use crate::{Error, Result};

/// The effective configuration.
pub const CONFIG_FILE: &str = "config.toml";
/// The events.
pub(super) const EVENTS_FILE: &str = "events.jsonl";
/// The rows of each part.
pub(super) const SPLIT_FILE: &str = "split.json";
/// What `--json` prints.
pub(super) const SUMMARY_FILE: &str = "summary.json";
/// The checkpoint: the state of an unfinished run.
pub(super) const CHECKPOINT_FILE: &str = "checkpoint";
/// Folder of the networks of an unfinished run of several.
pub(super) const NETWORKS: &str = "networks";
/// The trials of a search, which `gradlane tune` keeps in a directory of its own.
pub const TRIALS_FILE: &str = "trials.jsonl";
/// The files of a run, in the order in which they replace those of an older run: the model is the last.
pub(super) const FILES: [&str; 7] =
    [CONFIG_FILE, EVENTS_FILE, SPLIT_FILE, SUMMARY_FILE, CHECKPOINT_FILE, NETWORKS, MODEL_FILE];

/// Whether a directory holds a run, with or without a model.
pub fn is_run(path: &Path) -> bool {
    FILES.iter().any(|file| path.join(file).exists())
}

/// The summary in a run directory; `None` for a file, and for a run without a summary.
///
/// # Errors
/// [`Error::Io`] if it cannot be read, [`Error::Data`] if it is not JSON.
pub fn read_summary(path: &Path) -> Result<Option<Value>> {
    let path = path.join(SUMMARY_FILE);
    if !path.is_file() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(&path).map_err(|e| Error::io(&path, e))?;
    serde_json::from_str(&text).map(Some).map_err(|e| Error::data(&path, format!("expected a summary: {e}")))
}

//! The checkpoint in a run directory: the state of the run, and its position in the run's files.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::files::CHECKPOINT_FILE;
use super::kernels::check_kernels;
use super::plan::Plan;
use crate::config::TrainConfig;
use crate::fit::{FitState, SavedState};
use crate::train::Trainer;
use crate::{Error, Result};

/// The description of a run in its checkpoint, beside the state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct About {
    /// Version of the program.
    pub(super) version: String,
    /// Hash of the data, as the network sees them.
    pub(super) data: String,
    /// Whether multiply-adds are fused; without fusion bits differ.
    pub(super) fused: bool,
    /// Length of `events.jsonl`, in bytes.
    pub(super) events: u64,
    /// For one of several networks: seconds since the run of all of them began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) elapsed: Option<f64>,
}

/// A checkpoint that was read.
pub struct Checkpoint {
    path: PathBuf,
    bytes: Vec<u8>,
    about: About,
    epochs: usize,
    seconds: f64,
    last_rate: Option<f64>,
    /// Whether the run is to continue although it ended.
    prolongs: bool,
}

impl Checkpoint {
    /// Reads the checkpoint in a folder.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read, [`Error::Data`] if there is none, or it is damaged or of another version.
    pub(super) fn read(folder: &Path) -> Result<Checkpoint> {
        let path = folder.join(CHECKPOINT_FILE);
        if !path.is_file() {
            let repeat = "repeat the run with train -c and its config.toml";
            return Err(Error::data(folder, format!("expected a run with a checkpoint, found none: {repeat}")));
        }
        let bytes = std::fs::read(&path).map_err(|e| Error::io(&path, e))?;
        let wrong = |message: String| Error::data(&path, message);
        let saved = SavedState::read(&bytes).map_err(wrong)?;
        let about = About::deserialize(saved.about()).map_err(|e| wrong(format!("expected a checkpoint: {e}")))?;
        let (epochs, seconds, last_rate) = (saved.epochs(), saved.seconds(), saved.last_rate());
        Ok(Checkpoint { path, bytes, about, epochs, seconds, last_rate, prolongs: false })
    }

    /// How long training had taken when it was saved.
    pub fn time(&self) -> Duration {
        Duration::try_from_secs_f64(self.seconds).unwrap_or_default()
    }

    /// For one of several networks: seconds since the run began, without interruptions.
    pub(super) fn elapsed(&self) -> f64 {
        self.about.elapsed.unwrap_or(0.0)
    }

    /// Lets a run continue beyond its end, for the epochs of `config`. It continues at the learning rate of its last step,
    /// unless the rate was constant or follows a metric, or a schedule is given for the whole run.
    ///
    /// # Errors
    /// [`Error::Option`] if this number of epochs has been made already.
    pub fn prolong(&mut self, config: &mut TrainConfig, schedule_given: bool) -> Result<()> {
        let (made, epochs) = (self.epochs, config.stopping.epochs.unwrap_or(0));
        if epochs <= made {
            let message = format!("the run has made {made} already: give more");
            return Err(Error::Usage(message).of_value("epochs", epochs));
        }
        let constant = "const".parse()?;
        let schedule = &mut config.optimizer.schedule;
        let stays = schedule_given || *schedule == constant || schedule.plateau().is_some();
        if let Some(rate) = self.last_rate.filter(|_| !stays) {
            (*schedule, config.optimizer.spec.lr) = (constant, rate);
        }
        self.prolongs = true;
        Ok(())
    }

    /// Hash of the data, as the network saw them.
    pub(super) fn data(&self) -> &str {
        &self.about.data
    }

    /// Whether the run continues beyond its end.
    pub(super) fn prolongs(&self) -> bool {
        self.prolongs
    }

    /// Length of `events.jsonl` when it was saved, in bytes.
    pub(super) fn events(&self) -> u64 {
        self.about.events
    }

    /// Refuses a plan that would not continue to the same bits; `data` is the hash of its data.
    ///
    /// # Errors
    /// [`Error::Mismatch`].
    pub(super) fn check(&self, plan: &Plan, data: &str) -> Result<()> {
        if self.about.data != data {
            let message = "the data are not those that the run was begun with: restore them, or train anew";
            return Err(Error::Mismatch(message.to_owned()));
        }
        check_kernels("run", self.about.fused, plan.config.threads.isa.fuses())
    }

    /// Restores the states of a trainer and a fit of the same plan.
    ///
    /// # Errors
    /// [`Error::Data`] naming the checkpoint if the state is of another network or optimizer.
    pub(super) fn restore(&self, trainer: &mut Trainer, fit: &mut FitState) -> Result<()> {
        let wrong = |message: String| Error::data(&self.path, message);
        let saved = SavedState::read(&self.bytes).map_err(wrong)?;
        saved.restore(trainer, fit).map_err(|e| wrong(e.to_string()))?;
        if self.prolongs {
            fit.prolong();
        }
        Ok(())
    }
}

impl About {
    /// As the JSON description inside the saved state.
    pub(super) fn to_json(&self) -> Value {
        serde_json::to_value(self).expect("texts and numbers")
    }
}

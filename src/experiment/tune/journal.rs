//! `trials.jsonl`: one line for each run of a search, so that an interrupted search can be resumed.

use std::cmp::Ordering;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use serde::{Deserialize, Serialize};
use toml::Table;

use crate::metrics::{MetricName, MetricSet};
use crate::run::lock;
use crate::{Error, Result};

/// What is locked, in messages.
const SEARCH: &str = "search";

/// One setting, trained for a number of epochs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Number of the setting, from 1. The first is the configuration without a search.
    pub trial: usize,
    /// Number of epochs, over which its schedule ran.
    pub epochs: usize,
    /// The values that the search chose, as options of `train`.
    pub settings: Table,
    /// The metric by which trials are compared; `None` if it is undefined or training diverged.
    pub value: Option<f64>,
    /// Metrics on the validation part, or their means over the folds.
    pub val: MetricSet,
    /// Sample standard deviations over the folds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub std: Option<MetricSet>,
    /// The reason why training stopped; `diverged` if any fold diverged.
    pub stopped: String,
    /// Epoch of the kept weights, for each fold.
    pub best_epochs: Vec<usize>,
    /// Number of parameters of the network.
    pub parameters: usize,
    /// Seconds of training, summed over the folds. Other runs may have been active at the same time.
    pub seconds: f64,
    /// Hash of the kept weights, for each fold.
    pub weights_sha256: Vec<String>,
}

impl Trial {
    /// Orders better trials first: by `value`, then by lower validation loss, then by more epochs, then by their numbers.
    pub fn compare(&self, other: &Trial, metric: MetricName) -> Ordering {
        let score = |t: &Trial| t.value.map_or(f64::NEG_INFINITY, |v| if metric.higher_is_better() { v } else { -v });
        let loss = |t: &Trial| t.val.get(MetricName::Loss).unwrap_or(f64::INFINITY);
        let by_score = score(other).total_cmp(&score(self));
        let by_loss = by_score.then(loss(self).total_cmp(&loss(other)));
        by_loss.then(other.epochs.cmp(&self.epochs)).then(self.trial.cmp(&other.trial))
    }
}

/// The file and its contents. It is locked, so no other program writes it.
#[derive(Debug)]
pub struct TrialJournal {
    path: PathBuf,
    state: Mutex<JournalState>,
}

#[derive(Debug)]
struct JournalState {
    file: File,
    trials: Vec<Trial>,
}

impl TrialJournal {
    /// Opens or creates the file, and locks it. An incomplete last line is removed.
    ///
    /// # Errors
    /// [`Error::Io`], also if another program is writing it; [`Error::Data`] for a line that is not a trial.
    pub fn open(path: &Path) -> Result<TrialJournal> {
        let io = |e| Error::io(path, e);
        let mut file = locked(path)?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(io)?;
        let whole = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
        if whole.len() < text.len() {
            // In place: a file that replaced it would not be locked.
            file.set_len(whole.len() as u64).map_err(io)?;
        }
        let read = |(n, line): (usize, &str)| {
            let wrong = |e| Error::data_at(path, Some(n as u64 + 1), None, format!("expected a trial: {e}"));
            serde_json::from_str(line).map_err(wrong)
        };
        let trials: Result<Vec<Trial>> = whole.lines().enumerate().map(read).collect();
        Ok(TrialJournal::new(path, file, trials?))
    }

    /// Opens or creates the file, locks it and removes its trials.
    ///
    /// # Errors
    /// [`Error::Io`], also if another program is writing it.
    pub(super) fn create(path: &Path) -> Result<TrialJournal> {
        let file = locked(path)?;
        file.set_len(0).map_err(|e| Error::io(path, e))?;
        Ok(TrialJournal::new(path, file, Vec::new()))
    }

    /// Returns an error if another program is writing the file.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(super) fn refuse_while_written(path: &Path) -> Result<()> {
        File::open(path).map_or(Ok(()), |file| lock(&file, folder_of(path), SEARCH))
    }

    fn new(path: &Path, file: File, trials: Vec<Trial>) -> TrialJournal {
        TrialJournal { path: path.to_path_buf(), state: Mutex::new(JournalState { file, trials }) }
    }

    fn state(&self) -> MutexGuard<'_, JournalState> {
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Adds a trial. It is on the disk when this returns.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn add(&self, trial: Trial) -> Result<()> {
        let io = |e| Error::io(&self.path, e);
        let line = serde_json::to_string(&trial).map_err(|e| io(e.into()))? + "\n";
        let mut state = self.state();
        state.file.write_all(line.as_bytes()).and_then(|()| state.file.sync_data()).map_err(io)?;
        state.trials.push(trial);
        Ok(())
    }

    /// The trial of a setting with this number of epochs, if it is recorded.
    pub fn find(&self, trial: usize, epochs: usize) -> Option<Trial> {
        self.state().trials.iter().find(|t| t.trial == trial && t.epochs == epochs).cloned()
    }

    /// All trials, best first; of equal ones, the longer training first. Each trial is judged after its learning rate has
    /// fallen, so a shorter one may be the best.
    pub fn ranked(&self, metric: MetricName) -> Vec<Trial> {
        let mut trials = self.state().trials.clone();
        trials.sort_by(|a, b| a.compare(b, metric));
        trials
    }
}

/// The file, created if it is missing and locked until it is closed.
fn locked(path: &Path) -> Result<File> {
    let open = File::options().read(true).append(true).create(true).open(path);
    let file = open.map_err(|e| Error::io(path, e))?;
    lock(&file, folder_of(path), SEARCH)?;
    Ok(file)
}

/// The folder of a search, given its file of trials.
fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(trial: usize, epochs: usize, value: Option<f64>, loss: f64) -> Trial {
        Trial {
            trial,
            epochs,
            settings: Table::new(),
            value,
            val: [(MetricName::Loss, loss)].into_iter().collect(),
            std: None,
            stopped: "epochs".to_owned(),
            best_epochs: vec![1],
            parameters: 1,
            seconds: 0.1,
            weights_sha256: vec![String::new()],
        }
    }

    #[test]
    fn better_trials_come_first() {
        let folder = tempfile::tempdir().unwrap();
        let journal = TrialJournal::open(&folder.path().join("trials.jsonl")).unwrap();
        let runs = [(1, None, 0.1), (2, Some(0.9), 0.3), (3, Some(0.9), 0.2), (4, Some(0.8), 0.1), (5, Some(0.9), 0.2)];
        runs.into_iter().for_each(|(n, value, loss)| journal.add(trial(n, 9, value, loss)).unwrap());
        journal.add(trial(6, 3, Some(1.0), 0.0)).unwrap();
        let order: Vec<usize> = journal.ranked(MetricName::Accuracy).iter().map(|t| t.trial).collect();
        assert_eq!(order, [6, 3, 5, 2, 4, 1], "ties by loss, then by number; a shorter training may win");
        let order: Vec<usize> = journal.ranked(MetricName::Rmse).iter().map(|t| t.trial).collect();
        assert_eq!(order, [4, 3, 5, 2, 6, 1], "a lower error is a better one");
        journal.add(trial(6, 9, Some(1.0), 0.0)).unwrap();
        let lengths: Vec<usize> = journal.ranked(MetricName::Accuracy).iter().map(|t| t.epochs).collect();
        assert_eq!(lengths[..2], [9, 3], "of equal ones the longer training");
    }

    #[test]
    fn an_incomplete_last_line_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trials.jsonl");
        TrialJournal::open(&path).unwrap().add(trial(1, 9, Some(0.5), 1.0)).unwrap();
        let good = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{good}{{\"trial\":2,\"ep")).unwrap();
        let journal = TrialJournal::open(&path).unwrap();
        assert_eq!(journal.find(1, 9), Some(trial(1, 9, Some(0.5), 1.0)));
        journal.add(trial(2, 9, None, 1.0)).unwrap();
        let message = TrialJournal::open(&path).err().unwrap().to_string();
        assert!(message.contains("another program is writing this search"), "{message}");
        drop(journal);
        assert_eq!(TrialJournal::open(&path).unwrap().ranked(MetricName::Loss).len(), 2);
        std::fs::write(&path, "{}\n").unwrap();
        let message = TrialJournal::open(&path).err().unwrap().to_string();
        assert!(message.contains("trials.jsonl:1"), "{message}");
    }
}

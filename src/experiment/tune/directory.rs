//! The directory of a search.

use std::path::{Path, PathBuf};

use super::journal::TrialJournal;
use super::protocol::{Budget, TuneProtocol};
use crate::option_text::option;
use crate::run::{Plan, RUNS, TRIALS_FILE, is_run, new_directory};
use crate::{Error, Result, atomic};

/// Name of the file of the best configuration.
const BEST: &str = "best.toml";
/// Name of the directory of the best configuration's run.
const RETRAINED: &str = "best";

/// The directory of a search: `tune.toml`, `trials.jsonl`, `best.toml`, and the run `best`. No other search writes it while
/// this value exists: `trials.jsonl` is locked.
#[derive(Debug)]
pub struct TuneDirectory {
    path: PathBuf,
    trials: TrialJournal,
}

impl TuneDirectory {
    /// Returns an error if the directory holds a run, if it holds a search and `overwrite` is false, if another program is
    /// writing the search, or if the directory cannot be created or written. Creates nothing.
    ///
    /// # Errors
    /// [`Error::Option`] for an existing run or search, [`Error::Io`] if the directory cannot be written.
    pub fn check(path: Option<&Path>, overwrite: bool) -> Result<()> {
        let Some(path) = path else { return atomic::check_folder(Path::new(RUNS)) };
        if is_run(path) {
            let message = "a run is there: choose another directory".to_owned();
            return Err(Error::Usage(message).of_value("out", path.display()));
        }
        if !overwrite && path.join(TRIALS_FILE).exists() {
            let (resume, replace) = (option("resume"), option("overwrite"));
            let message = format!("a search is there already: {resume} it, choose another directory, or {replace}");
            return Err(Error::Usage(message).of_value("out", path.display()));
        }
        TuneDirectory::refuse_while_written(path)?;
        atomic::check_folder(path)
    }

    /// Returns an error if another program is writing the search in a directory.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn refuse_while_written(path: &Path) -> Result<()> {
        TrialJournal::refuse_while_written(&path.join(TRIALS_FILE))
    }

    /// Creates the directory of a new search, by default `runs/tune-<date>-<time>`. Trials and the best configuration of an
    /// older search in it are deleted.
    ///
    /// # Errors
    /// [`Error::Io`], also if another program is writing the search.
    pub fn create(path: Option<&Path>, protocol: &TuneProtocol, budget: Budget) -> Result<TuneDirectory> {
        let path = path.map_or_else(|| new_directory("tune-"), |path| Ok(path.to_path_buf()))?;
        let path = path.as_path();
        std::fs::create_dir_all(path).map_err(|e| Error::io(path, e))?;
        let trials = TrialJournal::create(&path.join(TRIALS_FILE))?;
        let best = path.join(BEST);
        if best.exists() {
            std::fs::remove_file(&best).map_err(|e| Error::io(&best, e))?;
        }
        protocol.write(path, budget)?;
        Ok(TuneDirectory { path: path.to_path_buf(), trials })
    }

    /// Opens the directory of a search that is to be resumed.
    ///
    /// # Errors
    /// [`Error::Option`] if `protocol`, the data or the kind of kernels differ from those of the recorded trials; [`Error::Io`] if
    /// another program is writing the search; as [`TuneProtocol::read`] and [`TrialJournal::open`].
    pub fn resume(path: &Path, protocol: &TuneProtocol, budget: Budget) -> Result<TuneDirectory> {
        let trials = TrialJournal::open(&path.join(TRIALS_FILE))?;
        let (before, _) = TuneProtocol::read(path)?;
        before.check_same(protocol, path)?;
        before.resumed_as(protocol).write(path, budget)?;
        Ok(TuneDirectory { path: path.to_path_buf(), trials })
    }

    /// The path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The recorded trials.
    pub(super) fn trials(&self) -> &TrialJournal {
        &self.trials
    }

    /// The path of the best configuration.
    pub fn best(&self) -> PathBuf {
        self.path.join(BEST)
    }

    /// The path of the best configuration's run.
    pub fn retrained(&self) -> PathBuf {
        self.path.join(RETRAINED)
    }

    /// Writes the best configuration in the form that `train -c` reads.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write_best(&self, plan: &Plan) -> Result<()> {
        atomic::write(&self.best(), plan.to_toml().as_bytes())
    }
}

//! Where a search is kept.

use std::path::{Path, PathBuf};

use super::{Budget, TuneProtocol};
use crate::run::{Plan, RUNS, new_directory};
use crate::{Error, Result, atomic};

/// Name of the file of trials.
const TRIALS: &str = "trials.jsonl";
/// Name of the file of the best configuration.
const BEST: &str = "best.toml";
/// Name of the directory of the best configuration's run.
const RETRAINED: &str = "best";

/// The directory of a search: `tune.toml`, `trials.jsonl`, `best.toml`, and the run `best`.
#[derive(Debug, Clone)]
pub struct TuneDirectory {
    path: PathBuf,
}

impl TuneDirectory {
    /// Refuses a directory that holds a search, or that cannot be made or written; makes nothing yet.
    ///
    /// # Errors
    /// [`Error::Usage`], and [`Error::Io`] if nothing can be written there.
    pub fn check(path: Option<&Path>, overwrite: bool) -> Result<()> {
        let Some(path) = path else { return atomic::check_folder(Path::new(RUNS)) };
        if !overwrite && path.join(TRIALS).exists() {
            let message = "a search is there already: --resume it, choose another directory, or --overwrite".to_owned();
            return Err(Error::Usage(message).of_value("out", path.display()));
        }
        atomic::check_folder(path)
    }

    /// Makes the directory of a new search, `runs/tune-<date>-<time>` unless it is said, and forgets an older one that was
    /// there.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn create(path: Option<&Path>, protocol: &TuneProtocol, budget: Budget) -> Result<TuneDirectory> {
        let path = path.map_or_else(|| new_directory("tune-"), |path| Ok(path.to_path_buf()))?;
        let path = path.as_path();
        std::fs::create_dir_all(path).map_err(|e| Error::io(path, e))?;
        for file in [TRIALS, BEST] {
            let old = path.join(file);
            if old.exists() {
                std::fs::remove_file(&old).map_err(|e| Error::io(&old, e))?;
            }
        }
        protocol.write(path, budget)?;
        Ok(TuneDirectory { path: path.to_path_buf() })
    }

    /// The directory of a search that goes on.
    ///
    /// # Errors
    /// [`Error::Usage`] if `protocol` is another than that of the trials that are there, [`Error::Mismatch`] if the data are.
    pub fn resume(path: &Path, protocol: &TuneProtocol, budget: Budget) -> Result<TuneDirectory> {
        let (before, _) = TuneProtocol::read(path)?;
        before.check_same(protocol, path)?;
        protocol.write(path, budget)?;
        Ok(TuneDirectory { path: path.to_path_buf() })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file of trials.
    pub(super) fn trials(&self) -> PathBuf {
        self.path.join(TRIALS)
    }

    /// The best configuration's file.
    pub fn best(&self) -> PathBuf {
        self.path.join(BEST)
    }

    /// The best configuration's run.
    pub fn retrained(&self) -> PathBuf {
        self.path.join(RETRAINED)
    }

    /// Writes the best configuration, as `train -c` takes it.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write_best(&self, plan: &Plan) -> Result<()> {
        atomic::write(&self.best(), plan.to_toml().as_bytes())
    }
}

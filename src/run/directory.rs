//! A run's directory: configuration, events as they happen, split, summary, model.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use crate::model::file::MODEL_FILE;
use crate::{Error, Result, atomic};

/// Where runs go that have no `--out`.
const RUNS: &str = "runs";
/// Points to the newest of them.
const LATEST: &str = "latest";
/// What `--json` prints.
const SUMMARY_FILE: &str = "summary.json";
/// Files that make a directory a run.
const FILES: [&str; 5] = ["config.toml", "events.jsonl", "split.json", SUMMARY_FILE, MODEL_FILE];

/// Whether a directory holds a run, be it one without a model yet.
pub fn is_run(path: &Path) -> bool {
    FILES.iter().any(|file| path.join(file).exists())
}

/// The summary in a run directory; `None` for a file, and for a run that has none.
///
/// # Errors
/// [`Error::Io`] if it cannot be read, [`Error::Data`] if it is not JSON.
pub fn read_summary(path: &Path) -> Result<Option<Value>> {
    let path = path.join(SUMMARY_FILE);
    if !path.is_file() {
        return Ok(None);
    }
    let text = fs::read_to_string(&path).map_err(|e| Error::io(&path, e))?;
    serde_json::from_str(&text).map(Some).map_err(|e| Error::data(&path, format!("expected a summary: {e}")))
}

/// A directory that a run is written to.
#[derive(Debug)]
pub struct RunDirectory {
    path: PathBuf,
    events: File,
}

/// `runs/<date>-<time>`, with a number behind it where that is taken.
pub fn default_path() -> PathBuf {
    path_among_runs("", "")
}

/// The same with something before the date and behind all: `runs/tune-<date>-<time>`.
pub fn path_among_runs(before: &str, behind: &str) -> PathBuf {
    let now = jiff::Zoned::now().strftime("%Y-%m-%d-%H%M%S").to_string();
    let named = |number: String| Path::new(RUNS).join(format!("{before}{now}{number}{behind}"));
    let numbers = std::iter::once(String::new()).chain((2..).map(|n| format!("-{n}")));
    let free = |path: &PathBuf| !path.exists();
    numbers.map(named).find(free).expect("some number is free")
}

impl RunDirectory {
    /// Refuses a directory that holds a run, or that cannot be made or written; makes nothing yet.
    ///
    /// # Errors
    /// [`Error::Usage`] if a run is there and may not be replaced, [`Error::Io`] if nothing can be written there.
    pub fn check(path: &Path, overwrite: bool) -> Result<()> {
        if path.exists() && !path.is_dir() {
            let not_a_directory = std::io::Error::from(std::io::ErrorKind::NotADirectory);
            return Err(Error::io(path, not_a_directory));
        }
        match FILES.iter().find(|file| path.join(file).exists()) {
            Some(file) if !overwrite => Err(Error::Usage(format!(
                "--out {}: a run is there already ({file}): choose another directory, or --overwrite",
                path.display()
            ))),
            _ => atomic::check_folder(path),
        }
    }

    /// Makes the directory and opens its `events.jsonl`. A model that is there stays until a new one replaces it.
    ///
    /// # Errors
    /// As [`RunDirectory::check`], and [`Error::Io`].
    pub fn create(path: &Path, overwrite: bool) -> Result<RunDirectory> {
        Self::check(path, overwrite)?;
        fs::create_dir_all(path).map_err(|e| Error::io(path, e))?;
        for file in ["summary.json", "split.json"] {
            let old = path.join(file);
            if old.exists() {
                fs::remove_file(&old).map_err(|e| Error::io(&old, e))?;
            }
        }
        let events = path.join("events.jsonl");
        let events = File::create(&events).map_err(|e| Error::io(&events, e))?;
        Ok(RunDirectory { path: path.to_path_buf(), events })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the model goes.
    pub fn model(&self) -> PathBuf {
        self.path.join(MODEL_FILE)
    }

    /// Writes a file of the run, whole or not at all.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write(&self, file: &str, text: &str) -> Result<()> {
        atomic::write(&self.path.join(file), text.as_bytes())
    }

    /// Writes a value as JSON.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write_json(&self, file: &str, value: &impl Serialize) -> Result<()> {
        let path = self.path.join(file);
        let text = serde_json::to_string(value).map_err(|e| Error::io(&path, e.into()))?;
        self.write(file, &(text + "\n"))
    }

    /// Adds an event.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn event(&mut self, event: &Value) -> Result<()> {
        writeln!(self.events, "{event}").map_err(|e| Error::io(self.path.join("events.jsonl"), e))
    }

    /// Takes back what was written, where training made no step and there is no older model to go with it.
    pub fn withdraw(&self) {
        if self.model().exists() {
            return;
        }
        for file in FILES {
            let _ = fs::remove_file(self.path.join(file)); // one that is not there need not go
        }
        let _ = fs::remove_dir(&self.path); // stays if something else is in it
    }

    /// Makes `runs/latest` point here, where the directory is one of `runs`. A system without links has none.
    pub fn point_latest(&self) {
        let (Some(folder), Some(name)) = (self.path.parent(), self.path.file_name()) else { return };
        if folder == Path::new(RUNS) {
            link(Path::new(name), &folder.join(LATEST));
        }
    }
}

#[cfg(unix)]
fn link(to: &Path, at: &Path) {
    let beside = at.with_extension(format!("{}", std::process::id()));
    if std::os::unix::fs::symlink(to, &beside).is_ok() && fs::rename(&beside, at).is_err() {
        let _ = fs::remove_file(&beside); // a directory of that name stays what it is
    }
}

#[cfg(not(unix))]
fn link(_: &Path, _: &Path) {}

//! A run's directory: configuration, events as they happen, split, summary, model.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use crate::model::Model;
use crate::model::file::MODEL_FILE;
use crate::{Error, Result, atomic};

/// Where runs go that have no `--out`.
pub const RUNS: &str = "runs";
/// Points to the newest of them.
const LATEST: &str = "latest";
/// Folder in a directory of an older run that holds the files of the new one until its model is saved.
const STAGED: &str = ".new";
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
///
/// Where it replaces an older run, everything is written to a folder within it first, and takes the older files' place when
/// the model is saved: a run that fails or is killed before leaves the older one whole.
#[derive(Debug)]
pub struct RunDirectory {
    path: PathBuf,
    /// Where files are written until the model is saved, if an older run is there.
    staged: Option<PathBuf>,
    events: File,
}

/// Makes `runs/<before><date>-<time>`, with a number behind it where that is taken: no two programs get the same one.
///
/// # Errors
/// [`Error::Io`].
pub fn new_directory(before: &str) -> Result<PathBuf> {
    new_among_runs(before, "", |path| fs::create_dir(path))
}

/// Makes an empty file `runs/<before><date>-<time><behind>` likewise.
///
/// # Errors
/// [`Error::Io`].
pub fn new_file(before: &str, behind: &str) -> Result<PathBuf> {
    new_among_runs(before, behind, |path| File::create_new(path).map(drop))
}

fn new_among_runs(before: &str, behind: &str, make: impl Fn(&Path) -> io::Result<()>) -> Result<PathBuf> {
    fs::create_dir_all(RUNS).map_err(|e| Error::io(RUNS, e))?;
    let now = jiff::Zoned::now().strftime("%Y-%m-%d-%H%M%S").to_string();
    let numbers = std::iter::once(String::new()).chain((2..).map(|n| format!("-{n}")));
    for path in numbers.map(|number| Path::new(RUNS).join(format!("{before}{now}{number}{behind}"))) {
        match make(&path) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(Error::io(path, e)),
            Ok(()) => return Ok(path),
        }
    }
    unreachable!("some number is free")
}

impl RunDirectory {
    /// Refuses a directory that holds a run, or that cannot be made or written; makes nothing yet.
    ///
    /// # Errors
    /// [`Error::Usage`] if a run is there and may not be replaced, [`Error::Io`] if nothing can be written there.
    pub fn check(path: &Path, overwrite: bool) -> Result<()> {
        if path.exists() && !path.is_dir() {
            let not_a_directory = io::Error::from(io::ErrorKind::NotADirectory);
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

    /// Makes the directory and opens its `events.jsonl`.
    ///
    /// # Errors
    /// As [`RunDirectory::check`], and [`Error::Io`].
    pub fn create(path: &Path, overwrite: bool) -> Result<RunDirectory> {
        Self::check(path, overwrite)?;
        fs::create_dir_all(path).map_err(|e| Error::io(path, e))?;
        let staged = is_run(path).then(|| path.join(STAGED));
        if let Some(staged) = &staged {
            let _ = fs::remove_dir_all(staged); // of a run that was killed, if there was one
            fs::create_dir(staged).map_err(|e| Error::io(staged, e))?;
        }
        let events = staged.as_deref().unwrap_or(path).join("events.jsonl");
        let events = File::create(&events).map_err(|e| Error::io(&events, e))?;
        Ok(RunDirectory { path: path.to_path_buf(), staged, events })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it replaces an older run, which is still there.
    pub fn replaces(&self) -> bool {
        self.staged.is_some()
    }

    /// Where files are written now.
    fn folder(&self) -> &Path {
        self.staged.as_deref().unwrap_or(&self.path)
    }

    /// Saves the model, and then puts all that is written so far in an older run's place.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn save(&mut self, model: &Model) -> Result<()> {
        model.save(&self.folder().join(MODEL_FILE))?;
        let Some(staged) = self.staged.take() else { return Ok(()) };
        for file in FILES {
            let (from, to) = (staged.join(file), self.path.join(file));
            // A file that the new run does not have yet must not stay from the older one.
            let done = if from.exists() { fs::rename(&from, &to) } else { fs::remove_file(&to) };
            match done {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(Error::io(&to, e)),
                _ => {}
            }
        }
        fs::remove_dir(&staged).map_err(|e| Error::io(&staged, e))
    }

    /// Writes a file of the run, whole or not at all.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write(&self, file: &str, text: &str) -> Result<()> {
        atomic::write(&self.folder().join(file), text.as_bytes())
    }

    /// Writes a value as JSON.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write_json(&self, file: &str, value: &impl Serialize) -> Result<()> {
        let path = self.folder().join(file);
        let text = serde_json::to_string(value).map_err(|e| Error::io(&path, e.into()))?;
        self.write(file, &(text + "\n"))
    }

    /// Adds an event.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn event(&mut self, event: &Value) -> Result<()> {
        writeln!(self.events, "{event}").map_err(|e| Error::io(self.folder().join("events.jsonl"), e))
    }

    /// Takes back what was written; an older run stays as it was.
    pub fn withdraw(self) {
        if self.staged.is_some() {
            return; // goes with the value
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

impl Drop for RunDirectory {
    fn drop(&mut self) {
        if let Some(staged) = &self.staged {
            let _ = fs::remove_dir_all(staged); // what is left is removed by the next run
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

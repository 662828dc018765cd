//! A run directory: configuration, events as they happen, split, summary, model.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use super::checkpoint::{About, Checkpoint};
use super::files::{CHECKPOINT_FILE, CONFIG_FILE, EVENTS_FILE, FILES, NETWORKS, SUMMARY_FILE, TRIALS_FILE, is_run};
use super::interrupt::Interrupt;
use super::lock::{open_events, refuse_busy};
use super::naming::RUNS;
use super::replacement::{STAGED, can_go_on, remove, remove_folder, replace_older};
use crate::atomic::AtomicFile;
use crate::fit::RunState;
use crate::model::Model;
use crate::model::file::MODEL_FILE;
use crate::option_text::option;
use crate::{Error, Result, atomic};

/// Name of the link to the newest run.
const LATEST: &str = "latest";

/// A directory that a run is written to.
///
/// If it replaces an older run, everything is first written to a folder within the directory, and replaces the older files when
/// the model is saved. A run that fails or is killed before that leaves the older one intact.
#[derive(Debug)]
pub struct RunDirectory {
    path: PathBuf,
    /// Where files are written until the model is saved, if an older run is there.
    staged: Option<PathBuf>,
    /// `events.jsonl`, locked so that no other program writes to this run. The system unlocks it when this program ends,
    /// however it ends.
    events: File,
    /// Its length in bytes.
    events_length: u64,
}

impl RunDirectory {
    /// Refuses a directory that holds a run or a search, or that cannot be created or written. Creates nothing yet.
    ///
    /// # Errors
    /// [`Error::Option`] if it holds a search, or a run that may not be replaced, [`Error::Io`] if it cannot be written.
    pub fn check(path: &Path, overwrite: bool) -> Result<()> {
        if path.exists() && !path.is_dir() {
            let not_a_directory = io::Error::from(io::ErrorKind::NotADirectory);
            return Err(Error::io(path, not_a_directory));
        }
        if path.join(TRIALS_FILE).exists() {
            let message = "a search is there: choose another directory".to_owned();
            return Err(Error::Usage(message).of_value("out", path.display()));
        }
        match FILES.iter().find(|file| path.join(file).exists()) {
            Some(file) if !overwrite => {
                let replace = option("overwrite");
                let message = format!("a run is there already ({file}): choose another directory, or {replace}");
                Err(Error::Usage(message).of_value("out", path.display()))
            }
            _ => atomic::check_folder(path),
        }
    }

    /// Creates the directory and opens its `events.jsonl`.
    ///
    /// # Errors
    /// As [`RunDirectory::check`], and [`Error::Io`].
    pub fn create(path: &Path, overwrite: bool) -> Result<RunDirectory> {
        Self::check(path, overwrite)?;
        fs::create_dir_all(path).map_err(|e| Error::io(path, e))?;
        let staged = is_run(path).then(|| path.join(STAGED));
        for folder in staged.as_deref().into_iter().chain([path]) {
            refuse_busy(folder)?;
        }
        if let Some(staged) = &staged {
            let _ = fs::remove_dir_all(staged); // of a run that was killed, if there was one
            fs::create_dir(staged).map_err(|e| Error::io(staged, e))?;
        }
        remove_leftovers(path);
        let events = open_events(staged.as_deref().unwrap_or(path))?;
        let mut directory = RunDirectory { path: path.to_path_buf(), staged, events, events_length: 0 };
        directory.cut_events(0)?;
        Ok(directory)
    }

    /// Opens the directory of an interrupted run, with its checkpoint. If that run was to replace an older one, it is the one
    /// that is opened. There is no checkpoint if the networks of a run of several were being trained.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read or another program is writing to it, [`Error::Data`] if it has no usable checkpoint.
    pub fn reopen(path: &Path) -> Result<(RunDirectory, Option<Checkpoint>)> {
        fs::metadata(path).map_err(|e| Error::io(path, e))?;
        let staged = path.join(STAGED);
        refuse_busy(&staged)?;
        if staged.join(MODEL_FILE).is_file() {
            refuse_busy(path)?;
            replace_older(&staged, path)?; // was interrupted in the middle of it
        }
        let staged = Some(staged).filter(|staged| can_go_on(staged));
        let folder = staged.as_deref().unwrap_or(path);
        let several = folder.join(NETWORKS).is_dir() && !Self::has_checkpoint(folder);
        let checkpoint = (!several).then(|| Checkpoint::read(folder)).transpose()?;
        let events = open_events(folder)?;
        let events_length = events.metadata().map_err(|e| Error::io(folder.join(EVENTS_FILE), e))?.len();
        remove_leftovers(folder);
        Ok((RunDirectory { path: path.to_path_buf(), staged, events, events_length }, checkpoint))
    }

    /// Whether a run that was to replace the one in a directory can continue.
    pub fn has_interrupted_successor(path: &Path) -> bool {
        let staged = path.join(STAGED);
        can_go_on(&staged) || staged.join(MODEL_FILE).is_file()
    }

    /// Whether a run that was to replace the one in a directory left nothing to continue from.
    pub fn has_lost_successor(path: &Path) -> bool {
        path.join(STAGED).is_dir() && !Self::has_interrupted_successor(path)
    }

    /// Whether there is a checkpoint to continue from.
    pub fn has_checkpoint(path: &Path) -> bool {
        path.join(CHECKPOINT_FILE).is_file()
    }

    /// Whether a run broke off before anything but its configuration was saved.
    pub fn has_only_begun(path: &Path) -> bool {
        let saved = [MODEL_FILE, CHECKPOINT_FILE, NETWORKS].iter().any(|name| path.join(name).exists());
        path.join(CONFIG_FILE).is_file() && !saved && !Self::has_interrupted_successor(path)
    }

    /// The folder of the networks of a run of several.
    pub(super) fn networks(&self) -> PathBuf {
        self.folder().join(NETWORKS)
    }

    /// Removes the folder of networks, which only an unfinished run needs.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(super) fn remove_networks(&self) -> Result<()> {
        remove(&self.folder().join(CHECKPOINT_FILE))?;
        remove_folder(&self.networks())
    }

    /// Leaves the files as they are, so that the run can continue.
    pub fn leave(mut self) {
        self.staged = None;
    }

    /// The configuration of the run.
    pub fn config(&self) -> PathBuf {
        self.folder().join(CONFIG_FILE)
    }

    /// The path of the directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it replaces an older run that is still there.
    pub fn replaces(&self) -> bool {
        self.staged.is_some()
    }

    /// The folder that files are written to now.
    pub(super) fn folder(&self) -> &Path {
        self.staged.as_deref().unwrap_or(&self.path)
    }

    /// Creates the folder again if it was removed during the run, so that the model is not lost. Returns the error to report in
    /// that case.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be created.
    pub(super) fn restore(&self) -> Result<Option<Error>> {
        let events = self.folder().join(EVENTS_FILE);
        if events.exists() {
            return Ok(None);
        }
        fs::create_dir_all(self.folder()).map_err(|e| Error::io(self.folder(), e))?;
        let message = "was removed while the run went on; the model and the summary are saved";
        Ok(Some(Error::io(events, io::Error::other(message))))
    }

    /// Saves the model of a run that may be interrupted, from now on at any moment. Returns the error to report if the folder
    /// was removed during the run.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(super) fn keep(&mut self, model: &Model, interrupt: &Interrupt) -> Result<Option<Error>> {
        let removed;
        {
            let _saving = interrupt.save();
            removed = self.restore()?;
            self.save(model)?;
        }
        interrupt.note_saved(Some(&self.path));
        Ok(removed)
    }

    /// Saves the model, then replaces an older run by all that has been written.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn save(&mut self, model: &Model) -> Result<()> {
        model.save(&self.folder().join(MODEL_FILE))?;
        self.staged.take().map_or(Ok(()), |staged| replace_older(&staged, &self.path))
    }

    /// Writes a file of the run, completely or not at all.
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
        let line = format!("{event}\n");
        self.events.write_all(line.as_bytes()).map_err(|e| self.events_error(e))?;
        self.events_length += line.len() as u64;
        Ok(())
    }

    /// Adds the events of another folder.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(super) fn take_events(&mut self, folder: &Path) -> Result<()> {
        let path = folder.join(EVENTS_FILE);
        let mut from = File::open(&path).map_err(|e| Error::io(&path, e))?;
        self.events_length += io::copy(&mut from, &mut self.events).map_err(|e| self.events_error(e))?;
        Ok(())
    }

    /// Removes all events after the first, the start.
    ///
    /// # Errors
    /// [`Error::Io`], and [`Error::Data`] if there is none.
    pub fn cut_to_start(&mut self) -> Result<()> {
        let path = self.folder().join(EVENTS_FILE);
        let mut start = Vec::new();
        let read = File::open(&path).and_then(|file| BufReader::new(file).read_until(b'\n', &mut start));
        read.map_err(|e| Error::io(&path, e))?;
        if start.last() != Some(&b'\n') {
            return Err(Error::data(path, "expected the event of the start in the first line, found none"));
        }
        self.cut_events(start.len() as u64)
    }

    /// Bytes of `events.jsonl`.
    pub(super) fn events_length(&self) -> u64 {
        self.events_length
    }

    /// Removes all events after the first `length` bytes.
    ///
    /// # Errors
    /// [`Error::Io`], and [`Error::Data`] if there are fewer bytes.
    pub(super) fn cut_events(&mut self, length: u64) -> Result<()> {
        if self.events_length < length {
            let found = self.events_length;
            let message = format!("expected {length} bytes at least, found {found}: events are lost");
            return Err(Error::data(self.folder().join(EVENTS_FILE), message));
        }
        let cut = self.events.set_len(length).and_then(|()| self.events.seek(SeekFrom::Start(length)));
        self.events_length = cut.map_err(|e| self.events_error(e))?;
        Ok(())
    }

    fn events_error(&self, error: io::Error) -> Error {
        Error::io(self.folder().join(EVENTS_FILE), error)
    }

    /// Saves the state, after the events before it are on the disk. The older checkpoint stays until the new one is complete.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(super) fn save_checkpoint(&mut self, about: &About, state: &mut RunState<'_>) -> Result<()> {
        self.events.sync_data().map_err(|e| self.events_error(e))?;
        let path = self.folder().join(CHECKPOINT_FILE);
        let mut file = AtomicFile::create(&path)?;
        state.write(&about.to_json(), &mut BufWriter::new(&mut file)).map_err(|e| Error::io(&path, e))?;
        file.finish()
    }

    /// Removes the summary of a run that continues after its end.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(super) fn remove_summary(&self) -> Result<()> {
        remove(&self.folder().join(SUMMARY_FILE))
    }

    /// Removes what was written; an older run stays as it was.
    pub fn withdraw(self) {
        if self.staged.is_some() {
            return; // goes with the value
        }
        let _ = fs::remove_dir_all(self.path.join(NETWORKS));
        for file in FILES {
            let _ = fs::remove_file(self.path.join(file)); // one that is not there need not go
        }
        let _ = fs::remove_dir(&self.path); // stays if something else is in it
    }

    /// Makes `runs/latest` point to this directory if it is in `runs`. Systems without links have no such link.
    pub fn point_latest(&self) {
        let (Some(folder), Some(name)) = (self.path.parent(), self.path.file_name()) else { return };
        if folder == Path::new(RUNS) {
            link(Path::new(name), &folder.join(LATEST));
        }
    }
}

/// Removes the temporary files of a program that was killed during a write.
fn remove_leftovers(folder: &Path) {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    for file in files.filter(|file| file.file_name().as_encoded_bytes().starts_with(b".tmp")) {
        let _ = fs::remove_file(file.path()); // one that stays does no harm
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

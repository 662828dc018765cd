//! A run directory: configuration, events as they happen, split, summary, model.

use std::fs::{self, File, TryLockError};
use std::io::{self, BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use super::checkpoint::{About, CHECKPOINT_FILE, Checkpoint};
use super::naming::RUNS;
use crate::atomic::AtomicFile;
use crate::fit::RunState;
use crate::model::Model;
use crate::model::file::MODEL_FILE;
use crate::option_text::option;
use crate::{Error, Result, atomic};

/// Name of the link to the newest run.
const LATEST: &str = "latest";
/// Folder in the directory of an older run. It holds the files of the new run until its model is saved.
const STAGED: &str = ".new";
/// The effective configuration.
pub const CONFIG_FILE: &str = "config.toml";
/// The events.
pub(super) const EVENTS_FILE: &str = "events.jsonl";
/// What `--json` prints.
pub(super) const SUMMARY_FILE: &str = "summary.json";
/// Folder of the networks of an unfinished run of several.
const NETWORKS: &str = "networks";
/// The files of a run, in the order in which they replace those of an older run: the model is the last.
const FILES: [&str; 7] = [CONFIG_FILE, EVENTS_FILE, "split.json", SUMMARY_FILE, CHECKPOINT_FILE, NETWORKS, MODEL_FILE];

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
    let text = fs::read_to_string(&path).map_err(|e| Error::io(&path, e))?;
    serde_json::from_str(&text).map(Some).map_err(|e| Error::data(&path, format!("expected a summary: {e}")))
}

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
    /// Refuses a directory that holds a run, or that cannot be created or written. Creates nothing yet.
    ///
    /// # Errors
    /// [`Error::Option`] if it holds a run that may not be replaced, [`Error::Io`] if it cannot be written.
    pub fn check(path: &Path, overwrite: bool) -> Result<()> {
        if path.exists() && !path.is_dir() {
            let not_a_directory = io::Error::from(io::ErrorKind::NotADirectory);
            return Err(Error::io(path, not_a_directory));
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
    fn folder(&self) -> &Path {
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

/// Replaces an older run by the files of a run whose model is saved. If a program was killed during this, it is repeated: files
/// that were moved are no longer in `staged`.
fn replace_older(staged: &Path, path: &Path) -> Result<()> {
    // The older run's summary must not stay while the new run has none.
    remove(&path.join(SUMMARY_FILE))?;
    let begins = staged.join(FILES[0]).exists();
    if begins && !staged.join(CHECKPOINT_FILE).exists() {
        remove(&path.join(CHECKPOINT_FILE))?;
    }
    if begins || staged.join(NETWORKS).exists() {
        remove_folder(&path.join(NETWORKS))?;
    }
    for file in FILES.iter().filter(|file| staged.join(file).exists()) {
        let to = path.join(file);
        fs::rename(staged.join(file), &to).map_err(|e| Error::io(&to, e))?;
    }
    atomic::sync_folder(path);
    fs::remove_dir_all(staged).map_err(|e| Error::io(staged, e))
}

/// Whether an unfinished run left enough in a folder to continue.
fn can_go_on(folder: &Path) -> bool {
    folder.join(CHECKPOINT_FILE).is_file() || folder.join(NETWORKS).is_dir()
}

/// Removes a folder and its contents, if it exists.
fn remove_folder(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(Error::io(path, e)),
        _ => Ok(()),
    }
}

/// Removes a file, if it exists.
fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(Error::io(path, e)),
        _ => Ok(()),
    }
}

/// The `events.jsonl` of a folder, locked; created if it is missing.
fn open_events(folder: &Path) -> Result<File> {
    let path = folder.join(EVENTS_FILE);
    let open = File::options().create(true).truncate(false).write(true).open(&path);
    let events = open.map_err(|e| Error::io(&path, e))?;
    match events.try_lock() {
        Err(TryLockError::WouldBlock) => Err(busy(folder)),
        // If the system cannot lock files, runs are not protected.
        Err(TryLockError::Error(_)) | Ok(()) => Ok(events),
    }
}

/// Refuses a folder with a run that another program is writing.
fn refuse_busy(folder: &Path) -> Result<()> {
    let Ok(events) = File::open(folder.join(EVENTS_FILE)) else { return Ok(()) };
    match events.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Err(busy(folder)),
        Err(TryLockError::Error(_)) | Ok(()) => Ok(()),
    }
}

fn busy(folder: &Path) -> Error {
    let message = "another program is writing this run: wait for its end, or use another directory";
    Error::io(folder, io::Error::new(io::ErrorKind::ResourceBusy, message))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Creates a file, or the folder of networks with one file.
    fn make(path: &Path, text: &str) {
        if path.ends_with(NETWORKS) {
            fs::create_dir(path).unwrap();
            fs::write(path.join("0"), text).unwrap();
        } else {
            fs::write(path, text).unwrap();
        }
    }

    /// A program may be killed after any of the moves; the next one must then complete them.
    #[test]
    fn an_older_run_is_replaced_whole_wherever_it_is_interrupted() {
        for with_checkpoint in [true, false] {
            let new: Vec<&str> = FILES.into_iter().filter(|file| *file != SUMMARY_FILE).collect();
            let unfinished = |file: &str| [CHECKPOINT_FILE, NETWORKS].contains(&file);
            let new: Vec<&str> = new.into_iter().filter(|file| with_checkpoint || !unfinished(file)).collect();
            for moved in 0..=new.len() {
                let folder = tempfile::tempdir().unwrap();
                let (path, staged) = (folder.path(), folder.path().join(STAGED));
                fs::create_dir(&staged).unwrap();
                FILES.iter().for_each(|file| make(&path.join(file), "old"));
                new.iter().for_each(|file| make(&staged.join(file), "new"));
                if moved > 0 {
                    remove(&path.join(SUMMARY_FILE)).unwrap();
                    remove_folder(&path.join(NETWORKS)).unwrap();
                    if !with_checkpoint {
                        remove(&path.join(CHECKPOINT_FILE)).unwrap();
                    }
                }
                new[..moved].iter().for_each(|file| fs::rename(staged.join(file), path.join(file)).unwrap());
                replace_older(&staged, path).unwrap();
                for file in FILES {
                    let found =
                        fs::read_to_string(path.join(file)).or_else(|_| fs::read_to_string(path.join(file).join("0")));
                    let found = found.ok();
                    assert_eq!(found.is_some(), new.contains(&file), "{file} after {moved}");
                    assert!(found.is_none_or(|text| text == "new"), "{file} after {moved}");
                }
                assert!(!staged.exists());
            }
        }
    }
}

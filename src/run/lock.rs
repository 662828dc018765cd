//! Locks of files that one program writes at a time. The lock of a run is its `events.jsonl`.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

use super::files::EVENTS_FILE;
use crate::{Error, Result};

/// What most of these locks are for, in messages.
const RUN: &str = "run";

/// The `events.jsonl` of a folder, locked; created if it is missing.
pub(super) fn open_events(folder: &Path) -> Result<File> {
    let path = folder.join(EVENTS_FILE);
    let open = File::options().create(true).truncate(false).write(true).open(&path);
    let events = open.map_err(|e| Error::io(&path, e))?;
    lock(&events, folder, RUN)?;
    Ok(events)
}

/// Locks a file of `what` (a run, a search) in a folder until it is closed. On file systems without locks it is not protected.
///
/// # Errors
/// [`Error::Io`] if another program holds the lock.
pub(crate) fn lock(file: &File, folder: &Path, what: &str) -> Result<()> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(busy(folder, what)),
        Err(TryLockError::Error(_)) | Ok(()) => Ok(()),
    }
}

/// Refuses a folder with a run that another program is writing.
pub(super) fn refuse_busy(folder: &Path) -> Result<()> {
    let Ok(events) = File::open(folder.join(EVENTS_FILE)) else { return Ok(()) };
    match events.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Err(busy(folder, RUN)),
        Err(TryLockError::Error(_)) | Ok(()) => Ok(()),
    }
}

fn busy(folder: &Path, what: &str) -> Error {
    let message = format!("another program is writing this {what}: wait for its end, or use another directory");
    Error::io(folder, io::Error::new(io::ErrorKind::ResourceBusy, message))
}

//! The lock of a run: its `events.jsonl`, which one program writes at a time.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

use super::files::EVENTS_FILE;
use crate::{Error, Result};

/// The `events.jsonl` of a folder, locked; created if it is missing.
pub(super) fn open_events(folder: &Path) -> Result<File> {
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
pub(super) fn refuse_busy(folder: &Path) -> Result<()> {
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

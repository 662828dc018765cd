//! Files that are written completely or not at all.

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use tempfile::NamedTempFile;

use crate::{Error, Result};

/// A file that is written under a temporary name in the folder of its target. [`AtomicFile::finish`] renames it; until
/// then, an older file at the target is unchanged. Devices and pipes cannot be replaced, so they are written directly.
#[derive(Debug)]
pub struct AtomicFile {
    path: PathBuf,
    /// Where bytes go; `None` once the file is finished.
    to: Option<To>,
}

#[derive(Debug)]
enum To {
    Temporary(NamedTempFile),
    Special(File),
}

/// The most symbolic links that are followed to a file that is not there yet, as in Linux.
const MOST_LINKS: usize = 40;

/// Paths of temporary files that are being written. [`exit`] removes them.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn unfinished() -> MutexGuard<'static, Vec<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(|e| e.into_inner())
}

/// Ends the process with an exit code, and removes temporary files first, because [`std::process::exit`] runs no
/// destructors. From the call on, other threads can no longer create or finish files.
pub fn exit(code: i32) -> ! {
    let files = unfinished();
    for file in files.iter() {
        let _ = fs::remove_file(file); // the file may already have been removed
    }
    std::process::exit(code)
}

/// Syncs a folder, so a rename in it survives a crash of the system. Errors are ignored: some network file systems
/// cannot sync folders.
pub(crate) fn sync_folder(folder: &Path) {
    if cfg!(unix) {
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
}

/// The folder that contains a file.
fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Checks that files can be created in a folder, or in the closest existing folder above it. Call this before work
/// whose result is to be written there.
///
/// # Errors
/// [`Error::Io`] naming the folder.
pub fn check_folder(folder: &Path) -> Result<()> {
    let there = folder.ancestors().find(|above| above.exists()).unwrap_or(Path::new("."));
    NamedTempFile::new_in(there).map(drop).map_err(|e| Error::io(folder, e.kind().into()))
}

/// Checks that a file can be created or written at a path. Call this before work whose result is to be written there.
///
/// # Errors
/// [`Error::Io`] naming the file.
pub fn check_file(path: &Path) -> Result<()> {
    // A pipe is not opened: that would wait for its reader, and closing it would end the reader's input.
    let special = fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir());
    if special { Ok(()) } else { AtomicFile::create(path).map(drop) }
}

impl AtomicFile {
    /// Creates the temporary file. If `path` is a link to an existing file, that file is replaced and the link stays; a
    /// link whose target is missing is itself replaced.
    ///
    /// # Errors
    /// [`Error::Io`] naming the file, if its folder is missing or not writable, or if the path is a folder.
    pub fn create(path: &Path) -> Result<AtomicFile> {
        let io = |e| Error::io(path, e);
        let target = target_of(path);
        // By its own path, since `/dev/stdout` may lead to a pipe, which has none.
        let to = match fs::metadata(path) {
            Ok(found) if found.is_dir() => return Err(io(io::ErrorKind::IsADirectory.into())),
            Ok(found) if !found.is_file() => To::Special(File::options().write(true).open(path).map_err(io)?),
            _ => {
                let folder = folder_of(&target);
                fs::metadata(folder).map_err(io)?;
                // `tempfile`'s error names the temporary file, which means nothing to a user.
                let mut unfinished = unfinished();
                let file = temporary_in(folder).map_err(|e| io(e.kind().into()))?;
                unfinished.push(file.path().to_path_buf());
                // A file that only its owner may read stays so. Some file systems have no permissions.
                if let Ok(older) = fs::metadata(&target) {
                    let _ = file.as_file().set_permissions(older.permissions());
                }
                To::Temporary(file)
            }
        };
        Ok(AtomicFile { path: target, to: Some(to) })
    }

    /// Replaces the target with the file.
    ///
    /// # Errors
    /// [`Error::Io`] naming the file.
    pub fn finish(mut self) -> Result<()> {
        let path = std::mem::take(&mut self.path);
        let io = |e| Error::io(&path, e);
        match self.to.take() {
            None => unreachable!("a file is finished once"),
            Some(To::Special(mut file)) => file.flush().map_err(io),
            Some(To::Temporary(file)) => {
                let temporary = file.path().to_path_buf();
                let synced = file.as_file().sync_all();
                let mut unfinished = unfinished();
                // If this fails, dropping the error removes the temporary file.
                let placed = synced.and_then(|()| file.persist(&path).map(drop).map_err(|e| e.error));
                unfinished.retain(|file| *file != temporary);
                drop(unfinished);
                placed.map_err(io)?;
                sync_folder(folder_of(&path));
                Ok(())
            }
        }
    }
}

impl AtomicFile {
    /// The open file. `tempfile`'s own writer would name the temporary file in its errors.
    fn file(&mut self) -> &mut File {
        match &mut self.to {
            Some(To::Temporary(file)) => file.as_file_mut(),
            Some(To::Special(file)) => file,
            None => unreachable!("nothing is written to a finished file"),
        }
    }
}

impl Seek for AtomicFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file().seek(to)
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file().flush()
    }
}

impl Drop for AtomicFile {
    /// Removes the temporary file of an unfinished one.
    fn drop(&mut self) {
        if let Some(To::Temporary(file)) = self.to.take() {
            let temporary = file.path().to_path_buf();
            drop(file);
            unfinished().retain(|file| *file != temporary);
        }
    }
}

/// Writes a file under a temporary name in the same folder and renames it. If this fails, an older file is unchanged.
///
/// # Errors
/// [`Error::Io`] naming the file.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = AtomicFile::create(path)?;
    file.write_all(bytes).map_err(|e| Error::io(path, e))?;
    file.finish()
}

/// The file that a path leads to, through symbolic links, also if it is not there yet.
fn target_of(path: &Path) -> PathBuf {
    if let Ok(file) = fs::canonicalize(path) {
        return file;
    }
    let mut target = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        let Ok(link) = fs::read_link(&target) else { break };
        target = folder_of(&target).join(link);
    }
    target
}

/// A temporary file with the permissions of an ordinary new file, which follow the user's umask.
fn temporary_in(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_leaves_the_older_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model");
        write(&path, b"first").unwrap();
        write(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert!(write(&folder.path().join("missing/model"), b"x").is_err());
        let mut unfinished = AtomicFile::create(&path).unwrap();
        unfinished.write_all(b"third").unwrap();
        drop(unfinished);
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "a temporary file was left");
    }

    #[cfg(unix)]
    #[test]
    fn links_and_devices_stay_what_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        write(&file, b"first").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        write(&link, b"second").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&file).unwrap(), b"second");
        let (absent, to_absent) = (folder.path().join("absent"), folder.path().join("to_absent"));
        std::os::unix::fs::symlink("absent", &to_absent).unwrap();
        write(&to_absent, b"third").unwrap();
        assert!(fs::symlink_metadata(&to_absent).unwrap().is_symlink());
        assert_eq!(fs::read(&absent).unwrap(), b"third");
        write(Path::new("/dev/null"), b"x").unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
        assert!(matches!(write(folder.path(), b"x"), Err(Error::Io { .. })));
    }
}

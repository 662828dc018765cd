//! Files that are there whole or not at all.

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use tempfile::NamedTempFile;

use crate::{Error, Result};

/// A file that is written under a temporary name beside its own; [`AtomicFile::finish`] renames it, and until then an
/// older file stays as it was. A device or a pipe, which nothing can replace, is written directly.
#[derive(Debug)]
pub struct AtomicFile {
    path: PathBuf,
    /// Until it is finished.
    to: Option<To>,
}

#[derive(Debug)]
enum To {
    Temporary(NamedTempFile),
    Special(File),
}

/// Temporary files that are being written, for a program that ends in the middle of it.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn unfinished() -> MutexGuard<'static, Vec<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(|e| e.into_inner())
}

/// Ends the program with a code, and leaves no temporary file behind: [`std::process::exit`] drops nothing. Other threads begin
/// and finish no file any more.
pub fn exit(code: i32) -> ! {
    let files = unfinished();
    for file in files.iter() {
        let _ = fs::remove_file(file); // one that is gone need not go
    }
    std::process::exit(code)
}

/// Makes a rename in a folder last: without it a crash of the system may undo it. Where folders cannot be synced, as on some network
/// file systems, nothing more can be done.
pub(crate) fn sync_folder(folder: &Path) {
    if cfg!(unix) {
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
}

/// The folder that a file is in.
fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Whether files can be made in a folder, which need not be there yet: asked before work whose result is to go there.
///
/// # Errors
/// [`Error::Io`] naming the folder.
pub fn check_folder(folder: &Path) -> Result<()> {
    let there = folder.ancestors().find(|above| above.exists()).unwrap_or(Path::new("."));
    NamedTempFile::new_in(there).map(drop).map_err(|e| Error::io(folder, e.kind().into()))
}

/// Whether a file can be made at a path, or written there: asked before work whose result is to go there.
///
/// # Errors
/// [`Error::Io`] naming the file.
pub fn check_file(path: &Path) -> Result<()> {
    // To open a pipe would wait for its reader, and to close it would be the reader's end.
    let special = fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir());
    if special { Ok(()) } else { AtomicFile::create(path).map(drop) }
}

impl AtomicFile {
    /// Begins a file; a link is followed.
    ///
    /// # Errors
    /// [`Error::Io`] naming the file, if its folder is missing or may not be written.
    pub fn create(path: &Path) -> Result<AtomicFile> {
        let io = |e| Error::io(path, e);
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        let to = match fs::metadata(&target) {
            Ok(found) if found.is_dir() => return Err(io(io::ErrorKind::IsADirectory.into())),
            Ok(found) if !found.is_file() => To::Special(File::options().write(true).open(&target).map_err(io)?),
            _ => {
                let folder = folder_of(&target);
                fs::metadata(folder).map_err(io)?;
                // The library's error names the temporary file, which means nothing to a user.
                let mut unfinished = unfinished();
                let file = temporary_in(folder).map_err(|e| io(e.kind().into()))?;
                unfinished.push(file.path().to_path_buf());
                To::Temporary(file)
            }
        };
        Ok(AtomicFile { path: target, to: Some(to) })
    }

    /// Puts the file in its place.
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
                // Removed where it fails, as it is dropped.
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
    /// What is written to: the library's own writer would name the temporary file in its errors.
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
    /// A file that is not finished goes.
    fn drop(&mut self) {
        if let Some(To::Temporary(file)) = self.to.take() {
            let temporary = file.path().to_path_buf();
            drop(file);
            unfinished().retain(|file| *file != temporary);
        }
    }
}

/// Writes a file under a temporary name beside it and renames it: a failure leaves an older file as it was.
///
/// # Errors
/// [`Error::Io`] naming the file.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = AtomicFile::create(path)?;
    file.write_all(bytes).map_err(|e| Error::io(path, e))?;
    file.finish()
}

/// A temporary file with the mode that the user's umask gives to an ordinary one.
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
        write(Path::new("/dev/null"), b"x").unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
        assert!(matches!(write(folder.path(), b"x"), Err(Error::Io { .. })));
    }
}

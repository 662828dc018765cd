//! The replacement of an older run by a newer one, which may be interrupted anywhere and repeated.

use std::path::Path;
use std::{fs, io};

use super::files::{CHECKPOINT_FILE, FILES, NETWORKS, SUMMARY_FILE};
use crate::{Error, Result, atomic};

/// Folder in the directory of an older run. It holds the files of the new run until its model is saved.
pub(super) const STAGED: &str = ".new";

/// Replaces an older run by the files of a run whose model is saved. If a program was killed during this, it is repeated: files
/// that were moved are no longer in `staged`.
pub(super) fn replace_older(staged: &Path, path: &Path) -> Result<()> {
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
pub(super) fn can_go_on(folder: &Path) -> bool {
    folder.join(CHECKPOINT_FILE).is_file() || folder.join(NETWORKS).is_dir()
}

/// Removes a folder and its contents, if it exists.
pub(super) fn remove_folder(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(Error::io(path, e)),
        _ => Ok(()),
    }
}

/// Removes a file, if it exists.
pub(super) fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(Error::io(path, e)),
        _ => Ok(()),
    }
}

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

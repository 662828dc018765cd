//! Generated names of runs and files.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// The folder of runs without `--out`.
pub const RUNS: &str = "runs";

/// Creates `runs/<before><date>-<time>`, with a number appended if it exists already. No two programs get the same directory.
///
/// # Errors
/// [`Error::Io`].
pub fn new_directory(before: &str) -> Result<PathBuf> {
    new_among_runs(before, "", |path| fs::create_dir(path))
}

/// Creates an empty file `runs/<before><date>-<time><behind>` in the same way.
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

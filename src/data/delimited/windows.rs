//! The bytes of a text, window by window: in memory, or read again and again from a file that is too large to keep beside its table.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use memchr::memchr_iter;
use rayon::prelude::*;

use super::runs::{Run, cut};
use crate::data::dialect::Dialect;
use crate::{Error, Result};

/// Bytes of a file that are read at a time, unless a record is longer; two windows are in memory.
pub(super) const WINDOW: usize = 16 << 20;
/// Bytes from which the number of lines of a file is estimated.
const SAMPLE: usize = 1 << 20;

/// The rows of a text as bytes, without what stands above them.
pub(super) enum Bytes {
    /// All of a text in memory, and where the rows are in it.
    Memory(Vec<u8>, Range<usize>),
    /// A file of UTF-8 text.
    File(TextFile),
}

/// A file of UTF-8 text that is read window by window.
pub(super) struct TextFile {
    path: PathBuf,
    /// Where its rows begin.
    start: u64,
    /// Bytes of a window.
    window: usize,
    state: State,
}

/// What tells a file from the same one after a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State {
    bytes: u64,
    modified: Option<SystemTime>,
}

/// How a text is cut into runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut<'a> {
    pub first_line: u64,
    pub dialect: &'a Dialect,
    pub run_bytes: usize,
}

/// What is done with the runs of a window.
type Visit<'a> = dyn FnMut(&[Run<'_>]) -> Result<()> + Send + 'a;

/// Whether all of a file was UTF-8 text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoded {
    Utf8,
    /// The rest was not read.
    Otherwise,
}

impl Bytes {
    /// Shows all runs, in order, as many at a time as are in memory. Of a file that is not UTF-8 the rest is left out.
    ///
    /// # Errors
    /// Those of `visit`, and of reading the file, [`Error::Data`] where it has changed.
    pub(super) fn each_window(
        &self,
        by: Cut<'_>,
        mut visit: impl FnMut(&[Run<'_>]) -> Result<()> + Send,
    ) -> Result<Encoded> {
        match self {
            Self::Memory(bytes, body) => {
                visit(&cut(&bytes[body.clone()], by.first_line, by.dialect, by.run_bytes))?;
                Ok(Encoded::Utf8)
            }
            Self::File(file) => file.each_window(by, &mut visit),
        }
    }

    /// Rows to make room for: about as many as there are newlines, as long as the numbers take no more room than their text.
    pub(super) fn likely_rows(&self, width: usize) -> Result<usize> {
        let newlines = |bytes: &[u8]| memchr_iter(b'\n', bytes).count();
        let (lines, bytes) = match self {
            Self::Memory(bytes, body) => (newlines(&bytes[body.clone()]), body.len()),
            Self::File(file) => {
                let mut sample = Vec::new();
                file.read_from(0)?
                    .take(SAMPLE as u64)
                    .read_to_end(&mut sample)
                    .map_err(|e| Error::io(&file.path, e))?;
                let bytes = (file.state.bytes - file.start) as usize;
                let lines = newlines(&sample) as f64 / sample.len().max(1) as f64 * bytes as f64;
                (lines as usize, bytes)
            }
        };
        Ok(lines.min(bytes / (width * size_of::<f64>())) + 1)
    }
}

impl TextFile {
    /// The rows of a file from byte `start` on.
    pub(super) fn new(path: PathBuf, start: u64, window: usize) -> Result<Self> {
        let state = State::of(&path)?;
        Ok(Self { path, start, window, state })
    }

    /// The file, from so many bytes behind the begin of its rows on.
    fn read_from(&self, offset: u64) -> Result<File> {
        let open = || {
            let mut file = File::open(&self.path)?;
            file.seek(SeekFrom::Start(self.start + offset))?;
            Ok(file)
        };
        let file = open().map_err(|e| Error::io(&self.path, e))?;
        self.check()?;
        Ok(file)
    }

    /// The first bytes, a window of them.
    pub(super) fn first(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let read = self.read_from(0)?.take(self.window as u64).read_to_end(&mut bytes);
        read.map_err(|e| Error::io(&self.path, e))?;
        Ok(bytes)
    }

    /// The same file from so many bytes later on.
    pub(super) fn after(self, bytes: usize) -> Self {
        Self { start: self.start + bytes as u64, ..self }
    }

    fn check(&self) -> Result<()> {
        if State::of(&self.path)? == self.state {
            return Ok(());
        }
        Err(changed(&self.path))
    }

    /// The next bytes are read while the rows of a window are visited.
    fn each_window(&self, by: Cut<'_>, visit: &mut Visit<'_>) -> Result<Encoded> {
        let mut file = self.read_from(0)?;
        let (mut unread, mut next, mut line, mut window) = (Vec::new(), Vec::new(), by.first_line, self.window);
        let mut ended = self.read_on(&mut file, &mut unread, window)?;
        while !unread.is_empty() {
            let runs = cut(&unread, line, by.dialect, by.run_bytes);
            // Where the text goes on, the last run may end within a record.
            let whole = if ended { runs.len() } else { runs.len().saturating_sub(1) };
            if whole == 0 {
                window *= 2;
                ended = self.read_on(&mut file, &mut unread, window)?;
                continue;
            }
            if runs[..whole].par_iter().any(|run| std::str::from_utf8(run.bytes).is_err()) {
                return Ok(Encoded::Otherwise);
            }
            let used: usize = runs[..whole].iter().map(|run| run.bytes.len()).sum();
            next.clear();
            next.extend_from_slice(&unread[used..]);
            let read = || if ended { Ok(true) } else { self.read_on(&mut file, &mut next, window) };
            let (visited, read) = rayon::join(|| visit(&runs[..whole]), read);
            visited?;
            ended = read?;
            line = runs.get(whole).map_or(line, |run| run.line);
            std::mem::swap(&mut unread, &mut next);
        }
        self.check()?;
        Ok(Encoded::Utf8)
    }

    /// Appends bytes of the file until there are `wanted`; whether it has ended.
    fn read_on(&self, file: &mut File, bytes: &mut Vec<u8>, wanted: usize) -> Result<bool> {
        let more = wanted.saturating_sub(bytes.len());
        bytes.reserve_exact(more);
        let read = file.take(more as u64).read_to_end(bytes);
        Ok(read.map_err(|e| Error::io(&self.path, e))? < more)
    }
}

/// The error for a file that is not what it was when it was first looked at.
pub(super) fn changed(path: &Path) -> Error {
    Error::data(path, "the file has changed while it was read: try again when it is whole")
}

impl State {
    fn of(path: &Path) -> Result<Self> {
        let metadata = std::fs::metadata(path).map_err(|e| Error::io(path, e))?;
        Ok(Self { bytes: metadata.len(), modified: metadata.modified().ok() })
    }
}

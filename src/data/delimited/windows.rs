//! The bytes of a text, window by window: from memory, or read repeatedly from a file that is too large to keep with
//! its table.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use memchr::memchr_iter;
use rayon::prelude::*;

use super::sections::{Section, cut};
use crate::data::dialect::TextDialect;
use crate::{Error, Result};

/// Number of bytes of a file that are read at a time, or more if a record is longer. Two windows are in memory.
pub(super) const WINDOW: usize = 16 << 20;
/// Number of bytes from which the number of lines of a file is estimated.
const SAMPLE: usize = 1 << 20;

/// The rows of a text as bytes, without the lines above them.
pub(super) enum Bytes {
    /// A text in memory, and the range of its rows.
    Memory(Vec<u8>, Range<usize>),
    /// A file of UTF-8 text.
    File(TextFile),
}

/// A file of UTF-8 text, read window by window.
pub(super) struct TextFile {
    path: PathBuf,
    /// Offset of its rows.
    start: u64,
    /// Number of bytes of a window.
    window: usize,
    state: FileState,
}

/// Size, times and number of a file, to detect changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileState {
    bytes: u64,
    modified: Option<SystemTime>,
    /// The file itself, and when anything of it changed, where the system tells.
    identity: Option<(u64, i64, i64)>,
}

/// How a text is divided into sections.
#[derive(Debug, Clone, Copy)]
pub(super) struct CutOptions<'a> {
    pub first_line: u64,
    pub dialect: &'a TextDialect,
    pub section_bytes: usize,
}

/// Function that is called with the sections of a window.
type VisitSections<'a> = dyn FnMut(&[Section<'_>]) -> Result<()> + Send + 'a;

/// Whether a whole file is UTF-8 text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoded {
    Utf8,
    /// It is not; the rest was not read.
    Otherwise,
}

impl Bytes {
    /// Calls `visit` with all sections, in order, one window at a time. If a file is not UTF-8, its remaining sections are
    /// skipped.
    ///
    /// # Errors
    /// Those of `visit` and of reading the file; [`Error::Data`] if the file has changed.
    pub(super) fn each_window(
        &self,
        by: CutOptions<'_>,
        mut visit: impl FnMut(&[Section<'_>]) -> Result<()> + Send,
    ) -> Result<Encoded> {
        match self {
            Self::Memory(bytes, body) => {
                visit(&cut(&bytes[body.clone()], by.first_line, by.dialect, by.section_bytes))?;
                Ok(Encoded::Utf8)
            }
            Self::File(file) => file.each_window(by, &mut visit),
        }
    }

    /// Number of rows to reserve memory for: about the number of newlines, but at most so many that the numbers take no
    /// more memory than the text.
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
    /// The rows of a file, from byte `start`.
    pub(super) fn new(path: PathBuf, start: u64, window: usize) -> Result<Self> {
        let state = FileState::of(&path)?;
        Ok(Self { path, start, window, state })
    }

    /// Opens the file at `offset` bytes after the start of its rows.
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

    /// The first window.
    pub(super) fn first(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let read = self.read_from(0)?.take(self.window as u64).read_to_end(&mut bytes);
        read.map_err(|e| Error::io(&self.path, e))?;
        Ok(bytes)
    }

    /// The same file, with rows starting `bytes` bytes later.
    pub(super) fn after(self, bytes: usize) -> Self {
        Self { start: self.start + bytes as u64, ..self }
    }

    fn check(&self) -> Result<()> {
        if FileState::of(&self.path)? == self.state {
            return Ok(());
        }
        Err(changed(&self.path))
    }

    /// Reads the next bytes while `visit` handles the rows of a window.
    fn each_window(&self, by: CutOptions<'_>, visit: &mut VisitSections<'_>) -> Result<Encoded> {
        let mut file = self.read_from(0)?;
        let (mut unread, mut next, mut line, mut window) = (Vec::new(), Vec::new(), by.first_line, self.window);
        let mut ended = self.read_on(&mut file, &mut unread, window)?;
        while !unread.is_empty() {
            let sections = cut(&unread, line, by.dialect, by.section_bytes);
            // If the text continues, the last section may end within a record.
            let whole = if ended { sections.len() } else { sections.len().saturating_sub(1) };
            if whole == 0 {
                window *= 2;
                ended = self.read_on(&mut file, &mut unread, window)?;
                continue;
            }
            if sections[..whole].par_iter().any(|section| std::str::from_utf8(section.bytes).is_err()) {
                return Ok(Encoded::Otherwise);
            }
            let used: usize = sections[..whole].iter().map(|section| section.bytes.len()).sum();
            next.clear();
            next.extend_from_slice(&unread[used..]);
            let read = || if ended { Ok(true) } else { self.read_on(&mut file, &mut next, window) };
            let (visited, read) = rayon::join(|| visit(&sections[..whole]), read);
            if let Err(fault) = visited {
                self.check()?; // a change of the file explains it better
                return Err(fault);
            }
            ended = read?;
            line = sections.get(whole).map_or(line, |section| section.line);
            std::mem::swap(&mut unread, &mut next);
        }
        self.check()?;
        Ok(Encoded::Utf8)
    }

    /// Appends bytes of the file until there are `wanted`. Returns whether the file has ended.
    fn read_on(&self, file: &mut File, bytes: &mut Vec<u8>, wanted: usize) -> Result<bool> {
        let more = wanted.saturating_sub(bytes.len());
        bytes.reserve_exact(more);
        let read = file.take(more as u64).read_to_end(bytes);
        Ok(read.map_err(|e| Error::io(&self.path, e))? < more)
    }
}

/// The error for a file that was modified since it was first read.
pub(super) fn changed(path: &Path) -> Error {
    Error::data(path, "the file has changed while it was read: try again when it is whole")
}

impl FileState {
    fn of(path: &Path) -> Result<Self> {
        let metadata = std::fs::metadata(path).map_err(|e| Error::io(path, e))?;
        let identity = identity(&metadata);
        Ok(Self { bytes: metadata.len(), modified: metadata.modified().ok(), identity })
    }
}

/// Number of the file, and the time of its last change of any kind, which a copy does not keep.
#[cfg(unix)]
fn identity(metadata: &std::fs::Metadata) -> Option<(u64, i64, i64)> {
    use std::os::unix::fs::MetadataExt;
    Some((metadata.ino(), metadata.ctime(), metadata.ctime_nsec()))
}

#[cfg(not(unix))]
fn identity(_: &std::fs::Metadata) -> Option<(u64, i64, i64)> {
    None
}

//! The format of LIBSVM and SVMlight: `label index:value …` in each line; features that a row omits are 0.
//!
//! The column of a feature is `f` followed by its index, so the same index has the same name in files that count from 0
//! and from 1. The label is the last column.

use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::cell::brief;
use super::expansion::is_too_large;
use super::outline::Outline;
use super::source::read_error;
use super::table_source::{PendingRows, TableFile, TableSource};
use super::text_lines::TextLines;
use super::value::Value;
use crate::warning::are;
use crate::{Error, Result, Unit, Warning, WarningKind};

/// Name of the label column.
const LABEL: &str = "label";

/// A whole file in memory.
pub(super) struct LibsvmFile {
    path: PathBuf,
    bytes: Arc<[u8]>,
    features: IndexRange,
    rows: usize,
    outline: Arc<Outline>,
}

/// The range of indices that are columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct IndexRange {
    first: usize,
    count: usize,
}

impl IndexRange {
    /// The column of a feature.
    fn place(self, index: usize) -> Option<usize> {
        index.checked_sub(self.first).filter(|place| *place < self.count)
    }

    fn names(self) -> Vec<String> {
        let features = (self.first..self.first + self.count).map(|index| format!("f{index}"));
        features.chain([LABEL.to_owned()]).collect()
    }
}

impl LibsvmFile {
    /// Determines the columns from the smallest and the largest index.
    ///
    /// # Errors
    /// [`Error::Data`] with the line of a wrong cell, and for an index so large that almost all cells would be zeros.
    pub(super) fn new(path: &Path, bytes: Vec<u8>) -> Result<Self> {
        let (mut from_zero, mut last, mut rows) = (false, (0, 0), 0);
        let mut lines = TextLines::new(bytes.as_slice());
        while let Some((number, line)) = lines.next_line().map_err(|e| read_error(path, e))? {
            let Some(row) = SparseRow::of(path, number, line)? else { continue };
            rows += 1;
            for pair in row.pairs() {
                let (index, _) = pair?;
                from_zero |= index == 0;
                last = last.max((index, number));
            }
        }
        let first = usize::from(!from_zero);
        let (last, line) = last;
        let features = IndexRange { first, count: last.saturating_add(1).saturating_sub(first) };
        if is_too_large((rows as u64, features.count as u64), bytes.len() as u64) {
            let message = format!("index {last}: {rows} rows of so many columns would be zeros almost everywhere");
            return Err(Error::data_at(path, Some(line), None, message));
        }
        let mut outline = Outline::named(features.names(), Unit::Line);
        let shown = format!("f{first} … f{last}, {LABEL}");
        outline.notes.push(format!("indices from {first}: columns {shown}; what a row leaves out is 0"));
        Ok(Self { path: path.to_path_buf(), bytes: bytes.into(), features, rows, outline: Arc::new(outline) })
    }
}

impl TableFile for LibsvmFile {
    fn open(&self) -> Result<Box<dyn TableSource>> {
        let bytes = std::io::Cursor::new(Arc::clone(&self.bytes));
        Ok(Box::new(Libsvm::new(&self.path, (self.features, Arc::clone(&self.outline)), bytes)))
    }

    fn likely_rows(&self) -> usize {
        self.rows
    }
}

/// The rows of a text.
pub(super) struct Libsvm<R> {
    path: PathBuf,
    outline: Arc<Outline>,
    features: IndexRange,
    lines: TextLines<R>,
    /// Number of values whose index is not a column.
    unknown: usize,
}

impl<R: BufRead> Libsvm<R> {
    fn new(path: &Path, (features, outline): (IndexRange, Arc<Outline>), text: R) -> Self {
        Self { path: path.to_path_buf(), outline, features, lines: TextLines::new(text), unknown: 0 }
    }

    /// Rows with the features among the columns `known`.
    pub(super) fn with_known(path: &Path, known: &[String], text: R) -> Self {
        let index = |name: &String| name.strip_prefix('f').and_then(|digits| digits.parse::<usize>().ok());
        let indices = || known.iter().filter_map(index);
        let (first, last) = (indices().min().unwrap_or(1), indices().max().unwrap_or(0));
        let count = last.saturating_add(1).saturating_sub(first);
        // If a damaged model claims too many columns, they are left out and count as missing.
        let count = if is_too_large((0, count as u64), 8 * known.len() as u64) { 0 } else { count };
        let features = IndexRange { first, count };
        let outline = Arc::new(Outline::named(features.names(), Unit::Line));
        Self::new(path, (features, outline), text)
    }
}

impl<R: BufRead + Send> TableSource for Libsvm<R> {
    fn path(&self) -> &Path {
        &self.path
    }

    fn outline(&self) -> &Outline {
        &self.outline
    }

    fn read(&mut self, most: usize, batch: &mut PendingRows<'_>) -> Result<()> {
        let Self { path, features, lines, unknown, .. } = self;
        let mut values = vec![0.0; features.count];
        while batch.lines.len() < most
            && let Some((number, line)) = lines.next_line().map_err(|e| read_error(path, e))?
        {
            let Some(row) = SparseRow::of(path, number, line)? else { continue };
            let mut last = None;
            for pair in row.pairs() {
                let (index, value) = pair?;
                if last.is_some_and(|last| index <= last) {
                    return Err(row.wrong(&format!("index {index}: expected indices in ascending order, each once")));
                }
                last = Some(index);
                match features.place(index) {
                    Some(place) => values[place] = value,
                    None => *unknown += 1,
                }
            }
            let line = u32::try_from(number).unwrap_or(u32::MAX);
            let value =
                |place: usize| values.get(place).map_or(Value::Digits(row.label), |value| Value::Number(*value));
            batch.push_row(line, value);
            values.fill(0.0);
        }
        Ok(())
    }

    fn warnings(&self) -> Vec<Warning> {
        let count = self.unknown;
        let unknown = (count > 0).then(|| {
            let (path, IndexRange { first, count: columns }) = (self.path.display(), self.features);
            let message = format!(
                "{path}: {} of indices beyond those of training ({first} to {}): left out",
                are(count, "value"),
                first + columns - 1
            );
            Warning::new(WarningKind::Other, message).count(count)
        });
        unknown.into_iter().collect()
    }
}

/// A row.
struct SparseRow<'a> {
    path: &'a Path,
    line: u64,
    label: &'a str,
    rest: &'a str,
}

impl<'a> SparseRow<'a> {
    /// The row of a line; `None` for a comment.
    fn of(path: &'a Path, line: u64, text: &'a [u8]) -> Result<Option<Self>> {
        let wrong = |message: &str| Error::data_at(path, Some(line), None, message);
        let text = std::str::from_utf8(text).map_err(|_| wrong("expected UTF-8 text"))?;
        let text = text.split('#').next().unwrap_or(text).trim();
        if text.is_empty() {
            return Ok(None);
        }
        let (label, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let row = Self { path, line, label, rest };
        match () {
            () if label.contains(':') => Err(row.wrong(&format!("expected a label first, found \"{}\"", brief(label)))),
            () if label.contains(',') => Err(row.wrong(&format!(
                "expected one label, found several (\"{}\"): write a column for each label in CSV",
                brief(label)
            ))),
            () => Ok(Some(row)),
        }
    }

    /// Its indices and values.
    fn pairs(&self) -> impl Iterator<Item = Result<(usize, f64)>> {
        self.rest.split_ascii_whitespace().map(|pair| {
            let parsed = pair
                .split_once(':')
                .and_then(|(index, value)| Some((index.parse::<u32>().ok()? as usize, value.parse::<f64>().ok()?)));
            parsed.ok_or_else(|| match pair.starts_with("qid:") {
                true => self.wrong("qid groups rows for ranking, which is not a task of gradlane: take it out"),
                false => self.wrong(&format!("expected index:value, found \"{}\"", brief(pair))),
            })
        })
    }

    fn wrong(&self, message: &str) -> Error {
        Error::data_at(self.path, Some(self.line), None, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> Result<LibsvmFile> {
        LibsvmFile::new(Path::new("x.svm"), text.as_bytes().to_vec())
    }

    #[test]
    fn indices_name_the_columns() {
        assert_eq!(file("1 1:2 3:4\n-1 2:1 # note\n").unwrap().outline.names, ["f1", "f2", "f3", "label"]);
        assert_eq!(file("1 0:2\n# all\n2\n").unwrap().outline.names, ["f0", "label"]);
        assert!(file("1 1:2\n").unwrap().outline.notes[0].starts_with("indices from 1: columns f1 … f1, label"));
    }

    #[test]
    fn wrong_lines_are_named() {
        for (text, message) in [
            ("1 1:2\n1 x:2\n", "x.svm:2: expected index:value, found \"x:2\""),
            ("1 qid:3 1:2\n", "x.svm:1: qid groups rows"),
            ("1,2 1:2\n", "x.svm:1: expected one label"),
            ("1 1:2\n1:3 2:1\n", "x.svm:2: expected a label first"),
            ("1 1:2\n1 4000000000:1\n", "x.svm:2: index 4000000000"),
        ] {
            let error = file(text).err().expect("an error").to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }
}

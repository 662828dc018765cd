//! Converts the bytes of a file to UTF-8 text with LF line ends, for reading tables.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use encoding_rs::{CoderResult, Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use memchr::{memchr, memchr_iter};

use super::options::ReadOptions;
use super::padding::Blanks;
use super::source::{NotUtf8, Opened, read_error};
use super::written::{EncodingName, SkippedLines};
use crate::option_text::{option, setting};
use crate::{Error, Result, Warning, WarningKind};

/// Number of bytes that are decoded at a time.
const PIECE: usize = 1 << 16;
/// Number of characters that the note on lines left out shows.
const SHOWN: usize = 60;

/// Text that is open but not read. Its first part can be examined.
pub(super) struct Text {
    name: PathBuf,
    head: Vec<u8>,
    /// Whether the head is the whole text.
    complete: bool,
    rest: Converted<Box<dyn Read + Send>>,
    /// How blanks are changed.
    blanks: Option<Blanks>,
    /// The file that contains exactly this text, and the offset at which it starts.
    file: Option<(PathBuf, u64)>,
    /// The note on lines that were left out.
    skipped: Option<String>,
}

/// Findings about the bytes of a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Conversion {
    /// Number of bytes that are not UTF-8 and were read as Windows-1252.
    pub(super) foreign: usize,
    /// Line of the first of these bytes.
    pub(super) foreign_line: u64,
    /// The encoding, if it is not UTF-8.
    pub(super) encoding: Option<&'static str>,
    /// Whether lines end with a lone CR.
    pub(super) cr: bool,
}

impl Conversion {
    /// Notes about an encoding and line ends that were detected with certainty.
    pub(super) fn notes(&self) -> Vec<String> {
        let encoding = self.encoding.map(|name| format!("encoding: {name} ({} changes it)", option("encoding")));
        let cr = self.cr.then(|| "line ends: CR".to_owned());
        encoding.into_iter().chain(cr).collect()
    }

    /// The warning about bytes whose encoding was guessed.
    pub(super) fn warning(&self, path: &Path) -> Option<Warning> {
        (self.foreign > 0).then(|| {
            let (path, bytes, line) = (path.display(), self.foreign, self.foreign_line);
            let message = format!(
                "{path}: the text is not UTF-8 ({bytes} bytes, the first on line {line}): these bytes are read as Latin-1 \
                 (windows-1252); {} names another encoding",
                option("encoding")
            );
            Warning::new(WarningKind::Encoding, message).count(bytes)
        })
    }
}

impl Text {
    /// Decodes an opened file: in the encoding `asked`, or else according to its byte order mark, or else as UTF-8. In
    /// the last case, bytes that are not UTF-8 are read as Windows-1252, a superset of Latin-1.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::Data`], as for reading the file; [`Error::Data`] for a binary file.
    pub(super) fn new(mut opened: Opened, asked: Option<EncodingName>) -> Result<Self> {
        let name = opened.name().to_path_buf();
        refuse_other_formats(&name, opened.head().0)?;
        let (encoding, bom) = encoding_of(opened.head().0, asked);
        if encoding == UTF_8 && opened.head().0.contains(&0) {
            return Err(binary(&name, "a binary file of no known format", "convert it to CSV or Parquet"));
        }
        let cr = ends_with_cr(opened.head().0, encoding);
        let as_it_is = encoding == UTF_8 && !cr;
        let file = opened.plain_file().filter(|_| as_it_is).map(|path| (path.to_path_buf(), bom as u64));
        opened.skip(bom);
        let conversion =
            Conversion { encoding: (encoding != UTF_8).then(|| encoding.name()), cr, ..Conversion::default() };
        let reader: Box<dyn Read + Send> = Box::new(opened.into_reader());
        let mut text = Self {
            name,
            head: Vec::new(),
            complete: false,
            rest: Converted::new(reader, encoding, (conversion, asked.is_some())),
            blanks: None,
            file,
            skipped: None,
        };
        text.grow()?;
        Ok(text)
    }

    /// Opens delimited text as the options say: in their encoding, and without the lines above the table.
    ///
    /// # Errors
    /// As [`Text::new`]; [`Error::Data`] if there are not so many lines.
    pub(super) fn of_table(opened: Opened, options: &ReadOptions) -> Result<Self> {
        let mut text = Self::new(opened, options.encoding)?;
        text.skip_lines(options.skip_lines)?;
        Ok(text)
    }

    fn skip_lines(&mut self, lines: SkippedLines) -> Result<()> {
        let Some(before) = lines.0.checked_sub(1) else { return Ok(()) };
        let bytes = loop {
            match memchr_iter(b'\n', &self.head).nth(before) {
                Some(end) => break end + 1,
                None if !self.complete => self.grow()?,
                None => {
                    let found = memchr_iter(b'\n', self.head.trim_ascii_end()).count() + 1;
                    let message =
                        format!("expected a table below {}, found {found} lines", setting("skip_lines", lines));
                    return Err(Error::data(&self.name, message));
                }
            }
        };
        let last = String::from_utf8_lossy(&self.head[..bytes]).lines().last().unwrap_or_default().trim().to_owned();
        let shown: String = last.chars().take(SHOWN).collect();
        let dots = if shown.len() < last.len() { " …" } else { "" };
        let (left_out, which) =
            if before == 0 { ("1 line".to_owned(), "it") } else { (format!("{lines} lines"), "the last") };
        self.skipped = Some(format!("lines above the table: {left_out} left out; {which} is \"{shown}{dots}\""));
        self.head.drain(..bytes);
        if let Some((_, start)) = &mut self.file {
            *start += bytes as u64;
        }
        Ok(())
    }

    /// The name, for messages.
    pub(super) fn name(&self) -> &Path {
        &self.name
    }

    /// The note on lines that were left out.
    pub(super) fn skipped(&self) -> Option<&str> {
        self.skipped.as_deref()
    }

    /// The file that contains exactly this text, provided that it is UTF-8, and the offset at which the text starts.
    pub(super) fn plain_file(&self) -> Option<(&Path, u64)> {
        let (path, start) = self.file.as_ref().filter(|_| self.blanks.is_none())?;
        Some((path, *start))
    }

    /// The first part of the text, and whether it is the whole text.
    pub(super) fn head(&self) -> (&[u8], bool) {
        (&self.head, self.complete)
    }

    /// Extends the head to twice its length, by at least 256 KiB.
    ///
    /// # Errors
    /// Those of reading the file.
    pub(super) fn grow(&mut self) -> Result<()> {
        let more = self.head.len().max(4 * PIECE);
        let read = self.rest.by_ref().take(more as u64).read_to_end(&mut self.head);
        self.complete = read.map_err(|e| read_error(&self.name, e))? < more;
        Ok(())
    }

    /// Sets how blanks are changed from now on.
    pub(super) fn change(&mut self, blanks: Blanks) {
        self.blanks = Some(blanks);
    }

    /// The whole text in memory, and the findings about its bytes.
    ///
    /// # Errors
    /// Those of reading the file.
    pub(super) fn into_bytes(mut self) -> Result<(Vec<u8>, Conversion)> {
        let mut bytes = std::mem::take(&mut self.head);
        let read = match self.rest.decoder {
            None if !self.rest.conversion.cr => self.rest.read_plain(&mut bytes),
            _ => self.rest.read_to_end(&mut bytes).map(drop),
        };
        read.map_err(|e| read_error(&self.name, e))?;
        if let Some(blanks) = self.blanks {
            bytes = blanks.changed(&bytes);
        }
        Ok((bytes, self.rest.conversion))
    }

    /// The whole text as a stream.
    pub(super) fn into_reader(self) -> TextReader {
        let ready = io::Cursor::new(Vec::new());
        TextReader { head: io::Cursor::new(self.head), rest: self.rest, blanks: self.blanks, ready, ended: false }
    }
}

/// A text as a stream.
pub(super) struct TextReader {
    head: io::Cursor<Vec<u8>>,
    rest: Converted<Box<dyn Read + Send>>,
    blanks: Option<Blanks>,
    /// Text whose blanks have been changed.
    ready: io::Cursor<Vec<u8>>,
    ended: bool,
}

impl TextReader {
    /// The findings about the bytes read so far.
    pub(super) fn conversion(&self) -> &Conversion {
        &self.rest.conversion
    }

    fn read_text(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.head.read(buffer)? {
            0 => self.rest.read(buffer),
            count => Ok(count),
        }
    }
}

impl Read for TextReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(mut blanks) = self.blanks.take() else { return self.read_text(buffer) };
        let mut count = self.ready.read(buffer)?;
        while count == 0 && !self.ended && !buffer.is_empty() {
            let mut text = vec![0; PIECE];
            let read = self.read_text(&mut text)?;
            let mut ready = Vec::with_capacity(read);
            blanks.push(&text[..read], &mut ready);
            if read == 0 {
                self.ended = true;
                blanks.finish(&mut ready);
            }
            self.ready = io::Cursor::new(ready);
            count = self.ready.read(buffer)?;
        }
        self.blanks = Some(blanks);
        Ok(count)
    }
}

/// The encoding of a file, and the length of its byte order marks, which some programs write twice.
fn encoding_of(head: &[u8], asked: Option<EncodingName>) -> (&'static Encoding, usize) {
    let repeated = |length: usize| head.chunks(length).take_while(|chunk| *chunk == &head[..length]).count() * length;
    let marked = Encoding::for_bom(head).map(|(found, length)| (found, repeated(length)));
    match (asked, marked) {
        (Some(EncodingName(asked)), Some((found, length))) if asked == found => (asked, length),
        (Some(EncodingName(asked)), _) => (asked, 0),
        (None, found) => found.unwrap_or_else(|| (without_mark(head), 0)),
    }
}

/// Detects UTF-16 without a byte order mark: in Western text, most of every second byte are zero. Otherwise the
/// encoding is assumed to be UTF-8.
fn without_mark(head: &[u8]) -> &'static Encoding {
    let pairs = head.len().min(4096) / 2;
    let zeros = |offset: usize| (0..pairs).filter(|pair| head[2 * pair + offset] == 0).count();
    match (zeros(0), zeros(1)) {
        (0, high) if pairs > 1 && 2 * high > pairs => UTF_16LE,
        (high, 0) if pairs > 1 && 2 * high > pairs => UTF_16BE,
        _ => UTF_8,
    }
}

/// Whether lines end with a lone CR: there is one, and no LF, except possibly as the last byte.
fn ends_with_cr(head: &[u8], encoding: &'static Encoding) -> bool {
    if encoding == UTF_16LE || encoding == UTF_16BE {
        return false; // no known program writes UTF-16 with such line ends
    }
    let lines = memchr(b'\n', head);
    memchr(b'\r', head).is_some_and(|cr| cr + 1 < head.len() && head[cr + 1] != b'\n')
        && lines.is_none_or(|lf| lf + 1 == head.len() && head[lf - 1] != b'\r')
}

/// Refuses other formats, with a better message than one about row widths.
fn refuse_other_formats(path: &Path, head: &[u8]) -> Result<()> {
    const OTHER: &str = "convert it to CSV or Parquet";
    let format = format!("leave out {}", option("format"));
    let known: [(&[u8], &str, &str); 9] = [
        (b"\xff\xfe\0\0", "UTF-32 text", "convert it to UTF-8"),
        (b"\0\0\xfe\xff", "UTF-32 text", "convert it to UTF-8"),
        (b"PAR1", "a Parquet file", &format),
        (b"\x93NUMPY", "a NumPy array", &format),
        (b"PK\x03\x04", "a ZIP archive (a spreadsheet?)", OTHER),
        (b"BZh", "a bzip2 file", "unpack it, or pack it with gzip or zstd"),
        (b"\xfd7zXZ\0", "an xz file", "unpack it, or pack it with gzip or zstd"),
        (b"\x89HDF", "an HDF5 file", OTHER),
        (b"SQLite format 3\0", "an SQLite database", OTHER),
    ];
    match known.iter().find(|(magic, ..)| head.starts_with(magic)) {
        Some((_, what, hint)) => Err(binary(path, what, hint)),
        None => Ok(()),
    }
}

fn binary(path: &Path, what: &str, hint: &str) -> Error {
    Error::data(path, format!("expected a table, found {what}: {hint}"))
}

/// A reader that converts bytes to UTF-8 with LF line ends.
struct Converted<R> {
    inner: R,
    /// Decoder for an encoding other than UTF-8.
    decoder: Option<Decoder>,
    /// Whether the user named the encoding; other bytes are then refused.
    is_asked: bool,
    conversion: Conversion,
    /// Bytes that were read but not converted: the start of a character.
    raw: Vec<u8>,
    /// Converted text, of which the part from `at` on was not yet returned.
    ready: Vec<u8>,
    at: usize,
    ended: bool,
    lines: u64,
}

impl<R: Read> Converted<R> {
    fn new(inner: R, encoding: &'static Encoding, (conversion, is_asked): (Conversion, bool)) -> Self {
        let decoder = (encoding != UTF_8).then(|| encoding.new_decoder_without_bom_handling());
        Self { inner, decoder, is_asked, conversion, raw: Vec::new(), ready: Vec::new(), at: 0, ended: false, lines: 0 }
    }

    /// Appends all remaining text. UTF-8, the most common encoding, is not copied.
    fn read_plain(&mut self, bytes: &mut Vec<u8>) -> io::Result<()> {
        bytes.extend_from_slice(&self.ready[self.at..]);
        let converted = bytes.len();
        bytes.append(&mut self.raw);
        self.inner.read_to_end(bytes)?;
        if std::str::from_utf8(&bytes[converted..]).is_ok() {
            return Ok(());
        }
        self.raw = bytes.split_off(converted);
        (self.ended, self.at) = (true, 0);
        self.ready.clear();
        self.take_utf8()?;
        bytes.append(&mut self.ready);
        Ok(())
    }

    /// Reads and converts one piece of the file.
    fn fill(&mut self) -> io::Result<()> {
        self.ready.clear();
        self.at = 0;
        let kept = self.raw.len();
        self.raw.resize(kept + PIECE, 0);
        let count = loop {
            match self.inner.read(&mut self.raw[kept..]) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.raw.truncate(kept + count);
        self.ended = count == 0;
        match self.decoder.take() {
            Some(mut decoder) => {
                self.decode(&mut decoder);
                self.decoder = Some(decoder);
            }
            None => self.take_utf8()?,
        }
        if self.conversion.cr {
            self.ready.iter_mut().filter(|byte| **byte == b'\r').for_each(|byte| *byte = b'\n');
        }
        Ok(())
    }

    fn decode(&mut self, decoder: &mut Decoder) {
        let mut text = String::with_capacity(3 * self.raw.len() + 16);
        let (result, read, _) = decoder.decode_to_string(&self.raw, &mut text, self.ended);
        debug_assert!(result == CoderResult::InputEmpty, "there is room for all");
        self.raw.drain(..read);
        self.ready = text.into_bytes();
    }

    /// Converts UTF-8 unchanged, and other bytes as Windows-1252. An incomplete character at the end is kept for the
    /// next piece.
    fn take_utf8(&mut self) -> io::Result<()> {
        let mut from = 0;
        loop {
            let rest = &self.raw[from..];
            let Err(error) = std::str::from_utf8(rest) else {
                self.ready.extend_from_slice(rest);
                from = self.raw.len();
                break;
            };
            let valid = error.valid_up_to();
            self.ready.extend_from_slice(&rest[..valid]);
            let wrong = match error.error_len() {
                Some(length) => length,
                None if self.ended => rest.len() - valid,
                None => {
                    from += valid;
                    break;
                }
            };
            let line = || self.lines + 1 + memchr_iter(b'\n', &self.ready).count() as u64;
            if self.is_asked {
                return Err(io::Error::new(io::ErrorKind::InvalidData, NotUtf8 { line: line() }));
            }
            let bytes = &rest[valid..valid + wrong];
            let (text, _) = WINDOWS_1252.decode_without_bom_handling(bytes);
            if self.conversion.foreign == 0 {
                self.conversion.foreign_line = line();
            }
            self.conversion.foreign += wrong;
            self.ready.extend_from_slice(text.as_bytes());
            from += valid + wrong;
        }
        self.raw.drain(..from);
        if self.conversion.foreign == 0 {
            self.lines += memchr_iter(b'\n', &self.ready).count() as u64;
        }
        Ok(())
    }
}

impl<R: Read> Read for Converted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.ready.len() {
            if self.ended || buffer.is_empty() {
                return Ok(0);
            }
            self.fill()?;
        }
        let count = buffer.len().min(self.ready.len() - self.at);
        buffer[..count].copy_from_slice(&self.ready[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(bytes: &[u8], asked: Option<EncodingName>) -> Result<(String, Conversion)> {
        let opened = Opened::from_reader("x.csv".into(), Box::new(io::Cursor::new(bytes.to_vec())))?;
        let (bytes, conversion) = Text::new(opened, asked)?.into_bytes()?;
        Ok((String::from_utf8(bytes).expect("text is UTF-8"), conversion))
    }

    #[test]
    fn marks_and_utf16_are_recognised() {
        let utf16 = |text: &str, big: bool, mark: bool| -> Vec<u8> {
            let mark = mark.then_some(0xfeff);
            mark.into_iter()
                .chain(text.encode_utf16())
                .flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() })
                .collect()
        };
        for (big, mark) in [(false, true), (true, true), (false, false), (true, false)] {
            let (read, found) = text(&utf16("naïve,b\n1,2\n", big, mark), None).unwrap();
            assert_eq!(read, "naïve,b\n1,2\n");
            assert_eq!(found.encoding, Some(if big { "UTF-16BE" } else { "UTF-16LE" }));
        }
        assert_eq!(text(b"\xef\xbb\xbfa,b\n", None).unwrap().0, "a,b\n");
        assert_eq!(text(b"\xef\xbb\xbf\xef\xbb\xbfa,b\n", None).unwrap().0, "a,b\n", "two marks");
        assert_eq!(text("a,é\n".as_bytes(), None).unwrap(), ("a,é\n".to_owned(), Conversion::default()));
    }

    #[test]
    fn bytes_that_are_no_utf8_are_latin_1() {
        let (read, found) = text(b"a,b\nS\xe3o,\xe9\nx,\xc3\xa9", None).unwrap();
        assert_eq!(read, "a,b\nSão,é\nx,é", "UTF-8 beside them stays");
        assert_eq!((found.foreign, found.foreign_line), (2, 2));
        assert!(found.warning(Path::new("x.csv")).unwrap().message.contains("line 2"));
        assert_eq!(text(b"\xcf", None).unwrap().0, "Ï", "the begin of a character at the end");
        let russian = EncodingName(Encoding::for_label(b"cp1251").unwrap());
        assert_eq!(text(b"\xe4\xe0", Some(russian)).unwrap().0, "да");
    }

    #[test]
    fn lines_that_end_with_cr_alone_are_lines() {
        for bytes in [&b"a,b\r1,2\r"[..], b"a,b\r1,2", b"a,b\r1,2\r\n"] {
            let (read, found) = text(bytes, None).unwrap();
            assert_eq!(read.lines().collect::<Vec<_>>(), if found.cr { vec!["a,b", "1,2"] } else { vec!["a,b\r1,2"] });
        }
        assert!(!text(b"a,b\r\n1,2\r\n", None).unwrap().1.cr);
    }

    #[test]
    fn what_is_no_text_is_named() {
        for (bytes, what) in [(&b"PAR1...."[..], "a Parquet file"), (b"a,b\n\0\0", "a binary file"), (b"BZh9", "bzip2")]
        {
            assert!(text(bytes, None).unwrap_err().to_string().contains(what));
        }
    }

    proptest! {
        #[test]
        fn pieces_of_any_length_give_the_same_text(bytes in prop::collection::vec(any::<u8>(), 0..200), size in 1usize..9) {
            struct Slow<'a>(&'a [u8], usize);
            impl Read for Slow<'_> {
                fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                    let count = self.0.len().min(self.1).min(buffer.len());
                    buffer[..count].copy_from_slice(&self.0[..count]);
                    self.0 = &self.0[count..];
                    Ok(count)
                }
            }
            let read = |size: usize| {
                let mut converted = Converted::new(Slow(&bytes, size), UTF_8, (Conversion::default(), false));
                let mut text = Vec::new();
                converted.read_to_end(&mut text).unwrap();
                (text, converted.conversion)
            };
            let (whole, found) = read(usize::MAX);
            prop_assert!(std::str::from_utf8(&whole).is_ok());
            prop_assert_eq!(read(size), (whole, found));
        }
    }
}

//! Sources of bytes: a file or standard input, plain or compressed by gzip or Zstandard.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use flate2::bufread::GzDecoder;
use serde::{Deserialize, Serialize};

use super::expansion::{CountingReader, Unpacked};
use super::mapped::Mapped;
use super::store::Store;
use crate::option_text::option;
use crate::{Error, Result, path_text};

/// A file, a folder, or standard input (written `-`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Source {
    /// A file or a folder.
    Path(PathBuf),
    /// Standard input.
    Stdin,
}

impl Source {
    /// `-` means standard input; anything else is a path.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        if path == Path::new("-") { Self::Stdin } else { Self::Path(path) }
    }

    /// The path, or `<stdin>`, for messages.
    pub fn name(&self) -> &Path {
        match self {
            Self::Path(path) => path,
            Self::Stdin => Path::new("<stdin>"),
        }
    }

    /// The source as written on the command line; see [`path_text`].
    pub fn as_written(&self) -> String {
        match self {
            Self::Path(path) => path_text::to_text(path),
            Self::Stdin => "-".to_owned(),
        }
    }

    /// Whether the source is an existing folder.
    pub fn is_folder(&self) -> bool {
        matches!(self, Self::Path(path) if path.is_dir())
    }
}

impl FromStr for Source {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Err(Error::Usage("expected a file, a folder or -, found an empty name".to_owned()));
        }
        Ok(Self::from(text.to_owned()))
    }
}

impl From<String> for Source {
    fn from(text: String) -> Self {
        Self::new(path_text::to_path(&text))
    }
}

impl From<Source> for String {
    fn from(source: Source) -> Self {
        source.as_written()
    }
}

/// Number of bytes at the start of a file that identify its compression.
const MAGIC_BYTES: usize = 4;
/// Number of bytes of a file that are examined to detect its format, delimiter and header.
const HEAD_BYTES: usize = 256 * 1024;

/// An opened source: a stream of decompressed bytes, of which the first can be examined before reading.
pub struct Opened {
    name: PathBuf,
    head: Vec<u8>,
    /// Whether the head is the whole content.
    complete: bool,
    rest: Box<dyn Read + Send>,
    /// Whether the source is compressed.
    packed: bool,
    /// The path, if the source is a file.
    file: Option<PathBuf>,
}

impl Opened {
    /// Opens a file or standard input. Gzip and Zstandard are recognised by their first bytes, regardless of the name.
    ///
    /// # Errors
    /// [`Error::Io`] for a file that is missing or not readable, [`Error::Data`] for a damaged compressed stream.
    pub fn new(source: &Source) -> Result<Self> {
        let name = source.name().to_path_buf();
        let raw: Box<dyn Read + Send> = match source {
            Source::Path(path) => Box::new(File::open(path).map_err(|e| Error::io(path, e))?),
            Source::Stdin => Box::new(io::stdin()),
        };
        let file = match source {
            Source::Path(path) if path.is_file() => Some(path.clone()),
            _ => None,
        };
        Ok(Self { file, ..Self::from_reader(name, raw)? })
    }

    /// As [`Opened::new`], for any reader. `name` is used in messages.
    pub fn from_reader(name: PathBuf, mut raw: Box<dyn Read + Send>) -> Result<Self> {
        let mut magic = Vec::with_capacity(MAGIC_BYTES);
        raw.by_ref().take(MAGIC_BYTES as u64).read_to_end(&mut magic).map_err(|e| Error::io(&name, e))?;
        let (gzip, zstd) = (magic.starts_with(&[0x1f, 0x8b]), magic == [0x28, 0xb5, 0x2f, 0xfd]);
        let (raw, packed) = CountingReader::new(io::Cursor::new(magic).chain(raw));
        let raw = BufReader::with_capacity(1 << 18, raw);
        let mut rest: Box<dyn Read + Send> = match () {
            () if gzip => Box::new(Unpacked::new(GzipMembers::new(raw), packed)),
            () if zstd => {
                let frames = Frames::new(raw).map_err(|e| Error::io(&name, e))?;
                Box::new(Unpacked::new(frames, packed))
            }
            () => Box::new(raw),
        };
        let mut head = Vec::new();
        rest.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head).map_err(|e| read_error(&name, e))?;
        let complete = head.len() < HEAD_BYTES;
        Ok(Self { name, head, complete, rest, packed: gzip || zstd, file: None })
    }

    /// The name, for messages.
    pub fn name(&self) -> &Path {
        &self.name
    }

    /// The path of a file with exactly these bytes, if the source is a file and not compressed.
    pub(super) fn plain_file(&self) -> Option<&Path> {
        self.file.as_deref().filter(|_| !self.packed)
    }

    /// The first bytes, and whether these are all.
    pub fn head(&self) -> (&[u8], bool) {
        (&self.head, self.complete)
    }

    /// Skips the first bytes, such as a byte order mark, up to the length of the head.
    pub(super) fn skip(&mut self, count: usize) {
        self.head.drain(..count.min(self.head.len()));
    }

    /// All bytes as a stream.
    pub fn into_reader(self) -> impl Read + Send {
        io::Cursor::new(self.head).chain(self.rest)
    }

    /// All bytes, readable at any offset: from the file if it is not compressed, otherwise in memory.
    ///
    /// # Errors
    /// As [`Opened::new`].
    pub(super) fn into_store(self) -> Result<Store> {
        match self.plain_file() {
            Some(path) => File::open(path).and_then(Store::file).map_err(|e| Error::io(path, e)),
            None => self.into_bytes().map(Store::from),
        }
    }

    /// All bytes: mapped if the source is a file that is not compressed, otherwise in memory.
    ///
    /// # Errors
    /// As [`Opened::new`].
    pub(super) fn into_mapped(self) -> Result<Mapped> {
        match self.plain_file() {
            Some(path) => File::open(path).and_then(|file| Mapped::file(&file)).map_err(|e| Error::io(path, e)),
            None => self.into_bytes().map(Mapped::Memory),
        }
    }

    /// All bytes, in memory.
    ///
    /// # Errors
    /// As [`Opened::new`].
    pub fn into_bytes(mut self) -> Result<Vec<u8>> {
        let mut bytes = std::mem::take(&mut self.head);
        self.rest.read_to_end(&mut bytes).map_err(|e| read_error(&self.name, e))?;
        Ok(bytes)
    }
}

/// The decompressed members of a gzip file, concatenated. Zeros after a member are padding.
struct GzipMembers<R> {
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> GzipMembers<R> {
    fn new(packed: R) -> Self {
        Self { member: Some(GzDecoder::new(packed)) }
    }

    /// The next member at `packed`, if there is one.
    fn next(mut packed: R) -> io::Result<Option<GzDecoder<R>>> {
        loop {
            let bytes = packed.fill_buf()?;
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            match (bytes.len(), zeros) {
                (0, _) => return Ok(None),
                (_, 0) => return Ok(Some(GzDecoder::new(packed))),
                _ => packed.consume(zeros),
            }
        }
    }
}

impl<R: BufRead> Read for GzipMembers<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        while let Some(mut member) = self.member.take() {
            let count = member.read(buffer)?;
            if count > 0 {
                self.member = Some(member);
                return Ok(count);
            }
            self.member = Self::next(member.into_inner())?;
        }
        Ok(0)
    }
}

/// The decompressed frames of a Zstandard file, concatenated.
struct Frames<R: BufRead>(zstd::stream::read::Decoder<'static, R>);

impl<R: BufRead> Frames<R> {
    fn new(packed: R) -> io::Result<Self> {
        Ok(Self(zstd::stream::read::Decoder::with_buffer(packed)?))
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // Errors of the library about the data are not failures of the system.
        let of_data = |error: io::Error| match error.raw_os_error() {
            Some(_) => error,
            None => io::Error::new(io::ErrorKind::InvalidData, error),
        };
        self.0.read(buffer).map_err(of_data)
    }
}

/// Bytes of a text that are not UTF-8, although the user says that it is.
#[derive(Debug)]
pub(super) struct NotUtf8 {
    /// The line of the first of them.
    pub(super) line: u64,
}

impl fmt::Display for NotUtf8 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected UTF-8, found other bytes: {} names their encoding", option("encoding"))
    }
}

impl std::error::Error for NotUtf8 {}

/// The error for a failure to read: [`Error::Data`] for a damaged stream, [`Error::Io`] for failures of the system.
pub(super) fn read_error(name: &Path, error: io::Error) -> Error {
    if let Some(found) = error.get_ref().and_then(|inner| inner.downcast_ref::<NotUtf8>()) {
        return Error::data_at(name, Some(found.line), None, found.to_string());
    }
    match error.kind() {
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => Error::data(
            name,
            format!("the packed stream is damaged or cut short ({error}): unpack or fetch the file again"),
        ),
        io::ErrorKind::FileTooLarge => {
            let remedy = "if that is right, unpack it with gzip -d or zstd -d and give the unpacked file";
            Error::data(name, format!("{error}: {remedy}"))
        }
        _ => Error::io(name, error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn bytes_of(raw: Vec<u8>) -> Result<Vec<u8>> {
        Opened::from_reader("x".into(), Box::new(io::Cursor::new(raw)))?.into_bytes()
    }

    #[test]
    fn gzip_is_told_by_its_magic_bytes() {
        let long: Vec<u8> = (0..200_000u32).map(|i| i.wrapping_mul(i) as u8).collect();
        assert_eq!(bytes_of(long.clone()).unwrap(), long);
        assert_eq!(bytes_of(gzip(&long)).unwrap(), long);
        assert_eq!(bytes_of([gzip(b"a\n"), gzip(b"b\n")].concat()).unwrap(), b"a\nb\n", "members follow each other");
        let padded = [gzip(b"a\n"), vec![0; 512], gzip(b"b\n"), vec![0; 3]].concat();
        assert_eq!(bytes_of(padded).unwrap(), b"a\nb\n", "zeros are padding");
        assert!(bytes_of([gzip(b"a\n"), b"\0x".to_vec()].concat()).is_err(), "other bytes are not");
        assert_eq!(bytes_of(Vec::new()).unwrap(), b"");
        assert_eq!(bytes_of(vec![0x1f]).unwrap(), [0x1f]);
    }

    #[test]
    fn a_cut_gzip_stream_is_a_data_error() {
        let mut packed = gzip(&[7; 1000]);
        packed.truncate(packed.len() - 6);
        let error = bytes_of(packed).unwrap_err();
        assert!(matches!(error, Error::Data { .. }), "{error}");
        assert!(error.to_string().contains("damaged or cut short"), "{error}");
    }

    #[test]
    fn zstandard_is_told_by_its_magic_bytes() {
        let zstd = |bytes: &[u8]| zstd::stream::encode_all(bytes, 1).unwrap();
        let long: Vec<u8> = (0..200_000u32).map(|i| i.wrapping_mul(i) as u8).collect();
        assert_eq!(bytes_of(zstd(&long)).unwrap(), long);
        assert_eq!(bytes_of([zstd(b"a\n"), zstd(b"b\n")].concat()).unwrap(), b"a\nb\n", "frames follow each other");
        let mut packed = zstd(&long);
        packed.truncate(packed.len() / 2);
        let error = bytes_of(packed).unwrap_err();
        assert!(matches!(error, Error::Data { .. }) && error.to_string().contains("damaged or cut short"), "{error}");
        let mut packed = zstd(&long);
        packed[20] ^= 0x40;
        assert!(matches!(bytes_of(packed), Err(Error::Data { .. })));
    }

    #[test]
    fn a_missing_file_is_an_io_error_with_its_name() {
        let error = Opened::new(&Source::new("/no/such/file.csv")).err().expect("an error");
        assert!(matches!(error, Error::Io { .. }) && error.to_string().starts_with("/no/such/file.csv: "), "{error}");
    }
}

//! File names as text. Settings, configuration files and commands are UTF-8; file names need not be.
//!
//! A UTF-8 name that does not start with `file:` stands for itself. Any other name is written as `file:` followed by
//! its bytes, percent-encoded as in file URLs (RFC 8089, RFC 3986): `file:caf%E9.csv`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Prefix of an encoded name.
const SCHEME: &str = "file:";

/// A file name as text. [`to_path`] is the inverse.
pub fn to_text(path: &Path) -> String {
    match path.to_str() {
        Some(text) if !text.starts_with(SCHEME) => text.to_owned(),
        _ => encoded(path.as_os_str()),
    }
}

/// An argument of the command line as text. An argument `file:…` is taken as an encoded name.
pub fn of_argument(word: &OsStr) -> String {
    word.to_str().map_or_else(|| encoded(word), str::to_owned)
}

/// The file name for a text.
pub fn to_path(text: &str) -> PathBuf {
    text.strip_prefix(SCHEME).map_or_else(|| PathBuf::from(text), |rest| from_bytes(decoded(rest)))
}

fn encoded(name: &OsStr) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let write = |byte: &u8| if plain(*byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") };
    SCHEME.chars().map(String::from).chain(name.as_encoded_bytes().iter().map(write)).collect()
}

/// Decodes percent-encoded text. A `%` that two hexadecimal digits do not follow stands for itself.
fn decoded(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        let digits = behind.get(..2).filter(|_| *first == b'%').and_then(|d| std::str::from_utf8(d).ok());
        let byte = digits.filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit())).map(|d| u8::from_str_radix(d, 16));
        match byte {
            Some(Ok(byte)) => {
                bytes.push(byte);
                rest = &behind[2..];
            }
            _ => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    bytes
}

#[cfg(unix)]
fn from_bytes(bytes: Vec<u8>) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;
    std::ffi::OsString::from_vec(bytes).into()
}

#[cfg(not(unix))]
fn from_bytes(bytes: Vec<u8>) -> PathBuf {
    String::from_utf8_lossy(&bytes).into_owned().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back() {
        for text in ["runs/a b.csv", "ä%41.csv", "", "file:x", "file:%41"] {
            assert_eq!(to_path(&to_text(Path::new(text))), PathBuf::from(text), "{text}");
        }
        assert_eq!(to_text(Path::new("ä%41.csv")), "ä%41.csv");
        assert_eq!(to_path("file:100%.csv"), PathBuf::from("100%.csv"));
    }

    #[cfg(unix)]
    #[test]
    fn bytes_that_are_no_text_come_back() {
        let name = from_bytes(b"data/caf\xe9 1.csv".to_vec());
        assert_eq!(to_text(&name), "file:data/caf%E9%201.csv");
        assert_eq!(to_path(&to_text(&name)), name);
        assert_eq!(of_argument(name.as_os_str()), to_text(&name));
        assert_eq!(of_argument(OsStr::new("file:caf%E9.csv")), "file:caf%E9.csv");
    }
}

//! JSON Lines: one object in each line, with columns as keys. Numbers are kept as text, so all cells are parsed like
//! those of CSV.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::cell::brief;
use super::expansion::is_too_large;
use super::outline::Outline;
use super::source::read_error;
use super::table_source::{PendingRows, TableFile, TableSource};
use super::text_lines::TextLines;
use super::value::Value;
use crate::{Error, Result, Unit};

/// A whole file in memory.
pub(super) struct JsonLinesFile {
    path: PathBuf,
    bytes: Arc<[u8]>,
    outline: Arc<Outline>,
}

impl JsonLinesFile {
    /// Determines the columns: the keys of all lines.
    ///
    /// # Errors
    /// [`Error::Data`] with the number of a line that is not an object, and for so many keys that most cells would be
    /// missing.
    pub(super) fn new(path: &Path, bytes: Vec<u8>) -> Result<Self> {
        let names = keys_of(path, &bytes)?;
        if names.is_empty() {
            return Err(Error::data(path, "expected lines of JSON objects with a key for each column, found none"));
        }
        let lines = memchr::memchr_iter(b'\n', &bytes).count() as u64 + 1;
        if is_too_large((lines, names.len() as u64), bytes.len() as u64) {
            let message = format!("{lines} lines of {} different keys would be missing almost everywhere", names.len());
            return Err(Error::data(path, message + ": write lines with the same keys"));
        }
        let outline = Arc::new(Outline::named(names, Unit::Line));
        Ok(Self { path: path.to_path_buf(), bytes: bytes.into(), outline })
    }
}

impl TableFile for JsonLinesFile {
    fn open(&self) -> Result<Box<dyn TableSource>> {
        let bytes = std::io::Cursor::new(Arc::clone(&self.bytes));
        Ok(Box::new(JsonLines::new(&self.path, Arc::clone(&self.outline), bytes)))
    }

    fn likely_rows(&self) -> usize {
        memchr::memchr_iter(b'\n', &self.bytes).count() + 1
    }
}

/// The keys of the objects in some lines, in order of first appearance. Keys that the first object lacks are inserted
/// before its last one: the last column is the default label, which an optional key should not become.
///
/// # Errors
/// [`Error::Data`] with the number of a line that is not an object.
pub(super) fn keys_of(path: &Path, text: &[u8]) -> Result<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    let mut places = HashMap::new();
    let mut of_first = 0;
    let mut lines = TextLines::new(text);
    while let Some((number, line)) = lines.next_line().map_err(|e| read_error(path, e))? {
        for (at, (key, _)) in object(path, number, line)?.0.iter().enumerate() {
            if names.get(at).is_none_or(|name| name != key) && !places.contains_key(key.as_ref()) {
                places.insert(key.clone().into_owned(), ());
                names.push(key.clone().into_owned());
            }
        }
        of_first = if of_first == 0 { names.len() } else { of_first };
    }
    if of_first > 0 {
        names[of_first - 1..].rotate_left(1);
    }
    Ok(names)
}

/// The objects of a text.
pub(super) struct JsonLines<R> {
    path: PathBuf,
    outline: Arc<Outline>,
    places: HashMap<String, usize>,
    lines: TextLines<R>,
}

impl<R: BufRead> JsonLines<R> {
    /// Reads objects with these columns; other keys are ignored.
    pub(super) fn new(path: &Path, outline: Arc<Outline>, text: R) -> Self {
        let places = outline.names.iter().enumerate().map(|(place, name)| (name.clone(), place)).collect();
        Self { path: path.to_path_buf(), outline, places, lines: TextLines::new(text) }
    }
}

impl<R: BufRead + Send> TableSource for JsonLines<R> {
    fn path(&self) -> &Path {
        &self.path
    }

    fn outline(&self) -> &Outline {
        &self.outline
    }

    fn read(&mut self, most: usize, batch: &mut PendingRows<'_>) -> Result<()> {
        let Self { path, outline, places, lines } = self;
        while batch.lines.len() < most
            && let Some((number, line)) = lines.next_line().map_err(|e| read_error(path, e))?
        {
            let Object(pairs) = object(path, number, line)?;
            let mut cells: Vec<Option<JsonCell<'_>>> = vec![None; outline.names.len()];
            for (at, (key, value)) in pairs.into_iter().enumerate() {
                // Most lines have the same keys in the same order.
                let usual = outline.names.get(at).is_some_and(|name| *name == key);
                let Some(place) = usual.then_some(at).or_else(|| places.get(key.as_ref()).copied()) else { continue };
                let wrong = |what: &str| Err(Error::data_at(&*path, Some(number), Some(&key), what));
                if cells[place].is_some() {
                    return wrong("the key occurs twice in this line");
                }
                let is_text = value.get().starts_with('"');
                match cell(value) {
                    Some(cell) => cells[place] = Some(cell),
                    None if is_text => {
                        return wrong("the text has an escape that is no character, such as half a pair");
                    }
                    None => {
                        return wrong(
                            "expected a number, a text, true, false or null, found a nested value: flatten it",
                        );
                    }
                }
            }
            let line = u32::try_from(number).unwrap_or(u32::MAX);
            batch.push_row(line, |place| cells[place].as_ref().map_or(Value::Missing, JsonCell::value));
        }
        Ok(())
    }
}

/// A value that is not nested.
#[derive(Clone)]
enum JsonCell<'a> {
    Null,
    /// A number as written.
    Number(&'a str),
    /// A text, or `true` or `false`.
    Text(Cow<'a, str>),
}

impl JsonCell<'_> {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Missing,
            Self::Number(digits) => Value::Digits(digits),
            Self::Text(text) => Value::Text(text),
        }
    }
}

/// The cell of a value; `None` if it is nested, or if its text cannot be decoded.
fn cell(value: &RawValue) -> Option<JsonCell<'_>> {
    let text = value.get();
    match text.as_bytes().first() {
        Some(b'{' | b'[') => None,
        Some(b'n') => Some(JsonCell::Null),
        Some(b't' | b'f') => Some(JsonCell::Text(Cow::Borrowed(text))),
        Some(b'"') => match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
            Some(plain) if !plain.contains('\\') => Some(JsonCell::Text(Cow::Borrowed(plain))),
            _ => serde_json::from_str(text).ok().map(|text| JsonCell::Text(Cow::Owned(text))),
        },
        _ => Some(JsonCell::Number(text)),
    }
}

/// A JSON object whose values are not parsed yet.
struct Object<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

/// A key, borrowed from the line if it has no escapes.
#[derive(serde::Deserialize)]
struct FieldName<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object, {\"column\": value, …}")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some((FieldName(key), value)) = map.next_entry::<FieldName<'de>, &'de RawValue>()? {
                    pairs.push((key, value));
                }
                Ok(Object(pairs))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

fn object<'a>(path: &Path, number: u64, line: &'a [u8]) -> Result<Object<'a>> {
    serde_json::from_slice(line).map_err(|error| {
        let (text, start) = (error.to_string(), String::from_utf8_lossy(line));
        let what = text.split(" at line ").next().unwrap_or(&text);
        let at = line.get(error.column().saturating_sub(1)..).unwrap_or_default();
        let words: [&[u8]; 3] = [b"N", b"I", b"-I"];
        let hint = match words.iter().any(|word| at.starts_with(word)) {
            true => ": NaN and Infinity are no JSON; write null",
            false => "",
        };
        let message = format!(
            "expected one JSON object, found \"{}\": {what} (character {}){hint}",
            brief(&start),
            error.column()
        );
        Error::data_at(path, Some(number), None, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_in_order_of_first_appearance_with_the_last_of_the_first_line_last() {
        let text = b"{}\n{\"b\":1,\"a\":2}\n\n{\"a\":3,\"c\\u0064\":\"x\"}\n{\"e\":1}";
        assert_eq!(keys_of(Path::new("x"), text).unwrap(), ["b", "cd", "e", "a"]);
    }

    #[test]
    fn lines_with_ever_new_keys_are_refused() {
        let text =
            |keys: usize| (0..5000).map(|n| format!("{{\"k{}\":1}}\n", n % keys)).collect::<String>().into_bytes();
        assert!(JsonLinesFile::new(Path::new("x"), text(100)).is_ok());
        let error = JsonLinesFile::new(Path::new("x"), text(5000)).err().expect("an error").to_string();
        assert!(error.contains("5001 lines of 5000 different keys would be missing almost everywhere"), "{error}");
    }

    #[test]
    fn lines_that_are_not_objects_are_reported_with_their_number() {
        for (text, found) in [
            ("{\"a\":1}\n[1]\n", "x:2: expected one JSON object, found \"[1]\": invalid type: sequence"),
            (
                "{\"a\":1}\n{\"a\":}\n",
                "x:2: expected one JSON object, found \"{\"a\":}\": expected value (character 6)",
            ),
            (
                "{\"a\":NaN}\n",
                "x:1: expected one JSON object, found \"{\"a\":NaN}\": expected value (character 6): NaN and Infinity are no JSON",
            ),
            ("{\"a\":1} {\"a\":2}\n", "x:1: expected one JSON object"),
        ] {
            let error = keys_of(Path::new("x"), text.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with(found), "{error}");
        }
    }
}

//! What format a file has: told by its content, else by its name, unless the user says it.

use std::path::Path;

use super::options::{Format, Header, ReadOptions};
use super::pack::begins_pack;
use super::source::{Opened, Source};
use crate::{Error, Result};

/// Lines of a text that are looked at.
const LINES: usize = 5;

/// First bytes of formats that have such.
const MAGIC: [(&[u8], Format); 3] =
    [(b"PAR1", Format::Parquet), (b"\x93NUMPY", Format::Npy), (b"PK\x05\x06", Format::Npz)];

/// Ends of file names.
const NAMES: [(&[&str], Format); 7] = [
    (&[".tsv", ".tab"], Format::Tsv),
    (&[".jsonl", ".ndjson"], Format::Jsonl),
    (&[".parquet", ".pq"], Format::Parquet),
    (&[".npy"], Format::Npy),
    (&[".npz"], Format::Npz),
    (&[".pack"], Format::Pack),
    (&[".libsvm", ".svmlight", ".svm"], Format::Libsvm),
];

/// The format of an opened file: what the user says, else what its first bytes say, else what its name says, else CSV.
pub(super) fn format_of(source: &Source, opened: &Opened, options: &ReadOptions) -> Format {
    let head = opened.head().0;
    match options.format {
        Format::Auto => of_content(head).or_else(|| of_name(source)).unwrap_or(Format::Csv),
        asked => asked,
    }
}

fn of_content(head: &[u8]) -> Option<Format> {
    let magic = MAGIC.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, format)| *format);
    let otherwise = || match () {
        () if begins_pack(head) => Some(Format::Pack),
        () if super::idx::is_idx(head) => Some(Format::Idx),
        () if holds_arrays(head) => Some(Format::Npz),
        () if is_json_lines(head) => Some(Format::Jsonl),
        () if is_libsvm(head) => Some(Format::Libsvm),
        () => None,
    };
    magic.or_else(otherwise)
}

/// Whether the first bytes are those of another format than delimited text.
pub(super) fn content_says_other(head: &[u8]) -> bool {
    of_content(head).is_some()
}

/// What the name of a file says.
pub(super) fn of_name(source: &Source) -> Option<Format> {
    let name = source.name().to_string_lossy().to_lowercase();
    let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
    let ends = |(ends, _): &&(&[&str], Format)| ends.iter().any(|end| name.ends_with(end));
    NAMES.iter().find(ends).map(|(_, format)| *format)
}

/// Whether a ZIP archive begins with an array of NumPy; spreadsheets are ZIP archives too.
fn holds_arrays(head: &[u8]) -> bool {
    let length = |at: usize| head.get(at..at + 2).map_or(0, |bytes| usize::from(bytes[0]) | usize::from(bytes[1]) << 8);
    let name = head.get(30..30 + length(26));
    head.starts_with(b"PK\x03\x04") && name.is_some_and(|name| name.ends_with(b".npy"))
}

/// Whether the first line is, or may go on as, an object of JSON.
pub(super) fn is_json_lines(head: &[u8]) -> bool {
    let start = head.strip_prefix(super::header::BOM).unwrap_or(head).trim_ascii_start();
    let mut lines = start.splitn(2, |byte| *byte == b'\n');
    let line = lines.next().unwrap_or_default().trim_ascii();
    let whole = lines.next().is_none() || line.ends_with(b"}");
    let begins = line.strip_prefix(b"{").map(<[u8]>::trim_ascii_start);
    whole && begins.is_some_and(|rest| rest.starts_with(b"\"") || rest == b"}")
}

/// Whether the first lines are `label index:value …`.
pub(super) fn is_libsvm(head: &[u8]) -> bool {
    let is_pair = |word: &[u8]| {
        let at = word.iter().position(|byte| *byte == b':');
        at.is_some_and(|at| {
            at > 0 && (word[..at].iter().all(u8::is_ascii_digit) || &word[..at] == b"qid") && at + 1 < word.len()
        })
    };
    let without_comment = |line: &'_ [u8]| line.iter().position(|byte| *byte == b'#').unwrap_or(line.len());
    let is_row = |line: &[u8]| {
        let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let label = words.next().is_some_and(|word| word.iter().all(|b| b.is_ascii_digit() || b"+-.,eE".contains(b)));
        label && words.all(is_pair)
    };
    let lines = head.split(|byte| *byte == b'\n').map(|line| line[..without_comment(line)].trim_ascii());
    let lines: Vec<&[u8]> = lines.filter(|line| !line.is_empty()).take(LINES).collect();
    lines.iter().any(|line| line.contains(&b':')) && lines.iter().all(|line| is_row(line)) && !are_times(&lines)
}

/// Whether every word with a colon is a time of day, `hh:mm`, and lines have equally many words: a delimited text, not indices.
fn are_times(lines: &[&[u8]]) -> bool {
    let words = |line: &'_ [u8]| line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).count();
    let pairs = lines.iter().flat_map(|line| line.split(u8::is_ascii_whitespace)).filter(|word| word.contains(&b':'));
    let is_time = |word: &[u8]| match word {
        [h @ b'0'..=b'2', o @ b'0'..=b'9', b':', b'0'..=b'5', b'0'..=b'9'] => (*h, *o) < (b'2', b'4'),
        _ => false,
    };
    lines.windows(2).all(|pair| words(pair[0]) == words(pair[1])) && pairs.into_iter().all(is_time)
}

/// Refuses options that are about other formats.
///
/// # Errors
/// [`Error::Mismatch`] of the option.
pub(super) fn refuse_misfits(path: &Path, format: Format, options: &ReadOptions) -> Result<()> {
    let delimited = matches!(format, Format::Csv | Format::Tsv | Format::Auto);
    let text = delimited || matches!(format, Format::Jsonl | Format::Libsvm);
    // A configuration that a run on CSV has written says `header = "yes"`, which is true of other formats with names too.
    let named = options.header == Header::Yes && matches!(format, Format::Jsonl | Format::Parquet | Format::Npz);
    let given = [
        ("delimiter", options.delimiter.is_some(), delimited),
        ("quote", options.quote.is_some(), delimited),
        ("comment", options.comment.is_some(), delimited),
        ("header", options.header != Header::Auto, delimited || named),
        ("encoding", options.encoding.is_some(), text),
    ];
    match given.iter().find(|(_, given, fits)| *given && !fits) {
        None => Ok(()),
        Some((option, ..)) => {
            let (name, of) = (path.display(), if *option == "encoding" { "text" } else { "CSV and TSV" });
            let message = format!("it is for {of}, and {name} is a file of format {format}: leave it out");
            Err(Error::Mismatch(message).of(option))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_tells() {
        let zip = |name: &str| {
            let mut head = b"PK\x03\x04".to_vec();
            head.resize(26, 0);
            head.extend([name.len() as u8, 0, 0, 0]);
            head.extend(name.as_bytes());
            head
        };
        for (head, format) in [
            (b"PAR1...".to_vec(), Some(Format::Parquet)),
            (b"\x93NUMPY\x01\0".to_vec(), Some(Format::Npy)),
            (zip("X.npy"), Some(Format::Npz)),
            (zip("[Content_Types].xml"), None),
            (b"\0\0\x08\x03".to_vec(), Some(Format::Idx)),
            (b"\0\x01\0\0\0\0\0\0{\"__metadata__\":{\"gradlane.pack\":\"".to_vec(), Some(Format::Pack)),
            (b"\0\x01\0\0\0\0\0\0{\"__metadata__\":{\"gradlane\":\"".to_vec(), None),
            (b"{\"a\": 1}\n{\"a\": 2}\n".to_vec(), Some(Format::Jsonl)),
            (b"\xef\xbb\xbf{ \"a\": 1 }".to_vec(), Some(Format::Jsonl)),
            (b"{\n  \"a\": 1\n}\n".to_vec(), None),
            (b"{\"a\"},x\n1,2\n".to_vec(), None),
            (b"+1 1:0.5 7:1\n-1 2:0.25 # no\n".to_vec(), Some(Format::Libsvm)),
            (b"1 qid:3 1:0.5\n".to_vec(), Some(Format::Libsvm)),
            (b"1\n2\n3\n".to_vec(), None),
            (b"10:30 1:2\n".to_vec(), None),
            (b"a,b\n1,2\n".to_vec(), None),
        ] {
            assert_eq!(of_content(&head), format, "{:?}", String::from_utf8_lossy(&head));
        }
    }

    #[test]
    fn names_tell_where_content_does_not() {
        for (name, format) in
            [("a.TSV.gz", Some(Format::Tsv)), ("a.ndjson.zst", Some(Format::Jsonl)), ("a.csv", None), ("-", None)]
        {
            assert_eq!(of_name(&Source::new(name)), format, "{name}");
        }
    }
}

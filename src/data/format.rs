//! Detects the format of a file, from its content or its name, unless the user specified it.

use std::path::Path;

use super::options::{Format, Header, ReadOptions};
use super::pack::begins_pack;
use super::source::{Opened, Source};
use crate::{Error, Result};

/// Number of lines of a text that are examined.
const LINES: usize = 5;

/// Signatures at the start of files.
const MAGIC: [(&[u8], Format); 3] =
    [(b"PAR1", Format::Parquet), (b"\x93NUMPY", Format::Npy), (b"PK\x05\x06", Format::Npz)];

/// Suffixes of file names.
const NAMES: [(&[&str], Format); 7] = [
    (&[".tsv", ".tab"], Format::Tsv),
    (&[".jsonl", ".ndjson"], Format::Jsonl),
    (&[".parquet", ".pq"], Format::Parquet),
    (&[".npy"], Format::Npy),
    (&[".npz"], Format::Npz),
    (&[".pack"], Format::Pack),
    (&[".libsvm", ".svmlight", ".svm"], Format::Libsvm),
];

/// The format of an opened file: what the user specified, or what its content or else its name indicates, or CSV.
pub(super) fn format_of(source: &Source, opened: &Opened, options: &ReadOptions) -> Format {
    let head = opened.head().0;
    match options.format {
        Format::Auto => match (of_content(head), of_name(source)) {
            // A text of numbers and tabs may look like indices with values.
            (Some(Format::Libsvm), Some(Format::Tsv)) => Format::Tsv,
            // The first lines are left out, so they say nothing about the others.
            (Some(Format::Libsvm | Format::Jsonl), name) if !options.skip_lines.is_none() => {
                name.unwrap_or(Format::Csv)
            }
            (content, name) => content.or(name).unwrap_or(Format::Csv),
        },
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

/// Whether the content is of another format than delimited text.
pub(super) fn content_says_other(head: &[u8]) -> bool {
    of_content(head).is_some()
}

/// The format that the name of a file indicates.
pub(super) fn of_name(source: &Source) -> Option<Format> {
    let name = source.name().to_string_lossy().to_lowercase();
    let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
    let ends = |(ends, _): &&(&[&str], Format)| ends.iter().any(|end| name.ends_with(end));
    NAMES.iter().find(ends).map(|(_, format)| *format)
}

/// Whether a ZIP archive starts with a NumPy array. Spreadsheets are ZIP archives too.
fn holds_arrays(head: &[u8]) -> bool {
    let length = |at: usize| head.get(at..at + 2).map_or(0, |bytes| usize::from(bytes[0]) | usize::from(bytes[1]) << 8);
    let name = head.get(30..30 + length(26));
    head.starts_with(b"PK\x03\x04") && name.is_some_and(|name| name.ends_with(b".npy"))
}

/// Whether the first line is a JSON object, or the start of one that is cut off.
pub(super) fn is_json_lines(head: &[u8]) -> bool {
    let start = head.strip_prefix(super::header::BOM).unwrap_or(head).trim_ascii_start();
    let mut lines = start.splitn(2, |byte| *byte == b'\n');
    let line = lines.next().unwrap_or_default().trim_ascii();
    let whole = lines.next().is_none() || line.ends_with(b"}");
    let begins = line.strip_prefix(b"{").map(<[u8]>::trim_ascii_start);
    whole && begins.is_some_and(|rest| rest.starts_with(b"\"") || rest == b"}")
}

/// Whether the first lines are `label index:value …`: numbers, with integer indices that increase within each line.
pub(super) fn is_libsvm(head: &[u8]) -> bool {
    let without_comment = |line: &'_ [u8]| line.iter().position(|byte| *byte == b'#').unwrap_or(line.len());
    // The last line may be incomplete.
    let end = if head.contains(&b'\n') { memchr::memrchr(b'\n', head).unwrap_or(head.len()) } else { head.len() };
    let lines = head[..end].split(|byte| *byte == b'\n').map(|line| line[..without_comment(line)].trim_ascii());
    let lines: Option<Vec<&str>> =
        lines.filter(|line| !line.is_empty()).take(LINES).map(|line| std::str::from_utf8(line).ok()).collect();
    let Some(lines) = lines else { return false };
    lines.iter().any(|line| line.contains(':')) && lines.iter().all(|line| is_libsvm_row(line)) && !are_times(&lines)
}

/// Whether a line is one label, or several separated by commas, followed by indices with values.
fn is_libsvm_row(line: &str) -> bool {
    let mut words = line.split_ascii_whitespace().peekable();
    let is_number = |text: &str| text.parse::<f64>().is_ok();
    let label = words.next().is_some_and(|word| word.split(',').all(is_number));
    words.next_if(|word| word.strip_prefix("qid:").is_some_and(is_number));
    let mut last = None;
    let mut rises = |index: u64| last.replace(index).is_none_or(|before| index > before);
    let mut is_pair = |word: &str| {
        let Some((index, value)) = word.split_once(':') else { return false };
        let digits = !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit());
        digits && is_number(value) && index.parse().is_ok_and(&mut rises)
    };
    label && words.all(&mut is_pair)
}

/// Whether all words with a colon are times of day, `h:mm`, and all lines have the same number of words. Then the text
/// is delimited, not LIBSVM.
fn are_times(lines: &[&str]) -> bool {
    let words = |line: &str| line.split_ascii_whitespace().count();
    let mut pairs = lines.iter().flat_map(|line| line.split_ascii_whitespace()).filter(|word| word.contains(':'));
    let is_time = |word: &str| {
        let (hour, minute) = word.split_once(':').unwrap_or_default();
        let below = |text: &str, limit: u32| text.parse::<u32>().is_ok_and(|number| number < limit);
        hour.len() <= 2 && below(hour, 24) && minute.len() == 2 && below(minute, 60)
    };
    lines.windows(2).all(|pair| words(pair[0]) == words(pair[1])) && pairs.all(is_time)
}

/// Refuses options that do not apply to the format.
///
/// # Errors
/// [`Error::Option`] for such an option.
pub(super) fn refuse_misfits(path: &Path, format: Format, options: &ReadOptions) -> Result<()> {
    let delimited = matches!(format, Format::Csv | Format::Tsv | Format::Auto);
    let text = delimited || matches!(format, Format::Jsonl | Format::Libsvm);
    // The configuration written by a run on CSV says `header = "yes"`, which also holds for other formats with names.
    let named = options.header == Header::Yes && matches!(format, Format::Jsonl | Format::Parquet | Format::Npz);
    let given = [
        ("delimiter", options.delimiter.is_some(), delimited),
        ("quote", options.quote.is_some(), delimited),
        ("comment", options.comment.is_some(), delimited),
        ("skip_lines", !options.skip_lines.is_none(), delimited),
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
            (b"2020-01-01 10:10:00,10.5,a\n2020-01-01 10:11:00,11.5,a\n".to_vec(), None),
            (b"1\t1:11\t10:11\n2\t2:12\t11:12\n".to_vec(), None),
            (b"1 3:0.5 2:1\n".to_vec(), None),
            (b"1 2:ab\n".to_vec(), None),
            (b"1,4 2:0.5\n2 1:1\n".to_vec(), Some(Format::Libsvm)),
            (b"a,b\n1,2\n".to_vec(), None),
        ] {
            assert_eq!(of_content(&head), format, "{:?}", String::from_utf8_lossy(&head));
        }
    }

    #[test]
    fn the_name_decides_between_tabs_and_libsvm() {
        let opened = |name: &str| {
            let text = std::io::Cursor::new("1\t1:1\t2:15\n0\t2:3\t4:5\n");
            Opened::from_reader(name.into(), Box::new(text)).unwrap()
        };
        let of = |name: &str, options: &ReadOptions| format_of(&Source::new(name), &opened(name), options);
        assert_eq!(of("a.tsv", &ReadOptions::default()), Format::Tsv);
        assert_eq!(of("a.txt", &ReadOptions::default()), Format::Libsvm);
        assert_eq!(of("a.txt", &ReadOptions { format: Format::Csv, ..Default::default() }), Format::Csv);
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

//! The layout of a delimited file: its dialect, whether it has a header, and the names of its columns.

use std::path::Path;

use super::aligned::Aligned;
use super::cell::parse_number;
use super::dialect::{self, TextDialect};
use super::first_line::FirstLine;
use super::format::{is_json_lines, is_libsvm};
use super::header;
use super::options::{Format, Header, ReadOptions};
use super::outline::Outline;
use super::padding::{Blanks, Padding};
use super::text::Text;
use super::written::{Delimiter, Quote};
use crate::option_text::{option, setting};
use crate::{Error, Result, Unit, Warning, WarningKind};

/// Upper limit of the head's length. The head grows until it contains a complete record below the first.
const LONGEST_HEAD: usize = 1 << 28;

/// Layout of a delimited file.
#[derive(Debug, Clone, PartialEq)]
pub struct FileLayout {
    /// Names of the columns.
    pub outline: Outline,
    /// The dialect.
    pub dialect: TextDialect,
    /// The line of the file on which the text starts, counted from 1: lines above it are left out as the user asked.
    pub first_line: u64,
    /// Number of lines above the header that are left out: comments with as many cells as the rows, or titles.
    pub lines_above: usize,
    /// Cells of the first line. There may be one fewer than columns.
    pub first: Vec<String>,
    /// Whether decimal commas may explain a missing name: rows such as `1,5,3` below `x,y`.
    pub has_doubtful_commas: bool,
    /// Whether lines that look like comments are rows, unless the user specified a comment sign.
    pub keeps_comments: bool,
}

impl FileLayout {
    /// Detects the layout from the first bytes of a text. What `options` specify is not detected.
    ///
    /// # Errors
    /// As [`FileLayout::of`], and those of reading the file.
    pub(super) fn find(text: &mut Text, options: &ReadOptions) -> Result<Self> {
        let mut found = Self::detect(text, options)?;
        found.outline.notes.splice(0..0, text.skipped().map(str::to_owned));
        Ok(found)
    }

    fn detect(text: &mut Text, options: &ReadOptions) -> Result<Self> {
        while !text.head().1 && text.head().0.len() < LONGEST_HEAD && !holds_two_lines(text.head().0) {
            text.grow()?;
        }
        let (head, complete) = text.head();
        let found = Self::of(text.name(), head, complete, options);
        let (found_layout, asked) = (found.as_ref().ok(), options.delimiter);
        let Some((blanks, options)) = before_quotes(head, complete, options, found_layout)
            .map(|padding| (Blanks::BeforeQuotes(padding), options.clone()))
            .or_else(|| aligned(head, complete, options, found_layout))
        else {
            return found;
        };
        let mut found = Self::of(text.name(), &blanks.changed(head), complete, &options)?;
        if matches!(blanks, Blanks::Aligned(_)) && asked.is_none() {
            let remedy = option("delimiter");
            let note = format!("delimiter: blanks, as many as line up the columns ({remedy} changes it)");
            found.outline.notes.insert(0, note);
        }
        text.change(blanks);
        Ok(found)
    }

    /// The layout of an empty file that is expected to have these columns.
    pub(super) fn of_nothing(names: &[String]) -> Self {
        let outline = Outline { delimited: true, ..Outline::named(names.to_vec(), Unit::Line) };
        Self {
            outline,
            dialect: TextDialect::plain(b','),
            first_line: 1,
            lines_above: 0,
            first: names.to_vec(),
            has_doubtful_commas: false,
            keeps_comments: true,
        }
    }

    fn is_even(&self, head: &[u8], complete: bool) -> bool {
        dialect::is_even(&self.dialect.sample(head, complete))
    }

    /// Detects the layout from the first bytes of a text.
    ///
    /// # Errors
    /// [`Error::Data`] for an empty file, for other kinds of text, and if two layouts are about equally likely.
    pub fn of(path: &Path, head: &[u8], complete: bool, options: &ReadOptions) -> Result<Self> {
        let mut warnings = Vec::new();
        refuse_other_texts(path, head, options)?;
        let dialect = dialect::find(path, head, complete, options, &mut warnings)?;
        let mut sample = dialect.sample(head, complete);
        let mut lines_above = comments_above(&sample, options);
        if lines_above == 0 {
            lines_above = titles_above(&sample, options);
            warnings.extend(sample[..lines_above].first().map(|title| left_out(title, lines_above)));
        }
        sample.drain(..lines_above);
        let Some(first) = sample.first() else {
            return Err(Error::data(path, nothing_to_read(path)));
        };
        let mut notes = dialect_notes(dialect, options);
        let header = is_header(path, &sample, options, &mut notes)?;
        let mut names = if header { header::names(path, first, &mut warnings) } else { header::generated(first.len()) };
        let unnamed = unnamed_column(&sample).filter(|_| header);
        let has_doubtful_commas =
            matches!(unnamed, Some(Unnamed::First)) && may_have_decimal_commas(&sample[1..], dialect, head);
        match unnamed {
            Some(Unnamed::First) => {
                names.insert(0, free_name(0, &names));
                let first = &names[0];
                notes.push(format!("header: one name less than columns, so the first column is {first} (row names)"));
                warnings.extend(has_doubtful_commas.then(|| doubtful_commas(path, &sample)));
            }
            Some(Unnamed::Last) => {
                names.push(free_name(names.len(), &names));
                let last = &names[names.len() - 1];
                notes.push(format!("header: rows end with a delimiter, so the last column is {last}, which is empty"));
            }
            None => {}
        }
        let nameless = if header { nameless(first, names.len(), unnamed) } else { (0..names.len()).collect() };
        let first = first.iter().map(|cell| header::text_of(cell).trim().to_owned()).collect();
        let outline =
            Outline { named: header, nameless, delimited: true, notes, warnings, ..Outline::named(names, Unit::Line) };
        let first_line = options.skip_lines.0 as u64 + 1;
        Ok(Self { outline, dialect, first_line, lines_above, first, has_doubtful_commas, keeps_comments: false })
    }
}

/// Whether the first line is a header. Adds a note if that is not obvious.
fn is_header(path: &Path, sample: &[csv::ByteRecord], options: &ReadOptions, notes: &mut Vec<String>) -> Result<bool> {
    let found = match options.header {
        Header::Yes => FirstLine::Names,
        Header::No => FirstLine::Data,
        Header::Auto => FirstLine::of(sample, &options.missing),
    };
    let why = match found {
        FirstLine::Either => return Err(header::ambiguous(path, options.skip_lines.0 as u64 + 1, sample)),
        FirstLine::Names => return Ok(true),
        FirstLine::Data => {
            notes.push(format!("header: none, columns are c0, c1, … ({} changes it)", setting("header", "yes")));
            return Ok(false);
        }
        FirstLine::Likely(why) => why,
        FirstLine::Unknown => "as nothing tells",
    };
    notes.push(format!("header: the first line, {why} ({} if it is data)", setting("header", "no")));
    Ok(true)
}

/// The error message for a text without lines. A pipe, which can be read only once, is empty when it is read again.
fn nothing_to_read(path: &Path) -> &'static str {
    match std::fs::metadata(path) {
        Ok(found) if !found.is_file() => {
            "there is nothing to read: data that is read more than once cannot come from a pipe; save it to a file first"
        }
        _ => "the file is empty: expected rows of delimited columns",
    }
}

/// A filter for blanks before quotes, if the rows have equal widths only with this filter.
fn before_quotes(head: &[u8], complete: bool, options: &ReadOptions, found: Option<&FileLayout>) -> Option<Padding> {
    let candidates = match (options.delimiter, found) {
        (Some(delimiter), _) => vec![delimiter.0],
        (None, Some(found)) if !found.is_even(head, complete) => vec![b',', b';', b'\t', b'|'],
        (None, Some(found)) => vec![found.dialect.delimiter],
        (None, None) => vec![b',', b';', b'\t', b'|'],
    };
    let Quote::Byte(quote) = options.quote.unwrap_or(Quote::Byte(b'"')) else { return None };
    candidates.into_iter().filter(|delimiter| Padding::occurs(head, *delimiter, quote)).find_map(|delimiter| {
        let padding = Padding::new(delimiter, quote);
        let even = |head: &[u8]| dialect::is_even(&TextDialect::plain(delimiter).sample(head, complete));
        even(&Blanks::BeforeQuotes(padding.clone()).changed(head)).then_some(padding)
    })
}

/// A filter for text with columns aligned by blanks, and options for reading the result. It is used if the user
/// specified a space as delimiter. It is also used if no other delimiter fits, and blanks separate all lines into
/// equally many cells with more number columns than otherwise.
fn aligned(
    head: &[u8],
    complete: bool,
    options: &ReadOptions,
    found: Option<&FileLayout>,
) -> Option<(Blanks, ReadOptions)> {
    let asked = options.delimiter.map(|delimiter| delimiter.0);
    let open = asked.is_none() && found.is_some_and(|f| f.outline.names.len() == 1 || f.dialect.delimiter == b'\t');
    if !(asked == Some(b' ') || open) || !Aligned::occurs(head) {
        return None;
    }
    let quote = match options.quote {
        Some(Quote::None) => None,
        Some(Quote::Byte(quote)) => Some(quote),
        None => Some(b'"'),
    };
    let blanks = Blanks::Aligned(Aligned::new(quote));
    let records = TextDialect::plain(b' ').sample(&blanks.changed(head), complete);
    let with_numbers = |dialect: TextDialect, head: &[u8]| dialect::number_columns(&dialect.sample(head, complete));
    let parts = || {
        let before = found.map_or(0, |f| with_numbers(f.dialect, head));
        let below = records.get(1..).unwrap_or_default();
        // R omits the name of the column of row names.
        let starts_right = |width: usize| matches!(records[0].len(), first if first == width || first + 1 == width);
        let even = below.first().is_some_and(|row| row.len() > 1 && starts_right(row.len())) && dialect::is_even(below);
        even && dialect::number_columns(&records) > before
    };
    let spaces = ReadOptions { delimiter: Some(Delimiter(b' ')), ..options.clone() };
    (asked.is_some() || parts()).then_some((blanks, spaces))
}

/// Whether the head contains a line below the first. Newlines in quotes count too; an approximate answer is sufficient.
fn holds_two_lines(head: &[u8]) -> bool {
    memchr::memchr_iter(b'\n', head.trim_ascii_start()).nth(1).is_some()
}

/// Number of comments with as many cells as the rows: lines that start with `#` above a header.
fn comments_above(sample: &[csv::ByteRecord], options: &ReadOptions) -> usize {
    let begun = |record: &&csv::ByteRecord| record.get(0).is_some_and(|cell| cell.starts_with(b"#"));
    let comments = sample.iter().take_while(begun).count();
    let named = || FirstLine::of(&sample[comments..], &options.missing).is_names();
    if comments > 0 && comments < sample.len() && options.header == Header::Auto && named() { comments } else { 0 }
}

/// Number of title lines, which a spreadsheet pads to the width of the table: lines with at most one non-empty cell,
/// above a line with a name in each cell.
fn titles_above(sample: &[csv::ByteRecord], options: &ReadOptions) -> usize {
    let filled = |record: &csv::ByteRecord| record.iter().filter(|cell| !cell.trim_ascii().is_empty()).count();
    let titles = sample.iter().take_while(|record| record.len() > 2 && filled(record) <= 1).count();
    let is_header = |line: &csv::ByteRecord| filled(line) == line.len();
    let named = || FirstLine::of(&sample[titles..], &options.missing).is_names();
    let found = options.header == Header::Auto && sample.get(titles).is_some_and(is_header) && named();
    if found { titles } else { 0 }
}

fn left_out(title: &csv::ByteRecord, lines: usize) -> Warning {
    let text = title.iter().map(String::from_utf8_lossy).find(|cell| !cell.trim().is_empty()).unwrap_or_default();
    let what = if lines == 1 { "1 line stands above the one" } else { &format!("{lines} lines stand above the one") };
    let (are, text) = (if lines == 1 { "is" } else { "are" }, text.trim());
    let message = format!(
        "{what} that names the columns, and {are} left out: \"{text}\" ({} takes the first line for the names)",
        setting("header", "yes")
    );
    Warning::new(WarningKind::LinesAbove, message).count(lines)
}

/// The columns without a name, given the header, the number of columns and which of them the header does not have.
fn nameless(first: &csv::ByteRecord, columns: usize, unnamed: Option<Unnamed>) -> Vec<usize> {
    let before = usize::from(matches!(unnamed, Some(Unnamed::First)));
    let empty = |column: &usize| match column.checked_sub(before) {
        Some(at) => first.get(at).is_none_or(|cell| cell.trim_ascii().is_empty()),
        None => true,
    };
    (0..columns).filter(empty).collect()
}

/// The column without a name, if the header has one name less than there are columns.
#[derive(Debug, Clone, Copy)]
enum Unnamed {
    /// The first: R omits the name of the column of row names.
    First,
    /// The last: rows that end with a delimiter have an empty cell after it.
    Last,
}

fn unnamed_column(sample: &[csv::ByteRecord]) -> Option<Unnamed> {
    let (first, below) = sample.split_first()?;
    let longer = !below.is_empty() && below.iter().all(|record| record.len() == first.len() + 1);
    let empty = |record: &csv::ByteRecord| record.get(first.len()).is_some_and(|cell| cell.trim_ascii().is_empty());
    match () {
        () if !longer => None,
        () if below.iter().all(empty) => Some(Unnamed::Last),
        () if first.len() < 2 || !distinct_and_whole(below) => None,
        () => Some(Unnamed::First),
    }
}

/// Whether the first cells can be row names: all distinct, not all of them decimal numbers, without quotes, backslashes and non-ASCII
/// bytes.
fn distinct_and_whole(rows: &[csv::ByteRecord]) -> bool {
    let mut names: Vec<&[u8]> = rows.iter().filter_map(|row| row.get(0)).collect();
    let whole = names.iter().all(|name| !name.iter().any(|byte| matches!(byte, b'"' | b'\'' | b'\\' | 0x80..)));
    let decimal =
        |name: &&[u8]| name.contains(&b'.') && std::str::from_utf8(name).is_ok_and(|n| parse_number(n).is_some());
    let values = names.iter().all(decimal);
    names.sort_unstable();
    whole && !values && names.windows(2).all(|pair| pair[0] != pair[1])
}

/// Whether two adjacent cells may be one number with a decimal comma in all rows. Quoted cells are whole.
fn may_have_decimal_commas(rows: &[csv::ByteRecord], dialect: TextDialect, head: &[u8]) -> bool {
    let digits = |cell: &[u8]| !cell.is_empty() && cell.iter().all(u8::is_ascii_digit);
    let whole = |cell: &[u8]| digits(cell.strip_prefix(b"-").unwrap_or(cell));
    let is_pair = |row: &csv::ByteRecord, at: usize| {
        let cell = |at| row.get(at).unwrap_or_default().trim_ascii();
        whole(cell(at)) && digits(cell(at + 1))
    };
    let quoted = matches!(dialect.quote, Quote::Byte(quote) if head.contains(&quote));
    let width = rows.first().map_or(0, csv::ByteRecord::len);
    dialect.delimiter == b',' && !quoted && (1..width).any(|at| rows.iter().all(|row| is_pair(row, at - 1)))
}

fn doubtful_commas(path: &Path, sample: &[csv::ByteRecord]) -> Warning {
    let row: Vec<_> = sample.get(1).into_iter().flatten().map(header::text_of).collect();
    let message = format!(
        "{}: rows have one cell more than the header, as in \"{}\": is a comma a decimal comma there? Quote such numbers, or name the \
         column of row names in the header",
        path.display(),
        row.join(",")
    );
    Warning::new(WarningKind::NumbersWithUnits, message)
}

/// `c` and the position of a column, followed by a number if this name is taken.
fn free_name(place: usize, names: &[String]) -> String {
    let numbered = (1..).map(|number| format!("c{place}_{number}"));
    let free = |name: &String| !names.contains(name);
    std::iter::once(format!("c{place}")).chain(numbered).find(free).expect("some number is free")
}

/// Notes about a delimiter other than a comma.
fn dialect_notes(dialect: TextDialect, options: &ReadOptions) -> Vec<String> {
    let delimiter = (dialect.delimiter != b',' && dialect.delimiter != b'\t' && options.delimiter.is_none())
        .then(|| format!("delimiter: {} ({} changes it)", Delimiter(dialect.delimiter), option("delimiter")));
    delimiter.into_iter().collect()
}

/// Refuses texts that are not tables of cells, but would be read as such.
fn refuse_other_texts(path: &Path, head: &[u8], options: &ReadOptions) -> Result<()> {
    let start = head.trim_ascii_start();
    let begins = |words: &[u8]| start.len() >= words.len() && start[..words.len()].eq_ignore_ascii_case(words);
    let document = matches!(start, [b'[', rest @ ..] if rest.trim_ascii_start().starts_with(b"{"))
        || matches!(start, [b'{', rest @ ..] if rest.trim_ascii_start().starts_with(b"\""));
    let what = match () {
        () if is_json_lines(head) => &format!("JSON Lines: {} reads it", setting("format", "jsonl")),
        () if options.format == Format::Auto && !options.tabs_likely && is_libsvm(head) => {
            let remedy = setting("format", "libsvm");
            &format!("lines of LIBSVM's form (label index:value …): {remedy} reads it")
        }
        () if document => "a JSON document: write one object a line (JSON Lines), or CSV",
        () if begins(b"<!doctype") || begins(b"<html") || begins(b"<?xml") => "HTML or XML: convert it to CSV",
        () if begins(b"version https://git-lfs") => "a pointer of Git LFS: git lfs pull fetches the file",
        () => return Ok(()),
    };
    Err(Error::data(path, format!("expected delimited columns, found {what}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(text: &str) -> FileLayout {
        FileLayout::of(Path::new("x.csv"), text.as_bytes(), true, &ReadOptions::default()).unwrap()
    }

    fn error(text: &[u8]) -> String {
        FileLayout::of(Path::new("x.csv"), text, true, &ReadOptions::default()).unwrap_err().to_string()
    }

    #[test]
    fn delimiters_are_found() {
        for (text, delimiter, width) in [
            ("a,b\n1,2\n", b',', 2),
            ("a\tb c, d\n1\t2\n", b'\t', 2),
            ("a;b\n1,5;2,5\n3,5;4\n", b';', 2),
            ("a|b|c\n1|2|3\n", b'|', 3),
            ("a\n1\n", b',', 1),
            ("\"a;b\",c\n\"1;2;3\",4\n", b',', 2),
        ] {
            let found = layout(text);
            assert_eq!((found.dialect.delimiter, found.outline.names.len()), (delimiter, width), "{text:?}");
        }
    }

    #[test]
    fn headers_are_found() {
        for (text, header) in [
            ("a,b\n1,2\n", true),
            ("1,2\n3,4\n", false),
            ("5.1,x\n4.9,y\n", false),
            (",b\n0,1\n", true),
            ("0,1,label\n12,13,7\n14,?,8\n", true),
            ("name,2\nx,3\ny,4\n", false),
            ("NA,x\n1,y\n", false),
            ("colour,taste\nred,sweet\nred,sour\n", true),
            ("red,sweet\nblue,sweet\nred,sour\n", false),
        ] {
            assert_eq!(layout(text).outline.named, header, "{text:?}");
        }
        assert_eq!(layout("1,2\n3,4\n").outline.names, ["c0", "c1"]);
        assert_eq!(layout(",b\n0,1\n").outline.names, ["c0", "b"]);
    }

    #[test]
    fn options_overrule() {
        let options = ReadOptions { header: Header::No, delimiter: Some(";".parse().unwrap()), ..Default::default() };
        let found = FileLayout::of(Path::new("x"), b"a,b\n1,2\n", true, &options).unwrap();
        assert_eq!((found.outline.named, found.outline.names.as_slice()), (false, ["c0".to_owned()].as_slice()));
    }

    #[test]
    fn names_that_are_numbers_are_found() {
        let rows = |row: fn(usize) -> String| (0..30).map(row).collect::<String>();
        let mixed =
            rows(|n| format!("{},{},{}\n", n as f64 / 7.0, n as f64 / 3.0, if n % 2 == 0 { "yes" } else { "no" }));
        assert!(layout(&format!("2019,2020,label\n{mixed}")).outline.named);
        assert!(layout(&format!("0,1,2\n{mixed}")).outline.named);
        assert!(!layout(&format!("0.1,0.2,yes\n{mixed}")).outline.named);
        assert!(layout("0,1,2,3,4\n0.5,1,2,3,4\n1.5,1,2,2,1\n").outline.named);
        assert!(!layout("1,2,3\n4,5,6\n7,8,9\n").outline.named);
        let dice = ReadOptions::default();
        let error = FileLayout::of(Path::new("x"), b"1,2,3\n6,2,1\n4,4,5\n", true, &dice).unwrap_err().to_string();
        assert!(error.contains("`header = yes` or `header = no` says which"), "{error}");
    }

    #[test]
    fn repeated_and_missing_names_are_replaced() {
        let found = layout("a,b,a,,a.1\n1,2,3,4,5\n");
        assert_eq!(found.outline.names, ["a", "b", "a.2", "c3", "a.1"]);
        assert_eq!(found.outline.warnings.len(), 1);
        assert_eq!(layout("x,y\nr1,1,2\nr2,3,4\n").outline.names, ["c0", "x", "y"], "row names of R");
        assert_eq!(layout("x,y\n0.5,1,2\n0.25,3,4\n").outline.names, ["x", "y"], "a row too long, which is refused");
        assert_eq!(layout(",c0\n1,2\n").outline.names, ["c0_1", "c0"]);
    }

    #[test]
    fn what_is_no_table_is_named() {
        assert!(error(b"").contains("the file is empty"));
        assert!(error(b"\n \n").contains("the file is empty"));
        assert!(error(b"+1 1:0.5 7:1\n-1 2:0.25\n").contains("LIBSVM"));
    }
}

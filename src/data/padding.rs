//! Blanks that are not part of a cell. Between a delimiter and a quote, as in `1, "a, b"`, they must be removed,
//! because otherwise the quote does not open a cell. Others align columns.

use super::aligned::Aligned;

/// How blanks are changed before a text is divided into cells.
#[derive(Debug, Clone)]
pub(super) enum Blanks {
    /// Blanks before quotes are removed.
    BeforeQuotes(Padding),
    /// Runs of blanks separate cells.
    Aligned(Aligned),
}

impl Blanks {
    /// Appends `text` to `out` with its blanks changed.
    pub(super) fn push(&mut self, text: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::BeforeQuotes(padding) => padding.push(text, out),
            Self::Aligned(aligned) => aligned.push(text, out),
        }
    }

    /// Appends bytes that were held back until the next byte is known.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        if let Self::BeforeQuotes(padding) = self {
            padding.finish(out);
        }
    }

    /// A whole text with its blanks changed.
    pub(super) fn changed(&self, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len());
        let mut blanks = self.clone();
        blanks.push(text, &mut out);
        blanks.finish(&mut out);
        out
    }
}

/// Removes blanks before a quote at the start of a cell. All other bytes are unchanged.
#[derive(Debug, Clone)]
pub(super) struct Padding {
    delimiter: u8,
    quote: u8,
    place: CellPart,
    /// Blanks at the start of the current cell, held back.
    blanks: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CellPart {
    Start,
    Within,
    Quoted,
}

impl Padding {
    pub(super) fn new(delimiter: u8, quote: u8) -> Self {
        Self { delimiter, quote, place: CellPart::Start, blanks: Vec::new() }
    }

    /// Whether there are blanks between a delimiter and a quote.
    pub(super) fn occurs(text: &[u8], delimiter: u8, quote: u8) -> bool {
        memchr::memchr_iter(quote, text).any(|at| {
            let before = text[..at].trim_ascii_end();
            let blank = before.len() < at && !text[before.len()..at].contains(&b'\n');
            blank && before.last() == Some(&delimiter)
        })
    }

    /// Appends `text` to `out` without such blanks.
    fn push(&mut self, text: &[u8], out: &mut Vec<u8>) {
        for &byte in text {
            let blank = byte == b' ' || (byte == b'\t' && self.delimiter != b'\t');
            match self.place {
                CellPart::Start if blank => {
                    self.blanks.push(byte);
                    continue;
                }
                CellPart::Start if byte == self.quote => {
                    self.blanks.clear();
                    self.place = CellPart::Quoted;
                }
                // Within quotes, a doubled quote closes the cell and opens it again.
                CellPart::Quoted => self.place = if byte == self.quote { CellPart::Within } else { CellPart::Quoted },
                CellPart::Start | CellPart::Within => {
                    out.append(&mut self.blanks);
                    self.place = match byte {
                        b'\n' => CellPart::Start,
                        _ if byte == self.delimiter => CellPart::Start,
                        _ if byte == self.quote && out.last() == Some(&self.quote) => CellPart::Quoted,
                        _ => CellPart::Within,
                    };
                }
            }
            out.push(byte);
        }
    }

    /// Appends the blanks that were held back.
    fn finish(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.blanks);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_blanks_before_quotes_are_removed() {
        for (text, expected) in [
            ("1, \"a, b\",  2\n", "1,\"a, b\",  2\n"),
            ("  \"x\", y \n", "\"x\", y \n"),
            ("\"a, \"\"b\", \"c\"\n", "\"a, \"\"b\",\"c\"\n"),
            ("a b \"c\", d", "a b \"c\", d"),
            ("1, ", "1, "),
        ] {
            let removed = Blanks::BeforeQuotes(Padding::new(b',', b'"')).changed(text.as_bytes());
            assert_eq!(removed, expected.as_bytes(), "{text:?}");
        }
        assert!(Padding::occurs(b"a, \"b\"", b',', b'"') && !Padding::occurs(b"a,\n \"b\"", b',', b'"'));
    }
}

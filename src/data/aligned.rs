//! Text whose columns are aligned by blanks: `1.0    20  "a b"`. A run of blanks of any length separates two cells.

/// Replaces each run of blanks by one space, and removes those at the ends of a line. Text in quotes is unchanged.
#[derive(Debug, Clone)]
pub(super) struct Aligned {
    quote: Option<u8>,
    place: LinePart,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LinePart {
    LineStart,
    Blanks,
    Cell,
    Quoted,
}

impl Aligned {
    /// `quote`: the character that encloses cells, if there is one.
    pub(super) fn new(quote: Option<u8>) -> Self {
        Self { quote, place: LinePart::LineStart }
    }

    /// Whether a line starts with blanks, or two blanks are adjacent.
    pub(super) fn occurs(text: &[u8]) -> bool {
        let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
        text.first().is_some_and(blank)
            || text.windows(2).any(|pair| blank(&pair[1]) && (pair[0] == b'\n' || blank(&pair[0])))
    }

    /// Appends the converted `text` to `out`. A text may be passed in pieces.
    pub(super) fn push(&mut self, text: &[u8], out: &mut Vec<u8>) {
        for &byte in text {
            let blank = matches!(byte, b' ' | b'\t' | b'\r');
            self.place = match self.place {
                LinePart::LineStart if blank => continue,
                LinePart::Blanks | LinePart::Cell if blank => {
                    self.place = LinePart::Blanks;
                    continue;
                }
                LinePart::Quoted if Some(byte) == self.quote => LinePart::Cell,
                LinePart::Quoted => LinePart::Quoted,
                _ if byte == b'\n' => LinePart::LineStart,
                place => {
                    if place == LinePart::Blanks {
                        out.push(b' ');
                    }
                    // A doubled quote in a quoted cell closes the cell and opens it again.
                    let doubled = place == LinePart::Cell && out.last().copied() == self.quote;
                    let opens = Some(byte) == self.quote && (place != LinePart::Cell || doubled);
                    if opens { LinePart::Quoted } else { LinePart::Cell }
                }
            };
            out.push(byte);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_blanks_outside_quotes_become_one_space() {
        for (text, expected) in [
            ("  1.0   2  x \r\n\t3 4\t\"a  b\" \n", "1.0 2 x\n3 4 \"a  b\"\n"),
            ("\"a \"\"  b\"  \"c\"\n", "\"a \"\"  b\" \"c\"\n"),
            ("it's  5\" wide\nx", "it's 5\" wide\nx"),
            ("a b\n\n c", "a b\n\nc"),
        ] {
            let mut out = Vec::new();
            let mut aligned = Aligned::new(Some(b'"'));
            // The result must not depend on how the text is divided.
            text.as_bytes().chunks(3).for_each(|piece| aligned.push(piece, &mut out));
            assert_eq!(String::from_utf8_lossy(&out), expected, "{text:?}");
        }
        assert!(Aligned::occurs(b"a  b") && Aligned::occurs(b"a\n b") && !Aligned::occurs(b"a b\nc d"));
    }
}

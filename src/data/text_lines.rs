//! The numbered lines of a text.

use std::io::{self, BufRead};

/// The lines of a text, without blank lines.
pub(super) struct TextLines<R> {
    text: R,
    line: Vec<u8>,
    number: u64,
}

impl<R: BufRead> TextLines<R> {
    /// Starts at line 1.
    pub(super) fn new(text: R) -> Self {
        Self { text, line: Vec::new(), number: 0 }
    }

    /// The next line that is not blank, without blanks around it, and its number.
    ///
    /// # Errors
    /// Those of reading the text.
    pub(super) fn next_line(&mut self) -> io::Result<Option<(u64, &[u8])>> {
        loop {
            self.line.clear();
            if self.text.read_until(b'\n', &mut self.line)? == 0 {
                return Ok(None);
            }
            self.number += 1;
            if !self.line.trim_ascii().is_empty() {
                return Ok(Some((self.number, self.line.trim_ascii())));
            }
        }
    }
}

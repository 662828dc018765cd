//! Operations on texts, of `ai.onnx` 20. All values are `[N, 1]`.

use super::nodes::{AttributeValue, Name, OnnxNodes};
use super::proto::ElementType;

/// Blanks around a cell, as a regular expression.
pub(super) const BLANKS: &str = r"[\s\p{Z}]*";

/// Stands for a word that a text does not have.
pub(super) const NO_WORD: &str = "~";

/// A text cell that was read as a number.
pub(super) struct ReadCell {
    /// The number, a double; NaN where the cell is missing, any number where it cannot be read.
    pub(super) value: Name,
    /// Whether the cell cannot be read.
    pub(super) unreadable: Name,
}

/// `text` as a regular expression that matches nothing else.
pub(super) fn literal(text: &str) -> String {
    let escaped = |c: char| if c.is_ascii_punctuation() { format!("\\{c}") } else { c.to_string() };
    text.chars().map(escaped).collect()
}

impl OnnxNodes {
    /// Whether all of a text matches a regular expression of RE2.
    pub(super) fn matches(&mut self, text: &Name, pattern: &str) -> Name {
        self.op_with("RegexFullMatch", &[text], vec![("pattern", AttributeValue::Text(pattern.to_owned()))])
    }

    /// `when ? then : otherwise`.
    pub(super) fn choose(&mut self, when: &Name, then: &Name, otherwise: &Name) -> Name {
        self.op("Where", &[when, then, otherwise])
    }

    /// The text where `when` is so, else `otherwise`.
    pub(super) fn only(&mut self, when: &Name, text: &Name, otherwise: &str) -> Name {
        let otherwise = self.texts(&[otherwise.to_owned()]);
        self.choose(when, text, &otherwise)
    }

    /// One text after the other.
    pub(super) fn concatenated(&mut self, parts: &[Name]) -> Name {
        let (first, others) = parts.split_first().expect("there is a part");
        others.iter().fold(first.clone(), |all, part| self.op("StringConcat", &[&all, part]))
    }

    /// The first `count` parts of a text between delimiters; parts that are not there are empty.
    pub(super) fn parts(&mut self, text: &Name, delimiter: &str, count: usize) -> Vec<Name> {
        // As many delimiters are appended as the parts need, so the result always has their number of columns.
        let end = self.texts(&[delimiter.repeat(count - 1)]);
        let text = self.concatenated(&[text.clone(), end]);
        self.split(&text, delimiter, count)
    }

    /// The first `count` parts of a text that has as many.
    fn split(&mut self, text: &Name, delimiter: &str, count: usize) -> Vec<Name> {
        let delimiter = vec![("delimiter", AttributeValue::Text(delimiter.to_owned()))];
        let parts = self.op_with("StringSplit", &[text], delimiter);
        self.second_output("counts");
        let axis = || vec![("axis", AttributeValue::Integer(-1))];
        let part = |at: usize| {
            let at = self.integer(at as i64);
            self.op_with("Gather", &[&parts, &at], axis())
        };
        (0..count).map(part).collect()
    }

    /// The text without the first `most` occurrences of `taken`.
    pub(super) fn without(&mut self, text: &Name, taken: &str, most: usize) -> Name {
        let parts = self.parts(text, taken, most + 1);
        self.concatenated(&parts)
    }

    /// The first `count` words of a text, which ASCII blanks part; [`NO_WORD`] for those that are not there.
    pub(super) fn words(&mut self, text: &Name, count: usize) -> Vec<Name> {
        let end = self.texts(&[format!(" {NO_WORD}").repeat(count)]);
        let text = self.concatenated(&[text.clone(), end]);
        self.split(&text, "", count)
    }

    /// A text, or `empty` for an empty one.
    pub(super) fn or_if_empty(&mut self, text: &Name, empty: &str) -> Name {
        let (none, empty) = (self.texts(&[String::new()]), self.texts(&[empty.to_owned()]));
        let is_empty = self.op("Equal", &[text, &none]);
        self.choose(&is_empty, &empty, text)
    }

    /// The double that a text is; that of `empty` for an empty one.
    pub(super) fn number(&mut self, text: &Name, empty: &str) -> Name {
        let text = self.or_if_empty(text, empty);
        self.cast(&text, ElementType::Double)
    }

    /// `x · factor`.
    pub(super) fn times(&mut self, x: &Name, factor: f64) -> Name {
        let factor = self.double(factor);
        self.op("Mul", &[x, &factor])
    }

    /// `x + number`.
    pub(super) fn plus(&mut self, x: &Name, number: f64) -> Name {
        let number = self.double(number);
        self.op("Add", &[x, &number])
    }

    /// `x + y + …`.
    pub(super) fn added(&mut self, terms: &[Name]) -> Name {
        let (first, others) = terms.split_first().expect("there is a term");
        others.iter().fold(first.clone(), |sum, term| self.op("Add", &[&sum, term]))
    }

    /// `⌊x / divisor⌋`.
    pub(super) fn quotient(&mut self, x: &Name, divisor: f64) -> Name {
        let divisor = self.double(divisor);
        let exact = self.op("Div", &[x, &divisor]);
        self.op("Floor", &[&exact])
    }

    /// 1 where a condition holds, else 0.
    pub(super) fn flag(&mut self, condition: &Name) -> Name {
        self.cast(condition, ElementType::Double)
    }
}

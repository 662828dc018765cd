//! Options of an optimizer or a schedule, listed once. Parsing, printing and the tables of `--optimizer help` and `--schedule
//! help` all use the list.

use std::fmt::Debug;

use crate::Result;
use crate::spec::Spec;

/// The numbers that an option may have.
#[derive(Debug, Clone, Copy)]
pub struct Range {
    pub(super) words: &'static str,
    pub(super) holds: fn(f64) -> bool,
}

impl Range {
    /// The numbers for which `holds` is true; `words` completes "must be …".
    pub const fn new(words: &'static str, holds: fn(f64) -> bool) -> Range {
        Range { words, holds }
    }

    /// `0 ≤ x < 1`.
    pub const FRACTION: Range = Range { words: "at least 0 and below 1", holds: |x| (0.0..1.0).contains(&x) };
    /// `0 ≤ x ≤ 1`.
    pub const SHARE: Range = Range { words: "within 0 and 1", holds: |x| (0.0..=1.0).contains(&x) };
    /// `0 < x < 1`.
    pub const INNER: Range = Range { words: "above 0 and below 1", holds: |x| x > 0.0 && x < 1.0 };
    /// `x ≥ 0`.
    pub const NOT_NEGATIVE: Range = Range { words: "a number of at least 0", holds: |x| x >= 0.0 && x.is_finite() };
    /// `x > 0`.
    pub const POSITIVE: Range = Range { words: "a number above 0", holds: |x| x > 0.0 && x.is_finite() };
    /// `x > 0`, also after rounding to single precision, so that the quotient `0 / (0 + eps)` is 0.
    pub const EPS: Range =
        Range { words: "a number of at least 1e-37", holds: |x| x >= 1e-37 && x <= f64::from(f32::MAX) };
    /// A whole number, at least 0.
    pub const COUNT: Range =
        Range { words: "a whole number from 0 to 1000000000", holds: |x| (0.0..=1e9).contains(&x) && x.fract() == 0.0 };
    /// A whole number of at least 1, small enough to be iterated over.
    pub const FEW: Range =
        Range { words: "a whole number from 1 to 10000", holds: |x| (1.0..=1e4).contains(&x) && x.fract() == 0.0 };
    /// Any number.
    pub const FINITE: Range = Range { words: "a number", holds: f64::is_finite };
    /// `x > 1`.
    pub const ABOVE_ONE: Range = Range { words: "a number above 1", holds: |x| x > 1.0 && x.is_finite() };
}

/// The value of an option: a number, a switch, a list and so on. Numbers are checked against a range.
pub trait FieldValue: Debug {
    /// Takes the value from a specification, if the option is given there.
    ///
    /// # Errors
    /// [`crate::Error::Usage`] if it is out of its range.
    fn read(&mut self, spec: &mut Spec<'_>, key: &'static str, range: Range) -> Result<()>;

    /// The value as [`FieldValue::read`] reads it; `None` if there is none.
    fn text(&self) -> Option<String>;

    /// Whether a required value is missing.
    fn is_missing(&self) -> bool {
        false
    }
}

/// An option with a word for each of its values.
pub trait Word: Debug {
    /// All words.
    fn words(&self) -> &'static [&'static str];
    /// The index of the current value's word.
    fn index(&self) -> usize;
    /// Sets the value to that of a word.
    fn set(&mut self, index: usize);
}

/// An option: its key and a reference to its value.
#[derive(Debug)]
pub struct Field<'a> {
    /// The key, as in `adam:beta2=0.95`.
    pub key: &'static str,
    value: &'a mut dyn FieldValue,
    range: Range,
}

impl<'a> Field<'a> {
    /// An option with a number or several.
    pub fn new(key: &'static str, value: &'a mut dyn FieldValue, range: Range) -> Self {
        Field { key, value, range }
    }

    /// A switch, `true` or `false`.
    pub fn switch(key: &'static str, value: &'a mut bool) -> Self {
        Field { key, value, range: Range::FINITE }
    }

    /// One of several words.
    pub fn word(key: &'static str, value: &'a mut impl Word) -> Self {
        Field { key, value, range: Range::FINITE }
    }

    /// Takes the value from a specification, if the option is given there.
    ///
    /// # Errors
    /// [`crate::Error::Usage`] if it is out of range, or required but not given.
    pub fn read(self, spec: &mut Spec<'_>) -> Result<()> {
        self.value.read(spec, self.key, self.range)?;
        if self.value.is_missing() { Err(spec.needs(self.key)) } else { Ok(()) }
    }

    /// `key=value`, in the form that is read; `None` if there is no value.
    pub fn text(&self) -> Option<String> {
        Some(format!("{}={}", self.key, self.value.text()?))
    }

    /// `key=value`; `key=…` if the value is required; the key alone if there is no value.
    pub fn help(&self) -> String {
        if self.value.is_missing() { format!("{}=…", self.key) } else { self.text().unwrap_or(self.key.to_owned()) }
    }
}

/// Replaces a value by the given one, if there is one.
pub(super) fn replace<T>(value: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *value = given;
    }
}

/// A number in the form that is written.
pub(super) fn number(value: f64) -> String {
    if value != 0.0 && value.abs() < 1e-3 { format!("{value:e}") } else { value.to_string() }
}

/// Numbers in the form that is written.
pub(super) fn numbers(values: impl IntoIterator<Item = f64>) -> String {
    values.into_iter().map(number).collect::<Vec<_>>().join("/")
}

/// NaN means that the number is required and missing.
impl FieldValue for f64 {
    fn read(&mut self, spec: &mut Spec<'_>, key: &'static str, range: Range) -> Result<()> {
        replace(self, spec.number(key, range.words, range.holds)?);
        Ok(())
    }

    fn text(&self) -> Option<String> {
        Some(number(*self))
    }

    fn is_missing(&self) -> bool {
        self.is_nan()
    }
}

impl FieldValue for Option<f64> {
    fn read(&mut self, spec: &mut Spec<'_>, key: &'static str, range: Range) -> Result<()> {
        replace(self, spec.number(key, range.words, range.holds)?.map(Some));
        Ok(())
    }

    fn text(&self) -> Option<String> {
        self.map(number)
    }
}

/// An empty list means that numbers are required and missing.
impl FieldValue for Vec<f64> {
    fn read(&mut self, spec: &mut Spec<'_>, key: &'static str, range: Range) -> Result<()> {
        replace(self, spec.numbers(key, range.words, range.holds)?);
        Ok(())
    }

    fn text(&self) -> Option<String> {
        Some(numbers(self.iter().copied()))
    }

    fn is_missing(&self) -> bool {
        self.is_empty()
    }
}

/// A lower and a higher number.
impl FieldValue for Option<[f64; 2]> {
    fn read(&mut self, spec: &mut Spec<'_>, key: &'static str, range: Range) -> Result<()> {
        replace(self, spec.pair(key, range.words, range.holds)?.map(Some));
        Ok(())
    }

    fn text(&self) -> Option<String> {
        self.map(numbers)
    }
}

macro_rules! whole {
    ($($number:ty)*) => {
        $(impl FieldValue for $number {
            fn read(&mut self, spec: &mut Spec<'_>, key: &'static str, range: Range) -> Result<()> {
                replace(self, spec.number(key, range.words, range.holds)?.map(|count| count as $number));
                Ok(())
            }

            fn text(&self) -> Option<String> {
                Some(self.to_string())
            }
        })*
    };
}

whole!(u64 usize);

impl FieldValue for bool {
    fn read(&mut self, spec: &mut Spec<'_>, key: &'static str, _range: Range) -> Result<()> {
        replace(self, spec.switch(key)?);
        Ok(())
    }

    fn text(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl<W: Word> FieldValue for W {
    fn read(&mut self, spec: &mut Spec<'_>, key: &'static str, _range: Range) -> Result<()> {
        let index = spec.word(key, self.words())?;
        index.into_iter().for_each(|index| self.set(index));
        Ok(())
    }

    fn text(&self) -> Option<String> {
        Some(self.words()[self.index()].to_owned())
    }
}

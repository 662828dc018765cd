//! Options of an optimizer, listed once: parsing, printing and the table of `--optimizer help` all go through the list.

use std::fmt::Debug;

use crate::Result;
use crate::spec::Spec;

/// Which numbers an option may have.
#[derive(Debug, Clone, Copy)]
pub struct Range {
    words: &'static str,
    holds: fn(f64) -> bool,
}

impl Range {
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
    /// `x > 0`, also when it is rounded to single precision: it keeps a quotient `0 / (0 + eps)` at 0.
    pub const EPS: Range =
        Range { words: "a number of at least 1e-37", holds: |x| x >= 1e-37 && x <= f64::from(f32::MAX) };
    /// A whole number of steps or things, none included.
    pub const COUNT: Range =
        Range { words: "a whole number from 0 to 1000000000", holds: |x| (0.0..=1e9).contains(&x) && x.fract() == 0.0 };
    /// A whole number of at least 1, not so many that they could not be worked off.
    pub const FEW: Range =
        Range { words: "a whole number from 1 to 10000", holds: |x| (1.0..=1e4).contains(&x) && x.fract() == 0.0 };
    /// Any number.
    pub const FINITE: Range = Range { words: "a number", holds: f64::is_finite };
    /// `x > 1`.
    pub const ABOVE_ONE: Range = Range { words: "a number above 1", holds: |x| x > 1.0 && x.is_finite() };
}

/// An option with a word for each of its values.
pub trait Word: Debug {
    /// All words.
    fn words(&self) -> &'static [&'static str];
    /// Which of them stands for the value.
    fn index(&self) -> usize;
    /// Takes the value of a word.
    fn set(&mut self, index: usize);
}

/// Where the value of an option stands.
#[derive(Debug)]
enum Place<'a> {
    Number(&'a mut f64, Range),
    Switch(&'a mut bool),
    Count(&'a mut usize, Range),
    Word(&'a mut dyn Word),
}

/// An option of an optimizer: its key, and where its value stands.
#[derive(Debug)]
pub struct Field<'a> {
    /// The key, as in `adam:beta2=0.95`.
    pub key: &'static str,
    place: Place<'a>,
}

impl<'a> Field<'a> {
    /// A number.
    pub fn number(key: &'static str, value: &'a mut f64, range: Range) -> Self {
        Field { key, place: Place::Number(value, range) }
    }

    /// A switch, `true` or `false`.
    pub fn switch(key: &'static str, value: &'a mut bool) -> Self {
        Field { key, place: Place::Switch(value) }
    }

    /// A whole number.
    pub fn count(key: &'static str, value: &'a mut usize, range: Range) -> Self {
        Field { key, place: Place::Count(value, range) }
    }

    /// One of several words.
    pub fn word(key: &'static str, value: &'a mut dyn Word) -> Self {
        Field { key, place: Place::Word(value) }
    }

    /// Takes the value from a specification, if it is given there.
    ///
    /// # Errors
    /// [`crate::Error::Usage`] if it is out of its range.
    pub fn read(self, spec: &mut Spec<'_>) -> Result<()> {
        match self.place {
            Place::Number(value, range) => *value = spec.number(self.key, range.words, range.holds)?.unwrap_or(*value),
            Place::Switch(value) => *value = spec.switch(self.key)?.unwrap_or(*value),
            Place::Count(value, range) => {
                *value = spec.number(self.key, range.words, range.holds)?.map_or(*value, |count| count as usize);
            }
            Place::Word(value) => {
                let index = spec.word(self.key, value.words())?;
                index.into_iter().for_each(|index| value.set(index));
            }
        }
        Ok(())
    }

    /// `key=value`, which reads back as it is.
    pub fn text(&self) -> String {
        match &self.place {
            Place::Number(value, _) if **value != 0.0 && value.abs() < 1e-3 => format!("{}={value:e}", self.key),
            Place::Number(value, _) => format!("{}={value}", self.key),
            Place::Switch(value) => format!("{}={value}", self.key),
            Place::Count(value, _) => format!("{}={value}", self.key),
            Place::Word(value) => format!("{}={}", self.key, value.words()[value.index()]),
        }
    }
}

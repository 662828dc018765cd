//! The options of a schedule as a table, from which they are read, checked and written.

use crate::spec::Spec;
use crate::{Error, Result};

/// A length: a fraction of the steps if below 1, else a whole number of steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span(pub f64);

impl Span {
    /// The length in steps of a schedule of `total` steps: a fraction is rounded to at least one step, 0 stays 0.
    pub fn steps(self, total: u64) -> u64 {
        match self.0 {
            0.0 => 0,
            fraction if fraction < 1.0 => ((fraction * total as f64).round() as u64).max(1),
            steps => steps as u64,
        }
    }
}

/// What a number must be: in words, and as a condition.
pub(super) type Allowed = (&'static str, fn(f64) -> bool);

pub(super) const SPAN: Allowed =
    ("a fraction of the run above 0 and below 1, or a whole number of steps", |v| v > 0.0 && is_span(v));
pub(super) const SPAN_OR_ZERO: Allowed =
    ("a fraction of the run below 1, or a whole number of steps", |v| v == 0.0 || is_span(v));
pub(super) const WITHIN_0_1: Allowed = ("within 0 and 1", |v| (0.0..=1.0).contains(&v));
pub(super) const ABOVE_0_TO_1: Allowed = ("above 0 and at most 1", |v| v > 0.0 && v <= 1.0);
pub(super) const BETWEEN_0_1: Allowed = ("above 0 and below 1", |v| v > 0.0 && v < 1.0);
pub(super) const POSITIVE: Allowed = ("a number above 0", |v| v > 0.0 && v.is_finite());
pub(super) const NOT_NEGATIVE: Allowed = ("a number of at least 0", |v| v >= 0.0 && v.is_finite());
pub(super) const AT_LEAST_1: Allowed = ("a number of at least 1", |v| v >= 1.0 && v.is_finite());
pub(super) const COUNT: Allowed = ("a whole number of at least 0", |v| v >= 0.0 && is_whole(v));
/// Cycles, each twice as long as the one before.
pub(super) const CYCLES: Allowed = ("a whole number of 1 to 32", |v| (1.0..=32.0).contains(&v) && is_whole(v));
pub(super) const COUNT_FROM_1: Allowed = ("a whole number of at least 1", |v| v >= 1.0 && is_whole(v));

/// Whole, and exact as a float.
fn is_whole(v: f64) -> bool {
    v.fract() == 0.0 && v.abs() <= 9_007_199_254_740_992.0
}

fn is_span(v: f64) -> bool {
    (v > 0.0 && v < 1.0) || (v >= 1.0 && is_whole(v))
}

/// A choice among words.
pub(super) trait Word {
    /// Every word.
    fn words(&self) -> &'static [&'static str];
    /// Position of the present choice.
    fn position(&self) -> usize;
    /// Chooses the word at `position`, which is one of them.
    fn choose(&mut self, position: usize);
}

/// One option; a number that is NaN by default must be given, a list that is empty too.
pub(super) enum Field<'a> {
    Number(&'a mut f64, Allowed),
    OptionalNumber(&'a mut Option<f64>, Allowed),
    Numbers(&'a mut Vec<f64>, Allowed),
    OptionalPair(&'a mut Option<[f64; 2]>, Allowed),
    Count(&'a mut u64, Allowed),
    Span(&'a mut Span, Allowed),
    OptionalSpan(&'a mut Option<Span>),
    Spans(&'a mut Vec<Span>),
    Switch(&'a mut bool),
    Word(&'a mut dyn Word),
}

/// The options of a schedule with their keys.
pub(super) type Fields<'a> = Vec<(&'static str, Field<'a>)>;

impl Field<'_> {
    /// Takes the value under `key` from `spec`, if it is given.
    pub(super) fn read(self, spec: &mut Spec<'_>, key: &'static str) -> Result<()> {
        match self {
            Field::Number(value, (words, holds)) => {
                replace(value, spec.number(key, words, holds)?);
                require(!value.is_nan(), spec, key)?;
            }
            Field::OptionalNumber(value, (words, holds)) => replace(value, spec.number(key, words, holds)?.map(Some)),
            Field::Numbers(values, (words, holds)) => {
                replace(values, spec.numbers(key, words, holds)?);
                require(!values.is_empty(), spec, key)?;
            }
            Field::OptionalPair(pair, (words, holds)) => match spec.numbers(key, words, holds)?.as_deref() {
                None => {}
                Some(&[low, high]) if low <= high => *pair = Some([low, high]),
                Some(_) => {
                    let message =
                        format!("schedule \"{}\": {key} must be two numbers low/high, each {words}", spec.name);
                    return Err(Error::Usage(message));
                }
            },
            Field::Count(value, (words, holds)) => replace(value, spec.number(key, words, holds)?.map(|v| v as u64)),
            Field::Span(span, (words, holds)) => replace(span, spec.number(key, words, holds)?.map(Span)),
            Field::OptionalSpan(span) => replace(span, spec.number(key, SPAN.0, SPAN.1)?.map(|v| Some(Span(v)))),
            Field::Spans(spans) => {
                let values = spec.numbers(key, SPAN.0, SPAN.1)?;
                replace(spans, values.map(|values| values.into_iter().map(Span).collect()));
                require(!spans.is_empty(), spec, key)?;
            }
            Field::Switch(value) => replace(value, spec.switch(key)?),
            Field::Word(word) => {
                if let Some(position) = spec.word(key, word.words())? {
                    word.choose(position);
                }
            }
        }
        Ok(())
    }

    /// The value as [`Field::read`] reads it; `None` where there is none.
    pub(super) fn write(&self) -> Option<String> {
        let list = |values: &[f64]| values.iter().map(f64::to_string).collect::<Vec<_>>().join("/");
        match self {
            Field::Number(value, _) => Some(value.to_string()),
            Field::OptionalNumber(value, _) => value.map(|v| v.to_string()),
            Field::Numbers(values, _) => Some(list(values)),
            Field::OptionalPair(pair, _) => pair.as_ref().map(|pair| list(pair)),
            Field::Count(value, _) => Some(value.to_string()),
            Field::Span(span, _) => Some(span.0.to_string()),
            Field::OptionalSpan(span) => span.map(|span| span.0.to_string()),
            Field::Spans(spans) => Some(list(&spans.iter().map(|s| s.0).collect::<Vec<_>>())),
            Field::Switch(value) => Some(value.to_string()),
            Field::Word(word) => Some(word.words()[word.position()].to_owned()),
        }
    }
}

fn replace<T>(value: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *value = given;
    }
}

/// Fails if an option without a default was not given.
fn require(given: bool, spec: &Spec<'_>, key: &str) -> Result<()> {
    if given { Ok(()) } else { Err(Error::Usage(format!("schedule \"{}\" needs {key}=…", spec.name))) }
}

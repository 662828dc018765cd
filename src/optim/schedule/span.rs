//! Lengths of parts of a schedule, and the ranges of numbers that only schedules use.

use crate::Result;
use crate::optim::field::{FieldValue, Range, number, numbers, replace};
use crate::spec::Spec;

/// A length: a fraction of the steps if below 1, otherwise a whole number of steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScheduleSpan(pub f64);

impl ScheduleSpan {
    /// The length in steps in a schedule of `total` steps. A fraction is rounded to at least one step; 0 stays 0.
    pub fn steps(self, total: u64) -> u64 {
        match self.0 {
            0.0 => 0,
            fraction if fraction < 1.0 => ((fraction * total as f64).round() as u64).max(1),
            steps => steps as u64,
        }
    }
}

impl Range {
    /// A length.
    pub(super) const SPAN: Range =
        Range::new("a fraction of the run above 0 and below 1, or a whole number of steps", |v| v > 0.0 && is_span(v));
    /// A length, or 0.
    pub(super) const SPAN_OR_ZERO: Range =
        Range::new("a fraction of the run below 1, or a whole number of steps", |v| v == 0.0 || is_span(v));
    /// `0 < x ≤ 1`.
    pub(super) const ABOVE_0_TO_1: Range = Range::new("above 0 and at most 1", |v| v > 0.0 && v <= 1.0);
    /// `x ≥ 1`.
    pub(super) const AT_LEAST_1: Range = Range::new("a number of at least 1", |v| v >= 1.0 && v.is_finite());
    /// A whole number, 0 included.
    pub(super) const WHOLE: Range = Range::new("a whole number of at least 0", |v| v >= 0.0 && is_whole(v));
    /// A whole number above 0.
    pub(super) const WHOLE_FROM_1: Range = Range::new("a whole number of at least 1", |v| v >= 1.0 && is_whole(v));
    /// A number of cycles, each twice as long as the previous one.
    pub(super) const CYCLES: Range =
        Range::new("a whole number of 1 to 32", |v| (1.0..=32.0).contains(&v) && is_whole(v));
}

/// Whether it is whole and exact as a float.
fn is_whole(v: f64) -> bool {
    v.fract() == 0.0 && v.abs() <= 9_007_199_254_740_992.0
}

fn is_span(v: f64) -> bool {
    (v > 0.0 && v < 1.0) || (v >= 1.0 && is_whole(v))
}

impl FieldValue for ScheduleSpan {
    fn read(&mut self, spec: &mut Spec<'_>, key: &'static str, range: Range) -> Result<()> {
        self.0.read(spec, key, range)
    }

    fn text(&self) -> Option<String> {
        Some(number(self.0))
    }
}

impl FieldValue for Option<ScheduleSpan> {
    fn read(&mut self, spec: &mut Spec<'_>, key: &'static str, range: Range) -> Result<()> {
        replace(self, spec.number(key, range.words, range.holds)?.map(|length| Some(ScheduleSpan(length))));
        Ok(())
    }

    fn text(&self) -> Option<String> {
        self.map(|span| number(span.0))
    }
}

/// An empty list means that lengths are required and missing.
impl FieldValue for Vec<ScheduleSpan> {
    fn read(&mut self, spec: &mut Spec<'_>, key: &'static str, range: Range) -> Result<()> {
        let lengths = spec.numbers(key, range.words, range.holds)?;
        replace(self, lengths.map(|lengths| lengths.into_iter().map(ScheduleSpan).collect()));
        Ok(())
    }

    fn text(&self) -> Option<String> {
        Some(numbers(self.iter().map(|span| span.0)))
    }

    fn is_missing(&self) -> bool {
        self.is_empty()
    }
}

//! An axis of a chart: the positions of values on it, and its labels.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

/// How values are mapped to distances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AxisScale {
    /// Equal differences are equal distances.
    Linear,
    /// Equal ratios are equal distances; only values above 0 have a position.
    Log,
}

/// A range of values on a scale. Values beyond an end are drawn at that end.
#[derive(Debug, Clone, Copy)]
pub(super) struct AxisRange {
    low: f64,
    high: f64,
    scale: AxisScale,
}

impl AxisScale {
    /// Whether a value has a position.
    pub(super) fn holds(self, value: f64) -> bool {
        value.is_finite() && (self == AxisScale::Linear || value > 0.0)
    }

    fn of(self, value: f64) -> f64 {
        match self {
            AxisScale::Linear => value,
            AxisScale::Log => libm::log10(value),
        }
    }

    fn back(self, place: f64) -> f64 {
        match self {
            AxisScale::Linear => place,
            AxisScale::Log => libm::pow(10.0, place.clamp(-300.0, 300.0)),
        }
    }
}

impl AxisRange {
    /// An axis that contains the values, with a margin of `margin` of their range at both ends. Without values it is 0 to 1, or
    /// 0.1 to 1.
    pub fn around(values: impl Iterator<Item = f64>, scale: AxisScale, margin: f64) -> AxisRange {
        let places = values.filter(|v| scale.holds(*v)).map(|v| scale.of(v));
        let (low, high) = places.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), p| (l.min(p), h.max(p)));
        let (low, high) = match (low, high) {
            (low, high) if low > high => {
                if scale == AxisScale::Log {
                    (-1.0, 0.0)
                } else {
                    (0.0, 1.0)
                }
            }
            (low, high) if high - low > 1e-9 * low.abs().max(1e-300) => (low, high),
            (one, _) if scale == AxisScale::Linear && one == 0.0 => (-1.0, 1.0),
            (one, _) => (one - 0.1 * one.abs().max(0.5), one + 0.1 * one.abs().max(0.5)),
        };
        let room = margin * (high - low);
        AxisRange { low: scale.back(low - room), high: scale.back(high + room), scale }
    }

    /// The same with other ends, if they are given.
    pub fn with_ends(self, ends: Option<(f64, f64)>) -> AxisRange {
        ends.map_or(self, |(low, high)| AxisRange { low, high, ..self })
    }

    /// The values at its ends.
    pub fn ends(&self) -> (f64, f64) {
        (self.low, self.high)
    }

    /// Whether a value has a position.
    pub fn holds(&self, value: f64) -> bool {
        self.scale.holds(value)
    }

    /// At most `most` round values in the range: multiples of 1, 2 or 5 times a power of ten. On a long logarithmic axis they
    /// are powers of ten, on a shorter one also 2 and 5 times these.
    pub fn ticks(&self, most: usize) -> Vec<f64> {
        let decades = libm::log10(self.high / self.low);
        if self.scale == AxisScale::Linear || decades < 0.8 {
            return self.even_ticks(most);
        }
        let (first, last) = (libm::floor(libm::log10(self.low)) as i32, libm::ceil(libm::log10(self.high)) as i32);
        let within = |factors: &[f64], every: i32| -> Vec<f64> {
            let powers = (first..=last).filter(|power| power % every == 0);
            let all = powers.flat_map(|power| factors.iter().map(move |f| f * power_of_ten(power)));
            all.filter(|v| (self.low..=self.high).contains(v)).collect()
        };
        let fine = within(&[1.0, 2.0, 5.0], 1);
        if fine.len() <= most {
            return fine;
        }
        let mut coarser = (1..).map(|every| within(&[1.0], every));
        coarser.find(|ticks| ticks.len() <= most).unwrap_or_default()
    }

    fn even_ticks(&self, most: usize) -> Vec<f64> {
        let rough = (self.high - self.low) / most.max(1) as f64;
        let power = libm::floor(libm::log10(rough)) as i32;
        let steps = [1.0, 2.0, 5.0, 10.0, 20.0].map(|f| f * power_of_ten(power));
        let count = |step: &f64| libm::floor(self.high / step) - libm::ceil(self.low / step) + 1.0;
        let Some(step) = steps.into_iter().find(|step| count(step) <= most as f64) else { return Vec::new() };
        let first = libm::ceil(self.low / step) as i64;
        // For a step below 1, `k · step` would give rounding noise such as 0.30000000000000004.
        let value = |k: i64| if step < 1.0 { k as f64 / libm::round(1.0 / step) } else { k as f64 * step };
        (0..count(&step).max(0.0) as i64).map(|k| value(first + k)).collect()
    }
}

/// Exact if a floating-point number can represent it.
fn power_of_ten(power: i32) -> f64 {
    if power < 0 { 1.0 / libm::pow(10.0, f64::from(-power)) } else { libm::pow(10.0, f64::from(power)) }
}

impl Ranged for AxisRange {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let (low, high) = (self.scale.of(self.low), self.scale.of(self.high));
        let part = ((self.scale.of(*value) - low) / (high - low)).clamp(0.0, 1.0);
        limit.0 + libm::round(part * f64::from(limit.1 - limit.0)) as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        self.ticks(hint.bold_points())
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

impl ValueFormatter<f64> for AxisRange {
    fn format_ext(&self, value: &f64) -> String {
        match value.abs() {
            size if size == 0.0 || (1e-3..1e5).contains(&size) => format!("{value}"),
            _ => format!("{value:e}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(low: f64, high: f64, scale: AxisScale) -> AxisRange {
        AxisRange { low, high, scale }
    }

    #[test]
    fn ticks_are_round_and_few() {
        assert_eq!(axis(0.0, 1.0, AxisScale::Linear).ticks(6), [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]);
        assert_eq!(axis(0.0, 230.0, AxisScale::Linear).ticks(5), [0.0, 50.0, 100.0, 150.0, 200.0]);
        assert_eq!(axis(0.004, 3.0, AxisScale::Log).ticks(4), [0.01, 0.1, 1.0]);
        assert_eq!(axis(0.4, 6.0, AxisScale::Log).ticks(5), [0.5, 1.0, 2.0, 5.0]);
        assert_eq!(axis(1e-9, 1e9, AxisScale::Log).ticks(4), [1e-5, 1.0, 1e5]);
        assert_eq!(axis(0.30, 0.36, AxisScale::Log).ticks(4), [0.3, 0.32, 0.34, 0.36]);
    }

    #[test]
    fn values_beyond_the_ends_stand_on_them() {
        let axis = axis(0.01, 1.0, AxisScale::Log);
        assert_eq!([1e-9, 0.01, 0.1, 1.0, 7.0].map(|v| axis.map(&v, (100, 0))), [100, 100, 50, 0, 0]);
    }

    #[test]
    fn an_axis_exists_for_any_values() {
        for values in
            [vec![], vec![0.0], vec![5.0, 5.0], vec![-3.0], vec![f64::NAN, f64::INFINITY], vec![1e-299, 1e299]]
        {
            for scale in [AxisScale::Linear, AxisScale::Log] {
                let (low, high) = AxisRange::around(values.iter().copied(), scale, 0.05).ends();
                assert!(low < high && scale.holds(low) && scale.holds(high), "{values:?} {scale:?}: {low} {high}");
            }
        }
    }
}

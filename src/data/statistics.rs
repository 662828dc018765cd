//! Statistics of a number column.

/// Values whose difference relative to the largest one is below this differ only by rounding.
const ROUNDING: f64 = 1e-12;
/// Relative difference that is tolerated for few values if almost all others are equal.
const SLIP: f64 = 1e-8;
/// 2⁶³. Integers below it are taken as exact; above it, every double is an integer.
const WHOLE: f64 = 9_223_372_036_854_775_808.0;
/// Numbers below this that occur together with zeros are rounding errors of sums that should be 0.
const RESIDUE: f64 = f64::EPSILON;
/// Upper limit of the distinct values for this rule.
const FEW: usize = 8;
/// Number of values that are processed in parallel.
const LANES: usize = 8;

/// Statistics of the numbers that are not missing.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberSummary {
    sorted: Vec<f64>,
    /// Mean; 0 if there are no values.
    pub mean: f64,
    /// Standard deviation of the population, `√(Σ(x − mean)² / n)`; 0 if all values are equal.
    pub sd: f64,
}

impl NumberSummary {
    /// Whether all values are equal up to rounding: the range is within 10⁻¹² of the largest value; or within 10⁻⁸, and
    /// nine of ten values are equal; or all values are zeros and a few rounding errors of sums. Integers are compared
    /// exactly.
    pub fn is_constant(&self) -> bool {
        let (range, largest) = (self.range(), self.min().abs().max(self.max().abs()));
        if range == 0.0 || !range.is_finite() || self.sorted.iter().all(|v| v.fract() == 0.0 && v.abs() < WHOLE) {
            return range == 0.0;
        }
        let runs = || self.sorted.chunk_by(|a, b| a == b);
        let most = || runs().map(<[f64]>::len).max().unwrap_or(0);
        range <= ROUNDING * largest
            || (range <= SLIP * largest && 10 * most() >= 9 * self.sorted.len())
            || (largest <= RESIDUE && self.sorted.contains(&0.0) && runs().nth(FEW).is_none())
    }

    /// The largest value; 0 if there are no values.
    pub fn max(&self) -> f64 {
        self.sorted.last().copied().unwrap_or(0.0)
    }

    /// Statistics of finite numbers in any order; NaN is a missing value. Sums are computed over the sorted values.
    pub fn of(mut values: Vec<f64>) -> Self {
        values.retain(|value| !value.is_nan());
        values.sort_unstable_by(f64::total_cmp);
        let count = values.len().max(1) as f64;
        // The mean of equal values is that value, regardless of rounding in a sum.
        let constant = values.first() == values.last();
        let sum: f64 = values.iter().sum();
        let mean = if constant { values.first().copied().unwrap_or(0.0) } else { sum / count };
        let (mean, sd) = if constant { (mean, 0.0) } else { mean_and_deviation(&values, mean, count) };
        Self { sorted: values, mean, sd }
    }

    /// The values in ascending order.
    pub fn sorted(&self) -> &[f64] {
        &self.sorted
    }

    /// The quantile for the fraction `q`, interpolated between neighbours (type 7 of Hyndman & Fan 1996, NumPy's
    /// default); 0 if there are no values.
    pub fn quantile(&self, q: f64) -> f64 {
        let Some(last) = self.sorted.len().checked_sub(1) else { return 0.0 };
        let at = q * last as f64;
        let (low, high) = (self.sorted[at.floor() as usize], self.sorted[at.ceil() as usize]);
        let between = at - at.floor();
        // Both terms are scaled before the addition, so the median of two huge numbers does not overflow.
        low * (1.0 - between) + high * between
    }

    /// The most frequent value, the smallest of equally frequent ones; 0 if there are no values.
    pub(super) fn most_frequent(&self) -> f64 {
        let runs = self.sorted.chunk_by(|a, b| a == b);
        runs.rev().max_by_key(|run| run.len()).map_or(0.0, |run| run[0])
    }

    /// The smallest value; 0 if there are no values.
    pub fn min(&self) -> f64 {
        self.sorted.first().copied().unwrap_or(0.0)
    }

    /// The largest value minus the smallest.
    pub(super) fn range(&self) -> f64 {
        self.sorted.last().copied().unwrap_or(0.0) - self.min()
    }
}

/// The smallest and largest values that are not NaN; `(∞, −∞)` if there are none.
pub(super) fn extremes(values: &[f64]) -> (f64, f64) {
    // Separate lanes allow vectorisation. A comparison with NaN is false.
    let (mut least, mut most) = ([f64::INFINITY; LANES], [f64::NEG_INFINITY; LANES]);
    let mut take = |lane: usize, value: f64| {
        least[lane] = if value < least[lane] { value } else { least[lane] };
        most[lane] = if value > most[lane] { value } else { most[lane] };
    };
    let chunks = values.chunks_exact(LANES);
    let rest = chunks.remainder();
    for chunk in chunks.chain([rest]) {
        chunk.iter().enumerate().for_each(|(lane, value)| take(lane, *value));
    }
    (least.into_iter().fold(f64::INFINITY, f64::min), most.into_iter().fold(f64::NEG_INFINITY, f64::max))
}

/// Largest error of a mean that is not corrected, as a share of the standard deviation.
const MEAN_ERROR: f64 = 1e-9;

/// The rounding error of a mean of `count` values: the mean of their deviations from it, given the sum of these; 0 if the sum overflows.
/// The sum of values has an error that is large if they are far from 0 and close together, and so has the mean.
pub(super) fn error_of_mean(sum_of_deviations: f64, count: f64) -> f64 {
    let error = sum_of_deviations / count;
    if error.is_finite() { error } else { 0.0 }
}

/// The mean and the standard deviation. The given mean is corrected only where its error matters, so that other columns keep their
/// bits.
fn mean_and_deviation(values: &[f64], mean: f64, count: f64) -> (f64, f64) {
    let deviation = |mean: f64| standard_deviation(|| values.iter().map(|value| value - mean), count);
    let error = error_of_mean(values.iter().map(|value| value - mean).sum(), count);
    let sd = deviation(mean);
    if error.abs() > MEAN_ERROR * sd { (mean + error, deviation(mean + error)) } else { (mean, sd) }
}

/// `√(Σ d² / n)` of deviations from a mean. If the squares underflow or overflow, deviations are divided by the largest
/// one first.
pub(super) fn standard_deviation<I: Iterator<Item = f64>>(deviations: impl Fn() -> I, count: f64) -> f64 {
    let variance = deviations().map(|d| d * d).sum::<f64>() / count;
    if variance.is_normal() {
        return variance.sqrt();
    }
    let largest = deviations().fold(0.0, |largest: f64, d| largest.max(d.abs()));
    if largest == 0.0 || !largest.is_finite() {
        return if largest == 0.0 { 0.0 } else { f64::INFINITY };
    }
    largest * (deviations().map(|d| (d / largest) * (d / largest)).sum::<f64>() / count).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extremes_leave_out_missing_values() {
        let values: Vec<f64> =
            (0..21).map(|row| if row % 4 == 1 { f64::NAN } else { f64::from(row * 7 % 19) }).collect();
        for length in 1..values.len() {
            let present = || values[..length].iter().copied().filter(|value| !value.is_nan());
            assert_eq!(
                extremes(&values[..length]),
                (present().fold(f64::MAX, f64::min), present().fold(-1.0, f64::max))
            );
        }
        assert_eq!(extremes(&[f64::NAN]), (f64::INFINITY, f64::NEG_INFINITY));
    }

    #[test]
    fn the_spread_of_large_numbers_close_together_is_found() {
        for (offset, rows) in [(1e12, 200_000), (1.7e15, 20_000), (9_007_199_254_740_992.0, 50_000)] {
            let values: Vec<f64> = (0..rows).map(|row| offset + f64::from(row % 20 * 2)).collect();
            let summary = NumberSummary::of(values);
            assert!((summary.mean - offset - 19.0).abs() <= f64::EPSILON * offset, "{offset}: {}", summary.mean);
            assert!((summary.sd - (4.0f64 * 399.0 / 12.0).sqrt()).abs() < 0.05, "{offset}: {}", summary.sd);
        }
    }

    #[test]
    fn spread_is_found_at_any_size() {
        for unit in [1.0, 1e-300, 1e-170, 1e200] {
            let summary = NumberSummary::of([1.0, 2.0, 3.0, 4.0].map(|value| value * unit).to_vec());
            assert!((summary.sd / unit - 1.25f64.sqrt()).abs() < 1e-12, "{unit}: {}", summary.sd);
        }
        assert!(!NumberSummary::of(vec![1.7e15, 1.7e15 + 2.0]).is_constant(), "whole numbers differ in earnest");
        assert!(!NumberSummary::of(vec![1.7e18, 1.7e18 + 1024.0]).is_constant());
        assert!(NumberSummary::of(vec![0.3, 0.1 + 0.2]).is_constant());
        assert!(NumberSummary::of(vec![0.3 - 1e-13, 0.3, 0.3 + 1e-13]).is_constant());
        assert!(NumberSummary::of([vec![5.0; 99], vec![5.000_000_001]].concat()).is_constant());
        assert!(!NumberSummary::of([vec![5.0; 50], vec![5.000_000_001; 50]].concat()).is_constant());
        assert!(NumberSummary::of(vec![0.0, 0.1 + 0.2 - 0.3, 0.0, 0.1 + 0.2 - 0.3]).is_constant());
        assert!(!NumberSummary::of(vec![-1e308, 1e308]).is_constant());
        assert!(!NumberSummary::of(vec![1e-9, 2e-9, 0.0]).is_constant());
    }
}

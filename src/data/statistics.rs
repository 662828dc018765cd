//! Statistics of the numbers of a column.

/// Values that differ by less than this share of the largest differ by rounding.
const ROUNDING: f64 = 1e-13;
/// Whole numbers below this are exact, 2⁵³.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Statistics of numbers, from the rows that have one.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    sorted: Vec<f64>,
    /// Mean; 0 of nothing.
    pub mean: f64,
    /// Standard deviation of the population, `√(Σ(x − mean)² / n)`; 0 if all values are equal.
    pub sd: f64,
}

impl Summary {
    /// Whether there is one value alone, up to rounding: the range is within 10⁻¹³ of the largest value.
    pub fn is_constant(&self) -> bool {
        let largest = self.sorted.first().map_or(0.0, |min| min.abs().max((self.min() + self.range()).abs()));
        let whole = |value: &f64| value.fract() == 0.0 && value.abs() < EXACT;
        // Whole numbers differ in earnest.
        self.range() == 0.0 || (self.range() <= ROUNDING * largest && !self.sorted.iter().all(whole))
    }

    /// The largest value; 0 of nothing.
    pub fn max(&self) -> f64 {
        self.sorted.last().copied().unwrap_or(0.0)
    }

    /// Of finite numbers in any order; sums run over the sorted values.
    pub fn of(mut values: Vec<f64>) -> Self {
        values.retain(|value| !value.is_nan());
        values.sort_unstable_by(f64::total_cmp);
        let count = values.len().max(1) as f64;
        // Equal values are their own mean, whatever a sum would round to.
        let constant = values.first() == values.last();
        let sum: f64 = values.iter().sum();
        let mean = if constant { values.first().copied().unwrap_or(0.0) } else { sum / count };
        let sd = standard_deviation(|| values.iter().map(|value| value - mean), count);
        Self { sorted: values, mean, sd }
    }

    /// The values, ascending.
    pub fn sorted(&self) -> &[f64] {
        &self.sorted
    }

    /// The value below which a fraction `q` lies, interpolated between neighbours (type 7 of Hyndman & Fan 1996, NumPy's
    /// default); 0 of nothing.
    pub fn quantile(&self, q: f64) -> f64 {
        let Some(last) = self.sorted.len().checked_sub(1) else { return 0.0 };
        let at = q * last as f64;
        let (low, high) = (self.sorted[at.floor() as usize], self.sorted[at.ceil() as usize]);
        let between = at - at.floor();
        // Half and half of each, so that the median of two huge numbers does not overflow.
        low * (1.0 - between) + high * between
    }

    /// The most frequent value, the smallest of equally frequent ones; 0 of nothing.
    pub(super) fn most_frequent(&self) -> f64 {
        let runs = self.sorted.chunk_by(|a, b| a == b);
        runs.rev().max_by_key(|run| run.len()).map_or(0.0, |run| run[0])
    }

    /// The smallest value; 0 of nothing.
    pub fn min(&self) -> f64 {
        self.sorted.first().copied().unwrap_or(0.0)
    }

    /// The largest value less the smallest.
    pub(super) fn range(&self) -> f64 {
        self.sorted.last().copied().unwrap_or(0.0) - self.min()
    }
}

/// `√(Σ d² / n)` of deviations from a mean. Squares that would be lost, or too large, are taken of deviations in units of the
/// largest one.
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
    fn spread_is_found_at_any_size() {
        for unit in [1.0, 1e-300, 1e-170, 1e200] {
            let summary = Summary::of([1.0, 2.0, 3.0, 4.0].map(|value| value * unit).to_vec());
            assert!((summary.sd / unit - 1.25f64.sqrt()).abs() < 1e-12, "{unit}: {}", summary.sd);
        }
        assert!(!Summary::of(vec![1.7e15, 1.7e15 + 2.0]).is_constant(), "whole numbers differ in earnest");
        assert!(Summary::of(vec![0.3, 0.1 + 0.2]).is_constant());
    }
}
